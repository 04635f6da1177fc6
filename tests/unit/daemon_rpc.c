/* The protocol over a fake connection and a fake token: what is refused, what is asked, what is
 * sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_env.h"
#include "protocol/channel.h"
#include "protocol/idle.h"
#include "protocol/newpin.h"
#include "uk/b64.h"
#include "uk/config.h"
#include "uk/frame.h"
#include "uk/login.h"
#include "uk/x509.h"

struct bad {
	const char *text;
	int code;
	const char *reason;
};

static void
malformed(void **state)
{
	static const struct bad bad[] = {
		{ "", -32700, "json-malformed" },
		{ "{", -32700, "json-malformed" },
		{ "{\"id\":1,\"id\":2}", -32700, "json-malformed" },
		{ "\"x\"", -32700, "json-malformed" },
		{ "[]", -32600, "batch-refused" },
		{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"agent.hello\"}]", -32600,
		    "batch-refused" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"agent.hello\"}", -32600, "invalid-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"agent.hello\"}", -32600,
		    "invalid-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"agent.hello\"}", -32600,
		    "invalid-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"agent.hello\"}", -32600,
		    "invalid-request" },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"agent.hello\"}", -32600,
		    "invalid-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"agent.hello\",\"x\":1}", -32600,
		    "invalid-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"agent.hello\",\"params\":[]}", -32600,
		    "invalid-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"agent.goodbye\"}", -32601,
		    "unknown-method" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"agent.hello\","
		  "\"params\":{\"x\":1}}",
		    -32602, "unknown-member" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"token.login\",\"params\":{}}", -32602,
		    "missing" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const json_t *m = say(*state, bad[i].text);

		if (code(m) != bad[i].code || strcmp(reason(m), bad[i].reason) != 0)
			fail_msg("%s: %d %s", bad[i].text, code(m), reason(m));
	}
}

static void
oversized(void **state)
{
	const size_t n = UK_MESSAGE_MAX + 1;
	struct env *e = *state;
	char *text = malloc(n);

	memset(text, ' ', n);
	rpc_message(e->rpc, &e->page.base, uk_span(text, n));
	assert_string_equal(reason(next(e)), "too-large");
	free(text);
}

static void
deep(void **state)
{
	char text[201];

	memset(text, '[', 200);
	text[200] = '\0';
	assert_string_equal(reason(say(*state, text)), "json-too-deep");
}

static void
hello(void **state)
{
	const json_t *r = result(call(*state, "agent.hello", NULL)), *site;

	assert_int_equal(json_integer_value(json_object_get(r, "protocol")), 1);
	site = json_object_get(r, "site");
	assert_string_equal(json_string_value(json_object_get(site, "origin")), SITE);
	assert_true(json_is_false(json_object_get(site, "allowed")));
	assert_string_equal(reason(call(*state, "token.list", NULL)), "site-not-allowed");
	assert_string_equal(reason(call(*state, "certificate.list", NULL)), "site-not-allowed");
	assert_string_equal(reason(call(*state, "site.list", NULL)), "policy-refused");
	assert_string_equal(
	    reason(call(*state, "agent.channel", json_pack("{s:s}", "purpose", "production"))),
	    "site-not-allowed");
}

static bool
has_check(const json_t *r, const char *code)
{
	const json_t *list = json_object_get(r, "checks");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "code")),
			code) == 0)
			return true;
	return false;
}

/* Whether a key is in is nobody's business before the user has said so. */
static void
status(void **state)
{
	const json_t *r = result(call(*state, "agent.status", NULL));

	assert_true(has_check(r, "pinentry"));
	assert_false(has_check(r, "token-present"));
	granted(*state);
	assert_true(has_check(result(call(*state, "agent.status", NULL)), "token-present"));
}

