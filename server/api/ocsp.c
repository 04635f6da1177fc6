/* The status of certificates for everybody (RFC 6960) [C14]: POST, and GET with the request in the
 * path (appendix A.1). */
#include <string.h>

#include "api/handlers.h"
#include "api/responder.h"
#include "uk/b64.h"
#include "workflow/certificate.h"

#define TYPE   "application/ocsp-response"
#define PREFIX "/ca/ocsp/"
#define FRESH  600 /* seconds an answer may be kept; ours is never older than the last commit */

struct asking {
	const struct api *a;
	const struct ocsp_request *rq;
	struct ocsp_answer answers[OCSP_ASKED_MAX];
};

/* On hold is revoked, too, to who asks (section 2.2). */
static enum uk_rc
look_up(struct store_tx *tx, const char *serial, struct ocsp_answer *out, struct uk_err *err)
{
	struct certificate c;
	enum uk_rc rc = certificate_get(tx, serial, &c, err);

	*out = (struct ocsp_answer){ .status = OCSP_UNKNOWN };
	if (rc == UK_E_NOT_FOUND)
		return UK_OK;
	if (rc != UK_OK)
		return rc;
	if (c.revoked_at != 0) {
		*out = (struct ocsp_answer){ OCSP_REVOKED, c.revoked_at, CRL_UNSPECIFIED };
		if (crl_reason_from_name(c.revoked_why, &out->reason) != UK_OK)
			rc = uk_fail(err, UK_E_INTEGRITY, NULL, "ocsp.reason", 0);
	} else if (c.suspended_at != 0) {
		*out = (struct ocsp_answer){ OCSP_REVOKED, c.suspended_at, CRL_HOLD };
	} else {
		out->status = OCSP_GOOD;
	}
	return rc;
}

static enum uk_rc
read_status(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct asking *s = ctx;
	enum uk_rc rc = UK_OK;

	for (size_t i = 0; rc == UK_OK && i < s->rq->n; i++) {
		s->answers[i] = (struct ocsp_answer){ .status = OCSP_UNKNOWN };
		if (s->rq->asked[i].ours)
			rc = look_up(tx, s->rq->asked[i].serial, &s->answers[i], err);
	}
	return rc;
}

static enum uk_rc
respond(const struct api *a, struct uk_span request, struct uk_buf *out, struct uk_err *err)
{
	const int64_t now = api_now(a);
	const struct responder *responder;
	struct ocsp_request rq;
	struct asking s = { .a = a, .rq = &rq };
	enum uk_rc rc;

	if ((rc = ocsp_request_read(a->issuer, request, &rq, err)) != UK_OK ||
	    (rc = store_read(a->store, read_status, &s, err)) != UK_OK ||
	    (rc = responders_get(a->responders, now, &responder, err)) != UK_OK)
		return rc;
	rc = ocsp_put(responder, &rq, s.answers, now, now + FRESH, out, err);
	responders_put(a->responders, responder);
	return rc;
}

/* Whatever is wrong is said in the protocol's own words, with status 200 (appendix A.2). */
static enum uk_rc
answer_request(const struct api *a, struct http_request *rq, struct uk_span request)
{
	struct uk_err err = { 0 };
	struct uk_buf out;
	enum uk_rc rc;

	uk_buf_init(&out, OCSP_RESPONSE_MAX);
	rc = respond(a, request, &out, &err);
	if (rc != UK_OK) {
		uk_buf_reset(&out);
		if (rc == UK_E_INPUT || rc == UK_E_LIMIT) {
			ocsp_put_failure(OCSP_MALFORMED, &out);
		} else {
			uk_log_err(a->log, UK_LOG_ERROR, "ocsp.failed", &err);
			ocsp_put_failure(rc == UK_E_UNAVAILABLE ? OCSP_LATER : OCSP_INTERNAL, &out);
		}
	}
	http_answer_bytes(rq, 200, TYPE, &out);
	uk_buf_fini(&out);
	return UK_OK;
}

enum uk_rc
ca_ocsp(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)err;
	return answer_request(app, rq, http_body(rq));
}

enum uk_rc
ca_ocsp_get(void *app, struct http_request *rq, struct uk_err *err)
{
	const char *path = http_target(rq) + strlen(PREFIX);
	struct uk_buf text, der;
	enum uk_rc rc;

	(void)err;
	uk_buf_init(&text, 2 * OCSP_REQUEST_MAX);
	uk_buf_init(&der, OCSP_REQUEST_MAX);
	/* what can't be decoded is an empty request, and that is malformed */
	if (net_url_get(&text, uk_span(path, strcspn(path, "?"))) != UK_OK ||
	    uk_buf_str(&text) == NULL || uk_b64_get(&der, uk_buf_str(&text)) != UK_OK)
		uk_buf_reset(&der);
	rc = answer_request(app, rq, uk_buf_span(&der));
	uk_buf_fini(&text);
	uk_buf_fini(&der);
	return rc;
}
