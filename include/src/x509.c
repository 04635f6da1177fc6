#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "pubkey_evp.h"
#include "uk/b64.h"
#include "uk/sm2.h"
#include "uk/x509.h"

#define NAME_MAX_BYTES 4096

struct uk_cert {
	X509 *x509;
	struct uk_buf der;
	struct uk_pubkey *key;
	char *subject;
	char *issuer;
	char *cn;
	char *serial;
	char fingerprint[65];
	int64_t not_before;
	int64_t not_after;
};

static char *
name_str(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *s = NULL, *p;
	long n;

	if (bio == NULL)
		return NULL;
	/* RFC 4514, but with UTF-8 as it is: people read it. */
	if (X509_NAME_print_ex(
		bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		n = BIO_get_mem_data(bio, &p);
		if (n >= 0 && n <= NAME_MAX_BYTES)
			s = uk_xstrndup(n > 0 ? p : "", (size_t)n);
	}
	BIO_free(bio);
	return s;
}

/* "" when there is none; NULL for one with a NUL in it, which would read as another's name. */
static char *
common_name(const X509_NAME *name)
{
	unsigned char *utf8 = NULL;
	char *s = NULL;
	int at, n;

	at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	if (at < 0)
		return uk_xstrdup("");
	n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (n >= 0 && (n == 0 || memchr(utf8, '\0', (size_t)n) == NULL))
		s = uk_xstrndup(n > 0 ? (char *)utf8 : "", (size_t)n);
	OPENSSL_free(utf8);
	return s;
}

static char *
serial_hex(const X509 *x509)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
	unsigned char bytes[64];
	struct uk_buf b;
	int n;

	if (bn == NULL || BN_num_bytes(bn) > (int)sizeof(bytes)) {
		BN_free(bn);
		return NULL;
	}
	n = BN_bn2bin(bn, bytes);
	BN_free(bn);
	if (n == 0)
		return uk_xstrdup("00");
	uk_buf_init(&b, 2 * sizeof(bytes));
	uk_hex_put(&b, uk_span(bytes, (size_t)n));
	return uk_buf_steal_str(&b);
}

static bool
unix_time(const ASN1_TIME *t, int64_t *out)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days, secs;
	bool ok;

	ok = epoch != NULL && ASN1_TIME_diff(&days, &secs, epoch, t) == 1;
	ASN1_TIME_free(epoch);
	if (ok)
		*out = (int64_t)days * 86400 + secs;
	return ok;
}

static void
read_fingerprint(struct uk_cert *c)
{
	uint8_t sum[32];
	struct uk_buf hex;

	uk_sha256(uk_buf_span(&c->der), sum);
	uk_buf_init(&hex, 64);
	uk_hex_put(&hex, uk_span(sum, sizeof(sum)));
	memcpy(c->fingerprint, uk_buf_str(&hex), sizeof(c->fingerprint));
	uk_buf_fini(&hex);
}

/* Without it OpenSSL takes the empty identifier, by which nobody signs (GM/T 0015). */
static bool
set_signer_id(X509 *x509)
{
	ASN1_OCTET_STRING *id;

	if (X509_get_signature_nid(x509) != NID_SM2_with_SM3)
		return true;
	id = ASN1_OCTET_STRING_new();
	if (id == NULL || ASN1_OCTET_STRING_set(id, (const unsigned char *)UK_SM2_ID, -1) != 1) {
		ASN1_OCTET_STRING_free(id);
		return false;
	}
	X509_set0_distinguishing_id(x509, id);
	return true;
}

