/* SM2, SM3 and SM4 against the examples of GB/T 32918.5, GB/T 32905 and GB/T 32907. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>

#include "uk/b64.h"
#include "uk/digest.h"
#include "uk/sm2.h"
#include "uk/x509.h"

#define VECTOR_D "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
#define VECTOR_P                                                                                   \
	"09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"                         \
	"CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
#define VECTOR_Z "B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3"
#define VECTOR_E "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
#define VECTOR_SIGNATURE                                                                           \
	"F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"                         \
	"B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
#define VECTOR_C1                                                                                  \
	"04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73"                         \
	"E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0"
#define VECTOR_C3 "59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766"
#define VECTOR_C2 "21886CA989CA9C7D58087307CA93092D651EFA"

#define NOW 1795329000

static size_t
unhex(const char *hex, uint8_t *out)
{
	unsigned v;

	for (size_t i = 0; i < strlen(hex) / 2; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
	return strlen(hex) / 2;
}

static void
is_hex(const uint8_t *p, size_t n, const char *hex)
{
	uint8_t want[512];

	assert_int_equal(unhex(hex, want), n);
	assert_memory_equal(p, want, n);
}

/* The key pair of d, as OpenSSL holds it. */
static EVP_PKEY *
pair_of(const uint8_t d[32], const uint8_t point[64])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *bn = BN_bin2bn(d, 32, NULL);
	uint8_t encoded[65] = { 4 };
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	memcpy(encoded + 1, point, 64);
	OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0);
	OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, encoded, 65);
	OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, bn);
	params = OSSL_PARAM_BLD_to_param(bld);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_free(bn);
	return pkey;
}

static EVP_PKEY *
vector_pair(struct uk_pubkey **k)
{
	uint8_t d[32], point[64];

	unhex(VECTOR_D, d);
	unhex(VECTOR_P, point);
	assert_int_equal(uk_sm2_from_point(point, k, NULL), UK_OK);
	return pair_of(d, point);
}

static struct uk_pubkey *
public_of(EVP_PKEY *pkey)
{
	struct uk_pubkey *k = NULL;
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(pkey, &der);

	assert_true(n > 0);
	assert_int_equal(uk_pubkey_from_spki(uk_span(der, (size_t)n), &k, NULL), UK_OK);
	OPENSSL_free(der);
	return k;
}

/* What a token does with C1, C3 and C2. */
static size_t
open_cipher(EVP_PKEY *pkey, const struct uk_sm2_cipher *c, uint8_t *out, size_t room)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	struct uk_buf der;

	uk_buf_init(&der, 512);
	assert_int_equal(uk_sm2_cipher_put(c, &der), UK_OK);
	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	if (EVP_PKEY_decrypt(ctx, out, &room, der.p, der.n) != 1)
		room = 0;
	uk_buf_fini(&der);
	EVP_PKEY_CTX_free(ctx);
	return room;
}

/* --- vectors --- */

static void
signature_of_the_standard(void **state)
{
	const struct uk_span m = uk_span_str("message digest");
	struct uk_pubkey *k = NULL;
	EVP_PKEY *pair = vector_pair(&k);
	uint8_t z[UK_SM2_Z], sig[64], point[64];
	struct uk_buf e;

	(void)state;
	assert_int_equal(uk_pubkey_alg(k), UK_KEY_SM2);
	assert_int_equal(uk_sm2_z(k, z), UK_OK);
	is_hex(z, sizeof(z), VECTOR_Z);
	assert_int_equal(uk_sm2_point(k, point), UK_OK);
	is_hex(point, sizeof(point), VECTOR_P);
	uk_buf_init(&e, 32);
	assert_int_equal(uk_digest(k, m, &e), UK_OK);
	is_hex(e.p, e.n, VECTOR_E);
	unhex(VECTOR_SIGNATURE, sig);
	assert_int_equal(uk_verify_digest(k, uk_buf_span(&e), uk_span(sig, 64), NULL), UK_OK);
	assert_int_equal(uk_verify(k, m, uk_span(sig, 64), NULL), UK_OK);
	sig[63] ^= 1;
	assert_int_equal(uk_verify(k, m, uk_span(sig, 64), NULL), UK_E_INTEGRITY);
	uk_buf_fini(&e);
	uk_pubkey_free(&k);
	EVP_PKEY_free(pair);
}

