#include <stdio.h>
#include <string.h>

#include "workflow/act.h"

#define QUERY_AFTER 60 /* seconds until we ask by ourselves whether it is paid */

enum uk_rc
act_open_payment(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	enum uk_rc rc;

	if (o->payment[0] != '\0')
		return UK_OK;
	o->payments++;
	(void)snprintf(o->payment, sizeof(o->payment), "%sP%u", o->id, (unsigned)o->payments);
	rc = ACT_SEND(a, SQL_PAYMENT_PUT, DB_T(o->payment), DB_T(o->id), DB_I(o->amount_due),
	    DB_I(a->ev->now), DB_I(o->timeout_at - PAYMENT_MARGIN));
	if (rc != UK_OK)
		return rc;
	return act_job_payment(a, "payment-query", o->payment, a->ev->now + QUERY_AFTER, err);
}

/* The row of the payment that the event is about; once. */
static enum uk_rc
book(const struct act *a, struct uk_err *err)
{
	const struct event *ev = a->ev;

	return act_one(a, SQL_PAYMENT_PAID,
	    STORE_ARGS(DB_T(act_text(ev->payment)), DB_T(a->o->id), DB_T(act_text(ev->trade)),
		DB_I(ev->amount), DB_I(ev->at)),
	    err);
}

/* "UK...M1": what finance has found on our account. */
enum uk_rc
act_take_remittance(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	enum uk_rc rc;

	o->payments++;
	(void)snprintf(o->payment, sizeof(o->payment), "%sM%u", o->id, (unsigned)o->payments);
	rc = ACT_SEND(a, SQL_PAYMENT_REMITTED, DB_T(o->payment), DB_T(o->id), DB_I(a->ev->amount),
	    DB_I(a->ev->now), DB_T(act_text(a->ev->trade)),
	    DB_I(a->ev->at != 0 ? a->ev->at : a->ev->now));
	o->amount_paid = a->ev->amount;
	o->paid_at = a->ev->at != 0 ? a->ev->at : a->ev->now;
	if (o->state == ST_PAYMENT)
		act_queue_for_review(a);
	return rc;
}

enum uk_rc
act_close_payment(const struct act *a, struct uk_err *err)
{
	if (a->o->payment[0] == '\0')
		return UK_OK;
	return act_job_payment(a, "payment-close", a->o->payment, a->ev->now, err);
}

enum uk_rc
act_take_payment(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	enum uk_rc rc = book(a, err);

	/* An earlier page was paid while a later one is open. */
	if (rc == UK_OK && strcmp(o->payment, act_text(a->ev->payment)) != 0)
		rc = act_close_payment(a, err);
	ACT_SET(o->payment, a->ev->payment);
	o->amount_paid = a->ev->amount;
	o->paid_at = a->ev->at != 0 ? a->ev->at : a->ev->now;
	act_queue_for_review(a);
	return rc;
}

/* The number of a refund is its payment's and an R: the same refund asked for twice is one. */
static enum uk_rc
refund(const struct act *a, const char *payment, struct uk_err *err)
{
	char no[ACT_KEY_LEN];
	enum uk_rc rc;

	(void)snprintf(no, sizeof(no), "%sR", payment);
	rc = act_one(a, SQL_PAYMENT_REFUND, STORE_ARGS(DB_T(payment), DB_T(no)), err);
	if (rc != UK_OK)
		return rc;
	a->o->refunds_open++;
	return act_job_payment(a, "refund", payment, a->ev->now, err);
}

enum uk_rc
act_return_payment(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	const char *payment = act_text(a->ev->payment);
	enum uk_rc rc = book(a, err);

	if (rc == UK_OK)
		rc = refund(a, payment, err);
	if (rc == UK_OK)
		rc = act_task(
		    a, "payment-returned", payment, "finance", order_state_name(o->state), err);
	if (o->amount_paid == 0) {
		o->paid_at = a->ev->at != 0 ? a->ev->at : a->ev->now;
		if (strcmp(o->payment, payment) == 0)
			o->payment[0] = '\0';
	}
	return rc;
}

enum uk_rc
act_drop_payment(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = ACT_SEND(a, SQL_PAYMENT_CLOSED, DB_T(a->o->payment));

	a->o->payment[0] = '\0';
	return rc;
}

/* Whatever was made for the order is worth nothing from here on. */
enum uk_rc
act_scrap(const struct act *a, struct uk_err *err)
{
	enum uk_rc rc = ACT_SEND(a, SQL_PASSWORD_ERASE, DB_T(a->o->id));

	if (rc == UK_OK && a->o->requests > 0)
		rc = act_job_n(a, "revoke", a->o->requests, err);
	a->o->issued_at = 0;
	return rc;
}

enum uk_rc
act_refund(const struct act *a, struct uk_err *err)
{
	enum uk_rc rc = refund(a, a->o->payment, err);

	if (rc == UK_OK)
		rc = act_scrap(a, err);
	a->o->amount_paid = 0;
	return rc;
}

enum uk_rc
act_count_refund(const struct act *a, struct uk_err *err)
{
	enum uk_rc rc = act_one(a, SQL_PAYMENT_REFUNDED,
	    STORE_ARGS(DB_T(act_text(a->ev->payment)), DB_I(a->ev->now)), err);

	a->o->refunds_open--;
	return rc != UK_OK ? rc : act_tell(a, "refunded", err);
}

enum uk_rc
act_refund_to_finance(const struct act *a, struct uk_err *err)
{
	const char *payment = act_text(a->ev->payment);
	enum uk_rc rc = act_one(a, SQL_PAYMENT_BY_HAND, STORE_ARGS(DB_T(payment)), err);

	a->o->refunds_open--;
	a->o->refunds_by_hand++;
	if (rc != UK_OK)
		return rc;
	return act_task(a, "refund-by-hand", payment, "finance", a->ev->reason, err);
}

enum uk_rc
act_count_by_hand(const struct act *a, struct uk_err *err)
{
	const char *payment = act_text(a->ev->payment);
	char id[ACT_KEY_LEN];
	enum uk_rc rc = act_one(
	    a, SQL_PAYMENT_REFUNDED_BY_HAND, STORE_ARGS(DB_T(payment), DB_I(a->ev->now)), err);

	a->o->refunds_by_hand--;
	if (rc != UK_OK)
		return rc;
	(void)snprintf(id, sizeof(id), "refund-by-hand/%s", payment);
	rc = ACT_SEND(a, SQL_TASK_CLOSE, DB_T(id), DB_I(a->ev->now), DB_T(act_text(a->ev->actor)));
	return rc != UK_OK ? rc : act_tell(a, "refunded", err);
}
