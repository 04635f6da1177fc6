/* The parts of server/http and server/net that need no socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "http/cookie.h"
#include "http/route.h"
#include "http/security.h"
#include "net/form.h"

static struct net_pairs
pairs(const char *s)
{
	struct net_pairs p = { 0 };

	assert_int_equal(net_pairs_parse(uk_span_str(s), &p), UK_OK);
	return p;
}

static void
form_reads(void **state)
{
	struct net_pairs p = pairs("a=1&name=%E5%BC%A0+%e4%b8%89&empty=&bare&x=a%3Db%26c");

	(void)state;
	assert_int_equal(p.n, 5);
	assert_string_equal(net_pairs_get(&p, "a"), "1");
	assert_string_equal(net_pairs_get(&p, "name"), "\xe5\xbc\xa0 \xe4\xb8\x89");
	assert_string_equal(net_pairs_get(&p, "empty"), "");
	assert_string_equal(net_pairs_get(&p, "bare"), "");
	assert_string_equal(net_pairs_get(&p, "x"), "a=b&c");
	assert_null(net_pairs_get(&p, "A"));
	net_pairs_fini(&p);
	p = pairs("");
	assert_int_equal(p.n, 0);
	net_pairs_fini(&p);
}

static void
form_refuses(void **state)
{
	static const char *const bad[] = { "a=%", "a=%4", "a=%zz", "a=%00", "=1", "&", "a=1&&b=2",
		"a=1&a=2", "a=1&%61=2", "%=1" };
	struct net_pairs p;
	struct uk_buf many;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(net_pairs_parse(uk_span_str(bad[i]), &p), UK_E_INPUT);
	assert_int_equal(net_pairs_parse(uk_span("a=\0", 3), &p), UK_E_INPUT);
	uk_buf_init(&many, 4096);
	for (int i = 0; i < NET_PAIRS_MAX; i++)
		uk_buf_printf(&many, "%sp%d", i > 0 ? "&" : "", i);
	assert_int_equal(net_pairs_parse(uk_buf_span(&many), &p), UK_OK);
	net_pairs_fini(&p);
	uk_buf_put_str(&many, "&one-more");
	assert_int_equal(net_pairs_parse(uk_buf_span(&many), &p), UK_E_LIMIT);
	uk_buf_fini(&many);
}

static void
form_writes(void **state)
{
	struct net_pairs p;
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 1000);
	net_form_put(&b, "a b", "1&2=3");
	net_form_put(&b, "u", "~-._ \xe5\xbc\xa0*");
	assert_string_equal(uk_buf_str(&b), "a%20b=1%262%3D3&u=~-._%20%E5%BC%A0%2A");
	assert_int_equal(net_pairs_parse(uk_buf_span(&b), &p), UK_OK);
	assert_string_equal(net_pairs_get(&p, "u"), "~-._ \xe5\xbc\xa0*");
	net_pairs_fini(&p);
	uk_buf_reset(&b);
	assert_int_equal(net_url_get(&b, uk_span_str("a+%2Fb")), UK_OK);
	assert_string_equal(uk_buf_str(&b), "a+/b");
	assert_int_equal(net_url_get(&b, uk_span_str("%0")), UK_E_INPUT);
	uk_buf_fini(&b);
}

static void
cookies_read(void **state)
{
	struct net_pairs p;

	(void)state;
	http_cookies_parse(uk_span_str("a=1; b=x%20y;c=;  d = 5; a=2; bad\"=1; e=q\"; f=ok"), &p);
	assert_string_equal(net_pairs_get(&p, "a"), "1");
	assert_string_equal(net_pairs_get(&p, "b"), "x%20y");
	assert_string_equal(net_pairs_get(&p, "c"), "");
	assert_string_equal(net_pairs_get(&p, "f"), "ok");
	assert_int_equal(p.n, 4);
	net_pairs_fini(&p);
	http_cookies_parse(uk_span_str(NULL), &p);
	assert_int_equal(p.n, 0);
	net_pairs_fini(&p);
	http_cookies_parse(uk_span_str(";;=;a"), &p);
	assert_int_equal(p.n, 0);
	net_pairs_fini(&p);
}

static void
cookies_write(void **state)
{
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 1000);
	assert_int_equal(http_cookie_put(&b, "ukey_order", "abc.def", "/api", 60, true), UK_OK);
	assert_string_equal(uk_buf_str(&b),
	    "ukey_order=abc.def; Path=/api; HttpOnly; SameSite=Strict; Secure; Max-Age=60");
	uk_buf_reset(&b);
	assert_int_equal(http_cookie_put(&b, "a", "", "/", -1, false), UK_OK);
	assert_string_equal(uk_buf_str(&b), "a=; Path=/; HttpOnly; SameSite=Strict");
	assert_int_equal(http_cookie_put(&b, "a", "x; Domain=evil", "/", -1, true), UK_E_INPUT);
	assert_int_equal(http_cookie_put(&b, "a\r\n", "x", "/", -1, true), UK_E_INPUT);
	assert_int_equal(http_cookie_put(&b, "a", "x", "", -1, true), UK_E_INPUT);
	uk_buf_fini(&b);
}

static void
path_matches(void **state)
{
	static const char pattern[] = "/api/orders/{id}/documents/{type}";
	struct http_params p;

	(void)state;
	assert_true(http_path_match(pattern, "/api/orders/UK1/documents/agent%2dfront", &p));
	assert_int_equal(p.n, 2);
	assert_string_equal(p.v[0].name, "id");
	assert_string_equal(p.v[0].value, "UK1");
	assert_string_equal(p.v[1].value, "agent-front");
	assert_true(http_path_match("/", "/", &p));
	assert_true(http_path_match("/api/site", "/api/site", &p));
	assert_true(http_path_match("/ca/ocsp/{request*}", "/ca/ocsp/MEI%2F/x%3D", &p));
	assert_int_equal(p.n, 0);
	assert_false(http_path_match("/ca/ocsp/{request*}", "/ca/ocsp/", &p));
	assert_false(http_path_match("/ca/ocsp/{request*}", "/ca/ocsp", &p));
	assert_false(http_path_match("/ca/ocsp/{request*}", "/ca/other/x", &p));
}

static void
path_differs(void **state)
{
	static const char *const others[] = { "/api/orders", "/api/orders/", "/api/orders/a/b",
		"/api/orders/a/", "/api/orders//", "api/orders/a", "", "/api/orders/%2f",
		"/api/orders/..%2fstaff", "/api/orders/%", "/api/orders/%00", "/API/orders/a" };
	char longer[400] = "/api/orders/";
	struct http_params p;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(http_path_match("/api/orders/{id}", others[i], &p));
	memset(longer + 12, 'a', HTTP_PARAM_LEN - 1);
	assert_true(http_path_match("/api/orders/{id}", longer, &p));
	longer[12 + HTTP_PARAM_LEN - 1] = 'a';
	assert_false(http_path_match("/api/orders/{id}", longer, &p));
}

static enum uk_rc
handler(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)app;
	(void)rq;
	return uk_fail(err, UK_E_INTERNAL, NULL, NULL, 0);
}

static void
tables_are_checked(void **state)
{
	const struct http_route twice[] = {
		{ .method = HTTP_GET, .path = "/a", .handler = handler },
		{ .method = HTTP_GET, .path = "/a", .handler = handler },
	};
	const struct http_route bad[] = {
		{ .method = HTTP_GET, .path = "/a" },
		{ .method = HTTP_GET, .path = "a", .handler = handler },
		{ .method = HTTP_GET, .path = "/a", .body = HTTP_JSON, .handler = handler },
		{ .method = HTTP_POST, .path = "/a", .n_fields = 1, .handler = handler },
		{ .method = HTTP_GET, .path = "/{a}/{b}/{c}/{d}/{e}", .handler = handler },
	};
	struct uk_err err = { 0 };

	(void)state;
	assert_int_equal(http_routes_check(twice, 1, &err), UK_OK);
	assert_int_equal(http_routes_check(twice, 2, &err), UK_E_INPUT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(http_routes_check(&bad[i], 1, &err), UK_E_INPUT);
}

/* One row per verdict of the table. */
static void
table_judges(void **state)
{
	static const char *const images[] = { "image/jpeg", "image/png", NULL };
	static const struct http_route routes[] = {
		{ HTTP_GET, "/a", .handler = handler },
		{ HTTP_POST, "/a", .body = HTTP_JSON, .handler = handler },
		{ HTTP_PUT, "/p", .body = HTTP_RAW, .types = images, .limit = 100000,
		    .handler = handler },
		{ HTTP_POST, "/f", .body = HTTP_FORM, .handler = handler },
	};
	static const struct {
		struct http_head head;
		int status;
		unsigned allow;
	} rows[] = {
		{ { .method = "GET", .path = "/a" }, 0, 3 },
		{ { .method = "HEAD", .path = "/a" }, 0, 3 },
		{ { .method = "GET", .path = "/b" }, 404, 0 },
		{ { .method = "OPTIONS", .path = "/b" }, 404, 0 },
		{ { .method = "OPTIONS", .path = "/a" }, 204, 3 },
		{ { .method = "DELETE", .path = "/a" }, 405, 3 },
		{ { .method = "PATCH", .path = "/a" }, 405, 3 },
		{ { .method = "GET", .path = "/p" }, 405, 4 },
		{ { .method = "GET", .path = "/a", .length = "5" }, 400, 3 },
		{ { .method = "POST", .path = "/a", .type = "application/json" }, 411, 3 },
		{ { .method = "POST", .path = "/a", .type = "application/json", .chunked = true },
		    411, 3 },
		{ { .method = "POST", .path = "/a", .type = "application/json", .length = "-1" },
		    400, 3 },
		{ { .method = "POST", .path = "/a", .type = "application/json", .length = "" }, 400,
		    3 },
		{ { .method = "POST", .path = "/a", .type = "application/json", .length = "65536" },
		    0, 3 },
		{ { .method = "POST", .path = "/a", .type = "application/json", .length = "65537" },
		    413, 3 },
		{ { .method = "POST",
		      .path = "/a",
		      .type = "application/json",
		      .length = "99999999999999999999999999999999999" },
		    413, 3 },
		{ { .method = "POST",
		      .path = "/a",
		      .type = "Application/JSON; charset=utf-8",
		      .length = "2" },
		    0, 3 },
		{ { .method = "POST", .path = "/a", .type = "application/jsonp", .length = "2" },
		    415, 3 },
		{ { .method = "POST", .path = "/a", .type = "text/plain", .length = "2" }, 415, 3 },
		{ { .method = "POST", .path = "/a", .length = "2" }, 415, 3 },
		{ { .method = "POST", .path = "/a", .length = "0" }, 0, 3 },
		{ { .method = "PUT", .path = "/p", .type = "image/png", .length = "100000" }, 0,
		    4 },
		{ { .method = "PUT", .path = "/p", .type = "image/png", .length = "100001" }, 413,
		    4 },
		{ { .method = "PUT", .path = "/p", .type = "image/gif", .length = "5" }, 415, 4 },
		{ { .method = "PUT", .path = "/p", .length = "0" }, 415, 4 },
		{ { .method = "POST",
		      .path = "/f",
		      .type = "application/x-www-form-urlencoded",
		      .length = "5" },
		    0, 2 },
		{ { .method = "POST", .path = "/f", .type = "multipart/form-data", .length = "5" },
		    415, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_params params;
		struct http_verdict v;

		http_route_judge(routes, 4, &rows[i].head, &params, &v);
		if (v.status != rows[i].status || v.allow != rows[i].allow)
			fail_msg("row %zu: %d, %#x", i, v.status, v.allow);
		assert_int_equal(v.route != NULL, v.status == 0);
	}
}

static void
policy_is_strict(void **state)
{
	struct httpd_config cfg = { .connect_src = "ws://127.0.0.1:21071" };
	char *csp = http_csp_dup(&cfg);

	(void)state;
	assert_non_null(strstr(csp, "default-src 'none'"));
	assert_non_null(strstr(csp, "; script-src 'self';"));
	assert_non_null(strstr(csp, "; style-src 'self';"));
	assert_non_null(strstr(csp, "; connect-src 'self' ws://127.0.0.1:21071;"));
	assert_null(strstr(csp, "unsafe"));
	free(csp);
	cfg.inline_style = true;
	csp = http_csp_dup(&cfg);
	assert_non_null(strstr(csp, "; style-src 'self' 'unsafe-inline';"));
	free(csp);
}

static void
gzip_is_negotiated(void **state)
{
	(void)state;
	assert_true(http_takes_gzip("gzip"));
	assert_true(http_takes_gzip("deflate, gzip, br"));
	assert_true(http_takes_gzip("gzip;q=0.5"));
	assert_true(http_takes_gzip("gzip; q=1"));
	assert_false(http_takes_gzip("gzip;q=0"));
	assert_false(http_takes_gzip("gzip; q=0 , br"));
	assert_false(http_takes_gzip("gzip;q=0, br"));
	assert_false(http_takes_gzip("gzip;q=0.00"));
	assert_false(http_takes_gzip("br"));
	assert_false(http_takes_gzip(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(form_reads),
		cmocka_unit_test(form_refuses),
		cmocka_unit_test(form_writes),
		cmocka_unit_test(cookies_read),
		cmocka_unit_test(cookies_write),
		cmocka_unit_test(path_matches),
		cmocka_unit_test(path_differs),
		cmocka_unit_test(tables_are_checked),
		cmocka_unit_test(table_judges),
		cmocka_unit_test(policy_is_strict),
		cmocka_unit_test(gzip_is_negotiated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
