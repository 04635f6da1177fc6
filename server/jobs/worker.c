#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "jobs/kinds.h"
#include "workflow/job.h"

#define ARGS_MAX    4096u
#define THREADS_MAX 64

struct jobs_pool {
	struct jobs *jobs;
	pthread_mutex_t lock; /* of the next two */
	bool look;
	bool stop;
	pthread_cond_t wake;
	int threads;
	pthread_t thread[THREADS_MAX];
};

struct args {
	int64_t n;
	const char *payment;
	const char *template;
};

static const struct uk_field arg_fields[] = {
	{ "n", UK_F_INT, 0, 0, INT32_MAX, offsetof(struct args, n), NULL },
	{ "payment", UK_F_STR, 0, 0, ORDER_REF_LEN - 1, offsetof(struct args, payment), NULL },
	{ "template", UK_F_STR, 0, 0, JOB_TEXT_LEN - 1, offsetof(struct args, template), NULL },
};
#define ARG_FIELDS (sizeof(arg_fields) / sizeof(arg_fields[0]))

static enum uk_rc
read_args(const char *text, struct job *job, struct uk_err *err)
{
	struct args args = { .payment = "", .template = "" };
	json_t *value = NULL;
	enum uk_rc rc = uk_json_parse(uk_span_str(text), ARGS_MAX, &value, err);

	if (rc == UK_OK)
		rc = uk_fields_read(arg_fields, ARG_FIELDS, value, &args, err);
	if (rc == UK_OK) {
		job->n = args.n;
		(void)snprintf(job->payment, sizeof(job->payment), "%s", args.payment);
		(void)snprintf(job->template, sizeof(job->template), "%s", args.template);
	}
	json_decref(value);
	return rc;
}

struct claim {
	int64_t now;
	struct job *job;
	bool found;
	bool readable;
};

/* What kind it is, the claim has shown. */
static enum uk_rc
shorten_lease(struct store_tx *tx, const struct claim *c, struct uk_err *err)
{
	const struct job *job = c->job;

	if (!c->found || job->kind == NULL || job->kind->lease == JOB_LEASE_MAX)
		return UK_OK;
	return store_run(tx, SQL_JOB_LEASE,
	    STORE_ARGS(DB_T(job->key), DB_T(job->lease), DB_I(c->now + job->kind->lease)), NULL,
	    err);
}

static enum uk_rc
claim_one(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct claim *c = ctx;
	struct job *job = c->job;
	struct uk_err why = { 0 };
	enum uk_rc rc;
	struct store_rows *rows = store_query(tx, SQL_JOBS_CLAIM,
	    STORE_ARGS(DB_T(job->lease), DB_I(c->now + JOB_LEASE_MAX), DB_I(c->now), DB_I(1)));

	c->found = store_next(rows);
	if (c->found) {
		(void)snprintf(job->key, sizeof(job->key), "%s", store_text(rows, 0));
		job->kind = job_kind_get(store_text(rows, 1));
		(void)snprintf(job->order, sizeof(job->order), "%s", store_text(rows, 2));
		job->tries = store_int(rows, 4);
		job->runs = store_int(rows, 5);
		c->readable =
		    job->kind != NULL && read_args(store_text(rows, 3), job, &why) == UK_OK;
	}
	while (store_next(rows))
		;
	rc = store_end(rows, err);
	return rc == UK_OK ? shorten_lease(tx, c, err) : rc;
}

struct due {
	bool any;
	int64_t at;
};

static enum uk_rc
read_due(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct due *d = ctx;
	struct store_rows *rows = store_query(tx, SQL_JOB_NEXT_DUE, STORE_NO_ARGS);

	if (store_next(rows)) {
		d->any = !store_null(rows, 0);
		d->at = store_int(rows, 0);
	}
	return store_end(rows, err);
}

static enum uk_rc
drop_unreadable(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct claim *c = ctx;
	char id[JOB_KEY_LEN + 16];
	const struct task_new task = { .kind = "job-failed",
		.id = id,
		.role = "administrator",
		.order = c->job->order,
		.detail = "unreadable" };
	const enum uk_rc rc = store_run(tx, SQL_JOB_END,
	    STORE_ARGS(DB_T(c->job->key), DB_T(c->job->lease), DB_T("failed"), DB_T("unreadable"),
		DB_I(c->now)),
	    NULL, err);

	(void)snprintf(id, sizeof(id), "job-failed/%s", c->job->key);
	return rc == UK_OK ? task_put(tx, &task, c->now, err) : rc;
}

