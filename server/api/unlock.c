/*
 * The unlock of a customer's key ([U1] to [U5]) up to its code; the tickets are in unlock_ticket.c.
 * It begins with the certificate, which a locked token gives to anybody: so nothing of the
 * customer's data is shown, and every way on leads through the agent's phone or a proofing.
 */
#include <string.h>

#include "api/about.h"
#include "api/agent.h"
#include "api/answer.h"
#include "api/code.h"
#include "api/handlers.h"
#include "api/numbers.h"
#include "api/rate.h"
#include "api/session.h"
#include "jobs/jobs.h"
#include "uk/hmac.h"
#include "workflow/so_pin.h"

#define PURPOSE            "unlock"
#define HOUR               3600
#define DAY                86400
#define MOST_PER_HOUR      20 /* of one address */
#define MOST_PER_DAY       5  /* of one certificate */
#define AUTHORISATION_LIFE (7 * DAY)

bool
unlock_by_sms(const struct order *o)
{
	return o->state == ST_CODE && o->identity_status != IDENTITY_PASSED;
}

struct starting {
	const struct api *a;
	const char *address;
	const char *fingerprint;
	struct order order;
	char token[SESSION_TOKEN_LEN];
	int64_t retry_after;
};

/* One that another has followed may name the phone of an agent who is gone. */
static enum uk_rc
check_certificate(
    const struct starting *s, struct store_tx *tx, const struct about *ab, struct uk_err *err)
{
	const struct certificate *c = &ab->cert;
	struct so_pins pins = { 0 };
	enum uk_rc rc;

	if (c->revoked_at != 0)
		return uk_fail(err, UK_E_CONFLICT, "certificate-revoked", "unlock", 0);
	if (c->suspended_at != 0)
		return uk_fail(err, UK_E_CONFLICT, "certificate-suspended", "unlock", 0);
	if (ab->facts.renewed)
		return uk_fail(err, UK_E_CONFLICT, "renewed", "unlock", 0);
	rc = so_pins_for(tx, s->a->crypt, c->token, &pins, err);
	so_pins_fini(&pins);
	if (rc == UK_E_NOT_FOUND)
		rc = uk_fail(err, UK_E_CONFLICT, "token-unknown", "unlock", 0);
	return rc;
}

/* [U3] First means: this customer has never unlocked before. */
static enum uk_rc
is_first(struct store_tx *tx, const struct certificate *c, bool *first, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_ORDER_UNLOCKED, STORE_ARGS(DB_T(c->holder)));

	*first = !store_next(rows);
	return store_end(rows, err);
}

static enum uk_rc
create(struct starting *s, struct store_tx *tx, const struct about *ab, struct uk_err *err)
{
	const struct api *a = s->a;
	char digest[CRYPT_INDEX_LEN];
	struct workflow_new what = { .kind = order_kind_of(FLOW_UNLOCK, about_unit(ab)),
		.identity_digest = digest,
		.about = ab->cert.serial };
	bool first;
	enum uk_rc rc;

	order_identity_digest(a->crypt, what.kind, ab->form, digest);
	if ((rc = is_first(tx, &ab->cert, &first, err)) != UK_OK)
		return rc;
	what.needs = first ? NEED_IDENTITY | NEED_FIRST : 0;
	if ((rc = workflow_create(a->workflow, tx, &what, &s->order, err)) != UK_OK ||
	    (rc = order_form_store(tx, a->crypt, &s->order, ab->form, api_now(a), err)) != UK_OK)
		return rc;
	return session_new(a, tx, SESSION_ORDER, s->order.id, s->token, err);
}

static enum uk_rc
start(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct starting *s = ctx;
	const struct api *a = s->a;
	struct certificate c;
	struct about ab;
	enum uk_rc rc;

	if ((rc = rate_hit(a, tx, "unlock-address", s->address, MOST_PER_HOUR, HOUR,
		 "too-many-orders", &s->retry_after, err)) != UK_OK ||
	    (rc = certificate_by_fingerprint(tx, s->fingerprint, &c, err)) != UK_OK ||
	    (rc = about_load(a, tx, c.serial, &ab, err)) != UK_OK)
		return rc;
	if ((rc = check_certificate(s, tx, &ab, err)) == UK_OK &&
	    (rc = rate_hit(a, tx, "unlock-certificate", c.serial, MOST_PER_DAY, DAY,
		 "too-many-orders", &s->retry_after, err)) == UK_OK)
		rc = create(s, tx, &ab, err);
	about_fini(&ab);
	return rc;
}

/* [U1] */
enum uk_rc
unlock_start(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct unlock_body *body = http_fields(rq);
	struct starting s = { .a = a, .address = http_remote(rq) };
	struct uk_cert *cert = NULL;
	enum uk_rc rc;

	if (uk_cert_parse(uk_buf_span(&body->certificate), &cert, NULL) != UK_OK)
		return uk_fail_field(err, "certificate", NULL);
	s.fingerprint = uk_cert_fingerprint(cert);
	rc = store_write_wait(a->store, start, &s, err);
	uk_cert_free(&cert);
	if (rc == UK_E_RATE)
		http_retry_after(rq, (unsigned)s.retry_after);
	if (rc != UK_OK)
		return rc;
	session_answer(a, rq, SESSION_ORDER, s.token);
	return answer_order(a, rq, 201, s.order.id, err);
}

