/*
 * PINs changed and keys unlocked through the real ukeyd on real SoftHSM tokens behind the fault
 * module; what the user types comes from tests/fake/pinentry. [H2] [H4] [U1] [C3]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_issue.h"
#include "daemon_ticket.h"
#include "daemon_world.h"
#include "uk/b64.h"
#include "uk/receipt.h"
#include "uk/ticket.h"

#define SITES  64
#define SO_PIN "12345678" /* the world's */
#define NONCE  "nonce-0123456789"
#define PIN_A  "246813"
#define PIN_B  "951753"
#define ORDER  "UK26112200000007"

struct env {
	struct world w;
	struct issuer *issuer;
	struct uk_jwk *ca;
	struct peer peer; /* a page of a site of its own, so that no limit is met */
	int site;
	char origin[64];
	char token[65];
	char serial[65];
	char cert[65];
	char pin[32]; /* the token's, now */
	char so[32];  /* the same */
};

static struct peer
user_of(struct env *e)
{
	return peer_user(&e->w);
}

static void
next_site(struct env *e)
{
	peer_close(&e->peer);
	(void)snprintf(e->origin, sizeof(e->origin), "https://s%d.example", e->site++ % SITES);
	e->peer = peer_page(&e->w, e->origin);
	world_rules(&e->w, "");
}

static char *
policy_text(struct env *e)
{
	json_t *p = json_pack("{s:[s], s:{s:[]}, s:{s:[o]}}", "modules", FAULT_MODULE, "sites",
	    "allow", "tickets", "trusted", uk_jwk_public(e->ca));
	char origin[64], *text;

	for (int i = 0; i < SITES; i++) {
		(void)snprintf(origin, sizeof(origin), "https://s%d.example", i);
		json_array_append_new(
		    json_object_get(json_object_get(p, "sites"), "allow"), json_string(origin));
	}
	text = json_dumps(p, 0);
	json_decref(p);
	return text;
}

/* A key and its certificate, as the user himself. */
static void
certify(struct env *e)
{
	const struct peer user = user_of(e);
	struct uk_buf request, der;
	char key[65], *b64;
	const json_t *r;

	world_answers(&e->w, WORLD_PIN "\n");
	r = answer_result(peer_call(&e->w, &user, "key.generate",
	    json_pack("{s:s, s:s}", "token", e->token, "algorithm", "p-256")));
	(void)snprintf(key, sizeof(key), "%s", answer_str(r, "key"));
	r = answer_result(peer_call(&e->w, &user, "request.create",
	    json_pack("{s:s, s:s, s:{s:s}}", "token", e->token, "key", key, "subject", "commonName",
		"示范公司")));
	uk_buf_init(&request, 16384);
	uk_buf_init(&der, 16384);
	assert_int_equal(uk_b64_get(&request, answer_str(r, "request")), UK_OK);
	assert_true(issuer_issue(e->issuer, uk_buf_span(&request), &der));
	b64 = uk_b64_dup(uk_buf_span(&der));
	r = answer_result(peer_call(&e->w, &user, "certificate.install",
	    json_pack("{s:s, s:s}", "token", e->token, "certificate", b64)));
	strcpy(e->cert, answer_str(r, "certificate"));
	free(b64);
	uk_buf_fini(&request);
	uk_buf_fini(&der);
}

static int
group_setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	const json_t *list;
	struct peer user;
	char *text;

	assert_int_equal(uk_jwk_new(&e->ca, NULL), UK_OK);
	text = policy_text(e);
	world_init(&e->w, text);
	free(text);
	world_start(&e->w);
	e->issuer = issuer_new();
	user = user_of(e);
	list =
	    json_object_get(answer_result(peer_call(&e->w, &user, "token.list", NULL)), "tokens");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *t = json_array_get(list, i);

		if (strcmp(answer_str(t, "label"), "demo") != 0)
			continue;
		strcpy(e->token, answer_str(t, "id"));
		strcpy(e->serial, answer_str(t, "serial"));
	}
	certify(e);
	strcpy(e->pin, WORLD_PIN);
	strcpy(e->so, SO_PIN);
	e->peer = user;
	*state = e;
	return 0;
}

static int
group_teardown(void **state)
{
	struct env *e = *state;

	peer_close(&e->peer);
	world_stop(&e->w);
	assert_true(world_gone("ukey-token"));
	issuer_free(&e->issuer);
	uk_jwk_free(&e->ca);
	world_fini(&e->w);
	free(e);
	return 0;
}

