/*
 * What ukey-token asks of a kind of module.  Synchronous: every call may block for as long as the
 * vendor's module does, and ukeyd kills the process when that is too long.
 * Callers use the token_* functions, which check what a module shall not have to.
 */
#ifndef HELPER_TOKEN_H
#define HELPER_TOKEN_H

#include "token/message.h"
#include "uk/log.h"

/* Why a call failed.  `where` names the module's function; it and `native` are for the log. */
struct token_fault {
	enum uk_rc rc;
	enum message_reason reason;
	int tries;
	const char *where;
	uint32_t native;
};

struct token_list {
	struct token_info tokens[MESSAGE_TOKENS_MAX];
	size_t n;
	bool readers; /* they come and go with smart card readers: ukeyd says when to look */
};

/* What a blank token is given. */
struct token_prepare {
	struct uk_span so_pin;
	struct uk_span pin;
	struct uk_span auth_key; /* n 0: none; SKF's device authentication key */
	const char *label;
};

struct token_unblock {
	struct uk_span so_pin;      /* tried first */
	struct uk_span so_pin_old;  /* n 0: none; tried only when so_pin is wrong */
	struct uk_span so_pin_next; /* n 0: leave it */
	struct uk_span new_pin;
};

/* An SM4 key under an SM2 key, and what the SM4 key encrypted. */
struct token_envelope {
	struct uk_span key; /* SM2Cipher, DER */
	struct uk_span iv;  /* 16 bytes */
	struct uk_span content;
};

/* An open module; an implementation embeds it as its first member. */
struct token_store {
	const struct token_ops *ops;
	bool hold_pin; /* in: a PIN may be kept until log-out, for a token that asks at each use */
	bool changed;  /* out: a token is other than the list says */
};

/*
 * `id` is a token's id as list gave it.  An unknown one is REASON_TOKEN_NOT_FOUND, a token that
 * went is UK_E_TOKEN_REMOVED.  Buffers are appended to.  NULL members are UK_E_UNSUPPORTED, but
 * for open, close and list.
 */
struct token_ops {
	const char *name; /* of the kind, as in --kind */
	enum uk_rc (*open)(const char *path, const struct uk_log *log, struct token_store **out,
	    struct token_fault *f);
	void (*close)(struct token_store *m); /* frees */

	/* Look anew.  Keeps log-ins of tokens that are still there. */
	enum uk_rc (*list)(struct token_store *m, struct token_list *out, struct token_fault *f);
	/* Records of message_put_object(). */
	enum uk_rc (*objects)(
	    struct token_store *m, const char *id, struct uk_buf *records, struct token_fault *f);
	/* f->tries is set when the PIN is wrong or locked. */
	enum uk_rc (*login)(
	    struct token_store *m, const char *id, struct uk_span pin, struct token_fault *f);
	enum uk_rc (*logout)(struct token_store *m, const char *id, struct token_fault *f);
	enum uk_rc (*sign)(struct token_store *m, const char *id, const char *key_id,
	    struct uk_span digest, struct uk_buf *sig, struct token_fault *f);
	enum uk_rc (*keygen)(struct token_store *m, const char *id, enum uk_keyalg alg,
	    const char *label, char key_id[65], struct uk_buf *spki, struct token_fault *f);
	enum uk_rc (*put_cert)(struct token_store *m, const char *id, const char *key_id,
	    const char *label, struct uk_span der, struct token_fault *f);
	enum uk_rc (*del_cert)(
	    struct token_store *m, const char *id, struct uk_span der, struct token_fault *f);
	enum uk_rc (*del_key)(
	    struct token_store *m, const char *id, const char *key_id, struct token_fault *f);
	/* MUST refuse a token that is not blank.  Leaves the user logged in. */
	enum uk_rc (*prepare)(struct token_store *m, const char *id, const struct token_prepare *p,
	    char token_id[65], struct token_fault *f);
	/* The user's, or the SO's.  A wrong `pin` sets f->tries; admin: REASON_SO_PIN_*.  A user
	 * is logged in afterwards. */
	enum uk_rc (*change_pin)(struct token_store *m, const char *id, bool admin,
	    struct uk_span pin, struct uk_span new_pin, struct token_fault *f);
	/* MUST spend no more than two SO tries, and never the last one that the token is known to
	 * have (REASON_SO_PIN_LAST).  An SO PIN that can't be changed after the user's is set is a
	 * success that *now tells.  After a failure it is TOKEN_SO_OLD where so_pin was found
	 * wrong.  Leaves the user logged in. */
	enum uk_rc (*unblock)(struct token_store *m, const char *id, const struct token_unblock *u,
	    enum token_so *now, struct token_fault *f);
	enum uk_rc (*decrypt)(struct token_store *m, const char *id, const char *key_id,
	    enum token_scheme scheme, struct uk_span data, struct uk_buf *out,
	    struct token_fault *f);
	/* Of scheme TOKEN_SM2_SM4_CBC, whose key may not leave the token (GM/T 0016). */
	enum uk_rc (*unseal)(struct token_store *m, const char *id, const char *key_id,
	    const struct token_envelope *e, struct uk_buf *out, struct token_fault *f);
	/* The key pair enveloped to key_id's, which both are one pair of pairs from then on. */
	enum uk_rc (*put_key)(struct token_store *m, const char *id, const char *key_id,
	    struct uk_span enveloped, char enc_key_id[65], struct token_fault *f);
};