static void
connections(void **state)
{
	struct env *e = *state;
	struct fake_conn c;
	struct uk_err err = { 0 };

	fake_conn_init(&c, "http://evil.example");
	assert_int_equal(rpc_attach(e->rpc, &c.base, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "origin-refused");
	fake_conn_init(&c, SITE);
	c.peer++;
	assert_int_equal(rpc_attach(e->rpc, &c.base, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "peer-refused");
}

static void
site_request(void **state)
{
	struct env *e = *state;
	const json_t *r;

	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, "site.request", NULL)), "denied");
	shown(e, SITE, true);
	shown(e, "张三", true);
	assert_false(sites_allowed(e->sites, SITE));
	result(call(e, "site.request", NULL));
	assert_true(sites_certificate(e->sites, SITE, e->cert));
	r = result(call(e, "certificate.list", NULL));
	assert_int_equal(json_array_size(json_object_get(r, "certificates")), 1);
	assert_int_equal(json_integer_value(json_object_get(r, "hidden")), 0);
	/* nothing new to ask for: no window */
	answers(e, "!cancel\n");
	result(call(e, "site.request", NULL));
}

static void
hidden(void **state)
{
	struct env *e = *state;
	const json_t *r;

	assert_int_equal(sites_grant(e->sites, SITE, NULL, 0, NULL), UK_OK);
	r = result(call(e, "certificate.list", NULL));
	assert_int_equal(json_array_size(json_object_get(r, "certificates")), 0);
	assert_int_equal(json_integer_value(json_object_get(r, "hidden")), 1);
	assert_string_equal(reason(call(e, "signature.create",
				json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data",
				    "AA==", "format", "raw"))),
	    "certificate-not-found");
}

static json_t *
sign_params(struct env *e, const char *data, const char *format)
{
	char *b64 = uk_b64_dup(uk_span_str(data));
	json_t *p = json_pack("{s:s, s:s, s:s, s:s}", "certificate", e->cert, "data", b64, "format",
	    format, "title", "合同\n第1号");

	free(b64);
	return p;
}

/* The PIN's window says who asks for what, and is the consent. */
static void
sign(void **state)
{
	struct env *e = *state;
	struct uk_buf sig;
	struct uk_pubkey *key = NULL;
	const json_t *r;

	granted(e);
	answers(e, "123456\n");
	r = result(call(e, "signature.create", sign_params(e, "data", "raw")));
	shown(e, "网站：" SITE "%0A证书：张三%0A用途：签名%0A网站说明：「合同 第1号」", true);
	shown(e, "CONFIRM", false);
	uk_buf_init(&sig, 256);
	assert_int_equal(
	    uk_b64_get(&sig, json_string_value(json_object_get(r, "signature"))), UK_OK);
	assert_int_equal(uk_pubkey_from_spki(uk_buf_span(&e->token.spki), &key, NULL), UK_OK);
	assert_int_equal(uk_verify(key, uk_span_str("data"), uk_buf_span(&sig), NULL), UK_OK);
	uk_pubkey_free(&key);
	uk_buf_fini(&sig);
	/* logged in: now a yes is enough, but each use asks for one */
	answers(e, "");
	result(call(e, "signature.create", sign_params(e, "data", "cms-attached")));
	shown(e, "CONFIRM", true);
	shown(e, "GETPIN", false);
	answers(e, "!cancel\n");
	assert_string_equal(
	    reason(call(e, "signature.create", sign_params(e, "data", "cms-detached"))),
	    "cancelled");
}

/* However long the site's name and words are, the end of a window is shown: the warning is there.
 */
static void
sign_long_words(void **state)
{
	static char site[ORIGIN_MAX + 1] = "https://";
	struct env *e = *state;
	const char *fp = e->cert;
	char title[321];
	struct fake_conn other;
	json_t *p;
	char *text;

	for (size_t i = strlen(site); i < ORIGIN_MAX; i++)
		site[i] = i % 50 == 0 ? '.' : 'a';
	for (size_t i = 0; i < 80; i++)
		memcpy(title + 4 * i, "𠀀", 5);
	e->token.info.tries = 1;
	for (int percent = 0; percent < 2; percent++) {
		if (percent)
			memset(title, '%', 80), title[80] = '\0';
		fake_conn_init(&other, site);
		assert_int_equal(rpc_attach(e->rpc, &other.base, NULL), UK_OK);
		assert_int_equal(sites_grant(e->sites, site, &fp, 1, NULL), UK_OK);
		answers(e, "!cancel\n");
		p = json_pack("{s:s, s:i, s:s, s:{s:s, s:s, s:s, s:s}}", "jsonrpc", "2.0", "id", 1,
		    "method", "signature.create", "params", "certificate", e->cert, "data",
		    "AA==", "format", "raw", "title", title);
		text = json_dumps(p, 0);
		rpc_message(e->rpc, &other.base, uk_span_str(text));
		assert_true(loop_poll_run(e->loop, &other.got, 10000));
		assert_string_equal(reason(other.sent[0]), "pin-last-try");
		shown(e, "要继续吗？", true);
		rpc_detach(e->rpc, &other.base);
		fake_conn_fini(&other);
		json_decref(p);
		free(text);
	}
}