static const json_t *
call(struct env *e, const char *method, json_t *params)
{
	return peer_call(&e->w, &e->peer, method, params);
}

static json_t *
token_param(const struct env *e)
{
	return json_pack("{s:s}", "token", e->token);
}

/* One line each; NULL ends. */
static void
types(struct env *e, const char *first, ...)
{
	char text[512] = "";
	size_t at = 0;
	va_list ap;

	va_start(ap, first);
	for (const char *s = first; s != NULL; s = va_arg(ap, const char *))
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\n", s);
	va_end(ap);
	world_answers(&e->w, text);
}

static void
lock(struct env *e)
{
	const struct peer user = user_of(e);

	(void)answer_result(peer_call(&e->w, &user, "token.logout", token_param(e)));
}

/* A member of the token, as the page sees it; lent. */
static const json_t *
member(struct env *e, const char *name)
{
	const json_t *list = json_object_get(answer_result(call(e, "token.list", NULL)), "tokens");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(answer_str(json_array_get(list, i), "id"), e->token) == 0)
			return json_object_get(json_array_get(list, i), name);
	return NULL;
}

static bool
token_is(struct env *e, const char *name)
{
	const json_t *v = member(e, name);

	return json_is_true(v);
}

/* ... and says so within five seconds. */
static void
token_becomes(struct env *e, const char *name)
{
	for (int i = 0; i < 100 && member(e, name) == NULL; i++)
		(void)usleep(50000);
	assert_non_null(member(e, name));
}

