#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "pubkey_evp.h"
#include "sm2_cipher.h"
#include "uk/sm2.h"

#define NUMBER      32
#define FIELD       64 /* of a blob: a number stands at its right end */
#define CIPHER_HEAD (2 * FIELD + 32 + 4)
#define MALFORMED   "cipher-malformed"

/* ENTL, the identifier, and a, b, G of the curve: what Z is over before the key (GB/T 32918.5). */
static const uint8_t z_head[] = { 0x00, 0x80, '1', '2', '3', '4', '5', '6', '7', '8', '1', '2', '3',
	'4', '5', '6', '7', '8',
	/* a */
	0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xfc,
	/* b */
	0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09,
	0xa7, 0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94,
	0x0e, 0x93,
	/* x of G */
	0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9,
	0x94, 0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c,
	0x74, 0xc7,
	/* y of G */
	0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21,
	0x53, 0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39,
	0xf0, 0xa0 };

static bool
coordinate(EVP_PKEY *pkey, const char *name, uint8_t out[NUMBER])
{
	BIGNUM *bn = NULL;
	const bool ok =
	    EVP_PKEY_get_bn_param(pkey, name, &bn) == 1 && BN_bn2binpad(bn, out, NUMBER) == NUMBER;

	BN_free(bn);
	return ok;
}

enum uk_rc
uk_sm2_point(const struct uk_pubkey *k, uint8_t out[UK_SM2_POINT])
{
	EVP_PKEY *pkey = uk_pubkey_evp(k);

	if (uk_pubkey_alg(k) != UK_KEY_SM2)
		return UK_E_UNSUPPORTED;
	if (coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, out) &&
	    coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, out + NUMBER))
		return UK_OK;
	ERR_clear_error();
	return UK_E_INTERNAL;
}

enum uk_rc
uk_sm2_z(const struct uk_pubkey *k, uint8_t out[UK_SM2_Z])
{
	uint8_t all[sizeof(z_head) + UK_SM2_POINT];
	const enum uk_rc rc = uk_sm2_point(k, all + sizeof(z_head));

	if (rc != UK_OK)
		return rc;
	memcpy(all, z_head, sizeof(z_head));
	return EVP_Digest(all, sizeof(all), out, NULL, EVP_sm3(), NULL) == 1 ? UK_OK
									     : UK_E_INTERNAL;
}

enum uk_rc
uk_sm2_from_point(const uint8_t point[UK_SM2_POINT], struct uk_pubkey **out, struct uk_err *err)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	uint8_t encoded[1 + UK_SM2_POINT] = { 0x04 };
	char group[] = "SM2";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group) - 1),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof(encoded)),
		OSSL_PARAM_END,
	};
	struct uk_pubkey *k = NULL;
	EVP_PKEY *pkey = NULL;

	memcpy(encoded + 1, point, UK_SM2_POINT);
	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1)
		k = uk_pubkey_from_evp(pkey);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	if (k == NULL || !uk_pubkey_sound(k)) {
		uk_pubkey_free(&k);
		return uk_fail(err, UK_E_INPUT, "public-key-malformed", "sm2", 0);
	}
	*out = k;
	return UK_OK;
}

/* --- encryption --- */

