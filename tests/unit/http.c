/* The server on real sockets, asked by server/net's client and by peers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "http/httpd.h"
#include "http_peer.h"
#include "net/client.h"

#define TIMEOUT   5000
#define REPLY_MAX ((size_t)4 << 20)

struct app {
	struct httpd *httpd;
	struct http_client *client;
	unsigned port;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct http_request *parked[64]; /* for the answering thread */
	size_t n_parked;
	bool ending;
	pthread_t answerer;
	atomic_int handled;
	atomic_bool hold; /* the answering thread waits */
};

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

#define BIG ((size_t)24 << 20) /* more than the kernel's buffers take */

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

static void
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
};

static const struct httpd_config plain = { .listen = "127.0.0.1:0",
	.origin = "http://localhost:8600",
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.gate = gate,
	.connect_src = "ws://127.0.0.1:21071" };

static void
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

static void
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

static int
setup(void **state)
{
	struct app *app = uk_xalloc(sizeof(*app));

	app_open(app, &plain);
	*state = app;
	return 0;
}

static int
teardown(void **state)
{
	app_close(*state);
	free(*state);
	return 0;
}

/* A call with the headers a page sends. */
static struct http_reply
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

static struct http_reply
post(struct app *app, const char *path, const char *body)
{
	return call(app, "POST", path, "application/json", body);
}

static void
assert_header(const struct http_reply *r, const char *name, const char *want)
{
	char value[1024];

	assert_true(http_reply_header(r, name, value, sizeof(value)));
	assert_string_equal(value, want);
}

/* Checks the error's shape (CONTRACT: reason, field, requestId) and frees. */
static void
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

static void
answered(struct http_reply r, int status, const char *body)
{
	assert_int_equal(r.status, status);
	assert_string_equal(uk_buf_str(&r.body), body);
	http_reply_fini(&r);
}

static void
reads_and_answers(void **state)
{
	struct http_reply r = call(*state, "GET", "/api/echo/%E5%8D%95?q=a+b%26&z=", NULL, NULL);
	json_t *j = NULL;

	assert_int_equal(r.status, 200);
	assert_header(&r, "Content-Type", "application/json");
	assert_int_equal(uk_json_parse(uk_buf_span(&r.body), 4096, &j, NULL), UK_OK);
	assert_string_equal(json_string_value(json_object_get(j, "id")), "\xe5\x8d\x95");
	assert_string_equal(json_string_value(json_object_get(j, "q")), "a b&");
	assert_string_equal(json_string_value(json_object_get(j, "remote")), "127.0.0.1");
	json_decref(j);
	http_reply_fini(&r);
	answered(post(*state, "/api/items", "{\"name\":\"x\",\"count\":3,\"data\":\"AAEC\"}"), 201,
	    "{\"name\":\"x\",\"count\":3,\"data\":3}");
	answered(call(*state, "DELETE", "/api/items", NULL, NULL), 204, "");
}

static void
answers_head_and_options(void **state)
{
	char out[2048];

	answered(call(*state, "HEAD", "/api/echo/1", NULL, NULL), 200, "");
	(void)peer_ask(((struct app *)*state)->port,
	    "OPTIONS /api/items HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", out,
	    sizeof(out));
	assert_non_null(strstr(out, " 204 "));
	assert_non_null(strstr(out, "Allow: OPTIONS, POST, DELETE\r\n"));
}

