#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_client.h"
#include "daemon_world.h"
#include "uk/config.h"

#define READ_MS 20000

const char *
world_path(struct world *w, const char *name)
{
	(void)snprintf(w->path, sizeof(w->path), "%s/%s", w->dir, name);
	return w->path;
}

void
world_put(struct world *w, const char *name, const char *text)
{
	assert_int_equal(uk_file_write(world_path(w, name), 0600, uk_span_str(text), NULL), UK_OK);
}

void
world_answers(struct world *w, const char *text)
{
	char log[128];

	(void)snprintf(log, sizeof(log), "%s.log", w->answers);
	(void)unlink(log);
	assert_int_equal(uk_file_write(w->answers, 0600, uk_span_str(text), NULL), UK_OK);
}

bool
world_shown(const struct world *w, const char *text)
{
	struct uk_buf b;
	char log[128];
	bool yes;

	(void)snprintf(log, sizeof(log), "%s.log", w->answers);
	uk_buf_init(&b, 65536);
	yes = uk_file_read(log, 60000, &b, NULL) == UK_OK && strstr(uk_buf_str(&b), text) != NULL;
	uk_buf_fini(&b);
	return yes;
}

bool
world_shows(const struct world *w, const char *text)
{
	for (int i = 0; i < 250 && !world_shown(w, text); i++)
		(void)usleep(20000);
	return world_shown(w, text);
}

void
world_rules(struct world *w, const char *text)
{
	assert_int_equal(uk_file_write(w->rules, 0600, uk_span_str(text), NULL), UK_OK);
}

/* posix_spawn(3) changes none of them, whatever its prototype says. */
static char *const *
args(const char *const *argv)
{
	return (char *const *)(uintptr_t)argv;
}

int
world_run(const char *const *argv)
{
	posix_spawn_file_actions_t fa;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawnp(&pid, argv[0], &fa, NULL, args(argv), environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct process {
	pid_t pid;
	pid_t parent;
	char name[24];
};

#define PROCESSES 4096

static size_t
list_processes(struct process *all)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	char path[300], state;
	size_t n = 0;
	FILE *f;

	assert_non_null(proc);
	while ((e = readdir(proc)) != NULL && n < PROCESSES) {
		long pid, parent;

		(void)snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		f = isdigit((unsigned char)e->d_name[0]) ? fopen(path, "re") : NULL;
		if (f == NULL)
			continue;
		if (fscanf(f, "%ld (%23[^)]) %c %ld", &pid, all[n].name, &state, &parent) == 4 &&
		    state != 'Z') {
			all[n].pid = (pid_t)pid;
			all[n++].parent = (pid_t)parent;
		}
		(void)fclose(f);
	}
	(void)closedir(proc);
	return n;
}

static bool
ours(const struct process *all, size_t n, pid_t pid)
{
	while (pid > 1 && pid != getpid()) {
		pid_t parent = 0;

		for (size_t i = 0; i < n; i++)
			if (all[i].pid == pid)
				parent = all[i].parent;
		pid = parent;
	}
	return pid == getpid();
}

int
world_count(const char *name)
{
	struct process *all = calloc(PROCESSES, sizeof(*all));
	const size_t n = list_processes(all);
	int found = 0;

	for (size_t i = 0; i < n; i++)
		found += strcmp(all[i].name, name) == 0 && ours(all, n, all[i].pid);
	free(all);
	return found;
}

pid_t
world_pid(const char *name)
{
	struct process *all = calloc(PROCESSES, sizeof(*all));
	const size_t n = list_processes(all);
	pid_t pid = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0 && ours(all, n, all[i].pid))
			pid = all[i].pid;
	free(all);
	return pid;
}

bool
world_has(const char *name, int n)
{
	for (int i = 0; i < 250 && world_count(name) != n; i++)
		(void)usleep(20000);
	return world_count(name) == n;
}

bool
world_gone(const char *name)
{
	return world_has(name, 0);
}

