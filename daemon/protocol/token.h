/* Tokens, as the API shows them. */
#ifndef PROTOCOL_TOKEN_H
#define PROTOCOL_TOKEN_H

#include "protocol/call.h"

json_t *token_json(const struct token_info *t);

/* {id, algorithms, can}: what it can be asked for. */
json_t *token_can_json(const struct token_info *t);

/* Fill c->object from c->inventory; false: the call has failed, the token is not there. */
bool token_about(struct call *c, const char *token);

/* In key.c: one consent covers a new key, its request and its certificate. */
void key_remember(struct call *c, const char *key_id);
bool key_same(const struct uk_pubkey *a, const struct uk_pubkey *b);

/* Is it the key of a certificate, other than the one of fingerprint `but`, that the site may not
 * see?  Then it is none of the site's. */
bool key_hidden(const struct call *c, const struct uk_pubkey *key, const char *but);

#endif
