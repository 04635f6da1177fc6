#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/cookie.h"
#include "http/internal.h"
#include "uk/json.h"

#define ANSWER_MAX       (32u * 1024 * 1024)
#define FIELD_SHOWN_MAX  64
#define COOKIE_BYTES_MAX 4096

static struct http_response *
response_new(void)
{
	struct http_response *r = uk_xalloc(sizeof(*r));

	uk_buf_init(&r->body, ANSWER_MAX);
	return r;
}

static void
response_free(struct http_response *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n_headers; i++) {
		free(r->headers[i].name);
		free(r->headers[i].value);
	}
	uk_buf_fini(&r->body);
	free(r->type);
	free(r);
}

struct http_request *
http_request_new(const char *target)
{
	struct http_request *rq = uk_xalloc(sizeof(*rq));

	rq->target = uk_xstrdup(target);
	rq->path = uk_xstrndup(target, strcspn(target, "?"));
	rq->draft = response_new();
	atomic_init(&rq->answer, NULL);
	atomic_init(&rq->refs, 1);
	atomic_init(&rq->asleep, false);
	return rq;
}

struct http_request *
http_request_ref(struct http_request *rq)
{
	(void)atomic_fetch_add(&rq->refs, 1);
	return rq;
}

static void
request_free(struct http_request *rq)
{
	if (rq->fields != NULL) {
		uk_fields_fini(rq->route->fields, rq->route->n_fields, rq->fields);
		explicit_bzero(rq->fields, rq->route->size);
		free(rq->fields);
	}
	if (rq->user_free != NULL)
		rq->user_free(rq->user);
	uk_json_wipe(rq->json); /* codes, card and identity numbers */
	json_decref(rq->json);
	net_pairs_fini(&rq->query);
	net_pairs_fini(&rq->cookies);
	net_pairs_fini(&rq->form);
	uk_buf_fini(&rq->body);
	response_free(rq->draft);
	response_free(atomic_load(&rq->answer));
	free(rq->header_text);
	free(rq->path);
	free(rq->target);
	free(rq);
}

void
http_request_unref(struct http_request **rq)
{
	if (atomic_fetch_sub(&(*rq)->refs, 1) == 1)
		request_free(*rq);
	*rq = NULL;
}

/* uk_fields_read() names no unknown member, as its strings are literals; this one lives as long
 * as the request. */
static const char *
unknown_member(const struct http_request *rq)
{
	const char *key;
	json_t *value;

	json_object_foreach(rq->json, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < rq->route->n_fields; i++)
			known = known || strcmp(rq->route->fields[i].name, key) == 0;
		if (!known)
			return strlen(key) <= FIELD_SHOWN_MAX ? key : NULL;
	}
	return NULL;
}

static enum uk_rc
read_json(struct http_request *rq, struct uk_err *err)
{
	const struct http_route *r = rq->route;
	enum uk_rc rc;
	void *fields;

	if (rq->body.n > 0 &&
	    (rc = uk_json_parse(uk_buf_span(&rq->body), rq->body.n, &rq->json, err)) != UK_OK)
		return rc;
	fields = uk_xalloc(r->size);
	rc = uk_fields_read(r->fields, r->n_fields, rq->json, fields, err);
	if (rc != UK_OK) {
		free(fields);
		if (err->field == NULL && json_is_object(rq->json))
			err->field = unknown_member(rq);
		return rc;
	}
	rq->fields = fields;
	return UK_OK;
}

enum uk_rc
http_request_read(struct http_request *rq, struct uk_err *err)
{
	enum uk_rc rc = UK_OK;

	switch (rq->route->body) {
	case HTTP_JSON:
		return read_json(rq, err);
	case HTTP_FORM:
		rc = net_pairs_parse(uk_buf_span(&rq->body), &rq->form);
		return rc == UK_OK ? rc : uk_fail(err, rc, "form-malformed", "http-form", 0);
	case HTTP_NO_BODY:
	case HTTP_RAW:
	case HTTP_BODY__MAX:
		break;
	}
	return rc;
}

const char *
http_id(const struct http_request *rq)
{
	return rq->id;
}

const struct http_route *
http_route(const struct http_request *rq)
{
	return rq->route;
}

const char *
http_remote(const struct http_request *rq)
{
	return rq->remote;
}

const char *
http_param(const struct http_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->params.n; i++)
		if (strcmp(rq->params.v[i].name, name) == 0)
			return rq->params.v[i].value;
	abort();
}

const char *
http_query(const struct http_request *rq, const char *name)
{
	return net_pairs_get(&rq->query, name);
}

const char *
http_cookie(const struct http_request *rq, const char *name)
{
	return net_pairs_get(&rq->cookies, name);
}

const char *
http_header(const struct http_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->n_headers; i++)
		if (strcasecmp(rq->headers[i].name, name) == 0)
			return rq->headers[i].value;
	return NULL;
}

const char *
http_target(const struct http_request *rq)
{
	return rq->target;
}

struct uk_span
http_body(const struct http_request *rq)
{
	return uk_buf_span(&rq->body);
}

const void *
http_fields(const struct http_request *rq)
{
	return rq->fields;
}

const struct net_pairs *
http_form(const struct http_request *rq)
{
	return &rq->form;
}

const struct net_pairs *
http_query_all(const struct http_request *rq)
{
	return &rq->query;
}

void
http_user_take(struct http_request *rq, void *user, void (*free_fn)(void *user))
{
	if (rq->user_free != NULL)
		rq->user_free(rq->user);
	rq->user = user;
	rq->user_free = free_fn;
}