static void
sign_refused(void **state)
{
	struct env *e = *state;
	const struct uk_login l = { SITE, "x", "0123456789abcdef", 1 };
	struct uk_buf b;

	granted(e);
	uk_buf_init(&b, 1024);
	uk_login_put(&b, &l);
	{
		char *b64 = uk_b64_dup(uk_buf_span(&b));

		assert_string_equal(reason(call(e, "signature.create",
					json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data",
					    b64, "format", "raw"))),
		    "login-challenge-refused");
		free(b64);
	}
	uk_buf_fini(&b);
	assert_int_equal(code(call(e, "signature.create", sign_params(e, "x", "pdf"))), -32602);
	e->token.info.logged_in = true;
	e->token.wrong = true;
	assert_string_equal(
	    reason(call(e, "signature.create", sign_params(e, "x", "raw"))), "signature-wrong");
	e->token.fail = UK_E_TOKEN_REMOVED;
	assert_string_equal(
	    reason(call(e, "signature.create", sign_params(e, "x", "raw"))), "token-removed");
}

/* Data that nobody comes back to is dropped; what is used stays. */
static void
data_idle(void **state)
{
	struct env *e = *state;
	char id[32];

	granted(e);
	(void)snprintf(id, sizeof(id), "%s",
	    json_string_value(json_object_get(
		result(call(e, "data.put", json_pack("{s:s}", "chunk", "AAAA"))), "data")));
	e->later += 4 * 60 * 1000;
	result(call(e, "data.put", json_pack("{s:s, s:s}", "data", id, "chunk", "AAAA")));
	e->later += 4 * 60 * 1000;
	result(call(e, "data.put", json_pack("{s:s, s:s}", "data", id, "chunk", "AAAA")));
	e->later += 6 * 60 * 1000;
	assert_string_equal(
	    reason(call(e, "data.put", json_pack("{s:s, s:s}", "data", id, "chunk", "AAAA"))),
	    "data-not-found");
}

static json_t *
batch_params(struct env *e, size_t n)
{
	json_t *items = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, json_pack("{s:s}", "data", "AAAA"));
	return json_pack(
	    "{s:s, s:o, s:s}", "certificate", e->cert, "items", items, "format", "raw");
}

/* One window for all of them, that says how many; nothing leaves that does not hold. */
static void
batch(void **state)
{
	struct env *e = *state;
	const json_t *r;

	granted(e);
	e->token.info.logged_in = true;
	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, "signature.batch", batch_params(e, 3))), "cancelled");
	answers(e, "");
	r = result(call(e, "signature.batch", batch_params(e, 30)));
	assert_int_equal(json_array_size(json_object_get(r, "signatures")), 30);
	assert_null(json_object_get(r, "stopped"));
	shown(e, "用途：批量签名，共 30 份", true);
	shown(e, "GETPIN", false);
	e->token.wrong = true;
	assert_string_equal(
	    reason(call(e, "signature.batch", batch_params(e, 3))), "signature-wrong");
	e->token.fail = UK_E_TOKEN_REMOVED;
	assert_string_equal(
	    reason(call(e, "signature.batch", batch_params(e, 3))), "token-removed");
}

static json_t *
login_params(struct env *e, int64_t expires)
{
	return json_pack("{s:s, s:s, s:s, s:I}", "certificate", e->cert, "audience", "ukey-staff",
	    "nonce", "0123456789abcdef", "expires", (json_int_t)expires);
}

