/*
 * The store: one writer with group commit, readers beside it.
 *
 * A write is a function that runs inside a transaction.  Writes that arrive together share one
 * database transaction and one fsync, each inside its own savepoint, so that one that fails takes
 * nothing of the others with it; each caller is answered after the commit.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/db.h"
#include "store/sql.h"
#include "uk/log.h"
#include "uk/rc.h"

struct store;
struct store_tx;
struct store_rows;

struct store_setup {
	const char *driver; /* "sqlite" */
	const char *where;  /* the file */
	int readers;        /* read connections; 0: 4 */
	const struct uk_log *log;
};

/*
 * Opens, brings the schema up to date and starts the writer.  UK_E_UNSUPPORTED "schema-newer": a
 * later version of the program has been here.
 */
UK_CHECK enum uk_rc store_open(
    const struct store_setup *setup, struct store **out, struct uk_err *err);

/* Finishes what is queued.  No call may be under way. */
void store_close(struct store **s);

/*
 * Runs in a transaction.  Anything but UK_OK undoes what it did; a statement that failed does so
 * even when the function returns UK_OK.  It MUST NOT block on anything but the database.
 */
typedef enum uk_rc store_fn(struct store_tx *tx, void *ctx, struct uk_err *err);

/* After the commit (or the failure), on the writer's thread: hand over and return. */
typedef void store_done_fn(void *ctx, enum uk_rc rc, const struct uk_err *err);

/* Queue a write.  done may be NULL.  ctx lives until done. */
void store_write(struct store *s, store_fn *fn, store_done_fn *done, void *ctx);

/* The same, and waits.  Never from a store_fn or a store_done_fn. */
UK_CHECK enum uk_rc store_write_wait(struct store *s, store_fn *fn, void *ctx, struct uk_err *err);

/* On the caller's thread, on a read connection, with one snapshot for all its statements. */
UK_CHECK enum uk_rc store_read(struct store *s, store_fn *fn, void *ctx, struct uk_err *err);

/*
 * Called on the writer's thread after every commit that changed something; it MUST NOT call the
 * store.  NULL takes it back, and it is not called after that.
 */
void store_on_commit(struct store *s, void (*fn)(void *ctx), void *ctx);

/* How many database commits there were, and how many writes they carried. */
struct store_stats {
	int64_t commits;
	int64_t writes;
};
void store_stats_get(struct store *s, struct store_stats *out);

/*
 * Statements, inside a store_fn.
 *
 *	rc = store_run(tx, SQL_TASK_CLOSE, STORE_ARGS(DB_T(id), DB_I(now)), &changed, err);
 *
 *	rows = store_query(tx, SQL_ORDERS_BY_NUMBER, STORE_ARGS(DB_T(index)));
 *	while (store_next(rows))
 *		use(store_text(rows, 0));
 *	rc = store_end(rows, err);
 */
#define STORE_ARGS(...)                                                                            \
	(const struct db_value[]){ __VA_ARGS__ },                                                  \
	    sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)
#define STORE_NO_ARGS NULL, 0

/* Runs to its end; the rows it gives are passed over.  changed may be NULL. */
UK_CHECK enum uk_rc store_run(struct store_tx *tx, enum sql_id id, const struct db_value *args,
    size_t n, int64_t *changed, struct uk_err *err);

/* Never NULL.  Every query MUST be ended; the same statement is not open twice in one tx. */
struct store_rows *store_query(
    struct store_tx *tx, enum sql_id id, const struct db_value *args, size_t n);
bool store_next(struct store_rows *rows);
UK_CHECK enum uk_rc store_end(struct store_rows *rows, struct uk_err *err);

/* Of the current row, lent until the next store_next() or store_end(). */
bool store_null(const struct store_rows *rows, int col);
int64_t store_int(const struct store_rows *rows, int col);
const char *store_text(const struct store_rows *rows, int col);
struct uk_span store_blob(const struct store_rows *rows, int col);
int store_columns(const struct store_rows *rows);
const char *store_column_name(const struct store_rows *rows, int col);

#endif
