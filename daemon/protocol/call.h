/*
 * One request from its arrival to its answer.  A handler does its work in steps: each starts one
 * thing that takes time and names the function that goes on after it.  call_reply() or call_fail()
 * ends the call; the struct is gone when they return.
 */
#ifndef PROTOCOL_CALL_H
#define PROTOCOL_CALL_H

#include "policy/origin.h"
#include "protocol/inventory.h"
#include "protocol/params.h"
#include "protocol/rpc.h"
#include "uk/json.h"

struct call;
typedef void call_fn(struct call *c);
typedef void call_token_fn(
    struct call *c, const struct uk_err *err, const struct token_reply *reply);
typedef enum uk_rc call_fits_fn(struct call *c, struct uk_err *err);
typedef void call_chosen_fn(struct call *c, const struct uk_err *err);
typedef void call_asked_fn(struct call *c, const struct uk_err *err, struct uk_secret **pin);

struct method {
	const char *name;
	const struct params *params;
	unsigned needs;
	const char *purpose; /* what a window says of it; such a method is in the journal, too */
	call_fn *handler;
};

/* What the user is asked about, and what the journal says of it. */
struct call_object {
	char token[65];
	char certificate[65]; /* fingerprint; "" */
	char digest[65];      /* SHA-256 of what is to be signed, hex; "" */
	size_t count;         /* of the signatures of a batch; 0 */
	const char *stopped;  /* why a batch ended early, for the journal; a literal; NULL */
	const char *name;     /* shown: the certificate's name, or the token's label; lent */
	const char *title;    /* shown as the site's own words; lent; NULL */
	const char *leaves;   /* shown: the certificate that this deletes; lent; NULL */
	char remember[160];   /* gate_facts.object; "" */
	bool logged_in;
	bool pin_initial;
	int pin_min; /* as struct token_info */
	int pin_max;
	int tries;
	enum token_state state;
};

struct call {
	struct call *next;
	struct rpc *rpc;
	const struct rpc_env *env;
	uint64_t conn;
	json_t *id;
	const struct method *method;
	json_t *params; /* what `in` borrows from */
	void *in;
	struct gate_facts facts;
	char origin[ORIGIN_MAX + 1];
	struct call_object object;
	struct inventory *inventory;
	call_fn *then;

	struct token_request *token;
	call_token_fn *token_done;
	struct prompt *prompt;
	call_asked_fn *asked;
	struct pin_state {
		unsigned asked;
		bool asking; /* for the one that the token has */
		bool change; /* for a new one after it, and even when the token is open */
		bool was_open;
		bool held;   /* the windows, while the token is asked */
		bool sent;   /* at least one was tried on the token */
		bool warned; /* of the last try */
		const char *error;
		struct uk_secret *pin;
	} pin;
	struct new_pin {
		unsigned asked;
		const char *error;
		const char *note; /* a line of the window's text; lent; NULL */
		struct uk_secret *pin;
		call_chosen_fn *chosen;
		struct uk_err why; /* there is none */
	} new_pin;

	struct uk_buf tbs;       /* what login, request and install sign: sign.h */
	struct uk_buf signature; /* PKCS#1 v1.5, or r||s; holds over digest */
	const struct uk_pubkey *key;
	uint8_t digest[48]; /* what the token signs */
	size_t n_digest;
	struct call_sign {
		const char *fingerprint;
		const struct inventory_object *found;
		call_fits_fn *fits;
		call_fn *then;
	} sign;

	void *state; /* the handler's own */
	void (*state_free)(void *);
};

/* --- for handlers --- */

/* Takes the result. */
void call_reply(struct call *c, json_t *result);
void call_fail(struct call *c, const struct uk_err *err);
void call_fail_tries(struct call *c, const struct uk_err *err, int tries);

/* Fail with this code and reason (a literal, or NULL). */
void call_refuse(struct call *c, enum uk_rc rc, const char *reason);

/* Zeroed memory that is freed with the call (after fini, if there is one). */
void *call_state(struct call *c, size_t n, void (*fini)(void *));

/* Ask the token.  One call at a time. */
void call_token(
    struct call *c, const struct token_call *what, int64_t deadline_ms, call_token_fn *done);

/* Show a window; `done` goes on with what the user said, or the call ends there. */
void call_ask(struct call *c, const struct prompt_text *text, call_asked_fn *done);

/* What the token is like now, which may be other than when the call began. */
void call_refresh(struct call *c);

/* One of several uses that one call makes of the key: in the journal before it leaves. */
UK_CHECK enum uk_rc call_journal(const struct call *c, const char *digest, struct uk_err *err);

/* Past certificate, consent and PIN for c->object, or the call ends there. */
void call_allow(struct call *c, call_fn *then);

#define CALL_DEADLINE     10000
#define CALL_DEADLINE_KEY 120000 /* an RSA key in a slow token */

/* --- for rpc.c and pin.c --- */

void call_start(struct call *c);
void call_gone(struct call *c); /* its connection has closed */
void call_decide(struct call *c);

/* Ask for the PIN and log in; goes on at call_decide(), or ends the call. */
void pin_ask(struct call *c);

/* The token was opened by another call: a window that waits to ask for its PIN need not come. */
void pin_unlocked(struct call *c, const char *token);

/*
 * Ask for a new PIN, twice, until it fits; then c->new_pin.pin is it, or err says why there is
 * none.  error: what was wrong with the last one; NULL.
 */
void new_pin_ask(struct call *c, const char *error, call_chosen_fn *chosen);

/* What the token is like, for this call. */
void call_about(struct call *c, const struct token_info *t);

/* What every window says first. */
void call_describe(const struct call *c, struct uk_buf *text);

/* --- in rpc.c --- */

void rpc_answer(struct rpc *r, uint64_t conn, json_t *message); /* takes the message */
void rpc_forget(struct rpc *r, struct call *c);                 /* unlink */
void rpc_watch(struct rpc *r, uint64_t conn);
/* Is another site's work with this token under way? */
bool rpc_in_use(const struct rpc *r, const struct call *but, const char *token);
unsigned rpc_windows(const struct rpc *r, const char *origin); /* shown and waiting */
void rpc_close_site(struct rpc *r, const char *origin);
struct channels *rpc_channels(struct rpc *r);
struct wrong_pins *rpc_wrong_pins(struct rpc *r);
struct idle *rpc_idle(struct rpc *r);
struct inventory_cache *rpc_inventory(struct rpc *r);
struct data_store *rpc_data(struct rpc *r);
void rpc_notify(struct rpc *r, uint64_t conn, json_t *message); /* takes the message */
void rpc_journal_later(struct rpc *r);                          /* to the disk, within a second */

#endif
