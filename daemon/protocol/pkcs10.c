#include <assert.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "protocol/pkcs10.h"
#include "uk/sm2.h"

struct pkcs10 {
	X509_REQ *req;
	enum uk_keyalg alg;
};

static bool
add_name(X509_NAME *name, int nid, const char *value)
{
	if (value == NULL)
		return true;
	/* RFC 5280 appendix A: countryName is a PrintableString, the others UTF8String. */
	return X509_NAME_add_entry_by_NID(name, nid,
		   nid == NID_countryName ? MBSTRING_ASC : MBSTRING_UTF8,
		   (const unsigned char *)value, -1, -1, 0) == 1;
}

static bool
set_subject(X509_REQ *req, const struct pkcs10_subject *s)
{
	X509_NAME *name = X509_NAME_new();
	const bool ok = name != NULL && add_name(name, NID_countryName, s->country) &&
			add_name(name, NID_organizationName, s->organization) &&
			add_name(name, NID_commonName, s->common_name) &&
			X509_REQ_set_subject_name(req, name) == 1;

	X509_NAME_free(name);
	return ok;
}

static bool
set_key(X509_REQ *req, const struct uk_pubkey *key)
{
	const unsigned char *p;
	EVP_PKEY *pkey = NULL;
	struct uk_buf spki;
	bool ok;

	uk_buf_init(&spki, 2048);
	ok = uk_pubkey_spki(key, &spki) == UK_OK;
	p = spki.p;
	if (ok)
		pkey = d2i_PUBKEY(NULL, &p, (long)spki.n);
	ok = pkey != NULL && X509_REQ_set_pubkey(req, pkey) == 1;
	EVP_PKEY_free(pkey);
	uk_buf_fini(&spki);
	return ok;
}

struct alg_row {
	int nid;
	int params;
};

/* RSA has NULL parameters (RFC 4055 section 5), the others none (RFC 5758, GM/T 0092). */
static const struct alg_row algs[] = {
	[UK_KEY_UNKNOWN] = { NID_undef, V_ASN1_UNDEF },
	[UK_KEY_RSA_2048] = { NID_sha256WithRSAEncryption, V_ASN1_NULL },
	[UK_KEY_RSA_3072] = { NID_sha256WithRSAEncryption, V_ASN1_NULL },
	[UK_KEY_RSA_4096] = { NID_sha256WithRSAEncryption, V_ASN1_NULL },
	[UK_KEY_P256] = { NID_ecdsa_with_SHA256, V_ASN1_UNDEF },
	[UK_KEY_P384] = { NID_ecdsa_with_SHA384, V_ASN1_UNDEF },
	[UK_KEY_SM2] = { NID_SM2_with_SM3, V_ASN1_UNDEF },
};
static_assert(sizeof(algs) / sizeof(algs[0]) == UK_KEY__MAX, "one row per key algorithm");

static bool
set_algorithm(X509_REQ *req, enum uk_keyalg alg)
{
	X509_ALGOR *a = X509_ALGOR_new();
	const bool ok =
	    a != NULL &&
	    X509_ALGOR_set0(a, OBJ_nid2obj(algs[alg].nid), algs[alg].params, NULL) == 1 &&
	    X509_REQ_set1_signature_algo(req, a) == 1;

	X509_ALGOR_free(a);
	return ok;
}

enum uk_rc
pkcs10_new(const struct uk_pubkey *key, const struct pkcs10_subject *subject, struct pkcs10 **out,
    struct uk_buf *tbs, struct uk_err *err)
{
	enum uk_rc rc = uk_fail(err, UK_E_INPUT, "subject-malformed", "pkcs10", 0);
	unsigned char *der = NULL;
	struct pkcs10 *r;
	int n;

	if (uk_pubkey_alg(key) == UK_KEY_UNKNOWN)
		return uk_fail(err, UK_E_UNSUPPORTED, "algorithm-unsupported", "pkcs10", 0);
	r = uk_xalloc(sizeof(*r));
	r->alg = uk_pubkey_alg(key);
	r->req = X509_REQ_new();
	if (r->req == NULL || X509_REQ_set_version(r->req, X509_REQ_VERSION_1) != 1 ||
	    !set_subject(r->req, subject) || !set_key(r->req, key) ||
	    !set_algorithm(r->req, r->alg))
		goto out;
	n = i2d_re_X509_REQ_tbs(r->req, &der);
	if (n <= 0)
		goto out;
	uk_buf_put(tbs, uk_span(der, (size_t)n));
	rc = uk_buf_failed(tbs) ? uk_fail(err, UK_E_LIMIT, NULL, "pkcs10", 0) : UK_OK;
out:
	OPENSSL_free(der);
	ERR_clear_error();
	if (rc != UK_OK)
		pkcs10_free(&r);
	else
		*out = r;
	return rc;
}

void
pkcs10_free(struct pkcs10 **r)
{
	if (r == NULL || *r == NULL)
		return;
	X509_REQ_free((*r)->req);
	free(*r);
	*r = NULL;
}

static bool
set_signature(X509_REQ *req, struct uk_span sig)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();

	if (bits == NULL ||
	    ASN1_BIT_STRING_set(bits, (unsigned char *)(uintptr_t)sig.p, (int)sig.n) != 1) {
		ASN1_BIT_STRING_free(bits);
		return false;
	}
	/* No unused bits: trailing zero bits belong to the signature. */
	bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	X509_REQ_set0_signature(req, bits);
	return true;
}

static bool
holds(X509_REQ *req, enum uk_keyalg alg)
{
	ASN1_OCTET_STRING *id;

	if (alg == UK_KEY_SM2) {
		id = ASN1_OCTET_STRING_new();
		if (id == NULL ||
		    ASN1_OCTET_STRING_set(id, (const unsigned char *)UK_SM2_ID, -1) != 1) {
			ASN1_OCTET_STRING_free(id);
			return false;
		}
		X509_REQ_set0_distinguishing_id(req, id);
	}
	return X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1;
}

enum uk_rc
pkcs10_finish(struct pkcs10 *r, struct uk_span signature, struct uk_buf *out, struct uk_err *err)
{
	unsigned char *der = NULL;
	struct uk_buf ec;
	enum uk_rc rc;
	int n = 0;

	uk_buf_init(&ec, 256);
	rc = uk_fail(err, UK_E_INTEGRITY, "signature-wrong", "pkcs10", 0);
	if (uk_keyalg_is_ec(r->alg)) {
		if (uk_ecdsa_to_der(signature, &ec) != UK_OK)
			goto out;
		signature = uk_buf_span(&ec);
	}
	if (!set_signature(r->req, signature) || !holds(r->req, r->alg))
		goto out;
	n = i2d_X509_REQ(r->req, &der);
	if (n <= 0)
		goto out;
	uk_buf_put(out, uk_span(der, (size_t)n));
	rc = uk_buf_failed(out) ? uk_fail(err, UK_E_LIMIT, NULL, "pkcs10", 0) : UK_OK;
out:
	OPENSSL_free(der);
	uk_buf_fini(&ec);
	ERR_clear_error();
	return rc;
}
