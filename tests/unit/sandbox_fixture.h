/*
 * The sandbox, a server of ours that the outside world notifies, and connectors between them, all
 * over real sockets.  One clock for all, which a test moves.
 */
#ifndef TESTS_SANDBOX_FIXTURE_H
#define TESTS_SANDBOX_FIXTURE_H

#include <pthread.h>

#include "http/httpd.h"
#include "net/client.h"
#include "pay/bank.h"
#include "pay/pay.h"
#include "sandbox/sandbox.h"
#include "uk/json.h"

#define NOTICES_MAX 16

struct notice {
	enum uk_rc rc;
	struct uk_err err;
	struct pay_event event;
	struct bank_result result;
};

struct world {
	const char *dir;
	int64_t offset; /* of the clock, seconds */
	struct uk_clock clock;
	struct uk_log log;
	struct sandbox *sandbox;
	struct httpd *ours;
	struct http_client *http;
	json_t *file; /* sandbox.json */
	struct pay *pay;
	struct bank *bank;
	char notify_alipay[128];
	char notify_bank[128];

	pthread_mutex_t lock;
	pthread_cond_t came;
	struct notice notices[NOTICES_MAX];
	size_t n_notices;
	size_t refuse; /* that many more notices are answered with something else */
};

/* Of a group: the folder with the keys, which take long to make. */
int world_folder(void **state);
int world_folder_gone(void **state);

/* Of a test: *state is the group's folder, and then the world. */
int world_open(void **state);
int world_close(void **state);

/* sandbox.json once more. */
void world_reread(struct world *w);
const char *world_config(const struct world *w, const char *key);

/* Waits for the n-th notice (from 0), at most five seconds; then it is in w->notices. */
const struct notice *world_notice(struct world *w, size_t n);

/* None but those n come within a moment. */
void world_quiet(struct world *w, size_t n);

/* POST /control; fails the test when refused. */
void world_control(struct world *w, const char *json);

/* A page of the sandbox as text; the caller frees. */
char *world_page(struct world *w, const char *path, int want_status);

#endif
