#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/dual.h"
#include "protocol/methods.h"
#include "protocol/sign.h"
#include "protocol/token.h"
#include "uk/b64.h"

/*
 * certificate.install: the encryption key and its certificate, the signing certificate, then the
 * proof that each works; only then the old one leaves.  Every step looks whether it has been done:
 * what a pulled key has cut off, the same call completes.
 */

#define PROOF_LEN 32

struct install {
	struct uk_cert *cert;
	char key_id[65];
	bool dual;
	struct dual encryption;
	char encryption_key[65];
	struct dual_proof proof;
	struct uk_buf replaces; /* DER of the one that is to leave; empty */
	char replaces_key[65];  /* its key, where nothing but that certificate needs it; "" */
	bool stayed;            /* the token can't part with it */
};

static void
install_fini(void *state)
{
	struct install *s = state;

	uk_cert_free(&s->cert);
	dual_fini(&s->encryption);
	dual_proof_fini(&s->proof);
	uk_buf_fini(&s->replaces);
}

/* --- the end: the site sees what it has brought --- */

static void
done(struct call *c)
{
	const struct install *s = c->state;
	const char *ids[2] = { uk_cert_fingerprint(s->cert) };
	struct uk_err err = { 0 };
	json_t *result;

	if (s->dual)
		ids[1] = uk_cert_fingerprint(s->encryption.cert);
	for (size_t i = 0; i < 2 && ids[i] != NULL; i++)
		if (!c->facts.local && !gate_shows(c->env->gate, false, c->origin, ids[i]) &&
		    sites_grant(c->env->sites, c->origin, &ids[i], 1, &err) != UK_OK) {
			call_fail(c, &err);
			return;
		}
	result = json_pack("{s:s}", "certificate", ids[0]);
	if (s->dual)
		json_object_set_new(result, "encryptionCertificate", json_string(ids[1]));
	if (s->replaces.n != 0)
		json_object_set_new(result, "replaced", json_boolean(!s->stayed));
	call_reply(c, result);
}

/* --- the old one --- */

/* It may have left with its key; and SKF can't part a pair from another one of its container. */
static bool
left(struct install *s, const struct uk_err *err)
{
	s->stayed = err != NULL && err->rc == UK_E_UNSUPPORTED;
	return err == NULL || err->rc == UK_E_NOT_FOUND || s->stayed;
}

static void
old_certificate_deleted(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	(void)reply;
	if (left(c->state, err))
		done(c);
	else
		call_fail(c, err);
}

static void
delete_old_certificate(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;

	call_token(c,
	    &(struct token_call){ .op = TOKEN_DELETE,
		.token = p->token,
		.kind = TOKEN_CERT,
		.data = uk_buf_span(&s->replaces) },
	    CALL_DEADLINE, old_certificate_deleted);
}

static void
old_key_deleted(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	(void)reply;
	if (left(c->state, err))
		delete_old_certificate(c);
	else
		call_fail(c, err);
}

/* The key first: a certificate whose key has gone is still found by a repeated call. */
static void
proved(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;

	if (s->replaces.n == 0)
		done(c);
	else if (s->replaces_key[0] == '\0')
		delete_old_certificate(c);
	else
		call_token(c,
		    &(struct token_call){ .op = TOKEN_DELETE,
			.token = p->token,
			.kind = TOKEN_KEY,
			.key_id = s->replaces_key },
		    CALL_DEADLINE, old_key_deleted);
}

/* --- the proof --- */

static void
opened(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	const struct install *s = c->state;

	if (err != NULL)
		call_fail(c, err);
	else if (!dual_proof_holds(&s->proof, reply->data))
		call_refuse(c, UK_E_INTEGRITY, "decryption-wrong");
	else
		proved(c);
}

static void
signs(struct call *c)
{
	const struct install_params *p = c->in;
	struct install *s = c->state;
	struct uk_err err = { 0 };

	if (!s->dual) {
		proved(c);
		return;
	}
	if (dual_proof_make(s->encryption.cert, c->env->random, &s->proof, &err) != UK_OK) {
		call_fail(c, &err);
		return;
	}
	call_token(c,
	    &(struct token_call){ .op = TOKEN_DECRYPT,
		.token = p->token,
		.key_id = s->encryption_key,
		.scheme = TOKEN_SM2_SM4_CBC,
		.data = uk_buf_span(&s->proof.key),
		.iv = uk_span(s->proof.iv, sizeof(s->proof.iv)),
		.content = uk_buf_span(&s->proof.content) },
	    CALL_DEADLINE, opened);
}

