#include <stdlib.h>

#include "store/conn.h"

enum uk_rc
conn_open(const struct db_ops *ops, const char *where, bool readonly, struct store_tx **out,
    struct uk_err *err)
{
	struct store_tx *tx = uk_xalloc(sizeof(*tx));
	const enum uk_rc rc = ops->open(where, readonly, &tx->db, err);

	if (rc != UK_OK) {
		free(tx);
		return rc;
	}
	tx->ops = ops;
	for (size_t i = 0; i < SQL__MAX; i++)
		tx->rows[i].tx = tx;
	*out = tx;
	return UK_OK;
}

void
conn_close(struct store_tx **tx)
{
	struct store_tx *t = *tx;

	if (t == NULL)
		return;
	for (size_t i = 0; i < SQL__MAX; i++)
		if (t->rows[i].stmt != NULL)
			t->ops->drop(t->rows[i].stmt);
	t->ops->close(t->db);
	free(t);
	*tx = NULL;
}

static void
end_all(struct store_tx *tx)
{
	for (size_t i = 0; i < SQL__MAX; i++)
		if (tx->rows[i].open) {
			tx->rows[i].open = false;
			tx->ops->done(tx->rows[i].stmt);
		}
}

enum uk_rc
conn_call(struct store_tx *tx, store_fn *fn, void *ctx, struct uk_err *err)
{
	enum uk_rc rc;

	tx->rc = UK_OK;
	rc = fn(tx, ctx, err);
	end_all(tx);
	if (rc == UK_OK && tx->rc != UK_OK) {
		*err = tx->err;
		rc = tx->rc;
	}
	return rc;
}

static void
failed(struct store_rows *rows, enum uk_rc rc)
{
	rows->rc = rc;
	if (rows->tx->rc == UK_OK) {
		rows->tx->rc = rc;
		rows->tx->err = rows->err;
	}
}

struct store_rows *
store_query(struct store_tx *tx, enum sql_id id, const struct db_value *args, size_t n)
{
	struct store_rows *rows = &tx->rows[id];
	enum uk_rc rc = UK_OK;

	if (rows->open) /* a caller that uses one statement twice at a time is wrong */
		abort();
	rows->rc = UK_OK;
	rows->err = (struct uk_err){ 0 };
	if (rows->stmt == NULL)
		rc = tx->ops->prepare(tx->db, sql_text(id), &rows->stmt, &rows->err);
	if (rc == UK_OK) {
		rows->open = true;
		rc = tx->ops->run(rows->stmt, args, n, &rows->err);
	}
	if (rc != UK_OK)
		failed(rows, rc);
	return rows;
}

bool
store_next(struct store_rows *rows)
{
	bool row = false;
	enum uk_rc rc;

	if (rows->rc != UK_OK)
		return false;
	rc = rows->tx->ops->next(rows->stmt, &row, &rows->err);
	if (rc != UK_OK)
		failed(rows, rc);
	return rc == UK_OK && row;
}

enum uk_rc
store_end(struct store_rows *rows, struct uk_err *err)
{
	if (rows->open) {
		rows->open = false;
		rows->tx->ops->done(rows->stmt);
	}
	if (rows->rc != UK_OK && err != NULL)
		*err = rows->err;
	return rows->rc;
}

enum uk_rc
store_run(struct store_tx *tx, enum sql_id id, const struct db_value *args, size_t n,
    int64_t *changed, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, id, args, n);

	while (store_next(rows))
		;
	if (rows->rc == UK_OK && changed != NULL)
		*changed = tx->ops->changes(rows->stmt);
	return store_end(rows, err);
}

bool
store_null(const struct store_rows *rows, int col)
{
	return rows->tx->ops->col_null(rows->stmt, col);
}

int64_t
store_int(const struct store_rows *rows, int col)
{
	return rows->tx->ops->col_int(rows->stmt, col);
}

const char *
store_text(const struct store_rows *rows, int col)
{
	return rows->tx->ops->col_text(rows->stmt, col);
}

struct uk_span
store_blob(const struct store_rows *rows, int col)
{
	return rows->tx->ops->col_blob(rows->stmt, col);
}

int
store_columns(const struct store_rows *rows)
{
	return rows->tx->ops->columns(rows->stmt);
}

const char *
store_column_name(const struct store_rows *rows, int col)
{
	return rows->tx->ops->col_name(rows->stmt, col);
}
