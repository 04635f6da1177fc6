#include <string.h>

#include "api/handlers.h"

#define TASKS_MAX 200

struct desk {
	const struct user *user;
	const char *id; /* the one that is done */
	int64_t now;
	int64_t changed;
	json_t *list;
};

/* A task is on the desk of one role. */
static bool
is_mine(const struct user *u, const char *role)
{
	unsigned who = 0;

	return api_roles_read(role, &who) == UK_OK && (u->who & who) != 0;
}

static enum uk_rc
read_tasks(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct desk *d = ctx;
	struct store_rows *rows = store_query(tx, SQL_TASKS_OPEN, STORE_ARGS(DB_I(TASKS_MAX)));

	json_array_clear(d->list);
	while (store_next(rows)) {
		json_t *task;

		if (!is_mine(d->user, store_text(rows, 2)))
			continue;
		task = json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", store_text(rows, 0), "kind",
		    store_text(rows, 1), "role", store_text(rows, 2), "detail", store_text(rows, 4),
		    "createdAt", (json_int_t)store_int(rows, 5));
		if (*store_text(rows, 3) != '\0')
			(void)json_object_set_new(task, "order", json_string(store_text(rows, 3)));
		(void)json_array_append_new(d->list, task);
	}
	return store_end(rows, err);
}

/* What the system has asked the staff to look at. */
enum uk_rc
staff_tasks(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct desk d = { .user = api_user(rq), .list = json_array() };
	const enum uk_rc rc = store_read(a->store, read_tasks, &d, err);

	if (rc == UK_OK) {
		json_t *answer = json_pack("{s:O}", "tasks", d.list);

		http_answer_json(rq, 200, answer);
		json_decref(answer);
	}
	json_decref(d.list);
	return rc;
}

static enum uk_rc
close_task(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct desk *d = ctx;
	struct store_rows *rows = store_query(tx, SQL_TASK_GET, STORE_ARGS(DB_T(d->id)));
	bool mine = false;
	enum uk_rc rc;

	if (store_next(rows))
		mine = is_mine(d->user, store_text(rows, 0));
	if ((rc = store_end(rows, err)) != UK_OK)
		return rc;
	if (!mine)
		return uk_fail(err, UK_E_NOT_FOUND, NULL, "task", 0);
	return store_run(tx, SQL_TASK_CLOSE,
	    STORE_ARGS(DB_T(d->id), DB_I(d->now), DB_T(d->user->staff)), &d->changed, err);
}

/* The same once more changes nothing. */
enum uk_rc
staff_task_done(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct task_body *body = http_fields(rq);
	struct desk d = { .user = api_user(rq), .id = body->id, .now = api_now(a) };
	const enum uk_rc rc = store_write_wait(a->store, close_task, &d, err);

	return rc == UK_OK ? staff_tasks(app, rq, err) : rc;
}