/* [U2] */
enum uk_rc
unlock_code(void *app, struct http_request *rq, struct uk_err *err)
{
	return agent_code_answer(
	    app, rq, &(struct agent_code){ PURPOSE, SMS_UNLOCK, EV_UNLOCK, unlock_by_sms }, err);
}

/* [U3] 其他验证方式 */
enum uk_rc
unlock_other(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_event(app, rq, &(struct event){ .on = EV_OTHER }, err);
}

struct entering {
	const struct api *a;
	struct event ev;
	const char *code;
	enum code_verdict verdict;
	int64_t left;
};

/* The authorisation code went the way of a password, and is kept as one. */
static enum uk_rc
try_authorisation(
    struct entering *e, struct store_tx *tx, const struct order *o, struct uk_err *err)
{
	struct uk_secret *right = NULL;
	enum uk_rc rc;

	e->verdict = CODE_EXPIRED;
	if (o->password_sent_at == 0 || o->password_sent_at + AUTHORISATION_LIFE <= api_now(e->a))
		return UK_OK;
	rc = jobs_password_load(tx, e->a->crypt, o, &right, NULL);
	if (rc == UK_OK)
		e->verdict = uk_const_eq(uk_secret_lend(right), uk_span_str(e->code)) ? CODE_RIGHT
										      : CODE_WRONG;
	uk_secret_free(&right);
	return rc == UK_E_NOT_FOUND ? UK_OK
	       : rc == UK_OK        ? rc
				    : uk_fail(err, rc, NULL, "unlock", 0);
}

/* [U5] A wrong one is counted, and the last of them stops the order: no failure of the
 * transaction. */
static enum uk_rc
count(struct entering *e, struct store_tx *tx, struct uk_err *err)
{
	const struct event wrong = {
		.on = EV_CODE_WRONG, .order = e->ev.order, .by = BY_SYSTEM, .actor = ""
	};
	struct workflow_result result;
	const enum uk_rc rc = workflow_apply(e->a->workflow, tx, &wrong, &result, err);

	if (rc != UK_OK)
		return rc;
	e->left = ORDER_CODE_TRIES - result.order.code_tries;
	if (e->left > 0)
		return UK_OK;
	e->verdict = CODE_EXHAUSTED;
	return code_drop(tx, PURPOSE, e->ev.order, err);
}

static enum uk_rc
enter(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct entering *e = ctx;
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, e->ev.order, &o, err)) != UK_OK)
		return rc;
	if (o.state != ST_CODE)
		return uk_fail(err, UK_E_CONFLICT, NULL, "unlock", 0);
	if (unlock_by_sms(&o))
		rc = code_try(e->a, tx, PURPOSE, o.id, e->code, &e->verdict, &e->left, err);
	else
		rc = try_authorisation(e, tx, &o, err);
	if (rc != UK_OK || e->verdict == CODE_EXPIRED)
		return rc;
	if (e->verdict != CODE_RIGHT)
		return count(e, tx, err);
	return workflow_apply(e->a->workflow, tx, &e->ev, &(struct workflow_result){ 0 }, err);
}

enum uk_rc
unlock_enter(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct code_body *body = http_fields(rq);
	struct entering e = { .a = a, .ev = { .on = EV_UNLOCK }, .code = body->code };
	enum uk_rc rc;

	if (!code_plausible(body->code))
		return uk_fail_field(err, "code", NULL);
	event_from(rq, &e.ev);
	if ((rc = store_write_wait(a->store, enter, &e, err)) != UK_OK)
		return rc;
	if ((rc = code_verdict_answer(rq, e.verdict, e.left, err)) != UK_OK)
		return rc;
	return answer_order(a, rq, 200, e.ev.order, err);
}

/* Has a code that is good now been sent to the agent's phone? */
static enum uk_rc
code_sent(
    const struct api *a, struct store_tx *tx, const struct order *o, bool *sent, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_CODE_GET, STORE_ARGS(DB_T(PURPOSE), DB_T(o->id)));

	*sent = store_next(rows) && store_int(rows, 3) > api_now(a);
	return store_end(rows, err);
}

enum uk_rc
unlock_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	const bool sms = (o->needs & NEED_IDENTITY) == 0;
	char phone[AGENT_PHONE_LEN] = "";
	char masked[NUMBER_MASK_LEN];
	json_t *form = NULL;
	bool sent = o->password_sent_at != 0;
	enum uk_rc rc;

	if (order_kind_get(o->kind)->flow != FLOW_UNLOCK)
		return UK_OK;
	if ((rc = order_form_load(tx, a->crypt, o->id, &form, err)) != UK_OK ||
	    (rc = agent_phone(o, form, phone, err)) != UK_OK ||
	    (sms && (rc = code_sent(a, tx, o, &sent, err)) != UK_OK))
		goto out;
	number_phone_mask(phone, masked);
	*out = json_pack("{s:s, s:b, s:s, s:b, s:i}", "phone", masked, "first",
	    (o->needs & NEED_FIRST) != 0 ? 1 : 0, "way", sms ? "sms" : "identity", "codeSent",
	    sent ? 1 : 0, "triesLeft", (int)(ORDER_CODE_TRIES - o->code_tries));
out:
	json_decref(form);
	return rc;
}
