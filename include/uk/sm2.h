/*
 * What is SM2's own: the identifier's digest Z (GB/T 32918.2 section 5.5), encryption (GB/T
 * 32918.4) and the key pair under envelope (GM/T 0009 section 7.4, GB/T 35276), each as DER and as
 * the packed structures of GM/T 0016 with 32-bit ULONG.  Bytes in, bytes out.
 */
#ifndef UK_SM2_H
#define UK_SM2_H

#include "uk/pubkey.h"
#include "uk/random.h"
#include "uk/secret.h"

#define UK_SM2_ID       "1234567812345678" /* GM/T 0009 section 10: who has agreed on no other */
#define UK_SM2_Z        32
#define UK_SM2_POINT    64 /* x || y */
#define UK_SM2_TEXT_MAX 256

/* ENVELOPEDKEYBLOB with a key-encrypting key of 16 bytes. */
#define UK_SM2_ENVELOPED_BLOB 388

/* UK_E_UNSUPPORTED for a key of another algorithm. */
UK_CHECK enum uk_rc uk_sm2_z(const struct uk_pubkey *k, uint8_t out[UK_SM2_Z]);

UK_CHECK enum uk_rc uk_sm2_point(const struct uk_pubkey *k, uint8_t out[UK_SM2_POINT]);

/* UK_E_INPUT "public-key-malformed": not on the curve. */
UK_CHECK enum uk_rc uk_sm2_from_point(
    const uint8_t point[UK_SM2_POINT], struct uk_pubkey **out, struct uk_err *err);

/* C1, C3, C2 of GB/T 32918.4. */
struct uk_sm2_cipher {
	uint8_t point[UK_SM2_POINT];
	uint8_t hash[32];
	uint8_t text[UK_SM2_TEXT_MAX];
	size_t n; /* of text, at least 1 */
};

/* plain: 1 to UK_SM2_TEXT_MAX bytes.  The key has to be sound. */
UK_CHECK enum uk_rc uk_sm2_encrypt(
    const struct uk_pubkey *k, struct uk_span plain, struct uk_sm2_cipher *out, struct uk_err *err);

/* SM2Cipher (GM/T 0009 section 7.2) and ECCCIPHERBLOB; appended.  UK_E_INPUT "cipher-malformed".
 * A blob may be longer than its CipherLen says: some modules round up. */
UK_CHECK enum uk_rc uk_sm2_cipher_put(const struct uk_sm2_cipher *c, struct uk_buf *out);
UK_CHECK enum uk_rc uk_sm2_cipher_get(
    struct uk_span der, struct uk_sm2_cipher *out, struct uk_err *err);
void uk_sm2_cipher_put_blob(const struct uk_sm2_cipher *c, struct uk_buf *out);
UK_CHECK enum uk_rc uk_sm2_cipher_get_blob(
    struct uk_span blob, struct uk_sm2_cipher *out, struct uk_err *err);

/* A key pair whose private key is SM4-ECB under a key that only its receiver's key opens. */
struct uk_sm2_enveloped {
	struct uk_sm2_cipher kek; /* of 16 bytes */
	uint8_t point[UK_SM2_POINT];
	uint8_t private[32];
};

/* Of the 64 bytes of cbEncryptedPriKey: GM/T 0016 does not say, and vendors differ. */
enum uk_sm2_field {
	UK_SM2_FIELD_RIGHT, /* as all other numbers */
	UK_SM2_FIELD_LEFT,
	UK_SM2_FIELD__MAX
};

/* private: 32 bytes, big-endian, of the pair whose public key is `pair`. */
UK_CHECK enum uk_rc uk_sm2_envelope(const struct uk_pubkey *receiver, const struct uk_pubkey *pair,
    const struct uk_secret *private, const struct uk_random *random, struct uk_sm2_enveloped *out,
    struct uk_err *err);

/* SM2EnvelopedKey and ENVELOPEDKEYBLOB; appended.  UK_E_INPUT "envelope-malformed",
 * UK_E_UNSUPPORTED for another cipher than SM4-ECB.  From a blob either half is taken, the right
 * one where both are filled. */
UK_CHECK enum uk_rc uk_sm2_enveloped_put(const struct uk_sm2_enveloped *e, struct uk_buf *out);
UK_CHECK enum uk_rc uk_sm2_enveloped_get(
    struct uk_span der, struct uk_sm2_enveloped *out, struct uk_err *err);
void uk_sm2_enveloped_put_blob(
    const struct uk_sm2_enveloped *e, enum uk_sm2_field field, struct uk_buf *out);
UK_CHECK enum uk_rc uk_sm2_enveloped_get_blob(
    struct uk_span blob, struct uk_sm2_enveloped *out, struct uk_err *err);

#endif
