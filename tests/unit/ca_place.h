/* A CA of its own in a folder of its own, for one test. */
#ifndef TESTS_CA_PLACE_H
#define TESTS_CA_PLACE_H

#include <openssl/evp.h>

#include "ca/authority.h"
#include "ca/issuer.h"

#define PLACE_NOW 1795329000
#define PLACE_DAY 86400

struct place {
	char dir[64];
	struct uk_secret *master;
	struct authority_settings settings;
	struct authority *a;
};

/* Aborts when it can't. */
void place_init(struct place *p, const char *algorithm, int64_t now);
void place_fini(struct place *p); /* removes the folder */

void place_path(const struct place *p, const char *file, char out[128]);

/* The public key of a fresh key pair, which is given too when key is not NULL. */
void place_spki(const char *type, struct uk_buf *out, EVP_PKEY **key);

/* The digest and, for SM2, the identifier that go with the key. */
void place_sign_init(EVP_MD_CTX *ctx, EVP_PKEY *key);

/* A unit's certificate over spki for a year from not_before, as the caller of issuer.h gets it. */
void place_issue(const struct place *p, struct uk_span spki, int64_t not_before, struct uk_buf *der,
    char *serial);

#endif
