/* What is on the tokens, as read for one call. */
#ifndef PROTOCOL_INVENTORY_H
#define PROTOCOL_INVENTORY_H

#include "token/client.h"
#include "uk/x509.h"

#define INVENTORY_TOKENS  16
#define INVENTORY_OBJECTS 128

struct inventory_object {
	const struct token_info *token;
	enum token_kind kind;
	char key_id[65];
	char label[97];
	bool has_key;
	struct uk_cert *cert;  /* TOKEN_CERT */
	struct uk_pubkey *key; /* TOKEN_KEY */
};

struct inventory {
	struct token_info *tokens;
	size_t n_tokens;
	struct inventory_object *objects;
	size_t n_objects;
	size_t at;        /* the token whose objects are being read */
	const char *only; /* NULL: all tokens */
};

struct call;

/*
 * Read c->inventory, then go on; the objects of one token, or of all that are not blank.  The call
 * fails with "token-not-found" when the one is not there; of all, those that do not answer are left
 * out.
 */
void inventory_load(struct call *c, const char *token, void (*then)(struct call *));

/* The tokens only. */
void inventory_tokens(struct call *c, void (*then)(struct call *));
void inventory_fini(struct inventory *inv);

/* Lent; NULL: not there. */
const struct token_info *inventory_token(const struct inventory *inv, const char *id);
const struct inventory_object *inventory_certificate(
    const struct inventory *inv, const char *fingerprint);
const struct inventory_object *inventory_key(const struct inventory *inv, const char *key_id);

#endif
