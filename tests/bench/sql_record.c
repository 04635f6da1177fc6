/*
 * Preloaded into ukey-ca: writes down what it asks of SQLite (sql_trace.h) into the file that
 * UKEY_BENCH_SQL names.  A statement is written when it is reset, as it was bound and with how
 * often it was stepped.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "sql_trace.h"

#define STATEMENTS_MAX 4096

struct value {
	enum sql_trace_type type;
	int64_t num;
	void *bytes;
	uint32_t n;
};

struct statement {
	sqlite3_stmt *stmt;
	uint32_t steps;
	struct value v[SQL_TRACE_PARAMS_MAX];
};

static struct {
	pthread_mutex_t lock;
	FILE *out;
	struct statement *v[STATEMENTS_MAX];
	size_t n;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The function that stands behind ours. */
#define REAL(name)                                                                                 \
	static __typeof__(name) *real;                                                             \
	if (real == NULL)                                                                          \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

static void
put(const void *p, size_t n)
{
	if (all.out != NULL && fwrite(p, 1, n, all.out) != n)
		abort();
}

static void
put_u32(uint32_t n)
{
	put(&n, sizeof(n));
}

static void
put_bytes(const void *p, size_t n)
{
	put_u32((uint32_t)n);
	put(p, n);
}

static void
put_head(enum sql_trace_op op, const sqlite3 *db)
{
	put_u32(op);
	put_u32((uint32_t)((uintptr_t)db >> 4));
}

static struct statement *
find(const sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i]->stmt == stmt)
			return all.v[i];
	return NULL;
}

static void
forget_values(struct statement *s)
{
	for (size_t i = 0; i < SQL_TRACE_PARAMS_MAX; i++) {
		free(s->v[i].bytes);
		s->v[i] = (struct value){ 0 };
	}
}

static void
write_statement(struct statement *s)
{
	const char *text = sqlite3_sql(s->stmt);
	const uint32_t n = (uint32_t)sqlite3_bind_parameter_count(s->stmt);

	put_head(SQL_TRACE_STATEMENT, sqlite3_db_handle(s->stmt));
	put_bytes(text, strlen(text));
	put_u32(s->steps);
	put_u32(n);
	for (uint32_t i = 0; i < n; i++) {
		put_u32(s->v[i].type);
		if (s->v[i].type == SQL_TRACE_INT)
			put(&s->v[i].num, sizeof(s->v[i].num));
		else if (s->v[i].type != SQL_TRACE_NULL)
			put_bytes(s->v[i].bytes, s->v[i].n);
	}
}

/* The parameter's place is in its name, "$3". */
static void
keep(sqlite3_stmt *stmt, int at, enum sql_trace_type type, int64_t num, const void *bytes, size_t n)
{
	struct statement *s;
	size_t place;

	(void)pthread_mutex_lock(&all.lock);
	s = find(stmt);
	place = strtoul(sqlite3_bind_parameter_name(stmt, at) + 1, NULL, 10) - 1;
	if (s != NULL && place < SQL_TRACE_PARAMS_MAX) {
		struct value *v = &s->v[place];

		free(v->bytes);
		*v = (struct value){ .type = type, .num = num, .n = (uint32_t)n };
		if (n > 0) {
			if ((v->bytes = malloc(n)) == NULL)
				abort();
			memcpy(v->bytes, bytes, n);
		}
	}
	(void)pthread_mutex_unlock(&all.lock);
}

int
sqlite3_prepare_v3(
    sqlite3 *db, const char *sql, int n, unsigned int flags, sqlite3_stmt **stmt, const char **tail)
{
	REAL(sqlite3_prepare_v3);
	const int code = real(db, sql, n, flags, stmt, tail);
	struct statement *s;

	if (code != SQLITE_OK)
		return code;
	(void)pthread_mutex_lock(&all.lock);
	if (all.out == NULL && getenv("UKEY_BENCH_SQL") != NULL)
		all.out = fopen(getenv("UKEY_BENCH_SQL"), "we");
	if (all.n == STATEMENTS_MAX || (s = calloc(1, sizeof(*s))) == NULL)
		abort();
	s->stmt = *stmt;
	all.v[all.n++] = s;
	(void)pthread_mutex_unlock(&all.lock);
	return code;
}

int
sqlite3_bind_null(sqlite3_stmt *stmt, int at)
{
	REAL(sqlite3_bind_null);
	keep(stmt, at, SQL_TRACE_NULL, 0, NULL, 0);
	return real(stmt, at);
}

int
sqlite3_bind_int64(sqlite3_stmt *stmt, int at, sqlite3_int64 num)
{
	REAL(sqlite3_bind_int64);
	keep(stmt, at, SQL_TRACE_INT, num, NULL, 0);
	return real(stmt, at, num);
}

int
sqlite3_bind_text64(sqlite3_stmt *stmt, int at, const char *text, sqlite3_uint64 n,
    void (*drop)(void *), unsigned char encoding)
{
	REAL(sqlite3_bind_text64);
	keep(stmt, at, SQL_TRACE_TEXT, 0, text, n);
	return real(stmt, at, text, n, drop, encoding);
}

int
sqlite3_bind_blob64(
    sqlite3_stmt *stmt, int at, const void *bytes, sqlite3_uint64 n, void (*drop)(void *))
{
	REAL(sqlite3_bind_blob64);
	keep(stmt, at, SQL_TRACE_BLOB, 0, bytes, n);
	return real(stmt, at, bytes, n, drop);
}

int
sqlite3_step(sqlite3_stmt *stmt)
{
	REAL(sqlite3_step);
	struct statement *s;

	(void)pthread_mutex_lock(&all.lock);
	if ((s = find(stmt)) != NULL)
		s->steps++;
	(void)pthread_mutex_unlock(&all.lock);
	return real(stmt);
}

int
sqlite3_reset(sqlite3_stmt *stmt)
{
	REAL(sqlite3_reset);
	struct statement *s;

	(void)pthread_mutex_lock(&all.lock);
	if ((s = find(stmt)) != NULL) {
		if (s->steps > 0)
			write_statement(s);
		s->steps = 0;
		forget_values(s);
	}
	(void)pthread_mutex_unlock(&all.lock);
	return real(stmt);
}

int
sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx,
    char **error)
{
	REAL(sqlite3_exec);

	(void)pthread_mutex_lock(&all.lock);
	put_head(SQL_TRACE_SCRIPT, db);
	put_bytes(sql, strlen(sql));
	(void)pthread_mutex_unlock(&all.lock);
	return real(db, sql, row, ctx, error);
}

int
sqlite3_finalize(sqlite3_stmt *stmt)
{
	REAL(sqlite3_finalize);

	(void)pthread_mutex_lock(&all.lock);
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i]->stmt == stmt) {
			forget_values(all.v[i]);
			free(all.v[i]);
			all.v[i] = all.v[--all.n];
			break;
		}
	(void)pthread_mutex_unlock(&all.lock);
	return real(stmt);
}

__attribute__((destructor)) static void
end(void)
{
	if (all.out != NULL)
		(void)fclose(all.out);
	all.out = NULL;
}
