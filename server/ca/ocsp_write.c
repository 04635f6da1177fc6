/* OCSPResponse (RFC 6960 section 4.2.1). */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "ca/der_read.h"
#include "ca/ocsp.h"
#include "ca/signer.h"

#define OID_BASIC   "1.3.6.1.5.5.7.48.1.1"
#define OID_NONCE   "1.3.6.1.5.5.7.48.1.2"
#define SPKI_BYTES  1024u
#define KEY_ID_LEN  20
#define SUCCESSFUL  0
#define IMPLICIT(n) (0xa0 | (n)) /* constructed */

struct responder {
	struct signer *signer;
	struct uk_cert *certificate;
	uint8_t key_id[KEY_ID_LEN]; /* SHA-1 of the key's bits, as the protocol wants it */
};

/* The responder is called by its key (section 4.2.1: KeyHash). */
static bool
name_key(struct responder *r)
{
	struct uk_buf spki;
	struct der_in all, seq;
	struct uk_span key;
	bool ok;

	uk_buf_init(&spki, SPKI_BYTES);
	ok = signer_put_spki(r->signer, &spki) == UK_OK;
	all = der_in(uk_buf_span(&spki));
	seq = der_enter(&all, DER_SEQUENCE);
	(void)der_take(&seq, DER_SEQUENCE);
	key = der_take_bits(&seq);
	ok = ok && der_ended(&seq) &&
	     EVP_Digest(key.p, key.n, r->key_id, NULL, EVP_sha1(), NULL) == 1;
	uk_buf_fini(&spki);
	return ok;
}

enum uk_rc
responder_new(const char *algorithm, struct responder **out, struct uk_err *err)
{
	struct responder *r = uk_xalloc(sizeof(*r));
	enum uk_rc rc = signer_new(algorithm, &r->signer, err);

	if (rc == UK_OK && !name_key(r))
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "responder", 0);
	if (rc != UK_OK)
		responder_free(&r);
	else
		*out = r;
	return rc;
}

enum uk_rc
responder_put_spki(const struct responder *r, struct uk_buf *out)
{
	return signer_put_spki(r->signer, out);
}

enum uk_rc
responder_set(struct responder *r, struct uk_cert *certificate, struct uk_err *err)
{
	struct uk_buf mine, its;
	bool same;

	uk_buf_init(&mine, SPKI_BYTES);
	uk_buf_init(&its, SPKI_BYTES);
	same = signer_put_spki(r->signer, &mine) == UK_OK &&
	       uk_pubkey_spki(uk_cert_pubkey(certificate), &its) == UK_OK &&
	       uk_span_eq(uk_buf_span(&mine), uk_buf_span(&its));
	uk_buf_fini(&mine);
	uk_buf_fini(&its);
	uk_cert_free(&r->certificate);
	r->certificate = certificate;
	return same ? UK_OK : uk_fail(err, UK_E_CONFLICT, NULL, "responder", 0);
}

const struct uk_cert *
responder_certificate(const struct responder *r)
{
	return r->certificate;
}

void
responder_free(struct responder **r)
{
	if (r == NULL || *r == NULL)
		return;
	signer_free(&(*r)->signer);
	uk_cert_free(&(*r)->certificate);
	free(*r);
	*r = NULL;
}

static void
put_status(struct uk_buf *out, const struct ocsp_answer *a)
{
	size_t at, reason;

	if (a->status != OCSP_REVOKED) {
		der_put(out, (uint8_t)DER_CONTEXT(a->status), uk_span(NULL, 0));
		return;
	}
	at = der_begin(out, IMPLICIT(OCSP_REVOKED));
	der_put_generalized(out, a->revoked_at);
	if (a->reason != CRL_UNSPECIFIED) {
		reason = der_begin(out, DER_EXPLICIT(0));
		der_put_uint(out, DER_ENUM, (uint64_t)a->reason);
		der_end(out, reason);
	}
	der_end(out, at);
}

static void
put_single(
    struct uk_buf *out, struct uk_span id, const struct ocsp_answer *a, int64_t now, int64_t next)
{
	const size_t at = der_begin(out, DER_SEQUENCE);
	size_t until;

