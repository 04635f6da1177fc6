#include "api/rate.h"

enum uk_rc
rate_hit(const struct api *a, struct store_tx *tx, const char *what, const char *who, int64_t most,
    int64_t window, const char *reason, int64_t *retry_after, struct uk_err *err)
{
	const int64_t now = api_now(a);
	struct store_rows *rows;
	int64_t count = 0;
	int64_t since = now;
	struct uk_buf key;
	enum uk_rc rc;

	uk_buf_init(&key, 512);
	uk_buf_printf(&key, "%s:%s", what, who);
	rows = store_query(
	    tx, SQL_RATE_HIT, STORE_ARGS(DB_T(uk_buf_str(&key)), DB_I(now), DB_I(now - window)));
	if (store_next(rows)) {
		count = store_int(rows, 0);
		since = store_int(rows, 1);
	}
	rc = store_end(rows, err);
	uk_buf_fini(&key);
	if (rc != UK_OK || count <= most)
		return rc;
	if (retry_after != NULL)
		*retry_after = since + window - now;
	return uk_fail(err, UK_E_RATE, reason, what, 0);
}
