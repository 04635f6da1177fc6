#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "protocol/cms.h"

/*
 * OpenSSL's CMS_ functions sign with a key they hold.  PKCS#7's structures are open, and a
 * SignedData version 1 over id-data is the same bytes in both (RFC 5652 section 5.2.1).
 */
struct cms {
	PKCS7 *p7;
	PKCS7_SIGNER_INFO *signer; /* lent by p7 */
};

static const EVP_MD *
digest_of(const X509 *x509)
{
	return EVP_PKEY_get_bits(X509_get0_pubkey(x509)) == 384 ? EVP_sha384() : EVP_sha256();
}

static bool
add_certificate_id(PKCS7_SIGNER_INFO *signer, const X509 *x509)
{
	ESS_SIGNING_CERT_V2 *ess = NULL;
	ASN1_STRING *seq = NULL;
	unsigned char *der = NULL;
	bool ok = false;
	int n;

	ess = OSSL_ESS_signing_cert_v2_new_init(EVP_sha256(), x509, NULL, 1);
	seq = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	if (ess == NULL || seq == NULL)
		goto out;
	n = i2d_ESS_SIGNING_CERT_V2(ess, &der);
	if (n <= 0 || ASN1_STRING_set(seq, der, n) != 1)
		goto out;
	ok = PKCS7_add_signed_attribute(
		 signer, NID_id_smime_aa_signingCertificateV2, V_ASN1_SEQUENCE, seq) == 1;
	if (ok)
		seq = NULL;
out:
	OPENSSL_free(der);
	ASN1_STRING_free(seq);
	ESS_SIGNING_CERT_V2_free(ess);
	return ok;
}

static bool
add_time(PKCS7_SIGNER_INFO *signer, int64_t now)
{
	/* UTCTime until 2049, GeneralizedTime after (RFC 5652 section 11.3). */
	ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)now);

	if (t == NULL)
		return false;
	if (PKCS7_add0_attrib_signing_time(signer, t) == 1)
		return true;
	ASN1_TIME_free(t);
	return false;
}

static bool
add_attributes(PKCS7_SIGNER_INFO *signer, const X509 *x509, struct uk_span digest, int64_t now)
{
	return digest.n == (size_t)EVP_MD_get_size(digest_of(x509)) &&
	       PKCS7_add_attrib_content_type(signer, NULL) == 1 && add_time(signer, now) &&
	       PKCS7_add1_attrib_digest(signer, digest.p, (int)digest.n) == 1 &&
	       add_certificate_id(signer, x509);
}

static bool
add_signer(struct cms *c, X509 *x509, struct uk_span digest, int64_t now)
{
	PKCS7_SIGNER_INFO *signer = PKCS7_SIGNER_INFO_new();

	if (signer == NULL ||
	    PKCS7_SIGNER_INFO_set(signer, x509, X509_get0_pubkey(x509), digest_of(x509)) != 1 ||
	    !add_attributes(signer, x509, digest, now) || PKCS7_add_signer(c->p7, signer) != 1) {
		PKCS7_SIGNER_INFO_free(signer);
		return false;
	}
	c->signer = signer;
	return true;
}

static bool
add_content(PKCS7 *p7, const struct uk_span *data)
{
	if (PKCS7_content_new(p7, NID_pkcs7_data) != 1)
		return false;
	if (data == NULL)
		return PKCS7_set_detached(p7, 1) == 1;
	return ASN1_OCTET_STRING_set(p7->d.sign->contents->d.data, data->p, (int)data->n) == 1;
}

enum uk_rc
cms_new(struct uk_span certificate, struct uk_span digest, const struct uk_span *content,
    int64_t now, struct cms **out, struct uk_buf *tbs, struct uk_err *err)
{
	struct cms *c = uk_xalloc(sizeof(*c));
	const unsigned char *p = certificate.p;
	X509 *x509 = d2i_X509(NULL, &p, (long)certificate.n);
	enum uk_rc rc = uk_fail(err, UK_E_INTERNAL, NULL, "cms", 0);
	unsigned char *der = NULL;
	int n;

	c->p7 = PKCS7_new();
	if (x509 == NULL || c->p7 == NULL || PKCS7_set_type(c->p7, NID_pkcs7_signed) != 1 ||
	    PKCS7_add_certificate(c->p7, x509) != 1 || !add_content(c->p7, content) ||
	    !add_signer(c, x509, digest, now))
		goto out;
	/* The signature covers a SET OF in DER's order, not the [0] of the message (RFC 5652
	 * section 5.4); this item sorts the attributes as it writes them. */
	n = ASN1_item_i2d(
	    (ASN1_VALUE *)c->signer->auth_attr, &der, ASN1_ITEM_rptr(PKCS7_ATTR_SIGN));
	if (n <= 0)
		goto out;
	uk_buf_put(tbs, uk_span(der, (size_t)n));
	rc = uk_buf_failed(tbs) ? UK_E_LIMIT : UK_OK;
out:
	OPENSSL_free(der);
	X509_free(x509);
	ERR_clear_error();
	if (rc != UK_OK)
		cms_free(&c);
	else
		*out = c;
	return rc;
}

void
cms_free(struct cms **c)
{
	if (c == NULL || *c == NULL)
		return;
	PKCS7_free((*c)->p7);
	free(*c);
	*c = NULL;
}

enum uk_rc
cms_finish(struct cms *c, struct uk_span signature, struct uk_buf *out, struct uk_err *err)
{
	unsigned char *der = NULL;
	int n;

	if (ASN1_OCTET_STRING_set(c->signer->enc_digest, signature.p, (int)signature.n) != 1)
		return uk_fail(err, UK_E_INTERNAL, NULL, "cms", 0);
	n = i2d_PKCS7(c->p7, &der);
	if (n <= 0) {
		ERR_clear_error();
		return uk_fail(err, UK_E_INTERNAL, NULL, "i2d_PKCS7", 0);
	}
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	return uk_buf_failed(out) ? uk_fail(err, UK_E_LIMIT, NULL, "cms", 0) : UK_OK;
}
