/* Within the library: OpenSSL's side of a public key.  It has decoded a certificate's already, and
 * decoding is the dearest part of reading one. */
#ifndef UK_PUBKEY_EVP_H
#define UK_PUBKEY_EVP_H

#include <openssl/evp.h>

#include "uk/pubkey.h"

/* Keeps a reference of its own. */
struct uk_pubkey *uk_pubkey_from_evp(EVP_PKEY *pkey);
EVP_PKEY *uk_pubkey_evp(const struct uk_pubkey *k); /* lent */

const EVP_MD *uk_keyalg_md(enum uk_keyalg a);

#endif
