/* The encryption half of a dual certificate: what comes with a signing certificate. */
#ifndef PROTOCOL_DUAL_H
#define PROTOCOL_DUAL_H

#include "uk/json.h"
#include "uk/random.h"
#include "uk/x509.h"

struct dual {
	struct uk_cert *cert;
	struct uk_buf key; /* SM2EnvelopedKey, DER */
};

/*
 * From the member `encryption` of certificate.install.  Reasons: "envelope-malformed",
 * "envelope-mismatch" (its key is not the certificate's), "certificate-not-for-encryption",
 * "algorithm-unsupported" (not SM2).  On failure dual_fini() has to follow, too.
 */
UK_CHECK enum uk_rc dual_read(const json_t *encryption, struct dual *out, struct uk_err *err);
void dual_fini(struct dual *d);

/* A text that only the certificate's key can open, in the form of TOKEN_SM2_SM4_CBC. */
struct dual_proof {
	uint8_t text[32];
	uint8_t iv[16];
	struct uk_buf key;
	struct uk_buf content;
};

UK_CHECK enum uk_rc dual_proof_make(const struct uk_cert *cert, const struct uk_random *random,
    struct dual_proof *out, struct uk_err *err);
bool dual_proof_holds(const struct dual_proof *p, struct uk_span opened);
void dual_proof_fini(struct dual_proof *p);

#endif