/* What it takes is what is believed to be its PIN, and its key still signs. */
static void
works(struct env *e)
{
	const struct peer user = user_of(e);

	world_rules(&e->w, "");
	for (int i = 0; i < 100; i++) {
		const char *why;

		types(e, e->pin, NULL);
		why = answer_reason(peer_call(&e->w, &user, "token.login", token_param(e)));
		if (why[0] == '\0')
			break;
		assert_string_equal(why, "token-not-found");
		(void)usleep(50000);
	}
	(void)answer_result(peer_call(&e->w, &user, "signature.create",
	    json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data", "eA==", "format", "raw")));
	lock(e);
}

/* --- pin.change --- */

static const json_t *
change(struct env *e)
{
	return call(e, "pin.change", token_param(e));
}

static void
changes(void **state)
{
	struct env *e = *state;

	next_site(e);
	lock(e);
	types(e, e->pin, PIN_A, PIN_A, NULL);
	(void)answer_result(change(e));
	assert_true(world_shown(&e->w, "SETPROMPT 原密码："));
	assert_true(world_shown(&e->w, "SETPROMPT 新密码："));
	assert_true(world_shown(&e->w, "SETPROMPT 再输一次："));
	assert_true(world_shown(&e->w, "6至32位"));
	assert_true(world_shown(&e->w, e->origin));
	strcpy(e->pin, PIN_A);
	/* it is open now, and the old PIN is asked for all the same */
	types(e, e->pin, PIN_B, PIN_B, NULL);
	(void)answer_result(change(e));
	strcpy(e->pin, PIN_B);
	works(e);
}

/* Each is told, and asked for again; the tries of the token are the old PIN's only. */
static void
says_what_is_wrong_with_a_new_one(void **state)
{
	struct env *e = *state;

	next_site(e);
	types(e, e->pin, "12", "987654", "372372", e->pin, PIN_A, "246814", "太短吗？x", NULL);
	assert_string_equal(answer_reason(change(e)), "new-pin-unfit");
	assert_true(world_shown(&e->w, "SETERROR 太短"));
	assert_true(world_shown(&e->w, "SETERROR 太简单"));
	assert_true(world_shown(&e->w, "SETERROR 新密码不能和原密码相同"));
	works(e);
	next_site(e);
	types(e, e->pin, "12345678901234567890123456789012345", "口令口令", PIN_A, "246814", PIN_A,
	    PIN_A, NULL);
	(void)answer_result(change(e));
	assert_true(world_shown(&e->w, "SETERROR 太长"));
	assert_true(world_shown(&e->w, "SETERROR 只能用"));
	assert_true(world_shown(&e->w, "SETERROR 两次输入的密码不一样"));
	strcpy(e->pin, PIN_A);
	works(e);
}

static void
changes_nothing_when_cancelled(void **state)
{
	static const char *const at[][4] = { { "!cancel", NULL }, { "", "!cancel", NULL },
		{ "", PIN_B, "!cancel", NULL } };
	struct env *e = *state;

	for (size_t i = 0; i < 3; i++) {
		next_site(e);
		lock(e);
		types(e, i == 0 ? "!cancel" : e->pin, at[i][1], at[i][1] != NULL ? at[i][2] : NULL,
		    NULL);
		assert_string_equal(answer_reason(change(e)), "cancelled");
		/* nobody is in who was not before */
		assert_false(token_is(e, "loggedIn"));
	}
	works(e);
}

static void
a_wrong_old_one_is_not_tried_twice(void **state)
{
	struct env *e = *state;

	next_site(e);
	types(e, "000111", "000111", "000111", NULL);
	assert_string_equal(answer_reason(change(e)), "pin-wrong");
	assert_true(world_shown(&e->w, "未消耗次数"));
	types(e, "000111", "000111", "000111", NULL);
	assert_string_equal(answer_reason(change(e)), "pin-blocked-known-wrong");
	/* before the last one a window warns */
	world_rules(&e->w, "C_GetTokenInfo:1+=flags:0x20000\n");
	token_becomes(e, "triesLeft");
	types(e, "!cancel", NULL);
	assert_string_equal(answer_reason(change(e)), "pin-last-try");
	works(e);
}

static void
a_token_that_does_not_take_it(void **state)
{
	struct env *e = *state;

	next_site(e);
	world_rules(&e->w, "C_SetPIN:1=CKR_PIN_INVALID\n");
	types(e, e->pin, "refused-1", "refused-1", PIN_B, PIN_B, NULL);
	(void)answer_result(change(e));
	assert_true(world_shown(&e->w, "UKEY不接受这个密码"));
	strcpy(e->pin, PIN_B);
	works(e);
	next_site(e);
	world_rules(&e->w, "C_SetPIN:1=pull\n");
	types(e, e->pin, PIN_A, PIN_A, NULL);
	assert_string_equal(answer_reason(change(e)), "token-removed");
	works(e);
}

/* [C3] the CA's PIN opens nothing but its own change. */
static void
a_first_pin_is_changed_at_once(void **state)
{
	struct env *e = *state;
	const struct peer user = user_of(e);

	next_site(e);
	lock(e);
	world_rules(&e->w, "C_GetTokenInfo:1+=flags:0x80000\n");
	token_becomes(e, "pinInitial");
	types(e, e->pin, "!cancel", NULL);
	assert_string_equal(
	    answer_reason(call(e, "token.login", token_param(e))), "pin-must-change");
	assert_true(world_shown(&e->w, "首次使用须修改初始密码"));
	types(e, e->pin, PIN_A, "!cancel", NULL);
	assert_string_equal(answer_reason(peer_call(&e->w, &user, "signature.create",
				json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data",
				    "eA==", "format", "raw"))),
	    "pin-must-change");
	types(e, e->pin, PIN_A, PIN_A, NULL);
	(void)answer_result(call(e, "token.login", token_param(e)));
	strcpy(e->pin, PIN_A);
	works(e);
}

/* --- pin.unlock --- */

/* What is not said is as it should be. */
static struct ticket
usual(const struct env *e, const struct ticket *how)
{
	struct ticket t = *how;

	t.token = t.token != NULL ? t.token : e->serial;
	t.certificate = t.certificate != NULL ? t.certificate : e->cert;
	t.origin = t.origin != NULL ? t.origin : e->origin;
	t.so = t.so != NULL ? t.so : e->so;
	t.next = t.next != NULL ? t.next : e->so;
	return t;
}

static char *
sealed_by(struct env *e, const struct uk_jwk *ca, const struct ticket *how, char code[5])
{
	const json_t *r =
	    answer_result(call(e, "agent.channel", json_pack("{s:s}", "purpose", "unlock")));
	const json_t *shown = json_object_get(r, "code");
	const struct ticket t = usual(e, how);

	(void)snprintf(code, 5, "%s", shown != NULL ? json_string_value(shown) : "");
	assert_null(json_object_get(r, "vouch"));
	return ticket_seal(&t, ca, json_object_get(r, "channel"));
}

static char *
ticket(struct env *e, const struct ticket *how, char code[5])
{
	return sealed_by(e, e->ca, how, code);
}

static json_t *
unlock_param(const struct env *e, const char *jwe)
{
	return json_pack("{s:s, s:s}", "token", e->token, "ticket", jwe);
}

static const json_t *
unlock(struct env *e, const struct ticket *how)
{
	char code[5], *jwe = ticket(e, how, code);
	const json_t *m = call(e, "pin.unlock", unlock_param(e, jwe));

	free(jwe);
	return m;
}

static void
receipt_holds(const struct env *e, const json_t *result)
{
	const struct ticket t = usual(e, &(struct ticket){ 0 });

	ticket_receipt_holds(result, &t, "ES256");
}

/* [U1] [U2] */
static void
unlocks(void **state)
{
	struct env *e = *state;
	char code[5], *jwe;
	const json_t *r;

	next_site(e);
	lock(e);
	/* forgotten: what is refused now may well be what is chosen then */
	types(e, PIN_B, "000000", "111111", NULL);
	assert_string_equal(answer_reason(call(e, "token.login", token_param(e))), "pin-wrong");
	jwe = ticket(e, &(struct ticket){ .next = "so-second-one" }, code);
	assert_int_equal(strlen(code), 4);
	types(e, PIN_B, PIN_B, NULL);
	r = answer_result(call(e, "pin.unlock", unlock_param(e, jwe)));
	free(jwe);
	assert_true(json_is_true(json_object_get(r, "unlocked")));
	receipt_holds(e, r);
	assert_true(world_shown(&e->w, code));
	assert_true(world_shown(&e->w, TICKET_ORDER));
	assert_true(world_shown(&e->w, "示范公司"));
	assert_true(world_shown(&e->w, "解锁UKEY"));
	strcpy(e->so, "so-second-one");
	strcpy(e->pin, PIN_B);
	works(e);
}

static void
refuses_what_is_not_meant_for_this(void **state)
{
	struct env *e = *state;
	struct uk_jwk *stranger = NULL;
	char hash[65], code[5], *jwe;
	const struct {
		struct ticket t;
		const char *reason;
	} rows[] = {
		{ { .purpose = "production" }, "ticket-other-purpose" },
		{ { .token = "another-serial" }, "ticket-other-token" },
		{ { .certificate = hash }, "ticket-other-certificate" },
		{ { .origin = "https://evil.example" }, "ticket-other-origin" },
		{ { .life = -1 }, "ticket-expired" },
		{ { .life = 3600 }, "ticket-expired" },
	};

	memset(hash, 'a', 64);
	hash[64] = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		next_site(e);
		types(e, PIN_A, PIN_A, NULL);
		assert_string_equal(answer_reason(unlock(e, &rows[i].t)), rows[i].reason);
		assert_false(world_shown(&e->w, "GETPIN"));
	}
	assert_int_equal(uk_jwk_new(&stranger, NULL), UK_OK);
	jwe = sealed_by(e, stranger, &(struct ticket){ 0 }, code);
	assert_string_equal(
	    answer_reason(call(e, "pin.unlock", unlock_param(e, jwe))), "ticket-untrusted");
	free(jwe);
	uk_jwk_free(&stranger);
	works(e);
}

