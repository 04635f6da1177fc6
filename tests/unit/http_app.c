#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_app.h"
#include "uk/json.h"

struct item {
	const char *name;
	int64_t count;
	struct uk_buf data;
};

static const struct uk_field item_fields[] = {
	{ "name", UK_F_STR, UK_F_REQUIRED, 1, 20, offsetof(struct item, name), NULL },
	{ "count", UK_F_INT, UK_F_REQUIRED, 1, 99, offsetof(struct item, count), NULL },
	{ "data", UK_F_B64, 0, 1, 64, offsetof(struct item, data), NULL },
};

static enum uk_rc
get_echo(void *app, struct http_request *rq, struct uk_err *err)
{
	const char *q = http_query(rq, "q");
	json_t *j = json_pack("{s:s, s:s, s:s, s:s*, s:s}", "id", http_param(rq, "id"), "remote",
	    http_remote(rq), "target", http_target(rq), "q", q, "request", http_id(rq));

	(void)app;
	(void)err;
	http_answer_json(rq, 200, j);
	json_decref(j);
	return UK_OK;
}

static enum uk_rc
post_item(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct item *item = http_fields(rq);
	json_t *j = json_pack("{s:s, s:I, s:I}", "name", item->name, "count",
	    (json_int_t)item->count, "data", (json_int_t)item->data.n);

	(void)err;
	(void)atomic_fetch_add(&((struct app *)app)->handled, 1);
	http_answer_json(rq, 201, j);
	json_decref(j);
	return UK_OK;
}

static enum uk_rc
put_image(void *app, struct http_request *rq, struct uk_err *err)
{
	struct uk_buf b;

	(void)app;
	(void)err;
	uk_buf_init(&b, REPLY_MAX);
	uk_buf_put(&b, http_body(rq));
	http_answer_bytes(rq, 200, "image/jpeg", &b);
	uk_buf_fini(&b);
	return UK_OK;
}

static enum uk_rc
post_notify(void *app, struct http_request *rq, struct uk_err *err)
{
	const char *id = net_pairs_get(http_form(rq), "trade");

	(void)app;
	if (id == NULL)
		return uk_fail_field(err, "trade", "missing");
	http_answer_text(rq, 200, "text/plain", "success");
	return UK_OK;
}

static enum uk_rc
get_cookies(void *app, struct http_request *rq, struct uk_err *err)
{
	const char *was = http_cookie(rq, "ukey_order");

	(void)app;
	(void)err;
	http_add_cookie(rq, "ukey_order", "abc", "/api", -1);
	http_add_cookie(rq, "ukey_query", "", "/", 0);
	http_answer_text(rq, 200, "text/plain", was != NULL ? was : "none");
	return UK_OK;
}

static enum uk_rc
get_away(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)app;
	(void)err;
	http_answer_redirect(rq, "/orders/UK1?paid=1");
	return UK_OK;
}

static enum uk_rc
post_limited(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)app;
	http_attempts_left(rq, 0);
	http_retry_after(rq, 60);
	return uk_fail(err, UK_E_RATE, NULL, "secret cause", 4711);
}

static enum uk_rc
get_big(void *app, struct http_request *rq, struct uk_err *err)
{
	struct uk_buf b;

	(void)app;
	(void)err;
	uk_buf_init(&b, BIG);
	(void)uk_buf_room(&b, BIG);
	uk_buf_add(&b, BIG);
	http_answer_bytes(rq, 200, "application/octet-stream", &b);
	return UK_OK;
}

static enum uk_rc
get_too_big(void *app, struct http_request *rq, struct uk_err *err)
{
	struct uk_buf b;

	(void)app;
	(void)err;
	uk_buf_init(&b, 1);
	uk_buf_put_str(&b, "what does not fit");
	http_answer_bytes(rq, 200, "text/plain", &b);
	return UK_OK;
}

