#include <stdlib.h>
#include <string.h>

#include "protocol/call.h"
#include "protocol/inventory.h"

static bool
wanted(const struct inventory *inv, const struct token_info *t)
{
	return inv->only != NULL ? strcmp(t->id, inv->only) == 0 : t->state != TOKEN_BLANK;
}

static void
copy_tokens(struct inventory *inv, const struct token_reply *reply)
{
	size_t n = reply->n_tokens;

	if (n > INVENTORY_TOKENS)
		n = INVENTORY_TOKENS;
	inv->tokens = uk_xalloc(INVENTORY_TOKENS * sizeof(*inv->tokens));
	if (n > 0)
		memcpy(inv->tokens, reply->tokens, n * sizeof(*inv->tokens));
	inv->n_tokens = n;
}

/* What does not parse is not there: a token may hold anything. */
static void
copy_object(struct inventory *inv, const struct token_info *token, const struct token_object *from)
{
	struct inventory_object *to = &inv->objects[inv->n_objects];

	memset(to, 0, sizeof(*to));
	to->token = token;
	to->kind = from->kind;
	to->has_key = from->has_key;
	memcpy(to->key_id, from->key_id, sizeof(to->key_id));
	memcpy(to->label, from->label, sizeof(to->label));
	if (from->kind == TOKEN_CERT ? uk_cert_parse(from->data, &to->cert, NULL) != UK_OK
				     : uk_pubkey_from_spki(from->data, &to->key, NULL) != UK_OK)
		return;
	inv->n_objects++;
}

static void next_token(struct call *c);

static void
objects_read(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct inventory *inv = &c->inventory;

	if (err != NULL && inv->only != NULL) {
		call_fail(c, err);
		return;
	}
	for (size_t i = 0; err == NULL && i < reply->n_objects; i++)
		if (inv->n_objects < INVENTORY_OBJECTS)
			copy_object(inv, &inv->tokens[inv->at], &reply->objects[i]);
	inv->at++;
	next_token(c);
}

static void
next_token(struct call *c)
{
	struct inventory *inv = &c->inventory;

	while (inv->at < inv->n_tokens && !wanted(inv, &inv->tokens[inv->at]))
		inv->at++;
	if (inv->at == inv->n_tokens) {
		c->then(c);
		return;
	}
	call_token(c, &(struct token_call){ .op = TOKEN_OBJECTS, .token = inv->tokens[inv->at].id },
	    CALL_DEADLINE, objects_read);
}

static void
listed(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct inventory *inv = &c->inventory;

	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	copy_tokens(inv, reply);
	if (inv->only != NULL && inventory_token(inv, inv->only) == NULL) {
		call_refuse(c, UK_E_NOT_FOUND, "token-not-found");
		return;
	}
	inv->objects = uk_xalloc(INVENTORY_OBJECTS * sizeof(*inv->objects));
	next_token(c);
}

static void
listed_only(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	copy_tokens(&c->inventory, reply);
	c->then(c);
}

void
inventory_load(struct call *c, const char *token, void (*then)(struct call *))
{
	inventory_fini(&c->inventory);
	c->inventory.only = token;
	c->then = then;
	call_token(c, &(struct token_call){ .op = TOKEN_LIST }, CALL_DEADLINE, listed);
}

void
inventory_tokens(struct call *c, void (*then)(struct call *))
{
	inventory_fini(&c->inventory);
	c->then = then;
	call_token(c, &(struct token_call){ .op = TOKEN_LIST }, CALL_DEADLINE, listed_only);
}

void
inventory_fini(struct inventory *inv)
{
	for (size_t i = 0; i < inv->n_objects; i++) {
		uk_cert_free(&inv->objects[i].cert);
		uk_pubkey_free(&inv->objects[i].key);
	}
	free(inv->objects);
	free(inv->tokens);
	*inv = (struct inventory){ 0 };
}

const struct token_info *
inventory_token(const struct inventory *inv, const char *id)
{
	for (size_t i = 0; i < inv->n_tokens; i++)
		if (strcmp(inv->tokens[i].id, id) == 0)
			return &inv->tokens[i];
	return NULL;
}

/* One with its key is taken before a copy without. */
const struct inventory_object *
inventory_certificate(const struct inventory *inv, const char *fingerprint)
{
	const struct inventory_object *found = NULL;

	for (size_t i = 0; i < inv->n_objects; i++) {
		const struct inventory_object *o = &inv->objects[i];

		if (o->cert != NULL && strcmp(uk_cert_fingerprint(o->cert), fingerprint) == 0 &&
		    (found == NULL || (o->has_key && !found->has_key)))
			found = o;
	}
	return found;
}

const struct inventory_object *
inventory_key(const struct inventory *inv, const char *key_id)
{
	for (size_t i = 0; i < inv->n_objects; i++)
		if (inv->objects[i].key != NULL && strcmp(inv->objects[i].key_id, key_id) == 0)
			return &inv->objects[i];
	return NULL;
}
