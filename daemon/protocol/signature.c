#include <string.h>

#include "protocol/cms.h"
#include "protocol/methods.h"
#include "protocol/sign.h"
#include "uk/b64.h"
#include "uk/login.h"

#define CMS_MAX (PARAMS_DATA_MAX + 64u * 1024u)

struct state {
	struct cms *cms;
	bool detached;
};

static void
state_fini(void *state)
{
	struct state *s = state;

	cms_free(&s->cms);
}

static void
raw_signed(struct call *c)
{
	call_reply(c, sign_result(c, uk_buf_span(&c->signature)));
}

static enum uk_rc
finish_cms(struct call *c, struct uk_buf *out, struct uk_err *err)
{
	const struct signature_params *p = c->in;
	const struct state *s = c->state;
	struct uk_span sig = uk_buf_span(&c->signature);
	struct uk_buf der;
	enum uk_rc rc = UK_OK;

	uk_buf_init(&der, 256);
	if (uk_keyalg_is_ec(uk_pubkey_alg(c->key))) {
		rc = uk_ecdsa_to_der(sig, &der);
		sig = uk_buf_span(&der);
	}
	if (rc == UK_OK)
		rc = cms_finish(s->cms, sig, out, err);
	if (rc == UK_OK)
		rc = cms_check(uk_buf_span(out), uk_buf_span(&p->data), err);
	uk_buf_fini(&der);
	return rc;
}

static void
cms_signed(struct call *c)
{
	struct uk_err err = { .rc = UK_E_INTERNAL };
	struct uk_buf out;

	uk_buf_init(&out, CMS_MAX);
	if (finish_cms(c, &out, &err) != UK_OK)
		call_fail(c, &err);
	else
		call_reply(c, sign_result(c, uk_buf_span(&out)));
	uk_buf_fini(&out);
}

static void
allowed(struct call *c)
{
	const struct signature_params *p = c->in;
	const struct inventory_object *o = sign_object(c);
	const bool raw = strcmp(p->format, "raw") == 0;
	struct uk_err err = { 0 };
	struct state *s;

	if (raw) {
		uk_buf_put(&c->tbs, uk_buf_span(&p->data));
	} else {
		s = call_state(c, sizeof(*s), state_fini);
		s->detached = strcmp(p->format, "cms-detached") == 0;
		if (cms_new(uk_cert_der(o->cert), uk_buf_span(&p->data), s->detached,
			uk_now(c->env->clock), &s->cms, &c->tbs, &err) != UK_OK) {
			call_fail(c, &err);
			return;
		}
	}
	sign_tbs(
	    c, c->object.token, o->key_id, uk_cert_pubkey(o->cert), raw ? raw_signed : cms_signed);
}

void
signature_create(struct call *c)
{
	const struct signature_params *p = c->in;
	uint8_t sum[32];
	struct uk_buf hex;

	/* A log-in is had by login.create only, where the origin is ours to say. */
	if (uk_login_begins(uk_buf_span(&p->data))) {
		call_refuse(c, UK_E_DENIED, "login-challenge-refused");
		return;
	}
	uk_sha256(uk_buf_span(&p->data), sum);
	uk_buf_init(&hex, 64);
	uk_hex_put(&hex, uk_span(sum, sizeof(sum)));
	memcpy(c->object.digest, uk_buf_str(&hex), sizeof(c->object.digest));
	uk_buf_fini(&hex);
	c->object.title = p->title;
	sign_with(c, p->certificate, allowed);
}
