/* The protocol between a fake page and a fake token, with the windows of a fake pinentry. */
#ifndef TESTS_DAEMON_ENV_H
#define TESTS_DAEMON_ENV_H

#include "daemon_conn.h"
#include "policy/origin.h"
#include "protocol/rpc.h"

#define SITE "https://ca.example"

struct env {
	char dir[64];
	char answers[96];
	char log[96];
	char sites_path[96];
	char journal_path[96];
	struct uk_log uk_log;
	struct loop *loop;
	struct policy policy;
	char *allow[1];
	struct sites *sites;
	struct gate *gate;
	struct journal *journal;
	struct prompts *prompts;
	struct token_client token;
	struct rpc *rpc;
	struct fake_conn page;
	char cert[65];
	struct uk_clock clock;
	int64_t later; /* milliseconds that the clock is ahead */
};

int setup(void **state);
int teardown(void **state);

/* What the next windows are answered with; the log of the windows begins anew. */
void answers(struct env *e, const char *text);

/* Was this said in a window since then?  The test fails when not as told. */
void shown(struct env *e, const char *text, bool yes);

/* The site may see and use the token's certificate. */
void granted(struct env *e);

/* The next message that came; what came in answer.  Lent. */
const json_t *next(struct env *e);
const json_t *say(struct env *e, const char *text);
const json_t *call(struct env *e, const char *method, json_t *params); /* takes params */

/* Of an answer: the error's, "" and 0 when there is none; the result, or the test fails. */
const char *reason(const json_t *m);
int code(const json_t *m);
const json_t *result(const json_t *m);

#endif
