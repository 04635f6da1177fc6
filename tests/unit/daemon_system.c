/*
 * The real ukeyd with the real ukey-token on SoftHSM2, over a real WebSocket and the real unix
 * socket; pinentry is tests/fake/pinentry. [H1] [H2] [H3] [H4]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_client.h"
#include "daemon_issue.h"
#include "uk/b64.h"
#include "uk/clock.h"
#include "uk/config.h"
#include "uk/frame.h"
#include "uk/login.h"
#include "uk/ticket.h"
#include "uk/x509.h"

#define SITE "https://ca.example"

struct env {
	char dir[64];
	char path[128]; /* of the last in_dir() */
	char answers[96];
	char socket[96];
	char token[65];
	char key[65];
	char cert[65];
	int port;
	int page;  /* a WebSocket of SITE */
	int local; /* the unix socket */
	int id;
	pid_t ukeyd;
	struct issuer *issuer;
	struct uk_jwk *ca;
	json_t *answer; /* the last one */
};

static const char *
in_dir(struct env *e, const char *name)
{
	(void)snprintf(e->path, sizeof(e->path), "%s/%s", e->dir, name);
	return e->path;
}

static void
put(const char *path, const char *text)
{
	assert_int_equal(uk_file_write(path, 0600, uk_span_str(text), NULL), UK_OK);
}

static void
answers(struct env *e, const char *text)
{
	char log[128];

	(void)snprintf(log, sizeof(log), "%s.log", e->answers);
	(void)unlink(log);
	put(e->answers, text);
}

static bool
shown(struct env *e, const char *text)
{
	struct uk_buf b;
	char log[128];
	bool yes;

	(void)snprintf(log, sizeof(log), "%s.log", e->answers);
	uk_buf_init(&b, 65536);
	yes = uk_file_read(log, 60000, &b, NULL) == UK_OK && strstr(uk_buf_str(&b), text) != NULL;
	uk_buf_fini(&b);
	return yes;
}

/* posix_spawn(3) changes none of them, whatever its prototype says. */
static char *const *
args(const char *const *argv)
{
	return (char *const *)(uintptr_t)argv;
}

