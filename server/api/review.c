#include <string.h>

#include "api/answer.h"
#include "api/handlers.h"

/* [A2] */
enum uk_rc
review_approve(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct review_body *body = http_fields(rq);

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

	if (!reason_known(body->reason))
		return uk_fail_field(err, "reason", NULL);
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