static void
refuses_by_table(void **state)
{
	struct app *app = *state;
	char out[2048];

	refused(call(app, "GET", "/api/nothing", NULL, NULL), 404, "not-found", NULL);
	refused(call(app, "GET", "/", NULL, NULL), 404, "not-found", NULL);
	refused(call(app, "GET", "/api/items", NULL, NULL), 405, "method-not-allowed", NULL);
	refused(call(app, "PATCH", "/api/items", "application/json", "{}"), 405,
	    "method-not-allowed", NULL);
	refused(
	    call(app, "POST", "/api/items", "text/plain", "{}"), 415, "content-type-refused", NULL);
	refused(call(app, "PUT", "/api/images/a", "image/gif", "GIF"), 415, "content-type-refused",
	    NULL);
	refused(call(app, "GET", "/api/echo/1?a=%zz", NULL, NULL), 400, "query-malformed", NULL);
	refused(call(app, "GET", "/api/echo/1?a=1&a=2", NULL, NULL), 400, "query-malformed", NULL);
	(void)peer_ask(app->port,
	    "POST /api/items HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nTransfer-Encoding: "
	    "chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	    out, sizeof(out));
	assert_non_null(strstr(out, " 411 "));
	assert_non_null(strstr(out, "\"length-required\""));
	(void)peer_ask(app->port,
	    "POST /api/items HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\nConnection: close\r\n\r\n", out,
	    sizeof(out));
	assert_non_null(strstr(out, " 411 "));
	(void)peer_ask(app->port,
	    "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
	    "3\r\n\r\nabc",
	    out, sizeof(out));
	assert_non_null(strstr(out, "\"body-not-expected\""));
	assert_int_equal(atomic_load(&app->handled), 0);
}

static void
refuses_large_bodies(void **state)
{
	struct app *app = *state;
	char *big = uk_xalloc((size_t)5 << 20);
	char out[2048];

	memset(big, ' ', ((size_t)5 << 20) - 1);
	big[64 * 1024 + 1] = '\0';
	refused(post(app, "/api/items", big), 413, "too-large", NULL);
	big[64 * 1024 + 1] = ' ';
	(void)peer_ask(app->port,
	    "PUT /api/images/a HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\nContent-Type: image/png\r\n"
	    "Content-Length: 99999999999999999999999\r\nConnection: close\r\n\r\n",
	    out, sizeof(out));
	assert_true(strstr(out, " 413 ") != NULL || strstr(out, " 400 ") != NULL);
	big[(2 << 20) + 1] = '\0';
	refused(call(app, "PUT", "/api/images/a", "image/png", big), 413, "too-large", NULL);
	big[2 << 20] = '\0';
	answered(call(app, "PUT", "/api/images/a", "image/png", big), 200, big);
	free(big);
}

static void
refuses_bad_json(void **state)
{
	struct app *app = *state;

	refused(post(app, "/api/items", "{"), 400, "json-malformed", NULL);
	refused(post(app, "/api/items", "{\"name\":\"a\",\"name\":\"b\"}"), 400, "json-malformed",
	    NULL);
	refused(post(app, "/api/items", "[]"), 400, "json-not-an-object", NULL);
	refused(post(app, "/api/items", ""), 400, "missing", "name");
	refused(post(app, "/api/items", "{\"name\":\"x\"}"), 400, "missing", "count");
	refused(post(app, "/api/items", "{\"name\":\"x\",\"count\":100}"), 400, "invalid-input",
	    "count");
	refused(post(app, "/api/items", "{\"name\":\"x\",\"count\":1,\"colour\":\"red\"}"), 400,
	    "unknown-member", "colour");
	refused(post(app, "/api/items", "{\"name\":\"x\",\"count\":1,\"data\":\"?\"}"), 400,
	    "invalid-input", "data");
	assert_int_equal(atomic_load(&app->handled), 0);
}

static void
refuses_forged_changes(void **state)
{
	struct app *app = *state;
	const struct net_pair plain_type[] = { { "Content-Type", "application/json" } };
	const struct net_pair foreign[] = { { "Content-Type", "application/json" },
		{ "X-Ukey", "1" }, { "Origin", "https://evil.example" } };
	char url[64];
	struct http_call c = { .method = "POST",
		.url = url,
		.headers = plain_type,
		.n_headers = 1,
		.body = uk_span_str("{\"name\":\"x\",\"count\":1}"),
		.timeout_ms = TIMEOUT,
		.max = REPLY_MAX };
	struct http_reply r;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/api/items", app->port);
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_OK);
	refused(r, 403, "csrf-header-missing", NULL);
	c.headers = foreign;
	c.n_headers = 3;
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_OK);
	refused(r, 403, "origin-refused", NULL);
	assert_int_equal(atomic_load(&app->handled), 0);
	c.n_headers = 2;
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_OK);
	answered(r, 201, "{\"name\":\"x\",\"count\":1,\"data\":0}");
}

static void
takes_callbacks_from_outside(void **state)
{
	struct app *app = *state;
	struct http_reply r;
	char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/notify/alipay", app->port);
	assert_int_equal(http_post(app->client, url, "application/x-www-form-urlencoded",
			     uk_span_str("trade=1&total=200.00"), TIMEOUT, REPLY_MAX, &r, NULL),
	    UK_OK);
	answered(r, 200, "success");
	assert_int_equal(http_post(app->client, url, "application/x-www-form-urlencoded",
			     uk_span_str("trade=%4"), TIMEOUT, REPLY_MAX, &r, NULL),
	    UK_OK);
	refused(r, 400, "form-malformed", NULL);
	assert_int_equal(http_post(app->client, url, "application/x-www-form-urlencoded",
			     uk_span_str("x=1"), TIMEOUT, REPLY_MAX, &r, NULL),
	    UK_OK);
	refused(r, 400, "missing", "trade");
}

