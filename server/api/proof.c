#include <inttypes.h>
#include <stdio.h>

#include "api/proof.h"
#include "ca/login.h"

#define WINDOW 120 /* seconds; a challenge lives one to two of them */

void
proof_challenge(const struct api *a, const struct order *o, int back, struct proof_challenge *out)
{
	const int64_t window = api_now(a) / WINDOW - back;
	struct uk_span parts[] = { uk_span_str("proof"), uk_span_str(o->id), { NULL, 0 } };
	char count[64];

	(void)snprintf(count, sizeof(count), "%" PRId64 ".%" PRId64, o->requests, window);
	parts[2] = uk_span_str(count);
	crypt_index(a->crypt, CRYPT_INDEX_CODE, parts, 3, out->nonce);
	out->expires = (window + PROOF_WINDOWS) * WINDOW;
}

/* Within one of the windows. */
static enum uk_rc
check_signature(const struct api *a, const struct order *o, struct uk_span der,
    struct uk_span signature, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	enum uk_rc rc;

	if ((rc = uk_cert_parse(der, &cert, err)) != UK_OK)
		return rc;
	for (int back = 0; back < PROOF_WINDOWS; back++) {
		struct proof_challenge c;

		proof_challenge(a, o, back, &c);
		rc = login_check(cert, a->issuer,
		    &(struct uk_login){ .origin = a->origin,
			.audience = PROOF_AUDIENCE,
			.nonce = c.nonce,
			.expires = c.expires },
		    signature, api_now(a), err);
		if (rc == UK_OK)
			break;
	}
	uk_cert_free(&cert);
	return rc;
}

enum uk_rc
proof_verify(const struct api *a, const struct order *o, struct uk_span der,
    struct uk_span certificate, struct uk_span signature, struct uk_err *err)
{
	struct uk_err why = { 0 };

	if (der.n == 0 || !uk_span_eq(der, certificate))
		return uk_fail_field(err, "certificate", "proof-refused");
	if (check_signature(a, o, der, signature, &why) == UK_OK)
		return UK_OK;
	uk_log_err(a->log, UK_LOG_WARN, "proof.refused", &why);
	return uk_fail_field(err, "signature", "proof-refused");
}

enum uk_rc
proof_certificate(const struct api *a, struct store_tx *tx, const char *order,
    struct certificate *row, struct uk_buf *der, struct uk_err *err)
{
	struct certificate_list l = { 0 };
	const struct certificate *c;
	enum uk_rc rc = certificates_of_order(tx, order, &l, err);

	*row = (struct certificate){ 0 };
	uk_buf_reset(der);
	if (rc == UK_OK && (c = certificate_current(&l)) != NULL) {
		*row = *c;
		rc = certificate_der(tx, a->crypt, c->serial, der, err);
	}
	certificate_list_fini(&l);
	return rc;
}
