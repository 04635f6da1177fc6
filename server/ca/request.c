#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "ca/request.h"
#include "uk/sm2.h"

static const int digests[] = {
	NID_sha256WithRSAEncryption,
	NID_sha384WithRSAEncryption,
	NID_sha512WithRSAEncryption,
	NID_ecdsa_with_SHA256,
	NID_ecdsa_with_SHA384,
	NID_ecdsa_with_SHA512,
	NID_SM2_with_SM3,
};

/*
 * The bytes of the key go into the certificate as they are, so there must be one way only to write
 * it.  For elliptic curves that is this head (RFC 5480: named curve, uncompressed point); OpenSSL
 * would give explicit parameters and compressed points back as they came.
 */
struct key_row {
	enum uk_keyalg alg;
	const char *head;
	size_t head_n;
	size_t n; /* 0: any */
};

static const struct key_row keys[] = {
	{ UK_KEY_RSA_2048, NULL, 0, 0 },
	{ UK_KEY_RSA_3072, NULL, 0, 0 },
	{ UK_KEY_P256,
	    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d"
	    "\x03\x01\x07\x03\x42\x00\x04",
	    27, 91 },
	{ UK_KEY_P384,
	    "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
	    "\x03\x62\x00\x04",
	    24, 120 },
	{ UK_KEY_SM2,
	    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55"
	    "\x01\x82\x2d\x03\x42\x00\x04",
	    27, 91 },
};

static const struct key_row *
find(enum uk_keyalg a)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].alg == a)
			return &keys[i];
	return NULL;
}

static bool
same_again(const struct uk_pubkey *k, struct uk_span spki)
{
	struct uk_buf b;
	bool ok;

	uk_buf_init(&b, SPKI_MAX);
	ok = uk_pubkey_spki(k, &b) == UK_OK && uk_span_eq(uk_buf_span(&b), spki);
	uk_buf_fini(&b);
	return ok;
}

enum uk_rc
request_check_key(struct uk_span spki, struct uk_err *err)
{
	const struct key_row *row;
	struct uk_pubkey *k = NULL;
	bool ok;

	if (spki.n > SPKI_MAX || uk_pubkey_from_spki(spki, &k, NULL) != UK_OK)
		return uk_fail(err, UK_E_INPUT, "key-not-allowed", "spki", (long)spki.n);
	row = find(uk_pubkey_alg(k));
	ok = row != NULL && (row->n == 0 || row->n == spki.n) &&
	     (row->head_n == 0 || memcmp(spki.p, row->head, row->head_n) == 0) &&
	     same_again(k, spki) && uk_pubkey_sound(k);
	uk_pubkey_free(&k);
	return ok ? UK_OK : uk_fail(err, UK_E_INPUT, "key-not-allowed", "spki", 0);
}

static bool
digest_allowed(const X509_REQ *req)
{
	const int nid = X509_REQ_get_signature_nid(req);

	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (digests[i] == nid)
			return true;
	return false;
}

/* Without it OpenSSL takes the empty identifier, by which nobody signs (GM/T 0092). */
static bool
set_signer_id(X509_REQ *req)
{
	ASN1_OCTET_STRING *id;

	if (X509_REQ_get_signature_nid(req) != NID_SM2_with_SM3)
		return true;
	id = ASN1_OCTET_STRING_new();
	if (id == NULL || ASN1_OCTET_STRING_set(id, (const unsigned char *)UK_SM2_ID, -1) != 1) {
		ASN1_OCTET_STRING_free(id);
		return false;
	}
	X509_REQ_set0_distinguishing_id(req, id);
	return true;
}

static enum uk_rc
check(X509_REQ *req, struct uk_span spki, struct uk_err *err)
{
	enum uk_rc rc = request_check_key(spki, err);

	if (rc != UK_OK)
		return rc;
	if (!digest_allowed(req))
		return uk_fail(err, UK_E_INPUT, "digest-not-allowed", "pkcs10", 0);
	if (!set_signer_id(req) || X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1)
		return uk_fail(err, UK_E_INTEGRITY, "request-signature-wrong", "pkcs10", 0);
	return UK_OK;
}

enum uk_rc
request_read(struct uk_span der, struct uk_buf *spki, struct uk_err *err)
{
	const unsigned char *p = der.p;
	unsigned char *key = NULL;
	X509_REQ *req = NULL;
	enum uk_rc rc;
	int n = -1;

	if (der.n != 0 && der.n <= REQUEST_MAX)
		req = d2i_X509_REQ(NULL, &p, (long)der.n);
	if (req != NULL && p == der.p + der.n)
		n = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(req), &key);
	rc = n > 0 ? check(req, uk_span(key, (size_t)n), err)
		   : uk_fail(err, UK_E_INPUT, "request-malformed", "pkcs10", (long)der.n);
	if (rc == UK_OK) {
		uk_buf_put(spki, uk_span(key, (size_t)n));
		if (uk_buf_failed(spki))
			rc = uk_fail(err, UK_E_LIMIT, NULL, "pkcs10", n);
	}
	OPENSSL_free(key);
	X509_REQ_free(req);
	ERR_clear_error();
	return rc;
}
