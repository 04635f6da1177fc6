/*
 * The real ukey-native between us, as the browser, and the real ukeyd: whose connection it is, what
 * is refused, and how it ends.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_client.h"
#include "daemon_world.h"
#include "uk/clock.h"
#include "uk/config.h"
#include "uk/frame.h"

#define OTHER_ID "ponmlkjihgfedcbaponmlkjihgfedcba" /* which the policy names */
#define ORIGIN                                                                                     \
	"{\"jsonrpc\":\"2.0\",\"method\":\"agent.origin\",\"params\":{\"origin\":\"" WORLD_SITE    \
	"\"}}"
#define HELLO  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"agent.hello\"}"
#define POLICY "{\"modules\": [\"" SOFTHSM_MODULE "\"], \"extensions\": [\"" OTHER_ID "\"]}"

static int
group_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, POLICY);
	world_start(w);
	*state = w;
	return 0;
}

static int
group_teardown(void **state)
{
	struct world *w = *state;

	world_stop(w);
	assert_true(world_gone("ukey-native"));
	assert_true(world_gone("ukeyd"));
	assert_true(world_gone("ukey-token"));
	world_fini(w);
	free(w);
	return 0;
}

/* The next message's reason; "" for none. */
static const char *
said(const struct host *h)
{
	static char out[64];
	char *text = host_get(h);
	json_t *m;

	assert_non_null(text);
	m = json_loads(text, 0, NULL);
	assert_non_null(m);
	(void)snprintf(out, sizeof(out), "%s", answer_reason(m));
	json_decref(m);
	free(text);
	return out;
}

/* It says so, without an id, and ends. */
static void
refused(struct host h, const char *reason)
{
	char *text = host_get(&h);

	assert_non_null(text);
	assert_non_null(strstr(text, "\"id\":null"));
	if (strstr(text, reason) == NULL)
		fail_msg("%s instead of %s", text, reason);
	free(text);
	assert_null(host_get(&h));
	assert_int_equal(host_end(&h), 1);
}

static void
hello(const char *program, const char *first, const char *second)
{
	struct host h = host_start(program, first, second);
	char *text;

	assert_true(host_put(&h, ORIGIN));
	assert_true(host_put(&h, HELLO));
	text = host_get(&h);
	assert_non_null(text);
	assert_non_null(strstr(text, "\"origin\":\"" WORLD_SITE "\",\"allowed\":false"));
	free(text);
	assert_int_equal(host_end(&h), 0);
}

static void
every_browser(void **state)
{
	(void)state;
	hello(NULL, WORLD_ID, NULL);
	hello(NULL, "/usr/lib/mozilla/native-messaging-hosts/cn.ukey.agent.json",
	    "ukey@ukey.example");
	hello(NULL, NULL, NULL);
	hello(NULL, "chrome-extension://" OTHER_ID "/", NULL);
}

static struct host
with_first(const char *extension, const char *text)
{
	const struct host h = host_start(NULL, extension, NULL);

	(void)host_put(&h, text); /* it may have ended by then */
	return h;
}

static void
first_frame(void **state)
{
	struct host h;

	(void)state;
	refused(with_first(WORLD_ID, HELLO), "origin-refused");
	refused(with_first(WORLD_ID, "garbage"), "origin-refused");
	refused(with_first(WORLD_ID, ""), "origin-refused");
	h = host_start(NULL, WORLD_ID, NULL);
	assert_true(host_put_frame(&h, 0x7fffffff, "x", 1));
	refused(h, "origin-refused");
	/* none at all, and half of one */
	h = host_start(NULL, WORLD_ID, NULL);
	assert_int_equal(host_end(&h), 0);
	h = host_start(NULL, WORLD_ID, NULL);
	assert_true(host_put_frame(&h, 100, ORIGIN, 20));
	assert_int_equal(host_end(&h), 0);
}

static void
other_extensions(void **state)
{
	(void)state;
	refused(with_first("chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/", ORIGIN),
	    "extension-refused");
	refused(with_first("chrome-extension://short/", ORIGIN), "extension-refused");
	refused(with_first("moz-extension://x/", ORIGIN), "extension-refused");
}

static void
sites_only(void **state)
{
	static const char *const bad[] = { "http://ca.example", "file://", "null",
		"https://ca.example/", "https://CA.example", "http://localhost:8600", "local:" };
	struct world *w = *state;
	struct peer p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(host_open(bad[i]), "origin-refused");
	p = peer_host(WORLD_SITE);
	assert_string_equal(answer_reason(peer_call(w, &p, "site.list", NULL)), "policy-refused");
	assert_string_equal(
	    answer_reason(peer_call(w, &p, "token.list", NULL)), "site-not-allowed");
	peer_close(&p);
}

