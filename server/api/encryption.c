#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/encryption.h"
#include "api/handlers.h"
#include "km/km.h"
#include "uk/b64.h"

#define DER "gbt35276"
#define SKF "skf"

static enum uk_rc
read_enveloped(struct store_tx *tx, const char *serial, const char *format, struct uk_buf *out,
    struct uk_err *err)
{
	struct uk_sm2_enveloped e;
	struct uk_buf der;
	enum uk_rc rc;

	uk_buf_init(&der, KM_ENVELOPE_MAX);
	rc = km_enveloped(tx, serial, &der, err);
	if (rc == UK_OK && strcmp(format, DER) == 0)
		uk_buf_put(out, uk_buf_span(&der));
	else if (rc == UK_OK && (rc = uk_sm2_enveloped_get(uk_buf_span(&der), &e, err)) == UK_OK)
		uk_sm2_enveloped_put_blob(&e, UK_SM2_FIELD_RIGHT, out);
	uk_buf_fini(&der);
	return rc;
}

enum uk_rc
encryption_json(const struct api *a, struct store_tx *tx, const struct certificate *signing,
    const char *format, json_t **out, struct uk_err *err)
{
	struct uk_buf der, key;
	char *certificate, *enveloped;
	enum uk_rc rc;

	*out = NULL;
	if (strcmp(format, DER) != 0 && strcmp(format, SKF) != 0)
		return uk_fail_field(err, "format", NULL);
	if (signing->pair[0] == '\0')
		return UK_OK;
	uk_buf_init(&der, UK_CERT_MAX);
	uk_buf_init(&key, KM_ENVELOPE_MAX);
	if ((rc = certificate_der(tx, a->crypt, signing->pair, &der, err)) == UK_OK &&
	    (rc = read_enveloped(tx, signing->pair, format, &key, err)) == UK_OK) {
		certificate = uk_b64_dup(uk_buf_span(&der));
		enveloped = uk_b64_dup(uk_buf_span(&key));
		*out = json_pack("{s:s, s:s, s:s}", "certificate", certificate, "envelopedKey",
		    enveloped, "format", format);
		free(certificate);
		free(enveloped);
	}
	uk_buf_fini(&der);
	uk_buf_fini(&key);
	return rc;
}

struct fetching {
	const struct api *a;
	const char *order;
	const char *format;
	json_t *value;
};

static enum uk_rc
read_encryption(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct fetching *f = ctx;
	struct certificate_list l = { 0 };
	const struct certificate *c;
	enum uk_rc rc = certificates_of_order(tx, f->order, &l, err);

	json_decref(f->value);
	f->value = NULL;
	if (rc == UK_OK && (c = certificate_current(&l)) != NULL)
		rc = encryption_json(f->a, tx, c, f->format, &f->value, err);
	if (rc == UK_OK && f->value == NULL)
		rc = uk_fail(err, UK_E_NOT_FOUND, NULL, "encryption", 0);
	certificate_list_fini(&l);
	return rc;
}

/* The same as in the detail, in the form asked for. */
enum uk_rc
production_encryption(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const char *format = http_query(rq, "format");
	struct fetching f = {
		.a = a, .order = http_param(rq, "id"), .format = format != NULL ? format : DER
	};
	const enum uk_rc rc = store_read(a->store, read_encryption, &f, err);

	if (rc == UK_OK)
		http_answer_json(rq, 200, f.value);
	json_decref(f.value);
	return rc;
}
