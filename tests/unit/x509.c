/* Public keys and certificates, on ones made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "uk/b64.h"
#include "uk/sm2.h"
#include "uk/x509.h"

#define NOW 1795329000

struct kind {
	enum uk_keyalg alg;
	const char *name;
	const char *signature;
	size_t digest, sig_max;
	bool ec;
};

static const struct kind kinds[] = {
	{ UK_KEY_RSA_2048, "rsa-2048", "RS256", 32, 256, false },
	{ UK_KEY_RSA_3072, "rsa-3072", "RS256", 32, 384, false },
	{ UK_KEY_RSA_4096, "rsa-4096", "RS256", 32, 512, false },
	{ UK_KEY_P256, "p-256", "ES256", 32, 64, true },
	{ UK_KEY_P384, "p-384", "ES384", 48, 96, true },
	{ UK_KEY_SM2, "sm2", "SM2-SM3", 32, 64, true },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static EVP_PKEY *
make_key(enum uk_keyalg a)
{
	switch (a) {
	case UK_KEY_RSA_2048:
		return EVP_RSA_gen(2048);
	case UK_KEY_RSA_3072:
		return EVP_RSA_gen(3072);
	case UK_KEY_RSA_4096:
		return EVP_RSA_gen(4096);
	case UK_KEY_P384:
		return EVP_EC_gen("P-384");
	case UK_KEY_SM2:
		return EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	case UK_KEY_P256:
	case UK_KEY_UNKNOWN:
	case UK_KEY__MAX:
		break;
	}
	return EVP_EC_gen("P-256");
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

static void
key_algorithms(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct kind *k = &kinds[i];

		assert_string_equal(uk_keyalg_name(k->alg), k->name);
		assert_int_equal(uk_keyalg_from_name(k->name), k->alg);
		assert_string_equal(uk_keyalg_signature(k->alg), k->signature);
		assert_int_equal(uk_keyalg_digest_len(k->alg), k->digest);
		assert_int_equal(uk_keyalg_sig_max(k->alg), k->sig_max);
		assert_int_equal(uk_keyalg_is_ec(k->alg), k->ec);
	}
	assert_int_equal(uk_keyalg_from_name("rsa-1024"), UK_KEY_UNKNOWN);
	assert_int_equal(uk_keyalg_from_name("unknown"), UK_KEY_UNKNOWN);
	assert_string_equal(uk_keyalg_name(UK_KEY__MAX), "unknown");
	assert_int_equal(uk_keyalg_sig_max(UK_KEY_UNKNOWN), 0);
}

static const EVP_MD *
md_of(enum uk_keyalg a)
{
	if (a == UK_KEY_SM2)
		return EVP_sm3();
	return a == UK_KEY_P384 ? EVP_sha384() : EVP_sha256();
}

/* A signature over data as OpenSSL makes it, put into our raw form. */
static void
sign(EVP_PKEY *pkey, const struct kind *k, struct uk_span data, struct uk_buf *raw)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t sig[512];
	size_t n = sizeof(sig);

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md_of(k->alg), NULL, pkey), 1);
	if (k->alg == UK_KEY_SM2)
		assert_int_equal(EVP_PKEY_CTX_set1_id(pctx, UK_SM2_ID, sizeof(UK_SM2_ID) - 1), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, data.p, data.n), 1);
	EVP_MD_CTX_free(ctx);
	if (k->ec)
		assert_int_equal(uk_ecdsa_from_der(uk_span(sig, n), k->alg, raw), UK_OK);
	else
		uk_buf_put(raw, uk_span(sig, n));
}

static void
signatures_hold_or_not(void **state)
{
	const struct uk_span data = uk_span_str("what is signed");

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		EVP_PKEY *pkey = make_key(kinds[i].alg);
		struct uk_pubkey *k = public_of(pkey);
		struct uk_err err = { 0 };
		struct uk_buf sig;

		assert_int_equal(uk_pubkey_alg(k), kinds[i].alg);
		assert_true(uk_pubkey_sound(k));
		uk_buf_init(&sig, 512);
		sign(pkey, &kinds[i], data, &sig);
		assert_int_equal(sig.n, kinds[i].sig_max);
		assert_int_equal(uk_verify(k, data, uk_buf_span(&sig), &err), UK_OK);
		assert_int_equal(
		    uk_verify(k, uk_span_str("other"), uk_buf_span(&sig), &err), UK_E_INTEGRITY);
		assert_string_equal(uk_err_reason(&err), "signature-wrong");
		assert_int_equal(
		    uk_verify(k, data, uk_span(sig.p, sig.n - 1), &err), UK_E_INTEGRITY);
		assert_int_equal(uk_verify(k, data, uk_span(NULL, 0), &err), UK_E_INTEGRITY);
		sig.p[sig.n / 2] ^= 1;
		assert_int_equal(uk_verify(k, data, uk_buf_span(&sig), &err), UK_E_INTEGRITY);
		memset(sig.p, 0, sig.n);
		assert_int_equal(uk_verify(k, data, uk_buf_span(&sig), &err), UK_E_INTEGRITY);
		uk_buf_fini(&sig);
		uk_pubkey_free(&k);
		assert_null(k);
		EVP_PKEY_free(pkey);
	}
}