static void
takes_each_ticket_once(void **state)
{
	struct env *e = *state;
	char code[5], *jwe, *other;

	next_site(e);
	jwe = ticket(e, &(struct ticket){ 0 }, code);
	types(e, "!cancel", NULL);
	assert_string_equal(
	    answer_reason(call(e, "pin.unlock", unlock_param(e, jwe))), "cancelled");
	assert_string_equal(
	    answer_reason(call(e, "pin.unlock", unlock_param(e, jwe))), "channel-not-found");
	/* a newer channel has taken its place */
	other = ticket(e, &(struct ticket){ 0 }, code);
	assert_string_equal(
	    answer_reason(call(e, "pin.unlock", unlock_param(e, jwe))), "ticket-other-channel");
	assert_string_equal(
	    answer_reason(call(e, "pin.unlock", unlock_param(e, other))), "channel-not-found");
	free(other);
	free(jwe);
	/* one that was opened for something else */
	jwe = ticket(e, &(struct ticket){ 0 }, code);
	assert_string_equal(
	    answer_reason(call(e, "token.prepare", unlock_param(e, jwe))), "policy-refused");
	free(jwe);
	works(e);
}

/* On the WebSocket there has to have been a code to compare; the extension needs none. */
static void
compares_on_the_websocket(void **state)
{
	struct env *e = *state;
	struct peer page;
	char code[5], *jwe;

	next_site(e);
	page = e->peer;
	e->peer = peer_host(e->origin);
	jwe = ticket(e, &(struct ticket){ 0 }, code);
	assert_string_equal(code, "");
	assert_string_equal(
	    answer_reason(peer_call(&e->w, &page, "pin.unlock", unlock_param(e, jwe))),
	    "channel-not-found");
	free(jwe);
	types(e, PIN_A, PIN_A, NULL);
	receipt_holds(e, answer_result(unlock(e, &(struct ticket){ 0 })));
	assert_false(world_shown(&e->w, "核对码"));
	peer_close(&page);
	strcpy(e->pin, PIN_A);
	works(e);
}

