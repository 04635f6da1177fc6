/* A private key in use: opened once after the log-in, and gone with it. */
#ifndef SOFT_KEYS_H
#define SOFT_KEYS_H

#include <openssl/evp.h>

#include "soft/state.h"
#include "uk/secret.h"

struct key {
	uint8_t id[ID_LEN]; /* of its pair */
	uint32_t type;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *sign;  /* ready: SM2 over e, RSA over what gets PKCS #1 padding */
	struct uk_secret *d; /* SM2 */
};

/* SAR_KEYNOTFOUNTERR, SAR_FILEERR.  *out is the caller's. */
ULONG key_open(const struct app *a, const struct container *c, enum use use,
    const struct uk_secret *master, struct key **out);
void key_free(struct key **k);

/*
 * Fill p with a new id and the sealed private part; public comes as it is stored.  private is what
 * key_open() will find: SM2 d, or RSAPrivateKey.
 */
ULONG key_put(const struct app *a, struct container *c, enum use use,
    const struct uk_secret *master, struct uk_span public, struct uk_span private);

#endif