static void
keys_of_no_use(void **state)
{
	EVP_PKEY *keys[] = { EVP_EC_gen("secp256k1"), EVP_EC_gen("P-521"), EVP_RSA_gen(1024),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct uk_pubkey *k = public_of(keys[i]);

		assert_int_equal(uk_pubkey_alg(k), UK_KEY_UNKNOWN);
		assert_int_equal(
		    uk_verify(k, uk_span("d", 1), uk_span("s", 1), NULL), UK_E_UNSUPPORTED);
		uk_pubkey_free(&k);
		EVP_PKEY_free(keys[i]);
	}
}

static void
key_malformed_at_every_cut(void **state)
{
	EVP_PKEY *pkey = make_key(UK_KEY_P256);
	unsigned char *der = NULL;
	const size_t n = (size_t)i2d_PUBKEY(pkey, &der);
	struct uk_pubkey *k = NULL;
	struct uk_err err = { 0 };
	struct uk_buf b;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(uk_pubkey_from_spki(uk_span(der, i), &k, &err), UK_E_INPUT);
		assert_string_equal(uk_err_reason(&err), "public-key-malformed");
	}
	uk_buf_init(&b, 4096);
	uk_buf_put(&b, uk_span(der, n));
	uk_buf_put_u8(&b, 0);
	assert_int_equal(uk_pubkey_from_spki(uk_buf_span(&b), &k, &err), UK_E_INPUT);
	assert_non_null(uk_buf_room(&b, 3000));
	memset(b.p, 0x30, 3000);
	assert_int_equal(uk_pubkey_from_spki(uk_span(b.p, 3000), &k, &err), UK_E_INPUT);
	der[40] ^= 1; /* off the curve */
	assert_int_equal(uk_pubkey_from_spki(uk_span(der, n), &k, &err), UK_E_INPUT);
	uk_buf_fini(&b);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

static void
key_there_and_back(void **state)
{
	EVP_PKEY *pkey = make_key(UK_KEY_P384);
	struct uk_pubkey *k = public_of(pkey);
	unsigned char *der = NULL;
	const size_t n = (size_t)i2d_PUBKEY(pkey, &der);
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, n);
	assert_int_equal(uk_pubkey_spki(k, &b), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_span(der, n)));
	assert_int_equal(uk_pubkey_spki(k, &b), UK_E_LIMIT);
	uk_buf_fini(&b);
	OPENSSL_free(der);
	uk_pubkey_free(&k);
	EVP_PKEY_free(pkey);
}

/* e = 3: a key that no CA may certify. */
static void
unsound_keys(void **state)
{
	BIGNUM *e = BN_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;
	struct uk_pubkey *k;

	(void)state;
	assert_int_equal(BN_set_word(e, 3), 1);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
	k = public_of(pkey);
	assert_int_equal(uk_pubkey_alg(k), UK_KEY_RSA_2048);
	assert_false(uk_pubkey_sound(k));
	uk_pubkey_free(&k);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	BN_free(e);
}

static void
digests(void **state)
{
	EVP_PKEY *evp[] = { EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_EC_gen("P-521") };
	struct uk_pubkey *p256 = public_of(evp[0]), *p384 = public_of(evp[1]);
	struct uk_pubkey *other = public_of(evp[2]);
	struct uk_buf b;
	uint8_t sum[32];

	(void)state;
	uk_buf_init(&b, 48);
	assert_int_equal(uk_digest(p256, uk_span_str("abc"), &b), UK_OK);
	uk_sha256(uk_span_str("abc"), sum); /* FIPS 180-4's example begins ba7816bf */
	assert_int_equal(sum[0], 0xba);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_span(sum, 32)));
	assert_int_equal(uk_digest(p384, uk_span_str("abc"), &b), UK_E_LIMIT);
	uk_buf_reset(&b);
	assert_int_equal(uk_digest(p384, uk_span_str("abc"), &b), UK_OK);
	assert_int_equal(b.n, 48);
	assert_int_equal(b.p[0], 0xcb);
	assert_int_equal(uk_digest(other, uk_span_str("abc"), &b), UK_E_UNSUPPORTED);
	uk_buf_fini(&b);
	uk_pubkey_free(&p256);
	uk_pubkey_free(&p384);
	uk_pubkey_free(&other);
	for (size_t i = 0; i < 3; i++)
		EVP_PKEY_free(evp[i]);
}

