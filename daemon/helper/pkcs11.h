/* Inside of the PKCS#11 backend (PKCS #11 v2.40): one file per noun, all on these structs. */
#ifndef HELPER_PKCS11_H
#define HELPER_PKCS11_H

#include <p11-kit/pkcs11.h>

#include "helper/token.h"

#define P11_KEYS_MAX 32

/* A private key found once; handles hold until log-out. */
struct p11_key {
	char id[65];
	enum uk_keyalg alg;
	CK_OBJECT_HANDLE handle;
};

/* A slot with a token in it.  info.id names it; slot numbers change under SoftHSM. */
struct p11_slot {
	struct token_info info;
	CK_SLOT_ID number;
	CK_SESSION_HANDLE session; /* read-write; CK_INVALID_HANDLE: none open */
	CK_ULONG pin_min;
	CK_ULONG pin_max; /* 0: the token does not say */
	bool initialised;
	size_t n_keys;
	struct p11_key keys[P11_KEYS_MAX];
};

struct p11_module {
	struct token_store base;
	const struct uk_log *log;
	CK_FUNCTION_LIST *fn;
	bool up;        /* C_Initialize has been called */
	bool readers;   /* its tokens are in PC/SC readers */
	bool forgetful; /* sees other processes' changes only after C_Initialize */
	char tag[9];    /* a hash of the path: makes the ids of blank tokens ours alone */
	size_t n_slots;
	struct p11_slot slots[MESSAGE_TOKENS_MAX];
};

/* pkcs11.c */

/* What a CK_RV means; UK_OK for CKR_OK. */
enum uk_rc p11_fail(struct token_fault *f, CK_RV rv, const char *where);
bool p11_is_gone(CK_RV rv); /* the token, or our session on it, is no more */
UK_CHECK enum uk_rc p11_start(struct p11_module *m, struct token_fault *f);
void p11_stop(struct p11_module *m);

/* PKCS#11 knows no const. */
static inline CK_BYTE *
p11_bytes(struct uk_span s)
{
	return (CK_BYTE *)(uintptr_t)s.p;
}

/* pkcs11_slots.c */

/* Look which tokens are in; sessions of those that stay are kept. */
UK_CHECK enum uk_rc p11_slots_refresh(struct p11_module *m, struct token_fault *f);
UK_CHECK enum uk_rc p11_slot_find(
    struct p11_module *m, const char *id, struct p11_slot **out, struct token_fault *f);
/* The same, and the user must be logged in. */
UK_CHECK enum uk_rc p11_slot_open(
    struct p11_module *m, const char *id, struct p11_slot **out, struct token_fault *f);
/* Read the token's data anew, its id too. */
CK_RV p11_slot_look(struct p11_module *m, struct p11_slot *s);
bool p11_anyone_in(const struct p11_module *m);

/* pkcs11_session.c */

UK_CHECK enum uk_rc p11_session(struct p11_module *m, struct p11_slot *s, struct token_fault *f);
/* A fresh session in place of one with an operation stuck in it; the log-in stays. */
UK_CHECK enum uk_rc p11_session_renew(
    struct p11_module *m, struct p11_slot *s, struct token_fault *f);
void p11_session_close(struct p11_module *m, struct p11_slot *s);
/* The token with nobody logged in, and not blank. */
UK_CHECK enum uk_rc p11_slot_closed(
    struct p11_module *m, const char *id, struct p11_slot **out, struct token_fault *f);
void p11_log_out(struct p11_module *m, struct p11_slot *s);
CK_RV p11_log_in(struct p11_module *m, struct p11_slot *s, CK_USER_TYPE who, struct uk_span pin);
/* The token would not even look at one of another length. */
bool p11_pin_fits(const struct p11_slot *s, struct uk_span pin);
/* Of the user: p11_slot_fail() with the tries that are left. */
enum uk_rc p11_login_failed(
    struct p11_module *m, struct p11_slot *s, struct token_fault *f, CK_RV rv, const char *where);