ASN1_SEQUENCE(SM2_CIPHER) = {
	ASN1_SIMPLE(SM2_CIPHER, x, ASN1_INTEGER),
	ASN1_SIMPLE(SM2_CIPHER, y, ASN1_INTEGER),
	ASN1_SIMPLE(SM2_CIPHER, hash, ASN1_OCTET_STRING),
	ASN1_SIMPLE(SM2_CIPHER, text, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(SM2_CIPHER)

static bool
put_number(ASN1_INTEGER *to, const uint8_t number[NUMBER])
{
	BIGNUM *bn = BN_bin2bn(number, NUMBER, NULL);
	const bool ok = bn != NULL && BN_to_ASN1_INTEGER(bn, to) != NULL;

	BN_free(bn);
	return ok;
}

static bool
get_number(const ASN1_INTEGER *from, uint8_t number[NUMBER])
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(from, NULL);
	const bool ok =
	    bn != NULL && !BN_is_negative(bn) && BN_bn2binpad(bn, number, NUMBER) == NUMBER;

	BN_free(bn);
	return ok;
}

bool
sm2_cipher_fill(SM2_CIPHER *to, const struct uk_sm2_cipher *from)
{
	return put_number(to->x, from->point) && put_number(to->y, from->point + NUMBER) &&
	       ASN1_OCTET_STRING_set(to->hash, from->hash, sizeof(from->hash)) == 1 &&
	       ASN1_OCTET_STRING_set(to->text, from->text, (int)from->n) == 1;
}

bool
sm2_cipher_read(const SM2_CIPHER *from, struct uk_sm2_cipher *to)
{
	const size_t n = (size_t)ASN1_STRING_length(from->text);

	if (!get_number(from->x, to->point) || !get_number(from->y, to->point + NUMBER) ||
	    ASN1_STRING_length(from->hash) != (int)sizeof(to->hash) || n == 0 ||
	    n > sizeof(to->text))
		return false;
	memcpy(to->hash, ASN1_STRING_get0_data(from->hash), sizeof(to->hash));
	memcpy(to->text, ASN1_STRING_get0_data(from->text), n);
	to->n = n;
	return true;
}

enum uk_rc
uk_sm2_cipher_put(const struct uk_sm2_cipher *c, struct uk_buf *out)
{
	SM2_CIPHER *a = (SM2_CIPHER *)ASN1_item_new(ASN1_ITEM_rptr(SM2_CIPHER));
	unsigned char *der = NULL;
	int n = 0;

	if (a != NULL && sm2_cipher_fill(a, c))
		n = ASN1_item_i2d((ASN1_VALUE *)a, &der, ASN1_ITEM_rptr(SM2_CIPHER));
	if (n > 0)
		uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	ASN1_item_free((ASN1_VALUE *)a, ASN1_ITEM_rptr(SM2_CIPHER));
	if (n <= 0)
		return UK_E_INTERNAL;
	return uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
}

enum uk_rc
uk_sm2_cipher_get(struct uk_span der, struct uk_sm2_cipher *out, struct uk_err *err)
{
	const unsigned char *p = der.p;
	ASN1_VALUE *a = NULL;
	bool ok = false;

	if (der.n <= UK_SM2_TEXT_MAX + 128) {
		a = ASN1_item_d2i(NULL, &p, (long)der.n, ASN1_ITEM_rptr(SM2_CIPHER));
		ok = a != NULL && p == der.p + der.n && sm2_cipher_read((SM2_CIPHER *)a, out);
	}
	ASN1_item_free(a, ASN1_ITEM_rptr(SM2_CIPHER));
	ERR_clear_error();
	return ok ? UK_OK : uk_fail(err, UK_E_INPUT, MALFORMED, "sm2", 0);
}

enum uk_rc
uk_sm2_encrypt(
    const struct uk_pubkey *k, struct uk_span plain, struct uk_sm2_cipher *out, struct uk_err *err)
{
	EVP_PKEY_CTX *ctx = NULL;
	uint8_t der[UK_SM2_TEXT_MAX + 128];
	size_t n = sizeof(der);
	bool ok;

	if (uk_pubkey_alg(k) != UK_KEY_SM2)
		return uk_fail(err, UK_E_UNSUPPORTED, "algorithm-unsupported", "sm2", 0);
	if (plain.n == 0 || plain.n > UK_SM2_TEXT_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, "sm2", (long)plain.n);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, uk_pubkey_evp(k), NULL);
	ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
	     EVP_PKEY_encrypt(ctx, der, &n, plain.p, plain.n) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	if (!ok)
		return uk_fail(err, UK_E_INTERNAL, NULL, "EVP_PKEY_encrypt", 0);
	return uk_sm2_cipher_get(uk_span(der, n), out, err);
}

/* --- the blob --- */

void
sm2_put_number(struct uk_buf *out, const uint8_t number[NUMBER])
{
	static const uint8_t zero[FIELD - NUMBER];

	uk_buf_put(out, uk_span(zero, sizeof(zero)));
	uk_buf_put(out, uk_span(number, NUMBER));
}

bool
sm2_get_number(const uint8_t field[FIELD], uint8_t number[NUMBER])
{
	static const uint8_t zero[FIELD - NUMBER];

	memcpy(number, field + FIELD - NUMBER, NUMBER);
	return memcmp(field, zero, sizeof(zero)) == 0;
}

void
uk_sm2_cipher_put_blob(const struct uk_sm2_cipher *c, struct uk_buf *out)
{
	const uint32_t n = (uint32_t)c->n;

	sm2_put_number(out, c->point);
	sm2_put_number(out, c->point + NUMBER);
	uk_buf_put(out, uk_span(c->hash, sizeof(c->hash)));
	uk_buf_put(out, uk_span(&n, sizeof(n)));
	uk_buf_put(out, uk_span(c->text, c->n));
}

enum uk_rc
uk_sm2_cipher_get_blob(struct uk_span blob, struct uk_sm2_cipher *out, struct uk_err *err)
{
	const uint8_t *p = blob.p;
	uint32_t n = 0;

	if (blob.n < CIPHER_HEAD)
		return uk_fail(err, UK_E_INPUT, MALFORMED, "sm2", (long)blob.n);
	memcpy(&n, p + CIPHER_HEAD - sizeof(n), sizeof(n));
	if (n == 0 || n > sizeof(out->text) || n > blob.n - CIPHER_HEAD ||
	    !sm2_get_number(p, out->point) || !sm2_get_number(p + FIELD, out->point + NUMBER))
		return uk_fail(err, UK_E_INPUT, MALFORMED, "sm2", (long)n);
	memcpy(out->hash, p + 2 * (size_t)FIELD, sizeof(out->hash));
	memcpy(out->text, p + CIPHER_HEAD, n);
	out->n = n;
	return UK_OK;
}
