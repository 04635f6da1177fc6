/* CMS and PKCS#10 with a signature from elsewhere, judged by OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "daemon_sm2.h"
#include "protocol/cms.h"
#include "protocol/pkcs10.h"
#include "protocol/signing.h"

#define NOW  1800000000
#define TEXT "合同第1号\n"

/* Stands in for the token: signs with a key of its own. */
struct key {
	EVP_PKEY *pkey;
	const EVP_MD *md;
	struct uk_cert *cert;
	X509 *x509;
};

static struct key
make(const char *what)
{
	struct key k = { .md = EVP_sha256() };
	unsigned char *der = NULL;
	int n;

	if (strcmp(what, "rsa") == 0)
		k.pkey = EVP_RSA_gen(2048);
	else if (strcmp(what, "SM2") == 0)
		k.pkey = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	else
		k.pkey = EVP_EC_gen(what);
	if (strcmp(what, "P-384") == 0)
		k.md = EVP_sha384();
	if (strcmp(what, "SM2") == 0)
		k.md = EVP_sm3();
	assert_non_null(k.pkey);
	k.x509 = X509_new();
	X509_set_version(k.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(k.x509), 7);
	X509_gmtime_adj(X509_getm_notBefore(k.x509), -60);
	X509_gmtime_adj(X509_getm_notAfter(k.x509), 3600);
	X509_NAME_add_entry_by_NID(X509_get_subject_name(k.x509), NID_commonName, MBSTRING_UTF8,
	    (const unsigned char *)"张三", -1, -1, 0);
	X509_set_issuer_name(k.x509, X509_get_subject_name(k.x509));
	X509_set_pubkey(k.x509, k.pkey);
	assert_true(X509_sign(k.x509, k.pkey, k.md) > 0);
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

/* PKCS#1 v1.5 or DER ECDSA-Sig-Value. */
static void
sign(const struct key *k, struct uk_span tbs, struct uk_buf *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	size_t n = 1024;
	uint8_t *p = uk_buf_room(sig, n);

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, k->md, NULL, k->pkey), 1);
	if (EVP_PKEY_is_a(k->pkey, "SM2"))
		assert_int_equal(EVP_PKEY_CTX_set1_id(pctx, "1234567812345678", 16), 1);
	assert_int_equal(EVP_DigestSign(ctx, p, &n, tbs.p, tbs.n), 1);
	uk_buf_add(sig, n);
	EVP_MD_CTX_free(ctx);
}

static void
signed_attributes(CMS_ContentInfo *cms)
{
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);

	assert_int_equal(CMS_signed_get_attr_count(si), 4);
	assert_true(CMS_signed_get_attr_by_NID(si, NID_pkcs9_contentType, -1) >= 0);
	assert_true(CMS_signed_get_attr_by_NID(si, NID_pkcs9_messageDigest, -1) >= 0);
	assert_true(CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1) >= 0);
	assert_true(CMS_signed_get_attr_by_NID(si, NID_id_smime_aa_signingCertificateV2, -1) >= 0);
}

/* As a relying party does, with the certificate as its trust anchor; CAdES checks the ESS one. */
static void
judged(const struct key *k, struct uk_span der, bool detached)
{
	const unsigned char *p = der.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
	X509_STORE *store = X509_STORE_new();
	BIO *in = detached ? BIO_new_mem_buf(TEXT, -1) : NULL, *out = BIO_new(BIO_s_mem());
	char *text;

	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_add_cert(store, k->x509);
	X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
	assert_non_null(cms);
	assert_int_equal(CMS_is_detached(cms), detached);
	assert_int_equal(CMS_verify(cms, NULL, store, in, out, CMS_BINARY | CMS_CADES), 1);
	assert_int_equal(BIO_get_mem_data(out, &text), strlen(TEXT));
	assert_memory_equal(text, TEXT, strlen(TEXT));
	signed_attributes(cms);
	BIO_free(in);
	BIO_free(out);
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
}

static void
cms_one(const char *what, bool detached)
{
	struct key k = make(what);
	struct cms *c = NULL;
	const struct uk_span text = uk_span_str(TEXT);
	struct uk_buf tbs, sig, der;
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	struct uk_err err;

	uk_buf_init(&tbs, 4096);
	uk_buf_init(&sig, 4096);
	uk_buf_init(&der, 16384);
	assert_int_equal(EVP_Digest(text.p, text.n, sum, &n, k.md, NULL), 1);
	/* the other algorithm's digest is refused */
	assert_int_equal(cms_new(k.cert, &cms_profile_rfc, uk_span(sum, n == 32 ? 48 : 32),
			     detached ? NULL : &text, NOW, &c, &tbs, &err),
	    UK_E_INTERNAL);
	assert_int_equal(cms_new(k.cert, &cms_profile_rfc, uk_span(sum, n), detached ? NULL : &text,
			     NOW, &c, &tbs, &err),
	    UK_OK);
	sign(&k, uk_buf_span(&tbs), &sig);
	assert_int_equal(cms_finish(c, uk_buf_span(&sig), &der, &err), UK_OK);
	judged(&k, uk_buf_span(&der), detached);
	cms_free(&c);
	uk_buf_fini(&tbs);
	uk_buf_fini(&sig);
	uk_buf_fini(&der);
	drop(&k);
}