static enum uk_rc
post_empty(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)app;
	(void)err;
	http_answer_empty(rq);
	return UK_OK;
}

/* Like the store's writer queue: somebody else answers, later. */
static enum uk_rc
get_later(void *ctx, struct http_request *rq, struct uk_err *err)
{
	struct app *app = ctx;

	(void)err;
	(void)pthread_mutex_lock(&app->lock);
	assert_true(app->n_parked < sizeof(app->parked) / sizeof(app->parked[0]));
	app->parked[app->n_parked++] = rq;
	(void)pthread_cond_signal(&app->more);
	(void)pthread_mutex_unlock(&app->lock);
	return UK_OK;
}

void
pause_ms(long ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

static enum uk_rc
get_slow(void *ctx, struct http_request *rq, struct uk_err *err)
{
	(void)ctx;
	(void)err;
	pause_ms(300);
	http_answer_empty(rq);
	return UK_OK;
}

static void *
answer_parked(void *ctx)
{
	struct app *app = ctx;

	(void)pthread_mutex_lock(&app->lock);
	while (!app->ending || app->n_parked > 0) {
		struct http_request *rq = NULL;

		if (app->n_parked > 0 && (!atomic_load(&app->hold) || app->ending))
			rq = app->parked[--app->n_parked];
		(void)pthread_mutex_unlock(&app->lock);
		if (rq != NULL)
			http_answer_text(rq, 200, "text/plain", http_param(rq, "n"));
		else
			pause_ms(2);
		(void)pthread_mutex_lock(&app->lock);
	}
	(void)pthread_mutex_unlock(&app->lock);
	return NULL;
}

#define WHO_STAFF 2u

static void
free_user(void *user)
{
	free(user);
}

static enum uk_rc
gate(void *app, struct http_request *rq, unsigned who, struct uk_err *err)
{
	const char *cookie = http_cookie(rq, "ukey_staff");

	(void)app;
	if ((who & WHO_STAFF) == 0)
		return UK_OK;
	if (cookie != NULL && strcmp(cookie, "slow") == 0)
		pause_ms(400);
	if (cookie == NULL)
		return uk_fail(err, UK_E_UNAUTHORIZED, NULL, NULL, 0);
	http_user_take(rq, uk_xstrdup(cookie), free_user);
	return UK_OK;
}

static enum uk_rc
post_staff(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)app;
	(void)err;
	http_answer_text(rq, 200, "text/plain", http_user(rq));
	return UK_OK;
}

static const char *const images[] = { "image/jpeg", "image/png", NULL };

static const struct http_route routes[] = {
	{ .method = HTTP_GET, .path = "/api/echo/{id}", .handler = get_echo },
	{ .method = HTTP_POST,
	    .path = "/api/items",
	    .body = HTTP_JSON,
	    .fields = item_fields,
	    .n_fields = 3,
	    .size = sizeof(struct item),
	    .handler = post_item },
	{ .method = HTTP_PUT,
	    .path = "/api/images/{type}",
	    .body = HTTP_RAW,
	    .types = images,
	    .limit = (size_t)2 << 20,
	    .handler = put_image },
	{ .method = HTTP_POST,
	    .path = "/notify/alipay",
	    .flags = HTTP_OUTSIDE,
	    .body = HTTP_FORM,
	    .handler = post_notify },
	{ .method = HTTP_GET, .path = "/api/cookies", .handler = get_cookies },
	{ .method = HTTP_GET, .path = "/api/away", .handler = get_away },
	{ .method = HTTP_POST, .path = "/api/limited", .body = HTTP_JSON, .handler = post_limited },
	{ .method = HTTP_DELETE, .path = "/api/items", .handler = post_empty },
	{ .method = HTTP_GET, .path = "/api/later/{n}", .handler = get_later },
	{ .method = HTTP_GET, .path = "/api/slow", .handler = get_slow },
	{ .method = HTTP_GET, .path = "/api/big", .handler = get_big },
	{ .method = HTTP_GET, .path = "/api/too-big", .handler = get_too_big },
	{ .method = HTTP_POST,
	    .path = "/api/staff/x",
	    .who = WHO_STAFF,
	    .body = HTTP_JSON,
	    .handler = post_staff },
	{ .method = HTTP_PUT,
	    .path = "/api/staff/images/{type}",
	    .who = WHO_STAFF,
	    .body = HTTP_RAW,
	    .types = images,
	    .limit = (size_t)2 << 20,
	    .handler = put_image },
};

