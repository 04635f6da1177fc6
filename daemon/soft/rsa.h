/* RSA on OpenSSL; a public key as a pair's public part is stored. */
#ifndef SOFT_RSA_H
#define SOFT_RSA_H

#include <openssl/evp.h>

#include "uk/buf.h"

#define RSA_LEN_MAX 256

/* public and private are initialised by this; false: no memory. */
bool rsa_generate(unsigned bits, struct uk_buf *public, struct uk_buf *private);

/* RSAPrivateKey at the start of der, and the key is whole; its public part. */
bool rsa_private_ok(struct uk_span der, size_t *used, struct uk_buf *public);

/* NULL: not a key. */
EVP_PKEY *rsa_public(struct uk_span public);

/* Padding is RSA_PKCS1_PADDING or RSA_NO_PADDING; *n is the room and the length. */
bool rsa_encrypt(EVP_PKEY *key, int padding, struct uk_span in, uint8_t *out, size_t *n);
bool rsa_decrypt(EVP_PKEY *key, int padding, struct uk_span in, uint8_t *out, size_t *n);

/* PKCS #1 v1.5 over data as it is. */
bool rsa_verify(EVP_PKEY *key, struct uk_span data, struct uk_span signature);

#endif