static void
login(void **state)
{
	struct env *e = *state;
	const int64_t at = uk_now(&uk_clock_system) + 60;
	struct uk_login l = { SITE, "ukey-staff", "0123456789abcdef", at };
	struct uk_buf tbs, sig;
	struct uk_pubkey *key = NULL;
	const json_t *r;

	granted(e);
	e->token.info.logged_in = true;
	assert_string_equal(
	    reason(call(e, "login.create", login_params(e, at - 120))), "login-expired");
	assert_string_equal(
	    reason(call(e, "login.create", login_params(e, at + 3600))), "login-expired");
	r = result(call(e, "login.create", login_params(e, at)));
	shown(e, "登录该网站", true);
	uk_buf_init(&tbs, 1024);
	uk_buf_init(&sig, 256);
	uk_login_put(&tbs, &l);
	assert_int_equal(
	    uk_b64_get(&sig, json_string_value(json_object_get(r, "signature"))), UK_OK);
	assert_int_equal(uk_pubkey_from_spki(uk_buf_span(&e->token.spki), &key, NULL), UK_OK);
	assert_int_equal(uk_verify(key, uk_buf_span(&tbs), uk_buf_span(&sig), NULL), UK_OK);
	l.origin = "https://evil.example";
	uk_buf_reset(&tbs);
	uk_login_put(&tbs, &l);
	assert_int_equal(
	    uk_verify(key, uk_buf_span(&tbs), uk_buf_span(&sig), NULL), UK_E_INTEGRITY);
	uk_pubkey_free(&key);
	uk_buf_fini(&tbs);
	uk_buf_fini(&sig);
}

static const json_t *
log_in(struct env *e)
{
	return call(e, "token.login", json_pack("{s:s}", "token", "T1"));
}

static int
tries(const json_t *m)
{
	return (int)json_integer_value(
	    json_object_get(json_object_get(json_object_get(m, "error"), "data"), "triesLeft"));
}

static void
pin_wrong(void **state)
{
	struct env *e = *state;
	const json_t *m;

	granted(e);
	e->token.info.tries = 8;
	answers(e, "1111\n2222\n3333\n123456\n");
	m = log_in(e);
	assert_string_equal(reason(m), "pin-wrong");
	assert_int_equal(tries(m), 5);
	assert_int_equal(e->token.logins, 3);
	shown(e, "SETERROR 密码不正确。", true);
	shown(e, "剩余次数：6", true);
	result(log_in(e));
	/* in already: nobody is asked */
	answers(e, "!cancel\n");
	result(log_in(e));
}

/* It would cost a try and can't be right. */
static void
pin_known_wrong(void **state)
{
	struct env *e = *state;
	const json_t *m;

	granted(e);
	e->token.info.tries = 8;
	answers(e, "1111\n1111\n1111\n");
	m = log_in(e);
	assert_string_equal(reason(m), "pin-wrong");
	assert_int_equal(e->token.logins, 1);
	assert_int_equal(tries(m), 7);
	answers(e, "1111\n1111\n1111\n");
	assert_string_equal(reason(log_in(e)), "pin-blocked-known-wrong");
	assert_int_equal(e->token.logins, 1);
	answers(e, "1111\n123456\n");
	result(log_in(e));
	assert_int_equal(e->token.logins, 2);
}

static void
pin_last_try(void **state)
{
	struct env *e = *state;
	const json_t *m;

	granted(e);
	e->token.info.tries = 2;
	answers(e, "1111\n!cancel\n");
	m = log_in(e);
	assert_string_equal(reason(m), "pin-last-try");
	assert_int_equal(tries(m), 1);
	assert_int_equal(e->token.logins, 1);
	shown(e, "这是最后一次机会", true);
	answers(e, "9999\n");
	assert_string_equal(reason(log_in(e)), "pin-locked");
	assert_string_equal(reason(log_in(e)), "pin-locked");
	assert_int_equal(e->token.logins, 2);
}

/* Two windows for one token: what the first one spends, the second one knows. */
static void
pin_last_try_after_another(void **state)
{
	struct env *e = *state;
	const char *login = "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"token.login\","
			    "\"params\":{\"token\":\"T1\"}}";
	char text[128];

	granted(e);
	e->token.info.tries = 2;
	answers(e, "1111\n2222\n!cancel\n!cancel\n");
	for (int i = 0; i < 2; i++) {
		(void)snprintf(text, sizeof(text), login, i);
		rpc_message(e->rpc, &e->page.base, uk_span_str(text));
	}
	assert_string_equal(reason(next(e)), "pin-last-try");
	assert_string_equal(reason(next(e)), "pin-last-try");
	assert_int_equal(e->token.logins, 1);
}

