/* The desks' queues ([A2, A3, A4]); tasks.c has what is on them beside orders. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/handlers.h"

#define PAGE 50

/* What each desk has before it: four states, or a statement of its own. */
static const struct {
	const char *name;
	enum sql_id sql;
	const char *states[4];
} queues[] = {
	{ "review", SQL_ORDERS_BY_STATE, { "review", "", "", "" } },
	{ "production", SQL_ORDERS_BY_STATE, { "production", "producing", "issuing", "proving" } },
	{ "shipping", SQL_ORDERS_BY_STATE, { "shipping", "", "", "" } },
	{ "attention", SQL_ORDERS_ATTENTION, { NULL } },
	{ "finance", SQL_ORDERS_FINANCE, { NULL } },
	{ "all", SQL_ORDERS_ALL, { NULL } },
};

struct page {
	const struct api *a;
	size_t queue;
	int64_t after; /* due date, or when it was made */
	char after_id[ORDER_ID_LEN];
	struct order orders[PAGE];
	size_t n;
	bool more;
	json_t *list;
};

static bool
newest_first(const struct page *p)
{
	return queues[p->queue].sql == SQL_ORDERS_ALL;
}

static struct store_rows *
query_page(struct store_tx *tx, const struct page *p)
{
	const char *const *s = queues[p->queue].states;

	if (s[0] == NULL)
		return store_query(tx, queues[p->queue].sql,
		    STORE_ARGS(DB_I(p->after), DB_T(p->after_id), DB_I(PAGE + 1)));
	return store_query(tx, SQL_ORDERS_BY_STATE,
	    STORE_ARGS(DB_T(s[0]), DB_T(s[1]), DB_T(s[2]), DB_T(s[3]), DB_I(p->after),
		DB_T(p->after_id), DB_I(PAGE + 1)));
}

static enum uk_rc
read_page(struct store_tx *tx, struct page *p, struct uk_err *err)
{
	struct store_rows *rows = query_page(tx, p);
	enum uk_rc rc = UK_OK, ended;

	p->n = 0;
	p->more = false;
	while (rc == UK_OK && store_next(rows)) {
		if (p->n == PAGE) {
			p->more = true;
			break;
		}
		rc = order_read(rows, &p->orders[p->n++], err);
	}
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

/* Why it is on a desk. */
static enum uk_rc
add_tasks(struct store_tx *tx, const struct order *o, json_t *item, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_TASKS_OF_ORDER, STORE_ARGS(DB_T(o->id)));
	json_t *list = json_array();

	while (store_next(rows))
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", store_text(rows, 0), "kind",
			      store_text(rows, 1), "role", store_text(rows, 2), "detail",
			      store_text(rows, 3), "createdAt", (json_int_t)store_int(rows, 4)));
	(void)json_object_set_new(item, "tasks", list);
	return store_end(rows, err);
}

static enum uk_rc
add_item(struct store_tx *tx, const struct page *p, const struct order *o, struct uk_err *err)
{
	const bool overdue =
	    o->state == ST_REVIEW && o->review_due != 0 && o->review_due < api_now(p->a);
	json_t *form = NULL;
	const char *holder;
	json_t *item;
	enum uk_rc rc;

	if ((rc = order_form_load(tx, p->a->crypt, o->id, &form, err)) != UK_OK)
		return rc;
	holder = json_string_value(json_object_get(form, order_kind_get(o->kind)->holder));
	item = json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "id", o->id, "kind",
	    order_kind_name(o->kind), "state", order_state_name(o->state), "holder",
	    holder != NULL ? holder : "", "createdAt", (json_int_t)o->created_at, "overdue",
	    overdue ? 1 : 0);
	if (o->review_due != 0)
		(void)json_object_set_new(item, "dueAt", json_integer(o->review_due));
	(void)json_array_append_new(p->list, item);
	json_decref(form);
	return add_tasks(tx, o, item, err);
}

static enum uk_rc
list_page(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct page *p = ctx;
	enum uk_rc rc;

	json_array_clear(p->list);
	if ((rc = read_page(tx, p, err)) != UK_OK)
		return rc;
	for (size_t i = 0; i < p->n; i++)
		if ((rc = add_item(tx, p, &p->orders[i], err)) != UK_OK)
			return rc;
	return UK_OK;
}

/* "TIME.ID", as `next` gave it. */
static bool
read_cursor(const char *s, struct page *p)
{
	char *end;

	p->after = strtoll(s, &end, 10);
	if (end == s || *end != '.' || strlen(end + 1) != ORDER_ID_LEN - 1)
		return false;
	memcpy(p->after_id, end + 1, ORDER_ID_LEN);
	return true;
}

static bool
read_queue(const struct http_request *rq, struct page *p)
{
	const char *queue = http_query(rq, "queue");
	const char *after = http_query(rq, "after");

	for (p->queue = 0; p->queue < sizeof(queues) / sizeof(queues[0]); p->queue++)
		if (queue != NULL && strcmp(queues[p->queue].name, queue) == 0)
			break;
	if (p->queue == sizeof(queues) / sizeof(queues[0]))
		return false;
	p->after = newest_first(p) ? INT64_MAX : -1;
	return after == NULL || read_cursor(after, p);
}

static json_t *
page_json(const struct page *p)
{
	json_t *answer = json_pack("{s:O}", "orders", p->list);

	if (p->more) {
		const struct order *last = &p->orders[p->n - 1];
		char next[64];

		(void)snprintf(next, sizeof(next), "%" PRId64 ".%s",
		    newest_first(p) ? last->created_at : last->review_due, last->id);
		(void)json_object_set_new(answer, "next", json_string(next));
	}
	return answer;
}

/* [A2, A3] */
enum uk_rc
staff_orders(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct page *p = uk_xalloc(sizeof(*p));
	json_t *answer;
	enum uk_rc rc;

	p->a = a;
	p->list = json_array();
	if (!read_queue(rq, p))
		rc = uk_fail_field(err, "queue", NULL);
	else
		rc = store_read(a->store, list_page, p, err);
	if (rc == UK_OK) {
		answer = page_json(p);
		http_answer_json(rq, 200, answer);
		json_decref(answer);
	}
	json_decref(p->list);
	free(p);
	return rc;
}