/* Exit status; standard output goes to `out` where it is given. */
static int
run(const char *const *argv, struct uk_buf *out)
{
	posix_spawn_file_actions_t fa;
	char name[] = "/tmp/uk-out-XXXXXX";
	const int fd = mkstemp(name);
	int status = -1;
	pid_t pid;

	assert_true(fd >= 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fd, STDOUT_FILENO);
	assert_int_equal(posix_spawnp(&pid, argv[0], &fa, NULL, args(argv), environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	if (out != NULL)
		assert_int_equal(uk_file_read(name, 300000, out, NULL), UK_OK);
	(void)unlink(name);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One that is free now; the daemon's own five may be in use by another daemon. */
static int
free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(a);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void
make_token(struct env *e)
{
	const char *argv[] = { "softhsm2-util", "--init-token", "--free", "--label", "demo",
		"--so-pin", "12345678", "--pin", "123456", NULL };
	char text[256];

	(void)snprintf(text, sizeof(text), "directories.tokendir = %s/tokens\n", e->dir);
	put(in_dir(e, "softhsm2.conf"), text);
	assert_int_equal(setenv("SOFTHSM2_CONF", e->path, 1), 0);
	assert_int_equal(mkdir(in_dir(e, "tokens"), 0700), 0);
	assert_int_equal(run(argv, NULL), 0);
}

static void
make_policy(struct env *e)
{
	json_t *jwk, *p;
	char *text;

	assert_int_equal(uk_jwk_new(&e->ca, NULL), UK_OK);
	jwk = uk_jwk_public(e->ca);
	p = json_pack("{s:[s], s:b, s:{s:[s]}, s:{s:[o]}}", "modules",
	    "/usr/lib/softhsm/libsofthsm2.so", "production", 1, "sites", "allow",
	    "https://producer.example", "tickets", "trusted", jwk);
	text = json_dumps(p, 0);
	assert_int_equal(mkdir(in_dir(e, "policy"), 0700), 0);
	put(in_dir(e, "policy/10.json"), text);
	free(text);
	json_decref(p);
}

static void
start(struct env *e)
{
	char port[16], policy[160], socket_path[160];
	const char *argv[] = { UKEYD, "--foreground", "--port", port, "--policy", policy,
		"--socket", socket_path, "--helper", HELPER, "--pinentry", PINENTRY, "--log-level",
		"error", NULL };

	e->port = free_port();
	(void)snprintf(port, sizeof(port), "%d", e->port);
	(void)snprintf(policy, sizeof(policy), "%s", in_dir(e, "policy"));
	(void)snprintf(socket_path, sizeof(socket_path), "%s", e->socket);
	assert_int_equal(posix_spawn(&e->ukeyd, argv[0], NULL, NULL, args(argv), environ), 0);
	for (int i = 0; i < 200; i++) {
		e->local = local_connect(e->socket);
		if (e->local >= 0)
			return;
		(void)usleep(50000);
	}
	fail_msg("ukeyd did not come up");
}

static int
group_setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	strcpy(e->dir, "/tmp/uk-system-XXXXXX");
	assert_non_null(mkdtemp(e->dir));
	(void)snprintf(e->answers, sizeof(e->answers), "%s/answers", e->dir);
	(void)snprintf(e->socket, sizeof(e->socket), "%s/ukey/agent.sock", e->dir);
	assert_int_equal(setenv("UKEY_FAKE_PINENTRY", e->answers, 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", e->dir, 1), 0);
	assert_int_equal(setenv("XDG_STATE_HOME", e->dir, 1), 0);
	/* ukeyd lets nobody of its own user trace it, which is how leaks are looked for. */
	if (geteuid() != 0)
		assert_int_equal(setenv("ASAN_OPTIONS", "detect_leaks=0", 0), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	make_token(e);
	make_policy(e);
	answers(e, "");
	e->issuer = issuer_new();
	e->page = -1;
	start(e);
	*state = e;
	return 0;
}

static int
group_teardown(void **state)
{
	struct env *e = *state;
	const char *argv[] = { "rm", "-rf", e->dir, NULL };
	int status = -1;

	json_decref(e->answer);
	if (e->page >= 0)
		close(e->page);
	close(e->local);
	(void)kill(e->ukeyd, SIGTERM);
	assert_int_equal(waitpid(e->ukeyd, &status, 0), e->ukeyd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_not_equal(access(e->socket, F_OK), 0);
	issuer_free(&e->issuer);
	uk_jwk_free(&e->ca);
	(void)run(argv, NULL);
	free(e);
	return 0;
}

/* --- calls --- */

static int
connect_as(struct env *e, const char *origin)
{
	int fd = -1;

	assert_int_equal(
	    ws_open(&(struct ws_request){ .port = e->port, .origin = origin }, &fd), 101);
	return fd;
}

static char *
request_text(struct env *e, const char *method, json_t *params)
{
	json_t *m = json_pack("{s:s, s:i, s:s, s:o*}", "jsonrpc", "2.0", "id", ++e->id, "method",
	    method, "params", params);
	char *text = json_dumps(m, JSON_COMPACT);

	json_decref(m);
	return text;
}

/* Over WebSocket `fd`, or the unix socket where that is it; lent until the next call. */
static const json_t *
call(struct env *e, int fd, const char *method, json_t *params)
{
	char *text = request_text(e, method, params), *back;
	int status;

	assert_true(
	    fd == e->local ? local_put(fd, text, strlen(text)) : ws_put(fd, text, strlen(text)));
	free(text);
	back = fd == e->local ? local_get(fd) : ws_get(fd, &status);
	assert_non_null(back);
	json_decref(e->answer);
	e->answer = json_loads(back, 0, NULL);
	free(back);
	assert_non_null(e->answer);
	return e->answer;
}

static const json_t *
data_of(const json_t *m)
{
	return json_object_get(json_object_get(m, "error"), "data");
}

static const char *
reason(const json_t *m)
{
	const char *s = json_string_value(json_object_get(data_of(m), "reason"));

	return s != NULL ? s : "";
}

static const json_t *
result(const json_t *m)
{
	if (json_object_get(m, "error") != NULL)
		fail_msg("refused: %s", reason(m));
	return json_object_get(m, "result");
}

static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	assert_non_null(s);
	return s;
}

static void
bytes(const json_t *o, const char *key, struct uk_buf *out)
{
	uk_buf_init(out, 512 * 1024);
	assert_int_equal(uk_b64_get(out, str(o, key)), UK_OK);
}

/* --- the handshake --- */

static int
status_of(
    struct env *e, const char *path, const char *host, const char *origin, const char *protocol)
{
	const struct ws_request r = {
		.port = e->port, .path = path, .host = host, .origin = origin, .protocol = protocol
	};
	int fd = -1;
	const int status = ws_open(&r, &fd);

	if (fd >= 0)
		close(fd);
	return status;
}

static void
handshake(void **state)
{
	struct env *e = *state;
	char localhost[64], other[64];

	(void)snprintf(localhost, sizeof(localhost), "localhost:%d", e->port);
	(void)snprintf(other, sizeof(other), "127.0.0.1:%d", e->port + 1);
	assert_int_equal(status_of(e, NULL, NULL, SITE, NULL), 101);
	assert_int_equal(status_of(e, NULL, localhost, SITE, NULL), 101);
	/* rebinding: the browser says the name it believes in */
	assert_int_equal(status_of(e, NULL, "evil.example", SITE, NULL), 403);
	assert_int_equal(status_of(e, NULL, "127.0.0.1", SITE, NULL), 403);
	assert_int_equal(status_of(e, NULL, other, SITE, NULL), 403);
	/* no page, or none that may */
	assert_int_equal(status_of(e, NULL, NULL, NULL, NULL), 403);
	assert_int_equal(status_of(e, NULL, NULL, "null", NULL), 403);
	assert_int_equal(status_of(e, NULL, NULL, "http://ca.example", NULL), 403);
	assert_int_equal(status_of(e, NULL, NULL, "http://localhost:8600", NULL), 403);
	assert_int_equal(status_of(e, NULL, NULL, "https://ca.example/", NULL), 403);
	assert_int_equal(status_of(e, NULL, NULL, "file://", NULL), 403);
	assert_int_equal(status_of(e, "/", NULL, SITE, NULL), 404);
	assert_int_equal(status_of(e, "/ukey/2", NULL, SITE, NULL), 404);
	assert_int_not_equal(status_of(e, NULL, NULL, SITE, "ukey.2"), 101);
	assert_int_not_equal(status_of(e, NULL, NULL, SITE, ""), 101);
}

/* In a child that is somebody else: is it closed without an answer? */
static void
foreign_user(void **state)
{
	struct env *e = *state;
	int status = -1;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(e->dir, 0755), 0);
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		if (local_connect(e->socket) >= 0)
			_exit(3);
		_exit(status_of(e, NULL, NULL, SITE, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(chmod(e->dir, 0700), 0);
}

static void
too_many(void **state)
{
	struct env *e = *state;
	int fds[64], n = 0;
	char site[64];

	for (; n < 16; n++)
		fds[n] = connect_as(e, "https://many.example");
	assert_int_equal(status_of(e, NULL, NULL, "https://many.example", NULL), 429);
	assert_int_equal(status_of(e, NULL, NULL, SITE, NULL), 101);
	/* nor all sites together that nobody has allowed: the others still come in */
	for (; n < 32; n++) {
		(void)snprintf(site, sizeof(site), "https://s%d.example", n / 16);
		fds[n] = connect_as(e, site);
	}
	assert_int_equal(status_of(e, NULL, NULL, "https://late.example", NULL), 429);
	assert_int_equal(status_of(e, NULL, NULL, "https://producer.example", NULL), 101);
	while (n > 0)
		close(fds[--n]);
	/* they go in the loop's own time */
	for (; n < 100 && status_of(e, NULL, NULL, SITE, NULL) != 101; n++)
		(void)usleep(20000);
	assert_true(n < 100);
}

/* What is no call is counted like one. */
static void
noise(void **state)
{
	struct env *e = *state;
	const int fd = connect_as(e, "https://noise.example");

	for (int i = 0; i < 300; i++)
		assert_string_equal(reason(call(e, fd, "agent.goodbye", NULL)), "unknown-method");
	assert_string_equal(reason(call(e, fd, "agent.goodbye", NULL)), "rate-limited");
	assert_string_equal(reason(call(e, fd, "agent.hello", NULL)), "rate-limited");
	close(fd);
}

/* The socket's folder is the user's alone, or there is no socket. */
static void
folder(void **state)
{
	struct env *e = *state;
	char dir[128], path[160];
	const char *argv[] = { UKEYD, "--port", "0", "--socket", path, "--helper", HELPER,
		"--policy", "/nonexistent", "--log-level", "error", NULL };
	struct stat st;
	int local = -1;
	pid_t pid;

	(void)snprintf(dir, sizeof(dir), "%s/folder", e->dir);
	(void)snprintf(path, sizeof(path), "%s/agent.sock", dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(run(argv, NULL), 1);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(posix_spawn(&pid, argv[0], NULL, NULL, args(argv), environ), 0);
	for (int i = 0; i < 400 && local < 0; i++, (void)usleep(25000))
		local = local_connect(path);
	assert_true(local >= 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close(local);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)rmdir(dir);
}

static void
too_many_local(void **state)
{
	struct env *e = *state;
	char *text = request_text(e, "agent.hello", NULL), *answer = text;
	int fds[65], n = 0;

	while (n < 65 && answer != NULL) {
		fds[n] = local_connect(e->socket);
		assert_true(fds[n] >= 0);
		(void)local_put(fds[n++], text, strlen(text));
		answer = local_get(fds[n - 1]);
		if (answer != NULL)
			free(answer);
	}
	assert_null(answer);
	while (n > 0)
		close(fds[--n]);
	free(text);
}

static void
oversized(void **state)
{
	struct env *e = *state;
	const size_t n = UK_MESSAGE_MAX + 1;
	char *text = calloc(1, n);
	int fd = connect_as(e, SITE), status;

	memset(text, ' ', n);
	(void)ws_put(fd, text, n);
	assert_null(ws_get(fd, &status));
	close(fd);
	/* in pieces */
	fd = connect_as(e, SITE);
	assert_true(ws_put_frame(fd, 0x01, text, n / 2));
	(void)ws_put_frame(fd, 0x80, text, n / 2 + 1);
	assert_null(ws_get(fd, &status));
	close(fd);
	fd = local_connect(e->socket);
	(void)local_put(fd, text, n);
	assert_null(local_get(fd));
	close(fd);
	/* the largest that may be is read, and is no JSON */
	fd = connect_as(e, SITE);
	assert_true(ws_put(fd, text, UK_MESSAGE_MAX));
	free(text);
	text = ws_get(fd, &status);
	assert_non_null(strstr(text, "json-malformed"));
	free(text);
	close(fd);
	/* binary is no text */
	fd = connect_as(e, SITE);
	assert_true(ws_put_frame(fd, 0x82, "{}", 2));
	assert_null(ws_get(fd, &status));
	assert_int_equal(status, 1003);
	close(fd);
}

/* --- a key's life --- */

static bool
check_holds(struct env *e, const char *code)
{
	const json_t *checks =
	    json_object_get(result(call(e, e->local, "agent.status", NULL)), "checks");

	for (size_t i = 0; i < json_array_size(checks); i++)
		if (strcmp(str(json_array_get(checks, i), "code"), code) == 0)
			return json_is_true(json_object_get(json_array_get(checks, i), "ok"));
	fail_msg("no check %s", code);
	return false;
}

static void
hello(void **state)
{
	struct env *e = *state;
	const json_t *r;

	e->page = connect_as(e, SITE);
	r = result(call(e, e->page, "agent.hello", NULL));
	assert_string_equal(str(r, "name"), "ukeyd");
	assert_string_equal(str(json_object_get(r, "site"), "origin"), SITE);
	assert_string_equal(reason(call(e, e->page, "token.list", NULL)), "site-not-allowed");
	r = result(call(e, e->local, "agent.hello", NULL));
	assert_string_equal(str(json_object_get(r, "site"), "origin"), "local:");
	r = result(call(e, e->local, "agent.status", NULL));
	r = json_object_get(r, "checks");
	for (size_t i = 0; i < json_array_size(r); i++)
		if (strcmp(str(json_array_get(r, i), "code"), "station-key") != 0)
			assert_true(json_is_true(json_object_get(json_array_get(r, i), "ok")));
}

static void
find_token(struct env *e)
{
	const json_t *list =
	    json_object_get(result(call(e, e->local, "token.list", NULL)), "tokens");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(str(json_array_get(list, i), "label"), "demo") == 0)
			strcpy(e->token, str(json_array_get(list, i), "id"));
	assert_int_not_equal(e->token[0], '\0');
}

/* As scripts set a key up: on the unix socket, PIN asked for once. */
static void
enrol(void **state)
{
	struct env *e = *state;
	struct uk_buf req, der;
	char *b64, *ca;
	const json_t *r;

	find_token(e);
	answers(e, "123456\n");
	r = result(call(e, e->local, "key.generate",
	    json_pack("{s:s, s:s}", "token", e->token, "algorithm", "p-256")));
	strcpy(e->key, str(r, "key"));
	r = result(call(e, e->local, "request.create",
	    json_pack("{s:s, s:s, s:{s:s, s:s}}", "token", e->token, "key", e->key, "subject",
		"commonName", "张三", "country", "CN")));
	bytes(r, "request", &req);
	uk_buf_init(&der, 16384);
	assert_true(issuer_issue(e->issuer, uk_buf_span(&req), &der));
	b64 = uk_b64_dup(uk_buf_span(&der));
	ca = uk_b64_dup(issuer_der(e->issuer));
	r = result(call(e, e->local, "certificate.install",
	    json_pack("{s:s, s:s, s:[s]}", "token", e->token, "certificate", b64, "chain", ca)));
	strcpy(e->cert, str(r, "certificate"));
	/* the same again is no second copy */
	r = result(call(e, e->local, "certificate.install",
	    json_pack("{s:s, s:s, s:s}", "token", e->token, "certificate", b64, "key", e->key)));
	assert_string_equal(str(r, "certificate"), e->cert);
	r = result(call(e, e->local, "certificate.list", NULL));
	assert_int_equal(json_array_size(json_object_get(r, "certificates")), 1);
	/* one that is for no key here, and a chain that is none */
	assert_string_equal(reason(call(e, e->local, "certificate.install",
				json_pack("{s:s, s:s}", "token", e->token, "certificate", ca))),
	    "key-not-found");
	assert_string_equal(reason(call(e, e->local, "certificate.install",
				json_pack("{s:s, s:s, s:[s]}", "token", e->token, "certificate",
				    b64, "chain", b64))),
	    "certificate-untrusted");
	free(b64);
	free(ca);
	uk_buf_fini(&req);
	uk_buf_fini(&der);
}

static void
allow(void **state)
{
	struct env *e = *state;
	const json_t *r;

	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, e->page, "site.request", NULL)), "denied");
	assert_true(shown(e, "网站：" SITE));
	assert_true(shown(e, "张三"));
	result(call(e, e->page, "site.request", NULL));
	r = result(call(e, e->page, "certificate.list", NULL));
	assert_int_equal(json_array_size(json_object_get(r, "certificates")), 1);
	r = json_array_get(json_object_get(r, "certificates"), 0);
	assert_string_equal(str(r, "id"), e->cert);
	assert_string_equal(str(r, "commonName"), "张三");
	assert_true(json_is_true(json_object_get(r, "hasKey")));
	/* another site has to ask for itself */
	{
		const int other = connect_as(e, "https://other.example");

		assert_string_equal(
		    reason(call(e, other, "certificate.list", NULL)), "site-not-allowed");
		close(other);
	}
}

static json_t *
token_param(struct env *e)
{
	return json_pack("{s:s}", "token", e->token);
}

static void
log_in(void **state)
{
	struct env *e = *state;
	const json_t *m;

	result(call(e, e->page, "token.logout", token_param(e)));
	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, e->page, "token.login", token_param(e))), "cancelled");
	answers(e, "000000\n000001\n000000\n");
	m = call(e, e->page, "token.login", token_param(e));
	assert_string_equal(reason(m), "pin-wrong");
	/* SoftHSM2 tells only that there are fewer than all */
	assert_true(json_is_true(json_object_get(data_of(m), "triesLow")));
	assert_true(shown(e, "SETERROR 密码不正确。"));
	answers(e, "123456\n");
	result(call(e, e->page, "token.login", token_param(e)));
}