extern const struct token_ops pkcs11_ops;
extern const struct token_ops skf_ops;

/* Fill *f and return rc. */
enum uk_rc token_fail(
    struct token_fault *f, enum uk_rc rc, enum message_reason reason, const char *where);

/* UK_E_UNSUPPORTED: no such kind. */
UK_CHECK enum uk_rc token_open(const char *kind, const char *path, const struct uk_log *log,
    struct token_store **out, struct token_fault *f);
void token_close(struct token_store **m);

UK_CHECK enum uk_rc token_list(
    struct token_store *m, struct token_list *out, struct token_fault *f);
UK_CHECK enum uk_rc token_objects(
    struct token_store *m, const char *id, struct uk_buf *records, struct token_fault *f);
UK_CHECK enum uk_rc token_login(
    struct token_store *m, const char *id, struct uk_span pin, struct token_fault *f);
UK_CHECK enum uk_rc token_logout(struct token_store *m, const char *id, struct token_fault *f);
UK_CHECK enum uk_rc token_sign(struct token_store *m, const char *id, const char *key_id,
    struct uk_span digest, struct uk_buf *sig, struct token_fault *f);
UK_CHECK enum uk_rc token_keygen(struct token_store *m, const char *id, enum uk_keyalg alg,
    const char *label, char key_id[65], struct uk_buf *spki, struct token_fault *f);
UK_CHECK enum uk_rc token_put_cert(struct token_store *m, const char *id, const char *key_id,
    const char *label, struct uk_span der, struct token_fault *f);
UK_CHECK enum uk_rc token_del_cert(
    struct token_store *m, const char *id, struct uk_span der, struct token_fault *f);
UK_CHECK enum uk_rc token_del_key(
    struct token_store *m, const char *id, const char *key_id, struct token_fault *f);
UK_CHECK enum uk_rc token_prepare(struct token_store *m, const char *id,
    const struct token_prepare *p, char token_id[65], struct token_fault *f);
UK_CHECK enum uk_rc token_change_pin(struct token_store *m, const char *id, bool admin,
    struct uk_span pin, struct uk_span new_pin, struct token_fault *f);
UK_CHECK enum uk_rc token_unblock(struct token_store *m, const char *id,
    const struct token_unblock *u, enum token_so *now, struct token_fault *f);
UK_CHECK enum uk_rc token_decrypt(struct token_store *m, const char *id, const char *key_id,
    enum token_scheme scheme, struct uk_span data, struct uk_buf *out, struct token_fault *f);
UK_CHECK enum uk_rc token_unseal(struct token_store *m, const char *id, const char *key_id,
    const struct token_envelope *e, struct uk_buf *out, struct token_fault *f);
UK_CHECK enum uk_rc token_put_key(struct token_store *m, const char *id, const char *key_id,
    struct uk_span enveloped, char enc_key_id[65], struct token_fault *f);

#endif
