#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/channel.h"
#include "protocol/methods.h"
#include "protocol/pin.h"
#include "protocol/sign.h"
#include "protocol/token.h"
#include "uk/b64.h"
#include "uk/receipt.h"

/* pin.unlock: a ticket's SO PIN gives the user a new PIN, and the token's own key says so. */

#define DEADLINE_UNBLOCK 60000
#define NOTE_LEN         256

struct unlock {
	struct uk_ticket ticket;
	char code[CHANNEL_CODE];
	char note[NOTE_LEN];
	const struct inventory_object *certificate;
};

static void
unlock_fini(void *state)
{
	struct unlock *s = state;

	uk_ticket_fini(&s->ticket);
}

static void
receipt_signed(struct call *c)
{
	const struct uk_cert *cert = ((const struct unlock *)c->state)->certificate->cert;
	char *sig = uk_b64_dup(uk_buf_span(&c->signature)), *der = uk_b64_dup(uk_cert_der(cert));

	call_reply(c, json_pack("{s:b, s:s, s:{s:s, s:s, s:s}}", "unlocked", 1, "certificate",
			  uk_cert_fingerprint(cert), "receipt", "signature", sig, "algorithm",
			  uk_keyalg_signature(uk_cert_alg(cert)), "certificate", der));
	free(sig);
	free(der);
}

static void
sign_receipt(struct call *c)
{
	const struct unlock *s = c->state;
	const struct inventory_object *o = s->certificate;

	uk_receipt_put(&c->tbs, &(struct uk_receipt){ .origin = c->origin,
				    .order = s->ticket.order,
				    .jti = s->ticket.jti,
				    .nonce = s->ticket.nonce });
	sign_tbs(c, c->object.token, o->key_id, uk_cert_pubkey(o->cert), receipt_signed);
}

static void chosen(struct call *c, const struct uk_err *err);

/* A wrong SO PIN is no wrong PIN of the user's. */
static void
fail(struct call *c, const struct uk_err *err)
{
	struct uk_err told = *err;

	if (err->rc == UK_E_PIN_WRONG || err->rc == UK_E_PIN_LOCKED)
		told.rc = UK_E_CONFLICT;
	call_fail(c, &told);
}

/* The newer SO PIN was wrong, and is not sent again with the user's next PIN. */
static void
drop_wrong(struct uk_ticket *t)
{
	uk_secret_free(&t->so_pin);
	t->so_pin = t->so_pin_old;
	t->so_pin_old = NULL;
}

static void
unblocked(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	if (err != NULL && err->rc == UK_E_INPUT) {
		if (reply->so_now == TOKEN_SO_OLD)
			drop_wrong(&((struct unlock *)c->state)->ticket);
		new_pin_ask(c, "UKEY不接受这个密码，请换一个。", chosen);
		return;
	}
	uk_secret_free(&c->new_pin.pin);
	if (err != NULL) {
		fail(c, err);
		return;
	}
	wrong_pins_forget(rpc_wrong_pins(c->rpc), c->object.token);
	/* The user's PIN is the new one; but a receipt would say that the SO's is, too. */
	if (reply->so_now != TOKEN_SO_NEXT)
		call_refuse(c, UK_E_UNAVAILABLE, "so-pin-unchanged");
	else
		sign_receipt(c);
}

static void
chosen(struct call *c, const struct uk_err *err)
{
	const struct uk_ticket *t = &((const struct unlock *)c->state)->ticket;

	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	call_token(c,
	    &(struct token_call){ .op = TOKEN_UNBLOCK,
		.token = c->object.token,
		.so_pin = t->so_pin,
		.so_pin_old = t->so_pin_old,
		.so_pin_next = t->so_pin_next,
		.new_pin = c->new_pin.pin },
	    DEADLINE_UNBLOCK, unblocked);
}

static void
allowed(struct call *c)
{
	struct unlock *s = c->state;

	if (s->code[0] != '\0')
		(void)snprintf(s->note, sizeof(s->note),
		    "订单：%s\n核对码：%s。与网页上的不同时，请按“取消”。", s->ticket.order,
		    s->code);
	else
		(void)snprintf(s->note, sizeof(s->note), "订单：%s", s->ticket.order);
	c->new_pin.note = s->note;
	new_pin_ask(c, NULL, chosen);
}

static const char *
ticket_unfit(const struct call *c, const struct uk_ticket *t, const struct token_info *token)
{
	if (strcmp(t->purpose, "unlock") != 0)
		return "ticket-other-purpose";
	if (strcmp(t->origin, c->origin) != 0)
		return "ticket-other-origin";
	if (strcmp(t->token, token->serial) != 0)
		return "ticket-other-token";
	return NULL;
}

static void
found(struct call *c)
{
	const struct ticket_params *p = c->in;
	struct unlock *s = c->state;
	const char *unfit;

	if (!token_about(c, p->token))
		return;
	s->certificate = inventory_certificate(c->inventory, s->ticket.certificate);
	unfit = ticket_unfit(c, &s->ticket, inventory_token(c->inventory, p->token));
	if (unfit == NULL && (s->certificate == NULL || !s->certificate->has_key))
		unfit = "ticket-other-certificate";
	if (unfit != NULL) {
		call_refuse(c, UK_E_DENIED, unfit);
		return;
	}
	(void)snprintf(
	    c->object.certificate, sizeof(c->object.certificate), "%s", s->ticket.certificate);
	c->object.name = uk_cert_common_name(s->certificate->cert);
	call_allow(c, allowed);
}

/*
 * The channel key is destroyed by its first use, whatever comes of it; so a ticket can't come
 * twice, and its jti needs no list.  A code that no page could have shown is none.
 */
void
pin_unlock(struct call *c)
{
	const struct ticket_params *p = c->in;
	struct unlock *s = call_state(c, sizeof(*s), unlock_fini);
	const int64_t now = uk_now(c->env->clock);
	struct uk_err err = { 0 };
	struct uk_jwk *channel;
	enum uk_rc rc;

	channel = channels_take(rpc_channels(c->rpc), c->origin, "unlock", now, s->code);
	if (channel != NULL && !c->facts.local && !c->facts.native && s->code[0] == '\0')
		uk_jwk_free(&channel);
	if (channel == NULL) {
		call_refuse(c, UK_E_CONFLICT, "channel-not-found");
		return;
	}
	rc = uk_ticket_open(p->ticket, channel, c->env->policy->trusted, c->env->policy->n_trusted,
	    now, &s->ticket, &err);
	uk_jwk_free(&channel);
	if (rc != UK_OK)
		call_fail(c, &err);
	else
		inventory_load(c, p->token, found);
}
