/* A reader of SM2 SignedData that shares nothing with the writer: DER by hand, and EVP. */
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

#endif