/* Locked while the user was asked to agree: then the PIN, too. */
static void
locked_while_asked(void **state)
{
	struct env *e = *state;

	granted(e);
	e->token.info.logged_in = true;
	e->token.locks_after = TOKEN_OBJECTS;
	answers(e, "123456\n");
	result(call(e, "signature.create", sign_params(e, "data", "raw")));
	shown(e, "CONFIRM", true);
	shown(e, "GETPIN", true);
}

/* A site that is refused does not go on asking; nor does it keep the others from asking. */
static void
windows_bounded(void **state)
{
	struct env *e = *state;
	struct fake_conn other;
	char text[128];

	answers(e, "!cancel\n!cancel\n!cancel\n");
	for (int i = 0; i < 3; i++)
		assert_string_equal(reason(call(e, "site.request", NULL)), "denied");
	assert_string_equal(reason(call(e, "site.request", NULL)), "rate-limited");

	fake_conn_init(&other, "https://other.example");
	assert_int_equal(rpc_attach(e->rpc, &other.base, NULL), UK_OK);
	answers(e, "!hang\n");
	for (int i = 0; i <= RPC_WINDOWS; i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"site.request\"}", i);
		rpc_message(e->rpc, &other.base, uk_span_str(text));
	}
	assert_true(loop_poll_run(e->loop, &other.got, 10000));
	assert_string_equal(reason(other.sent[0]), "rate-limited");
	assert_int_equal(other.n_sent, 1);
	rpc_detach(e->rpc, &other.base);
	fake_conn_fini(&other);
}

static int64_t
test_now(void *ctx)
{
	return *(const int64_t *)ctx;
}

/* Left alone, a token locks; looking at it does not keep it open, using it does. */
static void
idle_lock(void **state)
{
	struct env *e = *state;
	int64_t now = 1800000000;
	const struct uk_clock clock = { .now = test_now, .ctx = &now };
	struct idle *i = idle_new(e->loop, &e->uk_log, &clock, &e->token, 1);
	const bool never = false;

	e->token.info.logged_in = true;
	idle_token_changed(i, TOKEN_CHANGED, &e->token.info);
	(void)loop_poll_run(e->loop, &never, 400);
	assert_true(e->token.info.logged_in);
	idle_used(i, "T1");
	now += 1;
	idle_used(i, "T1");
	(void)loop_poll_run(e->loop, &never, 400);
	assert_true(e->token.info.logged_in);
	now += 1;
	(void)loop_poll_run(e->loop, &never, 400);
	assert_false(e->token.info.logged_in);
	/* a clock set back */
	e->token.info.logged_in = true;
	now -= 3600;
	(void)loop_poll_run(e->loop, &never, 400);
	assert_false(e->token.info.logged_in);
	/* told so, it is left alone */
	idle_token_changed(i, TOKEN_CHANGED, &e->token.info);
	e->token.info.logged_in = true;
	now += 10;
	(void)loop_poll_run(e->loop, &never, 400);
	assert_true(e->token.info.logged_in);
	idle_free(&i);
	/* by policy */
	i = idle_new(e->loop, &e->uk_log, &clock, &e->token, 0);
	idle_token_changed(i, TOKEN_CHANGED, &e->token.info);
	now += 100000;
	(void)loop_poll_run(e->loop, &never, 400);
	assert_true(e->token.info.logged_in);
	idle_free(&i);
}

static void
pin_cancelled(void **state)
{
	struct env *e = *state;

	granted(e);
	answers(e, "!cancel\n");
	assert_string_equal(reason(log_in(e)), "cancelled");
	answers(e, "!timeout\n");
	assert_string_equal(reason(log_in(e)), "timeout");
	assert_int_equal(e->token.logins, 0);
	/* Enter by mistake costs nothing */
	answers(e, "\n123456\n");
	result(log_in(e));
	shown(e, "请输入密码。", true);
	assert_int_equal(e->token.logins, 1);
}

