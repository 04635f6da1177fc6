/* What nobody asks for: certificates that end soon, reviews that are due, a calendar that ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/kinds.h"
#include "workflow/job.h"
#include "workflow/workdays.h"

#define DAY       INT64_C(86400)
#define EVERY     (6 * 3600)
#define BATCH     100
#define DUE_BATCH 200

/* The nearest first: who hears of 7 days no longer hears of 30. */
static const int64_t stages[] = { 7, 30, 90 };

struct ending {
	char serial[64];
	char order[ORDER_ID_LEN];
};

struct round {
	int64_t now;
	int64_t days;
	size_t n;
	struct ending found[BATCH];
};

static enum uk_rc
find_ending(struct store_tx *tx, struct round *d, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_CERTIFICATES_ENDING,
	    STORE_ARGS(DB_I(d->now), DB_I(d->now + d->days * DAY), DB_I(d->days), DB_I(BATCH)));

	d->n = 0;
	while (d->n < BATCH && store_next(rows)) {
		struct ending *e = &d->found[d->n++];

		(void)snprintf(e->serial, sizeof(e->serial), "%s", store_text(rows, 0));
		(void)snprintf(e->order, sizeof(e->order), "%s", store_text(rows, 1));
	}
	return store_end(rows, err);
}

static enum uk_rc
ask_for(struct store_tx *tx, const char *kind, const struct ending *e, const struct round *d,
    struct uk_err *err)
{
	char key[JOB_KEY_LEN];
	char args[64];
	const struct job_new job = { .kind = kind, .key = key, .order = e->order, .args = args };

	(void)snprintf(
	    key, sizeof(key), "%s/expiring/%s/%lld", kind, e->serial, (long long)d->days);
	(void)snprintf(
	    args, sizeof(args), "{\"template\":\"expiring\",\"n\":%lld}", (long long)d->days);
	return job_put(tx, &job, d->now, err);
}

/* The reminder and the work it makes are one. */
static enum uk_rc
remind(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct round *d = ctx;
	enum uk_rc rc = find_ending(tx, d, err);

	for (size_t i = 0; rc == UK_OK && i < d->n; i++) {
		const struct ending *e = &d->found[i];

		rc = store_run(tx, SQL_REMINDER_PUT,
		    STORE_ARGS(DB_T(e->serial), DB_I(d->days), DB_I(d->now)), NULL, err);
		if (rc == UK_OK)
			rc = ask_for(tx, "sms-send", e, d, err);
		if (rc == UK_OK)
			rc = ask_for(tx, "mail-send", e, d, err);
	}
	return rc;
}

static enum uk_rc
remind_all(struct jobs *j, int64_t now, struct uk_err *err)
{
	struct round *d = uk_xalloc(sizeof(*d));
	enum uk_rc rc = UK_OK;

	d->now = now;
	for (size_t i = 0; rc == UK_OK && i < sizeof(stages) / sizeof(stages[0]); i++) {
		d->days = stages[i];
		do {
			rc = store_write_wait(j->s.store, remind, d, err);
		} while (rc == UK_OK && d->n == BATCH);
	}
	free(d);
	return rc;
}

struct due {
	char order[ORDER_ID_LEN];
	int64_t at;
};

struct desk {
	int64_t now;
	size_t n;
	struct due found[DUE_BATCH];
};

static enum uk_rc
put_due_task(struct store_tx *tx, const struct due *due, int64_t now, struct uk_err *err)
{
	char id[JOB_KEY_LEN];
	const struct task_new task = { .kind = "review-due",
		.id = id,
		.role = "reviewer",
		.order = due->order,
		.detail = "" };

	(void)snprintf(id, sizeof(id), "review-due/%s/%lld", due->order, (long long)due->at);
	return task_put(tx, &task, now, err);
}

/* [C9] By the end of the next working day. */
static enum uk_rc
tell_desk(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct desk *d = ctx;
	struct store_rows *rows = store_query(tx, SQL_REVIEWS_DUE,
	    STORE_ARGS(DB_I(d->now), DB_I(workflow_working_days(d->now, 1)), DB_I(DUE_BATCH)));
	enum uk_rc rc;

	d->n = 0;
	while (d->n < DUE_BATCH && store_next(rows)) {
		struct due *due = &d->found[d->n++];

		(void)snprintf(due->order, sizeof(due->order), "%s", store_text(rows, 0));
		due->at = store_int(rows, 1);
	}
	rc = store_end(rows, err);
	for (size_t i = 0; rc == UK_OK && i < d->n; i++)
		rc = put_due_task(tx, &d->found[i], d->now, err);
	return rc;
}

static enum uk_rc
put_calendar_task(struct store_tx *tx, int year, int64_t now, struct uk_err *err)
{
	char id[32];
	char detail[8];
	const struct task_new task = {
		.kind = "calendar", .id = id, .role = "administrator", .detail = detail
	};

	if (workdays_known(year))
		return UK_OK;
	(void)snprintf(id, sizeof(id), "calendar/%d", year);
	(void)snprintf(detail, sizeof(detail), "%d", year);
	return task_put(tx, &task, now, err);
}

/* The next year's list of days off is published in November. */
static enum uk_rc
check_calendar(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const int64_t now = *(const int64_t *)ctx;
	const int soon = workdays_year(now + 31 * DAY);
	const enum uk_rc rc = put_calendar_task(tx, workdays_year(now), now, err);

	return rc == UK_OK ? put_calendar_task(tx, soon, now, err) : rc;
}

void
run_reminders(struct jobs *j, const struct job *job, struct job_report *r)
{
	int64_t now = uk_now(j->s.clock);
	struct desk *desk = uk_xalloc(sizeof(*desk));
	struct uk_err err = { 0 };
	enum uk_rc rc;

	(void)job;
	desk->now = now;
	if ((rc = remind_all(j, now, &err)) == UK_OK &&
	    (rc = store_write_wait(j->s.store, tell_desk, desk, &err)) == UK_OK)
		rc = store_write_wait(j->s.store, check_calendar, &now, &err);
	free(desk);
	if (rc == UK_OK)
		job_later(r, "looked", EVERY);
	else
		job_failed(r, rc, &err);
}
