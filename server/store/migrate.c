#include "store/conn.h"
#include "store/migrate.h"

struct step_ctx {
	const struct migrate_step *step;
	int64_t version;
};

static enum uk_rc
read_version(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct step_ctx *c = ctx;
	struct store_rows *rows = store_query(tx, SQL_SCHEMA_VERSION, STORE_NO_ARGS);

	if (store_next(rows))
		c->version = store_int(rows, 0);
	return store_end(rows, err);
}

static enum uk_rc
apply(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct step_ctx *c = ctx;
	const enum uk_rc rc = tx->ops->script(tx->db, c->step->sql, err);

	if (rc != UK_OK)
		return rc;
	return store_run(tx, SQL_SCHEMA_STEP,
	    STORE_ARGS(DB_I(c->step->version), DB_T(c->step->name)), NULL, err);
}

static enum uk_rc
in_transaction(struct store_tx *tx, store_fn *fn, void *ctx, struct uk_err *err)
{
	enum uk_rc rc = tx->ops->begin(tx->db, true, err);

	if (rc != UK_OK)
		return rc;
	rc = conn_call(tx, fn, ctx, err);
	if (rc == UK_OK)
		rc = tx->ops->commit(tx->db, err);
	if (rc != UK_OK)
		tx->ops->rollback(tx->db);
	return rc;
}

enum uk_rc
migrate_run(struct store_tx *tx, const struct migrate_step *steps, int n, struct uk_err *err)
{
	static const char table[] = "CREATE TABLE IF NOT EXISTS schema_steps ("
				    "version BIGINT PRIMARY KEY, name TEXT NOT NULL)";
	struct step_ctx c = { 0 };
	enum uk_rc rc = tx->ops->script(tx->db, table, err);

	if (rc == UK_OK)
		rc = in_transaction(tx, read_version, &c, err);
	if (rc == UK_OK && n > 0 && c.version > steps[n - 1].version)
		rc = uk_fail(err, UK_E_UNSUPPORTED, "schema-newer", "migrate", (long)c.version);
	for (int i = 0; i < n && rc == UK_OK; i++) {
		c.step = &steps[i];
		if (steps[i].version > c.version)
			rc = in_transaction(tx, apply, &c, err);
	}
	return rc;
}
