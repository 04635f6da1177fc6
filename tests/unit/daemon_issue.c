#include <stdlib.h>

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "daemon_issue.h"

struct issuer {
	EVP_PKEY *key;
	X509 *cert;
	struct uk_buf der;
	long serial;
};

static void
put_der(X509 *x, struct uk_buf *out)
{
	unsigned char *der = NULL;
	const int n = i2d_X509(x, &der);

	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
}

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

static X509 *
make(struct issuer *i, const X509_NAME *subject, EVP_PKEY *key)
{
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++i->serial);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_subject_name(x, subject);
	X509_set_pubkey(x, key);
	return x;
}

struct issuer *
issuer_new(void)
{
	struct issuer *i = uk_xalloc(sizeof(*i));
	X509_NAME *name = X509_NAME_new();

	X509_NAME_add_entry_by_NID(
	    name, NID_commonName, MBSTRING_ASC, (const unsigned char *)"Test CA", -1, -1, 0);
	i->key = EVP_EC_gen("P-256");
	i->cert = make(i, name, i->key);
	X509_set_issuer_name(i->cert, name);
	extend(i->cert, NID_basic_constraints, "critical,CA:TRUE");
	extend(i->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	X509_sign(i->cert, i->key, EVP_sha256());
	uk_buf_init(&i->der, 16384);
	put_der(i->cert, &i->der);
	X509_NAME_free(name);
	return i;
}

void
issuer_free(struct issuer **i)
{
	EVP_PKEY_free((*i)->key);
	X509_free((*i)->cert);
	uk_buf_fini(&(*i)->der);
	free(*i);
	*i = NULL;
}

struct uk_span
issuer_der(const struct issuer *i)
{
	return uk_buf_span(&i->der);
}

/* SM2's signatures are over an identifier, too (GM/T 0009 section 10); others know none. */
static void
name_signer(X509_REQ *req)
{
	static const char name[] = "1234567812345678";
	ASN1_OCTET_STRING *id;

	if (!EVP_PKEY_is_a(X509_REQ_get0_pubkey(req), "SM2"))
		return;
	id = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(id, (const unsigned char *)name, sizeof(name) - 1);
	X509_REQ_set0_distinguishing_id(req, id);
}

bool
issuer_issue(struct issuer *i, struct uk_span request, struct uk_buf *out)
{
	const unsigned char *p = request.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)request.n);
	bool ok = false;
	X509 *x;

	if (req != NULL)
		name_signer(req);
	if (req != NULL && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1) {
		x = make(i, X509_REQ_get_subject_name(req), X509_REQ_get0_pubkey(req));
		X509_set_issuer_name(x, X509_get_subject_name(i->cert));
		extend(x, NID_key_usage, "critical,digitalSignature,nonRepudiation");
		ok = X509_sign(x, i->key, EVP_sha256()) > 0;
		put_der(x, out);
		X509_free(x);
	}
	X509_REQ_free(req);
	ERR_clear_error();
	return ok;
}

void
issuer_issue_encryption(struct issuer *i, struct uk_span spki, struct uk_buf *out)
{
	const unsigned char *p = spki.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)spki.n);
	X509_NAME *name = X509_NAME_new();
	X509 *x;

	X509_NAME_add_entry_by_NID(
	    name, NID_commonName, MBSTRING_ASC, (const unsigned char *)"A", -1, -1, 0);
	x = make(i, name, key);
	X509_set_issuer_name(x, X509_get_subject_name(i->cert));
	extend(x, NID_key_usage, "critical,keyEncipherment,dataEncipherment");
	X509_sign(x, i->key, EVP_sha256());
	put_der(x, out);
	X509_free(x);
	X509_NAME_free(name);
	EVP_PKEY_free(key);
}

bool
issuer_verify_cms(struct issuer *i, struct uk_span cms, struct uk_span data)
{
	const unsigned char *p = cms.p;
	CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)cms.n);
	X509_STORE *store = X509_STORE_new();
	BIO *in = BIO_new_mem_buf(data.p, (int)data.n);
	bool ok;

	X509_STORE_add_cert(store, i->cert);
	X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
	ok = c != NULL && CMS_verify(c, NULL, store, CMS_is_detached(c) ? in : NULL, NULL,
			      CMS_BINARY | CMS_CADES) == 1;
	BIO_free(in);
	X509_STORE_free(store);
	CMS_ContentInfo_free(c);
	ERR_clear_error();
	return ok;
}
