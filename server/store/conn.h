/* A connection with its prepared statements: what is inside a struct store_tx. */
#ifndef STORE_CONN_H
#define STORE_CONN_H

#include "store/store.h"

struct store_rows {
	struct store_tx *tx;
	struct db_stmt *stmt;
	bool open;
	enum uk_rc rc; /* of this query, so far */
	struct uk_err err;
};

struct store_tx {
	const struct db_ops *ops;
	struct db *db;
	enum uk_rc rc; /* of the first statement that failed in this transaction */
	struct uk_err err;
	struct store_rows rows[SQL__MAX];
};

UK_CHECK enum uk_rc conn_open(const struct db_ops *ops, const char *where, bool readonly,
    struct store_tx **out, struct uk_err *err);
void conn_close(struct store_tx **tx);

/* Calls fn and ends what it left open; a failed statement outweighs fn's UK_OK. */
UK_CHECK enum uk_rc conn_call(struct store_tx *tx, store_fn *fn, void *ctx, struct uk_err *err);

#endif
