/*
 * The status of certificates, asked one by one (OCSP, RFC 6960).  Requests are read and answers
 * written here, without OpenSSL's OCSP, which cannot do SM2.  Answers are signed by a responder's
 * own key, whose certificate the issuing CA has signed for nothing else (id-kp-OCSPSigning) and
 * which is valid so shortly that nobody asks for its status (id-pkix-ocsp-nocheck).
 */
#ifndef CA_OCSP_H
#define CA_OCSP_H

#include "ca/authority.h"
#include "ca/crl.h"

#define OCSP_REQUEST_MAX  4096u /* bytes */
#define OCSP_RESPONSE_MAX 32768u
#define OCSP_ASKED_MAX    16 /* certificates in one request */
#define OCSP_SERIAL_LEN   41 /* hex of at most 20 bytes, and NUL */

/* Everything lent by the request's bytes. */
struct ocsp_request {
	struct {
		struct uk_span id; /* CertID, DER, as it was sent */
		char serial[OCSP_SERIAL_LEN];
		bool ours; /* asked of this issuer */
	} asked[OCSP_ASKED_MAX];
	size_t n;
	struct uk_span nonce; /* the extension's value; empty: none */
};

/*
 * Whose certificates they are: CertIDs by SHA-1, SHA-256 or SM3.  One of another issuer, or by
 * another digest, is not `ours`.  A signature on the request is passed over (RFC 6960 section
 * 4.1.2).  UK_E_INPUT "request-malformed", also for a critical extension that is none of ours;
 * UK_E_LIMIT for more than OCSP_ASKED_MAX.
 */
UK_CHECK enum uk_rc ocsp_request_read(
    const struct uk_cert *issuer, struct uk_span der, struct ocsp_request *out, struct uk_err *err);

/* CertStatus, with the tags it has on the wire. */
enum ocsp_status {
	OCSP_GOOD,
	OCSP_REVOKED,
	OCSP_UNKNOWN,
};

struct ocsp_answer {
	enum ocsp_status status;
	int64_t revoked_at;     /* revoked only */
	enum crl_reason reason; /* revoked only */
};

/* OCSPResponseStatus of an answer that is none. */
enum ocsp_failure {
	OCSP_MALFORMED = 1,
	OCSP_INTERNAL = 2,
	OCSP_LATER = 3,
};

struct responder;

/* A fresh key of the CA's own algorithm, and what a certificate for it needs. */
UK_CHECK enum uk_rc responder_new(
    const char *algorithm, struct responder **out, struct uk_err *err);
UK_CHECK enum uk_rc responder_put_spki(const struct responder *r, struct uk_buf *out);

/* Takes the certificate.  UK_E_CONFLICT when it is not for this key. */
UK_CHECK enum uk_rc responder_set(
    struct responder *r, struct uk_cert *certificate, struct uk_err *err);
const struct uk_cert *responder_certificate(const struct responder *r); /* lent */
void responder_free(struct responder **r);

/*
 * Append the answer, one `answers` row for each certificate asked for, true from now to next.
 * Several threads may do so at once.
 */
UK_CHECK enum uk_rc ocsp_put(const struct responder *r, const struct ocsp_request *rq,
    const struct ocsp_answer *answers, int64_t now, int64_t next, struct uk_buf *out,
    struct uk_err *err);

void ocsp_put_failure(enum ocsp_failure why, struct uk_buf *out);

#endif