static void
make_token(struct world *w)
{
	const char *argv[] = { "softhsm2-util", "--init-token", "--free", "--label", "demo",
		"--so-pin", "12345678", "--pin", WORLD_PIN, NULL };
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "directories.tokendir = %s/tokens\nobjectstore.backend = file\n", w->dir);
	world_put(w, "softhsm2.conf", text);
	assert_int_equal(setenv("SOFTHSM2_CONF", w->path, 1), 0);
	assert_int_equal(setenv("UKEY_FAULT_CONF", w->path, 1), 0);
	assert_int_equal(setenv("UKEY_FAULT_MODULE", SOFTHSM_MODULE, 1), 0);
	assert_int_equal(setenv("UKEY_FAULT_FILE", w->rules, 1), 0);
	assert_int_equal(mkdir(world_path(w, "tokens"), 0700), 0);
	assert_int_equal(world_run(argv), 0);
}

void
world_init(struct world *w, const char *policy)
{
	*w = (struct world){ .local = -1 };
	/* What outlives its parent comes to us. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	strcpy(w->dir, "/tmp/uk-world-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->answers, sizeof(w->answers), "%s/answers", w->dir);
	(void)snprintf(w->rules, sizeof(w->rules), "%s/rules", w->dir);
	(void)snprintf(w->socket, sizeof(w->socket), "%s/ukey/agent.sock", w->dir);
	assert_int_equal(setenv("UKEY_FAKE_PINENTRY", w->answers, 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", w->dir, 1), 0);
	assert_int_equal(setenv("XDG_STATE_HOME", w->dir, 1), 0);
	/* ukeyd lets nobody of its own user trace it, which is how leaks are looked for. */
	if (geteuid() != 0)
		assert_int_equal(setenv("ASAN_OPTIONS", "detect_leaks=0", 0), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	world_answers(w, "");
	world_rules(w, "");
	make_token(w);
	assert_int_equal(mkdir(world_path(w, "policy"), 0700), 0);
	world_put(w, "policy/10.json", policy);
	assert_int_equal(setenv("UKEY_POLICY_DIR", world_path(w, "policy"), 1), 0);
}

void
world_fini(struct world *w)
{
	const char *argv[] = { "rm", "-rf", w->dir, NULL };

	json_decref(w->answer);
	if (w->local >= 0)
		close(w->local);
	(void)world_run(argv);
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

void
world_start(struct world *w)
{
	char port[16];
	const char *argv[] = { UKEYD, "--port", port, "--pinentry", PINENTRY, "--log-level",
		getenv("UKEY_TEST_LOG") != NULL ? "debug" : "error", NULL };

	w->port = free_port();
	(void)snprintf(port, sizeof(port), "%d", w->port);
	assert_int_equal(posix_spawn(&w->ukeyd, argv[0], NULL, NULL, args(argv), environ), 0);
	for (int i = 0; i < 400; i++) {
		w->local = local_connect(w->socket);
		if (w->local >= 0)
			return;
		(void)usleep(25000);
	}
	fail_msg("ukeyd did not come up");
}

static int
end(struct world *w, int sig)
{
	int status = -1;

	close(w->local);
	w->local = -1;
	assert_true(w->ukeyd > 0);
	(void)kill(w->ukeyd, sig);
	assert_int_equal(waitpid(w->ukeyd, &status, 0), w->ukeyd);
	w->ukeyd = 0;
	return status;
}

void
world_stop(struct world *w)
{
	const int status = end(w, SIGTERM);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void
world_kill(struct world *w)
{
	(void)end(w, SIGKILL);
}

/* --- a host --- */

struct host
host_start(const char *program, const char *first, const char *second)
{
	const char *argv[] = { program != NULL ? program : NATIVE, first, second, NULL };
	posix_spawn_file_actions_t fa;
	struct host h = { 0 };
	int to[2], from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, to[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, from[1], STDOUT_FILENO);
	if (getenv("UKEY_TEST_LOG") == NULL)
		posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawn(&h.pid, argv[0], &fa, NULL, args(argv), environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	close(to[0]);
	close(from[1]);
	h.to = to[1];
	h.from = from[0];
	return h;
}

static bool
write_all(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n > 0) {
		const ssize_t w = write(fd, s, n);

		if (w <= 0)
			return false;
		s += w;
		n -= (size_t)w;
	}
	return true;
}

static bool
read_all(int fd, void *p, size_t n)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char *s = p;

	while (n > 0) {
		const ssize_t r = poll(&in, 1, READ_MS) == 1 ? read(fd, s, n) : -1;

		if (r <= 0)
			return false;
		s += r;
		n -= (size_t)r;
	}
	return true;
}

bool
host_put_frame(const struct host *h, uint32_t said, const void *p, size_t n)
{
	return write_all(h->to, &said, sizeof(said)) && write_all(h->to, p, n);
}

bool
host_put(const struct host *h, const char *text)
{
	return host_put_frame(h, (uint32_t)strlen(text), text, strlen(text));
}

char *
host_get(const struct host *h)
{
	uint32_t n;
	char *s;

	if (!read_all(h->from, &n, sizeof(n)) || n > 1024u * 1024u)
		return NULL;
	s = calloc(1, n + 1);
	if (read_all(h->from, s, n))
		return s;
	free(s);
	return NULL;
}

int
host_end(struct host *h)
{
	int status = -1, got = 0;

	if (h->to >= 0)
		close(h->to);
	for (int i = 0; i < 500 && (got = waitpid(h->pid, &status, WNOHANG)) == 0; i++)
		(void)usleep(20000);
	if (got == 0) {
		(void)kill(h->pid, SIGKILL);
		(void)waitpid(h->pid, NULL, 0);
	}
	close(h->from);
	*h = (struct host){ .to = -1, .from = -1 };
	return got != 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct host
host_open(const char *origin)
{
	struct host h = host_start(NULL, WORLD_ID, NULL);
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"agent.origin\",\"params\":{\"origin\":\"%s\"}}",
	    origin);
	assert_true(host_put(&h, text));
	return h;
}

/* --- whoever it is --- */

struct peer
peer_page(struct world *w, const char *origin)
{
	struct peer p = { .kind = PEER_WS, .fd = -1 };

	assert_int_equal(
	    ws_open(&(struct ws_request){ .port = w->port, .origin = origin }, &p.fd), 101);
	return p;
}

struct peer
peer_host(const char *origin)
{
	return (struct peer){ .kind = PEER_HOST, .fd = -1, .host = host_open(origin) };
}

struct peer
peer_user(struct world *w)
{
	return (struct peer){ .kind = PEER_LOCAL, .fd = w->local };
}

void
peer_close(struct peer *p)
{
	if (p->kind == PEER_HOST)
		(void)host_end(&p->host);
	else if (p->kind == PEER_WS)
		close(p->fd);
}

int
peer_ask(struct world *w, const struct peer *p, const char *method, json_t *params)
{
	json_t *m = json_pack("{s:s, s:i, s:s, s:o*}", "jsonrpc", "2.0", "id", ++w->id, "method",
	    method, "params", params);
	char *text = json_dumps(m, JSON_COMPACT);

	json_decref(m);
	if (p->kind == PEER_WS)
		(void)ws_put(p->fd, text, strlen(text));
	else if (p->kind == PEER_LOCAL)
		(void)local_put(p->fd, text, strlen(text));
	else
		(void)host_put(&p->host, text);
	free(text);
	return w->id;
}

const json_t *
peer_next(struct world *w, const struct peer *p)
{
	char *text;
	int status;

	if (p->kind == PEER_WS)
		text = ws_get(p->fd, &status);
	else
		text = p->kind == PEER_LOCAL ? local_get(p->fd) : host_get(&p->host);
	json_decref(w->answer);
	w->answer = text != NULL ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return w->answer;
}

const json_t *
peer_answer(struct world *w, const struct peer *p, int id)
{
	const json_t *m;

	while ((m = peer_next(w, p)) != NULL)
		if (json_integer_value(json_object_get(m, "id")) == id)
			return m;
	fail_msg("closed without an answer");
	return NULL;
}

const json_t *
peer_call(struct world *w, const struct peer *p, const char *method, json_t *params)
{
	return peer_answer(w, p, peer_ask(w, p, method, params));
}

const char *
answer_reason(const json_t *m)
{
	const json_t *data = json_object_get(json_object_get(m, "error"), "data");
	const char *s = json_string_value(json_object_get(data, "reason"));

	return s != NULL ? s : "";
}

const json_t *
answer_result(const json_t *m)
{
	if (json_object_get(m, "error") != NULL)
		fail_msg("refused: %s", answer_reason(m));
	return json_object_get(m, "result");
}

const char *
answer_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	assert_non_null(s);
	return s;
}
