#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox_fixture.h"
#include "uk/config.h"

#define SPEED   100000
#define WAIT_S  5
#define QUIET_S 300000000L /* nanoseconds */

static int64_t
now(void *ctx)
{
	const struct world *w = ctx;

	return uk_now(&uk_clock_system) + w->offset;
}

static int64_t
mono_ms(void *ctx)
{
	(void)ctx;
	return uk_mono_ms(&uk_clock_system);
}

/* True: this one is to be answered with something else. */
static bool
keep(struct world *w, const struct notice *n)
{
	bool refuse;

	(void)pthread_mutex_lock(&w->lock);
	if (w->n_notices < NOTICES_MAX)
		w->notices[w->n_notices++] = *n;
	refuse = w->refuse > 0;
	w->refuse -= refuse;
	(void)pthread_cond_broadcast(&w->came);
	(void)pthread_mutex_unlock(&w->lock);
	return refuse;
}

static enum uk_rc
on_alipay(void *app, struct http_request *rq, struct uk_err *err)
{
	struct world *w = app;
	struct notice n = { 0 };
	bool refuse;

	(void)err;
	n.rc = pay_notify(w->pay, http_body(rq), &n.event, &n.err);
	refuse = keep(w, &n);
	http_answer_text(rq, 200, "text/plain", refuse || n.rc != UK_OK ? "fail" : "success");
	return UK_OK;
}

static enum uk_rc
on_bank(void *app, struct http_request *rq, struct uk_err *err)
{
	struct world *w = app;
	struct notice n = { 0 };
	bool refuse;

	(void)err;
	n.rc = bank_notify(
	    w->bank, http_header(rq, BANK_SIGNATURE_HEADER), http_body(rq), &n.result, &n.err);
	refuse = keep(w, &n);
	http_answer_text(rq, refuse ? 500 : 200, "application/json", "{}");
	return UK_OK;
}

static const char *const json_types[] = { "application/json", NULL };

static const struct http_route routes[] = {
	{ HTTP_POST, "/notify/alipay", .flags = HTTP_OUTSIDE, .body = HTTP_FORM,
	    .handler = on_alipay },
	{ HTTP_POST, "/notify/bank", .flags = HTTP_OUTSIDE, .body = HTTP_RAW, .types = json_types,
	    .handler = on_bank },
};

static void
open_servers(struct world *w)
{
	const struct sandbox_config sandbox = { .dir = w->dir,
		.listen = "127.0.0.1:0",
		.speed = SPEED,
		.clock = &w->clock,
		.random = &uk_random_system,
		.log = &w->log };
	const struct httpd_config ours = { .listen = "127.0.0.1:0",
		.origin = "http://localhost",
		.routes = routes,
		.n_routes = 2,
		.app = w };

	assert_int_equal(sandbox_open(&sandbox, &w->sandbox, NULL), UK_OK);
	assert_int_equal(httpd_open(&ours, &w->ours, NULL), UK_OK);
	(void)snprintf(w->notify_alipay, sizeof(w->notify_alipay),
	    "http://127.0.0.1:%u/notify/alipay", httpd_port(w->ours));
	(void)snprintf(w->notify_bank, sizeof(w->notify_bank), "http://127.0.0.1:%u/notify/bank",
	    httpd_port(w->ours));
}

void
world_reread(struct world *w)
{
	char path[128];
	struct uk_buf b;

	json_decref(w->file);
	w->file = NULL;
	(void)snprintf(path, sizeof(path), "%s/sandbox.json", w->dir);
	uk_buf_init(&b, 65536);
	assert_int_equal(uk_file_read(path, 32768, &b, NULL), UK_OK);
	assert_int_equal(uk_json_parse(uk_buf_span(&b), 32768, &w->file, NULL), UK_OK);
	uk_buf_fini(&b);
}

const char *
world_config(const struct world *w, const char *key)
{
	return json_string_value(json_object_get(json_object_get(w->file, "config"), key));
}

