#include <stdio.h>
#include <string.h>

#include "jobs/kinds.h"
#include "pay/pay.h"

#define QUERY_FIRST 30
#define QUERY_MAX   (30 * 60)
#define GRACE       60 /* after a trade's end, before its absence means anything */

struct load {
	const char *id;
	struct payment *out;
};

static enum uk_rc
load(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct load *l = ctx;
	struct payment *p = l->out;
	struct store_rows *rows = store_query(tx, SQL_PAYMENT_GET, STORE_ARGS(DB_T(l->id)));
	enum uk_rc rc = UK_OK;
	enum uk_rc end;

	if (store_next(rows)) {
		(void)snprintf(p->id, sizeof(p->id), "%s", l->id);
		(void)snprintf(p->order, sizeof(p->order), "%s", store_text(rows, 0));
		p->amount = store_int(rows, 1);
		(void)snprintf(p->status, sizeof(p->status), "%s", store_text(rows, 2));
		p->expires_at = store_int(rows, 4);
		p->paid_amount = store_int(rows, 6);
		(void)snprintf(p->refund_id, sizeof(p->refund_id), "%s", store_text(rows, 8));
		(void)snprintf(p->method, sizeof(p->method), "%s", store_text(rows, 10));
	} else {
		rc = uk_fail(err, UK_E_NOT_FOUND, "payment-unknown", "payment.load", 0);
	}
	end = store_end(rows, err);
	return end != UK_OK ? end : rc;
}

enum uk_rc
payment_load(struct jobs *j, const char *id, struct payment *out, struct uk_err *err)
{
	struct load l = { .id = id, .out = out };

	return store_read(j->s.store, load, &l, err);
}

static bool
is(const struct payment *p, const char *status)
{
	return strcmp(p->status, status) == 0;
}

static enum uk_rc
query(struct jobs *j, const char *payment, struct pay_trade *out, struct uk_err *err)
{
	if (j->s.pay == NULL)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "payment", 0);
	return pay_query(j->s.pay, payment, out, err);
}

static bool
has_come(const struct pay_trade *t)
{
	return t->status == PAY_PAID || t->status == PAY_FINISHED;
}

static void
report_paid(const char *payment, const struct pay_trade *t, struct job_report *r)
{
	job_event(r, EV_PAID, "paid/%s", payment);
	(void)snprintf(r->payment, sizeof(r->payment), "%s", payment);
	(void)snprintf(r->trade, sizeof(r->trade), "%s", t->trade_no);
	r->amount = t->amount;
	r->at = t->paid_at;
}

static enum uk_rc
mark_closed(struct jobs *j, struct store_tx *tx, const struct job *job, const struct job_report *r,
    struct uk_err *err)
{
	(void)j;
	(void)r;
	return store_run(tx, SQL_PAYMENT_CLOSED, STORE_ARGS(DB_T(job->payment)), NULL, err);
}

static void
report_closed(const struct job *job, struct job_report *r)
{
	job_event(r, EV_PAYMENT_CLOSED, "closed/%s", job->payment);
	(void)snprintf(r->payment, sizeof(r->payment), "%s", job->payment);
	r->also = mark_closed;
}

/* The payment's row, while it still matters to the job; false (and the report filled in) else. */
static bool
still(struct jobs *j, const struct job *job, const char *status, struct payment *p,
    struct job_report *r)
{
	struct uk_err err = { 0 };
	const enum uk_rc rc = payment_load(j, job->payment, p, &err);

	if (rc != UK_OK) {
		job_failed(r, rc, &err);
		return false;
	}
	return is(p, status);
}

static int64_t
query_after(int64_t runs)
{
	int64_t s = QUERY_FIRST;

	while (--runs > 0 && s < QUERY_MAX)
		s *= 2;
	return s < QUERY_MAX ? s : QUERY_MAX;
}

void
run_payment_query(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct pay_trade trade = { 0 };
	struct uk_err err = { 0 };
	struct payment p = { 0 };
	bool over;
	enum uk_rc rc;

	if (!still(j, job, "waiting", &p, r))
		return;
	over = uk_now(j->s.clock) > p.expires_at + GRACE;
	rc = query(j, p.id, &trade, &err);
	if (rc == UK_OK && has_come(&trade))
		report_paid(p.id, &trade, r);
	else if ((rc == UK_OK && trade.status == PAY_CLOSED) || (rc == UK_E_NOT_FOUND && over))
		report_closed(job, r);
	else if (rc == UK_OK || rc == UK_E_NOT_FOUND)
		job_later(r, "waiting", query_after(job->runs));
	else
		job_failed(r, rc, &err);
}

