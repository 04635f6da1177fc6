/*
 * Renewal and change on the customer's own key ([R5], [R9], [V3]).  Each step is found again after
 * a pulled key, a closed browser or a crash: the same request gives the same certificate, and the
 * order is done when the new one has signed.
 */
#include <stdio.h>
#include <string.h>

#include "api/about.h"
#include "api/answer.h"
#include "api/encryption.h"
#include "api/handlers.h"
#include "api/key.h"
#include "api/proof.h"
#include "ca/request.h"
#include "uk/b64.h"

struct requesting {
	const struct api *a;
	struct event ev;
	const char *key; /* of the key session */
	const char *token;
	struct uk_span der;
	bool again; /* it has been here before */
};

/* Lost meanwhile, perhaps: then nothing follows it. */
static enum uk_rc
check_status(const struct certificate *old, struct uk_err *err)
{
	if (old->revoked_at != 0)
		return uk_fail(err, UK_E_CONFLICT, "certificate-revoked", "download", 0);
	if (old->suspended_at != 0)
		return uk_fail(err, UK_E_CONFLICT, "certificate-suspended", "download", 0);
	return UK_OK;
}

/* The key that the new certificate will be on is the one that the old one is on. */
static enum uk_rc
check_key(
    const struct requesting *r, struct store_tx *tx, const struct order *o, struct uk_err *err)
{
	struct certificate old;
	enum uk_rc rc;

	if (strcmp(r->key, o->about) != 0)
		return uk_fail(err, UK_E_DENIED, "other-key", "download", 0);
	if ((rc = certificate_get(tx, o->about, &old, err)) != UK_OK)
		return rc;
	if (old.token[0] != '\0' && strcmp(old.token, r->token) != 0)
		return uk_fail(err, UK_E_DENIED, "other-key", "download", 0);
	if ((rc = check_status(&old, err)) != UK_OK)
		return rc;
	if (order_kind_get(o->kind)->flow == FLOW_CHANGE && old.not_after <= api_now(r->a))
		return uk_fail(err, UK_E_CONFLICT, "certificate-expired", "download", 0);
	return UK_OK;
}

/* The order's last request: is it this one? */
static enum uk_rc
is_same(
    struct store_tx *tx, const struct order *o, struct uk_span der, bool *same, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_REQUEST_GET, STORE_ARGS(DB_T(o->id), DB_I(o->requests)));

	*same = store_next(rows) && uk_span_eq(store_blob(rows, 1), der);
	return store_end(rows, err);
}

static enum uk_rc
repeat(struct requesting *r, struct store_tx *tx, const struct order *o, struct uk_err *err)
{
	enum uk_rc rc = is_same(tx, o, r->der, &r->again, err);

	if (rc == UK_OK && !r->again)
		rc = uk_fail(err, UK_E_CONFLICT, "request-exists", "download", 0);
	return rc;
}

static enum uk_rc
store_request(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct requesting *r = ctx;
	struct workflow_result result;
	struct order o;
	enum uk_rc rc;

	r->again = false;
	if ((rc = order_load(tx, r->ev.order, &o, err)) != UK_OK)
		return rc;
	if (o.about[0] == '\0')
		return uk_fail(err, UK_E_CONFLICT, NULL, "download", 0);
	if ((rc = check_key(r, tx, &o, err)) != UK_OK)
		return rc;
	if (o.state == ST_ISSUING || o.state == ST_INSTALLING)
		return repeat(r, tx, &o, err);
	if ((rc = workflow_apply(r->a->workflow, tx, &r->ev, &result, err)) != UK_OK)
		return rc;
	return store_run(tx, SQL_REQUEST_PUT,
	    STORE_ARGS(DB_T(r->ev.order), DB_I(result.order.requests), DB_T(r->token), DB_B(r->der),
		DB_I(api_now(r->a))),
	    NULL, err);
}

/* [R5] From here on there is one certificate for one key, however often it is asked for. */
enum uk_rc
download_request(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct request_body *body = http_fields(rq);
	char key[SERIAL_LEN];
	struct requesting r = { .a = a,
		.ev = { .on = EV_REQUEST },
		.key = key,
		.token = body->token,
		.der = uk_buf_span(&body->request) };
	struct uk_buf spki;
	enum uk_rc rc = key_session(a, rq, key, err);

	if (rc == UK_E_UNAUTHORIZED)
		return uk_fail(err, UK_E_DENIED, "other-key", "download", 0);
	if (rc != UK_OK)
		return rc;
	uk_buf_init(&spki, SPKI_MAX);
	event_from(rq, &r.ev);
	if ((rc = request_read(r.der, &spki, err)) == UK_OK)
		rc = store_write_wait(a->store, store_request, &r, err);
	uk_buf_fini(&spki);
	return rc == UK_OK ? answer_order(a, rq, 200, r.ev.order, err) : rc;
}

struct proving {
	const struct api *a;
	const char *id;
	struct order order;
	struct certificate old;
	struct certificate row; /* the order's certificate, if there is one */
	struct uk_buf der;
};