static json_t *
sign_param(struct env *e, const char *data, const char *format)
{
	char *b64 = uk_b64_dup(uk_span_str(data));
	json_t *p = json_pack("{s:s, s:s, s:s, s:s}", "certificate", e->cert, "data", b64, "format",
	    format, "title", "合同第1号");

	free(b64);
	return p;
}

static void
verify_raw(const json_t *r, struct uk_span tbs)
{
	struct uk_buf sig, der;
	struct uk_cert *cert = NULL;

	bytes(r, "signature", &sig);
	bytes(r, "certificate", &der);
	assert_string_equal(str(r, "algorithm"), "ES256");
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &cert, NULL), UK_OK);
	assert_int_equal(uk_verify(uk_cert_pubkey(cert), tbs, uk_buf_span(&sig), NULL), UK_OK);
	uk_cert_free(&cert);
	uk_buf_fini(&sig);
	uk_buf_fini(&der);
}

static void
sign(void **state)
{
	static const char *const forms[] = { "cms-attached", "cms-detached" };
	struct env *e = *state;
	struct uk_buf cms;

	answers(e, "");
	verify_raw(result(call(e, e->page, "signature.create", sign_param(e, "数据", "raw"))),
	    uk_span_str("数据"));
	assert_true(shown(e, "网站：" SITE "%0A证书：张三%0A用途：签名%0A网站说明：「合同第1号」"));
	for (size_t i = 0; i < 2; i++) {
		bytes(result(call(e, e->page, "signature.create", sign_param(e, "数据", forms[i]))),
		    "signature", &cms);
		assert_true(issuer_verify_cms(e->issuer, uk_buf_span(&cms), uk_span_str("数据")));
		uk_buf_fini(&cms);
	}
	answers(e, "!cancel\n");
	assert_string_equal(
	    reason(call(e, e->page, "signature.create", sign_param(e, "x", "raw"))), "cancelled");
	answers(e, "!timeout\n");
	assert_string_equal(
	    reason(call(e, e->page, "signature.create", sign_param(e, "x", "raw"))), "timeout");
}

