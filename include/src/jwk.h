/* The inside of struct uk_jwk, for ticket.c. */
#ifndef UK_JWK_H
#define UK_JWK_H

#include "uk/ticket.h"

struct uk_jwk {
	json_t *json;
	char thumbprint[UK_THUMB_LEN];
};

/* Exactly the members of a P-256 key, and a point on the curve; with d, a pair. */
bool uk_jwk_sound(const json_t *jwk);

#endif
