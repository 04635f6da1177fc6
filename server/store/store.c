#include <stdlib.h>

#include "store/conn.h"
#include "store/migrate.h"
#include "store/writer.h"

#define READERS     4
#define READERS_MAX 64

struct store {
	struct writer *writer;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct store_tx *reader[READERS_MAX]; /* those at rest: the first `free` */
	int free;
	int readers;
};

static enum uk_rc
open_readers(
    struct store *s, const struct db_ops *ops, const struct store_setup *setup, struct uk_err *err)
{
	const int n = setup->readers > 0 ? setup->readers : READERS;

	if (n > READERS_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, "store.readers", n);
	while (s->readers < n) {
		const enum uk_rc rc =
		    conn_open(ops, setup->where, true, &s->reader[s->readers], err);

		if (rc != UK_OK)
			return rc;
		s->readers++;
		s->free++;
	}
	return UK_OK;
}

enum uk_rc
store_open(const struct store_setup *setup, struct store **out, struct uk_err *err)
{
	const struct db_ops *ops = db_driver(setup->driver);
	struct store_tx *conn = NULL;
	struct store *s = NULL;
	enum uk_rc rc = UK_E_INTERNAL;

	if (ops == NULL)
		return uk_fail(err, UK_E_UNSUPPORTED, "database-unknown", "store.open", 0);
	s = uk_xalloc(sizeof(*s));
	if (pthread_mutex_init(&s->lock, NULL) != 0 || pthread_cond_init(&s->returned, NULL) != 0)
		abort();
	rc = conn_open(ops, setup->where, false, &conn, err);
	if (rc != UK_OK)
		goto out;
	rc = migrate_run(conn, migrate_steps, migrate_steps_n, err);
	if (rc != UK_OK)
		goto out;
	rc = open_readers(s, ops, setup, err);
	if (rc != UK_OK)
		goto out;
	s->writer = writer_start(&conn, setup->log);
	*out = s;
	s = NULL;
out:
	conn_close(&conn);
	store_close(&s);
	return rc;
}

void
store_close(struct store **s)
{
	if (*s == NULL)
		return;
	writer_stop(&(*s)->writer);
	for (int i = 0; i < (*s)->readers; i++)
		conn_close(&(*s)->reader[i]);
	(void)pthread_cond_destroy(&(*s)->returned);
	(void)pthread_mutex_destroy(&(*s)->lock);
	free(*s);
	*s = NULL;
}

void
store_write(struct store *s, store_fn *fn, store_done_fn *done, void *ctx)
{
	writer_add(s->writer, fn, done, ctx);
}

struct waiter {
	store_fn *fn;
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
	enum uk_rc rc;
	struct uk_err err;
};

static enum uk_rc
waiter_run(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct waiter *w = ctx;

	return w->fn(tx, w->ctx, err);
}

static void
waiter_done(void *ctx, enum uk_rc rc, const struct uk_err *err)
{
	struct waiter *w = ctx;

	(void)pthread_mutex_lock(&w->lock);
	w->rc = rc;
	w->err = *err;
	w->done = true;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
}

enum uk_rc
store_write_wait(struct store *s, store_fn *fn, void *ctx, struct uk_err *err)
{
	struct waiter w = { .fn = fn, .ctx = ctx };

	if (pthread_mutex_init(&w.lock, NULL) != 0 || pthread_cond_init(&w.wake, NULL) != 0)
		abort();
	writer_add(s->writer, waiter_run, waiter_done, &w);
	(void)pthread_mutex_lock(&w.lock);
	while (!w.done)
		(void)pthread_cond_wait(&w.wake, &w.lock);
	(void)pthread_mutex_unlock(&w.lock);
	(void)pthread_cond_destroy(&w.wake);
	(void)pthread_mutex_destroy(&w.lock);
	if (w.rc != UK_OK && err != NULL)
		*err = w.err;
	return w.rc;
}

static struct store_tx *
take_reader(struct store *s)
{
	struct store_tx *tx;

	(void)pthread_mutex_lock(&s->lock);
	while (s->free == 0)
		(void)pthread_cond_wait(&s->returned, &s->lock);
	tx = s->reader[--s->free];
	(void)pthread_mutex_unlock(&s->lock);
	return tx;
}

static void
give_reader(struct store *s, struct store_tx *tx)
{
	(void)pthread_mutex_lock(&s->lock);
	s->reader[s->free++] = tx;
	(void)pthread_cond_signal(&s->returned);
	(void)pthread_mutex_unlock(&s->lock);
}

enum uk_rc
store_read(struct store *s, store_fn *fn, void *ctx, struct uk_err *err)
{
	struct store_tx *tx = take_reader(s);
	struct uk_err why = { 0 };
	enum uk_rc rc = tx->ops->begin(tx->db, false, &why);

	if (rc == UK_OK) {
		rc = conn_call(tx, fn, ctx, &why);
		tx->ops->rollback(tx->db);
	}
	give_reader(s, tx);
	if (rc != UK_OK && err != NULL)
		*err = why;
	return rc;
}

void
store_on_commit(struct store *s, void (*fn)(void *ctx), void *ctx)
{
	writer_on_commit(s->writer, fn, ctx);
}

void
store_stats_get(struct store *s, struct store_stats *out)
{
	writer_stats(s->writer, out);
}
