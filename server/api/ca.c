#include "api/handlers.h"

#define CRL_MAX (64u * 1024 * 1024)

static enum uk_rc
answer_certificate(struct http_request *rq, const struct uk_cert *cert)
{
	struct uk_buf body;

	uk_buf_init(&body, UK_CERT_MAX);
	uk_buf_put(&body, uk_cert_der(cert));
	http_answer_bytes(rq, 200, "application/pkix-cert", &body);
	uk_buf_fini(&body);
	return UK_OK;
}

/* [C14] */
enum uk_rc
ca_issuer(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;

	(void)err;
	return answer_certificate(rq, a->issuer);
}

enum uk_rc
ca_root(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;

	(void)err;
	return answer_certificate(rq, a->root);
}

static enum uk_rc
read_crl(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct uk_buf *out = ctx;
	struct store_rows *rows = store_query(tx, SQL_CRL_LAST, STORE_NO_ARGS);

	uk_buf_reset(out);
	if (store_next(rows))
		uk_buf_put(out, store_blob(rows, 3));
	return store_end(rows, err);
}

enum uk_rc
ca_crl(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct uk_buf body;
	enum uk_rc rc;

	uk_buf_init(&body, CRL_MAX);
	rc = store_read(a->store, read_crl, &body, err);
	if (rc == UK_OK && body.n == 0)
		rc = uk_fail(err, UK_E_NOT_FOUND, NULL, "crl", 0);
	if (rc == UK_OK)
		http_answer_bytes(rq, 200, "application/pkix-crl", &body);
	uk_buf_fini(&body);
	return rc;
}

/* The address that is in the certificates; what it says is a page of the portal's. */
enum uk_rc
ca_cps(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)app;
	(void)err;
	http_answer_redirect(rq, "/forms/cps.html");
	return UK_OK;
}
