/* GB/T 32918.4, .3, and the Z of .2. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "soft/sm2_curve.h"

#define MASK_TRIES 32

static const uint8_t curve[4 * SM2_LEN] = { /* a, b, Gx, Gy: GB/T 32918.5 */
	0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xfc, 0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf,
	0x65, 0x09, 0xa7, 0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41,
	0x4d, 0x94, 0x0e, 0x93, 0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04,
	0x46, 0x6a, 0x39, 0xc9, 0x94, 0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a,
	0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7, 0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59,
	0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53, 0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40,
	0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0
};

bool
sm2_z(const uint8_t xy[SM2_XY_LEN], struct uk_span id, uint8_t z[SM2_LEN])
{
	const uint8_t bits[2] = { (uint8_t)(id.n * 8 >> 8), (uint8_t)(id.n * 8) };
	const struct uk_span parts[4] = { uk_span(bits, 2), id, uk_span(curve, sizeof(curve)),
		uk_span(xy, SM2_XY_LEN) };

	return id.n < 8192 && sm2_sm3(parts, 4, z);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	uint8_t all = 0;

	for (size_t i = 0; i < n; i++)
		all |= p[i];
	return all == 0;
}

/* x, y of k times p. */
static bool
multiply(const BIGNUM *k, const EC_POINT *p, uint8_t xy[SM2_XY_LEN])
{
	EC_POINT *q = EC_POINT_new(sm2_group());
	const bool ok = q != NULL &&
			EC_POINT_mul(sm2_group(), q, p == NULL ? k : NULL, p, p == NULL ? NULL : k,
			    NULL) == 1 &&
			sm2_point_get(q, xy);

	EC_POINT_clear_free(q);
	return ok;
}

/* t XOR in, and the hash over x2, the plain text, and y2. */
static bool
mask(const uint8_t xy[SM2_XY_LEN], struct uk_span in, uint8_t *out)
{
	uint8_t *t = uk_xalloc(in.n);
	const bool ok = sm2_kdf(uk_span(xy, SM2_XY_LEN), t, in.n) && !all_zero(t, in.n);

	for (size_t i = 0; ok && i < in.n; i++)
		out[i] = in.p[i] ^ t[i];
	OPENSSL_cleanse(t, in.n);
	free(t);
	return ok;
}

static bool
check_hash(const uint8_t xy[SM2_XY_LEN], struct uk_span plain, uint8_t c3[SM2_LEN])
{
	const struct uk_span parts[3] = { uk_span(xy, SM2_LEN), plain,
		uk_span(xy + SM2_LEN, SM2_LEN) };

	return sm2_sm3(parts, 3, c3);
}

bool
sm2_encrypt(const uint8_t xy[SM2_XY_LEN], struct uk_span plain, uint8_t c1[SM2_XY_LEN],
    uint8_t c3[SM2_LEN], uint8_t *c2)
{
	EC_POINT *p = sm2_point(xy);
	BIGNUM *k = BN_secure_new();
	uint8_t shared[SM2_XY_LEN];
	const bool able = p != NULL && k != NULL && plain.n != 0;
	bool ok = false;

	/* A mask of zeroes only: once more with another k (5.4.4 A5). */
	for (int i = 0; able && !ok && i < MASK_TRIES; i++)
		ok = sm2_scalar(k) && multiply(k, NULL, c1) && multiply(k, p, shared) &&
		     mask(shared, plain, c2);
	ok = ok && check_hash(shared, plain, c3);
	OPENSSL_cleanse(shared, sizeof(shared));
	BN_clear_free(k);
	EC_POINT_free(p);
	return ok;
}

bool
sm2_decrypt(const uint8_t d[SM2_LEN], const uint8_t c1[SM2_XY_LEN], const uint8_t c3[SM2_LEN],
    struct uk_span c2, uint8_t *plain)
{
	EC_POINT *p = sm2_point(c1);
	BIGNUM *n = sm2_private(d);
	uint8_t shared[SM2_XY_LEN], hash[SM2_LEN];
	bool ok = p != NULL && n != NULL && c2.n != 0 && multiply(n, p, shared) &&
		  mask(shared, c2, plain) && check_hash(shared, uk_span(plain, c2.n), hash) &&
		  CRYPTO_memcmp(hash, c3, sizeof(hash)) == 0;

	if (!ok)
		OPENSSL_cleanse(plain, c2.n);
	OPENSSL_cleanse(shared, sizeof(shared));
	BN_clear_free(n);
	EC_POINT_free(p);
	return ok;
}

/* x~ of a temporary key: its lower 127 bits, and bit 127 (GB/T 32918.3 section 6.1). */
static BIGNUM *
half(const uint8_t xy[SM2_XY_LEN])
{
	uint8_t b[SM2_LEN / 2];

	memcpy(b, xy + SM2_LEN / 2, sizeof(b));
	b[0] |= 0x80;
	return BN_bin2bn(b, sizeof(b), NULL);
}

/* t = d + x~ r (mod n) */
static BIGNUM *
own_part(const struct sm2_side *s, BN_CTX *ctx)
{
	const BIGNUM *order = EC_GROUP_get0_order(sm2_group());
	BIGNUM *d = sm2_private(s->d), *r = sm2_private(s->r), *x = half(s->r_xy),
	       *t = BN_secure_new();

	if (d == NULL || r == NULL || x == NULL || t == NULL ||
	    BN_mod_mul(t, x, r, order, ctx) != 1 || BN_mod_add(t, t, d, order, ctx) != 1 ||
	    BN_is_zero(t)) {
		BN_clear_free(t);
		t = NULL;
	}
	BN_clear_free(d);
	BN_clear_free(r);
	BN_free(x);
	return t;
}

/* P + x~ R of the other side */
static EC_POINT *
peer_part(const struct sm2_side *s, BN_CTX *ctx)
{
	EC_POINT *p = sm2_point(s->peer_xy), *r = sm2_point(s->peer_r_xy),
		 *sum = EC_POINT_new(sm2_group());
	BIGNUM *x = half(s->peer_r_xy);

	if (p == NULL || r == NULL || sum == NULL || x == NULL ||
	    EC_POINT_mul(sm2_group(), sum, NULL, r, x, ctx) != 1 ||
	    EC_POINT_add(sm2_group(), sum, sum, p, ctx) != 1) {
		EC_POINT_free(sum);
		sum = NULL;
	}
	EC_POINT_free(p);
	EC_POINT_free(r);
	BN_free(x);
	return sum;
}

bool
sm2_agree(const struct sm2_side *s, uint8_t *key, size_t n)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *t = ctx != NULL && sm2_group() != NULL ? own_part(s, ctx) : NULL;
	EC_POINT *q = t != NULL ? peer_part(s, ctx) : NULL;
	uint8_t text[SM2_XY_LEN + sizeof(s->z)];
	bool ok = q != NULL && multiply(t, q, text);

	memcpy(text + SM2_XY_LEN, s->z, sizeof(s->z));
	ok = ok && sm2_kdf(uk_span(text, sizeof(text)), key, n);
	OPENSSL_cleanse(text, sizeof(text));
	EC_POINT_clear_free(q);
	BN_clear_free(t);
	BN_CTX_free(ctx);
	return ok;
}