static void
encryption_of_the_standard(void **state)
{
	struct uk_pubkey *k = NULL;
	EVP_PKEY *pair = vector_pair(&k);
	struct uk_sm2_cipher c = { .n = 19 };
	uint8_t plain[64];

	(void)state;
	unhex(VECTOR_C1, c.point);
	unhex(VECTOR_C3, c.hash);
	assert_int_equal(unhex(VECTOR_C2, c.text), c.n);
	assert_int_equal(open_cipher(pair, &c, plain, sizeof(plain)), 19);
	assert_memory_equal(plain, "encryption standard", 19);
	uk_pubkey_free(&k);
	EVP_PKEY_free(pair);
}

static void
sm3_of_the_standard(void **state)
{
	char long_text[65] = "";
	struct uk_sums s;

	(void)state;
	assert_int_equal(uk_sums_of(uk_span_str("abc"), NULL, &s), UK_OK);
	is_hex(s.sm3, 32, "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0");
	for (int i = 0; i < 16; i++)
		memcpy(long_text + 4 * i, "abcd", 4);
	assert_int_equal(uk_sums_of(uk_span(long_text, 64), NULL, &s), UK_OK);
	is_hex(s.sm3, 32, "DEBE9FF92275B8A138604889C18E5A4D6FDB70E5387E5765293DCBA39C0C5732");
}

static void
sm4_of_the_standard(void **state)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[16], text[16];
	int n;

	(void)state;
	unhex("0123456789ABCDEFFEDCBA9876543210", key);
	memcpy(text, key, 16);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_ecb(), NULL, key, NULL), 1);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	for (int i = 1; i <= 1000000; i++) {
		assert_int_equal(EVP_EncryptUpdate(ctx, text, &n, text, 16), 1);
		if (i == 1)
			is_hex(text, 16, "681EDF34D206965E86B3E94F536E4246");
	}
	is_hex(text, 16, "595298C7C6FD271F0402F804C33D3F66");
	EVP_CIPHER_CTX_free(ctx);
}

/* --- keys --- */

