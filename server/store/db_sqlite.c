#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/db.h"

#define PARAMS_MAX 48
#define BUSY_MS    5000

struct sqlite_db {
	struct db base;
	sqlite3 *db;
};

struct sqlite_stmt {
	struct db_stmt base;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	size_t params;
	int at[PARAMS_MAX]; /* where $1, $2, ... are: to SQLite these are names, not numbers */
};

static sqlite3 *
handle(struct db *d)
{
	return ((struct sqlite_db *)d)->db;
}

static struct sqlite_stmt *
cast(struct db_stmt *s)
{
	return (struct sqlite_stmt *)s;
}

static enum uk_rc
map(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
		return UK_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return UK_E_UNAVAILABLE;
	case SQLITE_CONSTRAINT:
		return UK_E_CONFLICT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return UK_E_INTEGRITY;
	default:
		return UK_E_INTERNAL;
	}
}

static enum uk_rc
fail(struct uk_err *err, sqlite3 *db, const char *where)
{
	const int code = sqlite3_extended_errcode(db);
	const enum uk_rc rc = map(code);

	return uk_fail(err, rc != UK_OK ? rc : UK_E_INTERNAL, NULL, where, code);
}

static enum uk_rc
script(struct db *d, const char *sql, struct uk_err *err)
{
	if (sqlite3_exec(handle(d), sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(err, handle(d), "sqlite.script");
	return UK_OK;
}

static void
close_db(struct db *d)
{
	(void)sqlite3_close_v2(handle(d));
	free(d);
}

/*
 * The log and the shared memory get the database's own mode.  A file that is there is not opened
 * here: to close it again would drop the locks that this process's connections hold on it
 * (fcntl(2)), and another process would then take the log away from under them.
 */
static enum uk_rc
create_private(const char *path, struct uk_err *err)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == EEXIST)
		return UK_OK;
	if (fd < 0)
		return uk_fail(err, UK_E_UNAVAILABLE, "database-unavailable", "sqlite.open", errno);
	(void)close(fd);
	return UK_OK;
}

static enum uk_rc
open_db(const char *where, bool readonly, struct db **out, struct uk_err *err)
{
	static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				       "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
				       "PRAGMA secure_delete = ON;";
	struct sqlite_db *d = uk_xalloc(sizeof(*d));
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	enum uk_rc rc = create_private(where, err);

	d->base.ops = &db_sqlite;
	if (rc != UK_OK)
		goto out;
	if (sqlite3_open_v2(where, &d->db, flags, NULL) != SQLITE_OK) {
		rc = fail(err, d->db, "sqlite.open");
		goto out;
	}
	(void)sqlite3_busy_timeout(d->db, BUSY_MS);
	rc = script(&d->base, settings, err);
	/* A read-only handle could not share the write-ahead log. */
	if (rc == UK_OK && readonly)
		rc = script(&d->base, "PRAGMA query_only = ON", err);
out:
	if (rc != UK_OK)
		close_db(&d->base);
	else
		*out = &d->base;
	return rc;
}

static enum uk_rc
begin(struct db *d, bool write, struct uk_err *err)
{
	return script(d, write ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

static enum uk_rc
commit(struct db *d, struct uk_err *err)
{
	return script(d, "COMMIT", err);
}

static void
rollback(struct db *d)
{
	if (sqlite3_get_autocommit(handle(d)) == 0)
		(void)sqlite3_exec(handle(d), "ROLLBACK", NULL, NULL, NULL);
}

static bool
in_tx(struct db *d)
{
	return sqlite3_get_autocommit(handle(d)) == 0;
}

static enum uk_rc
prepare(struct db *d, const char *sql, struct db_stmt **out, struct uk_err *err)
{
	struct sqlite_stmt *s = uk_xalloc(sizeof(*s));
	int count;

	*s = (struct sqlite_stmt){ .base.ops = &db_sqlite, .db = handle(d) };
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL) !=
	    SQLITE_OK) {
		free(s);
		return fail(err, handle(d), "sqlite.prepare");
	}
	count = sqlite3_bind_parameter_count(s->stmt);
	s->params = (size_t)count;
	for (size_t i = 0; i < s->params && i < PARAMS_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "$%zu", i + 1);
		s->at[i] = sqlite3_bind_parameter_index(s->stmt, name);
	}
	*out = &s->base;
	return UK_OK;
}

