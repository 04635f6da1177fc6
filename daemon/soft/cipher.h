/*
 * SM4 in the modes of GM/T 0016: ECB, CBC, CFB and OFB with a feedback of 8 to 128 bits, and the
 * MAC that is the last block of CBC.
 */
#ifndef SOFT_CIPHER_H
#define SOFT_CIPHER_H

#include <openssl/evp.h>

#include "skf.h"
#include "uk/buf.h"

#define BLOCK 16

struct cipher;

/*
 * A key for id, whose mode stays: SAR_NOTSUPPORTYETERR and so on as cipher_known() says.  NULL
 * key: a random one.
 */
ULONG cipher_new(ULONG id, const uint8_t *key, struct cipher **out);
void cipher_free(void *c);
const uint8_t *cipher_key(const struct cipher *c);

/* SAR_INVALIDPARAMERR: an IV, padding or feedback that the mode does not have. */
ULONG cipher_init(struct cipher *c, bool encrypt, const BLOCKCIPHERPARAM *p);

/*
 * Too little room leaves all as it was; out NULL asks for the length.  SAR_NOTINITIALIZEERR: init
 * first, for the same direction.
 */
ULONG cipher_update(struct cipher *c, bool encrypt, struct uk_span in, uint8_t *out, ULONG *n);

/*
 * Ends it.  SAR_INDATALENERR: not whole blocks, without padding; SAR_DECRYPTPADERR: a wrong
 * padding.
 */
ULONG cipher_final(struct cipher *c, bool encrypt, uint8_t *out, ULONG *n);

/* Update and final in one. */
ULONG cipher_once(struct cipher *c, bool encrypt, struct uk_span in, uint8_t *out, ULONG *n);

#endif
