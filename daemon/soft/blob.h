/* Between the structures of the header and what is stored and computed with. */
#ifndef SOFT_BLOB_H
#define SOFT_BLOB_H

#include <openssl/evp.h>

#include "soft/sm2.h"
#include "soft/state.h"

/* False: another length of key, or something where zeroes belong.  The point is not checked. */
bool blob_sm2_public_get(const ECCPUBLICKEYBLOB *b, uint8_t xy[SM2_XY_LEN]);
void blob_sm2_public_put(const uint8_t xy[SM2_XY_LEN], ECCPUBLICKEYBLOB *b);

bool blob_sm2_signature_get(const ECCSIGNATUREBLOB *b, uint8_t rs[SM2_XY_LEN]);
void blob_sm2_signature_put(const uint8_t rs[SM2_XY_LEN], ECCSIGNATUREBLOB *b);

/* The fixed part; Cipher is at blob_cipher(). */
bool blob_sm2_c1_get(const ECCCIPHERBLOB *b, uint8_t c1[SM2_XY_LEN]);
void blob_sm2_c1_put(const uint8_t c1[SM2_XY_LEN], ECCCIPHERBLOB *b);
uint8_t *blob_cipher(ECCCIPHERBLOB *b);

/* The whole blob with a Cipher of n bytes. */
size_t blob_cipher_size(size_t n);

/* "Modulus, four bytes of exponent", as a pair's public part is stored. */
ULONG blob_rsa_public_get(const RSAPUBLICKEYBLOB *b, struct uk_buf *public);
void blob_rsa_public_put(struct uk_span public, RSAPUBLICKEYBLOB *b);

#endif
