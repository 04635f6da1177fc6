/* From the right code to the open key: the sealed ticket, and the receipt that the key signs. */
#include <stdio.h>
#include <string.h>

#include "api/about.h"
#include "api/answer.h"
#include "api/handlers.h"
#include "uk/receipt.h"
#include "uk/ticket.h"
#include "workflow/so_pin.h"

#define JTI_BYTES   16
#define JTI_LEN     (2 * JTI_BYTES + 1)
#define RECEIPT_MAX 4096u

/* Not stored: whoever has the server's key can make it again. */
static void
make_nonce(const struct api *a, const char *jti, char out[CRYPT_INDEX_LEN])
{
	const struct uk_span parts[] = { uk_span_str("unlock-nonce"), uk_span_str(jti) };

	crypt_index(a->crypt, CRYPT_INDEX_CODE, parts, 2, out);
}

struct sealing {
	const struct api *a;
	struct event ev;
	const struct channel_body *body;
	struct uk_jwk *channel;
	char thumbprint[UK_THUMB_LEN];
	char jti[JTI_LEN];
	char nonce[CRYPT_INDEX_LEN];
	int64_t now;
	struct certificate cert;
	struct so_pins pins;
	bool repeated; /* a ticket with the next SO PIN is out already */
};

static enum uk_rc
read_pins(struct sealing *s, struct store_tx *tx, struct uk_err *err)
{
	struct so_pins before = { 0 };
	enum uk_rc rc = so_pins_for(tx, s->a->crypt, s->cert.token, &before, err);

	s->repeated = rc == UK_OK && before.next != NULL;
	so_pins_fini(&before);
	if (rc != UK_OK)
		return rc;
	so_pins_fini(&s->pins);
	return so_pin_next(tx, s->a->crypt, s->a->random, s->cert.token, s->now, &s->pins, err);
}

static enum uk_rc
make_ticket(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct sealing *s = ctx;
	struct workflow_result result;
	enum uk_rc rc;

	uk_random_hex(s->a->random, s->jti, JTI_BYTES);
	if ((rc = workflow_apply(s->a->workflow, tx, &s->ev, &result, err)) != UK_OK ||
	    (rc = certificate_get(tx, result.order.about, &s->cert, err)) != UK_OK)
		return rc;
	if (s->cert.revoked_at != 0 || s->cert.suspended_at != 0)
		return uk_fail(err, UK_E_CONFLICT,
		    s->cert.revoked_at != 0 ? "certificate-revoked" : "certificate-suspended",
		    "unlock", 0);
	if (strcmp(s->cert.token, s->body->token) != 0)
		return uk_fail(err, UK_E_DENIED, "other-key", "unlock", 0);
	if ((rc = read_pins(s, tx, err)) != UK_OK)
		return rc;
	return store_run(tx, SQL_TICKET_PUT,
	    STORE_ARGS(DB_T(s->jti), DB_T(s->ev.order), DB_T(s->body->token), DB_T(""), DB_T(""),
		DB_T(s->thumbprint), DB_I(s->now)),
	    NULL, err);
}

/*
 * What the token answers to now is tried first: the next SO PIN where a ticket with it may have
 * been used, else the proved one, which then is the only one there can be.
 */
static enum uk_rc
seal(const struct sealing *s, struct uk_buf *jwe, struct uk_err *err)
{
	const bool next_first = s->repeated || s->pins.proved == NULL;

	return uk_ticket_seal(&(struct uk_ticket){ .jti = s->jti,
				  .purpose = "unlock",
				  .order = s->ev.order,
				  .token = s->cert.token,
				  .certificate = s->cert.fingerprint,
				  .origin = s->a->origin,
				  .channel = s->thumbprint,
				  .label = "",
				  .expires = s->now + UK_TICKET_LIFE_MAX,
				  .so_pin = next_first ? s->pins.next : s->pins.proved,
				  .so_pin_old = next_first ? s->pins.proved : NULL,
				  .so_pin_next = s->pins.next,
				  .nonce = s->nonce },
	    s->a->ticket, s->channel, jwe, err);
}

static enum uk_rc
answer_ticket(const struct sealing *s, struct http_request *rq, struct uk_err *err)
{
	struct uk_buf jwe;
	json_t *answer;
	enum uk_rc rc;

	uk_buf_init(&jwe, UK_TICKET_MAX);
	if ((rc = seal(s, &jwe, err)) == UK_OK) {
		answer = json_pack("{s:s}", "ticket", uk_buf_str(&jwe));
		http_answer_json(rq, 200, answer);
		json_decref(answer);
	}
	uk_buf_fini(&jwe);
	return rc;
}

