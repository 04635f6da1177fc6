/* Built pages over the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http_app.h"
#include "http_peer.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves_pages),
		cmocka_unit_test(pages_stay_in_their_folder),
		cmocka_unit_test(pages_are_cached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
