#include <stdlib.h>

#include "protocol/enveloped.h"
#include "protocol/methods.h"
#include "protocol/sign.h"
#include "uk/b64.h"

static void
state_fini(void *state)
{
	enveloped_free(state);
}

static void
opened(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct enveloped *const *e = c->state;
	const bool none = err != NULL && (err->rc == UK_E_INTEGRITY || err->rc == UK_E_INPUT);
	char type[ENVELOPED_TYPE_MAX];
	struct uk_err bad = { 0 };
	struct uk_buf out;
	char *b64;

	if (err != NULL && !none) {
		call_fail(c, err);
		return;
	}
	uk_buf_init(&out, PARAMS_DATA_MAX + 64);
	if (enveloped_open(*e, none ? NULL : &reply->data, c->env->random, &out, type, &bad) !=
	    UK_OK) {
		call_fail(c, &bad);
	} else {
		b64 = uk_b64_dup(uk_buf_span(&out));
		call_reply(c, json_pack("{s:s, s:s}", "data", b64, "contentType", type));
		free(b64);
	}
	uk_buf_fini(&out);
}

static void
allowed(struct call *c)
{
	struct enveloped *const *e = c->state;

	call_token(c,
	    &(struct token_call){ .op = TOKEN_DECRYPT,
		.token = c->object.token,
		.key_id = sign_object(c)->key_id,
		.scheme = enveloped_scheme(*e),
		.data = enveloped_data(*e),
		.iv = enveloped_iv(*e),
		.content = enveloped_content(*e) },
	    CALL_DEADLINE, opened);
}

static enum uk_rc
fits(struct call *c, struct uk_err *err)
{
	const struct envelope_params *p = c->in;
	const struct inventory_object *o = sign_object(c);
	struct enveloped **e = c->state;

	if (!o->has_key)
		return uk_fail(err, UK_E_CONFLICT, "key-not-found", "envelope", 0);
	if (!uk_cert_may_encrypt(o->cert))
		return uk_fail(err, UK_E_CONFLICT, "certificate-not-for-encryption", "envelope", 0);
	return enveloped_read(uk_buf_span(&p->envelope), o->cert, e, err);
}

void
envelope_open(struct call *c)
{
	const struct envelope_params *p = c->in;
	uint8_t sum[32];

	call_state(c, sizeof(struct enveloped *), state_fini);
	uk_sha256(uk_buf_span(&p->envelope), sum);
	sign_tell_digest(sum, c->object.digest);
	sign_with(c, p->certificate, fits, allowed);
}
