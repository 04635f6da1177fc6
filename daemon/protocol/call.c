#include <stdlib.h>
#include <string.h>

#include "policy/text.h"
#include "protocol/call.h"
#include "protocol/idle.h"
#include "protocol/methods.h"

#define DESCRIPTION_LEN 2048

static void
call_free(struct call *c)
{
	rpc_forget(c->rpc, c);
	token_drop(&c->token);
	prompt_drop(&c->prompt);
	if (c->pin.held)
		prompts_release(c->env->prompts);
	if (c->in != NULL)
		uk_fields_fini(c->method->params->fields, c->method->params->n, c->in);
	free(c->in);
	if (c->state != NULL && c->state_free != NULL)
		c->state_free(c->state);
	free(c->state);
	inventory_drop(&c->inventory);
	uk_secret_free(&c->pin.pin);
	uk_secret_free(&c->new_pin.pin);
	uk_buf_fini(&c->tbs);
	uk_buf_fini(&c->signature);
	json_decref(c->params);
	json_decref(c->id);
	free(c);
}

static const char *
some(const char *s)
{
	return s[0] != '\0' ? s : NULL;
}

/* What a person was asked for, or a key did, whatever came of it. */
static enum uk_rc
journal(const struct call *c, const char *digest, const char *result, struct uk_err *err)
{
	const struct journal_entry e = {
		.method = c->method->name,
		.origin = c->origin,
		.token = some(c->object.token),
		.certificate = some(c->object.certificate),
		.digest = some(digest),
		.result = result,
	};

	/* What was refused before it came to anything is not the key's doing, and no page fills the
	 * journal with it. */
	if (c->method->purpose == NULL || c->facts.stage != GATE_OBJECT)
		return UK_OK;
	rpc_journal_later(c->rpc);
	return journal_put(c->env->journal, &e, err);
}

enum uk_rc
call_journal(const struct call *c, const char *digest, struct uk_err *err)
{
	return journal(c, digest, "ok", err);
}

static json_t *
answer(const struct call *c, const char *key, json_t *value)
{
	json_t *m = json_pack("{s:s, s:O}", "jsonrpc", "2.0", "id", c->id);

	json_object_set_new(m, key, value);
	return m;
}

/* A signature that the journal can't tell of does not leave. */
void
call_reply(struct call *c, json_t *result)
{
	struct uk_err err = { 0 };

	const char *how = c->object.stopped != NULL ? c->object.stopped : "ok";

	if (journal(c, c->object.digest, how, &err) != UK_OK) {
		uk_log_err(c->env->log, UK_LOG_ERROR, "journal.put", &err);
		json_decref(result);
		rpc_answer(c->rpc, c->conn, answer(c, "error", rpc_error_json(&err, 0)));
		call_free(c);
		return;
	}
	rpc_answer(c->rpc, c->conn, answer(c, "result", result));
	call_free(c);
}

void
call_fail_tries(struct call *c, const struct uk_err *err, int tries)
{
	struct uk_err bad = { 0 };

	uk_log(c->env->log, c->facts.stage == GATE_OBJECT ? UK_LOG_INFO : UK_LOG_DEBUG,
	    "call.failed", UK_LS("method", c->method->name), UK_LS("origin", c->origin),
	    UK_LS("reason", uk_err_reason(err)), UK_LS("where", err->where),
	    UK_LI("native", err->native));
	if (journal(c, c->object.digest, uk_err_reason(err), &bad) != UK_OK)
		uk_log_err(c->env->log, UK_LOG_ERROR, "journal.put", &bad);
	rpc_answer(c->rpc, c->conn, answer(c, "error", rpc_error_json(err, tries)));
	call_free(c);
}

void
call_fail(struct call *c, const struct uk_err *err)
{
	call_fail_tries(c, err, 0);
}

void
call_refuse(struct call *c, enum uk_rc rc, const char *reason)
{
	const struct uk_err err = { .rc = rc, .reason = reason };

	call_fail(c, &err);
}

void
call_gone(struct call *c)
{
	struct uk_err err = { 0 };

	if (journal(c, c->object.digest, "asker-gone", &err) != UK_OK)
		uk_log_err(c->env->log, UK_LOG_ERROR, "journal.put", &err);
	call_free(c);
}

void *
call_state(struct call *c, size_t n, void (*fini)(void *))
{
	c->state = uk_xalloc(n);
	c->state_free = fini;
	return c->state;
}

static void
token_done(void *ctx, const struct uk_err *err, const struct token_reply *reply)
{
	struct call *c = ctx;

	c->token = NULL;
	c->token_done(c, err, reply);
}

void
call_token(struct call *c, const struct token_call *what, int64_t deadline_ms, call_token_fn *done)
{
	c->token_done = done;
	if (what->op != TOKEN_LIST && what->op != TOKEN_OBJECTS)
		idle_used(rpc_idle(c->rpc), what->token);
	if (what->op != TOKEN_LIST && what->op != TOKEN_OBJECTS && what->op != TOKEN_SIGN &&
	    what->op != TOKEN_DECRYPT)
		inventory_stale(rpc_inventory(c->rpc));
	c->token = token_call(c->env->tokens, what, deadline_ms, token_done, c);
	if (c->token == NULL)
		call_refuse(c, UK_E_INTERNAL, NULL);
}