/* 256 KiB of data: the largest that is signed at once, both ways through the socket. */
static void
sign_large(void **state)
{
	struct env *e = *state;
	const size_t n = 256 * 1024;
	char *text = calloc(1, n + 1);
	struct uk_buf cms;

	memset(text, 'x', n);
	answers(e, "");
	bytes(result(call(e, e->page, "signature.create", sign_param(e, text, "cms-attached"))),
	    "signature", &cms);
	assert_true(issuer_verify_cms(e->issuer, uk_buf_span(&cms), uk_span(text, n)));
	uk_buf_fini(&cms);
	free(text);
}

static void
login(void **state)
{
	struct env *e = *state;
	const struct uk_login l = { SITE, "ukey-staff", "0123456789abcdef0123",
		uk_now(&uk_clock_system) + 120 };
	struct uk_buf tbs;
	char *b64;

	answers(e, "");
	uk_buf_init(&tbs, 1024);
	uk_login_put(&tbs, &l);
	verify_raw(result(call(e, e->page, "login.create",
		       json_pack("{s:s, s:s, s:s, s:I}", "certificate", e->cert, "audience",
			   l.audience, "nonce", l.nonce, "expires", (json_int_t)l.expires))),
	    uk_buf_span(&tbs));
	b64 = uk_b64_dup(uk_buf_span(&tbs));
	assert_string_equal(reason(call(e, e->page, "signature.create",
				json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data", b64,
				    "format", "raw"))),
	    "login-challenge-refused");
	free(b64);
	uk_buf_fini(&tbs);
}