const struct httpd_config plain = { .listen = "127.0.0.1:0",
	.origin = "http://localhost:8600",
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.gate = gate,
	.connect_src = "ws://127.0.0.1:21071" };

void
app_open(struct app *app, const struct httpd_config *from)
{
	struct httpd_config cfg = *from;
	struct uk_err err = { 0 };

	*app = (struct app){ 0 };
	cfg.app = app;
	(void)pthread_mutex_init(&app->lock, NULL);
	(void)pthread_cond_init(&app->more, NULL);
	assert_int_equal(pthread_create(&app->answerer, NULL, answer_parked, app), 0);
	assert_int_equal(httpd_open(&cfg, &app->httpd, &err), UK_OK);
	app->port = httpd_port(app->httpd);
	app->client = http_client_new(NULL);
}

void
app_close(struct app *app)
{
	httpd_close(&app->httpd);
	http_client_free(&app->client);
	(void)pthread_mutex_lock(&app->lock);
	app->ending = true;
	(void)pthread_mutex_unlock(&app->lock);
	(void)pthread_join(app->answerer, NULL);
	(void)pthread_cond_destroy(&app->more);
	(void)pthread_mutex_destroy(&app->lock);
}

int
setup(void **state)
{
	struct app *app = uk_xalloc(sizeof(*app));

	app_open(app, &plain);
	*state = app;
	return 0;
}

int
teardown(void **state)
{
	app_close(*state);
	free(*state);
	return 0;
}

struct http_reply
call(struct app *app, const char *method, const char *path, const char *type, const char *body)
{
	const struct net_pair headers[] = { { "X-Ukey", "1" },
		{ "Origin", "http://localhost:8600" }, { "Content-Type", type } };
	char url[256];
	const struct http_call c = { .method = method,
		.url = url,
		.headers = headers,
		.n_headers = type != NULL ? 3 : 2,
		.body = uk_span_str(body),
		.timeout_ms = TIMEOUT,
		.max = REPLY_MAX };
	struct http_reply r;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", app->port, path);
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_OK);
	return r;
}

struct http_reply
post(struct app *app, const char *path, const char *body)
{
	return call(app, "POST", path, "application/json", body);
}

void
assert_header(const struct http_reply *r, const char *name, const char *want)
{
	char value[1024];

	assert_true(http_reply_header(r, name, value, sizeof(value)));
	assert_string_equal(value, want);
}

void
refused(struct http_reply r, int status, const char *reason, const char *field)
{
	const char *got_reason = NULL;
	const char *got_field = NULL;
	const char *request = NULL;
	json_t *j = NULL;

	assert_int_equal(r.status, status);
	assert_int_equal(uk_json_parse(uk_buf_span(&r.body), 4096, &j, NULL), UK_OK);
	assert_int_equal(json_unpack(j, "{s:{s:s, s?s, s:s}}", "error", "reason", &got_reason,
			     "field", &got_field, "requestId", &request),
	    0);
	assert_string_equal(got_reason, reason);
	assert_int_equal(strlen(request), 32);
	if (field == NULL)
		assert_null(got_field);
	else
		assert_string_equal(got_field, field);
	json_decref(j);
	http_reply_fini(&r);
}

void
answered(struct http_reply r, int status, const char *body)
{
	assert_int_equal(r.status, status);
	assert_string_equal(uk_buf_str(&r.body), body);
	http_reply_fini(&r);
}
