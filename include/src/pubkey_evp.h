/* Between pubkey.c and x509.c: OpenSSL has decoded a certificate's key already, and decoding is the
 * dearest part of reading one. */
#ifndef UK_PUBKEY_EVP_H
#define UK_PUBKEY_EVP_H

#include <openssl/evp.h>

#include "uk/pubkey.h"

/* Keeps a reference of its own. */
struct uk_pubkey *uk_pubkey_from_evp(EVP_PKEY *pkey);

#endif
