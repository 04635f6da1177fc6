#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/challenge.h"
#include "api/handlers.h"
#include "api/session.h"
#include "ca/login.h"
#include "workflow/certificate.h"

#define AUDIENCE "ukey-staff"
#define PAGE     50

/* [A1] */
enum uk_rc
staff_challenge(void *app, struct http_request *rq, struct uk_err *err)
{
	return challenge_answer(app, rq, AUDIENCE, "staff", err);
}

struct entry {
	const struct api *a;
	const char *fingerprint;
	struct user user;
	char token[SESSION_TOKEN_LEN];
};

static enum uk_rc
not_revoked(const struct entry *e, struct store_tx *tx, struct uk_err *err)
{
	struct certificate cert;
	const enum uk_rc rc = certificate_by_fingerprint(tx, e->fingerprint, &cert, err);

	if (rc == UK_E_NOT_FOUND ||
	    (rc == UK_OK && certificate_status(&cert, api_now(e->a)) != CERTIFICATE_VALID))
		return uk_fail(err, UK_E_DENIED, "certificate-revoked", "staff-login", 0);
	return rc;
}

static enum uk_rc
enter(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct entry *e = ctx;
	struct store_rows *rows =
	    store_query(tx, SQL_STAFF_BY_FINGERPRINT, STORE_ARGS(DB_T(e->fingerprint)));
	bool there = false;
	enum uk_rc rc;

	e->user = (struct user){ 0 };
	if (store_next(rows) && store_int(rows, 4) == 0) {
		(void)snprintf(e->user.staff, sizeof(e->user.staff), "%s", store_text(rows, 0));
		(void)snprintf(e->user.name, sizeof(e->user.name), "%s", store_text(rows, 1));
		(void)snprintf(e->user.roles, sizeof(e->user.roles), "%s", store_text(rows, 2));
		there = true;
	}
	if ((rc = store_end(rows, err)) != UK_OK)
		return rc;
	if (!there)
		return uk_fail(err, UK_E_DENIED, "not-staff", "staff-login", 0);
	if ((rc = not_revoked(e, tx, err)) != UK_OK)
		return rc;
	return session_new(e->a, tx, SESSION_STAFF, e->user.staff, e->token, err);
}

static enum uk_rc
log_in(const struct api *a, const struct login_body *body, struct entry *e, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	int64_t expires = 0;
	enum uk_rc rc;

	if ((rc = challenge_spend(a, "staff", body->nonce, &expires, err)) != UK_OK ||
	    (rc = uk_cert_parse(uk_buf_span(&body->certificate), &cert, err)) != UK_OK)
		return rc;
	rc = login_check(cert, a->issuer,
	    &(struct uk_login){ .origin = a->origin,
		.audience = AUDIENCE,
		.nonce = body->nonce,
		.expires = expires },
	    uk_buf_span(&body->signature), api_now(a), err);
	if (rc == UK_OK) {
		e->fingerprint = uk_cert_fingerprint(cert);
		rc = store_write_wait(a->store, enter, e, err);
		e->fingerprint = NULL;
	}
	uk_cert_free(&cert);
	return rc;
}

static json_t *
user_json(const struct user *u)
{
	json_t *roles = json_array();

	for (const char *s = u->roles; *s != '\0';) {
		const size_t n = strcspn(s, ",");

		(void)json_array_append_new(roles, json_stringn(s, n));
		s += n + (s[n] == ',' ? 1 : 0);
	}
	return json_pack("{s:s, s:o}", "name", u->name, "roles", roles);
}

static void
answer_user(struct http_request *rq, const struct user *u)
{
	json_t *answer = user_json(u);

	http_answer_json(rq, 200, answer);
	json_decref(answer);
}

/* What is wrong is for the log; outside it is one answer. */
enum uk_rc
staff_login(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct login_body *body = http_fields(rq);
	struct entry e = { .a = a };
	struct uk_err why = { 0 };
	enum uk_rc rc;

	rc = log_in(a, body, &e, &why);
	if (rc == UK_E_INTERNAL || rc == UK_E_UNAVAILABLE) {
		*err = why;
		return rc;
	}
	if (rc != UK_OK) {
		uk_log(a->log, UK_LOG_WARN, "staff.login-refused", UK_LS("request", http_id(rq)),
		    UK_LS("address", http_remote(rq)), UK_LS("reason", uk_err_reason(&why)));
		return uk_fail(err, UK_E_UNAUTHORIZED, "login-refused", "staff-login", 0);
	}
	uk_log(a->log, UK_LOG_INFO, "staff.login", UK_LS("staff", e.user.staff),
	    UK_LS("address", http_remote(rq)));
	session_answer(a, rq, SESSION_STAFF, e.token);
	answer_user(rq, &e.user);
	return UK_OK;
}

enum uk_rc
staff_me(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)app;
	(void)err;
	answer_user(rq, api_user(rq));
	return UK_OK;
}

enum uk_rc
staff_logout(void *app, struct http_request *rq, struct uk_err *err)
{
	return session_end(app, rq, SESSION_STAFF, err);
}