static void
points_off_the_curve(void **state)
{
	struct uk_pubkey *k = NULL, *rsa;
	EVP_PKEY *p256 = EVP_EC_gen("P-256");
	uint8_t point[64], z[32];
	struct uk_err err;

	(void)state;
	unhex(VECTOR_P, point);
	point[63] ^= 1;
	assert_int_equal(uk_sm2_from_point(point, &k, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "public-key-malformed");
	memset(point, 0, sizeof(point));
	assert_int_equal(uk_sm2_from_point(point, &k, &err), UK_E_INPUT);
	memset(point, 0xff, sizeof(point));
	assert_int_equal(uk_sm2_from_point(point, &k, &err), UK_E_INPUT);
	assert_null(k);
	rsa = public_of(p256);
	assert_int_equal(uk_sm2_z(rsa, z), UK_E_UNSUPPORTED);
	uk_pubkey_free(&rsa);
	EVP_PKEY_free(p256);
}

/* The same bytes as one piece, as many, and for another key. */
static void
data_in_pieces(void **state)
{
	struct uk_pubkey *k = NULL, *other;
	EVP_PKEY *pair = vector_pair(&k), *second = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	struct uk_digests *d = uk_digests_new(k), *plain = uk_digests_new(NULL);
	struct uk_sums s;

	(void)state;
	other = public_of(second);
	for (const char *p = "message digest"; *p != '\0'; p++) {
		assert_int_equal(uk_digests_put(d, uk_span(p, 1)), UK_OK);
		assert_int_equal(uk_digests_put(plain, uk_span(p, 1)), UK_OK);
	}
	assert_int_equal(uk_digests_end(d, &s), UK_OK);
	is_hex(uk_sums_signed(&s, k).p, 32, VECTOR_E);
	assert_int_equal(uk_sums_signed(&s, other).n, 0);
	assert_int_equal(uk_sums_plain(&s, UK_KEY_SM2).n, 32);
	assert_memory_equal(uk_sums_plain(&s, UK_KEY_SM2).p, s.sm3, 32);
	assert_int_equal(uk_sums_plain(&s, UK_KEY_P256).n, 32); /* windows show it */
	assert_int_equal(uk_sums_plain(&s, UK_KEY_P384).n, 0);
	assert_int_equal(uk_digests_end(plain, &s), UK_OK);
	assert_int_equal(uk_sums_signed(&s, k).n, 0);
	assert_int_equal(uk_sums_plain(&s, UK_KEY_P384).n, 48);
	assert_int_equal(uk_sums_plain(&s, UK_KEY_SM2).n, 32);
	assert_int_equal(uk_sums_plain(&s, UK_KEY_UNKNOWN).n, 0);
	uk_digests_free(&d);
	uk_digests_free(&plain);
	uk_pubkey_free(&k);
	uk_pubkey_free(&other);
	EVP_PKEY_free(pair);
	EVP_PKEY_free(second);
}

/* --- encryption and its forms --- */

static void
cipher_forms(void **state)
{
	struct uk_pubkey *k = NULL;
	EVP_PKEY *pair = vector_pair(&k);
	uint8_t plain[UK_SM2_TEXT_MAX], back[UK_SM2_TEXT_MAX];
	struct uk_sm2_cipher c, again;
	struct uk_buf der, blob;

	(void)state;
	memset(plain, 0x5a, sizeof(plain));
	for (size_t n = 1; n <= sizeof(plain); n += 51) {
		uk_buf_init(&der, 512);
		uk_buf_init(&blob, 512);
		assert_int_equal(uk_sm2_encrypt(k, uk_span(plain, n), &c, NULL), UK_OK);
		assert_int_equal(open_cipher(pair, &c, back, sizeof(back)), n);
		assert_memory_equal(back, plain, n);
		assert_int_equal(uk_sm2_cipher_put(&c, &der), UK_OK);
		assert_int_equal(uk_sm2_cipher_get(uk_buf_span(&der), &again, NULL), UK_OK);
		uk_sm2_cipher_put_blob(&again, &blob);
		assert_int_equal(blob.n, 164 + n);
		memset(&again, 0, sizeof(again));
		uk_buf_put(&blob, uk_span("\0\0\0", 3)); /* a module that rounds up */
		assert_int_equal(uk_sm2_cipher_get_blob(uk_buf_span(&blob), &again, NULL), UK_OK);
		assert_int_equal(again.n, n);
		assert_memory_equal(again.point, c.point, 64);
		assert_memory_equal(again.hash, c.hash, 32);
		assert_memory_equal(again.text, c.text, n);
		uk_buf_fini(&der);
		uk_buf_fini(&blob);
	}
	assert_int_equal(uk_sm2_encrypt(k, uk_span(NULL, 0), &c, NULL), UK_E_LIMIT);
	assert_int_equal(
	    uk_sm2_encrypt(k, uk_span(plain, UK_SM2_TEXT_MAX + 1), &c, NULL), UK_E_LIMIT);
	uk_pubkey_free(&k);
	EVP_PKEY_free(pair);
}

static void
ciphers_malformed(void **state)
{
	struct uk_pubkey *k = NULL;
	EVP_PKEY *pair = vector_pair(&k);
	struct uk_sm2_cipher c;
	struct uk_buf der, blob;
	struct uk_err err;

	(void)state;
	uk_buf_init(&der, 512);
	uk_buf_init(&blob, 512);
	assert_int_equal(uk_sm2_encrypt(k, uk_span("0123456789abcdef", 16), &c, NULL), UK_OK);
	assert_int_equal(uk_sm2_cipher_put(&c, &der), UK_OK);
	uk_sm2_cipher_put_blob(&c, &blob);
	for (size_t n = 0; n < der.n; n++)
		assert_int_equal(uk_sm2_cipher_get(uk_span(der.p, n), &c, &err), UK_E_INPUT);
	for (size_t n = 0; n < blob.n; n++)
		assert_int_equal(uk_sm2_cipher_get_blob(uk_span(blob.p, n), &c, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "cipher-malformed");
	uk_buf_put_u8(&der, 0);
	assert_int_equal(uk_sm2_cipher_get(uk_buf_span(&der), &c, &err), UK_E_INPUT);
	blob.p[0] = 1; /* a number of more than 256 bits */
	assert_int_equal(uk_sm2_cipher_get_blob(uk_buf_span(&blob), &c, &err), UK_E_INPUT);
	blob.p[0] = 0;
	memset(blob.p + 160, 0, 4); /* no text */
	assert_int_equal(uk_sm2_cipher_get_blob(uk_buf_span(&blob), &c, &err), UK_E_INPUT);
	memset(blob.p + 160, 0xff, 4); /* more than there is */
	assert_int_equal(uk_sm2_cipher_get_blob(uk_buf_span(&blob), &c, &err), UK_E_INPUT);
	uk_buf_fini(&der);
	uk_buf_fini(&blob);
	uk_pubkey_free(&k);
	EVP_PKEY_free(pair);
}

/* --- the key pair under envelope --- */

/* What a token does with it: the private key has to be that of the public one. */
static void
opens(EVP_PKEY *receiver, const struct uk_sm2_enveloped *e, const uint8_t d[32])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t kek[64], got[32];
	int n;

	assert_int_equal(open_cipher(receiver, &e->kek, kek, sizeof(kek)), 16);
	assert_int_equal(EVP_DecryptInit_ex(ctx, EVP_sm4_ecb(), NULL, kek, NULL), 1);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	assert_int_equal(EVP_DecryptUpdate(ctx, got, &n, e->private, 32), 1);
	assert_memory_equal(got, d, 32);
	EVP_CIPHER_CTX_free(ctx);
}

static void
envelope(EVP_PKEY *receiver, struct uk_sm2_enveloped *out, uint8_t d[32])
{
	struct uk_pubkey *to = public_of(receiver), *pair = NULL;
	EVP_PKEY *vector = vector_pair(&pair);
	struct uk_secret *private;

	unhex(VECTOR_D, d);
	private = uk_secret_new(uk_span(d, 32));
	assert_int_equal(uk_sm2_envelope(to, pair, private, &uk_random_system, out, NULL), UK_OK);
	uk_secret_free(&private);
	private = uk_secret_new(uk_span(d, 31));
	assert_int_equal(
	    uk_sm2_envelope(to, pair, private, &uk_random_system, out, NULL), UK_E_INPUT);
	uk_secret_free(&private);
	uk_pubkey_free(&to);
	uk_pubkey_free(&pair);
	EVP_PKEY_free(vector);
}

static void
enveloped_key_forms(void **state)
{
	EVP_PKEY *receiver = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	struct uk_sm2_enveloped e, again;
	struct uk_buf der, blob;
	uint8_t d[32];

	(void)state;
	uk_buf_init(&der, 512);
	envelope(receiver, &e, d);
	opens(receiver, &e, d);
	is_hex(e.point, 64, VECTOR_P);
	assert_int_equal(uk_sm2_enveloped_put(&e, &der), UK_OK);
	assert_int_equal(uk_sm2_enveloped_get(uk_buf_span(&der), &again, NULL), UK_OK);
	opens(receiver, &again, d);
	for (enum uk_sm2_field f = UK_SM2_FIELD_RIGHT; f < UK_SM2_FIELD__MAX; f++) {
		uk_buf_init(&blob, 512);
		uk_sm2_enveloped_put_blob(&e, f, &blob);
		assert_int_equal(blob.n, UK_SM2_ENVELOPED_BLOB);
		assert_memory_equal(blob.p + (f == UK_SM2_FIELD_LEFT ? 12 : 44), e.private, 32);
		memset(&again, 0, sizeof(again));
		assert_int_equal(
		    uk_sm2_enveloped_get_blob(uk_buf_span(&blob), &again, NULL), UK_OK);
		is_hex(again.point, 64, VECTOR_P);
		opens(receiver, &again, d);
		uk_buf_fini(&blob);
	}
	uk_buf_fini(&der);
	EVP_PKEY_free(receiver);
}

static void
enveloped_keys_malformed(void **state)
{
	static const uint8_t sm4_ecb[] = { 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x68,
		0x01 };
	EVP_PKEY *receiver = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	struct uk_sm2_enveloped e;
	struct uk_buf der, blob;
	struct uk_err err;
	uint8_t d[32], *oid;

	(void)state;
	uk_buf_init(&der, 512);
	uk_buf_init(&blob, 512);
	envelope(receiver, &e, d);
	assert_int_equal(uk_sm2_enveloped_put(&e, &der), UK_OK);
	uk_sm2_enveloped_put_blob(&e, UK_SM2_FIELD_RIGHT, &blob);
	for (size_t n = 0; n < der.n; n++)
		assert_int_equal(uk_sm2_enveloped_get(uk_span(der.p, n), &e, &err), UK_E_INPUT);
	for (size_t n = 0; n < blob.n; n++)
		assert_int_equal(
		    uk_sm2_enveloped_get_blob(uk_span(blob.p, n), &e, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "envelope-malformed");
	oid = memmem(der.p, der.n, sm4_ecb, sizeof(sm4_ecb));
	assert_non_null(oid);
	oid[sizeof(sm4_ecb) - 1] = 2; /* sm4-cbc */
	assert_int_equal(uk_sm2_enveloped_get(uk_buf_span(&der), &e, &err), UK_E_UNSUPPORTED);
	blob.p[4] = 2; /* SGD_SM4_CBC */
	assert_int_equal(uk_sm2_enveloped_get_blob(uk_buf_span(&blob), &e, &err), UK_E_UNSUPPORTED);
	blob.p[0] = 2;
	assert_int_equal(uk_sm2_enveloped_get_blob(uk_buf_span(&blob), &e, &err), UK_E_INPUT);
	uk_buf_fini(&der);
	uk_buf_fini(&blob);
	EVP_PKEY_free(receiver);
}

/* --- certificates --- */

static X509 *
issue(EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer, const char *id)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	X509_EXTENSION *ext =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const uint8_t *)(issuer == NULL ? "ca" : "leaf"), -1, -1, 0);
	X509_set_issuer_name(x, issuer == NULL ? name : X509_get_subject_name(issuer));
	ASN1_TIME_set(X509_getm_notBefore(x), NOW);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW + 86400);
	X509_set_pubkey(x, key);
	if (issuer == NULL)
		X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, EVP_sm3(), NULL, signer), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_id(pctx, id, (int)strlen(id)), 1);
	assert_true(X509_sign_ctx(x, ctx) > 0);
	EVP_MD_CTX_free(ctx);
	return x;
}

