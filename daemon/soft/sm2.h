/*
 * SM2 (GB/T 32918) on OpenSSL.  A public key is X and Y in 64 bytes, a signature r and s in 64, a
 * private key 32.  False: bad input (a point not on the curve, a wrong hash), or no memory.
 */
#ifndef SOFT_SM2_H
#define SOFT_SM2_H

#include <openssl/evp.h>

#include "uk/buf.h"

#define SM2_LEN     32
#define SM2_XY_LEN  64
#define SM2_KEY_MAX 32 /* of an agreed key */
#define SM2_ID      "1234567812345678"

bool sm2_generate(uint8_t d[SM2_LEN], uint8_t xy[SM2_XY_LEN]);
bool sm2_public_ok(const uint8_t xy[SM2_XY_LEN]);

/* Is it d that xy belongs to? */
bool sm2_matches(const uint8_t d[SM2_LEN], const uint8_t xy[SM2_XY_LEN]);

/* d may be NULL.  NULL: no key. */
EVP_PKEY *sm2_key(const uint8_t *d, const uint8_t xy[SM2_XY_LEN]);

/* Over e, which is not hashed again. */
bool sm2_sign(EVP_PKEY_CTX *key, const uint8_t e[SM2_LEN], uint8_t rs[SM2_XY_LEN]);
bool sm2_verify(
    const uint8_t xy[SM2_XY_LEN], const uint8_t e[SM2_LEN], const uint8_t rs[SM2_XY_LEN]);

/* GB/T 32918.2 section 5.5; id of at most 8191 bytes. */
bool sm2_z(const uint8_t xy[SM2_XY_LEN], struct uk_span id, uint8_t z[SM2_LEN]);

/* c2 has plain.n bytes, at least one. */
bool sm2_encrypt(const uint8_t xy[SM2_XY_LEN], struct uk_span plain, uint8_t c1[SM2_XY_LEN],
    uint8_t c3[SM2_LEN], uint8_t *c2);
bool sm2_decrypt(const uint8_t d[SM2_LEN], const uint8_t c1[SM2_XY_LEN], const uint8_t c3[SM2_LEN],
    struct uk_span c2, uint8_t *plain);

/* One side of GB/T 32918.3; the Z of both sides, the sponsor's first. */
struct sm2_side {
	const uint8_t *d; /* own key */
	const uint8_t *r; /* own temporary key, and its public part */
	const uint8_t *r_xy;
	const uint8_t *peer_xy; /* the other side's keys */
	const uint8_t *peer_r_xy;
	uint8_t z[2 * SM2_LEN];
};
bool sm2_agree(const struct sm2_side *s, uint8_t *key, size_t n);

#endif
