/*
 * The daemon's side of ukey-token: asynchronous calls to helper processes, one per module, each
 * restarted when it dies.  One call type and one reply type serve all operations; which members an
 * operation uses is in the message table (message.h).
 */
#ifndef TOKEN_CLIENT_H
#define TOKEN_CLIENT_H

#include "loop/loop.h"
#include "uk/buf.h"
#include "uk/log.h"
#include "uk/pubkey.h"
#include "uk/rc.h"
#include "uk/secret.h"

enum token_op {
	TOKEN_LIST,     /* -> tokens, of all modules that answered */
	TOKEN_OBJECTS,  /* token -> objects: certificates and keys */
	TOKEN_LOGIN,    /* token, pin */
	TOKEN_LOGOUT,   /* token */
	TOKEN_SIGN,     /* token, key_id, digest -> data: PKCS#1 v1.5 or raw r||s */
	TOKEN_KEYGEN,   /* token, alg, label -> key_id, data: SubjectPublicKeyInfo */
	TOKEN_PUT_CERT, /* token, key_id (NULL: a CA's), label, data: DER */
	TOKEN_DELETE,   /* token, kind, and data: DER (TOKEN_CERT) or key_id (TOKEN_KEY) */
	/* token (blank), so_pin, pin, label, auth_key (SKF) -> token_id: initialised, logged in */
	TOKEN_PREPARE,
	TOKEN_CHANGE_PIN, /* token, pin, new_pin, admin; the user is logged in after his own */
	/* token, so_pin, so_pin_old, so_pin_next, new_pin -> so_now: user PIN set, logged in */
	TOKEN_UNBLOCK,
	TOKEN_DECRYPT, /* token, key_id, scheme, data, iv and content as the scheme says -> data */
	/* token, key_id of the signing pair, data: SM2EnvelopedKey (GB/T 35276) -> key_id of the
	 * encryption pair; the same again succeeds.  SKF only */
	TOKEN_PUT_KEY,
	TOKEN_OP__MAX
};

enum token_state {
	TOKEN_READY,
	TOKEN_BLANK, /* not initialised */
	TOKEN_PIN_LOCKED,
	TOKEN_STATE__MAX
};

/* How TOKEN_DECRYPT's data was encrypted. */
enum token_scheme {
	TOKEN_RSA_PKCS1,
	TOKEN_RSA_OAEP_SHA1, /* the digest and MGF1's; no label */
	TOKEN_RSA_OAEP_SHA256,
	TOKEN_ECDH, /* data: the other side's point, 04 x y; the answer is the shared x */
	TOKEN_SM2,  /* SM2Cipher, DER (GM/T 0009 section 7.2); few SKF modules do it */
	/* data: SM2Cipher of an SM4 key; iv, content: what that key encrypted, SM4-CBC with PKCS#7
	 * padding; the answer is the content in the clear.  GM/T 0016 lets no key out, so this is
	 * the way that every SKF token knows */
	TOKEN_SM2_SM4_CBC,
	TOKEN_SCHEME__MAX
};

/* Which SO (admin) PIN a token has after TOKEN_UNBLOCK. */
enum token_so {
	TOKEN_SO_NEXT, /* so_pin_next */
	TOKEN_SO_SAME, /* so_pin: none was to come next, or the token would not take it */
	TOKEN_SO_OLD,  /* so_pin_old: so_pin was wrong, and the token would not take the next */
	TOKEN_SO__MAX
};

/* PIN tries left, as far as the token tells. */
#define TOKEN_TRIES_UNKNOWN (-1)
#define TOKEN_TRIES_LOW     (-2) /* CKF_USER_PIN_COUNT_LOW: fewer than all, at least two */

struct token_info {
	char id[65]; /* what calls name the token by: its serial number, made unique per module */
	char serial[65]; /* may be empty for a blank token */
	char label[97];
	char model[65];
	char manufacturer[97];
	char reader[65];  /* the smart card reader it is in, as far as PKCS#11 names it; or empty */
	const char *kind; /* of its module */
	enum token_state state;
	int tries;    /* 1: the last one */
	int so_tries; /* the same of the SO (admin) PIN */
	bool logged_in;
	bool pin_initial; /* the PIN is the one that the CA set, and is to be changed */
	bool software;    /* no hardware guards the keys */
	int pin_min;      /* length in bytes */
	int pin_max;      /* 0: the token does not say */
	uint32_t algs;    /* bit per enum uk_keyalg that the token can make and use */
};

enum token_kind {
	TOKEN_CERT,
	TOKEN_KEY, /* a key pair */
};

struct token_object {
	enum token_kind kind;
	char key_id[65]; /* CKA_ID, hex; what ties a certificate to its key */
	char label[97];
	enum uk_keyalg alg;
	bool has_key;        /* TOKEN_CERT: its private key is on this token */
	struct uk_span data; /* TOKEN_CERT: DER; TOKEN_KEY: SubjectPublicKeyInfo */
};

