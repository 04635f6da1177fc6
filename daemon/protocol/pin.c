#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "policy/text.h"
#include "protocol/methods.h"
#include "protocol/pin.h"
#include "protocol/token.h"

#define WRONG_MAX       64
#define DESCRIPTION_LEN 2048

struct wrong_pin {
	char token[65];
	uint8_t mac[32];
};

struct wrong_pins {
	uint8_t key[32];
	struct wrong_pin v[WRONG_MAX];
	size_t next;
};

struct wrong_pins *
wrong_pins_new(const struct uk_random *random)
{
	struct wrong_pins *w = uk_xalloc(sizeof(*w));

	random->bytes(random->ctx, w->key, sizeof(w->key));
	return w;
}

void
wrong_pins_free(struct wrong_pins **w)
{
	if (*w == NULL)
		return;
	explicit_bzero(*w, sizeof(**w));
	free(*w);
	*w = NULL;
}

static bool
mac(const struct wrong_pins *w, const struct uk_secret *pin, uint8_t out[32])
{
	const struct uk_span s = uk_secret_lend(pin);
	unsigned n = 32;

	return HMAC(EVP_sha256(), w->key, sizeof(w->key), s.p, s.n, out, &n) != NULL;
}

void
wrong_pins_add(struct wrong_pins *w, const char *token, const struct uk_secret *pin)
{
	struct wrong_pin *p = &w->v[w->next % WRONG_MAX];

	if (strlen(token) >= sizeof(p->token) || !mac(w, pin, p->mac))
		return;
	w->next++;
	memcpy(p->token, token, strlen(token) + 1);
}

bool
wrong_pins_has(const struct wrong_pins *w, const char *token, const struct uk_secret *pin)
{
	uint8_t m[32];

	if (!mac(w, pin, m))
		return false;
	for (size_t i = 0; i < WRONG_MAX; i++)
		if (strcmp(w->v[i].token, token) == 0 && memcmp(w->v[i].mac, m, sizeof(m)) == 0)
			return true;
	return false;
}

void
wrong_pins_forget(struct wrong_pins *w, const char *token)
{
	for (size_t i = 0; i < WRONG_MAX; i++)
		if (strcmp(w->v[i].token, token) == 0)
			memset(&w->v[i], 0, sizeof(w->v[i]));
}

/* --- asking --- */

static void ask(struct call *c);

static void
describe_tries(const struct call *c, struct uk_buf *text)
{
	if (c->object.tries == 1)
		uk_buf_put_str(text, "\n注意：这是最后一次机会，再错UKEY将被锁定。");
	else if (c->object.tries > 1)
		uk_buf_printf(text, "\n剩余次数：%d", c->object.tries);
	else if (c->object.tries == TOKEN_TRIES_LOW)
		uk_buf_put_str(text, "\n注意：剩余次数已经不多。");
}

/* The last try is never spent without a warning that has its own window. */
static bool
last_unwarned(const struct call *c)
{
	return c->object.tries == 1 && !c->pin.warned;
}

static void
warned(struct call *c, const struct uk_err *err, struct uk_secret **pin)
{
	struct uk_err last;

	(void)pin;
	c->pin.asking = false;
	if (err == NULL) {
		c->pin.warned = true;
		ask(c);
		return;
	}
	last = *err;
	if (err->rc == UK_E_CANCELLED)
		last.reason = "pin-last-try";
	call_fail_tries(c, &last, c->object.tries);
}

static void
done(struct call *c)
{
	c->pin.change = false;
	c->object.logged_in = true;
	c->facts.logged_in = true;
	/* The PIN was typed under the words that say what it is for. */
	c->facts.consent = true;
	gate_consented(c->env->gate, &c->facts, 0);
	call_decide(c);
}

static void
again(struct call *c, const char *error, const struct uk_err *err)
{
	static const struct uk_err blocked = { .rc = UK_E_PIN_WRONG,
		.reason = "pin-blocked-known-wrong" };
	static const struct uk_err wrong = { .rc = UK_E_PIN_WRONG };

	c->pin.error = error;
	if (c->pin.asked < PIN_ASKS) {
		ask(c);
		return;
	}
	if (err == NULL)
		err = c->pin.sent ? &wrong : &blocked;
	call_fail_tries(c, err, c->object.tries);
}

/* --- a new one, after the old one was right --- */

static void
closed(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	(void)err;
	(void)reply;
	call_fail(c, &c->new_pin.why);
}

static void chosen(struct call *c, const struct uk_err *err);

static void
changed(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	if (err != NULL && err->rc == UK_E_INPUT) {
		new_pin_ask(c, "UKEY不接受这个密码，请换一个。", chosen);
		return;
	}
	uk_secret_free(&c->pin.pin);
	uk_secret_free(&c->new_pin.pin);
	if (err != NULL) {
		call_fail_tries(c, err, reply != NULL ? reply->tries : 0);
		return;
	}
	wrong_pins_forget(rpc_wrong_pins(c->rpc), c->object.token);
	done(c);
}