	uk_buf_put(out, id);
	put_status(out, a);
	der_put_generalized(out, now);
	until = der_begin(out, DER_EXPLICIT(0));
	der_put_generalized(out, next);
	der_end(out, until);
	der_end(out, at);
}

static void
put_nonce(struct uk_buf *out, struct uk_span nonce)
{
	const size_t at = der_begin(out, DER_EXPLICIT(1));
	const size_t list = der_begin(out, DER_SEQUENCE);
	const struct der_extension e = der_extension_begin(out, OID_NONCE, false);

	uk_buf_put(out, nonce);
	der_extension_end(out, e);
	der_end(out, list);
	der_end(out, at);
}

/* ResponseData */
static void
put_data(const struct responder *r, const struct ocsp_request *rq,
    const struct ocsp_answer *answers, int64_t now, int64_t next, struct uk_buf *out)
{
	const size_t whole = der_begin(out, DER_SEQUENCE);
	size_t at = der_begin(out, DER_EXPLICIT(2));

	der_put(out, DER_OCTETS, uk_span(r->key_id, sizeof(r->key_id)));
	der_end(out, at);
	der_put_generalized(out, now);
	at = der_begin(out, DER_SEQUENCE);
	for (size_t i = 0; i < rq->n; i++)
		put_single(out, rq->asked[i].id, &answers[i], now, next);
	der_end(out, at);
	if (rq->nonce.n != 0)
		put_nonce(out, rq->nonce);
	der_end(out, whole);
}

/* BasicOCSPResponse: what signer_sign() makes, and the responder's certificate in it. */
static void
put_basic(const struct responder *r, struct uk_span signed_data, struct uk_buf *out)
{
	struct der_in all = der_in(signed_data);
	const struct uk_span content = der_take(&all, DER_SEQUENCE);
	const size_t whole = der_begin(out, DER_SEQUENCE);
	size_t certs, list;

	uk_buf_put(out, content);
	certs = der_begin(out, DER_EXPLICIT(0));
	list = der_begin(out, DER_SEQUENCE);
	uk_buf_put(out, uk_cert_der(r->certificate));
	der_end(out, list);
	der_end(out, certs);
	der_end(out, whole);
}

static void
put_response(const struct responder *r, struct uk_span signed_data, struct uk_buf *out)
{
	const size_t whole = der_begin(out, DER_SEQUENCE);
	size_t bytes, seq, octets;

	der_put_uint(out, DER_ENUM, SUCCESSFUL);
	bytes = der_begin(out, DER_EXPLICIT(0));
	seq = der_begin(out, DER_SEQUENCE);
	der_put_oid(out, OID_BASIC);
	octets = der_begin(out, DER_OCTETS);
	put_basic(r, signed_data, out);
	der_end(out, octets);
	der_end(out, seq);
	der_end(out, bytes);
	der_end(out, whole);
}

enum uk_rc
ocsp_put(const struct responder *r, const struct ocsp_request *rq,
    const struct ocsp_answer *answers, int64_t now, int64_t next, struct uk_buf *out,
    struct uk_err *err)
{
	struct uk_buf data, signed_data;
	enum uk_rc rc;

	uk_buf_init(&data, OCSP_RESPONSE_MAX);
	uk_buf_init(&signed_data, OCSP_RESPONSE_MAX);
	put_data(r, rq, answers, now, next, &data);
	rc = uk_buf_failed(&data) ? uk_fail(err, UK_E_LIMIT, NULL, "ocsp", 0)
				  : signer_sign(r->signer, uk_buf_span(&data), &signed_data, err);
	if (rc == UK_OK) {
		put_response(r, uk_buf_span(&signed_data), out);
		if (uk_buf_failed(out))
			rc = uk_fail(err, UK_E_LIMIT, NULL, "ocsp", 0);
	}
	uk_buf_fini(&data);
	uk_buf_fini(&signed_data);
	return rc;
}

void
ocsp_put_failure(enum ocsp_failure why, struct uk_buf *out)
{
	const size_t at = der_begin(out, DER_SEQUENCE);

	der_put_uint(out, DER_ENUM, (uint64_t)why);
	der_end(out, at);
}
