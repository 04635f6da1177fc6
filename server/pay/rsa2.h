/* RSA2: SHA256withRSA, PKCS#1 v1.5, base64.  Keys are PEM or the bare base64 of their DER. */
#ifndef PAY_RSA2_H
#define PAY_RSA2_H

#include "uk/buf.h"
#include "uk/pubkey.h"
#include "uk/rc.h"

struct rsa2_key;

/* PKCS#8 or PKCS#1; RSA of 2048 bits or more. */
UK_CHECK enum uk_rc rsa2_key_new(const char *text, struct rsa2_key **out, struct uk_err *err);
void rsa2_key_free(struct rsa2_key **k);

/* The signature's base64, appended to out. */
UK_CHECK enum uk_rc rsa2_sign(
    const struct rsa2_key *k, struct uk_span data, struct uk_buf *out, struct uk_err *err);

/* SubjectPublicKeyInfo, RSA; freed with uk_pubkey_free(). */
UK_CHECK enum uk_rc rsa2_pubkey_new(const char *text, struct uk_pubkey **out, struct uk_err *err);

/* UK_E_INTEGRITY when it does not hold or is no base64. */
UK_CHECK enum uk_rc rsa2_verify(
    const struct uk_pubkey *k, struct uk_span data, const char *signature, struct uk_err *err);

/* A new RSA-2048 key pair as bare base64: PKCS#8 and SubjectPublicKeyInfo. */
UK_CHECK enum uk_rc rsa2_generate(
    struct uk_buf *private_key, struct uk_buf *public_key, struct uk_err *err);

#endif
