/* Real SoftHSM tokens in a folder of their own, a real ukey-token, and calls that wait. */
#ifndef TESTS_TOKEN_FIXTURE_H
#define TESTS_TOKEN_FIXTURE_H

#include <sys/types.h>

#include "token/client.h"

#define FIXTURE_SO_PIN "87654321"
#define FIXTURE_PIN    "246810"
#define FIXTURE_WAIT   20000 /* for everything that ends well */

struct event {
	enum token_change what;
	struct token_info token;
};

struct fixture {
	char dir[64];
	struct loop *loop;
	struct uk_log log;
	struct token_client *client;
	struct event events[64];
	size_t n_events;
};

/* An answer that outlives its callback.  Spans of objects point into `bytes`. */
struct answer {
	bool done;
	enum uk_rc rc;
	char reason[64];
	int tries;
	enum token_so so_now;
	char token_id[65];
	char key_id[65];
	struct uk_buf data;
	size_t n_tokens;
	struct token_object *objects;
	struct uk_buf *bytes;
	size_t n_objects;
};

/* The folder, SOFTHSM2_CONF, and no client yet. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A client with SoftHSM itself, and with the fault module in front of another SoftHSM. */
void fixture_start(struct fixture *f);
void fixture_start_with(struct fixture *f, const struct token_module *modules, size_t n);
void fixture_start_faulty(struct fixture *f, bool plain_too);
void fixture_rules(const struct fixture *f, const char *rules);

/* Start a call into `a`, and run the loop until it is answered. */
struct token_request *fixture_send(
    struct fixture *f, const struct token_call *call, int64_t deadline_ms, struct answer *a);
void fixture_wait(struct fixture *f, const struct answer *a);
void fixture_call(
    struct fixture *f, const struct token_call *call, int64_t deadline_ms, struct answer *a);
void answer_fini(struct answer *a);

/* The same in one line each; the result code, and the reason where it fails. */
enum uk_rc fixture_login(struct fixture *f, const char *token, const char *pin);
void fixture_keygen(
    struct fixture *f, const char *token, enum uk_keyalg alg, char key_id[65], struct uk_buf *spki);
enum uk_rc fixture_sign(struct fixture *f, const char *token, const char *key_id);

/* The first token in that state; its id stays the client's. */
const char *fixture_token(struct fixture *f, enum token_state state);
/* Prepare the blank token; its id afterwards. */
void fixture_prepare(struct fixture *f, const char *label, char id[65]);
bool fixture_event(struct fixture *f, enum token_change what, const char *label);

/* Done by other processes. */
void elsewhere_run(char *const argv[]); /* it ends well */
void elsewhere_init_token(const char *label);
void elsewhere_set_pin(const char *from, const char *to);
/* Keys that decrypt, and agree, which the token client makes none of; ids "0a", "0b". */
void elsewhere_decryption_keys(const char *pin);
bool elsewhere_is_sealed(const char *pin); /* no private key gives its value away */
pid_t helper_pid(size_t which);

#endif