static void
asks_the_gate(void **state)
{
	struct app *app = *state;
	char out[2048];

	/* before the body is looked at */
	refused(post(app, "/api/staff/x", "{"), 401, "login-required", NULL);
	(void)peer_ask(app->port,
	    "POST /api/staff/x HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\nConnection: close\r\n"
	    "Cookie: a=b; ukey_staff=zhang\r\nContent-Length: 0\r\n\r\n",
	    out, sizeof(out));
	assert_non_null(strstr(out, " 200 "));
	assert_non_null(strstr(out, "\r\n\r\nzhang"));
}

static void
tells_what_a_page_may_know(void **state)
{
	struct http_reply r = post(*state, "/api/limited", "{}");
	char value[64];
	json_t *j = NULL;
	json_int_t left = -1;
	json_int_t after = -1;

	assert_int_equal(r.status, 429);
	assert_int_equal(r.retry_after, 60);
	assert_null(strstr(uk_buf_str(&r.body), "secret"));
	assert_null(strstr(uk_buf_str(&r.body), "4711"));
	assert_int_equal(uk_json_parse(uk_buf_span(&r.body), 4096, &j, NULL), UK_OK);
	assert_int_equal(
	    json_unpack(j, "{s:{s:I, s:I}}", "error", "attemptsLeft", &left, "retryAfter", &after),
	    0);
	assert_int_equal(left, 0);
	assert_int_equal(after, 60);
	assert_true(http_reply_header(&r, "cache-control", value, sizeof(value)));
	assert_string_equal(value, "no-store");
	json_decref(j);
	http_reply_fini(&r);
}

static void
protects_browsers(void **state)
{
	struct http_reply r = call(*state, "GET", "/api/nothing", NULL, NULL);
	char value[1024];

	assert_true(http_reply_header(&r, "Content-Security-Policy", value, sizeof(value)));
	assert_non_null(strstr(value, "connect-src 'self' ws://127.0.0.1:21071"));
	assert_true(http_reply_header(&r, "X-Content-Type-Options", value, sizeof(value)));
	assert_string_equal(value, "nosniff");
	assert_true(http_reply_header(&r, "Referrer-Policy", value, sizeof(value)));
	assert_string_equal(value, "no-referrer");
	assert_true(http_reply_header(&r, "Cross-Origin-Opener-Policy", value, sizeof(value)));
	assert_false(http_reply_header(&r, "Strict-Transport-Security", value, sizeof(value)));
	http_reply_fini(&r);
}

static void
sets_cookies(void **state)
{
	struct app *app = *state;
	struct http_reply r = call(app, "GET", "/api/cookies", NULL, NULL);
	char out[2048];

	assert_non_null(strstr(
	    r.headers, "Set-Cookie: ukey_order=abc; Path=/api; HttpOnly; SameSite=Strict\n"));
	assert_non_null(strstr(
	    r.headers, "Set-Cookie: ukey_query=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0\n"));
	answered(r, 200, "none");
	(void)peer_ask(app->port,
	    "GET /api/cookies HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Cookie: ukey_order=abc\r\n\r\n",
	    out, sizeof(out));
	assert_non_null(strstr(out, "\r\n\r\nabc"));
}

static void
marks_cookies_secure(void **state)
{
	struct httpd_config cfg = plain;
	struct http_reply r;
	struct app app;
	char value[128];

	(void)state;
	cfg.origin = "https://ukey.example.cn";
	app_open(&app, &cfg);
	r = call(&app, "GET", "/api/cookies", NULL, NULL);
	assert_true(http_reply_header(&r, "Set-Cookie", value, sizeof(value)));
	assert_non_null(strstr(value, "; Secure"));
	assert_true(http_reply_header(&r, "Strict-Transport-Security", value, sizeof(value)));
	http_reply_fini(&r);
	app_close(&app);
}

static void
redirects(void **state)
{
	struct http_reply r = call(*state, "GET", "/api/away", NULL, NULL);

	assert_header(&r, "Location", "/orders/UK1?paid=1");
	answered(r, 303, "");
}