/* A page that closes takes its window away; the next asker does not wait for it. */
static void
page_leaves(void **state)
{
	struct env *e = *state;
	char *text = request_text(e, "signature.create", sign_param(e, "x", "raw"));
	const int page = connect_as(e, SITE);

	answers(e, "!hang\n");
	assert_true(ws_put(page, text, strlen(text)));
	free(text);
	for (int i = 0; i < 100 && !shown(e, "CONFIRM"); i++)
		(void)usleep(50000);
	assert_true(shown(e, "CONFIRM"));
	close(page);
	answers(e, "");
	result(call(e, e->page, "signature.create", sign_param(e, "x", "raw")));
}

static void
rsa(void **state)
{
	struct env *e = *state;
	struct uk_buf req, der, cms;
	char *b64, cert[65];
	const json_t *r;

	r = result(call(e, e->local, "key.generate",
	    json_pack("{s:s, s:s}", "token", e->token, "algorithm", "rsa-2048")));
	b64 = strdup(str(r, "key"));
	r = result(call(e, e->local, "request.create",
	    json_pack("{s:s, s:s, s:{s:s}}", "token", e->token, "key", b64, "subject", "commonName",
		"李四")));
	free(b64);
	bytes(r, "request", &req);
	uk_buf_init(&der, 16384);
	assert_true(issuer_issue(e->issuer, uk_buf_span(&req), &der));
	b64 = uk_b64_dup(uk_buf_span(&der));
	/* it takes the first one's place once it works */
	r = result(call(e, e->local, "certificate.install",
	    json_pack(
		"{s:s, s:s, s:s}", "token", e->token, "certificate", b64, "replaces", e->cert)));
	strcpy(cert, str(r, "certificate"));
	r = result(call(e, e->local, "certificate.list", NULL));
	assert_int_equal(json_array_size(json_object_get(r, "certificates")), 1);
	/* the site sees that there is one more, and no more than that */
	r = result(call(e, e->page, "certificate.list", NULL));
	assert_int_equal(json_integer_value(json_object_get(r, "hidden")), 1);
	strcpy(e->cert, cert);
	assert_string_equal(reason(call(e, e->page, "signature.create", sign_param(e, "x", "raw"))),
	    "certificate-not-found");
	bytes(result(call(e, e->local, "signature.create", sign_param(e, "x", "cms-detached"))),
	    "signature", &cms);
	assert_true(issuer_verify_cms(e->issuer, uk_buf_span(&cms), uk_span_str("x")));
	free(b64);
	uk_buf_fini(&req);
	uk_buf_fini(&der);
	uk_buf_fini(&cms);
}