static void
ecdsa_forms(void **state)
{
	/* r = 1, s = 0x80: one needs padding, the other a sign byte */
	static const uint8_t der[] = { 0x30, 0x07, 0x02, 0x01, 0x01, 0x02, 0x02, 0x00, 0x80 };
	static const uint8_t negative[] = { 0x30, 0x06, 0x02, 0x01, 0xff, 0x02, 0x01, 0x01 };
	static const uint8_t padded[] = { 0x30, 0x07, 0x02, 0x02, 0x00, 0x01, 0x02, 0x01, 0x01 };
	uint8_t raw[64] = { 0 };
	struct uk_buf b;

	(void)state;
	raw[31] = 1;
	raw[63] = 0x80;
	uk_buf_init(&b, 64);
	assert_int_equal(uk_ecdsa_from_der(uk_span(der, sizeof(der)), UK_KEY_P256, &b), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_span(raw, 64)));
	uk_buf_reset(&b);
	assert_int_equal(uk_ecdsa_to_der(uk_span(raw, 64), &b), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_span(der, sizeof(der))));
	uk_buf_reset(&b);
	assert_int_equal(
	    uk_ecdsa_from_der(uk_span(negative, sizeof(negative)), UK_KEY_P256, &b), UK_E_INPUT);
	assert_int_equal(
	    uk_ecdsa_from_der(uk_span(padded, sizeof(padded)), UK_KEY_P256, &b), UK_E_INPUT);
	assert_int_equal(
	    uk_ecdsa_from_der(uk_span(der, sizeof(der) - 1), UK_KEY_P256, &b), UK_E_INPUT);
	assert_int_equal(
	    uk_ecdsa_from_der(uk_span(der, sizeof(der)), UK_KEY_RSA_2048, &b), UK_E_INPUT);
	assert_int_equal(uk_ecdsa_from_der(uk_span(NULL, 0), UK_KEY_P256, &b), UK_E_INPUT);
	assert_int_equal(uk_ecdsa_to_der(uk_span(raw, 63), &b), UK_E_INPUT);
	assert_int_equal(uk_ecdsa_to_der(uk_span(raw, 0), &b), UK_E_INPUT);
	/* r and s of P-384 do not fit P-256 */
	assert_int_equal(b.n, 0);
	memset(raw, 0xff, sizeof(raw));
	uk_buf_fini(&b);
	uk_buf_init(&b, 256);
	assert_int_equal(uk_ecdsa_to_der(uk_span((uint8_t[96]){ 1 }, 96), &b), UK_OK);
	{
		struct uk_buf out;

		uk_buf_init(&out, 96);
		assert_int_equal(uk_ecdsa_from_der(uk_buf_span(&b), UK_KEY_P256, &out), UK_E_INPUT);
		assert_int_equal(uk_ecdsa_from_der(uk_buf_span(&b), UK_KEY_P384, &out), UK_OK);
		uk_buf_fini(&out);
	}
	uk_buf_fini(&b);
}

/* --- certificates ---------------------------------------------------------------------------- */

struct making {
	EVP_PKEY *key, *signer;
	X509 *issuer; /* NULL: itself */
	const char *cn;
	int cn_type; /* 0: UTF-8 */
	int cn_len;  /* 0: strlen */
	const char *usage;
	const char *constraints;
	long serial;
};

static void
extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static X509 *
make(const struct making *m)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), m->serial), 1);
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC, (const uint8_t *)"CN", -1, -1, 0),
	    1);
	if (m->cn != NULL)
		assert_int_equal(
		    X509_NAME_add_entry_by_NID(name, NID_commonName,
			m->cn_type != 0 ? m->cn_type : MBSTRING_UTF8, (const uint8_t *)m->cn,
			m->cn_len != 0 ? m->cn_len : -1, -1, 0),
		    1);
	assert_int_equal(
	    X509_set_issuer_name(x, m->issuer != NULL ? X509_get_subject_name(m->issuer) : name),
	    1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), NOW));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), NOW + 86400));
	assert_int_equal(X509_set_pubkey(x, m->key), 1);
	if (m->constraints != NULL)
		extension(x, NID_basic_constraints, m->constraints);
	if (m->usage != NULL)
		extension(x, NID_key_usage, m->usage);
	assert_true(X509_sign(x, m->signer != NULL ? m->signer : m->key, EVP_sha256()) > 0);
	return x;
}