/* [U2, U3] */
enum uk_rc
unlock_ticket(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct sealing s = { .a = a, .ev = { .on = EV_TICKET }, .body = http_fields(rq) };
	enum uk_rc rc;

	event_from(rq, &s.ev);
	s.now = api_now(a);
	if (uk_jwk_from_json(s.body->channel, &s.channel, err) != UK_OK)
		return uk_fail_field(err, "channel", NULL);
	uk_jwk_thumbprint(s.channel, s.thumbprint);
	if ((rc = store_write_wait(a->store, make_ticket, &s, err)) == UK_OK) {
		make_nonce(a, s.jti, s.nonce);
		uk_log(a->log, UK_LOG_INFO, "unlock.ticket", UK_LS("order", s.ev.order),
		    UK_LS("jti", s.jti));
		rc = answer_ticket(&s, rq, err);
	}
	so_pins_fini(&s.pins);
	uk_jwk_free(&s.channel);
	return rc;
}

struct receiving {
	const struct api *a;
	struct event ev;
	struct order order;
	struct certificate cert;
	char jtis[ORDER_TICKETS_MAX][JTI_LEN];
	size_t n;
};

static enum uk_rc
read_tickets(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct receiving *r = ctx;
	struct store_rows *rows;
	enum uk_rc rc;

	r->n = 0;
	if ((rc = order_load(tx, r->ev.order, &r->order, err)) != UK_OK)
		return rc;
	if (order_kind_get(r->order.kind)->flow != FLOW_UNLOCK ||
	    (r->order.state != ST_UNLOCKING && r->order.state != ST_DONE))
		return uk_fail(err, UK_E_CONFLICT, NULL, "receipt", 0);
	if ((rc = certificate_get(tx, r->order.about, &r->cert, err)) != UK_OK)
		return rc;
	rows = store_query(tx, SQL_TICKETS_OF_ORDER, STORE_ARGS(DB_T(r->ev.order)));
	while (r->n < ORDER_TICKETS_MAX && store_next(rows))
		(void)snprintf(r->jtis[r->n++], JTI_LEN, "%s", store_text(rows, 0));
	return store_end(rows, err);
}

static bool
is_receipt(const struct receiving *r, const struct uk_cert *cert, const char *jti,
    struct uk_span signature)
{
	char nonce[CRYPT_INDEX_LEN];
	struct uk_buf data;
	bool ok;

	make_nonce(r->a, jti, nonce);
	uk_buf_init(&data, RECEIPT_MAX);
	uk_receipt_put(
	    &data, &(struct uk_receipt){
		       .origin = r->a->origin, .order = r->ev.order, .jti = jti, .nonce = nonce });
	ok = !uk_buf_failed(&data) &&
	     uk_verify(uk_cert_pubkey(cert), uk_buf_span(&data), signature, NULL) == UK_OK;
	uk_buf_fini(&data);
	return ok;
}

/* Of one of this order's tickets, by the key that was locked. */
static enum uk_rc
check_receipt(const struct receiving *r, const struct proof_body *body, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	bool ok = false;

	if (uk_cert_parse(uk_buf_span(&body->certificate), &cert, NULL) != UK_OK ||
	    strcmp(uk_cert_fingerprint(cert), r->cert.fingerprint) != 0) {
		uk_cert_free(&cert);
		return uk_fail_field(err, "certificate", "receipt-refused");
	}
	for (size_t i = 0; i < r->n && !ok; i++)
		ok = is_receipt(r, cert, r->jtis[i], uk_buf_span(&body->signature));
	uk_cert_free(&cert);
	return ok ? UK_OK : uk_fail_field(err, "signature", "receipt-refused");
}

/* The key has signed after it was opened, so it answers to the next SO PIN. */
static enum uk_rc
store_receipt(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct receiving *r = ctx;
	const enum uk_rc rc =
	    workflow_apply(r->a->workflow, tx, &r->ev, &(struct workflow_result){ 0 }, err);

	return rc == UK_OK ? so_pin_proved(tx, r->cert.token, api_now(r->a), err) : rc;
}

enum uk_rc
unlock_receipt(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct receiving r = { .a = a, .ev = { .on = EV_PROOF } };
	enum uk_rc rc;

	event_from(rq, &r.ev);
	if ((rc = store_read(a->store, read_tickets, &r, err)) != UK_OK ||
	    (rc = check_receipt(&r, http_fields(rq), err)) != UK_OK)
		return rc;
	if (r.order.state == ST_UNLOCKING)
		rc = store_write_wait(a->store, store_receipt, &r, err);
	return rc == UK_OK ? answer_order(a, rq, 200, r.ev.order, err) : rc;
}