static struct uk_cert *
parsed(X509 *x)
{
	struct uk_cert *c = NULL;
	unsigned char *der = NULL;
	const int n = i2d_X509(x, &der);

	assert_int_equal(uk_cert_parse(uk_span(der, (size_t)n), &c, NULL), UK_OK);
	OPENSSL_free(der);
	return c;
}

static void
certificates_by_the_default_identifier(void **state)
{
	EVP_PKEY *ca_key = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	X509 *ca = issue(ca_key, NULL, ca_key, UK_SM2_ID);
	X509 *leaf = issue(key, ca, ca_key, UK_SM2_ID), *odd = issue(key, ca, ca_key, "alice");
	struct uk_cert *c = parsed(ca), *l = parsed(leaf), *o = parsed(odd);

	(void)state;
	assert_int_equal(uk_cert_alg(l), UK_KEY_SM2);
	assert_string_equal(uk_keyalg_signature(uk_cert_alg(l)), "SM2-SM3");
	assert_true(uk_pubkey_sound(uk_cert_pubkey(l)));
	assert_int_equal(uk_cert_verify(c, c, NULL), UK_OK);
	assert_int_equal(uk_cert_verify(l, c, NULL), UK_OK);
	assert_int_equal(uk_cert_verify(o, c, NULL), UK_E_INTEGRITY);
	uk_cert_free(&c);
	uk_cert_free(&l);
	uk_cert_free(&o);
	X509_free(ca);
	X509_free(leaf);
	X509_free(odd);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_of_the_standard),
		cmocka_unit_test(encryption_of_the_standard),
		cmocka_unit_test(sm3_of_the_standard),
		cmocka_unit_test(sm4_of_the_standard),
		cmocka_unit_test(points_off_the_curve),
		cmocka_unit_test(data_in_pieces),
		cmocka_unit_test(cipher_forms),
		cmocka_unit_test(ciphers_malformed),
		cmocka_unit_test(enveloped_key_forms),
		cmocka_unit_test(enveloped_keys_malformed),
		cmocka_unit_test(certificates_by_the_default_identifier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
