/*
 * What the database must not hold in the clear.  Columns are sealed with AES-256-GCM under a key
 * derived (HKDF-SHA256) from the master key for their purpose, and bound to their place: a value
 * copied to another row, column or table does not open.  Columns that are searched have a keyed
 * hash beside them, because identity numbers have too few bits for a plain one.
 */
#ifndef STORE_CRYPT_H
#define STORE_CRYPT_H

#include "uk/buf.h"
#include "uk/random.h"
#include "uk/rc.h"
#include "uk/secret.h"

#define CRYPT_KEY_LEN   32
#define CRYPT_OVERHEAD  29 /* version, IV, tag */
#define CRYPT_INDEX_LEN 65 /* hex and NUL */

struct crypt;

enum crypt_purpose {
	CRYPT_PERSONAL, /* forms, identity checks */
	CRYPT_PHOTO,
	CRYPT_PIN,    /* user PINs until the key is proved */
	CRYPT_SO_PIN, /* the tokens' administration PINs */
	CRYPT_KM,     /* private keys, under km.key (km/km.h) */
	CRYPT_PURPOSE__MAX
};

enum crypt_index {
	CRYPT_INDEX_NUMBER,   /* document numbers */
	CRYPT_INDEX_PHONE,    /* phone numbers */
	CRYPT_INDEX_IDENTITY, /* the digest of what an identity check has proved */
	CRYPT_INDEX_CODE,     /* SMS codes: subject and code */
	CRYPT_INDEX_SESSION,  /* cookies */
	CRYPT_INDEX__MAX
};

/* Where a sealed value stands. */
struct crypt_place {
	const char *table;
	const char *row;
	const char *column;
};

/* UK_E_INPUT unless the key is CRYPT_KEY_LEN bytes; copied. */
UK_CHECK enum uk_rc crypt_new(const struct uk_secret *master, const struct uk_random *random,
    struct crypt **out, struct uk_err *err);

/* The key from a file of 32 bytes that nobody but its owner can read (else UK_E_DENIED). */
UK_CHECK enum uk_rc crypt_open(
    const char *path, const struct uk_random *random, struct crypt **out, struct uk_err *err);
void crypt_free(struct crypt **c);

/* Appends to out. */
UK_CHECK enum uk_rc crypt_seal(const struct crypt *c, enum crypt_purpose purpose,
    const struct crypt_place *at, struct uk_span plain, struct uk_buf *out, struct uk_err *err);

/* UK_E_INTEGRITY: changed, moved, or sealed under another key. */
UK_CHECK enum uk_rc crypt_unseal(const struct crypt *c, enum crypt_purpose purpose,
    const struct crypt_place *at, struct uk_span sealed, struct uk_buf *out, struct uk_err *err);

/* The keyed hash of the parts, each length-prefixed, as hex. */
void crypt_index(const struct crypt *c, enum crypt_index which, const struct uk_span *parts,
    size_t n, char out[CRYPT_INDEX_LEN]);
void crypt_index_str(
    const struct crypt *c, enum crypt_index which, const char *s, char out[CRYPT_INDEX_LEN]);

#endif