/* A page that goes away takes its window and its call along; the next one's turn comes. */
static void
page_leaves(void **state)
{
	struct env *e = *state;
	const bool never = false;
	struct fake_conn other;

	granted(e);
	answers(e, "!hang\n123456\n");
	fake_conn_init(&other, SITE);
	assert_int_equal(rpc_attach(e->rpc, &other.base, NULL), UK_OK);
	rpc_message(e->rpc, &other.base,
	    uk_span_str("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"token.login\","
			"\"params\":{\"token\":\"T1\"}}"));
	(void)loop_poll_run(e->loop, &never, 500);
	assert_int_equal(other.n_sent, 0);
	rpc_detach(e->rpc, &other.base);
	result(log_in(e));
	assert_int_equal(other.n_sent, 0);
	e->token.silent = true;
	fake_conn_init(&other, SITE);
	assert_int_equal(rpc_attach(e->rpc, &other.base, NULL), UK_OK);
	rpc_message(e->rpc, &other.base,
	    uk_span_str("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"token.list\"}"));
	rpc_detach(e->rpc, &other.base);
	assert_int_equal(e->token.dropped, 1);
	assert_int_equal(e->token.under_way, 0);
}

static void
outstanding(void **state)
{
	struct env *e = *state;
	char text[128];

	granted(e);
	e->token.silent = true;
	for (int i = 0; i < RPC_OUTSTANDING; i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"token.list\"}", i);
		rpc_message(e->rpc, &e->page.base, uk_span_str(text));
	}
	assert_int_equal(e->page.n_sent, 0);
	assert_string_equal(reason(say(e, text)), "duplicate-id");
	assert_string_equal(
	    reason(say(e, "{\"jsonrpc\":\"2.0\",\"id\":99,\"method\":\"agent.hello\"}")),
	    "too-many-requests");
}

static void
watch(void **state)
{
	struct env *e = *state;
	const json_t *m;

	granted(e);
	rpc_token_changed(e->rpc, TOKEN_INSERTED, &e->token.info);
	assert_int_equal(e->page.n_sent, 0);
	result(call(e, "token.watch", NULL));
	rpc_token_changed(e->rpc, TOKEN_REMOVED, &e->token.info);
	m = next(e);
	assert_string_equal(json_string_value(json_object_get(m, "method")), "token.changed");
	m = json_object_get(m, "params");
	assert_string_equal(json_string_value(json_object_get(m, "event")), "removed");
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(m, "token"), "id")), "T1");
	/* revoked: no more */
	assert_int_equal(sites_revoke(e->sites, SITE, NULL), UK_OK);
	rpc_token_changed(e->rpc, TOKEN_INSERTED, &e->token.info);
	assert_int_equal(e->page.n_sent, e->page.read);
}

static void
key_and_request(void **state)
{
	struct env *e = *state;
	const json_t *r;

	granted(e);
	answers(e, "123456\n");
	r = result(
	    call(e, "key.generate", json_pack("{s:s, s:s}", "token", "T1", "algorithm", "p-256")));
	assert_string_equal(json_string_value(json_object_get(r, "key")), "01");
	/* agreed to with the key */
	answers(e, "!cancel\n");
	r = result(call(e, "request.create",
	    json_pack("{s:s, s:s, s:{s:s}}", "token", "T1", "key", "01", "subject", "commonName",
		"张三")));
	assert_non_null(json_object_get(r, "request"));
	assert_string_equal(reason(call(e, "request.create",
				json_pack("{s:s, s:s, s:{s:s}}", "token", "T1", "key", "02",
				    "subject", "commonName", "x"))),
	    "key-not-found");
	assert_string_equal(reason(call(e, "request.create",
				json_pack("{s:s, s:s, s:{s:s, s:s}}", "token", "T1", "key", "01",
				    "subject", "commonName", "x", "surname", "y"))),
	    "unknown-member");
	assert_string_equal(
	    reason(call(e, "token.login", json_pack("{s:s}", "token", "T2"))), "token-not-found");
}

