/*
 * The database as the store sees it: one SQL text, thin drivers.  Statements use $1 ... $n, and
 * nothing but what SQLite and PostgreSQL both accept.  Row locks are where they differ: the text
 * has the comment "lock_row" or "skip_locked" in that place, which PostgreSQL's driver replaces by
 * FOR UPDATE and FOR UPDATE SKIP LOCKED, and which SQLite, having one writer, passes over.
 *
 * A connection belongs to one thread at a time.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uk/buf.h"
#include "uk/rc.h"

enum db_type {
	DB_NULL,
	DB_INT,
	DB_TEXT,
	DB_BLOB,
};

struct db_value {
	enum db_type type;
	int64_t num;
	struct uk_span bytes; /* lent until the statement has run */
};

#define DB_I(n) ((struct db_value){ .type = DB_INT, .num = (int64_t)(n) })
#define DB_T(s) db_text(s) /* NULL: the null value */
#define DB_B(b) ((struct db_value){ .type = DB_BLOB, .bytes = (b) })
#define DB_N    ((struct db_value){ .type = DB_NULL })

struct db_value db_text(const char *s);

/* An implementation embeds these as its first members. */
struct db {
	const struct db_ops *ops;
};
struct db_stmt {
	const struct db_ops *ops;
};

/*
 * All calls block.  UK_E_UNAVAILABLE: busy, disk full, connection lost: nothing was done, try
 * again.  UK_E_CONFLICT: a constraint said no.  UK_E_INTEGRITY: the file is damaged or no database.
 */
struct db_ops {
	const char *name;
	enum uk_rc (*open)(const char *where, bool readonly, struct db **, struct uk_err *);
	void (*close)(struct db *);
	enum uk_rc (*begin)(struct db *, bool write, struct uk_err *);
	enum uk_rc (*commit)(struct db *, struct uk_err *);
	void (*rollback)(struct db *);
	bool (*in_tx)(struct db *); /* an error may have ended the transaction by itself */
	/* Statements without parameters or rows: the schema, savepoints. */
	enum uk_rc (*script)(struct db *, const char *sql, struct uk_err *);
	enum uk_rc (*prepare)(struct db *, const char *sql, struct db_stmt **, struct uk_err *);
	/* Binds n values and starts; rows come by next(). */
	enum uk_rc (*run)(struct db_stmt *, const struct db_value *, size_t n, struct uk_err *);
	enum uk_rc (*next)(struct db_stmt *, bool *row, struct uk_err *);
	int (*columns)(struct db_stmt *);
	const char *(*col_name)(struct db_stmt *, int col);
	/* Of the row that next() gave, lent until the next call; a null reads as 0, "" and empty.
	 */
	bool (*col_null)(struct db_stmt *, int col);
	int64_t (*col_int)(struct db_stmt *, int col);
	const char *(*col_text)(struct db_stmt *, int col);
	struct uk_span (*col_blob)(struct db_stmt *, int col);
	int64_t (*changes)(struct db_stmt *); /* rows the statement changed */
	void (*done)(struct db_stmt *);       /* ready to run again */
	void (*drop)(struct db_stmt *);
};

extern const struct db_ops db_sqlite;

/* By name ("sqlite"); NULL for one that is not built in. */
const struct db_ops *db_driver(const char *name);

#endif