/* Once, first, and from the host only. */
static void
origin_again(void **state)
{
	struct world *w = *state;
	struct peer page = peer_page(w, WORLD_SITE);
	struct host h = host_open(WORLD_SITE);
	int local = local_connect(w->socket), status;
	char *text;

	assert_true(
	    host_put(&h, "{\"jsonrpc\":\"2.0\",\"method\":\"agent.origin\",\"params\":{\"origin\":"
			 "\"https://other.example\"}}"));
	assert_string_equal(said(&h), "origin-refused");
	assert_true(host_put(&h, HELLO));
	text = host_get(&h);
	assert_non_null(strstr(text, WORLD_SITE)); /* it is who it was */
	free(text);
	assert_int_equal(host_end(&h), 0);

	assert_true(ws_put(page.fd, ORIGIN, strlen(ORIGIN)));
	text = ws_get(page.fd, &status);
	assert_non_null(strstr(text, "origin-refused"));
	free(text);
	peer_close(&page);

	/* Who would be a site does not go on as the user. */
	assert_true(local_put(local, ORIGIN, strlen(ORIGIN)));
	(void)local_put(local, HELLO, strlen(HELLO));
	text = local_get(local);
	assert_non_null(strstr(text, "origin-refused"));
	free(text);
	assert_null(local_get(local));
	close(local);
}

/* The same program in another place is not the installed one. */
static void
copied_host(void **state)
{
	struct world *w = *state;
	const char *cp[] = { "cp", NATIVE, NULL, NULL };
	struct host h;

	cp[2] = world_path(w, "ukey-native");
	assert_int_equal(world_run(cp), 0);
	h = host_start(w->path, WORLD_ID, NULL);
	assert_true(host_put(&h, ORIGIN));
	(void)host_put(&h, HELLO);
	refused(h, "origin-refused");
}

static void
oversized(void **state)
{
	const size_t n = UK_MESSAGE_MAX;
	char *text = calloc(1, n + 1);
	struct host h = host_open(WORLD_SITE);

	(void)state;
	memset(text, ' ', n + 1);
	/* the largest there is goes through and is no JSON; what is garbage leaves all as it was */
	assert_true(host_put_frame(&h, (uint32_t)n, text, n));
	assert_string_equal(said(&h), "json-malformed");
	assert_true(host_put(&h, "{"));
	assert_string_equal(said(&h), "json-malformed");
	assert_true(host_put(&h, HELLO));
	assert_string_equal(said(&h), "");
	/* one byte more: it is read to its end, so that a browser that writes gets to read */
	assert_true(host_put_frame(&h, (uint32_t)n + 1, text, n + 1));
	refused(h, "too-large");
	free(text);
}

static void
browser_goes(void **state)
{
	struct world *w = *state;
	struct peer p = peer_host(WORLD_SITE);
	int64_t then;

	/* while a window is open */
	world_answers(w, "!hang\n");
	(void)peer_ask(w, &p, "site.request", NULL);
	assert_true(world_shows(w, "CONFIRM"));
	assert_true(world_has("sleep", 1));
	then = uk_mono_ms(&uk_clock_system);
	assert_int_equal(host_end(&p.host), 0);
	assert_true(uk_mono_ms(&uk_clock_system) - then < 1000);
	assert_true(world_gone("sleep"));
	assert_true(world_gone("ukey-native"));
	/* it reads no more, but has not closed its own end */
	p = peer_host(WORLD_SITE);
	answer_result(peer_call(w, &p, "agent.hello", NULL));
	close(p.host.from);
	p.host.from = -1;
	assert_true(world_gone("ukey-native"));
	assert_int_equal(host_end(&p.host), 0);
}

static void
grant(void **state)
{
	struct world *w = *state;
	struct peer p = peer_host(WORLD_SITE), user = peer_user(w);
	const json_t *r;

	world_answers(w, "!cancel\n");
	assert_string_equal(answer_reason(peer_call(w, &p, "site.request", NULL)), "denied");
	assert_true(world_shown(w, WORLD_SITE));
	answer_result(peer_call(w, &p, "site.request", NULL));
	r = answer_result(peer_call(w, &p, "token.list", NULL));
	assert_int_equal(json_array_size(json_object_get(r, "tokens")), 2);
	/* revoked: its connection ends */
	answer_result(peer_call(w, &user, "site.revoke", json_pack("{s:s}", "origin", WORLD_SITE)));
	assert_null(peer_next(w, &p));
	assert_int_equal(host_end(&p.host), 1);
}

