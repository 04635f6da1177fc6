/* The server on real sockets: what it reads, answers and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http_app.h"
#include "http_peer.h"

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
		cmocka_unit_test_setup_teardown(client_refuses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
