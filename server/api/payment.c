#include <stdio.h>

#include "api/answer.h"
#include "api/handlers.h"
#include "api/rate.h"
#include "jobs/jobs.h"
#include "pay/pay.h"

#define MINUTE             60
#define MOST_CHECKS_MINUTE 20

struct opening {
	const struct api *a;
	struct event ev;
	char payment[ORDER_REF_LEN];
	int64_t amount;
	int64_t expires;
};

/* The payment that is open, or a new one: the event decides. */
static enum uk_rc
open_payment(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct opening *p = ctx;
	struct workflow_result result;
	struct store_rows *rows;
	bool there;
	enum uk_rc rc;

	if ((rc = workflow_apply(p->a->workflow, tx, &p->ev, &result, err)) != UK_OK)
		return rc;
	(void)snprintf(p->payment, sizeof(p->payment), "%s", result.order.payment);
	rows = store_query(tx, SQL_PAYMENT_GET, STORE_ARGS(DB_T(p->payment)));
	if ((there = store_next(rows))) {
		p->amount = store_int(rows, 1);
		p->expires = store_int(rows, 4);
	}
	rc = store_end(rows, err);
	if (rc == UK_OK && !there)
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "payment", 0);
	return rc;
}

static enum uk_rc
page_url(const struct opening *p, struct uk_buf *url, struct uk_err *err)
{
	struct uk_buf notify, back;
	enum uk_rc rc;

	uk_buf_init(&notify, 1024);
	uk_buf_init(&back, 1024);
	uk_buf_printf(&notify, "%s/notify/alipay", p->a->origin);
	uk_buf_printf(&back, "%s/orders/%s?paid=1", p->a->origin, p->ev.order);
	rc = pay_create(p->a->pay,
	    &(struct pay_order){ .out_trade_no = p->payment,
		.subject = "数字证书办理费",
		.amount = p->amount,
		.expires = p->expires,
		.notify_url = uk_buf_str(&notify),
		.return_url = uk_buf_str(&back) },
	    url, err);
	uk_buf_fini(&notify);
	uk_buf_fini(&back);
	return rc;
}

/* [C8, N7] */
enum uk_rc
payment_start(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct opening p = { .a = a, .ev = { .on = EV_PAY } };
	struct uk_buf url;
	json_t *answer;
	enum uk_rc rc;

	if (a->pay == NULL)
		return uk_fail(err, UK_E_UNAVAILABLE, "payment-unavailable", "payment", 0);
	uk_buf_init(&url, 16 * 1024);
	event_from(rq, &p.ev);
	if ((rc = store_write_wait(a->store, open_payment, &p, err)) == UK_OK &&
	    (rc = page_url(&p, &url, err)) == UK_OK) {
		answer = json_pack("{s:s}", "url", uk_buf_str(&url));
		http_answer_json(rq, 200, answer);
		json_decref(answer);
	}
	uk_buf_fini(&url);
	return rc;
}

struct check {
	const struct api *a;
	const char *order;
	char payment[ORDER_REF_LEN];
	int64_t retry_after;
};

static enum uk_rc
find_payment(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct check *c = ctx;
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, c->order, &o, err)) != UK_OK)
		return rc;
	(void)snprintf(c->payment, sizeof(c->payment), "%s", o.payment);
	return rate_hit(c->a, tx, "payment-check", c->order, MOST_CHECKS_MINUTE, MINUTE, NULL,
	    &c->retry_after, err);
}

enum uk_rc
payment_check(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct check c = { .a = a, .order = http_param(rq, "id") };
	enum uk_rc rc;

	rc = store_write_wait(a->store, find_payment, &c, err);
	if (rc == UK_E_RATE)
		http_retry_after(rq, (unsigned)c.retry_after);
	if (rc == UK_OK && c.payment[0] != '\0')
		rc = jobs_payment_check(a->jobs, c.payment, err);
	return rc == UK_OK ? answer_order(a, rq, 200, c.order, err) : rc;
}