/* --- production: a blank token, a sealed ticket --- */

static char *
seal(struct env *e, const json_t *jwk, const char *origin, const char *purpose, const char *serial)
{
	struct uk_jwk *channel = NULL;
	char thumb[UK_THUMB_LEN];
	struct uk_ticket t = { .jti = "j1",
		.purpose = purpose,
		.order = "UK26112200000000",
		.token = serial,
		.certificate = "",
		.origin = origin,
		.label = "made",
		.expires = uk_now(&uk_clock_system) + 60 };
	struct uk_buf jwe;

	assert_int_equal(uk_jwk_from_json(jwk, &channel, NULL), UK_OK);
	uk_jwk_thumbprint(channel, thumb);
	t.channel = thumb;
	t.so_pin = uk_secret_new(uk_span_str("87654321"));
	if (strcmp(purpose, "production") == 0) {
		t.pin = uk_secret_new(uk_span_str("735162"));
	} else {
		t.so_pin_next = uk_secret_new(uk_span_str("11112222"));
		t.nonce = "0123456789abcdef";
		t.certificate = e->cert;
	}
	uk_buf_init(&jwe, UK_TICKET_MAX);
	assert_int_equal(uk_ticket_seal(&t, e->ca, channel, &jwe, NULL), UK_OK);
	uk_secret_free(&t.so_pin);
	uk_secret_free(&t.so_pin_next);
	uk_secret_free(&t.pin);
	uk_jwk_free(&channel);
	return uk_buf_steal_str(&jwe);
}

