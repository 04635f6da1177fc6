/* [A4, L1, L8] What has come to our account, and the orders it is for. */
#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/handlers.h"
#include "api/place.h"
#include "pay/records.h"

#define LIST_MAX 500
#define ID_BYTES 12
#define ID_LEN   (2 * ID_BYTES + 1)

struct entering {
	const struct api *a;
	struct store_tx *tx;
	const char *by;
	int64_t new_ones;
	int64_t known;
	const struct record *one; /* or: */
	struct uk_span csv;
};

/* The same record of the bank twice is one. */
static enum uk_rc
put(const struct record *r, void *ctx, struct uk_err *err)
{
	struct entering *e = ctx;
	char id[ID_LEN];
	char row[PLACE_ROW_LEN];
	struct crypt_place at;
	struct uk_buf sealed;
	int64_t changed = 0;
	enum uk_rc rc;

	uk_random_hex(e->a->random, id, ID_BYTES);
	at = place("remittances", id, "1", "account", row);
	uk_buf_init(&sealed, RECORD_CELL_MAX + CRYPT_OVERHEAD);
	rc = crypt_seal(e->a->crypt, CRYPT_PERSONAL, &at, uk_span_str(r->account), &sealed, err);
	if (rc == UK_OK)
		rc = store_run(e->tx, SQL_REMITTANCE_PUT,
		    STORE_ARGS(DB_T(id), DB_T(r->reference), DB_T(r->payer),
			DB_B(uk_buf_span(&sealed)), DB_T(r->remark), DB_I(r->amount), DB_I(r->at),
			DB_I(api_now(e->a)), DB_T(e->by)),
		    &changed, err);
	uk_buf_fini(&sealed);
	if (changed != 0)
		e->new_ones++;
	else
		e->known++;
	return rc;
}

static enum uk_rc
enter(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct entering *e = ctx;

	e->tx = tx;
	e->new_ones = e->known = 0;
	return e->one != NULL ? put(e->one, e, err) : records_read(e->csv, put, e, err);
}

static enum uk_rc
answer_entered(struct entering *e, struct http_request *rq, struct uk_err *err)
{
	json_t *answer;
	const enum uk_rc rc = store_write_wait(e->a->store, enter, e, err);

	if (rc != UK_OK)
		return rc;
	answer = json_pack(
	    "{s:I, s:I}", "entered", (json_int_t)e->new_ones, "known", (json_int_t)e->known);
	http_answer_json(rq, 200, answer);
	json_decref(answer);
	return UK_OK;
}

enum uk_rc
remittance_enter(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct remittance_body *body = http_fields(rq);
	const struct record one = { .reference = body->reference,
		.payer = body->payer,
		.account = body->account != NULL ? body->account : "",
		.remark = body->remark != NULL ? body->remark : "",
		.amount = body->amount,
		.at = body->received_at };
	struct entering e = { .a = app, .by = api_user(rq)->staff, .one = &one };

	return answer_entered(&e, rq, err);
}

enum uk_rc
remittance_import(void *app, struct http_request *rq, struct uk_err *err)
{
	struct entering e = { .a = app, .by = api_user(rq)->staff, .csv = http_body(rq) };

	return answer_entered(&e, rq, err);
}

struct hand {
	const struct user *user;
	const char *order;
	bool there;
};

static enum uk_rc
find_hand(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct hand *h = ctx;
	struct store_rows *rows =
	    store_query(tx, SQL_REMITTANCE_HAND, STORE_ARGS(DB_T(h->order), DB_T(h->user->staff)));

	h->there = store_next(rows);
	return store_end(rows, err);
}

enum uk_rc
remittance_apart(const struct api *a, const struct http_request *rq, struct uk_err *err)
{
	struct hand h = { .user = api_user(rq), .order = http_param(rq, "id") };
	const enum uk_rc rc = store_read(a->store, find_hand, &h, err);

	return rc == UK_OK && h.there ? uk_fail(err, UK_E_DENIED, "same-person", "remittance", 0)
				      : rc;
}

struct list {
	const struct api *a;
	json_t *v;
};

/* "UK" and fourteen of its kind somewhere in the remark. */
static bool
find_order(const char *remark, char out[ORDER_ID_LEN])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	for (const char *p = strstr(remark, "UK"); p != NULL; p = strstr(p + 1, "UK"))
		if (strspn(p + 2, digits) >= ORDER_ID_LEN - 3) {
			(void)snprintf(out, ORDER_ID_LEN, "%.*s", ORDER_ID_LEN - 1, p);
			return true;
		}
	return false;
}