static bool
is_there(const struct call *c, const struct uk_cert *cert)
{
	const struct inventory_object *o =
	    inventory_certificate(c->inventory, uk_cert_fingerprint(cert));

	return o != NULL && o->has_key;
}

static void
prove(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;
	uint8_t *room;

	if (!is_there(c, s->cert) || (s->dual && !is_there(c, s->encryption.cert))) {
		call_refuse(c, UK_E_INTEGRITY, "certificate-not-written");
		return;
	}
	room = uk_buf_room(&c->tbs, PROOF_LEN);
	if (room != NULL) {
		c->env->random->bytes(c->env->random->ctx, room, PROOF_LEN);
		uk_buf_add(&c->tbs, PROOF_LEN);
	}
	sign_tbs(c, p->token, s->key_id, uk_cert_pubkey(s->cert), signs);
}

/* --- what is written --- */

/* The same again is no second copy: a page that was cut off may ask once more. */
static void
put(struct call *c, const struct uk_cert *cert, const char *key_id, call_fn *next,
    call_token_fn *written)
{
	const struct install_params *p = c->in;
	const char *name = uk_cert_common_name(cert);

	if (inventory_certificate(c->inventory, uk_cert_fingerprint(cert)) != NULL)
		next(c);
	else
		call_token(c,
		    &(struct token_call){ .op = TOKEN_PUT_CERT,
			.token = p->token,
			.key_id = key_id,
			.label = name[0] != '\0' ? name : "UKEY",
			.data = uk_cert_der(cert) },
		    CALL_DEADLINE, written);
}

static void
read_back(struct call *c)
{
	const struct install_params *p = c->in;

	inventory_load(c, p->token, prove);
}

static void
signing_written(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	(void)reply;
	if (err != NULL)
		call_fail(c, err);
	else
		read_back(c);
}

static void
write_signing(struct call *c)
{
	const struct install *s = c->state;

	put(c, s->cert, s->key_id, read_back, signing_written);
}

static void
encryption_written(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	(void)reply;
	if (err != NULL)
		call_fail(c, err);
	else
		write_signing(c);
}

static void
write_encryption(struct call *c)
{
	const struct install *s = c->state;

	put(c, s->encryption.cert, s->encryption_key, write_signing, encryption_written);
}

static void
imported(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct install *s = c->state;

	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	(void)snprintf(s->encryption_key, sizeof(s->encryption_key), "%s", reply->key_id);
	write_encryption(c);
}

static void
write_all(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;

	(void)snprintf(c->object.certificate, sizeof(c->object.certificate), "%s",
	    uk_cert_fingerprint(s->cert));
	if (!s->dual)
		write_signing(c);
	else if (s->encryption_key[0] != '\0')
		write_encryption(c);
	else
		call_token(c,
		    &(struct token_call){ .op = TOKEN_PUT_KEY,
			.token = p->token,
			.key_id = s->key_id,
			.data = uk_buf_span(&s->encryption.key) },
		    CALL_DEADLINE, imported);
}

/* --- what it is about --- */

/* The key pair of this public key; of all, or of the one that was named. */
static const struct inventory_object *
pair_of(const struct call *c, const struct uk_pubkey *public, const char *named)
{
	for (size_t i = 0; i < c->inventory->n_objects; i++) {
		const struct inventory_object *o = &c->inventory->objects[i];

		if (o->key != NULL && (named == NULL || strcmp(named, o->key_id) == 0) &&
		    key_same(o->key, public))
			return o;
	}
	return NULL;
}

static const char *
find_keys(struct call *c)
{
	const struct install_params *p = c->in;
	struct install *s = c->state;
	const struct inventory_object *o = pair_of(c, uk_cert_pubkey(s->cert), p->key);

	if (o == NULL)
		return p->key == NULL || inventory_key(c->inventory, p->key) == NULL
			   ? "key-not-found"
			   : "key-mismatch";
	memcpy(s->key_id, o->key_id, sizeof(s->key_id));
	o = s->dual ? pair_of(c, uk_cert_pubkey(s->encryption.cert), NULL) : NULL;
	if (o != NULL)
		memcpy(s->encryption_key, o->key_id, sizeof(s->encryption_key));
	return NULL;
}

/*
 * What was encrypted to an old key has to open for ever: only one that signed, for no other
 * certificate, leaves.
 */
