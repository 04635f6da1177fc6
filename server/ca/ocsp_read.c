/* OCSPRequest (RFC 6960 section 4.1.1). */
#include <string.h>

#include <openssl/evp.h>

#include "ca/der_read.h"
#include "ca/ocsp.h"
#include "uk/b64.h"

#define OID_NONCE  "1.3.6.1.5.5.7.48.1.2"
#define NONCE_MAX  128 /* RFC 9654 section 2.1 */
#define SERIAL_MAX 20

/* How a CertID may name its issuer. */
static const struct {
	const char *oid;
	const EVP_MD *(*md)(void);
} digests[] = {
	{ "1.3.14.3.2.26", EVP_sha1 },
	{ "2.16.840.1.101.3.4.2.1", EVP_sha256 },
	{ "1.2.156.10197.1.401", EVP_sm3 },
};

struct issuer {
	struct uk_span name; /* Name, DER */
	struct uk_span key;  /* the bytes of its BIT STRING, lent by the certificate */
};

static bool
same_digest(const EVP_MD *md, struct uk_span data, struct uk_span sum)
{
	uint8_t is[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return EVP_Digest(data.p, data.n, is, &n, md, NULL) == 1 && n == sum.n &&
	       memcmp(is, sum.p, n) == 0;
}

/* The subject's Name and the key's bits, out of the certificate's own bytes. */
static bool
read_issuer(const struct uk_cert *cert, struct issuer *i)
{
	struct der_in all = der_in(uk_cert_der(cert));
	struct der_in whole = der_enter(&all, DER_SEQUENCE);
	struct der_in tbs = der_enter(&whole, DER_SEQUENCE);
	struct der_in spki;

	(void)der_take(&tbs, DER_EXPLICIT(0));
	(void)der_take(&tbs, DER_INTEGER);
	(void)der_take(&tbs, DER_SEQUENCE); /* signature */
	(void)der_take(&tbs, DER_SEQUENCE); /* issuer */
	(void)der_take(&tbs, DER_SEQUENCE); /* validity */
	i->name = der_take_whole(&tbs, DER_SEQUENCE);
	spki = der_enter(&tbs, DER_SEQUENCE);
	(void)der_take(&spki, DER_SEQUENCE);
	i->key = der_take_bits(&spki);
	return der_ended(&spki) && !tbs.failed;
}

static bool
is_ours(const struct issuer *i, struct uk_span oid, struct uk_span name, struct uk_span key)
{
	for (size_t d = 0; d < sizeof(digests) / sizeof(digests[0]); d++)
		if (der_oid_is(oid, digests[d].oid))
			return same_digest(digests[d].md(), i->name, name) &&
			       same_digest(digests[d].md(), i->key, key);
	return false;
}

static bool
read_cert_id(const struct issuer *i, struct ocsp_request *out, struct uk_span whole)
{
	struct der_in all = der_in(whole);
	struct der_in id = der_enter(&all, DER_SEQUENCE);
	struct der_in algorithm = der_enter(&id, DER_SEQUENCE);
	const struct uk_span oid = der_take(&algorithm, DER_OID);
	const struct uk_span name = der_take(&id, DER_OCTETS);
	const struct uk_span key = der_take(&id, DER_OCTETS);
	const struct uk_span serial = der_take_positive(&id);
	struct uk_buf hex;

	/* the parameters: absent, or NULL */
	if (der_is(&algorithm, DER_NULL))
		(void)der_take(&algorithm, DER_NULL);
	if (!der_ended(&algorithm) || !der_ended(&id) || serial.n > SERIAL_MAX)
		return false;
	uk_buf_init(&hex, OCSP_SERIAL_LEN - 1);
	uk_hex_put(&hex, serial);
	memcpy(out->asked[out->n].serial, uk_buf_str(&hex), hex.n + 1);
	uk_buf_fini(&hex);
	out->asked[out->n].id = whole;
	out->asked[out->n].ours = is_ours(i, oid, name, key);
	out->n++;
	return true;
}

/* Extensions of which `nonce`, where it may be one, is known; the others must not be critical. */
static bool
read_extensions(struct der_in *in, struct uk_span *nonce)
{
	struct der_in list = der_enter(in, DER_SEQUENCE);

	while (!list.failed && !der_ended(&list)) {
		struct der_in e = der_enter(&list, DER_SEQUENCE);
		const struct uk_span oid = der_take(&e, DER_OID);
		const struct uk_span critical =
		    der_is(&e, DER_BOOLEAN) ? der_take(&e, DER_BOOLEAN) : uk_span(NULL, 0);
		const struct uk_span value = der_take(&e, DER_OCTETS);

		if (!der_ended(&e))
			return false;
		if (nonce != NULL && nonce->n == 0 && der_oid_is(oid, OID_NONCE)) {
			struct der_in v = der_in(value);
			const struct uk_span octets = der_take(&v, DER_OCTETS);

			if (!der_ended(&v) || octets.n == 0 || octets.n > NONCE_MAX)
				return false;
			*nonce = value;
		} else if (critical.n != 0) {
			return false;
		}
	}
	return der_ended(&list) && der_ended(in);
}

static enum uk_rc
malformed(struct uk_err *err)
{
	return uk_fail(err, UK_E_INPUT, "request-malformed", "ocsp", 0);
}

static enum uk_rc
read_list(const struct issuer *i, struct der_in *tbs, struct ocsp_request *out, struct uk_err *err)
{
	struct der_in list = der_enter(tbs, DER_SEQUENCE);

	while (!list.failed && !der_ended(&list)) {
		struct der_in one = der_enter(&list, DER_SEQUENCE);
		const struct uk_span id = der_take_whole(&one, DER_SEQUENCE);

		if (out->n == OCSP_ASKED_MAX)
			return uk_fail(
			    err, UK_E_LIMIT, "request-malformed", "ocsp", OCSP_ASKED_MAX);
		if (one.failed || !read_cert_id(i, out, id))
			return malformed(err);
		if (der_is(&one, DER_EXPLICIT(0))) {
			struct der_in e = der_enter(&one, DER_EXPLICIT(0));

			if (!read_extensions(&e, NULL))
				return malformed(err);
		}
		if (!der_ended(&one))
			return malformed(err);
	}
	return der_ended(&list) && out->n != 0 ? UK_OK : malformed(err);
}

static enum uk_rc
read_tbs(const struct issuer *i, struct der_in tbs, struct ocsp_request *out, struct uk_err *err)
{
	enum uk_rc rc;

	/* v1 is the default and the only one, so DER does not write it; some do */
	if (der_is(&tbs, DER_EXPLICIT(0)) &&
	    !uk_span_eq(der_take(&tbs, DER_EXPLICIT(0)), uk_span("\x02\x01\x00", 3)))
		return malformed(err);
	if (der_is(&tbs, DER_EXPLICIT(1)))
		(void)der_take(&tbs, DER_EXPLICIT(1)); /* requestorName */
	if ((rc = read_list(i, &tbs, out, err)) != UK_OK)
		return rc;
	if (der_is(&tbs, DER_EXPLICIT(2))) {
		struct der_in e = der_enter(&tbs, DER_EXPLICIT(2));

		if (!read_extensions(&e, &out->nonce))
			return malformed(err);
	}
	return der_ended(&tbs) ? UK_OK : malformed(err);
}

enum uk_rc
ocsp_request_read(
    const struct uk_cert *issuer, struct uk_span der, struct ocsp_request *out, struct uk_err *err)
{
	struct der_in all = der_in(der);
	struct der_in whole = der_enter(&all, DER_SEQUENCE);
	const struct der_in tbs = der_enter(&whole, DER_SEQUENCE);
	struct issuer i = { 0 };

	*out = (struct ocsp_request){ 0 };
	if (der_is(&whole, DER_EXPLICIT(0)))
		(void)der_take(&whole, DER_EXPLICIT(0)); /* optionalSignature */
	if (der.n > OCSP_REQUEST_MAX || !der_ended(&whole) || !der_ended(&all))
		return malformed(err);
	if (!read_issuer(issuer, &i))
		return uk_fail(err, UK_E_INTERNAL, NULL, "ocsp-issuer", 0);
	return read_tbs(&i, tbs, out, err);
}
