#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include "oracle.h"

void
hex(const char *digits, uint8_t *out, size_t n)
{
	unsigned v;

	assert_int_equal(strlen(digits), 2 * n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sscanf(digits + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
}

void
public_put(const uint8_t xy[64], ECCPUBLICKEYBLOB *key)
{
	memset(key, 0, sizeof(*key));
	key->BitLen = 256;
	memcpy(key->XCoordinate + 32, xy, 32);
	memcpy(key->YCoordinate + 32, xy + 32, 32);
}

static EVP_PKEY *
key_of(const uint8_t *d, const ECCPUBLICKEYBLOB *key)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	BIGNUM *n = d != NULL ? BN_bin2bn(d, 32, NULL) : NULL;
	uint8_t point[65] = { 4 };
	OSSL_PARAM *params;
	EVP_PKEY *out = NULL;

	memcpy(point + 1, key->XCoordinate + 32, 32);
	memcpy(point + 33, key->YCoordinate + 32, 32);
	assert_int_equal(OSSL_PARAM_BLD_push_utf8_string(b, "group", "SM2", 0), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_octet_string(b, "pub", point, sizeof(point)), 1);
	if (n != NULL)
		assert_int_equal(OSSL_PARAM_BLD_push_BN(b, "priv", n), 1);
	params = OSSL_PARAM_BLD_to_param(b);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(
			     ctx, &out, n != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params),
	    1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	return out;
}

void
key_pair(uint8_t d[32], ECCPUBLICKEYBLOB *key)
{
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	uint8_t point[65];
	size_t n = 0;
	BIGNUM *priv = NULL;

	assert_non_null(k);
	assert_int_equal(EVP_PKEY_get_octet_string_param(k, "pub", point, sizeof(point), &n), 1);
	assert_int_equal(n, sizeof(point));
	assert_int_equal(EVP_PKEY_get_bn_param(k, "priv", &priv), 1);
	assert_int_equal(BN_bn2binpad(priv, d, 32), 32);
	public_put(point + 1, key);
	BN_free(priv);
	EVP_PKEY_free(k);
}

static void
sm4_ecb(const uint8_t key[16], const uint8_t *in, int len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_ecb(), NULL, key, NULL), 1);
	(void)EVP_CIPHER_CTX_set_padding(ctx, 0);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, in, len), 1);
	EVP_CIPHER_CTX_free(ctx);
}

void
envelope(const ECCPUBLICKEYBLOB *to, const uint8_t d[32], const ECCPUBLICKEYBLOB *key,
    enum layout layout, uint8_t out[ENVELOPE_LEN])
{
	ENVELOPEDKEYBLOB *e = (ENVELOPEDKEYBLOB *)(void *)out;
	uint8_t kek[16], field[64] = { 0 };

	assert_int_equal(RAND_bytes(kek, sizeof(kek)), 1);
	memset(out, 0, ENVELOPE_LEN);
	e->Version = 1;
	e->ulSymmAlgID = SGD_SM4_ECB;
	e->ulBits = 256;
	e->PubKey = *key;
	memcpy(field + 32, d, 32);
	if (layout == LAYOUT_WHOLE)
		sm4_ecb(kek, field, 64, e->cbEncryptedPriKey);
	else
		sm4_ecb(kek, d, 32, e->cbEncryptedPriKey + (layout == LAYOUT_RIGHT ? 32 : 0));
	encrypt_for(to, kek, sizeof(kek), &e->ECCCipherBlob);
}

bool
signature_ok(const ECCPUBLICKEYBLOB *key, const uint8_t e[32], const ECCSIGNATUREBLOB *signature)
{
	EVP_PKEY *k = key_of(NULL, key);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int n;
	bool good;

	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(signature->r, 64, NULL),
			     BN_bin2bn(signature->s, 64, NULL)),
	    1);
	n = i2d_ECDSA_SIG(sig, &der);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	good = EVP_PKEY_verify(ctx, der, (size_t)n, e, 32) == 1;
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(k);
	return good;
}

/* One INTEGER or OCTET STRING of less than 128 or 256 bytes; steps over it. */
static size_t
element(const uint8_t **p, uint8_t tag, const uint8_t **value)
{
	size_t n;

	assert_int_equal(*(*p)++, tag);
	n = *(*p)++;
	if (n == 0x81)
		n = *(*p)++;
	assert_true(n < 256 && n != 0x80);
	*value = *p;
	*p += n;
	return n;
}

static void
coordinate(const uint8_t **p, uint8_t field[64])
{
	const uint8_t *v;
	size_t n = element(p, 2, &v);

	if (n == 33) {
		v++;
		n--;
	}
	memset(field, 0, 64);
	memcpy(field + 64 - n, v, n);
}

void
encrypt_for(const ECCPUBLICKEYBLOB *to, const uint8_t *text, size_t n, ECCCIPHERBLOB *out)
{
	EVP_PKEY *k = key_of(NULL, to);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k, NULL);
	uint8_t der[512];
	const uint8_t *p = der + 2, *v;
	size_t len = sizeof(der);

	assert_true(n <= 128);
	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_encrypt(ctx, der, &len, text, n), 1);
	if (der[1] == 0x81)
		p++;
	coordinate(&p, out->XCoordinate);
	coordinate(&p, out->YCoordinate);
	assert_int_equal(element(&p, 4, &v), 32);
	memcpy(out->HASH, v, 32);
	assert_int_equal(element(&p, 4, &v), n);
	out->CipherLen = (ULONG)n;
	memcpy((uint8_t *)out + CIPHER_LEN(0), v, n);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(k);
}

static size_t
put_integer(uint8_t *p, const uint8_t field[64])
{
	const uint8_t *v = field + 32;
	size_t n = 32, sign;

	while (n > 1 && *v == 0) {
		v++;
		n--;
	}
	sign = *v >> 7;
	p[0] = 2;
	p[1] = (uint8_t)(n + sign);
	p[2] = 0;
	memcpy(p + 2 + sign, v, n);
	return 2 + sign + n;
}

bool
decrypt_with(const uint8_t d[32], const ECCPUBLICKEYBLOB *key, const ECCCIPHERBLOB *in,
    uint8_t *text, size_t n)
{
	EVP_PKEY *k = key_of(d, key);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k, NULL);
	uint8_t body[300], der[310], plain[256];
	size_t len = 0, out = sizeof(plain), head = 2;
	bool good;

	assert_true(n < 100 && in->CipherLen == n);
	len += put_integer(body, in->XCoordinate);
	len += put_integer(body + len, in->YCoordinate);
	body[len++] = 4;
	body[len++] = 32;
	memcpy(body + len, in->HASH, 32);
	len += 32;
	body[len++] = 4;
	body[len++] = (uint8_t)n;
	memcpy(body + len, (const uint8_t *)in + CIPHER_LEN(0), n);
	len += n;
	der[0] = 0x30;
	if (len >= 128) {
		der[1] = 0x81;
		head = 3;
	}
	der[head - 1] = (uint8_t)len;
	memcpy(der + head, body, len);
	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	good = EVP_PKEY_decrypt(ctx, plain, &out, der, head + len) == 1 && out == n;
	memcpy(text, plain, n);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(k);
	return good;
}
