#include <assert.h>
#include <string.h>

#include "protocol/cms.h"
#include "protocol/signing.h"

#define TBS_MAX 4096

static const char *const forms[] = {
	[SIGNING_RAW] = "raw",
	[SIGNING_ATTACHED] = "cms-attached",
	[SIGNING_DETACHED] = "cms-detached",
};
static_assert(sizeof(forms) / sizeof(forms[0]) == SIGNING__MAX, "one name per form");

enum signing_form
signing_form_of(const char *name)
{
	enum signing_form f = SIGNING_RAW;

	while (f < SIGNING__MAX && strcmp(forms[f], name) != 0)
		f++;
	return f;
}

static void
set_digest(struct signing *s, struct uk_span digest)
{
	memcpy(s->digest, digest.p, digest.n);
	s->n = digest.n;
}

static enum uk_rc
digest_tbs(struct signing *s, const struct uk_pubkey *k, struct uk_span tbs, struct uk_err *err)
{
	struct uk_buf digest;
	enum uk_rc rc;

	uk_buf_init(&digest, sizeof(s->digest));
	rc = uk_digest(k, tbs, &digest);
	if (rc == UK_OK)
		set_digest(s, uk_buf_span(&digest));
	else
		rc = uk_fail(err, rc, NULL, "digest", 0);
	uk_buf_fini(&digest);
	return rc;
}

/* The signature is over the data itself. */
static enum uk_rc
digest_data(struct signing *s, const struct uk_pubkey *k, const struct signing_data *data,
    struct uk_err *err)
{
	const struct uk_span digest = uk_sums_signed(&data->sums, k);

	if (digest.n != 0) {
		set_digest(s, digest);
		return UK_OK;
	}
	return data->here ? digest_tbs(s, k, data->content, err)
			  : uk_fail(err, UK_E_CONFLICT, "data-for-other-key", "sign", 0);
}

enum uk_rc
signing_begin(struct signing *s, const struct uk_cert *cert, enum signing_form form,
    const struct signing_data *data, int64_t now, struct uk_err *err)
{
	const struct uk_pubkey *k = uk_cert_pubkey(cert);
	struct uk_buf tbs;
	enum uk_rc rc;

	*s = (struct signing){ 0 };
	if (form == SIGNING_RAW)
		return digest_data(s, k, data, err);
	uk_buf_init(&tbs, TBS_MAX);
	rc = cms_new(uk_cert_der(cert), uk_sums_plain(&data->sums, uk_cert_alg(cert)),
	    form == SIGNING_ATTACHED ? &data->content : NULL, now, &s->cms, &tbs, err);
	if (rc == UK_OK)
		rc = digest_tbs(s, k, uk_buf_span(&tbs), err);
	if (rc != UK_OK)
		cms_free(&s->cms);
	uk_buf_fini(&tbs);
	return rc;
}

struct uk_span
signing_digest(const struct signing *s)
{
	return uk_span(s->digest, s->n);
}

static enum uk_rc
finish_cms(
    struct cms *cms, enum uk_keyalg alg, struct uk_span sig, struct uk_buf *out, struct uk_err *err)
{
	struct uk_buf der;
	enum uk_rc rc = UK_OK;

	uk_buf_init(&der, 256);
	if (uk_keyalg_is_ec(alg)) {
		if ((rc = uk_ecdsa_to_der(sig, &der)) != UK_OK)
			rc = uk_fail(err, rc, NULL, "cms", 0);
		sig = uk_buf_span(&der);
	}
	if (rc == UK_OK)
		rc = cms_finish(cms, sig, out, err);
	uk_buf_fini(&der);
	return rc;
}

enum uk_rc
signing_end(struct signing *s, const struct uk_cert *cert, struct uk_span signature,
    struct uk_buf *out, struct uk_err *err)
{
	/* A faulty token's signature can give its key away, so it goes nowhere. */
	const enum uk_rc rc =
	    uk_verify_digest(uk_cert_pubkey(cert), signing_digest(s), signature, err);

	if (rc != UK_OK)
		return rc;
	if (s->cms != NULL)
		return finish_cms(s->cms, uk_cert_alg(cert), signature, out, err);
	uk_buf_put(out, signature);
	return uk_buf_failed(out) ? uk_fail(err, UK_E_LIMIT, NULL, "sign", 0) : UK_OK;
}

void
signing_fini(struct signing *s)
{
	cms_free(&s->cms);
}
