/* The CA's side of an unlock: the ticket it seals, and how it judges the receipt. */
#ifndef TESTS_DAEMON_TICKET_H
#define TESTS_DAEMON_TICKET_H

#include <jansson.h>

#include "uk/ticket.h"

/* NULL: the usual one of an unlock; `token`, `certificate`, `origin` and `so` have none. */
struct ticket {
	const char *purpose, *token, *certificate, *origin;
	const char *so, *old, *next;
	int64_t life; /* seconds; 0: a minute */
};

#define TICKET_ORDER "UK26112200000007"
#define TICKET_JTI   "jti-1"
#define TICKET_NONCE "nonce-0123456789"

/* `channel` as agent.channel gave it.  The caller frees. */
char *ticket_seal(const struct ticket *t, const struct uk_jwk *ca, const json_t *channel);

/* pin.unlock's result proves this unlock by this certificate's key, with this algorithm. */
void ticket_receipt_holds(const json_t *result, const struct ticket *t, const char *algorithm);

#endif
