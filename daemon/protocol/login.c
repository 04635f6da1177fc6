#include "protocol/methods.h"
#include "protocol/sign.h"
#include "uk/login.h"

#define LIFE_MAX 600 /* seconds: a log-in signature is for now */

static void
done(struct call *c)
{
	call_reply(c, sign_result(c, uk_buf_span(&c->signature)));
}

static void
allowed(struct call *c)
{
	const struct login_params *p = c->in;
	const struct inventory_object *o = sign_object(c);

	uk_login_put(&c->tbs, &(struct uk_login){ .origin = c->origin,
				  .audience = p->audience,
				  .nonce = p->nonce,
				  .expires = p->expires });
	sign_tbs(c, c->object.token, o->key_id, uk_cert_pubkey(o->cert), done);
}

void
login_create(struct call *c)
{
	const struct login_params *p = c->in;
	const int64_t now = uk_now(c->env->clock);
	const struct uk_err late = {
		.rc = UK_E_INPUT, .reason = "login-expired", .field = "expires"
	};

	if (p->expires <= now || p->expires > now + LIFE_MAX) {
		call_fail(c, &late);
		return;
	}
	sign_with(c, p->certificate, sign_fits, allowed);
}
