#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/methods.h"
#include "protocol/pkcs10.h"
#include "protocol/sign.h"
#include "protocol/token.h"
#include "uk/b64.h"

#define REQUEST_MAX 8192
#define SPKI_MAX    2048

/* Who agreed to a new key has agreed to asking for its certificate and to writing it. */
#define KEY_CONSENT (10 * 60)

void
key_remember(struct call *c, const char *key_id)
{
	(void)snprintf(
	    c->object.remember, sizeof(c->object.remember), "key %s %s", c->object.token, key_id);
}

bool
key_same(const struct uk_pubkey *a, const struct uk_pubkey *b)
{
	struct uk_buf x, y;
	bool same;

	uk_buf_init(&x, SPKI_MAX);
	uk_buf_init(&y, SPKI_MAX);
	same = uk_pubkey_spki(a, &x) == UK_OK && uk_pubkey_spki(b, &y) == UK_OK &&
	       uk_span_eq(uk_buf_span(&x), uk_buf_span(&y));
	uk_buf_fini(&x);
	uk_buf_fini(&y);
	return same;
}

bool
key_hidden(const struct call *c, const struct uk_pubkey *key, const char *but)
{
	for (size_t i = 0; i < c->inventory->n_objects; i++) {
		const struct uk_cert *cert = c->inventory->objects[i].cert;

		if (cert == NULL || !key_same(uk_cert_pubkey(cert), key) ||
		    strcmp(uk_cert_fingerprint(cert), but) == 0)
			continue;
		if (!gate_shows(c->env->gate, c->facts.local, c->origin, uk_cert_fingerprint(cert)))
			return true;
	}
	return false;
}

static void
generated(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct uk_pubkey *key = NULL;
	struct uk_err bad = { 0 };
	char *spki;

	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	if (uk_pubkey_from_spki(reply->data, &key, &bad) != UK_OK) {
		call_fail(c, &bad);
		return;
	}
	uk_pubkey_free(&key);
	key_remember(c, reply->key_id);
	c->facts.object = c->object.remember;
	gate_consented(c->env->gate, &c->facts, KEY_CONSENT);
	spki = uk_b64_dup(reply->data);
	call_reply(c, json_pack("{s:s, s:s}", "key", reply->key_id, "publicKey", spki));
	free(spki);
}

static void
generate(struct call *c)
{
	const struct key_params *p = c->in;

	call_token(c,
	    &(struct token_call){ .op = TOKEN_KEYGEN,
		.token = p->token,
		.alg = uk_keyalg_from_name(p->algorithm),
		.label = p->label != NULL ? p->label : "UKEY" },
	    CALL_DEADLINE_KEY, generated);
}

static void
token_found(struct call *c)
{
	const struct key_params *p = c->in;

	if (token_about(c, p->token))
		call_allow(c, generate);
}

void
key_generate(struct call *c)
{
	inventory_tokens(c, token_found);
}

/* --- request.create --- */

struct request_state {
	struct subject_params subject;
	struct pkcs10 *request;
};

static void
state_fini(void *state)
{
	struct request_state *s = state;

	pkcs10_free(&s->request);
}

static void
request_signed(struct call *c)
{
	struct request_state *s = c->state;
	struct uk_err err = { 0 };
	struct uk_buf der;
	char *b64;

	uk_buf_init(&der, REQUEST_MAX);
	if (pkcs10_finish(s->request, uk_buf_span(&c->signature), &der, &err) != UK_OK) {
		call_fail(c, &err);
	} else {
		b64 = uk_b64_dup(uk_buf_span(&der));
		call_reply(c, json_pack("{s:s}", "request", b64));
		free(b64);
	}
	uk_buf_fini(&der);
}

static void
request_allowed(struct call *c)
{
	const struct request_params *p = c->in;
	struct request_state *s = c->state;
	const struct inventory_object *o = inventory_key(c->inventory, p->key);
	const struct pkcs10_subject subject = { .common_name = s->subject.common_name,
		.organization = s->subject.organization,
		.country = s->subject.country };
	struct uk_err err = { 0 };

	if (pkcs10_new(o->key, &subject, &s->request, &c->tbs, &err) != UK_OK) {
		call_fail(c, &err);
		return;
	}
	sign_tbs(c, p->token, p->key, o->key, request_signed);
}

static void
request_key(struct call *c)
{
	const struct request_params *p = c->in;
	const struct request_state *s = c->state;
	const struct inventory_object *o;

	if (!token_about(c, p->token))
		return;
	o = inventory_key(c->inventory, p->key);
	if (o == NULL || key_hidden(c, o->key, "")) {
		call_refuse(c, UK_E_NOT_FOUND, "key-not-found");
		return;
	}
	c->object.title = s->subject.common_name;
	key_remember(c, p->key);
	call_allow(c, request_allowed);
}

void
request_create(struct call *c)
{
	const struct request_params *p = c->in;
	struct request_state *s = call_state(c, sizeof(*s), state_fini);
	struct uk_err err = { 0 };

	if (uk_fields_read(
		params_subject.fields, params_subject.n, p->subject, &s->subject, &err) != UK_OK)
		call_fail(c, &err);
	else
		inventory_load(c, p->token, request_key);
}
