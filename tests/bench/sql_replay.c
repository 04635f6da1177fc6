/*
 * bench-sql TRACE DATABASE: the transactions of a ukey-ca (sql_record.c) once more, through the
 * same store, on a copy of the database that it began with.  What it wrote together is handed to
 * the writer together; nothing else of ukey-ca runs.  Prints, tab-separated: seconds, processor
 * seconds, writes, commits, reads, statements.  A write that went well then and does not now is an
 * error.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sql_trace.h"
#include "store/store.h"

#define CONNECTIONS_MAX 64

struct statement {
	enum sql_id id;
	uint32_t steps;
	uint32_t n;
	struct db_value *values; /* lent from the trace */
};

/* One write, or one read. */
struct part {
	struct statement *v;
	size_t n;
	bool undone; /* rolled back then */
};

struct unit {
	struct part *v;
	size_t n;
	bool write;
};

/* A transaction that is being read. */
struct open {
	uint32_t connection;
	struct unit unit;
	bool busy;
	bool outside; /* no savepoint is open */
};

static struct {
	const uint8_t *p;
	const uint8_t *end;
	struct open open[CONNECTIONS_MAX];
	struct unit *units;
	size_t n;
} trace;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	size_t left;
	size_t wrong;
	sem_t held; /* the writer is in hold() ... */
	sem_t go;   /* ... and may leave it */
	long long holds;
} at = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

_Noreturn static void
fail(const char *what)
{
	(void)fprintf(stderr, "bench-sql: %s\n", what);
	exit(1);
}

/* Room for one more, doubled at powers of two. */
static void *
grow(void *v, size_t n, size_t size)
{
	if ((n & (n - 1)) == 0 && (v = realloc(v, (n == 0 ? 1 : 2 * n) * size)) == NULL)
		fail("memory");
	return v;
}

static void
take(void *to, size_t n)
{
	if ((size_t)(trace.end - trace.p) < n)
		fail("the trace ends too early");
	memcpy(to, trace.p, n);
	trace.p += n;
}

static uint32_t
take_u32(void)
{
	uint32_t n;

	take(&n, sizeof(n));
	return n;
}

static struct uk_span
take_bytes(void)
{
	const uint32_t n = take_u32();
	const struct uk_span s = uk_span(trace.p, n);

	if ((size_t)(trace.end - trace.p) < n)
		fail("the trace ends too early");
	trace.p += n;
	return s;
}

static bool
is(struct uk_span s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static enum sql_id
id_of(struct uk_span text)
{
	for (int id = 0; id < SQL__MAX; id++)
		if (is(text, sql_text((enum sql_id)id)))
			return (enum sql_id)id;
	fail("a statement that is not the store's");
}

static struct open *
open_of(uint32_t connection)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct open *o = &trace.open[i];

		if (o->connection == 0)
			o->connection = connection;
		if (o->connection == connection)
			return o;
	}
	fail("too many connections");
}

static struct part *
add_part(struct unit *u)
{
	u->v = grow(u->v, u->n, sizeof(*u->v));
	u->v[u->n] = (struct part){ 0 };
	return &u->v[u->n++];
}

static void
read_statement(struct open *o)
{
	struct statement s = { .id = id_of(take_bytes()) };
	struct part *part;

	s.steps = take_u32();
	s.n = take_u32();
	s.values = calloc(s.n + 1, sizeof(*s.values));
	if (s.values == NULL || s.n > SQL_TRACE_PARAMS_MAX)
		fail("statement");
	for (uint32_t i = 0; i < s.n; i++) {
		struct db_value *v = &s.values[i];

		const uint32_t type = take_u32();

		v->type = (enum db_type)type;
		if (v->type == DB_INT)
			take(&v->num, sizeof(v->num));
		else if (v->type != DB_NULL)
			v->bytes = take_bytes();
	}
	if (!o->busy)
		return;
	part = o->outside || o->unit.n == 0 ? add_part(&o->unit) : &o->unit.v[o->unit.n - 1];
	o->outside = false;
	part->v = grow(part->v, part->n, sizeof(*part->v));
	part->v[part->n++] = s;
}

