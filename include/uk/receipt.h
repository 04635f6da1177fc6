/*
 * What a token signs to prove an unlock: "ukey-unlock-1", NUL, then origin, order, jti and nonce of
 * the ticket, each as a 4-byte big-endian length and the bytes.  So the CA knows that the SO PIN of
 * that ticket is on the token.  pin.unlock alone signs data that begins so.
 */
#ifndef UK_RECEIPT_H
#define UK_RECEIPT_H

#include "uk/buf.h"

struct uk_receipt {
	const char *origin; /* as the browser says it: "https://ca.example" */
	const char *order;
	const char *jti;   /* of the ticket */
	const char *nonce; /* the ticket's, 16 to 128 bytes */
};

void uk_receipt_put(struct uk_buf *out, const struct uk_receipt *r);

/* Does data begin like a receipt? */
bool uk_receipt_begins(struct uk_span data);

#endif
