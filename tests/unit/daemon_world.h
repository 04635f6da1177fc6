/*
 * The real ukeyd and ukey-token on SoftHSM2, a folder of their own, and who talks to them: a page
 * by WebSocket, the user by the unix socket, an extension by ukey-native.  pinentry is
 * tests/fake/pinentry.
 */
#ifndef TESTS_DAEMON_WORLD_H
#define TESTS_DAEMON_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#define WORLD_SITE "https://ca.example"
#define WORLD_PIN  "123456"
#define WORLD_ID   "chrome-extension://" EXTENSION_ID "/"

struct world {
	char dir[64];
	char answers[96];
	char socket[96];
	char rules[96]; /* of the fault module */
	char path[160]; /* of the last world_path() */
	int port;
	int local; /* the user's own connection */
	int id;
	pid_t ukeyd; /* 0: not ours to wait for */
	json_t *answer;
};

/* A folder, its environment, one SoftHSM token "demo"; no process.  `modules` is a JSON array. */
void world_init(struct world *w, const char *policy);
void world_fini(struct world *w);

/* ukeyd, and the user's connection to it. */
void world_start(struct world *w);
void world_stop(struct world *w); /* SIGTERM; it has to end well */
void world_kill(struct world *w); /* SIGKILL */

const char *world_path(struct world *w, const char *name);
void world_put(struct world *w, const char *name, const char *text);

/* What pinentry is to do, and what it has shown since. */
void world_answers(struct world *w, const char *text);
bool world_shown(const struct world *w, const char *text);
bool world_shows(const struct world *w, const char *text); /* … within five seconds */

void world_rules(struct world *w, const char *text);

/* Exit status. */
int world_run(const char *const *argv);

/* How many of this name live that we, or what we started, have started; orphans too. */
int world_count(const char *name);
bool world_has(const char *name, int n); /* so many, within five seconds */
bool world_gone(const char *name);       /* none */
pid_t world_pid(const char *name);       /* of one of them; 0: none */

/* --- connections: a WebSocket, the unix socket, a host --- */

struct host {
	pid_t pid;
	int to;
	int from;
};

/* argv[1..]; `program` NULL: the built one. */
struct host host_start(const char *program, const char *first, const char *second);
struct host host_open(const char *origin); /* … and it has said whose it is */
bool host_put(const struct host *h, const char *text);
bool host_put_frame(const struct host *h, uint32_t said, const void *p, size_t n);
char *host_get(const struct host *h); /* NULL: closed, or nothing within 20 s */
int host_end(struct host *h);         /* status; -1: it did not end within 10 s */

struct peer {
	enum {
		PEER_WS,
		PEER_LOCAL,
		PEER_HOST
	} kind;
	int fd;
	struct host host;
};

struct peer peer_page(struct world *w, const char *origin);
struct peer peer_host(const char *origin);
struct peer peer_user(struct world *w); /* borrows w->local */
void peer_close(struct peer *p);

/* The id. */
int peer_ask(struct world *w, const struct peer *p, const char *method, json_t *params);

/* The next message; NULL: it is closed.  Lent until the next. */
const json_t *peer_next(struct world *w, const struct peer *p);

/* The answer to `id`; notifications are passed over. */
const json_t *peer_answer(struct world *w, const struct peer *p, int id);
const json_t *peer_call(struct world *w, const struct peer *p, const char *method, json_t *params);

const char *answer_reason(const json_t *m); /* "": it was not refused */
const json_t *answer_result(const json_t *m);
const char *answer_str(const json_t *o, const char *key);

#endif
