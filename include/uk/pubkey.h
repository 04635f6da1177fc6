/*
 * Public keys, digests and signatures: the one place that says which digest goes with which key.
 * Algorithm names on the wire: key "rsa-2048", "rsa-3072", "rsa-4096", "p-256", "p-384", "sm2";
 * signature "RS256", "ES256", "ES384" (RFC 7518 names), "SM2-SM3" (GB/T 32918.2 with the default
 * identifier, uk/sm2.h).  Signatures of ECDSA and SM2 are r||s raw or DER, as said.
 */
#ifndef UK_PUBKEY_H
#define UK_PUBKEY_H

#include "uk/buf.h"

struct uk_pubkey; /* an EVP_PKEY */

enum uk_keyalg {
	UK_KEY_UNKNOWN,
	UK_KEY_RSA_2048,
	UK_KEY_RSA_3072,
	UK_KEY_RSA_4096,
	UK_KEY_P256,
	UK_KEY_P384,
	UK_KEY_SM2,
	UK_KEY__MAX
};

const char *uk_keyalg_name(enum uk_keyalg a);      /* "p-256" */
const char *uk_keyalg_signature(enum uk_keyalg a); /* "ES256" */
enum uk_keyalg uk_keyalg_from_name(const char *name);
bool uk_keyalg_is_ec(enum uk_keyalg a);        /* its signatures are a pair r, s */
size_t uk_keyalg_digest_len(enum uk_keyalg a); /* 32, or 48 for P-384 */
size_t uk_keyalg_sig_max(enum uk_keyalg a);    /* of a raw signature */

/* SubjectPublicKeyInfo, DER. */
UK_CHECK enum uk_rc uk_pubkey_from_spki(
    struct uk_span der, struct uk_pubkey **out, struct uk_err *err);
void uk_pubkey_free(struct uk_pubkey **k);
enum uk_keyalg uk_pubkey_alg(const struct uk_pubkey *k);
UK_CHECK enum uk_rc uk_pubkey_spki(const struct uk_pubkey *k, struct uk_buf *out);

/* A point on its curve, of its order; a modulus without small factors, 2^16 < e (SP 800-56). */
bool uk_pubkey_sound(const struct uk_pubkey *k);

/* What a signature of this key over data is over, appended: SHA-256, SHA-384; for SM2 e, which is
 * SM3 of Z and the data, Z being of the key. */
UK_CHECK enum uk_rc uk_digest(const struct uk_pubkey *k, struct uk_span data, struct uk_buf *out);
void uk_sha256(struct uk_span data, uint8_t out[32]);

/* raw r||s <-> DER ECDSA-Sig-Value; SM2Signature (GM/T 0009 section 7.3) is the same. */
UK_CHECK enum uk_rc uk_ecdsa_to_der(struct uk_span raw, struct uk_buf *out);
UK_CHECK enum uk_rc uk_ecdsa_from_der(struct uk_span der, enum uk_keyalg a, struct uk_buf *out);

/* sig over data: PKCS#1 v1.5 for RSA, raw r||s for the others.  UK_E_INTEGRITY when it does not
 * hold. */
UK_CHECK enum uk_rc uk_verify(
    const struct uk_pubkey *k, struct uk_span data, struct uk_span sig, struct uk_err *err);

/* The same over data of which only the digest is there, as uk_digest() makes it. */
UK_CHECK enum uk_rc uk_verify_digest(
    const struct uk_pubkey *k, struct uk_span digest, struct uk_span sig, struct uk_err *err);

/* For RSA and ECDSA of those who choose the digest themselves: SHA-256, SHA-384 or SHA-512. */
UK_CHECK enum uk_rc uk_verify_sha2(const struct uk_pubkey *k, unsigned bits, struct uk_span data,
    struct uk_span sig, struct uk_err *err);

#endif