static const char *
blank(struct env *e, int fd)
{
	const json_t *list = json_object_get(result(call(e, fd, "token.list", NULL)), "tokens");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(str(json_array_get(list, i), "state"), "blank") == 0)
			return str(json_array_get(list, i), "id");
	fail_msg("no blank token");
	return NULL;
}

static const json_t *
prepare(struct env *e, int fd, const char *sealed_for, const char *purpose, const char *serial)
{
	char *id = strdup(blank(e, fd)), *jwe;
	json_t *p;

	jwe = seal(e,
	    json_object_get(
		result(call(e, fd, "agent.channel", json_pack("{s:s}", "purpose", "production"))),
		"channel"),
	    sealed_for, purpose, serial);
	p = json_pack("{s:s, s:s}", "token", id, "ticket", jwe);
	free(id);
	free(jwe);
	return call(e, fd, "token.prepare", p);
}

static void
produce(void **state)
{
	struct env *e = *state;
	const char *site = "https://producer.example";
	const int fd = connect_as(e, site);
	const json_t *r;

	assert_string_equal(
	    reason(call(e, e->page, "agent.channel", json_pack("{s:s}", "purpose", "production"))),
	    "policy-refused");
	assert_string_equal(reason(prepare(e, fd, SITE, "production", "")), "ticket-other-origin");
	assert_string_equal(reason(prepare(e, fd, site, "unlock", "x")), "ticket-other-purpose");
	assert_string_equal(
	    reason(prepare(e, fd, site, "production", "no such one")), "ticket-other-token");
	r = result(prepare(e, fd, site, "production", ""));
	assert_string_equal(str(r, "label"), "made");
	/* it is in with its new PIN: the key can be made at once */
	answers(e, "");
	r = result(call(e, fd, "key.generate",
	    json_pack("{s:s, s:s}", "token", str(r, "token"), "algorithm", "p-256")));
	assert_true(shown(e, "CONFIRM"));
	assert_false(shown(e, "GETPIN"));
	close(fd);
}

/* --- the command line --- */

static int
ukey(struct uk_buf *out, const char *a, const char *b, const char *c)
{
	const char *argv[] = { UKEY, a, b, c, NULL };

	return run(argv, out);
}

static void
command_line(void **state)
{
	struct env *e = *state;
	struct uk_buf out;
	char token[80];
	json_t *j;

	uk_buf_init(&out, 300000);
	assert_int_equal(ukey(&out, "list", "--json", NULL), 0);
	j = json_loads(uk_buf_str(&out), 0, NULL);
	assert_true(json_array_size(json_object_get(j, "tokens")) >= 2);
	json_decref(j);
	uk_buf_reset(&out);
	assert_int_equal(ukey(&out, "sites", NULL, NULL), 0);
	assert_non_null(strstr(uk_buf_str(&out), SITE));
	assert_int_equal(ukey(NULL, "sites", "revoke", "https://nobody.example"), 1);
	assert_int_equal(ukey(NULL, "sites", "revoke", SITE), 0);
	uk_buf_reset(&out);
	assert_int_equal(ukey(&out, "journal", "--json", NULL), 0);
	uk_buf_reset(&out);
	assert_false(check_holds(e, "station-key"));
	assert_int_equal(ukey(&out, "station", NULL, NULL), 0);
	assert_true(check_holds(e, "station-key")); /* without a restart */
	assert_null(strstr(uk_buf_str(&out), "\"d\""));
	assert_non_null(strstr(uk_buf_str(&out), "\"kty\""));
	assert_int_equal(ukey(NULL, "status", NULL, NULL), 0);
	assert_int_equal(ukey(NULL, "--help", NULL, NULL), 0);
	assert_int_equal(ukey(NULL, "key", "generate", "--help"), 0);
	assert_int_equal(ukey(NULL, "sign", NULL, NULL), 2);
	assert_int_equal(ukey(NULL, "pin", "change", NULL), 2);
	(void)snprintf(token, sizeof(token), "--token=%s", e->token);
	answers(e, "123456\n246813\n246813\n");
	assert_int_equal(ukey(NULL, "pin", "change", token), 0);
	answers(e, "246813\n135791\n135792\n!cancel\n");
	assert_int_equal(ukey(NULL, "pin", "change", token), 4);
	answers(e, "246813\n951753\n951753\n");
	assert_int_equal(ukey(NULL, "pin", "change", token), 0);
	assert_int_equal(ukey(NULL, "explode", NULL, NULL), 2);
	assert_int_equal(ukey(NULL, "list", "--socket=/nonexistent/x", NULL), 3);
	uk_buf_fini(&out);
}