static void
unlock_asks_until_it_fits(void **state)
{
	struct env *e = *state;

	next_site(e);
	types(e, "1234", "111111", PIN_B, "nothing-like-it", PIN_B, PIN_B, NULL);
	(void)answer_result(unlock(e, &(struct ticket){ 0 }));
	assert_true(world_shown(&e->w, "SETERROR 太短"));
	assert_true(world_shown(&e->w, "SETERROR 太简单"));
	assert_true(world_shown(&e->w, "SETERROR 两次输入的密码不一样"));
	strcpy(e->pin, PIN_B);
	works(e);
	next_site(e);
	types(e, PIN_A, "!cancel", NULL);
	assert_string_equal(answer_reason(unlock(e, &(struct ticket){ 0 })), "cancelled");
	works(e);
}

/* The CA keeps the newest two until a receipt proves which one the token has. */
static void
so_pins_in_two_steps(void **state)
{
	struct env *e = *state;
	const json_t *r;

	next_site(e);
	/* the newest is not on the token: the older one is right */
	types(e, PIN_A, PIN_A, NULL);
	r = answer_result(unlock(
	    e, &(struct ticket){ .so = "so-third-one", .old = e->so, .next = "so-third-one" }));
	receipt_holds(e, r);
	strcpy(e->so, "so-third-one");
	strcpy(e->pin, PIN_A);
	works(e);
	/* neither is */
	next_site(e);
	types(e, PIN_B, PIN_B, NULL);
	assert_string_equal(
	    answer_reason(unlock(e, &(struct ticket){ .so = "not-this", .old = "nor-this" })),
	    "so-pin-wrong");
	/* and a user's PIN is never taken for wrong by that */
	works(e);
	next_site(e);
	world_rules(&e->w, "C_GetTokenInfo:1+=flags:0x200000\n");
	types(e, PIN_B, PIN_B, NULL);
	assert_string_equal(answer_reason(unlock(e, &(struct ticket){ 0 })), "so-pin-last-try");
	works(e);
}

/* A user's PIN that the token dislikes is chosen anew; an SO PIN known to be wrong is not sent
 * again. */
static void
no_third_so_try(void **state)
{
	struct env *e = *state;

	next_site(e);
	/* wrong, right; then only the right one, and the user's: the fifth would fail */
	world_rules(&e->w, "C_InitPIN:1=CKR_PIN_INVALID\nC_Login:5+=CKR_DEVICE_ERROR\n");
	types(e, PIN_B, PIN_B, PIN_A, PIN_A, NULL);
	(void)answer_result(
	    unlock(e, &(struct ticket){ .so = "not-this-one", .old = e->so, .next = e->so }));
	assert_true(world_shown(&e->w, "不接受这个密码"));
	world_rules(&e->w, "");
	strcpy(e->pin, PIN_A);
	works(e);
}