void *
http_user(const struct http_request *rq)
{
	return rq->user;
}

static void
add_header(struct http_response *r, const char *name, const char *value)
{
	if (r->n_headers == HTTP_ADD_HEADERS_MAX || strpbrk(value, "\r\n") != NULL)
		abort();
	r->headers[r->n_headers].name = uk_xstrdup(name);
	r->headers[r->n_headers].value = uk_xstrdup(value);
	r->n_headers++;
}

void
http_add_header(struct http_request *rq, const char *name, const char *value)
{
	add_header(rq->draft, name, value);
}

void
http_add_cookie(
    struct http_request *rq, const char *name, const char *value, const char *path, int64_t max_age)
{
	struct uk_buf b;

	uk_buf_init(&b, COOKIE_BYTES_MAX);
	if (http_cookie_put(&b, name, value, path, max_age, rq->secure) != UK_OK)
		abort(); /* ours, never a peer's */
	add_header(rq->draft, "Set-Cookie", uk_buf_str(&b));
	uk_buf_fini(&b);
}

void
http_attempts_left(struct http_request *rq, unsigned n)
{
	rq->attempts_left = n + 1;
}

void
http_retry_after(struct http_request *rq, unsigned seconds)
{
	rq->retry_after = seconds;
}

void
http_request_wake(struct http_request *rq)
{
	if (atomic_exchange(&rq->asleep, false))
		rq->wake(rq);
}

/* The first answer counts. */
static void
set_answer(struct http_request *rq, struct http_response *r)
{
	struct http_response *none = NULL;

	if (!atomic_compare_exchange_strong(&rq->answer, &none, r)) {
		response_free(r);
		return;
	}
	http_request_wake(rq);
}

/* Before there is a responder, and beside it. */
void
http_request_refuse(struct http_request *rq, int status, const char *reason)
{
	struct http_response *r = response_new();

	r->status = status;
	if (reason != NULL) {
		r->type = uk_xstrdup("application/json");
		uk_buf_printf(&r->body, "{\"error\":{\"reason\":\"%s\",\"requestId\":\"%s\"}}",
		    reason, rq->id);
	}
	set_answer(rq, r);
}

/* The responder's part of the request ends here. */
static void
give(struct http_request *rq, int status, const char *type)
{
	struct http_response *r = rq->draft;

	rq->draft = NULL;
	rq->given = true;
	if (uk_buf_failed(&r->body)) {
		uk_log(rq->log, UK_LOG_ERROR, "http.answer-too-large", UK_LS("request", rq->id));
		response_free(r);
		http_request_refuse(rq, 500, "internal");
	} else {
		r->status = status;
		r->type = type != NULL ? uk_xstrdup(type) : NULL;
		set_answer(rq, r);
	}
	http_request_unref(&rq);
}

void
http_answer_json(struct http_request *rq, int status, const json_t *value)
{
	if (uk_json_put(&rq->draft->body, value) != UK_OK)
		rq->draft->body.failed = true;
	give(rq, status, "application/json");
}

static json_t *
error_json(const struct http_request *rq, const struct uk_err *err)
{
	json_t *e = json_object();

	(void)json_object_set_new(e, "reason", json_string(uk_err_reason(err)));
	if (err->field != NULL)
		(void)json_object_set_new(e, "field", json_string(err->field));
	(void)json_object_set_new(e, "requestId", json_string(rq->id));
	if (rq->attempts_left != 0)
		(void)json_object_set_new(
		    e, "attemptsLeft", json_integer((json_int_t)rq->attempts_left - 1));
	if (rq->retry_after != 0)
		(void)json_object_set_new(
		    e, "retryAfter", json_integer((json_int_t)rq->retry_after));
	return json_pack("{s:o}", "error", e);
}

/* The native cause is for us; a peer sees reason and request id. */
static void
log_error(const struct http_request *rq, const struct uk_err *err, int status)
{
	if (err->where == NULL && status < 500)
		return;
	uk_log(rq->log, status >= 500 ? UK_LOG_ERROR : UK_LOG_INFO, "http.error",
	    UK_LS("request", rq->id), UK_LS("rc", uk_rc_name(err->rc)),
	    UK_LS("reason", uk_err_reason(err)), UK_LS("where", err->where),
	    UK_LI("native", err->native));
}

void
http_answer_err(struct http_request *rq, const struct uk_err *err)
{
	const int status = uk_rc_http(err->rc);
	json_t *value = error_json(rq, err);
	char seconds[16];

	log_error(rq, err, status);
	if (rq->retry_after != 0) {
		(void)snprintf(seconds, sizeof(seconds), "%u", rq->retry_after);
		add_header(rq->draft, "Retry-After", seconds);
	}
	http_answer_json(rq, status, value);
	json_decref(value);
}

void
http_answer_bytes(struct http_request *rq, int status, const char *type, struct uk_buf *body)
{
	uk_buf_fini(&rq->draft->body);
	rq->draft->body = *body;
	uk_buf_init(body, body->max);
	give(rq, status, type);
}

void
http_answer_text(struct http_request *rq, int status, const char *type, const char *text)
{
	uk_buf_put_str(&rq->draft->body, text);
	give(rq, status, type);
}

void
http_answer_redirect(struct http_request *rq, const char *location)
{
	add_header(rq->draft, "Location", location);
	give(rq, 303, NULL);
}

void
http_answer_empty(struct http_request *rq)
{
	give(rq, 204, NULL);
}