/* Who agreed to a key has not agreed to losing a certificate: that is asked, and said. */
static void
replaces(void **state)
{
	struct env *e = *state;
	struct uk_buf der;
	char *b64;

	granted(e);
	answers(e, "123456\n");
	result(
	    call(e, "key.generate", json_pack("{s:s, s:s}", "token", "T1", "algorithm", "p-256")));
	uk_buf_init(&der, 16384);
	fake_token_certify(&e->token, 10, &der);
	b64 = uk_b64_dup(uk_buf_span(&der));
	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, "certificate.install",
				json_pack("{s:s, s:s, s:s}", "token", "T1", "certificate", b64,
				    "replaces", e->cert))),
	    "cancelled");
	shown(e, "%0A之后删除证书：张三", true);
	/* without one it was agreed to with the key; the fake token does not keep it */
	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, "certificate.install",
				json_pack("{s:s, s:s}", "token", "T1", "certificate", b64))),
	    "certificate-not-written");
	/* one that the site may not see is not its to replace */
	assert_int_equal(sites_revoke(e->sites, SITE, NULL), UK_OK);
	assert_int_equal(sites_grant(e->sites, SITE, NULL, 0, NULL), UK_OK);
	assert_string_equal(reason(call(e, "certificate.install",
				json_pack("{s:s, s:s, s:s}", "token", "T1", "certificate", b64,
				    "replaces", e->cert))),
	    "certificate-not-found");
	free(b64);
	uk_buf_fini(&der);
}

/* Another site's key is not to be had by a certificate of one's own for it, nor by a request. */
static void
key_of_another_site(void **state)
{
	struct env *e = *state;
	struct uk_buf der;
	char *b64;

	assert_int_equal(sites_grant(e->sites, SITE, NULL, 0, NULL), UK_OK);
	e->token.info.logged_in = true;
	uk_buf_init(&der, 16384);
	fake_token_certify(&e->token, 10, &der);
	b64 = uk_b64_dup(uk_buf_span(&der));
	assert_string_equal(reason(call(e, "certificate.install",
				json_pack("{s:s, s:s}", "token", "T1", "certificate", b64))),
	    "key-not-found");
	assert_string_equal(reason(call(e, "request.create",
				json_pack("{s:s, s:s, s:{s:s}}", "token", "T1", "key", "01",
				    "subject", "commonName", "x"))),
	    "key-not-found");
	shown(e, "CONFIRM", false);
	/* its own, which is there already */
	free(b64);
	b64 = uk_b64_dup(uk_buf_span(&e->token.cert));
	answers(e, "");
	result(call(
	    e, "certificate.install", json_pack("{s:s, s:s}", "token", "T1", "certificate", b64)));
	free(b64);
	uk_buf_fini(&der);
}

/* What the key did is in the journal before anybody has the signature; else nobody gets it. */
static void
journal(void **state)
{
	struct env *e = *state;
	struct uk_buf text;
	size_t n;

	/* nothing came of it, and a page could fill the journal so */
	assert_string_equal(
	    reason(call(e, "signature.create", sign_params(e, "data", "raw"))), "site-not-allowed");
	granted(e);
	e->token.info.logged_in = true;
	result(call(e, "signature.create", sign_params(e, "data", "raw")));
	answers(e, "!cancel\n");
	(void)call(e, "signature.create", sign_params(e, "data", "raw"));
	assert_int_equal(journal_check(e->journal_path, &n, NULL), UK_OK);
	assert_int_equal(n, 2);
	uk_buf_init(&text, 65536);
	assert_int_equal(uk_file_read(e->journal_path, 60000, &text, NULL), UK_OK);
	assert_non_null(strstr(uk_buf_str(&text), "\"result\":\"ok\""));
	assert_non_null(strstr(uk_buf_str(&text), "\"result\":\"cancelled\""));
	assert_non_null(strstr(uk_buf_str(&text), e->cert));
	assert_null(strstr(uk_buf_str(&text), "123456"));
	uk_buf_fini(&text);
}

