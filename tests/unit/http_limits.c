/* The server under peers that are slow, many, gone or not HTTP at all, and its end. */
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

/* A stranger's large body is neither awaited nor given memory. */
static void
asks_the_gate_before_a_large_body(void **state)
{
	static const char text[] =
	    "PUT /api/staff/images/a HTTP/1.1\r\nHost: x\r\nX-Ukey: 1\r\n"
	    "Connection: close\r\nContent-Type: image/png\r\n%sContent-Length: %d\r\n\r\n%s";
	struct httpd_config cfg = plain;
	struct app app;
	char head[512];
	char out[2048];
	int fds[8];

	(void)state;
	cfg.body_memory = 100000;
	cfg.answer_ms = 200;
	app_open(&app, &cfg);
	for (size_t i = 0; i < 8; i++) {
		fds[i] = peer_connect(app.port);
		(void)snprintf(head, sizeof(head), text, "", 90000, "abc");
		peer_send(fds[i], head);
	}
	for (size_t i = 0; i < 8; i++) {
		assert_true(peer_read(fds[i], out, sizeof(out), 3000) > 0);
		assert_non_null(strstr(out, " 401 "));
		(void)close(fds[i]);
	}
	(void)snprintf(head, sizeof(head), text, "Cookie: ukey_staff=zhang\r\n", 3, "abc");
	(void)peer_ask(app.port, head, out, sizeof(out));
	assert_non_null(strstr(out, "\r\n\r\nabc"));
	(void)snprintf(head, sizeof(head), text, "Cookie: ukey_staff=zhang\r\n", 0, "");
	(void)peer_ask(app.port, head, out, sizeof(out));
	assert_non_null(strstr(out, " 200 "));

	/* the gate has a deadline too, and may be left in the middle of it */
	(void)snprintf(head, sizeof(head), text, "Cookie: ukey_staff=slow\r\n", 3, "abc");
	(void)peer_ask(app.port, head, out, sizeof(out));
	assert_non_null(strstr(out, " 504 "));
	fds[0] = peer_connect(app.port);
	peer_send(fds[0], head);
	(void)close(fds[0]);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
		cmocka_unit_test(asks_the_gate_before_a_large_body),
		cmocka_unit_test(limits_an_address),
		cmocka_unit_test(stops_gracefully),
		cmocka_unit_test(listens_on_a_unix_socket),
		cmocka_unit_test_setup_teardown(refuses_bad_configuration, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
