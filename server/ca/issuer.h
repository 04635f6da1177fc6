/*
 * Issuance with the intent before the signature, in this order:
 *
 *	issuer_prepare()	serial and to-be-signed bytes, no signature yet
 *	store the intent	(id, serial, tbs, der NULL), committed
 *	issuer_sign()		the certificate
 *	store der		only where der is still NULL; otherwise the stored one counts
 *
 * So no certificate exists whose serial is unknown to the store, and one intent gives one
 * certificate for ever: issuer_sign() may be repeated after a crash (ECDSA signatures differ each
 * time, hence the last step), and only what has been stored is handed out.
 */
#ifndef CA_ISSUER_H
#define CA_ISSUER_H

#include "ca/authority.h"
#include "ca/profile.h"

#define ISSUER_TBS_MAX  4096u
#define ISSUER_CERT_MAX 8192u
#define SERIAL_LEN      33 /* hex of 16 bytes, and NUL */

struct issuer_order {
	enum profile_id profile;
	enum profile_use use;
	struct profile_subject subject;
	struct uk_span spki; /* of request_read() */
	int64_t not_before;
	int64_t not_after; /* within the issuing CA's own validity */
};

struct issuer_intent {
	char serial[SERIAL_LEN]; /* lower-case hex, as uk_cert_serial() says it */
	struct uk_buf tbs;       /* TBSCertificate, DER */
};

/*
 * Decide everything about a certificate but its signature, and read it back.  UK_E_INPUT with
 * err->field for the subject, "key-not-allowed", "validity-invalid"; UK_E_CONFLICT
 * "validity-beyond-issuer" when the CA itself ends too early.  On success issuer_intent_fini().
 */
UK_CHECK enum uk_rc issuer_prepare(const struct authority *a, const struct issuer_order *o,
    const struct uk_random *random, struct issuer_intent *out, struct uk_err *err);
void issuer_intent_fini(struct issuer_intent *i);

/*
 * Append the certificate of stored to-be-signed bytes.  It is parsed and verified before it leaves.
 * UK_E_INTEGRITY "intent-wrong" when the bytes are no end entity's certificate of this CA.
 */
UK_CHECK enum uk_rc issuer_sign(
    const struct authority *a, struct uk_span tbs, struct uk_buf *certificate, struct uk_err *err);

#endif
