#include <pthread.h>
#include <string.h>

#include <openssl/obj_mac.h>

#include "soft/sm2_curve.h"

static EC_GROUP *group;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_group(void)
{
	group = EC_GROUP_new_by_curve_name(NID_sm2);
}

__attribute__((destructor)) static void
free_group(void)
{
	EC_GROUP_free(group);
	group = NULL;
}

const EC_GROUP *
sm2_group(void)
{
	(void)pthread_once(&once, make_group);
	return group;
}

/* 1 <= n <= order - 2: a private key of order - 1 has no inverse of 1 + d. */
static bool
in_range(const BIGNUM *n)
{
	BIGNUM *top = BN_dup(EC_GROUP_get0_order(sm2_group()));
	const bool ok =
	    top != NULL && BN_sub_word(top, 1) == 1 && !BN_is_zero(n) && BN_cmp(n, top) < 0;

	BN_free(top);
	return ok;
}

bool
sm2_scalar(BIGNUM *k)
{
	if (sm2_group() == NULL)
		return false;
	do {
		if (BN_priv_rand_range(k, EC_GROUP_get0_order(sm2_group())) != 1)
			return false;
	} while (!in_range(k));
	return true;
}

BIGNUM *
sm2_private(const uint8_t d[SM2_LEN])
{
	BIGNUM *n = BN_secure_new();

	if (n == NULL || sm2_group() == NULL || BN_bin2bn(d, SM2_LEN, n) == NULL || !in_range(n)) {
		BN_clear_free(n);
		return NULL;
	}
	BN_set_flags(n, BN_FLG_CONSTTIME);
	return n;
}

EC_POINT *
sm2_point(const uint8_t xy[SM2_XY_LEN])
{
	const EC_GROUP *g = sm2_group();
	EC_POINT *p = g != NULL ? EC_POINT_new(g) : NULL;
	uint8_t b[1 + SM2_XY_LEN];

	b[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(b + 1, xy, SM2_XY_LEN);
	if (p != NULL && EC_POINT_oct2point(g, p, b, sizeof(b), NULL) == 1)
		return p;
	EC_POINT_free(p);
	return NULL;
}

bool
sm2_point_get(const EC_POINT *p, uint8_t xy[SM2_XY_LEN])
{
	uint8_t b[1 + SM2_XY_LEN];
	const bool ok = EC_POINT_point2oct(sm2_group(), p, POINT_CONVERSION_UNCOMPRESSED, b,
			    sizeof(b), NULL) == sizeof(b);

	if (ok)
		memcpy(xy, b + 1, SM2_XY_LEN);
	OPENSSL_cleanse(b, sizeof(b));
	return ok;
}

bool
sm2_sm3(const struct uk_span *parts, size_t n, uint8_t out[SM2_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sm3(), NULL) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool
sm2_kdf(struct uk_span z, uint8_t *out, size_t n)
{
	uint8_t block[SM2_LEN], count[4];
	bool ok = true;

	for (uint32_t i = 1; ok && n != 0; i++) {
		const struct uk_span parts[2] = { z, uk_span(count, sizeof(count)) };
		const size_t len = n < sizeof(block) ? n : sizeof(block);

		for (int k = 0; k < 4; k++)
			count[k] = (uint8_t)(i >> (24 - 8 * k));
		ok = sm2_sm3(parts, 2, block);
		memcpy(out, block, len);
		out += len;
		n -= len;
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}