static void
der_of(X509 *x, struct uk_buf *out)
{
	unsigned char *der = NULL;
	const int n = i2d_X509(x, &der);

	assert_true(n > 0);
	uk_buf_init(out, 2 * UK_CERT_MAX);
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
}

static struct uk_cert *
parsed(X509 *x)
{
	struct uk_cert *c = NULL;
	struct uk_buf der;

	der_of(x, &der);
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &c, NULL), UK_OK);
	assert_true(uk_span_eq(uk_cert_der(c), uk_buf_span(&der)));
	uk_buf_fini(&der);
	return c;
}

static void
certificate_says(void **state)
{
	EVP_PKEY *key = make_key(UK_KEY_P256);
	X509 *x = make(&(struct making){ .key = key,
	    .cn = "\xe5\xbc\xa0\xe4\xb8\x89, \xe7\xa4\xba\xe8\x8c\x83",
	    .usage = "critical,digitalSignature",
	    .serial = 0xab12 });
	struct uk_cert *c = parsed(x);
	uint8_t sum[32];
	struct uk_buf hex;

	(void)state;
	assert_string_equal(
	    uk_cert_common_name(c), "\xe5\xbc\xa0\xe4\xb8\x89, \xe7\xa4\xba\xe8\x8c\x83");
	assert_string_equal(
	    uk_cert_subject(c), "CN=\xe5\xbc\xa0\xe4\xb8\x89\\, \xe7\xa4\xba\xe8\x8c\x83,C=CN");
	assert_string_equal(uk_cert_issuer(c), uk_cert_subject(c));
	assert_string_equal(uk_cert_serial(c), "ab12");
	assert_int_equal(uk_cert_not_before(c), NOW);
	assert_int_equal(uk_cert_not_after(c), NOW + 86400);
	assert_int_equal(uk_cert_alg(c), UK_KEY_P256);
	assert_true(uk_cert_may_sign(c));
	assert_false(uk_cert_may_encrypt(c));
	assert_false(uk_cert_is_ca(c));
	uk_sha256(uk_cert_der(c), sum);
	uk_buf_init(&hex, 64);
	uk_hex_put(&hex, uk_span(sum, sizeof(sum)));
	assert_string_equal(uk_cert_fingerprint(c), uk_buf_str(&hex));
	uk_buf_fini(&hex);
	uk_cert_free(&c);
	assert_null(c);
	uk_cert_free(&c);
	X509_free(x);
	EVP_PKEY_free(key);
}

struct usage_row {
	const char *usage;
	bool sign, encrypt, end_entity;
};

static void
certificate_usage(void **state)
{
	static const struct usage_row rows[] = {
		{ NULL, true, true, false },
		{ "digitalSignature", true, false, true },
		{ "nonRepudiation", true, false, true },
		{ "keyEncipherment", false, true, true },
		{ "dataEncipherment", false, true, true },
		{ "keyAgreement", false, true, true },
		{ "keyCertSign", false, false, false },
		{ "digitalSignature,cRLSign", true, false, false },
	};
	EVP_PKEY *key = make_key(UK_KEY_P256);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		X509 *x = make(
		    &(struct making){ .key = key, .cn = "u", .usage = rows[i].usage, .serial = 1 });
		struct uk_cert *c = parsed(x);

		assert_int_equal(uk_cert_may_sign(c), rows[i].sign);
		assert_int_equal(uk_cert_may_encrypt(c), rows[i].encrypt);
		assert_int_equal(uk_cert_is_end_entity(c), rows[i].end_entity);
		uk_cert_free(&c);
		X509_free(x);
	}
	EVP_PKEY_free(key);
}

