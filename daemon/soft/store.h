/* A container's key pairs, put and used; and the algorithm ids of ciphers. */
#ifndef SOFT_STORE_H
#define SOFT_STORE_H

#include "soft/blob.h"
#include "soft/call.h"

/*
 * A new signing pair in place of the one that is there, whose certificate goes with it; saved.
 * SAR_KEYINFOTYPEERR: the container is of another type.
 */
ULONG store_signing(struct call *c, uint32_t type, struct uk_span public, struct uk_span private);

/* An encryption pair, of the container's type; saved. */
ULONG store_encryption(struct call *c, struct uk_span public, struct uk_span private);

/* SAR_KEYINFOTYPEERR: of another type; SAR_KEYNOTFOUNTERR: none. */
ULONG store_key(struct call *c, uint32_t type, enum use use, struct key **out);

/* With an SM2 key; plain has CipherLen bytes.  SAR_INDATAERR: it does not open. */
ULONG store_decrypt(const struct key *k, ECCCIPHERBLOB *blob, uint8_t *plain);
ULONG store_encrypt(const ECCPUBLICKEYBLOB *to, struct uk_span plain, ECCCIPHERBLOB *blob);

/*
 * An id of SM4; SAR_NOTSUPPORTYETERR: of SM1, SSF33 or ZUC, whose algorithms are not public or not
 * here; SAR_INVALIDPARAMERR: no cipher's.
 */
ULONG cipher_known(ULONG id);

#endif
