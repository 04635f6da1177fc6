/* Envelopes as OpenSSL makes them, and SM2's by hand in both arcs, opened with a key elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "daemon_sm2.h"
#include "protocol/enveloped.h"

#define TEXT "给加密证书的一段文字\n"

struct key {
	EVP_PKEY *pkey;
	X509 *x509;
	struct uk_cert *cert;
};

static struct key
make(const char *what, int serial)
{
	struct key k = { .x509 = X509_new() };
	unsigned char *der = NULL;
	X509_EXTENSION *ski;
	X509V3_CTX ctx;
	int n;

	if (strcmp(what, "rsa") == 0)
		k.pkey = EVP_RSA_gen(2048);
	else
		k.pkey =
		    EVP_PKEY_Q_keygen(NULL, NULL, strcmp(what, "SM2") == 0 ? "SM2" : "EC", what);
	X509_set_version(k.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(k.x509), serial);
	X509_gmtime_adj(X509_getm_notBefore(k.x509), -60);
	X509_gmtime_adj(X509_getm_notAfter(k.x509), 3600);
	X509_NAME_add_entry_by_NID(X509_get_subject_name(k.x509), NID_commonName, MBSTRING_UTF8,
	    (const unsigned char *)"加密", -1, -1, 0);
	X509_set_issuer_name(k.x509, X509_get_subject_name(k.x509));
	X509_set_pubkey(k.x509, k.pkey);
	X509V3_set_ctx(&ctx, NULL, k.x509, NULL, NULL, 0);
	ski = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	X509_add_ext(k.x509, ski, -1);
	X509_EXTENSION_free(ski);
	assert_true(
	    X509_sign(k.x509, k.pkey, strcmp(what, "SM2") == 0 ? EVP_sm3() : EVP_sha256()) > 0);
	n = i2d_X509(k.x509, &der);
	assert_int_equal(uk_cert_parse(uk_span(der, (size_t)n), &k.cert, NULL), UK_OK);
	OPENSSL_free(der);
	return k;
}

static void
drop(struct key *k)
{
	EVP_PKEY_free(k->pkey);
	X509_free(k->x509);
	uk_cert_free(&k->cert);
}

/* --- what a token does --- */

static size_t
token_agrees(const struct key *k, struct uk_span point, uint8_t *out, size_t room)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	EVP_PKEY *peer = EVP_PKEY_new();

	assert_int_equal(EVP_PKEY_copy_parameters(peer, k->pkey), 1);
	assert_int_equal(EVP_PKEY_set1_encoded_public_key(peer, point.p, point.n), 1);
	assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, out, &room), 1);
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(ctx);
	return room;
}

/* The content by the key in it; 0: it does not decrypt. */
static size_t
token_unseals(const struct enveloped *e, const uint8_t key[16], uint8_t *out, size_t room)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const struct uk_span content = enveloped_content(e), iv = enveloped_iv(e);
	int a = 0, b = 0;
	bool ok;

	assert_int_equal(iv.n, 16);
	assert_true(content.n <= room);
	assert_int_equal(EVP_DecryptInit_ex(ctx, EVP_sm4_cbc(), NULL, key, iv.p), 1);
	ok = EVP_DecryptUpdate(ctx, out, &a, content.p, (int)content.n) == 1 &&
	     EVP_DecryptFinal_ex(ctx, out + a, &b) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? (size_t)(a + b) : 0;
}

/* 0: it does not decrypt. */
static size_t
token_decrypts(const struct key *k, const struct enveloped *e, uint8_t *out, size_t room)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	const struct uk_span data = enveloped_data(e);
	const enum token_scheme scheme = enveloped_scheme(e);
	const bool sha256 = scheme == TOKEN_RSA_OAEP_SHA256;
	const size_t all = room;

	if (scheme == TOKEN_ECDH) {
		EVP_PKEY_CTX_free(ctx);
		return token_agrees(k, data, out, room);
	}
	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	if (scheme == TOKEN_RSA_PKCS1)
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	if (scheme == TOKEN_RSA_OAEP_SHA1 || sha256) {
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING);
		EVP_PKEY_CTX_set_rsa_oaep_md(ctx, sha256 ? EVP_sha256() : EVP_sha1());
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, sha256 ? EVP_sha256() : EVP_sha1());
	}
	if (EVP_PKEY_decrypt(ctx, out, &room, data.p, data.n) != 1)
		room = 0;
	EVP_PKEY_CTX_free(ctx);
	if (scheme == TOKEN_SM2_SM4_CBC && room != 0) {
		uint8_t key[16];

		assert_int_equal(room, sizeof(key));
		memcpy(key, out, sizeof(key));
		return token_unseals(e, key, out, all);
	}
	return room;
}

