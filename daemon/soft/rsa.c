#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "soft/rsa.h"
#include "soft/state.h"

/* Modulus and exponent of a key. */
static bool
public_of(const EVP_PKEY *key, struct uk_buf *public)
{
	const int bits = EVP_PKEY_get_bits(key);
	BIGNUM *n = NULL, *e = NULL;
	uint8_t *p;
	bool ok = false;

	uk_buf_init(public, MAX_RSA_MODULUS_LEN + MAX_RSA_EXPONENT_LEN);
	if ((bits == 1024 || bits == 2048) &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
		p = uk_buf_room(public, (size_t)bits / 8 + MAX_RSA_EXPONENT_LEN);
		ok = p != NULL && BN_bn2binpad(n, p, bits / 8) == bits / 8 &&
		     BN_bn2binpad(e, p + bits / 8, MAX_RSA_EXPONENT_LEN) == MAX_RSA_EXPONENT_LEN;
		uk_buf_add(public, ok ? (size_t)bits / 8 + MAX_RSA_EXPONENT_LEN : 0);
	}
	BN_free(n);
	BN_free(e);
	return ok;
}

bool
rsa_generate(unsigned bits, struct uk_buf *public, struct uk_buf *private)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	uint8_t *der = NULL;
	int n = key != NULL ? i2d_PrivateKey(key, &der) : 0;
	bool ok;

	uk_buf_init(public, 0);
	uk_buf_init(private, PRIVATE_MAX);
	if (n > 0)
		uk_buf_put(private, uk_span(der, (size_t)n));
	ok = n > 0 && public_of(key, public) && !uk_buf_failed(private);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	EVP_PKEY_free(key);
	return ok;
}

bool
rsa_private_ok(struct uk_span der, size_t *used, struct uk_buf *public)
{
	const uint8_t *p = der.p;
	EVP_PKEY *key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, (long)der.n);
	EVP_PKEY_CTX *ctx = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool ok;

	uk_buf_init(public, 0);
	ok = ctx != NULL && EVP_PKEY_check(ctx) == 1 && public_of(key, public);
	*used = (size_t)(p - der.p);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

static EVP_PKEY *
from_params(OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

EVP_PKEY *rsa_public(struct uk_span public)
{
	const int len = (int)public.n - MAX_RSA_EXPONENT_LEN;
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(public.p, len, NULL),
	       *e = BN_bin2bn(public.p + len, MAX_RSA_EXPONENT_LEN, NULL);
	EVP_PKEY *key = NULL;

	if (b != NULL && n != NULL && e != NULL && BN_num_bits(n) == len * 8 && BN_is_odd(n) &&
	    BN_is_odd(e) && !BN_is_one(e) && OSSL_PARAM_BLD_push_BN(b, "n", n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, "e", e) == 1)
		key = from_params(b);
	OSSL_PARAM_BLD_free(b);
	BN_free(n);
	BN_free(e);
	return key;
}

bool
rsa_encrypt(EVP_PKEY *key, int padding, struct uk_span in, uint8_t *out, size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	const bool ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
			EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
			EVP_PKEY_encrypt(ctx, out, n, in.p, in.n) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool
rsa_decrypt(EVP_PKEY *key, int padding, struct uk_span in, uint8_t *out, size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	const bool ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
			EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
			EVP_PKEY_decrypt(ctx, out, n, in.p, in.n) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool
rsa_verify(EVP_PKEY *key, struct uk_span data, struct uk_span signature)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	const bool ok = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
			EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
			EVP_PKEY_verify(ctx, signature.p, signature.n, data.p, data.n) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}
