#include <stdlib.h>
#include <string.h>

#include "protocol/call.h"
#include "protocol/inventory.h"

static bool
wanted(const struct call *c, const struct token_info *t)
{
	struct inventory *inv = c->inventory;

	if (inv->only != NULL)
		return strcmp(t->id, inv->only) == 0;
	if (t->state == TOKEN_BLANK)
		return false;
	if (!inv->hasty || !token_stuck(c->env->tokens, t->id))
		return true;
	inv->skipped = inv->partial = true;
	return false;
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
	struct inventory *inv = c->inventory;

	if (err != NULL && inv->only != NULL) {
		call_fail(c, err);
		return;
	}
	inv->partial = inv->partial || err != NULL;
	for (size_t i = 0; err == NULL && i < reply->n_objects; i++)
		if (inv->n_objects < INVENTORY_OBJECTS)
			copy_object(inv, &inv->tokens[inv->at], &reply->objects[i]);
	inv->at++;
	next_token(c);
}

static void
keep(struct call *c)
{
	struct inventory_cache *cache = rpc_inventory(c->rpc);

	if (c->inventory->only != NULL || c->inventory->partial ||
	    c->inventory->epoch != cache->epoch)
		return;
	inventory_drop(&cache->last);
	cache->last = c->inventory;
	cache->last->holders++;
}

static void
next_token(struct call *c)
{
	struct inventory *inv = c->inventory;

	while (inv->at < inv->n_tokens && !wanted(c, &inv->tokens[inv->at]))
		inv->at++;
	if (inv->at == inv->n_tokens) {
		keep(c);
		c->then(c);
		return;
	}
	call_token(c, &(struct token_call){ .op = TOKEN_OBJECTS, .token = inv->tokens[inv->at].id },
	    CALL_DEADLINE, objects_read);
}

static void
listed(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct inventory *inv = c->inventory;

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
	copy_tokens(c->inventory, reply);
	c->then(c);
}

static void
begin(struct call *c, const char *only, void (*then)(struct call *), call_token_fn *done)
{
	inventory_drop(&c->inventory);
	c->inventory = uk_xalloc(sizeof(*c->inventory));
	c->inventory->holders = 1;
	c->inventory->only = only;
	c->inventory->epoch = rpc_inventory(c->rpc)->epoch;
	c->then = then;
	call_token(c, &(struct token_call){ .op = TOKEN_LIST }, CALL_DEADLINE, done);
}

void
inventory_load(struct call *c, const char *token, void (*then)(struct call *))
{
	begin(c, token, then, listed);
}

void
inventory_load_hastily(struct call *c, void (*then)(struct call *))
{
	begin(c, NULL, then, listed);
	c->inventory->hasty = true;
}

void
inventory_tokens(struct call *c, void (*then)(struct call *))
{
	begin(c, NULL, then, listed_only);
}

void
inventory_drop(struct inventory **p)
{
	struct inventory *inv = *p;

	*p = NULL;
	if (inv == NULL || --inv->holders > 0)
		return;
	for (size_t i = 0; i < inv->n_objects; i++) {
		uk_cert_free(&inv->objects[i].cert);
		uk_pubkey_free(&inv->objects[i].key);
	}
	free(inv->objects);
	free(inv->tokens);
	free(inv);
}

void
inventory_stale(struct inventory_cache *cache)
{
	cache->epoch++;
	inventory_drop(&cache->last);
}

/* A token that is locked is looked at anew: how many tries are left is not to be old news. */
static bool
open_now(const struct call *c, const char *id)
{
	size_t n;
	const struct token_info *t = token_known(c->env->tokens, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(t[i].id, id) == 0)
			return t[i].logged_in && t[i].state == TOKEN_READY;
	return false;
}

bool
inventory_recall(struct call *c, const char *fingerprint)
{
	struct inventory *last = rpc_inventory(c->rpc)->last;
	const struct inventory_object *o =
	    last != NULL ? inventory_certificate(last, fingerprint) : NULL;

	if (o == NULL || !o->has_key || !o->token->logged_in || !open_now(c, o->token->id))
		return false;
	inventory_drop(&c->inventory);
	c->inventory = last;
	last->holders++;
	return true;
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
