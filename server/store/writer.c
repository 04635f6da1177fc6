#include <stdlib.h>

#include "store/conn.h"
#include "store/writer.h"

/* More than this in one transaction only makes the first wait longer. */
#define BATCH_MAX 128

struct write {
	struct write *next;
	store_fn *fn;
	store_done_fn *done;
	void *ctx;
	enum uk_rc rc;
	struct uk_err err;
};

struct writer {
	struct store_tx *conn;
	const struct uk_log *log;
	pthread_t thread;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t wake;
	struct write *first;
	struct write **last;
	bool stop;
	struct store_stats stats;
	void (*on_commit)(void *);
	void *on_commit_ctx;
};

/* Up to BATCH_MAX of what has come; NULL when the writer is to stop. */
static struct write *
take_batch(struct writer *w)
{
	struct write *batch;
	struct write **end = &batch;

	(void)pthread_mutex_lock(&w->lock);
	while (w->first == NULL && !w->stop)
		(void)pthread_cond_wait(&w->wake, &w->lock);
	batch = w->first;
	for (int i = 0; i < BATCH_MAX && *end != NULL; i++)
		end = &(*end)->next;
	w->first = *end;
	if (w->first == NULL)
		w->last = &w->first;
	*end = NULL;
	(void)pthread_mutex_unlock(&w->lock);
	return batch;
}

/* One write in its own savepoint. */
static enum uk_rc
run_one(struct store_tx *tx, struct write *one)
{
	enum uk_rc rc;

	one->rc = tx->ops->script(tx->db, "SAVEPOINT one", &one->err);
	if (one->rc != UK_OK)
		return one->rc;
	one->rc = conn_call(tx, one->fn, one->ctx, &one->err);
	if (!tx->ops->in_tx(tx->db))
		return UK_E_UNAVAILABLE;
	if (one->rc != UK_OK) {
		struct uk_err ignored;

		rc = tx->ops->script(tx->db, "ROLLBACK TO one; RELEASE one", &ignored);
	} else {
		rc = one->rc = tx->ops->script(tx->db, "RELEASE one", &one->err);
	}
	return rc;
}

static void
fail_all(struct write *batch, enum uk_rc rc, const struct uk_err *err)
{
	for (struct write *one = batch; one != NULL; one = one->next)
		if (one->rc == UK_OK) {
			one->rc = rc;
			one->err = *err;
		}
}

/* Returns how many were committed. */
static int64_t
run_batch(struct writer *w, struct write *batch)
{
	struct store_tx *tx = w->conn;
	struct uk_err err = { .rc = UK_E_UNAVAILABLE, .where = "writer" };
	enum uk_rc rc = tx->ops->begin(tx->db, true, &err);
	int64_t good = 0;

	for (struct write *one = batch; one != NULL && rc == UK_OK; one = one->next) {
		rc = run_one(tx, one);
		if (one->rc == UK_OK)
			good++;
		else
			err = one->err;
	}
	if (rc == UK_OK)
		rc = tx->ops->commit(tx->db, &err);
	if (rc == UK_OK)
		return good;
	/* The transaction is lost, and with it those that had gone well. */
	tx->ops->rollback(tx->db);
	err.rc = rc;
	uk_log_err(w->log, UK_LOG_ERROR, "store.commit-failed", &err);
	fail_all(batch, rc, &err);
	return 0;
}

static void
answer(struct write *batch)
{
	while (batch != NULL) {
		struct write *one = batch;

		batch = one->next;
		if (one->done != NULL)
			one->done(one->ctx, one->rc, &one->err);
		free(one);
	}
}

/* The hook runs under the lock, so that it is never called after it was taken back. */
static void
count(struct writer *w, int64_t good)
{
	if (good == 0)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stats.commits++;
	w->stats.writes += good;
	if (w->on_commit != NULL)
		w->on_commit(w->on_commit_ctx);
	(void)pthread_mutex_unlock(&w->lock);
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;
	struct write *batch;

	while ((batch = take_batch(w)) != NULL) {
		count(w, run_batch(w, batch));
		answer(batch);
	}
	return NULL;
}

struct writer *
writer_start(struct store_tx **conn, const struct uk_log *log)
{
	struct writer *w = uk_xalloc(sizeof(*w));

	w->conn = *conn;
	*conn = NULL;
	w->log = log;
	w->last = &w->first;
	if (pthread_mutex_init(&w->lock, NULL) != 0 || pthread_cond_init(&w->wake, NULL) != 0 ||
	    pthread_create(&w->thread, NULL, writer_main, w) != 0)
		abort();
	return w;
}

void
writer_stop(struct writer **w)
{
	if (*w == NULL)
		return;
	(void)pthread_mutex_lock(&(*w)->lock);
	(*w)->stop = true;
	(void)pthread_cond_signal(&(*w)->wake);
	(void)pthread_mutex_unlock(&(*w)->lock);
	(void)pthread_join((*w)->thread, NULL);
	conn_close(&(*w)->conn);
	(void)pthread_cond_destroy(&(*w)->wake);
	(void)pthread_mutex_destroy(&(*w)->lock);
	free(*w);
	*w = NULL;
}

void
writer_add(struct writer *w, store_fn *fn, store_done_fn *done, void *ctx)
{
	struct write *one = uk_xalloc(sizeof(*one));

	*one = (struct write){ .fn = fn, .done = done, .ctx = ctx };
	(void)pthread_mutex_lock(&w->lock);
	*w->last = one;
	w->last = &one->next;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
}

void
writer_on_commit(struct writer *w, void (*fn)(void *ctx), void *ctx)
{
	(void)pthread_mutex_lock(&w->lock);
	w->on_commit = fn;
	w->on_commit_ctx = ctx;
	(void)pthread_mutex_unlock(&w->lock);
}

void
writer_stats(struct writer *w, struct store_stats *out)
{
	(void)pthread_mutex_lock(&w->lock);
	*out = w->stats;
	(void)pthread_mutex_unlock(&w->lock);
}