static void
certificate_names_at_the_edge(void **state)
{
	EVP_PKEY *key = make_key(UK_KEY_P256);
	X509 *none = make(&(struct making){ .key = key, .serial = 0 });
	X509 *bmp = make(&(struct making){ .key = key,
	    .cn = "\x4e\x2d\x65\x87",
	    .cn_type = V_ASN1_BMPSTRING,
	    .cn_len = 4,
	    .serial = 1 });
	X509 *nul = make(&(struct making){ .key = key,
	    .cn = "bank\0evil",
	    .cn_type = V_ASN1_UTF8STRING,
	    .cn_len = 9,
	    .serial = 1 });
	struct uk_cert *c = parsed(none);
	struct uk_err err = { 0 };
	struct uk_buf der;

	(void)state;
	assert_string_equal(uk_cert_common_name(c), "");
	assert_string_equal(uk_cert_subject(c), "C=CN");
	assert_string_equal(uk_cert_serial(c), "00");
	uk_cert_free(&c);
	c = parsed(bmp);
	assert_string_equal(uk_cert_common_name(c), "\xe4\xb8\xad\xe6\x96\x87");
	uk_cert_free(&c);
	der_of(nul, &der);
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &c, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "certificate-malformed");
	uk_buf_fini(&der);
	X509_free(none);
	X509_free(bmp);
	X509_free(nul);
	EVP_PKEY_free(key);
}

static void
certificate_malformed_at_every_cut(void **state)
{
	EVP_PKEY *key = make_key(UK_KEY_P256);
	X509 *x = make(&(struct making){ .key = key, .cn = "c", .serial = 1 });
	struct uk_cert *c = NULL;
	struct uk_buf der;

	(void)state;
	der_of(x, &der);
	for (size_t i = 0; i < der.n; i++)
		assert_int_equal(uk_cert_parse(uk_span(der.p, i), &c, NULL), UK_E_INPUT);
	uk_buf_put_u8(&der, 0);
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &c, NULL), UK_E_INPUT);
	while (der.n <= UK_CERT_MAX)
		uk_buf_put_u8(&der, 0);
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &c, NULL), UK_E_INPUT);
	assert_null(c);
	uk_buf_fini(&der);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
chain_holds_or_not(void **state)
{
	EVP_PKEY *ca_key = make_key(UK_KEY_P256), *key = make_key(UK_KEY_RSA_2048);
	const char *ca_usage = "critical,keyCertSign";
	X509 *ca = make(&(struct making){ .key = ca_key,
	    .cn = "ca",
	    .constraints = "critical,CA:TRUE",
	    .usage = ca_usage,
	    .serial = 1 });
	X509 *not_ca = make(&(struct making){ .key = ca_key, .cn = "ca", .serial = 2 });
	X509 *other = make(&(struct making){ .key = key,
	    .cn = "ca",
	    .constraints = "critical,CA:TRUE",
	    .usage = ca_usage,
	    .serial = 3 });
	X509 *renamed = make(&(struct making){ .key = ca_key,
	    .cn = "cb",
	    .constraints = "critical,CA:TRUE",
	    .usage = ca_usage,
	    .serial = 4 });
	X509 *leaf = make(
	    &(struct making){ .key = key, .signer = ca_key, .issuer = ca, .cn = "l", .serial = 5 });
	struct uk_cert *c = parsed(leaf), *good = parsed(ca);
	X509 *wrong[] = { not_ca, other, renamed, leaf };
	struct uk_err err = { 0 };

	(void)state;
	assert_true(uk_cert_is_ca(good));
	assert_false(uk_cert_is_end_entity(good));
	assert_int_equal(uk_cert_verify(c, good, &err), UK_OK);
	assert_int_equal(uk_cert_verify(good, good, &err), UK_OK);
	for (size_t i = 0; i < 4; i++) {
		struct uk_cert *w = parsed(wrong[i]);

		assert_int_equal(uk_cert_verify(c, w, &err), UK_E_INTEGRITY);
		assert_string_equal(uk_err_reason(&err), "certificate-untrusted");
		uk_cert_free(&w);
	}
	uk_cert_free(&c);
	uk_cert_free(&good);
	X509_free(ca);
	X509_free(not_ca);
	X509_free(other);
	X509_free(renamed);
	X509_free(leaf);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_algorithms),
		cmocka_unit_test(signatures_hold_or_not),
		cmocka_unit_test(keys_of_no_use),
		cmocka_unit_test(key_malformed_at_every_cut),
		cmocka_unit_test(key_there_and_back),
		cmocka_unit_test(unsound_keys),
		cmocka_unit_test(digests),
		cmocka_unit_test(ecdsa_forms),
		cmocka_unit_test(certificate_says),
		cmocka_unit_test(certificate_usage),
		cmocka_unit_test(certificate_names_at_the_edge),
		cmocka_unit_test(certificate_malformed_at_every_cut),
		cmocka_unit_test(chain_holds_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