static enum uk_rc
account_of(
    const struct list *l, const struct store_rows *rows, struct uk_buf *out, struct uk_err *err)
{
	char row[PLACE_ROW_LEN];
	const struct crypt_place at =
	    place("remittances", store_text(rows, 0), "1", "account", row);

	return crypt_unseal(l->a->crypt, CRYPT_PERSONAL, &at, store_blob(rows, 3), out, err);
}

static enum uk_rc
add_row(const struct list *l, const struct store_rows *rows, struct uk_err *err)
{
	char suggested[ORDER_ID_LEN];
	struct uk_buf account;
	json_t *v;
	enum uk_rc rc;

	uk_buf_init(&account, RECORD_CELL_MAX);
	if ((rc = account_of(l, rows, &account, err)) == UK_OK) {
		v = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "id", store_text(rows, 0),
		    "reference", store_text(rows, 1), "payer", store_text(rows, 2), "account",
		    uk_buf_str(&account), "remark", store_text(rows, 4), "amount",
		    (json_int_t)store_int(rows, 5), "receivedAt", (json_int_t)store_int(rows, 6),
		    "enteredAt", (json_int_t)store_int(rows, 7));
		if (*store_text(rows, 9) != '\0') {
			(void)json_object_set_new(v, "order", json_string(store_text(rows, 9)));
			(void)json_object_set_new(
			    v, "matchedAt", json_integer(store_int(rows, 10)));
		} else if (find_order(store_text(rows, 4), suggested)) {
			(void)json_object_set_new(v, "suggested", json_string(suggested));
		}
		(void)json_array_append_new(l->v, v);
	}
	uk_buf_fini(&account);
	return rc;
}

static enum uk_rc
read_list(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct list *l = ctx;
	struct store_rows *rows = store_query(tx, SQL_REMITTANCES, STORE_ARGS(DB_I(LIST_MAX)));
	enum uk_rc rc = UK_OK, ended;

	json_array_clear(l->v);
	while (rc == UK_OK && store_next(rows))
		rc = add_row(l, rows, err);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

/* What is not matched comes first. */
enum uk_rc
remittance_list(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct list l = { .a = a, .v = json_array() };
	json_t *answer = json_pack("{s:o}", "remittances", l.v);
	const enum uk_rc rc = store_read(a->store, read_list, &l, err);

	if (rc == UK_OK)
		http_answer_json(rq, 200, answer);
	json_decref(answer);
	return rc;
}

struct matching {
	const struct api *a;
	const char *id;
	struct event ev;
	char reference[65];
};

static enum uk_rc
read_remittance(struct matching *m, struct store_tx *tx, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_REMITTANCE_GET, STORE_ARGS(DB_T(m->id)));
	bool there = store_next(rows), matched = false;
	enum uk_rc rc;

	if (there) {
		(void)snprintf(m->reference, sizeof(m->reference), "%s", store_text(rows, 1));
		m->ev.amount = store_int(rows, 5);
		m->ev.at = store_int(rows, 6);
		matched = *store_text(rows, 9) != '\0';
	}
	if ((rc = store_end(rows, err)) != UK_OK)
		return rc;
	if (!there)
		return uk_fail(err, UK_E_NOT_FOUND, NULL, "remittance", 0);
	if (matched)
		return uk_fail(err, UK_E_CONFLICT, "remittance-matched", "remittance", 0);
	return UK_OK;
}

/* One remittance pays one order, with the exact amount: what the event's guard asks. */
static enum uk_rc
match(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct matching *m = ctx;
	int64_t changed = 0;
	enum uk_rc rc;

	if ((rc = read_remittance(m, tx, err)) != UK_OK)
		return rc;
	m->ev.trade = m->reference;
	rc = workflow_apply(m->a->workflow, tx, &m->ev, &(struct workflow_result){ 0 }, err);
	m->ev.trade = NULL;
	if (rc != UK_OK)
		return rc;
	rc = store_run(tx, SQL_REMITTANCE_MATCH,
	    STORE_ARGS(DB_T(m->id), DB_T(m->ev.order), DB_I(api_now(m->a)), DB_T(m->ev.actor)),
	    &changed, err);
	if (rc == UK_OK && changed != 1)
		rc = uk_fail(err, UK_E_CONFLICT, "remittance-matched", "remittance", 0);
	return rc;
}

enum uk_rc
remittance_match(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct match_body *body = http_fields(rq);
	const struct user *u = api_user(rq);
	struct matching m = { .a = a,
		.id = http_param(rq, "id"),
		.ev = { .on = EV_REMITTED,
		    .order = body->order,
		    .by = api_by(u),
		    .actor = u->staff,
		    .version = body->version } };
	const enum uk_rc rc = store_write_wait(a->store, match, &m, err);

	return rc == UK_OK ? answer_detail(a, rq, body->order, err) : rc;
}