void
call_describe(const struct call *c, struct uk_buf *text)
{
	if (c->facts.local)
		uk_buf_put_str(text, "来自：本机命令");
	else
		uk_buf_printf(text, "网站：%s", c->origin);
	if (c->object.name != NULL && c->object.name[0] != '\0') {
		uk_buf_put_str(text, c->object.certificate[0] != '\0' ? "\n证书：" : "\nUKEY：");
		text_put(text, c->object.name, 60);
	}
	uk_buf_printf(text, "\n用途：%s", c->method->purpose);
	if (c->object.leaves != NULL) {
		uk_buf_put_str(text, "\n之后删除证书：");
		text_put(text, c->object.leaves, 30);
	}
	if (c->object.count > 0)
		uk_buf_printf(text, "，共 %zu 份", c->object.count);
	if (c->object.title != NULL) {
		uk_buf_put_str(text, c->facts.local ? "\n说明：「" : "\n网站说明：「");
		text_put(text, c->object.title, 80);
		uk_buf_put_str(text, "」");
	}
	if (c->object.digest[0] != '\0')
		uk_buf_printf(text, "\n摘要：%.16s…", c->object.digest);
}

/* [C3] The first PIN opens a token for nothing but its change; where tokens are made, it has to do.
 */
void
call_about(struct call *c, const struct token_info *t)
{
	c->object.logged_in = t->logged_in && (!t->pin_initial || c->env->policy->production);
	c->object.pin_initial = t->pin_initial;
	c->object.pin_min = t->pin_min;
	c->object.pin_max = t->pin_max;
	c->object.tries = t->tries;
	c->object.state = t->state;
}

void
call_refresh(struct call *c)
{
	size_t n;
	const struct token_info *t = token_known(c->env->tokens, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(t[i].id, c->object.token) == 0)
			call_about(c, &t[i]);
	c->facts.logged_in = c->object.logged_in && !c->pin.change;
}

static void
prompt_done(void *ctx, const struct uk_err *err, struct uk_secret **pin)
{
	struct call *c = ctx;

	c->prompt = NULL;
	if (err == NULL)
		gate_agreed(c->env->gate, &c->facts);
	else if (err->rc == UK_E_CANCELLED)
		gate_refused(c->env->gate, &c->facts);
	c->asked(c, err, pin);
}

/* No site takes all places in the queue. */
void
call_ask(struct call *c, const struct prompt_text *text, call_asked_fn *done)
{
	c->asked = done;
	if (c->facts.local || rpc_windows(c->rpc, c->origin) < RPC_WINDOWS)
		c->prompt = prompt_ask(c->env->prompts, text, prompt_done, c);
	if (c->prompt == NULL)
		call_refuse(c, UK_E_RATE, "rate-limited");
}

static void
confirmed(struct call *c, const struct uk_err *err, struct uk_secret **pin)
{
	(void)pin;
	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	c->facts.consent = true;
	gate_consented(c->env->gate, &c->facts, 0);
	call_refresh(c);
	call_decide(c);
}

static void
ask_consent(struct call *c)
{
	struct uk_buf text;

	uk_buf_init(&text, DESCRIPTION_LEN);
	call_describe(c, &text);
	uk_buf_put_str(&text, "\n\n是否同意？");
	call_ask(c,
	    &(struct prompt_text){
		.kind = PROMPT_CONFIRM, .text = uk_buf_str(&text), .yes = "同意" },
	    confirmed);
	uk_buf_fini(&text);
}

/*
 * One window where one is enough: whoever types the PIN under the words that say what it is for has
 * agreed to it.
 */
void
call_decide(struct call *c)
{
	struct uk_err err = { 0 };

	switch (gate_decide(c->env->gate, &c->facts, &err)) {
	case GATE_REFUSE:
		call_fail(c, &err);
		return;
	case GATE_ASK_CONSENT:
		if ((c->facts.needs & NEEDS_PIN) != 0 && !c->facts.logged_in)
			pin_ask(c);
		else
			ask_consent(c);
		return;
	case GATE_ASK_PIN:
		pin_ask(c);
		return;
	case GATE_PASS:
		c->then(c);
		return;
	}
}

void
call_allow(struct call *c, call_fn *then)
{
	c->then = then;
	c->facts.stage = GATE_OBJECT;
	c->facts.certificate = some(c->object.certificate);
	c->facts.object = some(c->object.remember);
	c->facts.logged_in = c->object.logged_in && !c->pin.change;
	call_decide(c);
}

void
call_start(struct call *c)
{
	c->then = c->method->handler;
	c->facts.stage = GATE_CALL;
	call_decide(c);
}