static void
too_many(void **state)
{
	struct world *w = *state;
	struct peer p[16], other;

	for (size_t i = 0; i < 16; i++) {
		p[i] = peer_host("https://many.example");
		answer_result(peer_call(w, &p[i], "agent.hello", NULL));
	}
	refused(host_open("https://many.example"), "too-many-connections");
	other = peer_host(WORLD_SITE);
	answer_result(peer_call(w, &other, "agent.hello", NULL));
	peer_close(&other);
	for (size_t i = 0; i < 16; i++)
		peer_close(&p[i]);
}

static long
memory_of(pid_t pid)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %ld kB", &kb) == 1)
			break;
	(void)fclose(f);
	return kb;
}

/* As much as it takes, until nothing has gone for half a second; whole frames. */
static size_t
fill_up(const struct host *h, const void *frame, size_t n)
{
	struct pollfd out = { .fd = h->to, .events = POLLOUT };
	size_t total = 0, at = 0;

	(void)fcntl(h->to, F_SETFL, O_NONBLOCK);
	while (poll(&out, 1, 500) == 1 && (out.revents & POLLERR) == 0) {
		const ssize_t w = write(h->to, (const char *)frame + at, n - at);

		if (w < 0)
			break;
		total += (size_t)w;
		at = (at + (size_t)w) % n;
		assert_true(total < 64u * 1024u * 1024u);
	}
	return total;
}

/* ukeyd stands still: the browser is held up, and nothing heaps up in between. */
static void
slow_daemon(void **state)
{
	struct world *w = *state;
	struct peer p = peer_host(WORLD_SITE);
	const size_t n = UK_MESSAGE_MAX;
	const uint32_t said_n = (uint32_t)n;
	char *frame = calloc(1, n + 4);
	long before;

	answer_result(peer_call(w, &p, "agent.hello", NULL));
	memcpy(frame, &said_n, 4);
	memset(frame + 4, ' ', n);
	before = memory_of(p.host.pid);
	assert_int_equal(kill(w->ukeyd, SIGSTOP), 0);
	assert_true(fill_up(&p.host, frame, n + 4) < 4u * n);
	assert_true(memory_of(p.host.pid) - before < 8 * 1024);
	assert_int_equal(kill(w->ukeyd, SIGCONT), 0);
	assert_string_equal(said(&p.host), "json-malformed");
	peer_close(&p);
	free(frame);
}

/* A browser that does not read is held up, and let go of in the end. */
static void
slow_browser(void **state)
{
	struct world *w = *state;
	struct peer p = peer_host("https://slow.example"), user = peer_user(w);
	char frame[128];
	const uint32_t n = (uint32_t)strlen(HELLO);
	long before;

	answer_result(peer_call(w, &p, "agent.hello", NULL));
	memcpy(frame, &n, 4);
	memcpy(frame + 4, HELLO, n);
	before = memory_of(p.host.pid);
	(void)fill_up(&p.host, frame, n + 4);
	if (world_count("ukey-native") != 0)
		assert_true(memory_of(p.host.pid) - before < 8 * 1024);
	answer_result(peer_call(w, &user, "agent.hello", NULL));
	assert_int_not_equal(host_end(&p.host), -1);
}

static void
daemon_goes(void **state)
{
	struct world *w = *state;
	struct peer p = peer_host(WORLD_SITE), idle = peer_host(WORLD_SITE);

	answer_result(peer_call(w, &idle, "agent.hello", NULL));
	world_answers(w, "!hang\n");
	(void)peer_ask(w, &p, "site.request", NULL);
	assert_true(world_shows(w, "CONFIRM"));
	for (int i = 0; i < 9; i++)
		(void)peer_ask(w, &p, "site.request", NULL);
	world_kill(w);
	assert_null(peer_next(w, &p));
	assert_null(peer_next(w, &idle));
	assert_int_equal(host_end(&p.host), 1);
	assert_int_equal(host_end(&idle.host), 1);
	assert_true(world_gone("ukey-token"));
	assert_true(world_gone("sleep"));
	/* the next one works */
	world_answers(w, "");
	world_start(w);
	hello(NULL, WORLD_ID, NULL);
}

static pid_t
who_listens(const struct world *w)
{
	struct ucred cred = { 0 };
	socklen_t n = sizeof(cred);
	const int fd = local_connect(w->socket);

	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n), 0);
	close(fd);
	return cred.pid;
}

