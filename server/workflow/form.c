#include "workflow/order.h"

#define FORM_MAX   (64u * 1024u)
#define PROVED_MAX 8

static struct crypt_place
place(const char *id)
{
	return (struct crypt_place){ .table = "order_forms", .row = id, .column = "form" };
}

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

enum uk_rc
order_form_store(struct store_tx *tx, const struct crypt *crypt, const struct order *o,
    const json_t *form, int64_t now, struct uk_err *err)
{
	const struct order_kind_row *kind = order_kind_get(o->kind);
	const struct crypt_place at = place(o->id);
	char number[CRYPT_INDEX_LEN];
	char phone[CRYPT_INDEX_LEN];
	struct uk_buf plain;
	struct uk_buf sealed;
	enum uk_rc rc;

	uk_buf_init(&plain, FORM_MAX);
	uk_buf_init(&sealed, FORM_MAX + CRYPT_OVERHEAD);
	rc = uk_json_put(&plain, form);
	if (rc != UK_OK)
		(void)uk_fail(err, rc, NULL, "form.store", 0);
	if (rc == UK_OK)
		rc = crypt_seal(crypt, CRYPT_PERSONAL, &at, uk_buf_span(&plain), &sealed, err);
	if (rc != UK_OK)
		goto out;
	rc = store_run(tx, SQL_FORM_PUT,
	    STORE_ARGS(DB_T(o->id), DB_B(uk_buf_span(&sealed)), DB_I(now)), NULL, err);
	if (rc != UK_OK)
		goto out;
	index_member(crypt, CRYPT_INDEX_NUMBER, form, kind->number, number);
	index_member(crypt, CRYPT_INDEX_PHONE, form, kind->phone, phone);
	rc = store_run(
	    tx, SQL_ORDER_INDEX_PUT, STORE_ARGS(DB_T(o->id), DB_T(number), DB_T(phone)), NULL, err);
out:
	uk_buf_fini(&plain);
	uk_buf_fini(&sealed);
	return rc;
}

enum uk_rc
order_form_load(struct store_tx *tx, const struct crypt *crypt, const char *id, json_t **out,
    struct uk_err *err)
{
	const struct crypt_place at = place(id);
	struct store_rows *rows = store_query(tx, SQL_FORM_GET, STORE_ARGS(DB_T(id)));
	json_t *form = NULL;
	struct uk_buf plain;
	enum uk_rc rc = UK_E_NOT_FOUND;
	enum uk_rc end;

	uk_buf_init(&plain, FORM_MAX);
	if (!store_next(rows))
		(void)uk_fail(err, UK_E_NOT_FOUND, "order-not-found", "form.load", 0);
	else
		rc = crypt_unseal(crypt, CRYPT_PERSONAL, &at, store_blob(rows, 0), &plain, err);
	if (rc == UK_OK)
		rc = uk_json_parse(uk_buf_span(&plain), FORM_MAX, &form, err);
	end = store_end(rows, err);
	if (rc == UK_OK)
		rc = end;
	if (rc == UK_OK)
		*out = form;
	else
		json_decref(form);
	uk_buf_fini(&plain);
	return rc;
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
