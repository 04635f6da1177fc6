#include "api/answer.h"
#include "api/handlers.h"

struct look {
	const struct api *a;
	const char *id;
	unsigned who; /* 0: the owner */
	json_t *value;
};

static enum uk_rc
read_value(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct look *l = ctx;

	json_decref(l->value);
	l->value = NULL;
	return l->who == 0 ? order_json(l->a, tx, l->id, &l->value, err)
			   : detail_json(l->a, tx, l->id, l->who, &l->value, err);
}

static enum uk_rc
answer(struct look *l, struct http_request *rq, int status, struct uk_err *err)
{
	enum uk_rc rc = store_read(l->a->store, read_value, l, err);

	if (rc == UK_OK)
		http_answer_json(rq, status, l->value);
	json_decref(l->value);
	return rc;
}

enum uk_rc
answer_order(
    const struct api *a, struct http_request *rq, int status, const char *id, struct uk_err *err)
{
	return answer(&(struct look){ .a = a, .id = id }, rq, status, err);
}

enum uk_rc
answer_detail(const struct api *a, struct http_request *rq, const char *id, struct uk_err *err)
{
	return answer(&(struct look){ .a = a, .id = id, .who = api_user(rq)->who }, rq, 200, err);
}

void
event_from(const struct http_request *rq, struct event *ev)
{
	const struct user *u = api_user(rq);

	ev->order = http_param(rq, "id");
	ev->by = u->staff[0] != '\0' ? api_by(u) : BY_APPLICANT;
	ev->actor = u->staff;
}

enum uk_rc
answer_event(const struct api *a, struct http_request *rq, struct event *ev, struct uk_err *err)
{
	enum uk_rc rc;

	event_from(rq, ev);
	if ((rc = workflow_send(a->workflow, a->store, ev, NULL, err)) != UK_OK)
		return rc;
	return ev->by == BY_APPLICANT ? answer_order(a, rq, 200, ev->order, err)
				      : answer_detail(a, rq, ev->order, err);
}

enum uk_rc
answer_plain(const struct api *a, struct http_request *rq, enum order_event on, struct uk_err *err)
{
	const struct version_body *body = http_fields(rq);

	return answer_event(a, rq, &(struct event){ .on = on, .version = body->version }, err);
}
