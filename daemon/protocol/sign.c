#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/data.h"
#include "protocol/sign.h"
#include "uk/b64.h"
#include "uk/login.h"
#include "uk/receipt.h"

static void
signed_by_token(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct uk_err bad = { 0 };

	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	uk_buf_reset(&c->signature);
	uk_buf_put(&c->signature, reply->data);
	/*
	 * A faulty token's signature can give its key away, so it goes nowhere.  This is the one
	 * place that verifies: the helper shares its memory with the vendor's module, so its word
	 * would be worth no more than the module's, and a second verification would cost as much
	 * as the signature.
	 */
	if (uk_verify_digest(c->key, uk_span(c->digest, c->n_digest), uk_buf_span(&c->signature),
		&bad) != UK_OK) {
		token_distrust(c->env->tokens, c->object.token);
		call_fail(c, &bad);
		return;
	}
	c->then(c);
}

void
sign_tbs(struct call *c, const char *token, const char *key_id, const struct uk_pubkey *key,
    call_fn *then)
{
	struct uk_buf digest;

	c->then = then;
	c->key = key;
	uk_buf_init(&digest, sizeof(c->digest));
	if (uk_buf_failed(&c->tbs) || uk_digest(key, uk_buf_span(&c->tbs), &digest) != UK_OK) {
		call_refuse(c, UK_E_UNSUPPORTED, "algorithm-unsupported");
		uk_buf_fini(&digest);
		return;
	}
	memcpy(c->digest, digest.p, digest.n);
	c->n_digest = digest.n;
	uk_buf_fini(&digest);
	call_token(c,
	    &(struct token_call){ .op = TOKEN_SIGN,
		.token = token,
		.key_id = key_id,
		.alg = uk_pubkey_alg(key),
		.data = uk_span(c->digest, c->n_digest) },
	    CALL_DEADLINE, signed_by_token);
}

/* A log-in is had by login.create only, where the origin is ours to say. */
enum uk_rc
sign_read_data(struct call *c, const struct item_params *of, enum signing_form form,
    struct signing_data *out, struct uk_err *err)
{
	const bool here = of->data.max != 0; /* its field was there, and may be empty */

	if (here == (of->data_id != NULL))
		return uk_fail_field(err, here ? "dataId" : "data", here ? NULL : "missing");
	if (!here && form == SIGNING_ATTACHED)
		return uk_fail(err, UK_E_LIMIT, "data-too-large-to-attach", "sign", 0);
	if (!here)
		return data_sums(rpc_data(c->rpc), c->conn, of->data_id, &out->sums, err);
	out->here = true;
	out->content = uk_buf_span(&of->data);
	if (uk_login_begins(out->content))
		return uk_fail(err, UK_E_DENIED, "login-challenge-refused", "sign", 0);
	if (uk_receipt_begins(out->content))
		return uk_fail(err, UK_E_DENIED, "receipt-refused", "sign", 0);
	return uk_sums_of(out->content, NULL, &out->sums) == UK_OK
		   ? UK_OK
		   : uk_fail(err, UK_E_INTERNAL, NULL, "sign", 0);
}

enum uk_rc
sign_read_how(
    const char *format, const json_t *profile, struct signing_how *out, struct uk_err *err)
{
	struct profile_params p = { .arc = "gm", .signature_oid = "301.1" };
	enum uk_rc rc;

	out->form = signing_form_of(format);
	out->profile = cms_profile_gm;
	if (profile == NULL)
		return UK_OK;
	if (out->form != SIGNING_ATTACHED && out->form != SIGNING_DETACHED)
		return uk_fail_field(err, "profile", NULL);
	rc = uk_fields_read(params_profile.fields, params_profile.n, profile, &p, err);
	if (rc != UK_OK)
		return rc;
	out->profiled = true;
	out->profile = (struct cms_profile){ .gm_arc = strcmp(p.arc, "gm") == 0,
		.sm2_sm3 = strcmp(p.signature_oid, "501") == 0,
		.attributes = p.attributes };
	return UK_OK;
}

void
sign_tell_digest(const uint8_t sha256[32], char out[65])
{
	struct uk_buf hex;

	uk_buf_init(&hex, 64);
	uk_hex_put(&hex, uk_span(sha256, 32));
	memcpy(out, uk_buf_str(&hex), 65);
	uk_buf_fini(&hex);
}

void
sign_about_token(struct call *c, const struct token_info *token)
{
	(void)snprintf(c->object.token, sizeof(c->object.token), "%s", token->id);
	call_about(c, token);
	if (c->object.name == NULL)
		c->object.name = token->label[0] != '\0' ? token->label : token->id;
}

const struct inventory_object *
sign_object(const struct call *c)
{
	return c->sign.found;
}

enum uk_rc
sign_fits(struct call *c, struct uk_err *err)
{
	const struct inventory_object *o = sign_object(c);
	const char *reason = NULL;

	if (!o->has_key)
		reason = "key-not-found";
	else if (!uk_cert_may_sign(o->cert))
		reason = "certificate-not-for-signing";
	else if (uk_cert_alg(o->cert) == UK_KEY_UNKNOWN)
		reason = "algorithm-unsupported";
	return reason == NULL ? UK_OK : uk_fail(err, UK_E_CONFLICT, reason, "sign", 0);
}

static void
found(struct call *c)
{
	struct uk_err err = { 0 };
	const struct inventory_object *o = inventory_certificate(c->inventory, c->sign.fingerprint);

	if ((o == NULL || !o->has_key) && c->inventory->skipped) {
		inventory_load(c, NULL, found);
		return;
	}
	if (o == NULL) {
		call_refuse(c, UK_E_NOT_FOUND, "certificate-not-found");
		return;
	}
	c->sign.found = o;
	(void)snprintf(
	    c->object.certificate, sizeof(c->object.certificate), "%s", c->sign.fingerprint);
	(void)snprintf(c->object.remember, sizeof(c->object.remember), "%s %s", c->method->name,
	    c->sign.fingerprint);
	c->object.name = uk_cert_common_name(o->cert);
	sign_about_token(c, o->token);
	/* What is wrong with it is told only to those who may see it. */
	if (gate_shows(c->env->gate, c->facts.local, c->origin, c->sign.fingerprint) &&
	    c->sign.fits(c, &err) != UK_OK) {
		call_fail(c, &err);
		return;
	}
	call_allow(c, c->sign.then);
}

void
sign_with(struct call *c, const char *fingerprint, call_fits_fn *fits, call_fn *then)
{
	c->sign = (struct call_sign){ .fingerprint = fingerprint, .fits = fits, .then = then };
	if (inventory_recall(c, fingerprint))
		found(c);
	else
		inventory_load_hastily(c, found);
}

enum uk_rc
sign_end(struct call *c, struct signing *s, struct uk_span from_token, struct uk_buf *out,
    struct uk_err *err)
{
	const enum uk_rc rc = signing_end(s, sign_object(c)->cert, from_token, out, err);

	if (rc == UK_E_INTEGRITY)
		token_distrust(c->env->tokens, c->object.token);
	return rc;
}

json_t *
sign_result(const struct call *c, struct uk_span signature)
{
	const struct uk_cert *cert = sign_object(c)->cert;
	char *sig = uk_b64_dup(signature), *der = uk_b64_dup(uk_cert_der(cert));
	json_t *o = json_pack("{s:s, s:s, s:s}", "signature", sig, "algorithm",
	    uk_keyalg_signature(uk_cert_alg(cert)), "certificate", der);

	free(sig);
	free(der);
	return o;
}
