#include <string.h>

#include "api/about.h"
#include "api/answer.h"
#include "api/form.h"
#include "api/handlers.h"
#include "api/key.h"
#include "api/query.h"
#include "api/rate.h"
#include "api/session.h"

#define HOUR                 3600
#define MOST_ORDERS_PER_HOUR 30

struct creation {
	const struct api *a;
	enum order_kind kind;
	const json_t *form;
	const char *about;               /* serial; NULL for a new certificate */
	char key[SERIAL_LEN];            /* of the key session; "": there is none */
	char query[SESSION_SUBJECT_LEN]; /* of the query session; "" */
	const char *address;
	struct order order;
	char token[SESSION_TOKEN_LEN];
	int64_t retry_after;
};

/* Renewal and change are for who has the key in, a replacement for who can read its agent's
 * messages. */
static enum uk_rc
may_ask(const struct creation *c, const struct about *ab, struct uk_err *err)
{
	const enum order_flow flow = order_kind_get(c->kind)->flow;
	bool mine;

	if (flow == FLOW_REPLACEMENT)
		mine = c->query[0] != '\0' && query_owns(c->a, c->query, ab->order.kind, ab->form);
	else
		mine = strcmp(c->key, ab->cert.serial) == 0;
	if (!mine)
		return uk_fail(err, UK_E_DENIED, "other-key", "orders", 0);
	if (about_unit(ab) != order_kind_get(c->kind)->unit)
		return uk_fail_field(err, "kind", "kind-unknown");
	return UK_OK;
}

static enum uk_rc
needs(const struct creation *c, struct store_tx *tx, int64_t *out, struct uk_err *err)
{
	struct about ab;
	enum uk_rc rc;

	*out = 0;
	if (c->about == NULL)
		return UK_OK;
	if ((rc = about_load(c->a, tx, c->about, &ab, err)) != UK_OK)
		return rc;
	if ((rc = may_ask(c, &ab, err)) == UK_OK)
		rc =
		    about_needs(c->a, &ab, order_kind_get(c->kind)->flow, c->form, false, out, err);
	about_fini(&ab);
	return rc;
}

static enum uk_rc
create(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct creation *c = ctx;
	const struct api *a = c->a;
	char digest[CRYPT_INDEX_LEN];
	struct workflow_new what = { .kind = c->kind,
		.amount_due = a->prices[c->kind],
		.identity_digest = digest,
		.about = c->about };
	enum uk_rc rc;

	order_identity_digest(a->crypt, c->kind, c->form, digest);
	if ((rc = rate_hit(a, tx, "orders", c->address, MOST_ORDERS_PER_HOUR, HOUR,
		 "too-many-orders", &c->retry_after, err)) != UK_OK ||
	    (rc = needs(c, tx, &what.needs, err)) != UK_OK ||
	    (rc = workflow_create(a->workflow, tx, &what, &c->order, err)) != UK_OK ||
	    (rc = order_form_store(tx, a->crypt, &c->order, c->form, api_now(a), err)) != UK_OK)
		return rc;
	return session_new(a, tx, SESSION_ORDER, c->order.id, c->token, err);
}

/* An unlock has an entrance of its own. */
static enum uk_rc
read_kind(const struct create_body *body, struct creation *c, struct uk_err *err)
{
	enum order_flow flow;

	if (order_kind_from_name(body->kind, &c->kind) != UK_OK ||
	    (flow = order_kind_get(c->kind)->flow) == FLOW_UNLOCK)
		return uk_fail_field(err, "kind", "kind-unknown");
	if ((flow == FLOW_NEW) != (body->certificate == NULL))
		return uk_fail_field(
		    err, "certificate", flow == FLOW_NEW ? "unknown-member" : "missing");
	c->about = body->certificate;
	return UK_OK;
}