static void
refuses_large_headers(void **state)
{
	struct app *app = *state;
	char *text = uk_xalloc(100000);
	char out[2048];
	size_t n;

	n = (size_t)snprintf(text, 100000, "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\nX-Long: ");
	memset(text + n, 'a', 40000);
	(void)snprintf(text + n + 40000, 100, "\r\nConnection: close\r\n\r\n");
	(void)peer_ask(app->port, text, out, sizeof(out));
	assert_non_null(strstr(out, " 431 "));
	n = (size_t)snprintf(text, 100000, "GET /api/echo/1 HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 70; i++)
		n += (size_t)snprintf(text + n, 100000 - n, "X-%d: 1\r\n", i);
	(void)snprintf(text + n, 100, "Connection: close\r\n\r\n");
	(void)peer_ask(app->port, text, out, sizeof(out));
	assert_non_null(strstr(out, " 431 "));
	assert_non_null(strstr(out, "too-many-headers"));
	free(text);
}

static void
refuses_what_is_not_http(void **state)
{
	static const char *const texts[] = { "\r\n\r\n\r\n", "hello\r\n\r\n", "GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n", "GET /api/echo/1 HTTP/1.1\r\n\r\n" /* no Host */,
		"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" };
	struct app *app = *state;
	char out[2048];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const int fd = peer_connect(app->port);

		peer_send(fd, texts[i]);
		(void)peer_read(fd, out, sizeof(out), 200);
		assert_null(strstr(out, " 200 "));
		(void)close(fd);
	}
	answered(call(app, "DELETE", "/api/items", NULL, NULL), 204, "");
}

