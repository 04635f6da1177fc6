/* Inside of the SKF backend (GM/T 0016-2012): one file per noun, all on these structs. */
#ifndef HELPER_SKF_BACKEND_H
#define HELPER_SKF_BACKEND_H

#include "helper/skf_lib.h"
#include "uk/secret.h"

#define SKF_DEVICES_MAX    16
#define SKF_CONTAINERS_MAX 64
#define SKF_NAMES_MAX      16384 /* bytes of a list */

#define SKF_APPLICATION "UKEY" /* the one that prepare makes */
#define SKF_TRIES       10     /* GM/T 0027-2014 section 9.2 allows no more */
#define SKF_PIN_MIN     6      /* the same */

/* The two key pairs of a container.  The values end a key's id, and are bSignFlag's opposite. */
enum skf_use {
	SKF_SIGN,
	SKF_ENCRYPT,
	SKF_USE__MAX
};

struct skf_container {
	char name[MAX_CONTAINER_NAME_SIZE + 1];
	char id[33]; /* of its key ids, without the use */
	HCONTAINER handle;
	enum uk_keyalg algs[SKF_USE__MAX]; /* UK_KEY_UNKNOWN: no such pair */
};

/* An application is what a caller knows as a token; so is a device that has none. */
struct skf_slot {
	struct token_info info;
	char app[65]; /* "": a blank device */
	HAPPLICATION handle;
	struct skf_device *device;
	bool each_use;         /* the token wants the PIN for each use (GM/T 0027 section 9.2) */
	bool used;             /* since the log-in */
	struct uk_secret *pin; /* held only where policy allows it */
	bool read;             /* containers are as the token had them */
	size_t n_containers;
	struct skf_container containers[SKF_CONTAINERS_MAX];
};

struct skf_device {
	char name[256];
	DEVHANDLE handle; /* NULL: to be left */
	struct skf_devinfo info;
	struct uk_buf apps; /* as enumerated when its slots were made */
};

struct skf_module {
	struct token_store base;
	const struct uk_log *log;
	struct skf_lib lib;
	size_t n_devices;
	struct skf_device devices[SKF_DEVICES_MAX];
	size_t n_slots;
	struct skf_slot *slots[MESSAGE_TOKENS_MAX];
};

/* skf_slots.c */

/* Look which devices and applications are in; those that stay keep their handles and log-ins. */
UK_CHECK enum uk_rc skf_slots_refresh(struct skf_module *m, struct token_fault *f);
void skf_slots_drop(struct skf_module *m);
UK_CHECK enum uk_rc skf_slot_find(
    struct skf_module *m, const char *id, struct skf_slot **out, struct token_fault *f);
/* The same, and the user must be logged in. */
UK_CHECK enum uk_rc skf_slot_open(
    struct skf_module *m, const char *id, struct skf_slot **out, struct token_fault *f);
/* skf_fail(), and draw the conclusions for the slot; of a device that went, all are freed. */
enum uk_rc skf_slot_fail(
    struct skf_module *m, struct skf_slot *s, struct token_fault *f, ULONG sar, const char *where);
/* Read the tries anew. */
ULONG skf_slot_look(struct skf_module *m, struct skf_slot *s);
/* No longer logged in, as far as we are concerned. */
void skf_slot_out(struct skf_slot *s);

/* skf_containers.c */

/* Open all containers, unless that is done. */
UK_CHECK enum uk_rc skf_containers_read(
    struct skf_module *m, struct skf_slot *s, struct token_fault *f);
void skf_containers_forget(struct skf_module *m, struct skf_slot *s);
/* Fill in the id of a container of this name. */
void skf_container_name(const struct skf_slot *s, struct skf_container *c);
/* A key by its id: REASON_KEY_NOT_FOUND. */
UK_CHECK enum uk_rc skf_key_find(struct skf_module *m, struct skf_slot *s, const char *key_id,
    struct skf_container **c, enum skf_use *use, struct token_fault *f);