static void
read_script(struct open *o)
{
	const struct uk_span text = take_bytes();

	if (is(text, "BEGIN") || is(text, "BEGIN IMMEDIATE")) {
		o->busy = true;
		o->outside = true;
		o->unit = (struct unit){ .write = is(text, "BEGIN IMMEDIATE") };
	} else if (is(text, "SAVEPOINT one")) {
		(void)add_part(&o->unit);
		o->outside = false;
	} else if (is(text, "ROLLBACK TO one; RELEASE one")) {
		o->unit.v[o->unit.n - 1].undone = true;
	} else if ((is(text, "COMMIT") || is(text, "ROLLBACK")) && o->busy) {
		o->busy = false;
		if (o->unit.n == 0)
			return;
		trace.units = grow(trace.units, trace.n, sizeof(*trace.units));
		trace.units[trace.n++] = o->unit;
	}
}

static void
read_trace(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *all;
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 ||
	    fseek(f, 0, SEEK_SET) != 0 || (all = malloc((size_t)size + 1)) == NULL ||
	    fread(all, 1, (size_t)size, f) != (size_t)size)
		fail("can't read the trace");
	(void)fclose(f);
	trace.p = all;
	trace.end = all + size;
	while (trace.p < trace.end) {
		const uint32_t op = take_u32();
		struct open *o = open_of(take_u32());

		if (op == SQL_TRACE_STATEMENT)
			read_statement(o);
		else
			read_script(o);
	}
}

static enum uk_rc
run_part(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct part *part = ctx;
	enum uk_rc rc = UK_OK;

	for (size_t i = 0; i < part->n && rc == UK_OK; i++) {
		const struct statement *s = &part->v[i];
		struct store_rows *rows = store_query(tx, s->id, s->values, s->n);

		for (uint32_t k = 0; k < s->steps; k++)
			if (!store_next(rows))
				break;
		rc = store_end(rows, err);
	}
	return rc == UK_OK && part->undone ? UK_E_CONFLICT : rc;
}

static void
ended(void *ctx, enum uk_rc rc, const struct uk_err *err)
{
	const struct part *part = ctx;

	(void)pthread_mutex_lock(&at.lock);
	if (rc != UK_OK && !part->undone) {
		at.wrong++;
		(void)fprintf(stderr, "bench-sql: %s at %s\n", uk_rc_name(rc), err->where);
	}
	if (--at.left == 0)
		(void)pthread_cond_signal(&at.wake);
	(void)pthread_mutex_unlock(&at.lock);
}

/* Writes nothing, which costs no disk: the writer takes all that is queued meanwhile as one. */
static enum uk_rc
hold(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	(void)tx;
	(void)ctx;
	(void)err;
	(void)sem_post(&at.held);
	while (sem_wait(&at.go) != 0)
		;
	return UK_OK;
}

static void
run_unit(struct store *store, const struct unit *u)
{
	struct uk_err err;

	if (!u->write) {
		if (store_read(store, run_part, &u->v[0], &err) != UK_OK)
			at.wrong++;
		return;
	}
	at.left = u->n;
	if (u->n > 1) {
		at.holds++;
		store_write(store, hold, NULL, NULL);
		while (sem_wait(&at.held) != 0)
			;
	}
	for (size_t i = 0; i < u->n; i++)
		store_write(store, run_part, ended, &u->v[i]);
	if (u->n > 1)
		(void)sem_post(&at.go);
	(void)pthread_mutex_lock(&at.lock);
	while (at.left > 0)
		(void)pthread_cond_wait(&at.wake, &at.lock);
	(void)pthread_mutex_unlock(&at.lock);
}

static double
now(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	struct store_stats stats;
	struct store *store;
	struct uk_err err;
	size_t reads = 0, statements = 0;
	double wall, cpu;

	if (argc != 3)
		fail("TRACE DATABASE");
	if (sem_init(&at.held, 0, 0) != 0 || sem_init(&at.go, 0, 0) != 0)
		fail("semaphore");
	read_trace(argv[1]);
	if (store_open(&(struct store_setup){ .driver = "sqlite", .where = argv[2] }, &store,
		&err) != UK_OK)
		fail("can't open the database");
	wall = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < trace.n; i++)
		run_unit(store, &trace.units[i]);
	wall = now(CLOCK_MONOTONIC) - wall;
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	store_stats_get(store, &stats);
	store_close(&store);
	for (size_t i = 0; i < trace.n; i++) {
		reads += trace.units[i].write ? 0 : 1;
		for (size_t k = 0; k < trace.units[i].n; k++)
			statements += trace.units[i].v[k].n;
	}
	(void)printf("%.6f\t%.6f\t%lld\t%lld\t%zu\t%zu\n", wall, cpu,
	    (long long)stats.writes - at.holds, (long long)stats.commits - at.holds, reads,
	    statements);
	return at.wrong == 0 ? 0 : 1;
}
