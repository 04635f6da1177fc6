/* EnvelopedData from a web page, for an RSA, a P-256 and an SM2 receiver; what opens by a token
 * that answers anything is bounded by what came in. */
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "protocol/enveloped.h"

static const char *const kinds[] = { "RSA", "EC", "SM2" };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct uk_cert *
certify(const char *kind)
{
	EVP_PKEY *key =
	    kind[0] == 'R' ? EVP_RSA_gen(2048) : EVP_PKEY_Q_keygen(NULL, NULL, kind, "P-256");
	X509 *x = X509_new();
	struct uk_cert *cert = NULL;
	unsigned char *der = NULL;
	int n;

	/* The seeds name an issuer without a name, and the number 2. */
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 2);
	ASN1_TIME_set(X509_getm_notBefore(x), 0);
	ASN1_TIME_set(X509_getm_notAfter(x), 1);
	X509_set_pubkey(x, key);
	if (X509_sign(x, key, kind[0] == 'S' ? EVP_sm3() : EVP_sha256()) <= 0 ||
	    (n = i2d_X509(x, &der)) <= 0 ||
	    uk_cert_parse(uk_span(der, (size_t)n), &cert, NULL) != UK_OK)
		abort();
	OPENSSL_free(der);
	X509_free(x);
	EVP_PKEY_free(key);
	return cert;
}

static void
one(const struct uk_cert *cert, struct uk_span in)
{
	struct uk_span answer = uk_span("0123456789abcdef0123456789abcdef", 32);
	struct enveloped *e = NULL;
	char type[ENVELOPED_TYPE_MAX];
	struct uk_buf out;

	if (enveloped_read(in, cert, &e, NULL) != UK_OK)
		return;
	uk_buf_init(&out, in.n + 32);
	for (answer.n = 16; answer.n <= 32; answer.n += 8)
		if (enveloped_open(e, &answer, &uk_random_system, &out, type, NULL) == UK_OK &&
		    out.n > in.n)
			abort();
	enveloped_free(&e);
	uk_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct uk_cert *certs[KINDS];

	for (size_t i = 0; i < KINDS; i++) {
		if (certs[i] == NULL)
			certs[i] = certify(kinds[i]);
		one(certs[i], uk_span(p, n));
	}
	return 0;
}
