#include <stdio.h>
#include <string.h>

#include "protocol/channel.h"
#include "protocol/methods.h"
#include "protocol/sign.h"
#include "protocol/token.h"
#include "uk/ticket.h"

#define DEADLINE_PREPARE 60000

static const char *const states[] = {
	[TOKEN_READY] = "ready",
	[TOKEN_BLANK] = "blank",
	[TOKEN_PIN_LOCKED] = "pin-locked",
};

static json_t *
algorithms(uint32_t bits)
{
	json_t *list = json_array();

	for (unsigned a = 1; a < UK_KEY__MAX; a++)
		if ((bits & 1u << a) != 0)
			json_array_append_new(list, json_string(uk_keyalg_name((enum uk_keyalg)a)));
	return list;
}

struct ability {
	const char *name;
	enum token_state state;
	const char *kind; /* of its module; NULL: any */
};

static const struct ability abilities[] = {
	{ "signature", TOKEN_READY, NULL },
	{ "request", TOKEN_READY, NULL },
	{ "envelope", TOKEN_READY, NULL },
	{ "encryption-key", TOKEN_READY, "skf" }, /* an enveloped key pair can be put on it */
	{ "prepare", TOKEN_BLANK, NULL },
};

json_t *
token_can_json(const struct token_info *t)
{
	json_t *can = json_array();

	for (size_t i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++)
		if (abilities[i].state == t->state &&
		    (abilities[i].kind == NULL || strcmp(abilities[i].kind, t->kind) == 0))
			json_array_append_new(can, json_string(abilities[i].name));
	return json_pack(
	    "{s:s, s:o, s:o}", "id", t->id, "algorithms", algorithms(t->algs), "can", can);
}

json_t *
token_json(const struct token_info *t)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o}", "id", t->id,
	    "serial", t->serial, "label", t->label, "model", t->model, "manufacturer",
	    t->manufacturer, "kind", t->kind, "state", states[t->state], "loggedIn",
	    (int)t->logged_in, "software", (int)t->software, "algorithms", algorithms(t->algs));

	if (t->tries >= 0)
		json_object_set_new(o, "triesLeft", json_integer(t->tries));
	else if (t->tries == TOKEN_TRIES_LOW)
		json_object_set_new(o, "triesLow", json_true());
	if (t->so_tries >= 0)
		json_object_set_new(o, "soTriesLeft", json_integer(t->so_tries));
	if (t->pin_initial)
		json_object_set_new(o, "pinInitial", json_true());
	return o;
}

bool
token_about(struct call *c, const char *token)
{
	const struct token_info *t = inventory_token(c->inventory, token);

	if (t == NULL) {
		call_refuse(c, UK_E_NOT_FOUND, "token-not-found");
		return false;
	}
	sign_about_token(c, t);
	return true;
}

static void
listed(struct call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->inventory->n_tokens; i++)
		json_array_append_new(list, token_json(&c->inventory->tokens[i]));
	call_reply(c, json_pack("{s:o}", "tokens", list));
}

void
token_list(struct call *c)
{
	inventory_tokens(c, listed);
}

void
token_watch(struct call *c)
{
	rpc_watch(c->rpc, c->conn);
	call_reply(c, json_pack("{s:b}", "watching", 1));
}

static void
logged_in(struct call *c)
{
	call_reply(c, json_pack("{s:b}", "loggedIn", 1));
}

static void
login_found(struct call *c)
{
	const struct token_params *p = c->in;

	if (token_about(c, p->token))
		call_allow(c, logged_in);
}

void
token_login(struct call *c)
{
	inventory_tokens(c, login_found);
}

static void
logged_out(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	(void)reply;
	if (err != NULL)
		call_fail(c, err);
	else
		call_reply(c, json_object());
}

void
token_logout(struct call *c)
{
	const struct token_params *p = c->in;

	if (!c->facts.local && rpc_in_use(c->rpc, c, p->token)) {
		call_refuse(c, UK_E_CONFLICT, "token-in-use");
		return;
	}
	gate_forget(c->env->gate);
	call_token(c, &(struct token_call){ .op = TOKEN_LOGOUT, .token = p->token }, CALL_DEADLINE,
	    logged_out);
}

/* --- token.prepare --- */

struct prepare_state {
	struct uk_ticket ticket;
	char id[65];
};

static void
prepare_fini(void *state)
{
	struct prepare_state *s = state;

	uk_ticket_fini(&s->ticket);
}

static void
prepared_listed(struct call *c)
{
	const struct prepare_state *s = c->state;
	const struct token_info *t = inventory_token(c->inventory, s->id);

	if (t == NULL) {
		call_refuse(c, UK_E_TOKEN_REMOVED, NULL);
		return;
	}
	call_reply(c,
	    json_pack("{s:s, s:s, s:s}", "token", t->id, "serial", t->serial, "label", t->label));
}

static void
prepared(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct prepare_state *s = c->state;

	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	(void)snprintf(s->id, sizeof(s->id), "%s", reply->token_id);
	uk_ticket_fini(&s->ticket);
	inventory_tokens(c, prepared_listed);
}

static const char *
ticket_unfit(const struct call *c, const struct uk_ticket *t, const struct token_info *token)
{
	if (strcmp(t->purpose, "production") != 0 || t->pin == NULL)
		return "ticket-other-purpose";
	if (strcmp(t->origin, c->origin) != 0)
		return "ticket-other-origin";
	if (t->token[0] != '\0' && strcmp(t->token, token->serial) != 0)
		return "ticket-other-token";
	return NULL;
}

static void
prepare_found(struct call *c)
{
	const struct ticket_params *p = c->in;
	struct prepare_state *s = c->state;
	const char *unfit;

	if (!token_about(c, p->token))
		return;
	unfit = ticket_unfit(c, &s->ticket, inventory_token(c->inventory, p->token));
	if (unfit != NULL) {
		call_refuse(c, UK_E_DENIED, unfit);
		return;
	}
	c->facts.stage = GATE_OBJECT;
	call_token(c,
	    &(struct token_call){ .op = TOKEN_PREPARE,
		.token = p->token,
		.so_pin = s->ticket.so_pin,
		.pin = s->ticket.pin,
		.auth_key = s->ticket.auth_key,
		.label = s->ticket.label[0] != '\0' ? s->ticket.label : "UKEY" },
	    DEADLINE_PREPARE, prepared);
}

/*
 * The channel key is destroyed by its first use, whatever comes of it; so a ticket can't come
 * twice, and its jti needs no list.
 */
void
token_prepare(struct call *c)
{
	const struct ticket_params *p = c->in;
	struct prepare_state *s = call_state(c, sizeof(*s), prepare_fini);
	const int64_t now = uk_now(c->env->clock);
	struct uk_err err = { 0 };
	struct uk_jwk *channel;
	enum uk_rc rc;

	channel = channels_take(rpc_channels(c->rpc), c->origin, "production", now, NULL);
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
		inventory_tokens(c, prepare_found);
}
