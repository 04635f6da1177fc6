/* Certification requests (PKCS#10, RFC 2986).  The CA decides the names: of a request only the key
 * and the proof that the requester holds it count. */
#ifndef CA_REQUEST_H
#define CA_REQUEST_H

#include "uk/pubkey.h"

#define REQUEST_MAX 8192u
#define SPKI_MAX    1024u /* the largest key allowed here needs 422 bytes */

/*
 * Append the SubjectPublicKeyInfo of a request whose own signature holds.  Reasons:
 * "request-malformed", "request-signature-wrong" (UK_E_INTEGRITY), "key-not-allowed" (RSA-2048,
 * RSA-3072, P-256, P-384, SM2), "digest-not-allowed" (SHA-2, and SM3 with SM2, only).
 */
UK_CHECK enum uk_rc request_read(struct uk_span der, struct uk_buf *spki, struct uk_err *err);

/* Is this key one that a certificate may have?  UK_E_INPUT "key-not-allowed". */
UK_CHECK enum uk_rc request_check_key(struct uk_span spki, struct uk_err *err);

#endif
