/* The curve, and what GB/T 32918's parts build on. */
#ifndef SOFT_SM2_CURVE_H
#define SOFT_SM2_CURVE_H

#include <openssl/bn.h>
#include <openssl/ec.h>

#include "soft/sm2.h"

/* One for the process; never freed before it ends. */
const EC_GROUP *sm2_group(void);

/* Random, 1 .. n-2. */
bool sm2_scalar(BIGNUM *k);

/* In secure memory; NULL: not 1 .. n-2. */
BIGNUM *sm2_private(const uint8_t d[SM2_LEN]);

/* NULL: not on the curve. */
EC_POINT *sm2_point(const uint8_t xy[SM2_XY_LEN]);

/* False for the point at infinity. */
bool sm2_point_get(const EC_POINT *p, uint8_t xy[SM2_XY_LEN]);

/* GB/T 32918.4 section 5.4.3. */
bool sm2_kdf(struct uk_span z, uint8_t *out, size_t n);

bool sm2_sm3(const struct uk_span *parts, size_t n, uint8_t out[SM2_LEN]);

#endif
