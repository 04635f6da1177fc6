/*
 * The digests of data that comes in pieces and is not kept.  Which of them a signature wants is the
 * key's choice, which is made later: so there are both.
 */
#ifndef UK_DIGEST_H
#define UK_DIGEST_H

#include "uk/pubkey.h"

struct uk_sums {
	uint8_t sha256[32];
	uint8_t sha384[48];
};

/* The one that signatures by such a key are over; empty for an unknown one. */
struct uk_span uk_sums_for(const struct uk_sums *s, enum uk_keyalg a);

/* Of data that is all there. */
UK_CHECK enum uk_rc uk_sums_of(struct uk_span data, struct uk_sums *out);

struct uk_digests;

/* NULL: libcrypto has failed. */
struct uk_digests *uk_digests_new(void);
void uk_digests_free(struct uk_digests **d);
UK_CHECK enum uk_rc uk_digests_put(struct uk_digests *d, struct uk_span data);

/* Once, at the end. */
UK_CHECK enum uk_rc uk_digests_end(struct uk_digests *d, struct uk_sums *out);

#endif
