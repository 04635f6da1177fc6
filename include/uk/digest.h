/*
 * The digests of data that comes in pieces and is not kept.  Which of them a signature wants is the
 * key's choice, which may be made later: then there are all of them but one.  SM2 signs SM3 of Z
 * and the data, and Z is of the public key and comes first: e is there only for a key named
 * beforehand, and then what other keys want is not, because SM3 is slow.
 */
#ifndef UK_DIGEST_H
#define UK_DIGEST_H

#include "uk/pubkey.h"
#include "uk/sm2.h"

struct uk_sums {
	uint8_t sha256[32]; /* always there */
	uint8_t sha384[48];
	uint8_t sm3[32];
	uint8_t e[32];
	uint8_t z[UK_SM2_Z]; /* of the key that e is for */
	unsigned have;       /* which are there: digest.c */
};

/* What a signature of this key over the data is over; empty when it is not there. */
struct uk_span uk_sums_signed(const struct uk_sums *s, const struct uk_pubkey *k);

/* The plain digest that goes with such a key: SHA-256, SHA-384, SM3; empty when it is not there. */
struct uk_span uk_sums_plain(const struct uk_sums *s, enum uk_keyalg a);

/* Of data that is all there.  k: who will sign; NULL: anybody. */
UK_CHECK enum uk_rc uk_sums_of(struct uk_span data, const struct uk_pubkey *k, struct uk_sums *out);

struct uk_digests;

/* k: as above.  NULL: libcrypto has failed. */
struct uk_digests *uk_digests_new(const struct uk_pubkey *k);
void uk_digests_free(struct uk_digests **d);
UK_CHECK enum uk_rc uk_digests_put(struct uk_digests *d, struct uk_span data);

/* Once, at the end. */
UK_CHECK enum uk_rc uk_digests_end(struct uk_digests *d, struct uk_sums *out);

#endif
