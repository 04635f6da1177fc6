#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/conn.h"
#include "store/crypt.h"
#include "store/migrate.h"

struct fixture {
	char dir[64];
	char path[96];
	struct store *store;
};

static void
reopen(struct fixture *f)
{
	const struct store_setup setup = { .driver = "sqlite", .where = f->path, .readers = 2 };
	struct uk_err err = { 0 };

	store_close(&f->store);
	assert_int_equal(store_open(&setup, &f->store, &err), UK_OK);
}

static int
setup(void **state)
{
	struct fixture *f = uk_xalloc(sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/ukey-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/ca.db", f->dir);
	reopen(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	store_close(&f->store);
	(void)unlink(f->path);
	(void)snprintf(path, sizeof(path), "%s-wal", f->path);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s-shm", f->path);
	(void)unlink(path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

/* A small table that has what the tests need: tasks. */
struct put {
	char id[32];
	bool fail;
	bool wrong; /* a statement fails and the function says it is well */
};

static enum uk_rc
put_task(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct put *p = ctx;
	enum uk_rc rc = store_run(tx, SQL_TASK_PUT,
	    STORE_ARGS(
		DB_T(p->id), DB_T("test"), DB_T("reviewer"), DB_T(""), DB_T("说明"), DB_I(1)),
	    NULL, err);

	if (p->wrong) {
		assert_int_equal(store_run(tx, SQL_TICKET_PUT,
				     STORE_ARGS(DB_T("j"), DB_T("no such order"), DB_T(""),
					 DB_T(""), DB_T(""), DB_T(""), DB_I(1)),
				     NULL, err),
		    UK_E_CONFLICT);
		return UK_OK;
	}
	if (rc == UK_OK && p->fail)
		rc = uk_fail(err, UK_E_CONFLICT, "test", "test", 0);
	return rc;
}

static enum uk_rc
count_tasks(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_TASKS_OPEN, STORE_ARGS(DB_I(100000)));
	int *n = ctx;

	*n = 0;
	while (store_next(rows))
		(*n)++;
	return store_end(rows, err);
}

static int
tasks(struct store *s)
{
	struct uk_err err;
	int n = -1;

	assert_int_equal(store_read(s, count_tasks, &n, &err), UK_OK);
	return n;
}

static enum uk_rc
prepare_all(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	(void)ctx;
	for (unsigned i = 0; i < SQL__MAX; i++) {
		struct db_stmt *stmt = NULL;

		if (sql_text((enum sql_id)i) == NULL ||
		    tx->ops->prepare(tx->db, sql_text((enum sql_id)i), &stmt, err) != UK_OK) {
			print_error("statement %u: %s\n", i, sql_text((enum sql_id)i));
			return UK_E_INTERNAL;
		}
		tx->ops->drop(stmt);
	}
	return UK_OK;
}

static void
every_statement_fits_the_schema(void **state)
{
	struct fixture *f = *state;
	struct uk_err err;

	assert_int_equal(store_read(f->store, prepare_all, NULL, &err), UK_OK);
}

static const struct {
	enum sql_id id;
	size_t n;          /* its arguments */
	const char *index; /* that it goes by */
} many[] = {
	{ SQL_ORDERS_ALL, 3, "orders_newest" },
	{ SQL_ORDERS_ATTENTION, 3, "orders_state" },
	{ SQL_ORDERS_FINANCE, 3, "orders_by_hand" },
	{ SQL_CERTIFICATES_REVOKED, 1, "certificates_suspended" },
	{ SQL_CERTIFICATES_ENDING, 4, "certificates_end" },
	{ SQL_REVIEWS_DUE, 3, "orders_state" },
};

/* SQLite's own words for how it would go about it. */
static enum uk_rc
look_at_plan(struct store_tx *tx, const char *sql, size_t n, const char *index, struct uk_err *err)
{
	const struct db_value nothing[] = { DB_N, DB_N, DB_N, DB_N };
	struct db_stmt *stmt = NULL;
	struct uk_buf plan;
	bool row, good = false;
	enum uk_rc rc;

	uk_buf_init(&plan, 8192);
	uk_buf_printf(&plan, "EXPLAIN QUERY PLAN %s", sql);
	rc = tx->ops->prepare(tx->db, uk_buf_str(&plan), &stmt, err);
	if (rc == UK_OK)
		rc = tx->ops->run(stmt, nothing, n, err);
	while (rc == UK_OK && (rc = tx->ops->next(stmt, &row, err)) == UK_OK && row)
		good = good || strstr(tx->ops->col_text(stmt, 3), index) != NULL;
	if (rc == UK_OK && !good) {
		print_error("not by %s: %s\n", index, sql);
		rc = UK_E_INTERNAL;
	}
	tx->ops->drop(stmt);
	uk_buf_fini(&plan);
	return rc;
}

static enum uk_rc
look_at_plans(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	enum uk_rc rc = UK_OK;

	(void)ctx;
	for (size_t i = 0; rc == UK_OK && i < sizeof(many) / sizeof(many[0]); i++)
		rc = look_at_plan(tx, sql_text(many[i].id), many[i].n, many[i].index, err);
	return rc;
}

static void
what_runs_often_goes_by_an_index(void **state)
{
	struct fixture *f = *state;
	struct uk_err err;

	assert_int_equal(store_read(f->store, look_at_plans, NULL, &err), UK_OK);
}

/* $2 $1 $1 in an order that numbering by first appearance would get wrong. */
static enum uk_rc
bind_by_name(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct db_value values[] = { DB_I(1), DB_T("two") };
	struct db_stmt *stmt = NULL;
	bool row = false;

	(void)ctx;
	assert_int_equal(tx->ops->prepare(tx->db, "SELECT $2, $1, $1", &stmt, err), UK_OK);
	assert_int_equal(tx->ops->run(stmt, values, 1, err), UK_E_INTERNAL);
	assert_int_equal(tx->ops->run(stmt, values, 2, err), UK_OK);
	assert_int_equal(tx->ops->next(stmt, &row, err), UK_OK);
	assert_true(row);
	assert_string_equal(tx->ops->col_text(stmt, 0), "two");
	assert_int_equal(tx->ops->col_int(stmt, 1), 1);
	assert_int_equal(tx->ops->col_int(stmt, 2), 1);
	tx->ops->drop(stmt);
	return UK_OK;
}

static void
parameters_are_numbered(void **state)
{
	struct fixture *f = *state;
	struct uk_err err;

	assert_int_equal(store_read(f->store, bind_by_name, NULL, &err), UK_OK);
}

static enum uk_rc
read_journal(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct db_stmt *stmt = NULL;
	bool row;

	(void)ctx;
	assert_int_equal(tx->ops->prepare(tx->db, "PRAGMA journal_mode", &stmt, err), UK_OK);
	assert_int_equal(tx->ops->next(stmt, &row, err), UK_OK);
	assert_string_equal(tx->ops->col_text(stmt, 0), "wal");
	tx->ops->drop(stmt);
	assert_int_equal(tx->ops->prepare(tx->db, "PRAGMA synchronous", &stmt, err), UK_OK);
	assert_int_equal(tx->ops->next(stmt, &row, err), UK_OK);
	assert_int_equal(tx->ops->col_int(stmt, 0), 2);
	tx->ops->drop(stmt);
	return UK_OK;
}

static void
commits_are_durable_and_files_private(void **state)
{
	struct fixture *f = *state;
	struct uk_err err;
	struct stat st;

	assert_int_equal(store_write_wait(f->store, read_journal, NULL, &err), UK_OK);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
steps_run_once_and_in_order(void **state)
{
	static const struct migrate_step more[] = {
		{ 1, "0001_start", "" },
		{ 1002, "1002_two", "CREATE TABLE two (a BIGINT)" },
		{ 1003, "1003_three", "ALTER TABLE two ADD COLUMN b BIGINT" },
	};
	static const struct migrate_step broken[] = {
		{ 1004, "1004_half", "CREATE TABLE half (a BIGINT); CREATE TABLE two (a BIGINT)" },
	};
	struct fixture *f = *state;
	struct store_tx *tx = NULL;
	struct uk_err err;

	store_close(&f->store);
	assert_int_equal(conn_open(&db_sqlite, f->path, false, &tx, &err), UK_OK);
	assert_int_equal(migrate_run(tx, more, 3, &err), UK_OK);
	assert_int_equal(migrate_run(tx, more, 3, &err), UK_OK);
	/* half a step leaves nothing */
	assert_int_not_equal(migrate_run(tx, broken, 1, &err), UK_OK);
	assert_int_equal(tx->ops->script(tx->db, "CREATE TABLE half (a BIGINT)", &err), UK_OK);
	conn_close(&tx);
}

static void
newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct store_setup s = { .driver = "sqlite", .where = f->path };
	struct store_tx *tx = NULL;
	struct store *store = NULL;
	struct uk_err err = { 0 };

	store_close(&f->store);
	assert_int_equal(conn_open(&db_sqlite, f->path, false, &tx, &err), UK_OK);
	assert_int_equal(
	    tx->ops->script(tx->db, "INSERT INTO schema_steps VALUES (9999, 'later')", &err),
	    UK_OK);
	conn_close(&tx);
	assert_int_equal(store_open(&s, &store, &err), UK_E_UNSUPPORTED);
	assert_string_equal(uk_err_reason(&err), "schema-newer");
	assert_null(store);
}

static void
what_is_no_database_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct store_setup s = { .driver = "sqlite", .where = f->path };
	const struct store_setup unknown = { .driver = "oracle", .where = f->path };
	struct store *store = NULL;
	struct uk_err err = { 0 };
	FILE *file;

	store_close(&f->store);
	file = fopen(f->path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		(void)fputs("not a database", file);
	(void)fclose(file);
	assert_int_equal(store_open(&s, &store, &err), UK_E_INTEGRITY);
	assert_int_equal(store_open(&unknown, &store, &err), UK_E_UNSUPPORTED);
}

static void
failure_undoes_its_own_only(void **state)
{
	struct fixture *f = *state;
	struct put good = { .id = "good" };
	struct put bad = { .id = "bad", .fail = true };
	struct put wrong = { .id = "wrong", .wrong = true };
	struct uk_err err = { 0 };

	assert_int_equal(store_write_wait(f->store, put_task, &bad, &err), UK_E_CONFLICT);
	assert_string_equal(uk_err_reason(&err), "test");
	assert_int_equal(tasks(f->store), 0);
	assert_int_equal(store_write_wait(f->store, put_task, &wrong, &err), UK_E_CONFLICT);
	assert_int_equal(tasks(f->store), 0);
	assert_int_equal(store_write_wait(f->store, put_task, &good, &err), UK_OK);
	assert_int_equal(tasks(f->store), 1);
}

static void
readers_cannot_write(void **state)
{
	struct fixture *f = *state;
	struct put p = { .id = "x" };
	struct uk_err err = { 0 };

	assert_int_not_equal(store_read(f->store, put_task, &p, &err), UK_OK);
	assert_int_equal(tasks(f->store), 0);
}

/* A write that holds the writer until the rest has queued up behind it. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool open;
	int left;
	int good;
	int bad;
};

static enum uk_rc
hold(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct gate *g = ctx;

	(void)tx;
	(void)err;
	(void)pthread_mutex_lock(&g->lock);
	while (!g->open)
		(void)pthread_cond_wait(&g->wake, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
	return UK_OK;
}

struct grouped {
	struct put put;
	struct gate *gate;
};

static enum uk_rc
put_grouped(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct grouped *g = ctx;

	return put_task(tx, &g->put, err);
}

static void
answered(void *ctx, enum uk_rc rc, const struct uk_err *err)
{
	struct grouped *g = ctx;

	(void)err;
	(void)pthread_mutex_lock(&g->gate->lock);
	if (rc == UK_OK)
		g->gate->good++;
	else
		g->gate->bad++;
	g->gate->left--;
	(void)pthread_cond_broadcast(&g->gate->wake);
	(void)pthread_mutex_unlock(&g->gate->lock);
}

#define GROUP 100

static void
those_that_arrive_together_share_a_commit(void **state)
{
	struct fixture *f = *state;
	struct gate gate = {
		.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .left = GROUP
	};
	static struct grouped w[GROUP];
	struct store_stats before;
	struct store_stats after;

	store_stats_get(f->store, &before);
	store_write(f->store, hold, NULL, &gate);
	for (int i = 0; i < GROUP; i++) {
		w[i] = (struct grouped){ .gate = &gate };
		(void)snprintf(w[i].put.id, sizeof(w[i].put.id), "t%d", i);
		w[i].put.fail = i % 10 == 3;
		store_write(f->store, put_grouped, answered, &w[i]);
	}
	(void)pthread_mutex_lock(&gate.lock);
	gate.open = true;
	(void)pthread_cond_broadcast(&gate.wake);
	while (gate.left > 0)
		(void)pthread_cond_wait(&gate.wake, &gate.lock);
	(void)pthread_mutex_unlock(&gate.lock);
	store_stats_get(f->store, &after);
	assert_int_equal(gate.good, 90);
	assert_int_equal(gate.bad, 10);
	assert_int_equal(tasks(f->store), 90);
	/* the one that held, and one for all the others */
	assert_in_range(after.commits - before.commits, 1, 2);
	assert_int_equal(after.writes - before.writes, 91);
}

static void
count_commit(void *ctx)
{
	(*(int *)ctx)++;
}

static void
on_commit_is_heard_until_taken_back(void **state)
{
	struct fixture *f = *state;
	struct put a = { .id = "a" };
	struct put bad = { .id = "b", .fail = true };
	struct put c = { .id = "c" };
	struct uk_err err;
	int n = 0;

	store_on_commit(f->store, count_commit, &n);
	assert_int_equal(store_write_wait(f->store, put_task, &a, &err), UK_OK);
	assert_int_equal(store_write_wait(f->store, put_task, &bad, &err), UK_E_CONFLICT);
	assert_int_equal(n, 1);
	store_on_commit(f->store, NULL, NULL);
	assert_int_equal(store_write_wait(f->store, put_task, &c, &err), UK_OK);
	assert_int_equal(n, 1);
}

/* The child says each id as soon as it is told that it is committed, until it is killed. */
static void
write_until_killed(const char *path, int to)
{
	const struct store_setup s = { .driver = "sqlite", .where = path };
	struct store *store = NULL;
	struct uk_err err;

	if (store_open(&s, &store, &err) != UK_OK)
		_exit(1);
	for (int32_t i = 0;; i++) {
		struct put p = { 0 };

		(void)snprintf(p.id, sizeof(p.id), "k%d", i);
		if (store_write_wait(store, put_task, &p, &err) != UK_OK ||
		    write(to, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void
kill_loses_nothing_committed(void **state)
{
	struct fixture *f = *state;
	int pipes[2];
	int32_t said = -1;
	int32_t i;
	pid_t child;

	store_close(&f->store);
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(pipes[0]);
		write_until_killed(f->path, pipes[1]);
	}
	(void)close(pipes[1]);
	while (said < 200 && read(pipes[0], &i, sizeof(i)) == sizeof(i))
		said = i;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	while (read(pipes[0], &i, sizeof(i)) == sizeof(i))
		said = i;
	(void)close(pipes[0]);
	reopen(f);
	assert_true(said >= 200);
	assert_true(tasks(f->store) >= said + 1);
}

static void
open_write_close(const char *path, int go)
{
	const struct store_setup s = { .driver = "sqlite", .where = path };
	struct put p = { .id = "theirs" };
	struct store *store = NULL;
	struct uk_err err;
	char c;

	if (read(go, &c, 1) != 1 || store_open(&s, &store, &err) != UK_OK ||
	    store_write_wait(store, put_task, &p, &err) != UK_OK)
		_exit(1);
	store_close(&store);
	_exit(0);
}

/*
 * A command beside the server must not take the log away from under it when it leaves.  Forked
 * before SQLite knows the file, because it keeps a process's locks in memory.
 */
static void
another_process_may_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct put before = { .id = "before" };
	struct put after = { .id = "after" };
	struct uk_err err;
	char log[128];
	int status = -1;
	int go[2];
	pid_t child;

	store_close(&f->store);
	assert_int_equal(pipe(go), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		open_write_close(f->path, go[0]);
	reopen(f);
	assert_int_equal(store_write_wait(f->store, put_task, &before, &err), UK_OK);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	(void)close(go[0]);
	(void)close(go[1]);
	(void)snprintf(log, sizeof(log), "%s-wal", f->path);
	assert_int_equal(access(log, F_OK), 0);
	assert_int_equal(store_write_wait(f->store, put_task, &after, &err), UK_OK);
	assert_int_equal(tasks(f->store), 3);
	reopen(f);
	assert_int_equal(tasks(f->store), 3);
}

/* --- sealed columns --- */

static struct crypt *
make_crypt(uint8_t first)
{
	uint8_t key[CRYPT_KEY_LEN] = { first };
	struct uk_secret *master = uk_secret_new(uk_span(key, sizeof(key)));
	struct crypt *c = NULL;
	struct uk_err err;

	assert_int_equal(crypt_new(master, &uk_random_system, &c, &err), UK_OK);
	uk_secret_free(&master);
	return c;
}

static void
sealed_opens_in_its_place_only(void **state)
{
	static const struct crypt_place at = { "order_forms", "UK1", "form" };
	static const struct crypt_place elsewhere[] = {
		{ "order_forms", "UK2", "form" },
		{ "order_forms", "UK1", "other" },
		{ "documents", "UK1", "form" },
		{ "order_form", "sUK1", "form" },
	};
	struct crypt *c = make_crypt(1);
	struct crypt *other = make_crypt(2);
	const struct uk_span plain = uk_span_str("11010119900307123X");
	struct uk_buf sealed;
	struct uk_buf again;
	struct uk_buf out;
	struct uk_err err;

	(void)state;
	uk_buf_init(&sealed, 256);
	uk_buf_init(&again, 256);
	uk_buf_init(&out, 256);
	assert_int_equal(crypt_seal(c, CRYPT_PERSONAL, &at, plain, &sealed, &err), UK_OK);
	assert_int_equal(crypt_seal(c, CRYPT_PERSONAL, &at, plain, &again, &err), UK_OK);
	assert_int_equal(sealed.n, plain.n + CRYPT_OVERHEAD);
	assert_false(uk_span_eq(uk_buf_span(&sealed), uk_buf_span(&again)));
	assert_null(memmem(sealed.p, sealed.n, plain.p, plain.n));
	assert_int_equal(
	    crypt_unseal(c, CRYPT_PERSONAL, &at, uk_buf_span(&sealed), &out, &err), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&out), plain));
	uk_buf_reset(&out);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		assert_int_equal(crypt_unseal(c, CRYPT_PERSONAL, &elsewhere[i],
				     uk_buf_span(&sealed), &out, &err),
		    UK_E_INTEGRITY);
	assert_int_equal(
	    crypt_unseal(c, CRYPT_PHOTO, &at, uk_buf_span(&sealed), &out, &err), UK_E_INTEGRITY);
	assert_int_equal(crypt_unseal(other, CRYPT_PERSONAL, &at, uk_buf_span(&sealed), &out, &err),
	    UK_E_INTEGRITY);
	for (size_t i = 0; i < sealed.n; i++) {
		sealed.p[i] ^= 1;
		assert_int_equal(
		    crypt_unseal(c, CRYPT_PERSONAL, &at, uk_buf_span(&sealed), &out, &err),
		    UK_E_INTEGRITY);
		sealed.p[i] ^= 1;
	}
	for (size_t n = 0; n < sealed.n; n++)
		assert_int_equal(
		    crypt_unseal(c, CRYPT_PERSONAL, &at, uk_span(sealed.p, n), &out, &err),
		    UK_E_INTEGRITY);
	assert_int_equal(out.n, 0);
	uk_buf_fini(&sealed);
	uk_buf_fini(&again);
	uk_buf_fini(&out);
	crypt_free(&c);
	crypt_free(&other);
}

static void
empty_seals_too(void **state)
{
	static const struct crypt_place at = { "t", "r", "c" };
	struct crypt *c = make_crypt(1);
	struct uk_buf sealed;
	struct uk_buf out;
	struct uk_err err;

	(void)state;
	uk_buf_init(&sealed, 64);
	uk_buf_init(&out, 64);
	assert_int_equal(crypt_seal(c, CRYPT_PIN, &at, uk_span(NULL, 0), &sealed, &err), UK_OK);
	assert_int_equal(crypt_unseal(c, CRYPT_PIN, &at, uk_buf_span(&sealed), &out, &err), UK_OK);
	assert_int_equal(out.n, 0);
	uk_buf_fini(&sealed);
	uk_buf_fini(&out);
	crypt_free(&c);
}

static void
index_is_keyed_and_separate(void **state)
{
	struct crypt *c = make_crypt(1);
	struct crypt *other = make_crypt(2);
	const struct uk_span ab_c[] = { uk_span_str("ab"), uk_span_str("c") };
	const struct uk_span a_bc[] = { uk_span_str("a"), uk_span_str("bc") };
	char one[CRYPT_INDEX_LEN];
	char two[CRYPT_INDEX_LEN];

	(void)state;
	crypt_index_str(c, CRYPT_INDEX_NUMBER, "x", one);
	crypt_index_str(c, CRYPT_INDEX_NUMBER, "x", two);
	assert_string_equal(one, two);
	assert_int_equal(strlen(one), CRYPT_INDEX_LEN - 1);
	crypt_index_str(c, CRYPT_INDEX_PHONE, "x", two);
	assert_string_not_equal(one, two);
	crypt_index_str(other, CRYPT_INDEX_NUMBER, "x", two);
	assert_string_not_equal(one, two);
	crypt_index(c, CRYPT_INDEX_NUMBER, ab_c, 2, one);
	crypt_index(c, CRYPT_INDEX_NUMBER, a_bc, 2, two);
	assert_string_not_equal(one, two);
	crypt_free(&c);
	crypt_free(&other);
}

static void
write_key(const char *path, size_t n, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < n; i++)
		(void)fputc('k', file);
	(void)fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void
master_key_file_must_be_private_and_whole(void **state)
{
	struct fixture *f = *state;
	struct crypt *c = NULL;
	struct uk_err err;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/master.key", f->dir);
	assert_int_equal(crypt_open(path, &uk_random_system, &c, &err), UK_E_NOT_FOUND);
	write_key(path, 32, 0644);
	assert_int_equal(crypt_open(path, &uk_random_system, &c, &err), UK_E_DENIED);
	write_key(path, 31, 0600);
	assert_int_equal(crypt_open(path, &uk_random_system, &c, &err), UK_E_INPUT);
	write_key(path, 33, 0600);
	assert_int_equal(crypt_open(path, &uk_random_system, &c, &err), UK_E_INPUT);
	write_key(path, 32, 0600);
	assert_int_equal(crypt_open(path, &uk_random_system, &c, &err), UK_OK);
	crypt_free(&c);
	(void)unlink(path);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_statement_fits_the_schema),
		T(what_runs_often_goes_by_an_index),
		T(parameters_are_numbered),
		T(commits_are_durable_and_files_private),
		T(steps_run_once_and_in_order),
		T(newer_schema_is_refused),
		T(what_is_no_database_is_refused),
		T(failure_undoes_its_own_only),
		T(readers_cannot_write),
		T(those_that_arrive_together_share_a_commit),
		T(on_commit_is_heard_until_taken_back),
		T(kill_loses_nothing_committed),
		T(another_process_may_come_and_go),
		cmocka_unit_test(sealed_opens_in_its_place_only),
		cmocka_unit_test(empty_seals_too),
		cmocka_unit_test(index_is_keyed_and_separate),
		T(master_key_file_must_be_private_and_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
