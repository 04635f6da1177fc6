#include <string.h>

#include "api/answer.h"
#include "api/form.h"
#include "api/handlers.h"
#include "api/rate.h"
#include "api/session.h"

#define HOUR                 3600
#define MOST_ORDERS_PER_HOUR 30

struct creation {
	const struct api *a;
	enum order_kind kind;
	int64_t price;
	const json_t *form;
	const char *address;
	struct order order;
	char token[SESSION_TOKEN_LEN];
	int64_t retry_after;
};

static enum uk_rc
create(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct creation *c = ctx;
	const struct api *a = c->a;
	char digest[CRYPT_INDEX_LEN];
	enum uk_rc rc;

	order_identity_digest(a->crypt, c->kind, c->form, digest);
	if ((rc = rate_hit(a, tx, "orders", c->address, MOST_ORDERS_PER_HOUR, HOUR,
		 "too-many-orders", &c->retry_after, err)) != UK_OK ||
	    (rc = workflow_create(a->workflow, tx, c->kind, c->price, digest, &c->order, err)) !=
		UK_OK ||
	    (rc = order_form_store(tx, a->crypt, &c->order, c->form, api_now(a), err)) != UK_OK)
		return rc;
	return session_new(a, tx, SESSION_ORDER, c->order.id, c->token, err);
}

/* [N1, N2] */
enum uk_rc
order_create(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct create_body *body = http_fields(rq);
	struct creation c = { .a = a, .price = a->price_unit_new, .address = http_remote(rq) };
	json_t *form = form_clean(body->form);
	struct form f;
	enum uk_rc rc;

	if ((rc = form_read(body->kind, form, api_now(a), &f, err)) != UK_OK ||
	    (rc = order_kind_from_name(body->kind, &c.kind)) != UK_OK)
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

static enum uk_rc
edit(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct edit *e = ctx;
	const struct api *a = e->a;
	struct workflow_result result;
	char digest[CRYPT_INDEX_LEN];
	struct order o;
	struct form f;
	enum uk_rc rc;

	if ((rc = order_load(tx, e->ev.order, &o, err)) != UK_OK ||
	    (rc = form_read(order_kind_name(o.kind), e->form, api_now(a), &f, err)) != UK_OK)
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