/* A revoked site's connections are closed, and it has to ask anew. */
static void
revoked(void **state)
{
	struct env *e = *state;
	int status, fd;

	assert_null(ws_get(e->page, &status));
	fd = connect_as(e, SITE);
	assert_string_equal(reason(call(e, fd, "token.list", NULL)), "site-not-allowed");
	close(fd);
}

/* Who asks and asks and never reads is closed, and not only kept waiting; the daemon serves on. */
static void
never_reads(struct env *e, int fd, bool (*put_one)(int, const void *, size_t))
{
	char *text = request_text(e, "agent.goodbye", NULL);
	bool open = true;

	for (int i = 0; open && i < 500000; i++)
		open = put_one(fd, text, strlen(text));
	assert_false(open);
	assert_true(errno == EPIPE || errno == ECONNRESET);
	free(text);
	close(fd);
	result(call(e, e->local, "agent.hello", NULL));
}

static void
slow_reader(void **state)
{
	struct env *e = *state;

	never_reads(e, local_connect(e->socket), local_put);
	never_reads(e, connect_as(e, SITE), ws_put);
}

/* A second daemon does not take the socket away. */
static void
second(void **state)
{
	struct env *e = *state;
	const char *argv[] = { UKEYD, "--port", "0", "--socket", e->socket, "--helper", HELPER,
		"--policy", "/nonexistent", "--log-level", "error", NULL };

	assert_int_equal(run(argv, NULL), 1);
	result(call(e, e->local, "agent.hello", NULL));
}

/* As systemd starts it: the socket is there already, and it says when it is ready. */
static void
activated(void **state)
{
	struct env *e = *state;
	struct sockaddr_un a = { .sun_family = AF_UNIX }, n = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0), notify = socket(AF_UNIX, SOCK_DGRAM, 0);
	char said[256] = "", pid_text[16];
	int local, status = -1;
	char *text;
	pid_t pid;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/given.sock", e->dir);
	(void)snprintf(n.sun_path, sizeof(n.sun_path), "%s/notify.sock", e->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(bind(notify, (struct sockaddr *)&n, sizeof(n)), 0);
	pid = fork();
	if (pid == 0) {
		(void)snprintf(pid_text, sizeof(pid_text), "%ld", (long)getpid());
		if (dup2(fd, 3) != 3 || setenv("LISTEN_FDS", "1", 1) != 0 ||
		    setenv("LISTEN_PID", pid_text, 1) != 0 ||
		    setenv("NOTIFY_SOCKET", n.sun_path, 1) != 0)
			_exit(2);
		(void)execl(UKEYD, UKEYD, "--port", "0", "--policy", "/nonexistent", "--helper",
		    HELPER, "--log-level", "error", (char *)NULL);
		_exit(2);
	}
	assert_true(recv(notify, said, sizeof(said) - 1, 0) > 0);
	assert_non_null(strstr(said, "READY=1"));
	local = local_connect(a.sun_path);
	assert_true(local >= 0);
	text = request_text(e, "agent.hello", NULL);
	assert_true(local_put(local, text, strlen(text)));
	free(text);
	text = local_get(local);
	assert_non_null(strstr(text, "\"ukeyd\""));
	free(text);
	close(local);
	(void)kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* not ours, so it stays */
	assert_int_equal(access(a.sun_path, F_OK), 0);
	close(fd);
	close(notify);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake),
		cmocka_unit_test(foreign_user),
		cmocka_unit_test(too_many),
		cmocka_unit_test(too_many_local),
		cmocka_unit_test(noise),
		cmocka_unit_test(folder),
		cmocka_unit_test(oversized),
		cmocka_unit_test(hello),
		cmocka_unit_test(enrol),
		cmocka_unit_test(allow),
		cmocka_unit_test(log_in),
		cmocka_unit_test(sign),
		cmocka_unit_test(sign_large),
		cmocka_unit_test(login),
		cmocka_unit_test(page_leaves),
		cmocka_unit_test(rsa),
		cmocka_unit_test(produce),
		cmocka_unit_test(command_line),
		cmocka_unit_test(revoked),
		cmocka_unit_test(slow_reader),
		cmocka_unit_test(second),
		cmocka_unit_test(activated),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