/* A page that nobody has opened can't be closed, only outlived. */
static void
close_open(struct jobs *j, const struct job *job, const struct payment *p, struct job_report *r)
{
	struct uk_err err = { 0 };
	const enum uk_rc rc = pay_close_trade(j->s.pay, p->id, &err);

	if (rc == UK_OK)
		report_closed(job, r);
	else if (rc == UK_E_CONFLICT || rc == UK_E_NOT_FOUND)
		job_later(r, "closing", QUERY_FIRST);
	else
		job_failed(r, rc, &err);
}

void
run_payment_close(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct pay_trade trade = { 0 };
	struct uk_err err = { 0 };
	struct payment p = { 0 };
	enum uk_rc rc;

	if (!still(j, job, "waiting", &p, r))
		return;
	rc = query(j, p.id, &trade, &err);
	if (rc == UK_OK && has_come(&trade))
		report_paid(p.id, &trade, r);
	else if (rc == UK_OK && trade.status == PAY_CLOSED)
		report_closed(job, r);
	else if (rc == UK_OK)
		close_open(j, job, &p, r);
	else if (rc == UK_E_NOT_FOUND && uk_now(j->s.clock) > p.expires_at + GRACE)
		report_closed(job, r);
	else if (rc == UK_E_NOT_FOUND)
		job_later(r, "not-opened", query_after(job->runs));
	else
		job_failed(r, rc, &err);
}

void
run_refund(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct pay_refund_state state = { 0 };
	struct pay_refund refund = { .out_trade_no = job->payment, .reason = "订单退款" };
	struct uk_err err = { 0 };
	struct payment p = { 0 };
	enum uk_rc rc = UK_E_UNAVAILABLE;

	if (!still(j, job, "refunding", &p, r))
		return;
	if (strcmp(p.method, "alipay") != 0) {
		job_refuse(r, "remitted", NULL);
		return;
	}
	refund.refund_no = p.refund_id;
	refund.amount = p.paid_amount;
	if (j->s.pay != NULL)
		rc = pay_refund(j->s.pay, &refund, &state, &err);
	if (rc == UK_OK && !state.done)
		rc = pay_refund_query(j->s.pay, &refund, &state, &err);
	if (rc == UK_OK && state.done) {
		job_event(r, EV_REFUND_DONE, "refunded/%s", p.id);
		(void)snprintf(r->payment, sizeof(r->payment), "%s", p.id);
	} else if (rc == UK_OK) {
		job_retry(r, "not-yet", NULL);
	} else if (rc == UK_E_CONFLICT || rc == UK_E_NOT_FOUND) {
		job_refuse(r, "not-refundable", &err);
	} else {
		job_failed(r, rc, &err);
	}
}

/* Money for a number that is not ours, or no more: what the provider says goes to finance. */
static enum uk_rc
send_paid(struct jobs *j, const char *order, const char *payment, const struct pay_trade *t,
    struct uk_err *err)
{
	char id[JOB_TEXT_LEN];
	const struct event ev = {
		.on = EV_PAID,
		.order = order,
		.by = BY_SYSTEM,
		.id = id,
		.payment = payment,
		.trade = t->trade_no,
		.amount = t->amount,
		.at = t->paid_at,
	};

	(void)snprintf(id, sizeof(id), "paid/%s", payment);
	return workflow_send(j->s.workflow, j->s.store, &ev, NULL, err);
}

enum uk_rc
jobs_payment_check(struct jobs *j, const char *payment, struct uk_err *err)
{
	struct pay_trade trade = { 0 };
	struct payment p = { 0 };
	enum uk_rc rc = payment_load(j, payment, &p, err);

	if (rc != UK_OK && rc != UK_E_NOT_FOUND)
		return rc;
	if (rc == UK_OK && !is(&p, "waiting") && !is(&p, "closed"))
		return UK_OK;
	rc = query(j, payment, &trade, err);
	if (rc == UK_E_NOT_FOUND)
		return UK_OK;
	if (rc != UK_OK || !has_come(&trade))
		return rc;
	return send_paid(j, p.order, payment, &trade, err);
}