/* The whole way; what the daemon does, too. */
static enum uk_rc
open_all(const struct key *k, struct uk_span der, struct uk_buf *out, struct uk_err *err)
{
	struct enveloped *e = NULL;
	enum uk_rc rc = enveloped_read(der, k->cert, &e, err);
	char type[ENVELOPED_TYPE_MAX];
	uint8_t secret[512];
	struct uk_span got;

	if (rc != UK_OK) {
		assert_null(e);
		return rc;
	}
	got = uk_span(secret, token_decrypts(k, e, secret, sizeof(secret)));
	rc = enveloped_open(e, got.n > 0 ? &got : NULL, &uk_random_system, out, type, err);
	if (rc == UK_OK)
		assert_true(strcmp(type, "1.2.840.113549.1.7.1") == 0 ||
			    strcmp(type, "1.2.156.10197.6.1.4.2.1") == 0);
	enveloped_free(&e);
	return rc;
}

static void
opens(const struct key *k, struct uk_span der)
{
	struct uk_buf out;
	struct uk_err err = { 0 };
	enum uk_rc rc;

	uk_buf_init(&out, 4096);
	rc = open_all(k, der, &out, &err);
	if (rc != UK_OK)
		fail_msg("%s at %s", uk_err_reason(&err), err.where);
	assert_true(uk_span_eq(uk_buf_span(&out), uk_span_str(TEXT)));
	uk_buf_fini(&out);
}

/* --- OpenSSL's --- */

struct form {
	const char *key;
	int cipher;
	unsigned flags;
	const EVP_MD *(*oaep)(void); /* NULL: PKCS#1 v1.5 */
};

static const struct form forms[] = {
	{ "rsa", NID_aes_128_cbc, 0, NULL },
	{ "rsa", NID_aes_192_cbc, CMS_USE_KEYID, NULL },
	{ "rsa", NID_aes_256_cbc, 0, EVP_sha1 },
	{ "rsa", NID_aes_256_cbc, 0, EVP_sha256 },
	{ "rsa", NID_aes_128_gcm, 0, EVP_sha256 },
	{ "rsa", NID_aes_192_gcm, CMS_USE_KEYID, NULL },
	{ "rsa", NID_aes_256_gcm, 0, NULL },
	{ "P-256", NID_aes_256_cbc, 0, NULL },
	{ "P-256", NID_aes_128_gcm, CMS_USE_KEYID, NULL },
	{ "P-384", NID_aes_256_gcm, 0, NULL },
};

static void
set_oaep(CMS_RecipientInfo *ri, const EVP_MD *md)
{
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);

	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md), 1);
}

/* For another first, then for k. */
static void
envelope(const struct key *k, const struct key *other, const struct form *f, bool ber,
    struct uk_buf *out)
{
	BIO *in = BIO_new_mem_buf(TEXT, -1), *bio = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms =
	    CMS_encrypt(NULL, NULL, EVP_get_cipherbynid(f->cipher), CMS_BINARY | CMS_PARTIAL);
	CMS_RecipientInfo *ri;
	char *p;
	long n;

	assert_non_null(cms);
	assert_non_null(CMS_add1_recipient_cert(cms, other->x509, f->flags));
	ri = CMS_add1_recipient_cert(cms, k->x509, f->flags | CMS_KEY_PARAM);
	assert_non_null(ri);
	if (f->oaep != NULL)
		set_oaep(ri, f->oaep());
	if (ber) {
		assert_int_equal(i2d_CMS_bio_stream(bio, cms, in, CMS_BINARY | CMS_STREAM), 1);
	} else {
		assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
		assert_int_equal(i2d_CMS_bio(bio, cms), 1);
	}
	n = BIO_get_mem_data(bio, &p);
	uk_buf_put(out, uk_span(p, (size_t)n));
	BIO_free(in);
	BIO_free(bio);
	CMS_ContentInfo_free(cms);
}

static void
openssl_envelopes(void **state)
{
	struct key other = make("rsa", 1);

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct key k = make(forms[i].key, 2);
		struct uk_buf der;

		uk_buf_init(&der, 65536);
		envelope(&k, &other, &forms[i], false, &der);
		opens(&k, uk_buf_span(&der));
		uk_buf_reset(&der);
		/* OpenSSL can't stream AuthEnvelopedData, whose tag comes last */
		if (i < 4) {
			envelope(&k, &other, &forms[i], true, &der);
			opens(&k, uk_buf_span(&der));
		}
		uk_buf_fini(&der);
		drop(&k);
	}
	drop(&other);
}

/* --- SM2's --- */

static void
sm2_envelopes(void **state)
{
	struct key k = make("SM2", 2);
	struct uk_buf der;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		const struct sm2_form f = { (i & 1) != 0, (i & 2) != 0, (i & 4) != 0 };

		uk_buf_init(&der, 4096);
		sm2_envelope(uk_cert_der(k.cert), &f, TEXT, &der);
		opens(&k, uk_buf_span(&der));
		uk_buf_fini(&der);
	}
	drop(&k);
}

