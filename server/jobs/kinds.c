#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jobs/kinds.h"

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define OUTSIDE JOB_LEASE_MAX
#define INSIDE  30

static void
run_timeout(struct jobs *j, const struct job *job, struct job_report *r)
{
	(void)j;
	(void)job;
	job_event(r, EV_TIMEOUT, "%s", "");
}

static void
give_up_refund(const struct job *job, struct job_report *r)
{
	job_event(r, EV_REFUND_FAILED, "refund-failed/%s", job->payment);
	(void)snprintf(r->payment, sizeof(r->payment), "%s", job->payment);
}

static void
give_up_delivery(const struct job *job, struct job_report *r)
{
	job_event(r, EV_PASSWORD_FAILED, "password-failed/%lld", (long long)job->n);
	r->n = job->n;
}

static void
give_up_issue(const struct job *job, struct job_report *r)
{
	job_event(r, EV_ISSUE_FAILED, "issue-failed/%lld", (long long)job->n);
	r->n = job->n;
}

static const struct job_kind kinds[] = {
	/* clang-format off */
	/* name             run                 lease  tries delay    at most given up */
	{ "identity-check",  run_identity_check, OUTSIDE,  3,    2,        10, give_up_identity_check },
	{ "sms-send",        run_sms_send,       OUTSIDE, 10,   10,      HOUR, NULL },
	{ "mail-send",       run_mail_send,      OUTSIDE, 10,   30,  6 * HOUR, NULL },
	{ "payment-query",   run_payment_query,  OUTSIDE,  0,   30, 30 * MINUTE, NULL },
	{ "payment-close",   run_payment_close,  OUTSIDE,  0,   30, 30 * MINUTE, NULL },
	{ "refund",          run_refund,         OUTSIDE, 40,   30,  6 * HOUR, give_up_refund },
	{ "pin-deliver",     run_pin_deliver,    OUTSIDE, 12,   15,      HOUR, give_up_delivery },
	{ "issue",           run_issue,          INSIDE,  12,    5, 10 * MINUTE, give_up_issue },
	{ "revoke",          run_revoke,         OUTSIDE,  0,    5, 10 * MINUTE, NULL },
	{ "revoke-old",      run_revoke_old,     OUTSIDE,  0,    5, 10 * MINUTE, NULL },
	{ "crl",             run_crl,            OUTSIDE,  0,    5, 10 * MINUTE, NULL },
	{ "reminders",       run_reminders,      OUTSIDE,  0,   60, 10 * MINUTE, NULL },
	{ "timeout",         run_timeout,        OUTSIDE,  0,    5, 10 * MINUTE, NULL },
	/* clang-format on */
};

const struct job_kind *
job_kind_get(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

int64_t
job_delay(const struct job_kind *k, int64_t n)
{
	int64_t delay = k->delay;

	for (int64_t i = 1; i < n && delay < k->delay_max; i++)
		delay *= 2;
	return delay < k->delay_max ? delay : k->delay_max;
}

void
job_event(struct job_report *r, enum order_event on, const char *id_format, ...)
{
	va_list ap;

	r->has_event = true;
	r->on = on;
	va_start(ap, id_format);
	(void)vsnprintf(r->event_id, sizeof(r->event_id), id_format, ap);
	va_end(ap);
}

static void
end(struct job_report *r, enum job_end how, const char *reason, const struct uk_err *err)
{
	r->end = how;
	(void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
	if (err != NULL)
		r->err = *err;
}

void
job_retry(struct job_report *r, const char *reason, const struct uk_err *err)
{
	end(r, JOB_RETRY, reason, err);
}

void
job_refuse(struct job_report *r, const char *reason, const struct uk_err *err)
{
	end(r, JOB_REFUSED, reason, err);
}

void
job_later(struct job_report *r, const char *reason, int64_t after)
{
	end(r, JOB_LATER, reason, NULL);
	r->after = after;
}

void
job_failed(struct job_report *r, enum uk_rc rc, const struct uk_err *err)
{
	const char *reason = err->rc == rc ? uk_err_reason(err) : uk_rc_name(rc);

	if (rc == UK_E_INPUT || rc == UK_E_LIMIT || rc == UK_E_UNSUPPORTED)
		job_refuse(r, reason, err);
	else
		job_retry(r, reason, err);
}

struct load {
	const char *id;
	struct order *out;
};

static enum uk_rc
load(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct load *l = ctx;

	return order_load(tx, l->id, l->out, err);
}

bool
job_order(struct jobs *j, const struct job *job, struct order *out, struct job_report *r)
{
	struct load l = { .id = job->order, .out = out };
	struct uk_err err = { 0 };
	const enum uk_rc rc = store_read(j->s.store, load, &l, &err);

	if (rc != UK_OK)
		job_failed(r, rc, &err);
	return rc == UK_OK;
}