/* A key that is pulled at any step, and a token that keeps its SO PIN: the next ticket does it. */
static void
a_second_ticket_finishes(void **state)
{
	static const struct {
		const char *rules, *reason;
		bool pin, so; /* changed all the same */
	} rows[] = {
		{ "C_Login:1=pull\n", "token-removed", false, false },
		{ "C_InitPIN:1=pull\n", "token-removed", false, false },
		{ "C_InitPIN:1=pull-after\n", "token-removed", true, false },
		{ "C_SetPIN:1=pull-after\n", "token-removed", true, true },
		{ "C_Sign:1=pull\n", "token-removed", true, true },
		{ "C_SetPIN:1=CKR_DEVICE_ERROR\n", "so-pin-unchanged", true, false },
	};
	struct env *e = *state;
	char next[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *pin = i % 2 == 0 ? PIN_B : PIN_A;

		(void)snprintf(next, sizeof(next), "so-pending-%zu", i);
		next_site(e);
		world_rules(&e->w, rows[i].rules);
		types(e, pin, pin, NULL);
		assert_string_equal(
		    answer_reason(unlock(e, &(struct ticket){ .next = next })), rows[i].reason);
		if (rows[i].pin)
			strcpy(e->pin, pin);
		works(e);
		types(e, pin, pin, NULL);
		receipt_holds(e, answer_result(unlock(e,
				     &(struct ticket){ .so = next, .old = e->so, .next = next })));
		strcpy(e->so, next);
		strcpy(e->pin, pin);
		works(e);
	}
}

/* What only pin.unlock signs can't be had as a signature. */
static void
a_receipt_is_not_signed_by_others(void **state)
{
	const struct uk_receipt r = { "https://ca.example", TICKET_ORDER, TICKET_JTI,
		TICKET_NONCE };
	struct env *e = *state;
	struct uk_buf data;
	char *b64;

	next_site(e);
	uk_buf_init(&data, 1024);
	uk_receipt_put(&data, &r);
	b64 = uk_b64_dup(uk_buf_span(&data));
	assert_string_equal(answer_reason(call(e, "signature.create",
				json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data", b64,
				    "format", "raw"))),
	    "receipt-refused");
	free(b64);
	uk_buf_fini(&data);
}

/* --- several at once --- */

/* A window that waits to ask for the PIN need not come once another one has had it. */
static void
one_pin_for_those_who_wait(void **state)
{
	struct env *e = *state;
	struct peer other;
	int a, b;

	next_site(e);
	lock(e);
	other = peer_page(&e->w, "https://s0.example");
	types(e, e->pin, NULL);
	a = peer_ask(&e->w, &e->peer, "token.login", token_param(e));
	b = peer_ask(&e->w, &other, "token.login", token_param(e));
	(void)answer_result(peer_answer(&e->w, &e->peer, a));
	(void)answer_result(peer_answer(&e->w, &other, b));
	peer_close(&other);
	works(e);
}

/* No site locks the key under another one's hands; the user may, and the site itself. */
static void
logs_nobody_else_out(void **state)
{
	struct env *e = *state;
	const struct peer user = user_of(e);
	struct peer other;
	int a;

	next_site(e);
	lock(e);
	other = peer_page(&e->w, "https://s0.example");
	world_answers(&e->w, "!hang\n");
	a = peer_ask(&e->w, &other, "token.login", token_param(e));
	assert_true(world_shows(&e->w, "GETPIN"));
	assert_string_equal(answer_reason(call(e, "token.logout", token_param(e))), "token-in-use");
	(void)answer_result(peer_call(&e->w, &user, "token.logout", token_param(e)));
	(void)a;
	peer_close(&other);
	assert_true(world_gone("sleep"));
	(void)answer_result(call(e, "token.logout", token_param(e)));
	works(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes),
		cmocka_unit_test(says_what_is_wrong_with_a_new_one),
		cmocka_unit_test(changes_nothing_when_cancelled),
		cmocka_unit_test(a_wrong_old_one_is_not_tried_twice),
		cmocka_unit_test(a_token_that_does_not_take_it),
		cmocka_unit_test(a_first_pin_is_changed_at_once),
		cmocka_unit_test(unlocks),
		cmocka_unit_test(refuses_what_is_not_meant_for_this),
		cmocka_unit_test(takes_each_ticket_once),
		cmocka_unit_test(compares_on_the_websocket),
		cmocka_unit_test(unlock_asks_until_it_fits),
		cmocka_unit_test(so_pins_in_two_steps),
		cmocka_unit_test(no_third_so_try),
		cmocka_unit_test(a_second_ticket_finishes),
		cmocka_unit_test(a_receipt_is_not_signed_by_others),
		cmocka_unit_test(one_pin_for_those_who_wait),
		cmocka_unit_test(logs_nobody_else_out),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