/* Looks before it claims, so that an idle server writes nothing. */
static enum uk_rc
run_next(struct jobs *j, bool *ran, struct uk_err *err)
{
	struct job job = { 0 };
	struct claim c = { .now = uk_now(j->s.clock), .job = &job };
	struct due d = { 0 };
	enum uk_rc rc = store_read(j->s.store, read_due, &d, err);

	*ran = false;
	if (rc != UK_OK || !d.any || d.at > c.now)
		return rc;
	uk_random_hex(j->s.random, job.lease, 16);
	rc = store_write_wait(j->s.store, claim_one, &c, err);
	if (rc != UK_OK || !c.found)
		return rc;
	*ran = true;
	if (!c.readable)
		return store_write_wait(j->s.store, drop_unreadable, &c, err);
	job_run(j, &job);
	return UK_OK;
}

enum uk_rc
jobs_run_due(struct jobs *j, int *ran, struct uk_err *err)
{
	enum uk_rc rc = UK_OK;
	bool more = true;
	int n = 0;

	while (more) {
		rc = run_next(j, &more, err);
		if (rc != UK_OK)
			break;
		n += more ? 1 : 0;
	}
	if (ran != NULL)
		*ran = n;
	return rc;
}

/* Waits for a commit, or a second for what falls due by itself.  False when it is over. */
static bool
wait_for_work(struct jobs_pool *p)
{
	struct timespec until;
	bool go_on;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	(void)pthread_mutex_lock(&p->lock);
	while (!p->look && !p->stop)
		if (pthread_cond_timedwait(&p->wake, &p->lock, &until) != 0)
			break;
	p->look = false;
	go_on = !p->stop;
	(void)pthread_mutex_unlock(&p->lock);
	return go_on;
}

static bool
stopped(struct jobs_pool *p)
{
	bool stop;

	(void)pthread_mutex_lock(&p->lock);
	stop = p->stop;
	(void)pthread_mutex_unlock(&p->lock);
	return stop;
}

static void *
worker_main(void *arg)
{
	struct jobs_pool *p = arg;
	struct uk_err err = { 0 };

	while (wait_for_work(p)) {
		bool ran = true;

		while (ran && !stopped(p))
			if (run_next(p->jobs, &ran, &err) != UK_OK) {
				uk_log_err(p->jobs->s.log, UK_LOG_ERROR, "jobs.claim-failed", &err);
				break;
			}
	}
	return NULL;
}

static void
wake(struct jobs_pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->look = true;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
}

static void
committed(void *ctx)
{
	wake(ctx);
}

void
jobs_wake(struct jobs *j)
{
	if (j->pool != NULL)
		wake(j->pool);
}

static void
start_pool(struct jobs *j)
{
	struct jobs_pool *p = uk_xalloc(sizeof(*p));

	p->jobs = j;
	p->look = true;
	if (pthread_mutex_init(&p->lock, NULL) != 0 || pthread_cond_init(&p->wake, NULL) != 0)
		abort();
	j->pool = p;
	store_on_commit(j->s.store, committed, p);
	for (; p->threads < j->s.threads; p->threads++)
		if (pthread_create(&p->thread[p->threads], NULL, worker_main, p) != 0)
			abort();
}

static void
stop_pool(struct jobs_pool **pool)
{
	struct jobs_pool *p = *pool;

	store_on_commit(p->jobs->s.store, NULL, NULL);
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_broadcast(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->threads; i++)
		(void)pthread_join(p->thread[i], NULL);
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
	*pool = NULL;
}

/* What runs whether anything happens or not. */
static enum uk_rc
put_standing_jobs(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct jobs *j = ctx;
	const struct job_new crl = { .kind = "crl", .key = "crl" };
	const struct job_new reminders = { .kind = "reminders", .key = "reminders" };
	const int64_t now = uk_now(j->s.clock);
	const enum uk_rc rc = job_put(tx, &crl, now, err);

	return rc == UK_OK ? job_put(tx, &reminders, now, err) : rc;
}

enum uk_rc
jobs_open(const struct jobs_setup *setup, struct jobs **out, struct uk_err *err)
{
	struct jobs *j;
	enum uk_rc rc = UK_OK;

	if (setup->threads < 0 || setup->threads > THREADS_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, "jobs.threads", setup->threads);
	j = uk_xalloc(sizeof(*j));
	j->s = *setup;
	if (setup->authority != NULL)
		rc = store_write_wait(setup->store, put_standing_jobs, j, err);
	if (rc != UK_OK) {
		free(j);
		return rc;
	}
	if (setup->threads > 0)
		start_pool(j);
	*out = j;
	return UK_OK;
}

void
jobs_close(struct jobs **j)
{
	if (*j == NULL)
		return;
	if ((*j)->pool != NULL)
		stop_pool(&(*j)->pool);
	free(*j);
	*j = NULL;
}