static bool
key_leaves(const struct call *c, const struct inventory_object *old)
{
	const struct install *s = c->state;

	if (old->key_id[0] == '\0' || uk_cert_may_encrypt(old->cert) ||
	    strcmp(old->key_id, s->key_id) == 0)
		return false;
	for (size_t i = 0; i < c->inventory->n_objects; i++) {
		const struct inventory_object *o = &c->inventory->objects[i];

		if (o->cert != NULL && o != old && strcmp(o->key_id, old->key_id) == 0)
			return false;
	}
	return true;
}

static const char *
find_old(struct call *c)
{
	const struct install_params *p = c->in;
	struct install *s = c->state;
	const struct inventory_object *old;

	if (p->replaces == NULL)
		return NULL;
	if (strcmp(p->replaces, uk_cert_fingerprint(s->cert)) == 0)
		return "certificate-replaces-itself";
	old = inventory_certificate(c->inventory, p->replaces);
	/* It has gone already when the answer to the first attempt was lost. */
	if (old == NULL)
		return NULL;
	if (!gate_shows(c->env->gate, c->facts.local, c->origin, p->replaces))
		return "certificate-not-found";
	if (!uk_cert_may_sign(old->cert))
		return "certificate-not-for-signing";
	uk_buf_put(&s->replaces, uk_cert_der(old->cert));
	if (key_leaves(c, old))
		memcpy(s->replaces_key, old->key_id, sizeof(s->replaces_key));
	c->object.leaves = uk_cert_common_name(old->cert);
	return NULL;
}

/*
 * Anybody can make a certificate for a key that he has only seen: with a name of his choice it
 * would be a site's own way to what it may not see, and take the place of the other (SKF has one).
 */
static bool
takes_over(const struct call *c)
{
	const struct install *s = c->state;

	return key_hidden(c, uk_cert_pubkey(s->cert), uk_cert_fingerprint(s->cert)) ||
	       (s->dual && key_hidden(c, uk_cert_pubkey(s->encryption.cert),
			       uk_cert_fingerprint(s->encryption.cert)));
}

static void
inspect(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;
	const char *wrong;

	if (!token_about(c, p->token))
		return;
	wrong = find_keys(c);
	if (wrong == NULL)
		wrong = find_old(c);
	if (wrong == NULL && takes_over(c))
		wrong = "key-not-found";
	if (wrong != NULL) {
		call_refuse(c, UK_E_CONFLICT, wrong);
		return;
	}
	c->object.title = uk_cert_common_name(s->cert);
	/* Who agreed to a new key has not agreed to losing an old certificate. */
	if (s->replaces.n == 0)
		key_remember(c, s->key_id);
	call_allow(c, write_all);
}

/* Each is signed by the next. */
static enum uk_rc
check_chain(const struct install *s, const json_t *chain, struct uk_err *err)
{
	const size_t n = json_array_size(chain);
	struct uk_cert *v[PARAMS_CHAIN_MAX] = { NULL };
	const struct uk_cert *child = s->cert;
	enum uk_rc rc = UK_OK;

	for (size_t i = 0; rc == UK_OK && i < n; i++) {
		const char *text = json_string_value(json_array_get(chain, i));
		struct uk_buf der;

		uk_buf_init(&der, UK_CERT_MAX);
		if (text == NULL || uk_b64_get(&der, text) != UK_OK)
			rc = uk_fail_field(err, "chain", NULL);
		else
			rc = uk_cert_parse(uk_buf_span(&der), &v[i], err);
		if (rc == UK_OK)
			rc = uk_cert_verify(child, v[i], err);
		if (rc == UK_OK && i == 0 && s->dual)
			rc = uk_cert_verify(s->encryption.cert, v[i], err);
		uk_buf_fini(&der);
		child = v[i];
	}
	for (size_t i = 0; i < n; i++)
		uk_cert_free(&v[i]);
	return rc;
}

void
certificate_install(struct call *c)
{
	const struct install_params *p = c->in;
	struct install *s = call_state(c, sizeof(*s), install_fini);
	struct uk_err err = { 0 };

	s->dual = p->encryption != NULL;
	uk_buf_init(&s->replaces, UK_CERT_MAX);
	if (uk_cert_parse(uk_buf_span(&p->certificate), &s->cert, &err) != UK_OK ||
	    (s->dual && dual_read(p->encryption, &s->encryption, &err) != UK_OK) ||
	    check_chain(s, p->chain, &err) != UK_OK)
		call_fail(c, &err);
	else
		inventory_load(c, p->token, inspect);
}