static void
keeps_connections(void **state)
{
	struct app *app = *state;
	const int fd = peer_connect(app->port);
	char out[2048];
	const char *second;

	peer_send(fd, "DELETE /api/items HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\n\r\n"
		      "GET /api/away HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_true(peer_read(fd, out, sizeof(out), 3000) > 0);
	second = strstr(out, "HTTP/1.1 303");
	assert_non_null(strstr(out, "HTTP/1.1 204"));
	assert_non_null(second);
	(void)close(fd);
}

struct caller {
	struct app *app;
	pthread_t thread;
	int first;
	bool ok;
};

static void *
ask_many(void *arg)
{
	struct caller *c = arg;

	c->ok = true;
	for (int i = c->first; i < c->first + 50; i++) {
		struct http_reply r = { 0 };
		char url[64];
		char want[16];

		(void)snprintf(
		    url, sizeof(url), "http://127.0.0.1:%u/api/later/%d", c->app->port, i);
		(void)snprintf(want, sizeof(want), "%d", i);
		if (http_get(c->app->client, url, TIMEOUT, 100, &r, NULL) != UK_OK ||
		    r.status != 200 || strcmp(uk_buf_str(&r.body), want) != 0)
			c->ok = false;
		http_reply_fini(&r);
	}
	return NULL;
}

static void
answers_many_at_once(void **state)
{
	struct caller callers[16];

	for (int i = 0; i < 16; i++) {
		callers[i] = (struct caller){ .app = *state, .first = i * 1000 };
		assert_int_equal(
		    pthread_create(&callers[i].thread, NULL, ask_many, &callers[i]), 0);
	}
	for (int i = 0; i < 16; i++) {
		(void)pthread_join(callers[i].thread, NULL);
		assert_true(callers[i].ok);
	}
}

/* Their requests are answered long after they are gone. */
static void
survives_clients_that_leave(void **state)
{
	struct app *app = *state;

	atomic_store(&app->hold, true);
	for (int i = 0; i < 40; i++) {
		const int fd = peer_connect(app->port);

		peer_send(fd, "GET /api/later/1 HTTP/1.1\r\nHost: x\r\n\r\n");
		if (i % 2 == 0)
			pause_ms(2);
		(void)close(fd);
	}
	for (int i = 0; i < 10; i++) { /* in the middle of a body */
		const int fd = peer_connect(app->port);

		peer_send(fd, "PUT /api/images/a HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\n"
			      "Content-Type: image/png\r\nContent-Length: 100000\r\n\r\nabc");
		(void)close(fd);
	}
	pause_ms(50);
	atomic_store(&app->hold, false);
	answered(call(app, "GET", "/api/later/7", NULL, NULL), 200, "7");
}

static void
closes_slow_senders(void **state)
{
	struct httpd_config cfg = plain;
	struct app app;
	char out[2048];
	int64_t start;
	int heads;
	int body;

	(void)state;
	cfg.head_ms = 300;
	cfg.upload_ms = 1500;
	cfg.idle_ms = 300;
	app_open(&app, &cfg);
	start = uk_mono_ms(&uk_clock_system);
	heads = peer_connect(app.port);
	body = peer_connect(app.port);
	peer_send(heads, "GET /api/echo/1 HTTP/1.1\r\n");
	peer_send(body, "POST /api/items HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\n"
			"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");
	for (int i = 0; i < 15; i++) { /* a byte now and then: no inactivity */
		pause_ms(20);
		peer_send(heads, "X");
		peer_send(body, " ");
	}
	assert_true(peer_read(heads, out, sizeof(out), 1000) >= 0);
	assert_true(peer_read(body, out, sizeof(out), 1000) >= 0);
	assert_true(uk_mono_ms(&uk_clock_system) - start < 1200);
	(void)close(heads);
	(void)close(body);

	/* an upload has more time */
	body = peer_connect(app.port);
	peer_send(body,
	    "PUT /api/images/a HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\nConnection: close\r\n"
	    "Content-Type: image/png\r\nContent-Length: 4\r\n\r\nab");
	pause_ms(600);
	peer_send(body, "cd");
	assert_true(peer_read(body, out, sizeof(out), 1000) > 0);
	assert_non_null(strstr(out, "\r\n\r\nabcd"));
	(void)close(body);

	/* nothing at all, and nothing more */
	heads = peer_connect(app.port);
	body = peer_connect(app.port);
	peer_send(body, "DELETE /api/items HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\n\r\n");
	assert_int_equal(peer_read(heads, out, sizeof(out), 1000), 0);
	assert_true(peer_read(body, out, sizeof(out), 1000) > 0);
	(void)close(heads);
	(void)close(body);
	app_close(&app);
}

/* Asks for much and reads nothing. */
static void
closes_slow_readers(void **state)
{
	struct httpd_config cfg = plain;
	struct app app;
	char *out = uk_xalloc(BIG + 4096);
	long n;
	int fd;

	(void)state;
	cfg.send_ms = 300;
	app_open(&app, &cfg);
	fd = peer_connect(app.port);
	peer_send(fd, "GET /api/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	n = peer_read(fd, out, BIG + 4096, 5000);
	assert_int_equal(n, strlen(out) + BIG); /* the body is zeros */
	(void)close(fd);
	fd = peer_connect(app.port);
	peer_send(fd, "GET /api/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	pause_ms(600);
	assert_in_range(peer_read(fd, out, BIG + 4096, 5000), 1, BIG - 1);
	(void)close(fd);
	app_close(&app);
	free(out);
}

static void
tells_before_the_body(void **state)
{
	static const char text[] = "PUT /api/images/a HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\n"
				   "Content-Type: image/png\r\nExpect: 100-continue\r\n"
				   "Connection: close\r\nContent-Length: %d\r\n\r\n";
	struct app *app = *state;
	char head[512];
	char out[2048];
	int fd = peer_connect(app->port);

	(void)snprintf(head, sizeof(head), text, 3);
	peer_send(fd, head);
	assert_int_equal(peer_read(fd, out, sizeof(out), 200), -1);
	assert_non_null(strstr(out, "HTTP/1.1 100 "));
	peer_send(fd, "abc");
	assert_true(peer_read(fd, out, sizeof(out), 3000) > 0);
	assert_non_null(strstr(out, "\r\n\r\nabc"));
	(void)close(fd);
	(void)snprintf(head, sizeof(head), text, 9000000);
	assert_true(peer_ask(app->port, head, out, sizeof(out)) > 0);
	assert_memory_equal(out, "HTTP/1.1 413 ", 13);
}

static void
refuses_what_it_cannot_hold(void **state)
{
	refused(call(*state, "GET", "/api/too-big", NULL, NULL), 500, "internal", NULL);
}

/* The writer's queue may be emptied after the server is gone. */
static void
survives_answers_after_the_end(void **state)
{
	struct httpd_config cfg = plain;
	struct app app;
	char out[2048];
	int fd;

	(void)state;
	cfg.answer_ms = 100;
	app_open(&app, &cfg);
	atomic_store(&app.hold, true);
	fd = peer_connect(app.port);
	peer_send(fd, "GET /api/later/1 HTTP/1.1\r\nHost: x\r\n\r\n");
	pause_ms(20);
	app_close(&app);
	assert_true(peer_read(fd, out, sizeof(out), 1000) > 0);
	assert_non_null(strstr(out, " 504 "));
	(void)close(fd);
}

static void
answers_for_a_late_handler(void **state)
{
	struct httpd_config cfg = plain;
	struct app app;

	(void)state;
	cfg.answer_ms = 200;
	app_open(&app, &cfg);
	atomic_store(&app.hold, true);
	refused(call(&app, "GET", "/api/later/1", NULL, NULL), 504, "timeout", NULL);
	refused(call(&app, "GET", "/api/slow", NULL, NULL), 504, "timeout", NULL);
	atomic_store(&app.hold, false); /* the real answer comes now, and is dropped */
	answered(call(&app, "GET", "/api/later/2", NULL, NULL), 200, "2");
	app_close(&app);
}

static void
refuses_when_busy(void **state)
{
	struct httpd_config cfg = plain;
	struct app app;
	int fds[6];
	int busy = 0;

	(void)state;
	cfg.workers = 1;
	cfg.queue = 2;
	app_open(&app, &cfg);
	for (int i = 0; i < 6; i++) {
		fds[i] = peer_connect(app.port);
		peer_send(fds[i], "GET /api/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
		pause_ms(10);
	}
	for (int i = 0; i < 6; i++) {
		char out[2048];

		assert_true(peer_read(fds[i], out, sizeof(out), 5000) > 0);
		busy += strstr(out, " 503 ") != NULL && strstr(out, "Retry-After: 1") != NULL;
		(void)close(fds[i]);
	}
	assert_int_equal(busy, 3); /* one runs, two wait */
	app_close(&app);
}

static void
limits_memory_for_bodies(void **state)
{
	struct httpd_config cfg = plain;
	struct app app;
	int holder;

	(void)state;
	cfg.body_memory = 100000;
	app_open(&app, &cfg);
	holder = peer_connect(app.port);
	peer_send(holder, "PUT /api/images/a HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\n"
			  "Content-Type: image/png\r\nContent-Length: 99999\r\n\r\n");
	pause_ms(50);
	refused(call(&app, "PUT", "/api/images/a", "image/png", "abc"), 503, "unavailable", NULL);
	(void)close(holder);
	pause_ms(50);
	answered(call(&app, "PUT", "/api/images/a", "image/png", "abc"), 200, "abc");
	app_close(&app);
}

static void
limits_an_address(void **state)
{
	struct httpd_config cfg = plain;
	struct app app;
	char out[16];
	int fds[4];

	(void)state;
	cfg.per_address = 3;
	app_open(&app, &cfg);
	for (int i = 0; i < 4; i++)
		fds[i] = peer_connect(app.port);
	assert_int_equal(peer_read(fds[3], out, sizeof(out), 1000), 0);
	assert_int_equal(peer_read(fds[0], out, sizeof(out), 50), -1);
	for (int i = 0; i < 4; i++)
		(void)close(fds[i]);
	app_close(&app);
}

/* Answered although the server is being closed: closing waits for it. */
static void *
close_server(void *arg)
{
	struct app *app = arg;

	pause_ms(50);
	httpd_close(&app->httpd);
	return NULL;
}

static void
stops_gracefully(void **state)
{
	struct app app;
	pthread_t closer;
	int idle;

	(void)state;
	app_open(&app, &plain);
	idle = peer_connect(app.port);
	assert_int_equal(pthread_create(&closer, NULL, close_server, &app), 0);
	answered(call(&app, "GET", "/api/slow", NULL, NULL), 204, "");
	(void)pthread_join(closer, NULL);
	assert_null(app.httpd);
	(void)close(idle);
	app_close(&app);
}

static void
listens_on_a_unix_socket(void **state)
{
	char folder[] = "/tmp/ukey-http-XXXXXX";
	char path[64];
	struct httpd_config cfg = plain;
	struct http_client_options o = { .unix_path = path };
	const struct net_pair real = { "X-Real-IP", "2001:db8::7" };
	struct http_call c = { .method = "GET",
		.url = "http://ca/api/echo/1",
		.headers = &real,
		.n_headers = 1,
		.timeout_ms = TIMEOUT,
		.max = REPLY_MAX };
	struct http_client *client;
	struct http_reply r;
	struct app app;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/ca.sock", folder);
	cfg.listen = path;
	client = http_client_new(&o);
	for (int round = 0; round < 2; round++) {
		cfg.proxied = round == 1;
		app_open(&app, &cfg);
		assert_int_equal(app.port, 0);
		assert_int_equal(http_call(client, &c, &r, NULL), UK_OK);
		assert_int_equal(r.status, 200);
		/* only our own proxy is believed */
		assert_non_null(strstr(uk_buf_str(&r.body),
		    round == 1 ? "\"remote\":\"2001:db8::7\"" : "\"remote\":\"local\""));
		http_reply_fini(&r);
		app_close(&app);
		assert_int_not_equal(access(path, F_OK), 0);
	}
	http_client_free(&client);
	assert_int_equal(rmdir(folder), 0);
}

static void
refuses_bad_configuration(void **state)
{
	struct app *app = *state;
	struct httpd_config cfg = plain;
	struct httpd *h = NULL;
	struct uk_err err = { 0 };
	char taken[32];

	cfg.listen = "localhost";
	assert_int_equal(httpd_open(&cfg, &h, &err), UK_E_INPUT);
	cfg.listen = "127.0.0.1:99999";
	assert_int_equal(httpd_open(&cfg, &h, &err), UK_E_INPUT);
	(void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", app->port);
	cfg.listen = taken;
	assert_int_equal(httpd_open(&cfg, &h, &err), UK_E_UNAVAILABLE);
	cfg = plain;
	cfg.pages = "/nonexistent";
	assert_int_equal(httpd_open(&cfg, &h, &err), UK_E_NOT_FOUND);
	assert_null(h);
}

struct page {
	const char *path;
	const char *text;
};

static void
write_pages(const char *folder, const struct page *pages, size_t n)
{
	char path[256];

	for (const char *const *sub = (const char *const[]){ "assets", "staff", NULL };
	     *sub != NULL; sub++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, *sub);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	for (size_t i = 0; i < n; i++) {
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s%s", folder, pages[i].path);
		f = fopen(path, "w");
		assert_non_null(f);
		(void)fputs(pages[i].text, f);
		(void)fclose(f);
	}
}

static void
remove_pages(const char *folder, const struct page *pages, size_t n)
{
	char path[256];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", folder, pages[i].path);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/link.html", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/assets", folder);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/staff", folder);
	(void)rmdir(path);
	assert_int_equal(rmdir(folder), 0);
}

static const struct page pages[] = {
	{ "/index.html", "<portal>" },
	{ "/staff/index.html", "<staff>" },
	{ "/assets/app-1.js", "code()" },
	{ "/assets/app-1.js.gz", "zipped" },
	{ "/assets/app-1.css", "a{}" },
	{ "/.secret", "hidden" },
	{ "/favicon.svg", "<svg/>" },
};

static void
pages_open(struct app *app, char *folder)
{
	struct httpd_config cfg = plain;
	char link[256];

	assert_non_null(mkdtemp(folder));
	write_pages(folder, pages, sizeof(pages) / sizeof(pages[0]));
	(void)snprintf(link, sizeof(link), "%s/link.html", folder);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	cfg.pages = folder;
	app_open(app, &cfg);
}

static void
serves_pages(void **state)
{
	static const struct {
		const char *path;
		const char *type; /* NULL: 404 */
		const char *text;
	} rows[] = {
		{ "/", "text/html; charset=utf-8", "<portal>" },
		{ "/orders/UK1?paid=1", "text/html; charset=utf-8", "<portal>" },
		{ "/index.html", "text/html; charset=utf-8", "<portal>" },
		{ "/staff", "text/html; charset=utf-8", "<staff>" },
		{ "/staff/", "text/html; charset=utf-8", "<staff>" },
		{ "/staff/orders/UK1", "text/html; charset=utf-8", "<staff>" },
		{ "/assets/app-1.js", "text/javascript; charset=utf-8", "code()" },
		{ "/assets/app-1.css", "text/css; charset=utf-8", "a{}" },
		{ "/favicon.svg", "image/svg+xml", "<svg/>" },
		{ "/assets/app-2.js", NULL, NULL },
		{ "/.secret", NULL, NULL },
		{ "/link.html", NULL, NULL },
		{ "/api/unknown", NULL, NULL },
		{ "/notify", NULL, NULL },
	};
	char folder[] = "/tmp/ukey-pages-XXXXXX";
	struct app app;

	(void)state;
	pages_open(&app, folder);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_reply r = call(&app, "GET", rows[i].path, NULL, NULL);

		if (rows[i].type == NULL) {
			refused(r, 404, "not-found", NULL);
			continue;
		}
		assert_header(&r, "Content-Type", rows[i].type);
		answered(r, 200, rows[i].text);
	}
	refused(post(&app, "/index.html", "{}"), 404, "not-found", NULL);
	answered(call(&app, "HEAD", "/", NULL, NULL), 200, "");
	app_close(&app);
	remove_pages(folder, pages, sizeof(pages) / sizeof(pages[0]));
}

static void
pages_stay_in_their_folder(void **state)
{
	static const char *const paths[] = { "/../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd",
		"/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/assets/../../../../etc/passwd",
		"//etc/passwd", "/assets/..%5c..%5cetc%5cpasswd", "/etc/passwd%00.html",
		"/staff/../.secret", "/%2esecret", "/link.html", "/./.secret" };
	char folder[] = "/tmp/ukey-pages-XXXXXX";
	struct app app;

	(void)state;
	pages_open(&app, folder);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char text[256];
		char out[2048];

		(void)snprintf(text, sizeof(text),
		    "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", paths[i]);
		assert_true(peer_ask(app.port, text, out, sizeof(out)) > 0);
		assert_null(strstr(out, "root:"));
		assert_null(strstr(out, "hidden"));
	}
	app_close(&app);
	remove_pages(folder, pages, sizeof(pages) / sizeof(pages[0]));
}

static void
pages_are_cached(void **state)
{
	char folder[] = "/tmp/ukey-pages-XXXXXX";
	struct app app;
	struct http_reply r;
	char etag[64];
	char value[128];
	char text[512];
	char out[2048];

	(void)state;
	pages_open(&app, folder);
	r = call(&app, "GET", "/assets/app-1.js", NULL, NULL);
	assert_true(http_reply_header(&r, "Cache-Control", value, sizeof(value)));
	assert_non_null(strstr(value, "immutable"));
	assert_true(http_reply_header(&r, "Vary", value, sizeof(value)));
	http_reply_fini(&r);
	r = call(&app, "GET", "/", NULL, NULL);
	assert_true(http_reply_header(&r, "Cache-Control", value, sizeof(value)));
	assert_string_equal(value, "no-cache");
	assert_true(http_reply_header(&r, "ETag", etag, sizeof(etag)));
	http_reply_fini(&r);
	(void)snprintf(text, sizeof(text),
	    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: %s\r\n\r\n", etag);
	(void)peer_ask(app.port, text, out, sizeof(out));
	assert_non_null(strstr(out, " 304 "));
	assert_null(strstr(out, "<portal>"));
	(void)peer_ask(app.port,
	    "GET /assets/app-1.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Accept-Encoding: gzip, br\r\n\r\n",
	    out, sizeof(out));
	assert_non_null(strstr(out, "Content-Encoding: gzip\r\n"));
	assert_non_null(strstr(out, "\r\n\r\nzipped"));
	app_close(&app);
	remove_pages(folder, pages, sizeof(pages) / sizeof(pages[0]));
}

static void
client_refuses(void **state)
{
	struct app *app = *state;
	const struct net_pair split = { "X-A", "1\r\nX-B: 2" };
	struct http_call c = { .method = "GET", .timeout_ms = 300, .max = 100 };
	struct http_reply r;
	char url[128];

	c.url = "http://ukey.invalid/";
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_E_DENIED); /* plain http */
	c.url = "ftp://127.0.0.1/";
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_E_DENIED);
	c.url = "not a url";
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_E_INPUT);
	c.url = "http://127.0.0.1:1/";
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_E_UNAVAILABLE);
	c.headers = &split;
	c.n_headers = 1;
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_E_INPUT);
	c.n_headers = 0;
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", app->port);
	c.url = url;
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_E_UNAVAILABLE);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/api/echo/1", app->port);
	c.max = 10;
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_E_LIMIT);
	c.max = 1000;
	c.timeout_ms = 100;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/api/slow", app->port);
	assert_int_equal(http_call(app->client, &c, &r, NULL), UK_E_TIMEOUT);
	assert_null(r.headers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_and_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_head_and_options, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_by_table, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_large_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_bad_json, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_forged_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_callbacks_from_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(asks_the_gate, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_what_a_page_may_know, setup, teardown),
		cmocka_unit_test_setup_teardown(protects_browsers, setup, teardown),
		cmocka_unit_test_setup_teardown(sets_cookies, setup, teardown),
		cmocka_unit_test(marks_cookies_secure),
		cmocka_unit_test_setup_teardown(redirects, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_large_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_not_http, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(survives_clients_that_leave, setup, teardown),
		cmocka_unit_test(closes_slow_senders),
		cmocka_unit_test(closes_slow_readers),
		cmocka_unit_test_setup_teardown(tells_before_the_body, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_it_cannot_hold, setup, teardown),
		cmocka_unit_test(survives_answers_after_the_end),
		cmocka_unit_test(answers_for_a_late_handler),
		cmocka_unit_test(refuses_when_busy),
		cmocka_unit_test(limits_memory_for_bodies),
		cmocka_unit_test(limits_an_address),
		cmocka_unit_test(stops_gracefully),
		cmocka_unit_test(listens_on_a_unix_socket),
		cmocka_unit_test_setup_teardown(refuses_bad_configuration, setup, teardown),
		cmocka_unit_test(serves_pages),
		cmocka_unit_test(pages_stay_in_their_folder),
		cmocka_unit_test(pages_are_cached),
		cmocka_unit_test_setup_teardown(client_refuses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