enum uk_rc
uk_cert_parse(struct uk_span der, struct uk_cert **out, struct uk_err *err)
{
	const unsigned char *p = der.p;
	enum uk_rc rc = UK_E_INPUT;
	struct uk_cert *c;

	if (der.n == 0 || der.n > UK_CERT_MAX)
		return uk_fail(err, UK_E_INPUT, "certificate-malformed", "cert", (long)der.n);
	c = uk_xalloc(sizeof(*c));
	uk_buf_init(&c->der, UK_CERT_MAX);
	c->x509 = d2i_X509(NULL, &p, (long)der.n);
	if (c->x509 == NULL || p != der.p + der.n || X509_get0_pubkey(c->x509) == NULL ||
	    !set_signer_id(c->x509))
		goto out;
	uk_buf_put(&c->der, der);
	c->subject = name_str(X509_get_subject_name(c->x509));
	c->issuer = name_str(X509_get_issuer_name(c->x509));
	c->cn = common_name(X509_get_subject_name(c->x509));
	c->serial = serial_hex(c->x509);
	if (c->subject == NULL || c->issuer == NULL || c->cn == NULL || c->serial == NULL ||
	    !unix_time(X509_get0_notBefore(c->x509), &c->not_before) ||
	    !unix_time(X509_get0_notAfter(c->x509), &c->not_after))
		goto out;
	read_fingerprint(c);
	c->key = uk_pubkey_from_evp(X509_get0_pubkey(c->x509));
	rc = UK_OK;
out:
	ERR_clear_error();
	if (rc != UK_OK)
		uk_cert_free(&c);
	else
		*out = c;
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, "certificate-malformed", "d2i_X509", 0);
}

void
uk_cert_free(struct uk_cert **c)
{
	if (c == NULL || *c == NULL)
		return;
	X509_free((*c)->x509);
	uk_pubkey_free(&(*c)->key);
	uk_buf_fini(&(*c)->der);
	free((*c)->subject);
	free((*c)->issuer);
	free((*c)->cn);
	free((*c)->serial);
	free(*c);
	*c = NULL;
}

struct uk_span
uk_cert_der(const struct uk_cert *c)
{
	return uk_buf_span(&c->der);
}

const char *
uk_cert_subject(const struct uk_cert *c)
{
	return c->subject;
}

const char *
uk_cert_issuer(const struct uk_cert *c)
{
	return c->issuer;
}

const char *
uk_cert_common_name(const struct uk_cert *c)
{
	return c->cn;
}

const char *
uk_cert_serial(const struct uk_cert *c)
{
	return c->serial;
}

const char *
uk_cert_fingerprint(const struct uk_cert *c)
{
	return c->fingerprint;
}

int64_t
uk_cert_not_before(const struct uk_cert *c)
{
	return c->not_before;
}

int64_t
uk_cert_not_after(const struct uk_cert *c)
{
	return c->not_after;
}

enum uk_keyalg
uk_cert_alg(const struct uk_cert *c)
{
	return uk_pubkey_alg(c->key);
}

const struct uk_pubkey *
uk_cert_pubkey(const struct uk_cert *c)
{
	return c->key;
}

bool
uk_cert_may_sign(const struct uk_cert *c)
{
	return (X509_get_key_usage(c->x509) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

bool
uk_cert_may_encrypt(const struct uk_cert *c)
{
	return (X509_get_key_usage(c->x509) &
		   (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT)) != 0;
}

bool
uk_cert_is_ca(const struct uk_cert *c)
{
	return X509_check_ca(c->x509) == 1;
}

bool
uk_cert_is_end_entity(const struct uk_cert *c)
{
	/* without the extension OpenSSL answers "all of them" */
	return X509_check_ca(c->x509) == 0 &&
	       (X509_get_key_usage(c->x509) & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) == 0;
}

enum uk_rc
uk_cert_verify(const struct uk_cert *c, const struct uk_cert *issuer, struct uk_err *err)
{
	const bool ok = uk_cert_is_ca(issuer) &&
			X509_check_issued(issuer->x509, c->x509) == X509_V_OK &&
			X509_verify(c->x509, X509_get0_pubkey(issuer->x509)) == 1;

	ERR_clear_error();
	return ok ? UK_OK : uk_fail(err, UK_E_INTEGRITY, "certificate-untrusted", "X509_verify", 0);
}