static void
open_connectors(struct world *w)
{
	const struct pay_setup pay = { .gateway = world_config(w, "alipay-gateway"),
		.app_id = world_config(w, "alipay-app-id"),
		.seller_id = world_config(w, "alipay-seller-id"),
		.private_key = world_config(w, "alipay-private-key"),
		.public_key = world_config(w, "alipay-public-key"),
		.http = w->http,
		.clock = &w->clock };
	const struct bank_setup bank = { .url = world_config(w, "bank-url"),
		.key = world_config(w, "bank-key"),
		.http = w->http,
		.clock = &w->clock,
		.random = &uk_random_system };

	assert_int_equal(pay_open("alipay", &pay, &w->pay, NULL), UK_OK);
	assert_int_equal(bank_open("gateway", &bank, &w->bank, NULL), UK_OK);
}

int
world_folder(void **state)
{
	char *dir = uk_xstrdup("/tmp/ukey-sandbox-XXXXXX");

	assert_non_null(mkdtemp(dir));
	*state = dir;
	return 0;
}

int
world_folder_gone(void **state)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/sandbox.json", (const char *)*state);
	(void)unlink(path);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

int
world_open(void **state)
{
	struct world *w = uk_xalloc(sizeof(*w));

	w->dir = *state;
	w->clock = (struct uk_clock){ .now = now, .mono_ms = mono_ms, .ctx = w };
	uk_log_init(&w->log, "sandbox-test");
	assert_int_equal(uk_log_set_level(&w->log, "error"), UK_OK);
	assert_int_equal(pthread_mutex_init(&w->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&w->came, NULL), 0);
	w->http = http_client_new(NULL);
	open_servers(w);
	world_reread(w);
	open_connectors(w);
	*state = w;
	return 0;
}

int
world_close(void **state)
{
	struct world *w = *state;

	sandbox_close(&w->sandbox);
	httpd_close(&w->ours);
	pay_close(&w->pay);
	bank_close(&w->bank);
	http_client_free(&w->http);
	json_decref(w->file);
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_cond_destroy(&w->came);
	free(w);
	return 0;
}

const struct notice *
world_notice(struct world *w, size_t n)
{
	struct timespec until;
	int rc = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	(void)pthread_mutex_lock(&w->lock);
	while (w->n_notices <= n && rc == 0)
		rc = pthread_cond_timedwait(&w->came, &w->lock, &until);
	(void)pthread_mutex_unlock(&w->lock);
	assert_int_equal(rc, 0);
	return &w->notices[n];
}

void
world_quiet(struct world *w, size_t n)
{
	const struct timespec moment = { .tv_nsec = QUIET_S };

	(void)nanosleep(&moment, NULL);
	(void)pthread_mutex_lock(&w->lock);
	assert_int_equal(w->n_notices, n);
	(void)pthread_mutex_unlock(&w->lock);
}

void
world_control(struct world *w, const char *json)
{
	struct http_reply reply = { 0 };
	char url[128];

	(void)snprintf(url, sizeof(url), "%s/control", sandbox_base(w->sandbox));
	assert_int_equal(http_post(w->http, url, "application/json", uk_span_str(json), 5000, 65536,
			     &reply, NULL),
	    UK_OK);
	assert_int_equal(reply.status, 200);
	http_reply_fini(&reply);
}

char *
world_page(struct world *w, const char *path, int want_status)
{
	struct http_reply reply = { 0 };
	char url[512];
	char *text;

	(void)snprintf(url, sizeof(url), "%s%s", sandbox_base(w->sandbox), path);
	assert_int_equal(http_get(w->http, url, 5000, 1024 * 1024, &reply, NULL), UK_OK);
	assert_int_equal(reply.status, want_status);
	text = uk_buf_steal_str(&reply.body);
	http_reply_fini(&reply);
	assert_non_null(text);
	return text;
}