static void
production(void **state)
{
	struct env *e = *state;
	const json_t *r;

	e->allow[0] = strdup(SITE);
	e->policy.allow = (struct policy_list){ e->allow, 1 };
	assert_string_equal(
	    reason(call(e, "agent.channel", json_pack("{s:s}", "purpose", "production"))),
	    "policy-refused");
	e->policy.production = true;
	/* one for an unlock is no one's but this site's, and has a code to compare */
	assert_int_equal(
	    strlen(json_string_value(json_object_get(
		result(call(e, "agent.channel", json_pack("{s:s}", "purpose", "unlock"))),
		"code"))),
	    4);
	assert_string_equal(
	    reason(call(e, "token.prepare", json_pack("{s:s, s:s}", "token", "T1", "ticket", "x"))),
	    "channel-not-found");
	r = result(call(e, "agent.channel", json_pack("{s:s}", "purpose", "production")));
	assert_non_null(json_object_get(json_object_get(r, "channel"), "x"));
	assert_null(json_object_get(json_object_get(r, "channel"), "d"));
	assert_string_equal(
	    reason(call(e, "token.prepare", json_pack("{s:s, s:s}", "token", "T1", "ticket", "x"))),
	    "ticket-malformed");
	/* its first use was its last */
	assert_string_equal(
	    reason(call(e, "token.prepare", json_pack("{s:s, s:s}", "token", "T1", "ticket", "x"))),
	    "channel-not-found");
	free(e->allow[0]);
}

static void
new_pins(void **state)
{
	static const struct {
		int token_min, token_max, min, max;
	} limits[] = { { 0, 0, 6, 16 }, { 4, 255, 6, 32 }, { 8, 16, 8, 16 }, { 6, 6, 6, 6 },
		{ 4, 4, 4, 4 }, { 40, 60, 40, 40 } };
	static const char *const good[] = { "135792", "a1b2c3", "112233", "123457", "p@ss-w0rd",
		"zzzzza", "3141592653589793238462643383279x" };
	static const char *const bad[] = { "", "13579", "111111", "123456", "654321", "abcdef",
		"FEDCBA", "121212", "123123", "1231231", "abcabcab", "1 3579", "口令口令",
		"123456789012345678901234567890123" };

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct pin_limits l = pin_limits(limits[i].token_min, limits[i].token_max);

		assert_int_equal(l.min, limits[i].min);
		assert_int_equal(l.max, limits[i].max);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(pin_unfit(uk_span_str(good[i]), &(struct pin_limits){ 6, 32 }));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(pin_unfit(uk_span_str(bad[i]), &(struct pin_limits){ 6, 32 }));
}

static void
channels_expire(void **state)
{
	struct channels *c = channels_new();
	struct uk_jwk *key = NULL;
	char code[CHANNEL_CODE];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(uk_jwk_new(&key, NULL), UK_OK);
		channels_put(c, SITE, "production", "", 1000, &key);
		assert_null(channels_take(c, "https://other.example", "production", 1000, NULL));
		key = channels_take(c, SITE, "production", 1000 + CHANNEL_LIFE - (i == 0), NULL);
		assert_int_equal(key != NULL, i == 0);
		uk_jwk_free(&key);
		/* once, in time or not */
		assert_null(channels_take(c, SITE, "production", 1000, NULL));
	}
	/* one for something else, which is gone all the same */
	assert_int_equal(uk_jwk_new(&key, NULL), UK_OK);
	channels_put(c, SITE, "unlock", "4821", 1000, &key);
	assert_null(channels_take(c, SITE, "production", 1000, NULL));
	assert_null(channels_take(c, SITE, "unlock", 1000, code));
	assert_int_equal(uk_jwk_new(&key, NULL), UK_OK);
	channels_put(c, SITE, "unlock", "4821", 1000, &key);
	key = channels_take(c, SITE, "unlock", 1000, code);
	assert_non_null(key);
	assert_string_equal(code, "4821");
	uk_jwk_free(&key);
	channels_free(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(malformed),
		TEST(oversized),
		TEST(deep),
		TEST(hello),
		TEST(status),
		TEST(connections),
		TEST(site_request),
		TEST(hidden),
		TEST(sign),
		TEST(sign_long_words),
		TEST(sign_refused),
		TEST(data_idle),
		TEST(batch),
		TEST(login),
		TEST(pin_wrong),
		TEST(pin_known_wrong),
		TEST(pin_last_try),
		TEST(pin_last_try_after_another),
		TEST(locked_while_asked),
		TEST(windows_bounded),
		TEST(idle_lock),
		TEST(pin_cancelled),
		TEST(page_leaves),
		TEST(outstanding),
		TEST(watch),
		TEST(key_and_request),
		TEST(replaces),
		TEST(key_of_another_site),
		TEST(journal),
		TEST(production),
		cmocka_unit_test(new_pins),
		cmocka_unit_test(channels_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