/* p11_fail(), and draw the conclusions for the slot. */
enum uk_rc p11_slot_fail(
    struct p11_module *m, struct p11_slot *s, struct token_fault *f, CK_RV rv, const char *where);
enum uk_rc p11_login(
    struct token_store *b, const char *id, struct uk_span pin, struct token_fault *f);
enum uk_rc p11_logout(struct token_store *b, const char *id, struct token_fault *f);

/* pkcs11_pin.c: what sets a PIN */

enum uk_rc p11_prepare(struct token_store *b, const char *id, const struct token_prepare *p,
    char token_id[65], struct token_fault *f);
enum uk_rc p11_change_pin(struct token_store *b, const char *id, bool admin, struct uk_span pin,
    struct uk_span new_pin, struct token_fault *f);
enum uk_rc p11_unblock(struct token_store *b, const char *id, const struct token_unblock *u,
    enum token_so *now, struct token_fault *f);

/* pkcs11_attrs.c: objects and their attributes */

/* At most max bytes, appended; CKR_BUFFER_TOO_SMALL when there are more. */
CK_RV p11_attr(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, CK_ATTRIBUTE_TYPE t,
    size_t max, struct uk_buf *out);
CK_RV p11_attr_ulong(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h,
    CK_ATTRIBUTE_TYPE t, CK_ULONG *out);
/* CKA_ID in hex; "" when there is none or it is too long. */
void p11_attr_id(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, char out[65]);
/* CKA_LABEL as clean text, cut to fit. */
void p11_attr_label(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, char out[97]);
/* SubjectPublicKeyInfo of a public key (or of an RSA private key).  UNKNOWN: none of ours. */
enum uk_keyalg p11_attr_spki(
    struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, struct uk_buf *out);
/* All objects that match, max at most: UK_E_LIMIT when there are more. */
UK_CHECK enum uk_rc p11_find(struct p11_module *m, struct p11_slot *s, CK_ATTRIBUTE *t, CK_ULONG n,
    CK_OBJECT_HANDLE *out, size_t max, size_t *count, struct token_fault *f);
/* The objects of a class with this CKA_ID. */
UK_CHECK enum uk_rc p11_find_id(struct p11_module *m, struct p11_slot *s, CK_OBJECT_CLASS class,
    const char *key_id, CK_OBJECT_HANDLE *out, size_t max, size_t *count, struct token_fault *f);

/* pkcs11_objects.c */

enum uk_rc p11_objects(
    struct token_store *b, const char *id, struct uk_buf *records, struct token_fault *f);
enum uk_rc p11_put_cert(struct token_store *b, const char *id, const char *key_id,
    const char *label, struct uk_span der, struct token_fault *f);
enum uk_rc p11_del_cert(
    struct token_store *b, const char *id, struct uk_span der, struct token_fault *f);
enum uk_rc p11_del_key(
    struct token_store *b, const char *id, const char *key_id, struct token_fault *f);

/* pkcs11_keys.c */

uint32_t p11_algs(struct p11_module *m, CK_SLOT_ID slot);
UK_CHECK enum uk_rc p11_key_find(struct p11_module *m, struct p11_slot *s, const char *key_id,
    struct p11_key *out, struct token_fault *f);
enum uk_rc p11_sign(struct token_store *b, const char *id, const char *key_id,
    struct uk_span digest, struct uk_buf *sig, struct token_fault *f);
enum uk_rc p11_keygen(struct token_store *b, const char *id, enum uk_keyalg alg, const char *label,
    char key_id[65], struct uk_buf *spki, struct token_fault *f);

/* pkcs11_decrypt.c */

enum uk_rc p11_decrypt(struct token_store *b, const char *id, const char *key_id,
    enum token_scheme scheme, struct uk_span data, struct uk_buf *out, struct token_fault *f);

static inline struct p11_module *
p11_cast(struct token_store *b)
{
	return (struct p11_module *)b;
}

#endif
