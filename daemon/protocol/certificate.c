#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/methods.h"
#include "protocol/sign.h"
#include "protocol/token.h"
#include "uk/b64.h"

#define PROOF_LEN 32

static json_t *
usage_json(const struct uk_cert *cert)
{
	json_t *list = json_array();

	if (uk_cert_may_sign(cert))
		json_array_append_new(list, json_string("sign"));
	if (uk_cert_may_encrypt(cert))
		json_array_append_new(list, json_string("encrypt"));
	return list;
}

static json_t *
certificate_json(const struct inventory_object *o)
{
	const struct uk_cert *cert = o->cert;
	char *der = uk_b64_dup(uk_cert_der(cert));
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:s, s:b, s:s}",
	    "id", uk_cert_fingerprint(cert), "token", o->token->id, "label", o->label, "subject",
	    uk_cert_subject(cert), "issuer", uk_cert_issuer(cert), "commonName",
	    uk_cert_common_name(cert), "serial", uk_cert_serial(cert), "notBefore",
	    (json_int_t)uk_cert_not_before(cert), "notAfter", (json_int_t)uk_cert_not_after(cert),
	    "usage", usage_json(cert), "algorithm", uk_keyalg_name(uk_cert_alg(cert)), "hasKey",
	    (int)o->has_key, "certificate", der);

	free(der);
	return j;
}

static void
listed(struct call *c)
{
	json_t *list = json_array();
	int hidden = 0;

	for (size_t i = 0; i < c->inventory->n_objects; i++) {
		const struct inventory_object *o = &c->inventory->objects[i];

		if (o->cert == NULL || uk_cert_is_ca(o->cert))
			continue;
		if (gate_shows(
			c->env->gate, c->facts.local, c->origin, uk_cert_fingerprint(o->cert)))
			json_array_append_new(list, certificate_json(o));
		else
			hidden++;
	}
	call_reply(c, json_pack("{s:o, s:i}", "certificates", list, "hidden", hidden));
}

void
certificate_list(struct call *c)
{
	const struct certificates_params *p = c->in;

	inventory_load(c, p->token, listed);
}

/* --- certificate.install: written, read back, proved; only then the old one leaves --- */

struct install {
	struct uk_cert *cert;
	char key_id[65];
	struct uk_buf replaces; /* DER of the one that is to leave; empty */
};

static void
install_fini(void *state)
{
	struct install *s = state;

	uk_cert_free(&s->cert);
	uk_buf_fini(&s->replaces);
}

static void
install_done(struct call *c)
{
	const struct install *s = c->state;
	const char *id = uk_cert_fingerprint(s->cert);
	struct uk_err err = { 0 };

	if (!c->facts.local && !gate_shows(c->env->gate, false, c->origin, id) &&
	    sites_grant(c->env->sites, c->origin, &id, 1, &err) != UK_OK) {
		call_fail(c, &err);
		return;
	}
	call_reply(c, json_pack("{s:s}", "certificate", id));
}

static void
old_deleted(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	(void)reply;
	if (err != NULL)
		call_fail(c, err);
	else
		install_done(c);
}

static void
proved(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;

	if (s->replaces.n == 0) {
		install_done(c);
		return;
	}
	call_token(c,
	    &(struct token_call){ .op = TOKEN_DELETE,
		.token = p->token,
		.kind = TOKEN_CERT,
		.data = uk_buf_span(&s->replaces) },
	    CALL_DEADLINE, old_deleted);
}

static void
prove(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;
	const struct inventory_object *o =
	    inventory_certificate(c->inventory, uk_cert_fingerprint(s->cert));
	uint8_t *room;

	if (o == NULL || !o->has_key) {
		call_refuse(c, UK_E_INTEGRITY, "certificate-not-written");
		return;
	}
	room = uk_buf_room(&c->tbs, PROOF_LEN);
	if (room != NULL) {
		c->env->random->bytes(c->env->random->ctx, room, PROOF_LEN);
		uk_buf_add(&c->tbs, PROOF_LEN);
	}
	sign_tbs(c, p->token, s->key_id, uk_cert_pubkey(s->cert), proved);
}