/* Sessions that are not there are left empty. */
static enum uk_rc
read_sessions(struct creation *c, const struct http_request *rq, struct uk_err *err)
{
	enum uk_rc rc = key_session(c->a, rq, c->key, err);

	if (rc == UK_OK || rc == UK_E_UNAUTHORIZED)
		rc = session_find(c->a, SESSION_QUERY,
		    http_cookie(rq, session_cookie(SESSION_QUERY)), c->query, err);
	return rc == UK_E_UNAUTHORIZED ? UK_OK : rc;
}

/* [N1, N2], [R7], [V2], [L5], [M3] */
enum uk_rc
order_create(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct create_body *body = http_fields(rq);
	struct creation c = { .a = a, .address = http_remote(rq) };
	json_t *form = form_clean(body->form);
	enum uk_rc rc;

	if ((rc = read_kind(body, &c, err)) != UK_OK ||
	    (rc = form_read(c.kind, form, api_now(a), err)) != UK_OK ||
	    (c.about != NULL && (rc = read_sessions(&c, rq, err)) != UK_OK))
		goto out;
	c.form = form;
	rc = store_write_wait(a->store, create, &c, err);
	if (rc == UK_E_RATE)
		http_retry_after(rq, (unsigned)c.retry_after);
	if (rc != UK_OK)
		goto out;
	session_answer(a, rq, SESSION_ORDER, c.token);
	rc = answer_order(a, rq, 201, c.order.id, err);
out:
	json_decref(form);
	return rc;
}

enum uk_rc
order_get(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_order(app, rq, 200, http_param(rq, "id"), err);
}

struct edit {
	const struct api *a;
	struct event ev;
	const json_t *form;
};

/* What the changed form wants, by the same rules as at the beginning. */
static enum uk_rc
needs_now(const struct edit *e, struct store_tx *tx, const struct order *o, int64_t *out,
    struct uk_err *err)
{
	struct about ab;
	enum uk_rc rc;

	*out = 0;
	if (o->about[0] == '\0')
		return UK_OK;
	if ((rc = about_load(e->a, tx, o->about, &ab, err)) != UK_OK)
		return rc;
	rc = about_needs(e->a, &ab, order_kind_get(o->kind)->flow, e->form, true, out, err);
	about_fini(&ab);
	return rc;
}

static enum uk_rc
edit(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct edit *e = ctx;
	const struct api *a = e->a;
	struct workflow_result result;
	char digest[CRYPT_INDEX_LEN];
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, e->ev.order, &o, err)) != UK_OK ||
	    (rc = form_read(o.kind, e->form, api_now(a), err)) != UK_OK ||
	    (rc = needs_now(e, tx, &o, &e->ev.needs, err)) != UK_OK)
		return rc;
	order_identity_digest(a->crypt, o.kind, e->form, digest);
	e->ev.identity_digest = digest;
	rc = workflow_apply(a->workflow, tx, &e->ev, &result, err);
	e->ev.identity_digest = NULL;
	if (rc != UK_OK)
		return rc;
	return order_form_store(tx, a->crypt, &result.order, e->form, api_now(a), err);
}

/* [C5, N4] 返回修改, and the correction of a rejected order [C9]. */
enum uk_rc
order_edit(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct edit_body *body = http_fields(rq);
	json_t *form = form_clean(body->form);
	struct edit e = { .a = a, .form = form };
	enum uk_rc rc;

	e.ev = (struct event){ .on = EV_EDIT, .version = body->version };
	event_from(rq, &e.ev);
	rc = store_write_wait(a->store, edit, &e, err);
	json_decref(form);
	return rc == UK_OK ? answer_order(a, rq, 200, e.ev.order, err) : rc;
}

enum uk_rc
order_confirm(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_plain(app, rq, EV_CONFIRM, err);
}

enum uk_rc
order_submit(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_plain(app, rq, EV_SUBMIT, err);
}

enum uk_rc
order_cancel(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_plain(app, rq, EV_CANCEL, err);
}

enum uk_rc
order_refund(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_plain(app, rq, EV_REFUND, err);
}

/* [V4] The proofing has failed: a review of photos instead. */
enum uk_rc
order_manual(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_plain(app, rq, EV_MANUAL, err);
}
