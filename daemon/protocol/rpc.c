#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/channel.h"
#include "protocol/data.h"
#include "protocol/idle.h"
#include "protocol/methods.h"
#include "protocol/pin.h"
#include "protocol/rpc.h"
#include "protocol/token.h"
#include "uk/frame.h"

#define METHOD_MAX 64
#define ID_LEN     64

struct rpc {
	struct rpc_env env;
	struct conn *conns;
	size_t n_conns;
	uint64_t next_id;
	struct call *calls;
	struct channels *channels;
	struct wrong_pins *wrong;
	struct idle *idle;
	struct data_store *data;
	struct inventory_cache inventory;
	struct loop_timer *journal; /* when what is written goes to the disk */
};

struct envelope {
	const char *jsonrpc;
	const char *method;
	json_t *params;
};

static bool
version_valid(const char *s)
{
	return strcmp(s, "2.0") == 0;
}

static const struct uk_field envelope_fields[] = {
	{ "jsonrpc", UK_F_STR, UK_F_REQUIRED, 1, 8, offsetof(struct envelope, jsonrpc),
	    version_valid },
	{ "method", UK_F_STR, UK_F_REQUIRED, 1, METHOD_MAX, offsetof(struct envelope, method),
	    NULL },
	{ "params", UK_F_JSON, 0, 0, 0, offsetof(struct envelope, params), NULL },
};

struct rpc *
rpc_new(const struct rpc_env *env)
{
	struct rpc *r = uk_xalloc(sizeof(*r));

	r->env = *env;
	r->next_id = 1;
	r->channels = channels_new();
	r->wrong = wrong_pins_new(env->random);
	r->idle = idle_new(env->loop, env->log, env->clock, env->tokens, env->policy->idle_lock);
	r->data = data_store_new(env->loop, env->clock);
	return r;
}

void
rpc_free(struct rpc **r)
{
	if (*r == NULL)
		return;
	while ((*r)->calls != NULL)
		call_gone((*r)->calls);
	loop_cancel((*r)->env.loop, &(*r)->journal);
	inventory_stale(&(*r)->inventory);
	data_store_free(&(*r)->data);
	channels_free(&(*r)->channels);
	wrong_pins_free(&(*r)->wrong);
	idle_free(&(*r)->idle);
	free(*r);
	*r = NULL;
}

struct channels *
rpc_channels(struct rpc *r)
{
	return r->channels;
}

struct wrong_pins *
rpc_wrong_pins(struct rpc *r)
{
	return r->wrong;
}

struct idle *
rpc_idle(struct rpc *r)
{
	return r->idle;
}

struct inventory_cache *
rpc_inventory(struct rpc *r)
{
	return &r->inventory;
}

struct data_store *
rpc_data(struct rpc *r)
{
	return r->data;
}

static void
journal_now(void *ctx)
{
	struct rpc *r = ctx;
	struct uk_err err = { 0 };

	r->journal = NULL;
	if (journal_sync(r->env.journal, &err) != UK_OK)
		uk_log_err(r->env.log, UK_LOG_ERROR, "journal.sync", &err);
}

void
rpc_journal_later(struct rpc *r)
{
	if (r->journal == NULL)
		r->journal = loop_after(r->env.loop, JOURNAL_SYNC_MS, journal_now, r);
}

static struct conn *
conn_find(const struct rpc *r, uint64_t id)
{
	struct conn *c = r->conns;

	while (c != NULL && c->id != id)
		c = c->next;
	return c;
}

static void
facts_of(const struct conn *c, struct gate_facts *f)
{
	f->origin = c->ops->origin(c);
	f->local = f->origin == NULL;
	f->native = c->ops->extension != NULL;
	f->extension = f->native ? c->ops->extension(c) : NULL;
	f->peer_known = c->ops->peer(c, &f->peer);
}

enum uk_rc
rpc_attach(struct rpc *r, struct conn *c, struct uk_err *err)
{
	struct gate_facts f = { .stage = GATE_CONNECT };

	facts_of(c, &f);
	if (gate_decide(r->env.gate, &f, err) != GATE_PASS)
		return UK_E_DENIED;
	if (r->n_conns >= RPC_CONNECTIONS)
		return uk_fail(err, UK_E_LIMIT, "too-many-connections", "rpc", 0);
	c->id = r->next_id++;
	c->watching = false;
	c->outstanding = 0;
	c->next = r->conns;
	r->conns = c;
	r->n_conns++;
	return UK_OK;
}

void
rpc_detach(struct rpc *r, struct conn *gone)
{
	struct conn **p = &r->conns;
	struct call *next;

	while (*p != NULL && *p != gone)
		p = &(*p)->next;
	if (*p == NULL)
		return;
	*p = gone->next;
	r->n_conns--;
	for (struct call *c = r->calls; c != NULL; c = next) {
		next = c->next;
		if (c->conn == gone->id)
			call_gone(c);
	}
	data_forget(r->data, gone->id);
}

