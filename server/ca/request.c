#include <string.h>

#include "ca/der_read.h"
#include "ca/request.h"

#define SIGNATURE_MAX 1024u

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

/* How a request may be signed: RFC 4055 section 5, RFC 5758 section 3.2, GM/T 0006. */
enum family {
	FAMILY_RSA,
	FAMILY_ECDSA,
	FAMILY_SM2,
};

static const struct digest_row {
	const char *oid;
	enum family family;
	unsigned bits; /* of SHA-2; SM2: the key's own */
} digests[] = {
	{ "1.2.840.113549.1.1.11", FAMILY_RSA, 256 },
	{ "1.2.840.113549.1.1.12", FAMILY_RSA, 384 },
	{ "1.2.840.113549.1.1.13", FAMILY_RSA, 512 },
	{ "1.2.840.10045.4.3.2", FAMILY_ECDSA, 256 },
	{ "1.2.840.10045.4.3.3", FAMILY_ECDSA, 384 },
	{ "1.2.840.10045.4.3.4", FAMILY_ECDSA, 512 },
	{ "1.2.156.10197.1.501", FAMILY_SM2, 0 },
};

/* CertificationRequest (RFC 2986 section 4), lent by its bytes. */
struct request {
	struct uk_span info; /* what is signed */
	struct uk_span spki;
	struct uk_span digest; /* the algorithm's OID */
	struct uk_span signature;
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

static bool
written_so(const struct key_row *row, const struct uk_pubkey *k, struct uk_span spki)
{
	if (row->head == NULL)
		return same_again(k, spki);
	return spki.n == row->n && memcmp(spki.p, row->head, row->head_n) == 0;
}

static enum uk_rc
read_key(struct uk_span spki, struct uk_pubkey **out, struct uk_err *err)
{
	const struct key_row *row;
	struct uk_pubkey *k = NULL;

	if (spki.n > SPKI_MAX || uk_pubkey_from_spki(spki, &k, NULL) != UK_OK)
		return uk_fail(err, UK_E_INPUT, "key-not-allowed", "spki", (long)spki.n);
	row = find(uk_pubkey_alg(k));
	if (row == NULL || !written_so(row, k, spki) || !uk_pubkey_sound(k)) {
		uk_pubkey_free(&k);
		return uk_fail(err, UK_E_INPUT, "key-not-allowed", "spki", 0);
	}
	*out = k;
	return UK_OK;
}

enum uk_rc
request_check_key(struct uk_span spki, struct uk_err *err)
{
	struct uk_pubkey *k = NULL;
	const enum uk_rc rc = read_key(spki, &k, err);

	uk_pubkey_free(&k);
	return rc;
}

static bool
read_info(struct uk_span whole, struct request *r)
{
	struct der_in all = der_in(whole);
	struct der_in info = der_enter(&all, DER_SEQUENCE);

	if (!uk_span_eq(der_take(&info, DER_INTEGER), uk_span("\0", 1))) /* v1 */
		return false;
	(void)der_take(
	    &info, DER_SEQUENCE); /* the subject, which is not for the requester to say */
	r->spki = der_take_whole(&info, DER_SEQUENCE);
	if (der_is(&info, DER_EXPLICIT(0)))
		(void)der_take(&info, DER_EXPLICIT(0)); /* attributes, neither */
	return der_ended(&info);
}

static bool
read_request(struct uk_span der, struct request *r)
{
	struct der_in all = der_in(der);
	struct der_in whole = der_enter(&all, DER_SEQUENCE);
	struct der_in algorithm;

	r->info = der_take_whole(&whole, DER_SEQUENCE);
	algorithm = der_enter(&whole, DER_SEQUENCE);
	r->digest = der_take(&algorithm, DER_OID);
	if (der_is(&algorithm, DER_NULL) && der_take(&algorithm, DER_NULL).n != 0)
		return false;
	r->signature = der_take_bits(&whole);
	return der_ended(&algorithm) && der_ended(&whole) && der_ended(&all) &&
	       read_info(r->info, r);
}

static enum family
family_of(enum uk_keyalg a)
{
	if (a == UK_KEY_SM2)
		return FAMILY_SM2;
	return uk_keyalg_is_ec(a) ? FAMILY_ECDSA : FAMILY_RSA;
}

static bool
verifies(const struct request *r, const struct uk_pubkey *k, const struct digest_row *row)
{
	struct uk_buf raw;
	enum uk_rc rc = UK_OK;

	if (row->family != family_of(uk_pubkey_alg(k)))
		return false;
	uk_buf_init(&raw, SIGNATURE_MAX);
	if (row->family == FAMILY_RSA)
		uk_buf_put(&raw, r->signature);
	else
		rc = uk_ecdsa_from_der(r->signature, uk_pubkey_alg(k), &raw);
	if (rc == UK_OK && row->family == FAMILY_SM2)
		rc = uk_verify(k, r->info, uk_buf_span(&raw), NULL);
	else if (rc == UK_OK)
		rc = uk_verify_sha2(k, row->bits, r->info, uk_buf_span(&raw), NULL);
	uk_buf_fini(&raw);
	return rc == UK_OK;
}

static const struct digest_row *
find_digest(struct uk_span oid)
{
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (der_oid_is(oid, digests[i].oid))
			return &digests[i];
	return NULL;
}

static enum uk_rc
check(const struct request *r, struct uk_err *err)
{
	const struct digest_row *row = find_digest(r->digest);
	struct uk_pubkey *k = NULL;
	enum uk_rc rc = read_key(r->spki, &k, err);

	if (rc != UK_OK)
		return rc;
	if (row == NULL)
		rc = uk_fail(err, UK_E_INPUT, "digest-not-allowed", "pkcs10", 0);
	else if (!verifies(r, k, row))
		rc = uk_fail(err, UK_E_INTEGRITY, "request-signature-wrong", "pkcs10", 0);
	uk_pubkey_free(&k);
	return rc;
}

enum uk_rc
request_read(struct uk_span der, struct uk_buf *spki, struct uk_err *err)
{
	struct request r;
	enum uk_rc rc;

	if (der.n > REQUEST_MAX || !read_request(der, &r))
		return uk_fail(err, UK_E_INPUT, "request-malformed", "pkcs10", (long)der.n);
	if ((rc = check(&r, err)) != UK_OK)
		return rc;
	uk_buf_put(spki, r.spki);
	return uk_buf_failed(spki) ? uk_fail(err, UK_E_LIMIT, NULL, "pkcs10", (long)r.spki.n)
				   : UK_OK;
}