static enum uk_rc
read_certificate(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct proving *p = ctx;
	struct certificate_list l = { 0 };
	const struct certificate *c;
	enum uk_rc rc;

	uk_buf_reset(&p->der);
	if ((rc = order_load(tx, p->id, &p->order, err)) != UK_OK)
		return rc;
	if (p->order.about[0] == '\0')
		return uk_fail(err, UK_E_CONFLICT, NULL, "proof", 0);
	if ((rc = certificate_get(tx, p->order.about, &p->old, err)) != UK_OK ||
	    (rc = certificates_of_order(tx, p->id, &l, err)) != UK_OK)
		return rc;
	if ((c = certificate_current(&l)) != NULL) {
		p->row = *c;
		rc = certificate_der(tx, p->a->crypt, c->serial, &p->der, err);
	}
	certificate_list_fini(&l);
	return rc;
}

/* Only the certificate that was issued for this order, and only the key that is in it.  One that
 * has been proved stays so: asked again, the answer is the same. */
enum uk_rc
download_proof(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct proof_body *body = http_fields(rq);
	struct proving p = { .a = a, .id = http_param(rq, "id") };
	enum uk_rc rc;

	uk_buf_init(&p.der, UK_CERT_MAX);
	if ((rc = store_read(a->store, read_certificate, &p, err)) != UK_OK)
		goto out;
	if (p.order.state != ST_INSTALLING && (p.order.state != ST_DONE || p.der.n == 0)) {
		rc = uk_fail(err, UK_E_CONFLICT, NULL, "proof", 0);
		goto out;
	}
	if (p.order.state == ST_INSTALLING && (rc = check_status(&p.old, err)) != UK_OK)
		goto out;
	if ((rc = proof_verify(a, &p.order, uk_buf_span(&p.der), uk_buf_span(&body->certificate),
		 uk_buf_span(&body->signature), err)) != UK_OK)
		goto out;
	if (p.order.state == ST_DONE)
		rc = answer_order(a, rq, 200, p.id, err);
	else
		rc = answer_event(
		    a, rq, &(struct event){ .on = EV_PROOF, .version = p.order.version }, err);
out:
	uk_buf_fini(&p.der);
	return rc;
}

static void
set_b64(json_t *o, const char *key, struct uk_span bytes)
{
	char *text = uk_b64_dup(bytes);

	(void)json_object_set_new(o, key, json_string(text));
	free(text);
}

/* By what the page finds the key pair on the token again. */
static enum uk_rc
add_request(struct store_tx *tx, const struct order *o, json_t *v, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_REQUEST_GET, STORE_ARGS(DB_T(o->id), DB_I(o->requests)));
	struct uk_buf spki;
	enum uk_rc rc = UK_OK, ended;

	uk_buf_init(&spki, SPKI_MAX);
	if (store_next(rows)) {
		(void)json_object_set_new(v, "token", json_string(store_text(rows, 0)));
		rc = request_read(store_blob(rows, 1), &spki, err);
		if (rc == UK_OK)
			set_b64(v, "publicKey", uk_buf_span(&spki));
	}
	uk_buf_fini(&spki);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

static void
add_challenge(const struct api *a, const struct order *o, json_t *v)
{
	struct proof_challenge c;

	proof_challenge(a, o, 0, &c);
	(void)json_object_set_new(v, "challenge",
	    json_pack("{s:s, s:s, s:I}", "nonce", c.nonce, "audience", PROOF_AUDIENCE, "expires",
		(json_int_t)c.expires));
}

static enum uk_rc
add_certificate(
    const struct api *a, struct store_tx *tx, const struct order *o, json_t *v, struct uk_err *err)
{
	struct proving p = { .a = a, .id = o->id };
	json_t *chain = json_array();
	json_t *encryption = NULL;
	char *issuer = uk_b64_dup(uk_cert_der(a->issuer));
	enum uk_rc rc;

	uk_buf_init(&p.der, UK_CERT_MAX);
	if ((rc = read_certificate(tx, &p, err)) == UK_OK &&
	    (rc = encryption_json(a, tx, &p.row, "gbt35276", &encryption, err)) == UK_OK) {
		if (encryption != NULL)
			(void)json_object_set_new(v, "encryption", encryption);
		set_b64(v, "certificate", uk_buf_span(&p.der));
		(void)json_object_set_new(v, "replaces", json_string(p.old.fingerprint));
		(void)json_array_append_new(chain, json_string(issuer));
		(void)json_object_set(v, "chain", chain);
		add_challenge(a, o, v);
	}
	free(issuer);
	json_decref(chain);
	uk_buf_fini(&p.der);
	return rc;
}

enum uk_rc
download_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	json_t *v;
	enum uk_rc rc;

	if (o->about[0] == '\0' || order_kind_get(o->kind)->flow == FLOW_REPLACEMENT ||
	    (o->state != ST_ISSUING && o->state != ST_INSTALLING))
		return UK_OK;
	v = json_object();
	rc = add_request(tx, o, v, err);
	if (rc == UK_OK && o->state == ST_INSTALLING)
		rc = add_certificate(a, tx, o, v, err);
	if (rc == UK_OK)
		*out = v;
	else
		json_decref(v);
	return rc;
}