static void
send_json(struct conn *to, json_t *message)
{
	struct uk_buf text;

	uk_buf_init(&text, UK_MESSAGE_MAX);
	if (uk_json_put(&text, message) != UK_OK) {
		const struct uk_err err = { .rc = UK_E_LIMIT };

		uk_buf_reset(&text);
		json_object_del(message, "result");
		json_object_set_new(message, "error", rpc_error_json(&err, 0));
		if (uk_json_put(&text, message) != UK_OK)
			uk_buf_reset(&text);
	}
	if (text.n > 0)
		to->ops->send(to, uk_buf_span(&text));
	uk_buf_fini(&text);
}

void
rpc_answer(struct rpc *r, uint64_t conn, json_t *message)
{
	struct conn *to = conn_find(r, conn);

	if (to != NULL) {
		to->outstanding--;
		send_json(to, message);
	}
	json_decref(message);
}

void
rpc_notify(struct rpc *r, uint64_t conn, json_t *message)
{
	struct conn *to = conn_find(r, conn);

	if (to != NULL)
		send_json(to, message);
	json_decref(message);
}

void
rpc_forget(struct rpc *r, struct call *gone)
{
	struct call **p = &r->calls;

	while (*p != NULL && *p != gone)
		p = &(*p)->next;
	if (*p != NULL)
		*p = gone->next;
}

void
rpc_watch(struct rpc *r, uint64_t conn)
{
	struct conn *c = conn_find(r, conn);

	if (c != NULL)
		c->watching = true;
}

bool
rpc_in_use(const struct rpc *r, const struct call *but, const char *token)
{
	for (const struct call *c = r->calls; c != NULL; c = c->next)
		if (strcmp(c->origin, but->origin) != 0 && c->facts.stage == GATE_OBJECT &&
		    strcmp(c->object.token, token) == 0)
			return true;
	return false;
}

unsigned
rpc_windows(const struct rpc *r, const char *origin)
{
	unsigned n = 0;

	for (const struct call *c = r->calls; c != NULL; c = c->next)
		n += c->prompt != NULL && strcmp(c->origin, origin) == 0;
	return n;
}

bool
rpc_site_allowed(const struct rpc *r, const char *origin)
{
	return gate_allowed(r->env.gate, false, origin);
}

void
rpc_close_site(struct rpc *r, const char *origin)
{
	for (struct conn *c = r->conns; c != NULL; c = c->next) {
		const char *o = c->ops->origin(c);

		if (o != NULL && strcmp(o, origin) == 0)
			c->ops->close(c);
	}
}

/* --- a message --- */

static void
refuse(struct conn *to, json_t *id, const struct uk_err *err)
{
	json_t *m = json_pack(
	    "{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "error", rpc_error_json(err, 0));

	send_json(to, m);
	json_decref(m);
}

void
rpc_refuse(struct conn *to, const struct uk_err *err)
{
	json_t *id = json_null();

	refuse(to, id, err);
	json_decref(id);
}

static bool
id_valid(const json_t *id)
{
	return json_is_integer(id) || (json_is_string(id) && json_string_length(id) <= ID_LEN &&
					  json_string_length(id) > 0);
}

static bool
id_used(const struct rpc *r, const struct conn *from, const json_t *id)
{
	for (const struct call *c = r->calls; c != NULL; c = c->next)
		if (c->conn == from->id && json_equal(c->id, id))
			return true;
	return false;
}

static struct call *
call_new(struct rpc *r, struct conn *from, const struct method *m, json_t *id, json_t *params)
{
	struct call *c = uk_xalloc(sizeof(*c));

	c->rpc = r;
	c->env = &r->env;
	c->conn = from->id;
	c->id = json_incref(id);
	c->method = m;
	c->params = json_incref(params);
	facts_of(from, &c->facts);
	c->facts.needs = m->needs;
	(void)snprintf(
	    c->origin, sizeof(c->origin), "%s", c->facts.local ? ORIGIN_LOCAL : c->facts.origin);
	c->facts.origin = c->facts.local ? NULL : c->origin;
	uk_buf_init(&c->tbs, PARAMS_DATA_MAX + 1024);
	uk_buf_init(&c->signature, 1024);
	c->object.tries = TOKEN_TRIES_UNKNOWN;
	c->next = r->calls;
	r->calls = c;
	from->outstanding++;
	return c;
}

/* What is no call costs a site as much as one. */
static void
refuse_faulty(struct rpc *r, struct conn *from, json_t *id, const struct uk_err *err)
{
	static const struct uk_err many = { .rc = UK_E_RATE, .reason = "rate-limited" };
	struct gate_facts f = { .stage = GATE_CALL };

	facts_of(from, &f);
	refuse(from, id, gate_faulty(r->env.gate, &f) ? err : &many);
}

static enum uk_rc
read_request(const struct rpc *r, const struct conn *from, json_t *message, const json_t *id,
    struct envelope *e, struct uk_err *err)
{
	enum uk_rc rc;

	rc = uk_fields_read(
	    envelope_fields, sizeof(envelope_fields) / sizeof(envelope_fields[0]), message, e, err);
	if (rc != UK_OK) {
		err->reason = "invalid-request";
		return rc;
	}
	if (id_used(r, from, id))
		return uk_fail(err, UK_E_INPUT, "duplicate-id", "rpc", 0);
	if (from->outstanding >= RPC_OUTSTANDING)
		return uk_fail(err, UK_E_LIMIT, "too-many-requests", "rpc", 0);
	return UK_OK;
}

static void
dispatch(struct rpc *r, struct conn *from, json_t *message, json_t *id)
{
	struct envelope e = { 0 };
	struct uk_err err = { 0 };
	const struct method *m;
	struct call *c;
	void *in = NULL;

	if (read_request(r, from, message, id, &e, &err) != UK_OK) {
		refuse_faulty(r, from, id, &err);
		return;
	}
	m = method_find(e.method);
	if (m == NULL) {
		err = (struct uk_err){ .rc = UK_E_INPUT, .reason = "unknown-method" };
		refuse_faulty(r, from, id, &err);
		return;
	}
	in = uk_xalloc(m->params->size + 1);
	if (uk_fields_read(m->params->fields, m->params->n, e.params, in, &err) != UK_OK) {
		free(in);
		refuse_faulty(r, from, id, &err);
		return;
	}
	c = call_new(r, from, m, id, e.params);
	c->in = in;
	call_start(c);
}

/* It comes once, first, and from the host only (transport/local.c). */
static bool
names_origin(const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));

	return method != NULL && strcmp(method, "agent.origin") == 0;
}

