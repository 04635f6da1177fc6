#include <stdio.h>

#include "workflow/order.h"

#define FORM_MAX   (64u * 1024u)
#define PROVED_MAX 12
#define ROW_LEN    64

/* Absent and not a string: the empty span. */
static struct uk_span
member(const json_t *form, const char *name)
{
	const json_t *v = json_object_get(form, name);

	return uk_span(json_string_value(v), json_string_length(v));
}

static void
index_member(const struct crypt *crypt, enum crypt_index which, const json_t *form,
    const char *name, char out[CRYPT_INDEX_LEN])
{
	const struct uk_span part = member(form, name);

	crypt_index(crypt, which, &part, 1, out);
}

static enum uk_rc
seal_json(const struct crypt *crypt, const struct crypt_place *at, const json_t *value,
    struct uk_buf *out, struct uk_err *err)
{
	struct uk_buf plain;
	enum uk_rc rc;

	uk_buf_init(&plain, FORM_MAX);
	uk_buf_init(out, FORM_MAX + CRYPT_OVERHEAD);
	rc = uk_json_put(&plain, value);
	if (rc != UK_OK)
		(void)uk_fail(err, rc, NULL, "form.seal", 0);
	else
		rc = crypt_seal(crypt, CRYPT_PERSONAL, at, uk_buf_span(&plain), out, err);
	uk_buf_fini(&plain);
	return rc;
}

/* Column `col` of the query's first row. */
static enum uk_rc
unseal_row(struct store_rows *rows, int col, const struct crypt *crypt,
    const struct crypt_place *at, json_t **out, struct uk_err *err)
{
	json_t *value = NULL;
	struct uk_buf plain;
	enum uk_rc rc = UK_E_NOT_FOUND;
	enum uk_rc end;

	uk_buf_init(&plain, FORM_MAX);
	if (!store_next(rows))
		(void)uk_fail(err, UK_E_NOT_FOUND, NULL, "form.load", 0);
	else
		rc = crypt_unseal(crypt, CRYPT_PERSONAL, at, store_blob(rows, col), &plain, err);
	if (rc == UK_OK)
		rc = uk_json_parse(uk_buf_span(&plain), FORM_MAX, &value, err);
	end = store_end(rows, err);
	if (end != UK_OK)
		rc = end;
	if (rc == UK_OK)
		*out = value;
	else
		json_decref(value);
	uk_buf_fini(&plain);
	return rc;
}

static struct crypt_place
form_place(const char *id)
{
	return (struct crypt_place){ .table = "order_forms", .row = id, .column = "form" };
}

enum uk_rc
order_form_store(struct store_tx *tx, const struct crypt *crypt, const struct order *o,
    const json_t *form, int64_t now, struct uk_err *err)
{
	const struct order_kind_row *kind = order_kind_get(o->kind);
	const struct crypt_place at = form_place(o->id);
	char number[CRYPT_INDEX_LEN];
	char phone[CRYPT_INDEX_LEN];
	struct uk_buf sealed;
	enum uk_rc rc = seal_json(crypt, &at, form, &sealed, err);

	if (rc == UK_OK)
		rc = store_run(tx, SQL_FORM_PUT,
		    STORE_ARGS(DB_T(o->id), DB_B(uk_buf_span(&sealed)), DB_I(now)), NULL, err);
	uk_buf_fini(&sealed);
	if (rc != UK_OK)
		return rc;
	index_member(crypt, CRYPT_INDEX_NUMBER, form, kind->number, number);
	index_member(crypt, CRYPT_INDEX_PHONE, form, kind->phone, phone);
	return store_run(
	    tx, SQL_ORDER_INDEX_PUT, STORE_ARGS(DB_T(o->id), DB_T(number), DB_T(phone)), NULL, err);
}

enum uk_rc
order_form_load(struct store_tx *tx, const struct crypt *crypt, const char *id, json_t **out,
    struct uk_err *err)
{
	const struct crypt_place at = form_place(id);

	return unseal_row(
	    store_query(tx, SQL_FORM_GET, STORE_ARGS(DB_T(id))), 0, crypt, &at, out, err);
}

void
order_identity_digest(
    const struct crypt *crypt, enum order_kind kind, const json_t *form, char out[CRYPT_INDEX_LEN])
{
	const struct order_kind_row *row = order_kind_get(kind);
	struct uk_span parts[PROVED_MAX];
	size_t n = 0;

	for (; row->proved[n] != NULL && n < PROVED_MAX; n++)
		parts[n] = member(form, row->proved[n]);
	crypt_index(crypt, CRYPT_INDEX_IDENTITY, parts, n, out);
}

static struct crypt_place
check_place(char row[ROW_LEN], const char *id, int64_t n)
{
	(void)snprintf(row, ROW_LEN, "%s/%lld", id, (long long)n);
	return (struct crypt_place){ .table = "identity_checks", .row = row, .column = "subject" };
}

enum uk_rc
order_check_store(struct store_tx *tx, const struct crypt *crypt, const struct order *o,
    const json_t *subject, int64_t now, struct uk_err *err)
{
	char row[ROW_LEN];
	const struct crypt_place at = check_place(row, o->id, o->identity_checks);
	struct uk_buf sealed;
	enum uk_rc rc = seal_json(crypt, &at, subject, &sealed, err);

	if (rc == UK_OK)
		rc = store_run(tx, SQL_CHECK_PUT,
		    STORE_ARGS(DB_T(o->id), DB_I(o->identity_checks),
			DB_T(identity_method_name(o->identity_method)), DB_B(uk_buf_span(&sealed)),
			DB_I(now)),
		    NULL, err);
	uk_buf_fini(&sealed);
	return rc;
}

enum uk_rc
order_check_load(struct store_tx *tx, const struct crypt *crypt, const char *id, int64_t n,
    json_t **out, struct uk_err *err)
{
	char row[ROW_LEN];
	const struct crypt_place at = check_place(row, id, n);

	return unseal_row(
	    store_query(tx, SQL_CHECK_GET, STORE_ARGS(DB_T(id), DB_I(n))), 1, crypt, &at, out, err);
}

enum uk_rc
order_check_end(struct store_tx *tx, const struct crypt *crypt, const char *id, int64_t n,
    const char *outcome, const char *evidence, const json_t *subject, int64_t now,
    struct uk_err *err)
{
	char row[ROW_LEN];
	const struct crypt_place at = check_place(row, id, n);
	struct uk_buf sealed;
	enum uk_rc rc = seal_json(crypt, &at, subject, &sealed, err);

	if (rc == UK_OK)
		rc = store_run(tx, SQL_CHECK_END,
		    STORE_ARGS(DB_T(id), DB_I(n), DB_T(outcome), DB_T(evidence), DB_I(now),
			DB_B(uk_buf_span(&sealed))),
		    NULL, err);
	uk_buf_fini(&sealed);
	return rc;
}
