#include <stdio.h>
#include <string.h>

#include "jobs/kinds.h"
#include "workflow/job.h"

/* Failures in a row after which the staff hear of a job that is never given up. */
#define TELL_AFTER 10

struct ending {
	struct jobs *j;
	const struct job *job;
	struct job_report *r;
	struct event ev;
	bool event; /* send it */
	bool stray; /* keep it as a stray instead */
	bool given_up;
	bool tell;
	int64_t now;
};

static enum uk_rc
end_row(struct store_tx *tx, const struct ending *e, struct uk_err *err)
{
	const struct job *job = e->job;
	const struct job_report *r = e->r;

	if (e->given_up || r->end == JOB_DONE)
		return store_run(tx, SQL_JOB_END,
		    STORE_ARGS(DB_T(job->key), DB_T(job->lease),
			DB_T(e->given_up ? "failed" : "done"), DB_T(r->reason), DB_I(e->now)),
		    NULL, err);
	if (r->end == JOB_LATER)
		return store_run(tx, SQL_JOB_LATER,
		    STORE_ARGS(DB_T(job->key), DB_T(job->lease), DB_I(e->now + r->after),
			DB_T(r->reason), DB_I(0)),
		    NULL, err);
	return store_run(tx, SQL_JOB_LATER,
	    STORE_ARGS(DB_T(job->key), DB_T(job->lease),
		DB_I(e->now + job_delay(job->kind, job->tries)), DB_T(r->reason), DB_I(job->tries)),
	    NULL, err);
}

static enum uk_rc
tell_staff(struct store_tx *tx, const struct ending *e, struct uk_err *err)
{
	char id[JOB_KEY_LEN + 16];
	const struct task_new task = {
		.kind = "job-failed",
		.id = id,
		.role = "administrator",
		.order = e->job->order,
		.detail = e->r->reason,
	};

	(void)snprintf(id, sizeof(id), "job-failed/%s", e->job->key);
	return task_put(tx, &task, e->now, err);
}

/* The event, the rows that go with it, and the job's own end are one. */
static enum uk_rc
store_ending(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct ending *e = ctx;
	struct workflow_result result;
	enum uk_rc rc = UK_OK;

	if (e->event)
		rc = workflow_apply(e->j->s.workflow, tx, &e->ev, &result, err);
	if (rc == UK_OK && e->stray)
		rc = workflow_stray(e->j->s.workflow, tx, &e->ev, err);
	if (rc == UK_OK && e->r->also != NULL)
		rc = e->r->also(e->j, tx, e->job, e->r, err);
	if (rc == UK_OK && e->tell)
		rc = tell_staff(tx, e, err);
	return rc == UK_OK ? end_row(tx, e, err) : rc;
}

static void
fill_event(struct ending *e)
{
	const struct job_report *r = e->r;

	e->event = r->has_event;
	e->ev = (struct event){
		.on = r->on,
		.order = e->job->order,
		.by = BY_SYSTEM,
		.id = r->event_id,
		.now = e->now,
		.payment = r->payment,
		.trade = r->trade,
		.amount = r->amount,
		.at = r->at,
		.n = r->n,
		.reason = r->reason,
	};
}

static void
report(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct ending e = { .j = j, .job = job, .r = r, .now = uk_now(j->s.clock) };
	const int tries = job->kind->tries;
	struct uk_err err = { 0 };
	enum uk_rc rc;

	e.given_up =
	    r->end == JOB_REFUSED || (r->end == JOB_RETRY && tries != 0 && job->tries >= tries);
	e.tell = e.given_up || (r->end == JOB_RETRY && tries == 0 && job->tries == TELL_AFTER);
	if (e.given_up && !r->has_event && job->kind->give_up != NULL)
		job->kind->give_up(job, r);
	fill_event(&e);
	rc = store_write_wait(j->s.store, store_ending, &e, &err);
	/* The clock went back after the claim. */
	if (e.event && rc == UK_E_CONFLICT && strcmp(uk_err_reason(&err), "not-due") == 0) {
		job_later(r, "not-due", job->kind->delay);
		e.event = false;
		rc = store_write_wait(j->s.store, store_ending, &e, &err);
	}
	/* The order has gone another way since: nobody waits for this any more. */
	if (e.event && (rc == UK_E_CONFLICT || rc == UK_E_NOT_FOUND || rc == UK_E_DENIED)) {
		e.event = false;
		e.stray = workflow_must_keep(r->on);
		rc = store_write_wait(j->s.store, store_ending, &e, &err);
	}
	if (rc != UK_OK)
		uk_log_err(j->s.log, UK_LOG_ERROR, "job.report-failed", &err);
	if (e.given_up)
		uk_log(j->s.log, UK_LOG_ERROR, "job.given-up", UK_LS("job", job->key),
		    UK_LS("reason", r->reason));
	else if (r->end == JOB_RETRY)
		uk_log(j->s.log, UK_LOG_WARN, "job.retry", UK_LS("job", job->key),
		    UK_LS("reason", r->reason), UK_LI("tries", job->tries));
	if (r->err.rc != UK_OK)
		uk_log_err(j->s.log, UK_LOG_WARN, "job.cause", &r->err);
}

void
job_run(struct jobs *j, const struct job *job)
{
	struct job_report r = { .end = JOB_DONE };

	job->kind->run(j, job, &r);
	report(j, job, &r);
	uk_json_wipe(r.json);
	json_decref(r.json);
}