static void
cms_forms(void **state)
{
	static const char *const keys[] = { "rsa", "P-256", "P-384" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		cms_one(keys[i], true);
		cms_one(keys[i], false);
	}
}

/* --- SM2 --- */

/* As an SKF module does: raw r || s over e. */
static void
token_signs(const struct key *k, struct uk_span e, struct uk_buf *raw)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	uint8_t sig[128];
	size_t n = sizeof(sig);

	assert_int_equal(e.n, 32);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &n, e.p, e.n), 1);
	assert_int_equal(uk_ecdsa_from_der(uk_span(sig, n), UK_KEY_SM2, raw), UK_OK);
	EVP_PKEY_CTX_free(ctx);
}

static void
sm2_one(const struct key *k, const struct sm2_signed *want, bool here)
{
	const struct signing_how how = { .form =
					     want->attached ? SIGNING_ATTACHED : SIGNING_DETACHED,
		.profiled = true,
		.profile = { .gm_arc = strcmp(want->arc, "gm") == 0,
		    .sm2_sm3 = strcmp(want->signature_oid, "501") == 0,
		    .attributes = want->attributes } };
	struct signing_data data = { .content = uk_span_str(TEXT), .here = here };
	struct uk_buf raw, der;
	struct signing s;

	uk_buf_init(&raw, 64);
	uk_buf_init(&der, 16384);
	assert_int_equal(
	    uk_sums_of(uk_span_str(TEXT), here ? NULL : uk_cert_pubkey(k->cert), &data.sums),
	    UK_OK);
	assert_int_equal(signing_begin(&s, k->cert, &how, &data, NOW, NULL), UK_OK);
	token_signs(k, signing_digest(&s), &raw);
	raw.p[5] ^= 1;
	assert_int_equal(signing_end(&s, k->cert, uk_buf_span(&raw), &der, NULL), UK_E_INTEGRITY);
	assert_int_equal(der.n, 0);
	raw.p[5] ^= 1;
	assert_int_equal(signing_end(&s, k->cert, uk_buf_span(&raw), &der, NULL), UK_OK);
	sm2_signed_holds(uk_buf_span(&der), want, uk_span_str(TEXT), uk_cert_der(k->cert), k->pkey);
	signing_fini(&s);
	uk_buf_fini(&raw);
	uk_buf_fini(&der);
}

/* All 16, of data in the message; those that can, of data in pieces, too. */
static void
sm2_profiles(void **state)
{
	struct key k = make("SM2");

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		const struct sm2_signed want = { .arc = (i & 1) != 0 ? "gm" : "rfc",
			.signature_oid = (i & 2) != 0 ? "301.1" : "501",
			.attributes = (i & 4) != 0,
			.attached = (i & 8) != 0 };

		sm2_one(&k, &want, true);
		if (!want.attached)
			sm2_one(&k, &want, false);
	}
	drop(&k);
}

static void
sm2_raw_and_der(void **state)
{
	const struct signing_how hows[] = { { .form = SIGNING_RAW }, { .form = SIGNING_DER } };
	struct signing_data data = { .content = uk_span_str(TEXT), .here = true };
	struct key k = make("SM2");
	struct uk_buf raw, out, der;
	struct signing s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uk_buf_init(&raw, 64);
		uk_buf_init(&out, 256);
		uk_buf_init(&der, 256);
		assert_int_equal(signing_begin(&s, k.cert, &hows[i], &data, NOW, NULL), UK_OK);
		token_signs(&k, signing_digest(&s), &raw);
		assert_int_equal(signing_end(&s, k.cert, uk_buf_span(&raw), &out, NULL), UK_OK);
		if (hows[i].form == SIGNING_RAW)
			assert_int_equal(uk_ecdsa_to_der(uk_buf_span(&out), &der), UK_OK);
		else
			uk_buf_put(&der, uk_buf_span(&out));
		assert_true(sm2_holds(k.pkey, uk_span_str(TEXT), uk_buf_span(&der)));
		signing_fini(&s);
		uk_buf_fini(&raw);
		uk_buf_fini(&out);
		uk_buf_fini(&der);
	}
	drop(&k);
}