/* --- refusals --- */

static void
refused(const struct key *k, struct uk_span der, enum uk_rc rc, const char *reason)
{
	struct uk_err err = { 0 };
	struct uk_buf out;

	uk_buf_init(&out, 65536);
	assert_int_equal(open_all(k, der, &out, &err), rc);
	assert_string_equal(uk_err_reason(&err), reason);
	assert_int_equal(out.n, 0);
	uk_buf_fini(&out);
}

/* Another's envelope; another key that has the same name and number; another algorithm's. */
static void
for_others(void **state)
{
	const struct sm2_form f = { .gm = true };
	const struct form gcm = { "rsa", NID_aes_128_gcm, 0, NULL };
	const struct form des = { "rsa", NID_des_ede3_cbc, 0, NULL };
	struct key k = make("SM2", 2), other = make("SM2", 3);
	struct key rsa = make("rsa", 2), twin = make("rsa", 2), third = make("rsa", 1);
	struct uk_buf der;

	(void)state;
	uk_buf_init(&der, 65536);
	sm2_envelope(uk_cert_der(k.cert), &f, TEXT, &der);
	refused(&other, uk_buf_span(&der), UK_E_CONFLICT, "envelope-for-others");
	refused(&rsa, uk_buf_span(&der), UK_E_UNSUPPORTED, "algorithm-unsupported");
	uk_buf_reset(&der);
	envelope(&rsa, &third, &gcm, false, &der);
	refused(&twin, uk_buf_span(&der), UK_E_INTEGRITY, "envelope-broken");
	uk_buf_reset(&der);
	envelope(&rsa, &third, &des, false, &der);
	refused(&rsa, uk_buf_span(&der), UK_E_UNSUPPORTED, "algorithm-unsupported");
	uk_buf_fini(&der);
	drop(&k);
	drop(&other);
	drop(&rsa);
	drop(&twin);
	drop(&third);
}

/* No cut and no flipped bit crashes it, and what is authenticated is not opened changed. */
static void
malformed(void **state)
{
	const struct form gcm = { "rsa", NID_aes_128_gcm, 0, NULL };
	struct key k = make("rsa", 2), other = make("rsa", 1);
	struct uk_buf der, out;
	struct uk_err err;

	(void)state;
	uk_buf_init(&der, 65536);
	uk_buf_init(&out, 65536);
	envelope(&k, &other, &gcm, false, &der);
	for (size_t n = 0; n < der.n; n++)
		refused(&k, uk_span(der.p, n), UK_E_INPUT, "envelope-malformed");
	for (size_t i = der.n - 80; i < der.n; i++) {
		der.p[i] ^= 0x10;
		assert_int_not_equal(open_all(&k, uk_buf_span(&der), &out, &err), UK_OK);
		der.p[i] ^= 0x10;
	}
	opens(&k, uk_buf_span(&der));
	uk_buf_put_u8(&der, 0);
	refused(&k, uk_buf_span(&der), UK_E_INPUT, "envelope-malformed");
	uk_buf_fini(&der);
	uk_buf_fini(&out);
	drop(&k);
	drop(&other);
}

/* A wrong padding and a wrong key give the same answer (RFC 3218). */
static void
padding_tells_nothing(void **state)
{
	const struct form gcm = { "rsa", NID_aes_128_gcm, 0, NULL };
	struct key k = make("rsa", 2), other = make("rsa", 1);
	char type[ENVELOPED_TYPE_MAX];
	const struct uk_span wrong[] = { uk_span("0123456789abcdef", 16), uk_span("short", 5),
		uk_span("0123456789abcdef0123456789abcdef0123456789abcdef", 48) };
	struct enveloped *e = NULL;
	struct uk_buf der, out;
	struct uk_err err;

	(void)state;
	uk_buf_init(&der, 65536);
	uk_buf_init(&out, 65536);
	envelope(&k, &other, &gcm, false, &der);
	assert_int_equal(enveloped_read(uk_buf_span(&der), k.cert, &e, &err), UK_OK);
	assert_int_equal(enveloped_scheme(e), TOKEN_RSA_PKCS1);
	for (size_t i = 0; i <= 3; i++) {
		assert_int_equal(enveloped_open(e, i < 3 ? &wrong[i] : NULL, &uk_random_system,
				     &out, type, &err),
		    UK_E_INTEGRITY);
		assert_string_equal(uk_err_reason(&err), "envelope-broken");
		assert_int_equal(out.n, 0);
		uk_buf_reset(&out);
	}
	enveloped_free(&e);
	uk_buf_fini(&der);
	uk_buf_fini(&out);
	drop(&k);
	drop(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_envelopes),
		cmocka_unit_test(sm2_envelopes),
		cmocka_unit_test(for_others),
		cmocka_unit_test(malformed),
		cmocka_unit_test(padding_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
