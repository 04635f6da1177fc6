/* HMAC-SHA256 (RFC 2104), and comparison in constant time. */
#ifndef UK_HMAC_H
#define UK_HMAC_H

#include "uk/buf.h"

#define UK_HMAC_LEN 32

void uk_hmac_sha256(struct uk_span key, struct uk_span data, uint8_t out[UK_HMAC_LEN]);

/* False for different lengths; otherwise takes the same time whatever the bytes are. */
bool uk_const_eq(struct uk_span a, struct uk_span b);

#endif
