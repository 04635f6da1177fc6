/*
 * What a ukey-ca asked of SQLite, as sql_record.c writes it and sql_replay.c reads it, in the order
 * in which it was done.  All numbers are the machine's own; a text is its length and its bytes.
 *
 *	SQL_TRACE_SCRIPT     connection  text
 *	SQL_TRACE_STATEMENT  connection  text  steps  n  values: type, and the number or the bytes
 */
#ifndef BENCH_SQL_TRACE_H
#define BENCH_SQL_TRACE_H

#include <stdint.h>

#define SQL_TRACE_PARAMS_MAX 48

enum sql_trace_op {
	SQL_TRACE_SCRIPT = 1,
	SQL_TRACE_STATEMENT,
};

/* In the order of enum db_type (store/db.h). */
enum sql_trace_type {
	SQL_TRACE_NULL,
	SQL_TRACE_INT,
	SQL_TRACE_TEXT,
	SQL_TRACE_BLOB,
};

#endif