/* Two ports at once, as two tabs of a browser that starts. */
static void
starts_it(void **state)
{
	struct world *w = *state;
	struct host a, b;
	char *text;
	pid_t pid;

	world_stop(w);
	a = host_open(WORLD_SITE);
	b = host_open("https://other.example");
	assert_true(host_put(&a, HELLO));
	assert_true(host_put(&b, HELLO));
	text = host_get(&a);
	assert_non_null(text);
	free(text);
	text = host_get(&b);
	assert_non_null(text);
	free(text);
	assert_int_equal(host_end(&a), 0);
	assert_int_equal(host_end(&b), 0);
	/* there is one, and it stays */
	pid = who_listens(w);
	assert_true(world_has("ukeyd", 1));
	assert_int_equal(getpgid(pid), pid);
	hello(NULL, WORLD_ID, NULL);
	assert_int_equal(who_listens(w), pid);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_true(world_gone("ukeyd"));
	world_start(w);
}

/* Where the user has a systemd, it is asked; one that can't, or does not answer, is no end. */
static void
by_systemd(void **state)
{
	static const char *const systemctl[] = {
		"#!/bin/sh\necho \"$*\" >\"$XDG_RUNTIME_DIR/asked\"\n" UKEYD
		" --port 0 </dev/null >/dev/null 2>&1 &\n"
		"while ! test -S \"$XDG_RUNTIME_DIR/ukey/agent.sock\"; do sleep 0.1; done\n",
		"#!/bin/sh\nexit 5\n",
		"#!/bin/sh\nexec sleep 600\n",
	};
	struct world *w = *state;
	char path[512], *before = strdup(getenv("PATH"));
	struct uk_buf asked;

	world_stop(w);
	assert_int_equal(mkdir(world_path(w, "systemd"), 0700), 0);
	world_put(w, "systemd/private", "");
	assert_int_equal(mkdir(world_path(w, "bin"), 0700), 0);
	(void)snprintf(path, sizeof(path), "%s:%s", w->path, before);
	assert_int_equal(setenv("PATH", path, 1), 0);
	for (size_t i = 0; i < sizeof(systemctl) / sizeof(systemctl[0]); i++) {
		world_put(w, "bin/systemctl", systemctl[i]);
		assert_int_equal(chmod(w->path, 0700), 0);
		hello(NULL, WORLD_ID, NULL);
		assert_int_equal(kill(who_listens(w), SIGTERM), 0);
		assert_true(world_gone("ukeyd"));
		assert_true(world_gone("sleep"));
	}
	uk_buf_init(&asked, 256);
	assert_int_equal(uk_file_read(world_path(w, "asked"), 200, &asked, NULL), UK_OK);
	assert_string_equal(uk_buf_str(&asked), "--user start ukeyd.socket\n");
	uk_buf_fini(&asked);
	assert_int_equal(setenv("PATH", before, 1), 0);
	free(before);
	(void)unlink(world_path(w, "systemd/private"));
	world_start(w);
}

/* One that can't start says so, and nobody waits for it. */
static void
cannot_start(void **state)
{
	struct world *w = *state;
	int64_t then = uk_mono_ms(&uk_clock_system);
	char folder[160];

	world_stop(w);
	world_put(w, "policy/20.json", "{\"modules\": 1}");
	refused(host_open(WORLD_SITE), "ukeyd-not-running");
	assert_true(uk_mono_ms(&uk_clock_system) - then < 4000);
	assert_int_equal(world_count("ukeyd"), 0);
	(void)unlink(world_path(w, "policy/20.json"));
	/* a socket that nobody listens to is no reason to wait either */
	(void)snprintf(folder, sizeof(folder), "%s/long", w->dir);
	assert_int_equal(setenv("XDG_RUNTIME_DIR",
			     "/tmp/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			     1),
	    0);
	refused(host_open(WORLD_SITE), "socket-path-too-long");
	assert_int_equal(setenv("XDG_RUNTIME_DIR", w->dir, 1), 0);
	world_start(w);
}

static void
by_hand(void **state)
{
	const char *help[] = { NATIVE, "--help", NULL }, *version[] = { NATIVE, "--version", NULL };

	(void)state;
	assert_int_equal(world_run(help), 0);
	assert_int_equal(world_run(version), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_browser),
		cmocka_unit_test(first_frame),
		cmocka_unit_test(other_extensions),
		cmocka_unit_test(sites_only),
		cmocka_unit_test(origin_again),
		cmocka_unit_test(copied_host),
		cmocka_unit_test(oversized),
		cmocka_unit_test(browser_goes),
		cmocka_unit_test(grant),
		cmocka_unit_test(too_many),
		cmocka_unit_test(slow_daemon),
		cmocka_unit_test(slow_browser),
		cmocka_unit_test(daemon_goes),
		cmocka_unit_test(starts_it),
		cmocka_unit_test(by_systemd),
		cmocka_unit_test(cannot_start),
		cmocka_unit_test(by_hand),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
