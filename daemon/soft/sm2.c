#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "soft/sm2.h"
#include "soft/sm2_curve.h"

#define POINT_LEN (1 + SM2_XY_LEN)

static void
uncompressed(uint8_t out[POINT_LEN], const uint8_t xy[SM2_XY_LEN])
{
	out[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(out + 1, xy, SM2_XY_LEN);
}

bool
sm2_generate(uint8_t d[SM2_LEN], uint8_t xy[SM2_XY_LEN])
{
	const EC_GROUP *g = sm2_group();
	BIGNUM *n = BN_secure_new();
	EC_POINT *p = g != NULL ? EC_POINT_new(g) : NULL;
	bool ok = n != NULL && p != NULL && sm2_scalar(n) &&
		  EC_POINT_mul(g, p, n, NULL, NULL, NULL) == 1 && sm2_point_get(p, xy) &&
		  BN_bn2binpad(n, d, SM2_LEN) == SM2_LEN;

	EC_POINT_free(p);
	BN_clear_free(n);
	return ok;
}

bool
sm2_public_ok(const uint8_t xy[SM2_XY_LEN])
{
	EC_POINT *p = sm2_point(xy);
	const bool ok = p != NULL;

	EC_POINT_free(p);
	return ok;
}

bool
sm2_matches(const uint8_t d[SM2_LEN], const uint8_t xy[SM2_XY_LEN])
{
	const EC_GROUP *g = sm2_group();
	BIGNUM *n = sm2_private(d);
	EC_POINT *p = g != NULL ? EC_POINT_new(g) : NULL;
	uint8_t mine[SM2_XY_LEN];
	bool ok = n != NULL && p != NULL && EC_POINT_mul(g, p, n, NULL, NULL, NULL) == 1 &&
		  sm2_point_get(p, mine) && memcmp(mine, xy, sizeof(mine)) == 0;

	EC_POINT_free(p);
	BN_clear_free(n);
	return ok;
}

static EVP_PKEY *
from_params(OSSL_PARAM_BLD *b, bool whole)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, whole ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) !=
		1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

EVP_PKEY *
sm2_key(const uint8_t *d, const uint8_t xy[SM2_XY_LEN])
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *n = d != NULL ? sm2_private(d) : NULL;
	EVP_PKEY *key = NULL;
	uint8_t point[POINT_LEN];

	uncompressed(point, xy);
	if (b != NULL && (d == NULL || n != NULL) && sm2_public_ok(xy) &&
	    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) ==
		1 &&
	    (n == NULL || OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, n) == 1))
		key = from_params(b, n != NULL);
	BN_clear_free(n);
	OSSL_PARAM_BLD_free(b);
	return key;
}

bool
sm2_sign(EVP_PKEY_CTX *key, const uint8_t e[SM2_LEN], uint8_t rs[SM2_XY_LEN])
{
	uint8_t der[80];
	const uint8_t *p = der;
	size_t n = sizeof(der);
	ECDSA_SIG *sig = NULL;
	bool ok;

	if (EVP_PKEY_sign(key, der, &n, e, SM2_LEN) != 1)
		return false;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, SM2_LEN) == SM2_LEN &&
	     BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + SM2_LEN, SM2_LEN) == SM2_LEN;
	ECDSA_SIG_free(sig);
	return ok;
}

/* DER of r and s; 0: no memory. */
static int
signature_der(const uint8_t rs[SM2_XY_LEN], uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(rs, SM2_LEN, NULL), *s = BN_bin2bn(rs + SM2_LEN, SM2_LEN, NULL);
	int n = 0;

	if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL;
		n = i2d_ECDSA_SIG(sig, der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n > 0 ? n : 0;
}

bool
sm2_verify(const uint8_t xy[SM2_XY_LEN], const uint8_t e[SM2_LEN], const uint8_t rs[SM2_XY_LEN])
{
	EVP_PKEY *key = sm2_key(NULL, xy);
	EVP_PKEY_CTX *ctx = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	uint8_t *der = NULL;
	const int n = signature_der(rs, &der);
	const bool ok = n > 0 && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
			EVP_PKEY_verify(ctx, der, (size_t)n, e, SM2_LEN) == 1;

	OPENSSL_free(der);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}
