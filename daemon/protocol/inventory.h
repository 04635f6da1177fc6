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

/* Lasts as long as somebody holds it; whoever has not made it only reads. */
struct inventory {
	unsigned holders;
	struct token_info *tokens;
	size_t n_tokens;
	struct inventory_object *objects;
	size_t n_objects;
	size_t at;        /* the token whose objects are being read */
	const char *only; /* NULL: all tokens */
	bool partial;     /* a token did not answer */
	bool hasty;       /* one that is at something long is passed over … */
	bool skipped;     /* … as has been done */
	unsigned epoch;   /* of the tokens' content when the reading began */
};

struct call;

/*
 * Read c->inventory, then go on; the objects of one token, or of all that are not blank.  The call
 * fails with "token-not-found" when the one is not there; of all, those that do not answer are left
 * out.
 */
void inventory_load(struct call *c, const char *token, void (*then)(struct call *));

/* All, but for those that are at something long.  Who does not find what he wants loads again. */
void inventory_load_hastily(struct call *c, void (*then)(struct call *));

/* The tokens only. */
void inventory_tokens(struct call *c, void (*then)(struct call *));
void inventory_drop(struct inventory **inv);

/*
 * What was last read of all tokens, kept until one of them is changed by us or reports a change:
 * for who signs again with what he has just signed with.
 */
struct inventory_cache {
	struct inventory *last; /* NULL: nothing that still holds */
	unsigned epoch;
};

void inventory_stale(struct inventory_cache *cache);

/* Does what is kept have this certificate, with its key, on a token that is open?  Then it is
 * c->inventory.  If not, read. */
bool inventory_recall(struct call *c, const char *fingerprint);

/* Lent; NULL: not there. */
const struct token_info *inventory_token(const struct inventory *inv, const char *id);
const struct inventory_object *inventory_certificate(
    const struct inventory *inv, const char *fingerprint);
const struct inventory_object *inventory_key(const struct inventory *inv, const char *key_id);

#endif