void skf_key_id(const struct skf_container *c, enum skf_use use, char out[65]);
/* SubjectPublicKeyInfo; UK_KEY_UNKNOWN: no such pair, or none that is sound. */
enum uk_keyalg skf_public_key(
    struct skf_module *m, const struct skf_container *c, enum skf_use use, struct uk_buf *spki);
/* The same of a public key blob, with room for the larger one. */
enum uk_keyalg skf_spki(struct skf_module *m, const void *blob, struct uk_buf *spki);
/* 32 bytes of a field of 64: at its right; a vendor may have put them at the left. */
struct uk_span skf_number(const BYTE field[64]);
/* DER, appended; UK_E_NOT_FOUND. */
UK_CHECK enum uk_rc skf_certificate(struct skf_module *m, struct skf_slot *s,
    const struct skf_container *c, enum skf_use use, struct uk_buf *der, struct token_fault *f);
enum uk_rc skf_objects(
    struct token_store *b, const char *id, struct uk_buf *records, struct token_fault *f);
enum uk_rc skf_put_cert(struct token_store *b, const char *id, const char *key_id,
    const char *label, struct uk_span der, struct token_fault *f);
enum uk_rc skf_del_cert(
    struct token_store *b, const char *id, struct uk_span der, struct token_fault *f);
enum uk_rc skf_del_key(
    struct token_store *b, const char *id, const char *key_id, struct token_fault *f);

/* skf_pin.c */

enum uk_rc skf_login(
    struct token_store *b, const char *id, struct uk_span pin, struct token_fault *f);
enum uk_rc skf_logout(struct token_store *b, const char *id, struct token_fault *f);
enum uk_rc skf_change_pin(struct token_store *b, const char *id, bool admin, struct uk_span pin,
    struct uk_span new_pin, struct token_fault *f);
enum uk_rc skf_unblock(struct token_store *b, const char *id, const struct token_unblock *u,
    enum token_so *now, struct token_fault *f);

/* skf_prepare.c */

enum uk_rc skf_prepare(struct token_store *b, const char *id, const struct token_prepare *p,
    char token_id[65], struct token_fault *f);
/* VerifyPIN as the user, and what follows from it; counts on the token being asked before. */
UK_CHECK enum uk_rc skf_pin_verify(
    struct skf_module *m, struct skf_slot *s, struct uk_span pin, struct token_fault *f);
/* The token wants the PIN again: true when it had it, because policy lets us hold it. */
bool skf_pin_again(struct skf_module *m, struct skf_slot *s);

/* skf_keys.c */

uint32_t skf_algs(const struct skf_module *m, const struct skf_devinfo *info);
enum uk_rc skf_sign(struct token_store *b, const char *id, const char *key_id,
    struct uk_span digest, struct uk_buf *sig, struct token_fault *f);
enum uk_rc skf_keygen(struct token_store *b, const char *id, enum uk_keyalg alg, const char *label,
    char key_id[65], struct uk_buf *spki, struct token_fault *f);

/* skf_envelope.c */

enum uk_rc skf_put_key(struct token_store *b, const char *id, const char *key_id,
    struct uk_span enveloped, char enc_key_id[65], struct token_fault *f);
enum uk_rc skf_decrypt(struct token_store *b, const char *id, const char *key_id,
    enum token_scheme scheme, struct uk_span data, struct uk_buf *out, struct token_fault *f);
enum uk_rc skf_unseal(struct token_store *b, const char *id, const char *key_id,
    const struct token_envelope *e, struct uk_buf *out, struct token_fault *f);

static inline struct skf_module *
skf_cast(struct token_store *b)
{
	return (struct skf_module *)b;
}

/* SKF knows no const. */
static inline BYTE *
skf_bytes(struct uk_span s)
{
	return (BYTE *)(uintptr_t)s.p;
}

static inline LPSTR
skf_text(const char *s)
{
	return (LPSTR)(uintptr_t)s;
}

#endif