/* What each desk has before it. */
static const struct {
	const char *name;
	const char *states[4];
} queues[] = {
	{ "review", { "review", "", "", "" } },
	{ "production", { "production", "producing", "issuing", "proving" } },
	{ "shipping", { "shipping", "", "", "" } },
	{ "all", { NULL } },
};

struct page {
	const struct api *a;
	size_t queue;
	int64_t after; /* due date, or when it was made */
	char after_id[ORDER_ID_LEN];
	struct order orders[PAGE];
	size_t n;
	bool more;
	json_t *list;
};

static struct store_rows *
query_page(struct store_tx *tx, const struct page *p)
{
	const char *const *s = queues[p->queue].states;

	if (s[0] == NULL)
		return store_query(tx, SQL_ORDERS_ALL,
		    STORE_ARGS(DB_I(p->after), DB_T(p->after_id), DB_I(PAGE + 1)));
	return store_query(tx, SQL_ORDERS_BY_STATE,
	    STORE_ARGS(DB_T(s[0]), DB_T(s[1]), DB_T(s[2]), DB_T(s[3]), DB_I(p->after),
		DB_T(p->after_id), DB_I(PAGE + 1)));
}

static enum uk_rc
read_page(struct store_tx *tx, struct page *p, struct uk_err *err)
{
	struct store_rows *rows = query_page(tx, p);
	enum uk_rc rc = UK_OK, ended;

	p->n = 0;
	p->more = false;
	while (rc == UK_OK && store_next(rows)) {
		if (p->n == PAGE) {
			p->more = true;
			break;
		}
		rc = order_read(rows, &p->orders[p->n++], err);
	}
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

static enum uk_rc
add_item(struct store_tx *tx, const struct page *p, const struct order *o, struct uk_err *err)
{
	const bool overdue =
	    o->state == ST_REVIEW && o->review_due != 0 && o->review_due < api_now(p->a);
	json_t *form = NULL;
	const char *holder;
	json_t *item;
	enum uk_rc rc;

	if ((rc = order_form_load(tx, p->a->crypt, o->id, &form, err)) != UK_OK)
		return rc;
	holder = json_string_value(json_object_get(form, order_kind_get(o->kind)->holder));
	item = json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "id", o->id, "kind",
	    order_kind_name(o->kind), "state", order_state_name(o->state), "holder",
	    holder != NULL ? holder : "", "createdAt", (json_int_t)o->created_at, "overdue",
	    overdue ? 1 : 0);
	if (o->review_due != 0)
		(void)json_object_set_new(item, "dueAt", json_integer(o->review_due));
	(void)json_array_append_new(p->list, item);
	json_decref(form);
	return UK_OK;
}

static enum uk_rc
list_page(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct page *p = ctx;
	enum uk_rc rc;

	json_array_clear(p->list);
	if ((rc = read_page(tx, p, err)) != UK_OK)
		return rc;
	for (size_t i = 0; i < p->n; i++)
		if ((rc = add_item(tx, p, &p->orders[i], err)) != UK_OK)
			return rc;
	return UK_OK;
}

/* "TIME.ID", as `next` gave it. */
static bool
read_cursor(const char *s, struct page *p)
{
	char *end;

	p->after = strtoll(s, &end, 10);
	if (end == s || *end != '.' || strlen(end + 1) != ORDER_ID_LEN - 1)
		return false;
	memcpy(p->after_id, end + 1, ORDER_ID_LEN);
	return true;
}

static bool
read_queue(const struct http_request *rq, struct page *p)
{
	const char *queue = http_query(rq, "queue");
	const char *after = http_query(rq, "after");

	for (p->queue = 0; p->queue < sizeof(queues) / sizeof(queues[0]); p->queue++)
		if (queue != NULL && strcmp(queues[p->queue].name, queue) == 0)
			break;
	if (p->queue == sizeof(queues) / sizeof(queues[0]))
		return false;
	p->after = queues[p->queue].states[0] == NULL ? INT64_MAX : -1;
	return after == NULL || read_cursor(after, p);
}

static json_t *
page_json(const struct page *p)
{
	json_t *answer = json_pack("{s:O}", "orders", p->list);

	if (p->more) {
		const struct order *last = &p->orders[p->n - 1];
		char next[64];

		(void)snprintf(next, sizeof(next), "%" PRId64 ".%s",
		    queues[p->queue].states[0] == NULL ? last->created_at : last->review_due,
		    last->id);
		(void)json_object_set_new(answer, "next", json_string(next));
	}
	return answer;
}

/* [A2, A3] */
enum uk_rc
staff_orders(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct page *p = uk_xalloc(sizeof(*p));
	json_t *answer;
	enum uk_rc rc;

	p->a = a;
	p->list = json_array();
	if (!read_queue(rq, p))
		rc = uk_fail_field(err, "queue", NULL);
	else
		rc = store_read(a->store, list_page, p, err);
	if (rc == UK_OK) {
		answer = page_json(p);
		http_answer_json(rq, 200, answer);
		json_decref(answer);
	}
	json_decref(p->list);
	free(p);
	return rc;
}

enum uk_rc
staff_order(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_detail(app, rq, http_param(rq, "id"), err);
}