/* What a key can't do is said before anybody is asked for a PIN. */
static void
what_does_not_fit(void **state)
{
	struct key sm2 = make("SM2"), rsa = make("rsa"), other = make("SM2");
	struct signing_data pieces = { .here = false };
	const struct signing_how raw = { .form = SIGNING_RAW }, der = { .form = SIGNING_DER };
	const struct signing_how profiled = { .form = SIGNING_DETACHED, .profiled = true };
	const struct signing_how plain = { .form = SIGNING_DETACHED };
	const struct signing_how attributes = {
		.form = SIGNING_DETACHED, .profiled = true, .profile = { .attributes = true }
	};
	struct uk_err err;

	(void)state;
	assert_int_equal(
	    uk_sums_of(uk_span_str(TEXT), uk_cert_pubkey(other.cert), &pieces.sums), UK_OK);
	assert_int_equal(signing_fits(rsa.cert, &profiled, &pieces, &err), UK_E_UNSUPPORTED);
	assert_string_equal(uk_err_reason(&err), "profile-unsupported");
	assert_int_equal(signing_fits(rsa.cert, &der, &pieces, &err), UK_E_UNSUPPORTED);
	assert_string_equal(uk_err_reason(&err), "format-unsupported");
	assert_int_equal(signing_fits(sm2.cert, &raw, &pieces, &err), UK_E_CONFLICT);
	assert_string_equal(uk_err_reason(&err), "data-for-other-key");
	assert_int_equal(signing_fits(sm2.cert, &der, &pieces, &err), UK_E_CONFLICT);
	assert_int_equal(signing_fits(sm2.cert, &plain, &pieces, &err), UK_E_CONFLICT);
	assert_int_equal(signing_fits(sm2.cert, &attributes, &pieces, &err), UK_OK);
	assert_int_equal(signing_fits(other.cert, &raw, &pieces, &err), UK_OK);
	assert_int_equal(signing_fits(rsa.cert, &raw, &pieces, &err), UK_OK);
	drop(&sm2);
	drop(&rsa);
	drop(&other);
}

/* OpenSSL's default identifier is the empty one. */
static void
verified(X509_REQ *req)
{
	ASN1_OCTET_STRING *id;

	if (EVP_PKEY_is_a(X509_REQ_get0_pubkey(req), "SM2")) {
		assert_int_equal(X509_REQ_get_signature_nid(req), NID_SM2_with_SM3);
		assert_int_not_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
		id = ASN1_OCTET_STRING_new();
		ASN1_OCTET_STRING_set(id, (const unsigned char *)"1234567812345678", 16);
		X509_REQ_set0_distinguishing_id(req, id);
	}
	assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
}

static void
request_one(const char *what)
{
	const struct pkcs10_subject subject = { "张三", "测试公司", "CN" };
	struct key k = make(what);
	struct uk_pubkey *pub = NULL;
	struct pkcs10 *r = NULL;
	struct uk_buf tbs, sig, raw, der, spki;
	const unsigned char *p;
	unsigned char *s = NULL;
	struct uk_err err;
	X509_REQ *req;
	int n;

	uk_buf_init(&tbs, 4096);
	uk_buf_init(&sig, 4096);
	uk_buf_init(&raw, 4096);
	uk_buf_init(&der, 8192);
	uk_buf_init(&spki, 2048);
	n = i2d_PUBKEY(k.pkey, &s);
	assert_int_equal(uk_pubkey_from_spki(uk_span(s, (size_t)n), &pub, &err), UK_OK);
	assert_int_equal(pkcs10_new(pub, &subject, &r, &tbs, &err), UK_OK);
	sign(&k, uk_buf_span(&tbs), &sig);
	if (uk_keyalg_is_ec(uk_pubkey_alg(pub)))
		assert_int_equal(
		    uk_ecdsa_from_der(uk_buf_span(&sig), uk_pubkey_alg(pub), &raw), UK_OK);
	else
		uk_buf_put(&raw, uk_buf_span(&sig));
	assert_int_equal(pkcs10_finish(r, uk_buf_span(&raw), &der, &err), UK_OK);
	p = der.p;
	req = d2i_X509_REQ(NULL, &p, (long)der.n);
	assert_non_null(req);
	verified(req);
	assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(req)), 3);
	raw.p[10] ^= 1;
	uk_buf_reset(&der);
	assert_int_equal(pkcs10_finish(r, uk_buf_span(&raw), &der, &err), UK_E_INTEGRITY);
	assert_int_equal(der.n, 0);
	X509_REQ_free(req);
	OPENSSL_free(s);
	pkcs10_free(&r);
	uk_pubkey_free(&pub);
	uk_buf_fini(&tbs);
	uk_buf_fini(&sig);
	uk_buf_fini(&raw);
	uk_buf_fini(&der);
	uk_buf_fini(&spki);
	drop(&k);
}

static void
requests(void **state)
{
	(void)state;
	request_one("rsa");
	request_one("P-256");
	request_one("P-384");
	request_one("SM2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cms_forms),
		cmocka_unit_test(sm2_profiles),
		cmocka_unit_test(sm2_raw_and_der),
		cmocka_unit_test(what_does_not_fit),
		cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
