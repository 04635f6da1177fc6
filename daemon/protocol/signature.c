#include "protocol/data.h"
#include "protocol/methods.h"
#include "protocol/sign.h"

#define CMS_MAX (PARAMS_DATA_MAX + 64u * 1024u)

struct state {
	struct signing_how how;
	struct signing_data data;
	struct signing signing;
};

static void
state_fini(void *state)
{
	struct state *s = state;

	signing_fini(&s->signing);
}

static void
signed_by_token(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	const struct signature_params *p = c->in;
	struct state *s = c->state;
	struct uk_err bad = { 0 };
	struct uk_buf out;

	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	uk_buf_init(&out, CMS_MAX);
	if (sign_end(c, &s->signing, reply->data, &out, &bad) != UK_OK) {
		call_fail(c, &bad);
	} else {
		if (p->of.data_id != NULL)
			data_use_up(rpc_data(c->rpc), c->conn, p->of.data_id);
		call_reply(c, sign_result(c, uk_buf_span(&out)));
	}
	uk_buf_fini(&out);
}

static void
allowed(struct call *c)
{
	const struct inventory_object *o = sign_object(c);
	struct state *s = c->state;
	struct uk_err err = { 0 };

	if (signing_begin(&s->signing, o->cert, &s->how, &s->data, uk_now(c->env->clock), &err) !=
	    UK_OK) {
		call_fail(c, &err);
		return;
	}
	call_token(c,
	    &(struct token_call){ .op = TOKEN_SIGN,
		.token = c->object.token,
		.key_id = o->key_id,
		.data = signing_digest(&s->signing) },
	    CALL_DEADLINE, signed_by_token);
}

static enum uk_rc
fits(struct call *c, struct uk_err *err)
{
	const struct state *s = c->state;
	const enum uk_rc rc = sign_fits(c, err);

	return rc == UK_OK ? signing_fits(sign_object(c)->cert, &s->how, &s->data, err) : rc;
}

void
signature_create(struct call *c)
{
	const struct signature_params *p = c->in;
	struct state *s = call_state(c, sizeof(*s), state_fini);
	struct uk_err err = { 0 };

	if (sign_read_how(p->format, p->profile, &s->how, &err) != UK_OK ||
	    sign_read_data(c, &p->of, s->how.form, &s->data, &err) != UK_OK) {
		call_fail(c, &err);
		return;
	}
	sign_tell_digest(s->data.sums.sha256, c->object.digest);
	c->object.title = p->title;
	sign_with(c, p->certificate, fits, allowed);
}