/* All strings and spans are borrowed for the duration of token_call(). */
struct token_call {
	enum token_op op;
	const char *token;
	const char *key_id;
	const char *label;
	enum uk_keyalg alg;
	enum token_kind kind;
	enum token_scheme scheme;
	struct uk_span data; /* digest, certificate */
	struct uk_span iv;
	struct uk_span content;
	const struct uk_secret *pin;
	const struct uk_secret *new_pin;
	const struct uk_secret *so_pin;
	const struct uk_secret *so_pin_old;
	const struct uk_secret *so_pin_next;
	const struct uk_secret *auth_key; /* the device's, of an SKF module */
	bool admin;                       /* TOKEN_CHANGE_PIN: pin and new_pin are the SO's */
};

/* Lent for the duration of the callback. */
struct token_reply {
	int tries;
	const char *token_id;
	const char *key_id;
	struct uk_span data;
	enum token_so so_now;
	const struct token_info *tokens;
	size_t n_tokens;
	const struct token_object *objects;
	size_t n_objects;
};

/*
 * err is NULL on success; on failure the reply has only `tries` (UK_E_PIN_WRONG, _LOCKED), and
 * so_now, which is TOKEN_SO_OLD where an unblocking found so_pin wrong.
 */
typedef void token_done_fn(void *ctx, const struct uk_err *err, const struct token_reply *reply);

enum token_change {
	TOKEN_INSERTED,
	TOKEN_REMOVED,
	TOKEN_CHANGED
};
typedef void token_change_fn(void *ctx, enum token_change what, const struct token_info *token);

struct token_client;
struct token_request; /* a call under way */

struct token_module {
	const char *path;
	const char *kind; /* "pkcs11", "skf" */
	bool hold_pin;    /* its helper may keep a PIN until log-out */
};

/* How a module is doing; lent until the next loop round. */
struct token_health {
	const char *path;
	const char *kind;
	bool well; /* it runs, and shows what tokens are in */
	const char
	    *reason;       /* stable name of why not, or of what it did last; NULL: nothing wrong */
	unsigned failures; /* how often it crashed, hung, or answered nonsense */
};

/*
 * Start a helper for each module.  `helper` is the path of ukey-token.  `changed` is called for
 * every token that comes, goes, or changes state, whoever caused it.
 */
UK_CHECK enum uk_rc token_client_new(struct loop *loop, const struct uk_log *log,
    const char *helper, const struct token_module *modules, size_t n_modules,
    token_change_fn *changed, void *ctx, struct token_client **out, struct uk_err *err);

/* Ends the helpers.  Calls under way are answered (UK_E_UNAVAILABLE) from within. */
void token_client_free(struct token_client **c);

/*
 * Start a call.  `done` is called exactly once, later (never from within token_call()), unless the
 * request is dropped first.  A helper works on one call at a time, in order; deadline_ms counts
 * from when it can begin, so that a key generation does not cost the calls behind it.  A helper
 * that does not answer by then is killed and restarted: UK_E_TIMEOUT for this call,
 * UK_E_UNAVAILABLE for the others it had.
 * Returns NULL only for an unknown op (programmer's error) and from within token_client_free().
 */
struct token_request *token_call(struct token_client *c, const struct token_call *call,
    int64_t deadline_ms, token_done_fn *done, void *ctx);

/* The asker has gone: the call goes on, its answer is dropped. */
void token_drop(struct token_request **r);

/*
 * Some module has its tokens in smart card readers (PC/SC) and so does not look by itself: `wanted`
 * is called once, when the first of them says so; token_look() is to follow all that happens there.
 */
typedef void token_wanted_fn(void *ctx);
void token_on_readers(struct token_client *c, token_wanted_fn *wanted, void *ctx);

/*
 * Something was plugged in or pulled: all modules look now.  `emptied` names the reader that lost
 * its card, or is NULL; a call about that card ends shortly, with UK_E_TOKEN_REMOVED if the module
 * hangs in it.
 */
void token_look(struct token_client *c, const char *emptied);

/*
 * What is in now, without asking the helpers; lent until the next loop round.  Empty until the
 * helpers have reported for the first time: the first TOKEN_LIST waits for that.
 */
const struct token_info *token_known(const struct token_client *c, size_t *n);

/* Of the i-th module of token_client_new(); false: there are not so many. */
bool token_health(const struct token_client *c, size_t i, struct token_health *out);

/* Its helper has been at one call for long: what others wait for should not wait for this one. */
bool token_stuck(const struct token_client *c, const char *token);

/* This token's module made a signature that does not hold. */
void token_distrust(struct token_client *c, const char *token);

#endif
