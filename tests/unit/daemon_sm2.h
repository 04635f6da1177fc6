/* A reader of SM2 SignedData and a writer of SM2 EnvelopedData that share nothing with the product:
 * DER by hand, and EVP. */
#ifndef TESTS_DAEMON_SM2_H
#define TESTS_DAEMON_SM2_H

#include <openssl/evp.h>

#include "uk/buf.h"

struct sm2_signed {
	const char *arc;           /* "gm", "rfc" */
	const char *signature_oid; /* "301.1", "501" */
	bool attributes;
	bool attached;
};

/*
 * Fails the test unless der is a ContentInfo of just this profile whose signature over `content` by
 * the certificate in it, which is `certificate` with `key`, holds by EVP with the default
 * identifier.
 */
void sm2_signed_holds(struct uk_span der, const struct sm2_signed *want, struct uk_span content,
    struct uk_span certificate, EVP_PKEY *key);

/* By EVP, DER of r and s. */
bool sm2_holds(EVP_PKEY *key, struct uk_span data, struct uk_span signature);

struct sm2_form {
	bool gm;    /* the arc of GM/T 0010 */
	bool bare;  /* the curve's and the cipher's own identifiers, as some write */
	bool by_id; /* the receiver by subject key identifier */
};

/* EnvelopedData with SM4-CBC around content, for an SM2 certificate, after a password's receiver.
 * Appended. */
void sm2_envelope(
    struct uk_span certificate, const struct sm2_form *f, const char *content, struct uk_buf *out);

#endif