static void
written(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	const struct install_params *p = c->in;

	(void)reply;
	if (err != NULL)
		call_fail(c, err);
	else
		inventory_load(c, p->token, prove);
}

/* The same again is no second copy: a page that was cut off may ask once more. */
static void
write_it(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;

	(void)snprintf(c->object.certificate, sizeof(c->object.certificate), "%s",
	    uk_cert_fingerprint(s->cert));
	if (inventory_certificate(c->inventory, uk_cert_fingerprint(s->cert)) != NULL) {
		prove(c);
		return;
	}
	call_token(c,
	    &(struct token_call){ .op = TOKEN_PUT_CERT,
		.token = p->token,
		.key_id = s->key_id,
		.label =
		    uk_cert_common_name(s->cert)[0] != '\0' ? uk_cert_common_name(s->cert) : "UKEY",
		.data = uk_cert_der(s->cert) },
	    CALL_DEADLINE, written);
}

static bool
same_key(const struct uk_pubkey *a, const struct uk_pubkey *b)
{
	struct uk_buf x, y;
	bool same;

	uk_buf_init(&x, 2048);
	uk_buf_init(&y, 2048);
	same = uk_pubkey_spki(a, &x) == UK_OK && uk_pubkey_spki(b, &y) == UK_OK &&
	       uk_span_eq(uk_buf_span(&x), uk_buf_span(&y));
	uk_buf_fini(&x);
	uk_buf_fini(&y);
	return same;
}

/* The key pair that the certificate is for; of all, or of the one that was named. */
static const char *
find_key(struct call *c)
{
	const struct install_params *p = c->in;
	struct install *s = c->state;

	for (size_t i = 0; i < c->inventory->n_objects; i++) {
		const struct inventory_object *o = &c->inventory->objects[i];

		if (o->key == NULL || (p->key != NULL && strcmp(p->key, o->key_id) != 0))
			continue;
		if (same_key(o->key, uk_cert_pubkey(s->cert))) {
			memcpy(s->key_id, o->key_id, sizeof(s->key_id));
			return NULL;
		}
	}
	return p->key == NULL || inventory_key(c->inventory, p->key) == NULL ? "key-not-found"
									     : "key-mismatch";
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
	uk_buf_put(&s->replaces, uk_cert_der(old->cert));
	c->object.leaves = uk_cert_common_name(old->cert);
	return NULL;
}

static void
inspect(struct call *c)
{
	const struct install_params *p = c->in;
	const struct install *s = c->state;
	const char *wrong;

	if (!token_about(c, p->token))
		return;
	wrong = find_key(c);
	if (wrong == NULL)
		wrong = find_old(c);
	if (wrong != NULL) {
		call_refuse(c, UK_E_CONFLICT, wrong);
		return;
	}
	c->object.title = uk_cert_common_name(s->cert);
	/* Who agreed to a new key has not agreed to losing an old certificate. */
	if (s->replaces.n == 0)
		key_remember(c, s->key_id);
	call_allow(c, write_it);
}

/* Each is signed by the next. */
static enum uk_rc
check_chain(const struct uk_cert *leaf, const json_t *chain, struct uk_err *err)
{
	const size_t n = json_array_size(chain);
	struct uk_cert *v[PARAMS_CHAIN_MAX] = { NULL };
	const struct uk_cert *child = leaf;
	enum uk_rc rc = UK_OK;

	for (size_t i = 0; rc == UK_OK && i < n; i++) {
		const char *s = json_string_value(json_array_get(chain, i));
		struct uk_buf der;

		uk_buf_init(&der, UK_CERT_MAX);
		if (s == NULL || uk_b64_get(&der, s) != UK_OK)
			rc = uk_fail_field(err, "chain", NULL);
		else
			rc = uk_cert_parse(uk_buf_span(&der), &v[i], err);
		if (rc == UK_OK)
			rc = uk_cert_verify(child, v[i], err);
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

	uk_buf_init(&s->replaces, UK_CERT_MAX);
	if (uk_cert_parse(uk_buf_span(&p->certificate), &s->cert, &err) != UK_OK ||
	    check_chain(s->cert, p->chain, &err) != UK_OK)
		call_fail(c, &err);
	else
		inventory_load(c, p->token, inspect);
}