/* Who does not choose one leaves the token as it was. */
static void
chosen(struct call *c, const struct uk_err *err)
{
	if (err == NULL) {
		call_token(c,
		    &(struct token_call){ .op = TOKEN_CHANGE_PIN,
			.token = c->object.token,
			.pin = c->pin.pin,
			.new_pin = c->new_pin.pin },
		    CALL_DEADLINE, changed);
		return;
	}
	c->new_pin.why = *err;
	if (err->rc == UK_E_CANCELLED && err->reason == NULL && c->object.pin_initial)
		c->new_pin.why.reason = "pin-must-change";
	if (c->pin.was_open)
		call_fail(c, &c->new_pin.why);
	else
		call_token(c, &(struct token_call){ .op = TOKEN_LOGOUT, .token = c->object.token },
		    CALL_DEADLINE, closed);
}

static void
right(struct call *c)
{
	wrong_pins_forget(rpc_wrong_pins(c->rpc), c->object.token);
	call_refresh(c);
	if (c->pin.change || c->object.pin_initial) {
		new_pin_ask(c, NULL, chosen);
		return;
	}
	uk_secret_free(&c->pin.pin);
	done(c);
}

/* --- the old one --- */

static void
logged_in(struct call *c, const struct uk_err *err, const struct token_reply *reply)
{
	struct wrong_pins *wrong = rpc_wrong_pins(c->rpc);
	const char *token = c->object.token;

	c->pin.held = false;
	prompts_release(c->env->prompts);
	if (err != NULL && reply != NULL)
		c->object.tries = reply->tries;
	if (err == NULL) {
		right(c);
		return;
	}
	if (err->rc == UK_E_PIN_WRONG) {
		wrong_pins_add(wrong, token, c->pin.pin);
		gate_wrong_pin(c->env->gate, &c->facts);
	}
	uk_secret_free(&c->pin.pin);
	if (err->rc == UK_E_PIN_WRONG)
		again(c, "密码不正确。", err);
	else
		call_fail_tries(c, err, c->object.tries);
}

static void
answered(struct call *c, const struct uk_err *err, struct uk_secret **pin)
{
	c->pin.asking = false;
	if (err != NULL) {
		call_fail(c, err);
		return;
	}
	/* While the window was open, another request may have spent tries. */
	call_refresh(c);
	if (c->object.state == TOKEN_PIN_LOCKED || last_unwarned(c)) {
		pin_ask(c);
		return;
	}
	c->pin.asked++;
	if (uk_secret_lend(*pin).n == 0) {
		again(c, "请输入密码。", NULL);
		return;
	}
	/* It would cost a try and can't be right. */
	if (wrong_pins_has(rpc_wrong_pins(c->rpc), c->object.token, *pin)) {
		again(c, "这个密码刚才已经试过，不正确（没有再试，未消耗次数）。", NULL);
		return;
	}
	c->pin.pin = *pin;
	*pin = NULL;
	c->pin.sent = true;
	c->pin.held = true;
	prompts_hold(c->env->prompts);
	call_token(c,
	    &(struct token_call){ .op = TOKEN_LOGIN, .token = c->object.token, .pin = c->pin.pin },
	    CALL_DEADLINE, logged_in);
}

static void
ask(struct call *c)
{
	const bool warn = last_unwarned(c);
	struct uk_buf text;

	c->pin.asking = true;

	uk_buf_init(&text, DESCRIPTION_LEN);
	call_describe(c, &text);
	describe_tries(c, &text);
	if (warn)
		uk_buf_put_str(&text, "\n\n要继续吗？");
	call_ask(c,
	    &(struct prompt_text){
		.kind = warn ? PROMPT_CONFIRM : PROMPT_PIN,
		.text = uk_buf_str(&text),
		.error = warn ? NULL : c->pin.error,
		.yes = warn ? "继续" : NULL,
		.label = c->pin.change ? "原密码：" : NULL,
	    },
	    warn ? warned : answered);
	uk_buf_fini(&text);
}

void
pin_ask(struct call *c)
{
	if (c->object.state == TOKEN_PIN_LOCKED)
		call_refuse(c, UK_E_PIN_LOCKED, NULL);
	else if (c->object.state == TOKEN_BLANK)
		call_refuse(c, UK_E_CONFLICT, "token-blank");
	else
		ask(c);
}

void
pin_unlocked(struct call *c, const char *token)
{
	if (!c->pin.asking || c->pin.change || strcmp(c->object.token, token) != 0 ||
	    c->prompt == NULL || !prompt_waits(c->prompt))
		return;
	prompt_drop(&c->prompt);
	c->pin.asking = false;
	call_refresh(c);
	call_decide(c);
}

/* --- pin.change --- */

static void
told(struct call *c)
{
	call_reply(c, json_pack("{s:b}", "changed", 1));
}

static void
token_found(struct call *c)
{
	const struct token_params *p = c->in;

	if (!token_about(c, p->token))
		return;
	c->pin.change = true;
	c->pin.was_open = c->object.logged_in;
	call_allow(c, told);
}

void
pin_change(struct call *c)
{
	inventory_tokens(c, token_found);
}