/* Who wants to be a site must not go on as the user himself. */
static void
refuse_origin(struct conn *from)
{
	rpc_refuse(from, &(const struct uk_err){ .rc = UK_E_DENIED, .reason = "origin-refused" });
	if (from->ops->origin(from) == NULL)
		from->ops->close(from);
}

void
rpc_message(struct rpc *r, struct conn *from, struct uk_span text)
{
	json_t *message = NULL, *id = json_null();
	struct uk_err err = { 0 };

	if (uk_json_parse(text, UK_MESSAGE_MAX, &message, &err) != UK_OK) {
		refuse_faulty(r, from, id, &err);
		return;
	}
	if (names_origin(message)) {
		refuse_origin(from);
		json_decref(message);
		return;
	}
	if (json_is_array(message)) {
		err = (struct uk_err){ .rc = UK_E_INPUT, .reason = "batch-refused" };
	} else if (!id_valid(json_object_get(message, "id"))) {
		err = (struct uk_err){ .rc = UK_E_INPUT, .reason = "invalid-request" };
	} else {
		id = json_incref(json_object_get(message, "id"));
		json_object_del(message, "id");
	}
	if (err.rc != UK_OK)
		refuse_faulty(r, from, id, &err);
	else
		dispatch(r, from, message, id);
	json_decref(id);
	json_decref(message);
}

/* --- what the tokens report --- */

static const char *const changes[] = {
	[TOKEN_INSERTED] = "inserted",
	[TOKEN_REMOVED] = "removed",
	[TOKEN_CHANGED] = "changed",
};

/* Nobody types a PIN for a token that is not there. */
static void
end_windows(struct rpc *r, const char *token)
{
	const struct uk_err err = { .rc = UK_E_TOKEN_REMOVED };
	struct call *next;

	for (struct call *c = r->calls; c != NULL; c = next) {
		next = c->next;
		if (c->prompt != NULL && strcmp(c->object.token, token) == 0)
			call_fail(c, &err);
	}
}

static void
unlocked(struct rpc *r, const char *token)
{
	struct call *next;

	for (struct call *c = r->calls; c != NULL; c = next) {
		next = c->next;
		pin_unlocked(c, token);
	}
}

void
rpc_token_changed(void *ctx, enum token_change what, const struct token_info *token)
{
	struct rpc *r = ctx;
	json_t *m;

	idle_token_changed(r->idle, what, token);
	inventory_stale(&r->inventory);
	if (what == TOKEN_REMOVED || (what == TOKEN_CHANGED && !token->logged_in))
		gate_forget(r->env.gate);
	if (what == TOKEN_REMOVED) {
		wrong_pins_forget(r->wrong, token->id);
		end_windows(r, token->id);
	}
	m = json_pack("{s:s, s:s, s:{s:s, s:o}}", "jsonrpc", "2.0", "method", "token.changed",
	    "params", "event", changes[what], "token", token_json(token));
	for (struct conn *c = r->conns; c != NULL; c = c->next) {
		const char *origin = c->ops->origin(c);

		if (c->watching && gate_allowed(r->env.gate, origin == NULL, origin))
			send_json(c, m);
	}
	json_decref(m);
	if (what != TOKEN_REMOVED && token->logged_in && !token->pin_initial)
		unlocked(r, token->id);
}
