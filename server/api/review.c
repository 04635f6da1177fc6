#include <string.h>

#include "api/answer.h"
#include "api/handlers.h"
#include "workflow/certificate.h"

struct approving {
	const struct api *a;
	const char *order;
};

/* [L10] The new certificate would end with the old one: nothing is left to replace then. */
static enum uk_rc
check_end(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct approving *p = ctx;
	struct certificate old;
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, p->order, &o, err)) != UK_OK ||
	    order_kind_get(o.kind)->flow != FLOW_REPLACEMENT ||
	    (rc = certificate_get(tx, o.about, &old, err)) != UK_OK)
		return rc;
	if (old.not_after <= api_now(p->a))
		return uk_fail(err, UK_E_CONFLICT, "certificate-expired", "review", 0);
	return UK_OK;
}

/* [A2] */
enum uk_rc
review_approve(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct review_body *body = http_fields(rq);
	struct approving p = { .a = a, .order = http_param(rq, "id") };
	enum uk_rc rc;

	if ((rc = remittance_apart(a, rq, err)) != UK_OK ||
	    (rc = store_read(a->store, check_end, &p, err)) != UK_OK)
		return rc;
	return answer_event(app, rq,
	    &(struct event){ .on = EV_APPROVE, .version = body->version, .note = body->note }, err);
}

static bool
reason_known(const char *s)
{
	static const char *const reasons[] = { "document-unclear", "document-mismatch",
		"data-mismatch", "other" };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i], s) == 0)
			return true;
	return false;
}

enum uk_rc
review_reject(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct review_body *body = http_fields(rq);
	enum uk_rc rc;

	if (!reason_known(body->reason))
		return uk_fail_field(err, "reason", NULL);
	if ((rc = remittance_apart(app, rq, err)) != UK_OK)
		return rc;
	return answer_event(app, rq,
	    &(struct event){ .on = EV_REJECT,
		.version = body->version,
		.reason = body->reason,
		.note = body->note },
	    err);
}

/* [C3] A password that could not be delivered: a new one, by the same channel. */
enum uk_rc
review_redeliver(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_plain(app, rq, EV_REDELIVER, err);
}

/* [A4] Staff give the money back: an order that can't be brought to its end. */
enum uk_rc
finance_refund(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_plain(app, rq, EV_REFUND, err);
}

/* [A4] What Alipay would not refund was sent back by hand. */
enum uk_rc
finance_refunded(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct refunded_body *body = http_fields(rq);

	return answer_event(app, rq,
	    &(struct event){ .on = EV_REFUNDED_BY_HAND,
		.version = body->version,
		.payment = body->payment,
		.note = body->note },
	    err);
}