static int
bind(struct sqlite_stmt *s, int at, const struct db_value *v)
{
	switch (v->type) {
	case DB_NULL:
		return sqlite3_bind_null(s->stmt, at);
	case DB_INT:
		return sqlite3_bind_int64(s->stmt, at, v->num);
	case DB_TEXT:
		return sqlite3_bind_text64(s->stmt, at, (const char *)v->bytes.p, v->bytes.n,
		    SQLITE_TRANSIENT, SQLITE_UTF8);
	case DB_BLOB:
		/* A null pointer would bind NULL, not the empty blob. */
		return sqlite3_bind_blob64(s->stmt, at,
		    v->bytes.n != 0 ? (const void *)v->bytes.p : "", v->bytes.n, SQLITE_TRANSIENT);
	}
	return SQLITE_MISUSE;
}

static enum uk_rc
run(struct db_stmt *stmt, const struct db_value *values, size_t n, struct uk_err *err)
{
	struct sqlite_stmt *s = cast(stmt);

	if (n != s->params || n > PARAMS_MAX)
		return uk_fail(err, UK_E_INTERNAL, NULL, "sqlite.run", (long)n);
	for (size_t i = 0; i < n; i++)
		if (s->at[i] == 0 || bind(s, s->at[i], &values[i]) != SQLITE_OK)
			return uk_fail(err, UK_E_INTERNAL, NULL, "sqlite.bind", (long)i);
	return UK_OK;
}

static enum uk_rc
next(struct db_stmt *stmt, bool *row, struct uk_err *err)
{
	struct sqlite_stmt *s = cast(stmt);
	const int code = sqlite3_step(s->stmt);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return fail(err, s->db, "sqlite.step");
	*row = code == SQLITE_ROW;
	return UK_OK;
}

static int
columns(struct db_stmt *stmt)
{
	return sqlite3_column_count(cast(stmt)->stmt);
}

static const char *
col_name(struct db_stmt *stmt, int col)
{
	return sqlite3_column_name(cast(stmt)->stmt, col);
}

static bool
col_null(struct db_stmt *stmt, int col)
{
	return sqlite3_column_type(cast(stmt)->stmt, col) == SQLITE_NULL;
}

static int64_t
col_int(struct db_stmt *stmt, int col)
{
	return sqlite3_column_int64(cast(stmt)->stmt, col);
}

static const char *
col_text(struct db_stmt *stmt, int col)
{
	const void *p = sqlite3_column_text(cast(stmt)->stmt, col);

	return p != NULL ? p : "";
}

static struct uk_span
col_blob(struct db_stmt *stmt, int col)
{
	sqlite3_stmt *s = cast(stmt)->stmt;
	const void *p = sqlite3_column_blob(s, col);

	return uk_span(p, p != NULL ? (size_t)sqlite3_column_bytes(s, col) : 0);
}

static int64_t
changes(struct db_stmt *stmt)
{
	return sqlite3_changes64(cast(stmt)->db);
}

static void
done(struct db_stmt *stmt)
{
	(void)sqlite3_reset(cast(stmt)->stmt);
	/* Bound values are not kept any longer than they are needed. */
	(void)sqlite3_clear_bindings(cast(stmt)->stmt);
}

static void
drop(struct db_stmt *stmt)
{
	(void)sqlite3_finalize(cast(stmt)->stmt);
	free(stmt);
}

const struct db_ops db_sqlite = {
	.name = "sqlite",
	.open = open_db,
	.close = close_db,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.in_tx = in_tx,
	.script = script,
	.prepare = prepare,
	.run = run,
	.next = next,
	.columns = columns,
	.col_name = col_name,
	.col_null = col_null,
	.col_int = col_int,
	.col_text = col_text,
	.col_blob = col_blob,
	.changes = changes,
	.done = done,
	.drop = drop,
};
