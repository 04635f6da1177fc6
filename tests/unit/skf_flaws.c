/*
 * The real ukeyd and ukey-token with SKF modules that are wrong on purpose (tests/fake/skf.c): each
 * is refused or survived, the user can read why, and the token of another module goes on working.
 * [H2] [H6]
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_issue.h"
#include "daemon_world.h"
#include "uk/b64.h"

struct env {
	struct world w;
	struct peer user;
	char other[65]; /* SoftHSM's token */
	char token[65]; /* the fake one; "": it is not shown */
	char key[65];
	char *request;
	struct issuer *issuer;
};

static void
list_tokens(struct env *e)
{
	const json_t *list = json_object_get(
	    answer_result(peer_call(&e->w, &e->user, "token.list", NULL)), "tokens");

	e->token[0] = e->other[0] = '\0';
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *t = json_array_get(list, i);

		if (strcmp(answer_str(t, "label"), "fake") == 0)
			strcpy(e->token, answer_str(t, "id"));
		else if (strcmp(answer_str(t, "label"), "demo") == 0)
			strcpy(e->other, answer_str(t, "id"));
	}
	assert_string_not_equal(e->other, "");
}

/* `module` is a path, or the name of a flaw. */
static void
start(struct env *e, const char *module, bool hold_pin)
{
	char path[256], policy[768];

	(void)snprintf(path, sizeof(path), "%s/fake-skf-%s.so", FAKE_DIR, module);
	(void)snprintf(policy, sizeof(policy),
	    "{\"modules\":[\"%s\",{\"path\":\"%s\",\"kind\":\"skf\"}],\"holdPin\":%s}",
	    SOFTHSM_MODULE, module[0] == '/' ? module : path, hold_pin ? "true" : "false");
	world_init(&e->w, policy);
	world_start(&e->w);
	e->user = peer_user(&e->w);
	e->issuer = issuer_new();
	list_tokens(e);
}

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct env));
	return 0;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	world_stop(&e->w);
	assert_true(world_gone("ukey-token"));
	world_fini(&e->w);
	issuer_free(&e->issuer);
	free(e->request);
	free(e);
	return 0;
}

static const json_t *
generate(struct env *e)
{
	const json_t *m;

	world_answers(&e->w, WORLD_PIN "\n");
	m = peer_call(&e->w, &e->user, "key.generate",
	    json_pack("{s:s, s:s}", "token", e->token, "algorithm", "sm2"));
	if (strcmp(answer_reason(m), "") == 0)
		strcpy(e->key, answer_str(answer_result(m), "key"));
	return m;
}

/* It signs, once. */
static const json_t *
request(struct env *e)
{
	const json_t *m;

	world_answers(&e->w, WORLD_PIN "\n");
	m = peer_call(&e->w, &e->user, "request.create",
	    json_pack("{s:s, s:s, s:{s:s}}", "token", e->token, "key", e->key, "subject",
		"commonName", "A"));
	if (strcmp(answer_reason(m), "") == 0) {
		free(e->request);
		e->request = strdup(answer_str(answer_result(m), "request"));
	}
	return m;
}

/* The other module's token makes a key, too. */
static void
other_works(struct env *e)
{
	world_answers(&e->w, WORLD_PIN "\n");
	(void)answer_result(peer_call(&e->w, &e->user, "key.generate",
	    json_pack("{s:s, s:s}", "token", e->other, "algorithm", "p-256")));
}

/* What agent.status says of the module; NULL: nothing. */
static const char *
reason(struct env *e, bool well)
{
	const json_t *list = json_object_get(
	    answer_result(peer_call(&e->w, &e->user, "agent.status", NULL)), "modules");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *m = json_array_get(list, i);

		if (strcmp(answer_str(m, "kind"), "skf") != 0)
			continue;
		assert_true(json_is_true(json_object_get(m, "ok")) == well);
		return json_string_value(json_object_get(m, "reason"));
	}
	fail_msg("no such module");
	return NULL;
}

/* A certificate goes in, and is read back. */
static void
install(struct env *e)
{
	struct uk_buf der, cert;
	const json_t *list;
	char *b64;

	uk_buf_init(&der, 4096);
	uk_buf_init(&cert, 8192);
	assert_int_equal(uk_b64_get(&der, e->request), UK_OK);
	assert_true(issuer_issue(e->issuer, uk_buf_span(&der), &cert));
	b64 = uk_b64_dup(uk_buf_span(&cert));
	world_answers(&e->w, WORLD_PIN "\n");
	(void)answer_result(peer_call(&e->w, &e->user, "certificate.install",
	    json_pack("{s:s, s:s, s:s}", "token", e->token, "key", e->key, "certificate", b64)));
	list = json_object_get(answer_result(peer_call(&e->w, &e->user, "certificate.list",
				   json_pack("{s:s}", "token", e->token))),
	    "certificates");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(answer_str(json_array_get(list, 0), "certificate"), b64);
	assert_true(json_is_true(json_object_get(json_array_get(list, 0), "hasKey")));
	free(b64);
	uk_buf_fini(&der);
	uk_buf_fini(&cert);
}

/* Those that measuring makes right: keys, signatures and certificates are as with any other. */
static void
works(void **state, const char *flaw)
{
	struct env *e = *state;

	start(e, flaw, false);
	assert_string_not_equal(e->token, "");
	(void)answer_result(generate(e));
	(void)answer_result(request(e));
	install(e);
	other_works(e);
	assert_null(reason(e, true));
}

static void
no_flaw(void **state)
{
	works(state, "none");
}

static void
padded_structures(void **state)
{
	works(state, "padded");
}

static void
odd_sizes(void **state)
{
	works(state, "sizes");
}

static void
overruns(void **state)
{
	works(state, "overrun");
}

/* Never shown, and the reason is there to read. */
static void
refused(void **state, const char *module, const char *why)
{
	struct env *e = *state;

	start(e, module, false);
	assert_string_equal(e->token, "");
	assert_string_equal(reason(e, false), why);
	other_works(e);
}

static void
wide_ulong(void **state)
{
	refused(state, "wide", "module-abi-64bit");
}

static void
lacks_functions(void **state)
{
	refused(state, "incomplete", "module-incomplete");
}

static void
no_module_at_all(void **state)
{
	refused(state, PINENTRY, "module-unloadable");
}

static void
never_answers(void **state)
{
	struct env *e = *state;
	const char *why;

	start(e, "blocks-first", false);
	assert_string_equal(e->token, "");
	why = reason(e, false);
	assert_true(strcmp(why, "module-starting") == 0 || strcmp(why, "module-timeout") == 0);
	other_works(e);
}

/* Shown by its size when there is a first key; from then on the module is refused. */
static void
wide_blobs(void **state)
{
	struct env *e = *state;

	start(e, "wide-blobs", false);
	assert_string_equal(answer_reason(generate(e)), "module-abi-64bit");
	list_tokens(e);
	assert_string_equal(e->token, "");
	assert_string_equal(reason(e, false), "module-abi-64bit");
	other_works(e);
}

static void
double_hash(void **state)
{
	struct env *e = *state;

	start(e, "double-hash", false);
	(void)answer_result(generate(e));
	assert_string_equal(answer_reason(request(e)), "signature-wrong");
	assert_string_equal(reason(e, true), "module-signature-wrong");
	other_works(e);
}

static void
key_off_its_curve(void **state)
{
	struct env *e = *state;

	start(e, "off-curve", false);
	assert_string_equal(answer_reason(generate(e)), "key-wrong");
	/* Nothing of it stays. */
	for (int i = 0; i < 5; i++)
		assert_string_equal(answer_reason(generate(e)), "key-wrong");
	other_works(e);
}

static const json_t *
login(struct env *e, const char *pins)
{
	world_answers(&e->w, pins);
	return peer_call(&e->w, &e->user, "token.login", json_pack("{s:s}", "token", e->token));
}

static int
tries_left(const json_t *m)
{
	return (int)json_integer_value(
	    json_object_get(json_object_get(json_object_get(m, "error"), "data"), "triesLeft"));
}

/* The count says that it was wrong, whatever the code says. */
static void
codes_of_its_own(void **state)
{
	struct env *e = *state;
	const json_t *m;

	start(e, "codes", false);
	m = login(e, "000001\n000002\n000003\n");
	assert_string_equal(answer_reason(m), "pin-wrong");
	assert_int_equal(tries_left(m), 7);
	(void)answer_result(login(e, WORLD_PIN "\n"));
}

static const char *
state_of(struct env *e)
{
	const json_t *list = json_object_get(
	    answer_result(peer_call(&e->w, &e->user, "token.list", NULL)), "tokens");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(answer_str(json_array_get(list, i), "id"), e->token) == 0)
			return answer_str(json_array_get(list, i), "state");
	return "";
}

/* Ten wrong PINs lock it; that the module would take the right one after that helps nobody. */
static void
opens_when_locked(void **state)
{
	struct env *e = *state;

	start(e, "open-locked", false);
	assert_string_equal(answer_reason(login(e, "000001\n000002\n000003\n")), "pin-wrong");
	assert_string_equal(answer_reason(login(e, "000004\n000005\n000006\n")), "pin-wrong");
	assert_string_equal(answer_reason(login(e, "000007\n000008\n000009\n")), "pin-wrong");
	assert_string_equal(answer_reason(login(e, "000010\n")), "pin-locked");
	assert_string_equal(state_of(e), "pin-locked");
	assert_string_equal(answer_reason(login(e, WORLD_PIN "\n")), "pin-locked");
	other_works(e);
}

/* That somebody is logged in proves nothing about a PIN: no wrong one passes. */
static void
stays_open(void **state)
{
	struct env *e = *state;

	start(e, "stays-open", false);
	(void)answer_result(login(e, WORLD_PIN "\n"));
	(void)answer_result(
	    peer_call(&e->w, &e->user, "token.logout", json_pack("{s:s}", "token", e->token)));
	assert_string_equal(answer_reason(login(e, "000001\n")), "conflict");
	other_works(e);
}

/* GM/T 0027-2014 section 9.2: said once, asked for each time from then on. */
static void
wants_the_pin_each_time(void **state)
{
	struct env *e = *state;

	start(e, "each-use", false);
	(void)answer_result(generate(e));
	(void)answer_result(request(e));
	assert_string_equal(answer_reason(request(e)), "pin-each-use");
	for (int i = 0; i < 3; i++) {
		(void)answer_result(request(e));
		assert_true(world_shown(&e->w, "GETPIN"));
	}
}

static void
policy_has_the_pin_held(void **state)
{
	struct env *e = *state;

	start(e, "each-use", true);
	(void)answer_result(generate(e));
	for (int i = 0; i < 3; i++) {
		(void)answer_result(request(e));
		assert_false(world_shown(&e->w, "GETPIN"));
	}
	(void)answer_result(
	    peer_call(&e->w, &e->user, "token.logout", json_pack("{s:s}", "token", e->token)));
	(void)answer_result(request(e));
	assert_true(world_shown(&e->w, "GETPIN"));
}

static void
crashes(void **state)
{
	struct env *e = *state;

	start(e, "crashes", false);
	(void)answer_result(generate(e));
	assert_string_equal(answer_reason(request(e)), "unavailable");
	other_works(e);
	list_tokens(e);
	assert_string_not_equal(e->token, "");
	assert_string_equal(reason(e, true), "module-failed");
	(void)answer_result(login(e, WORLD_PIN "\n"));
}

static void
blocks_for_ever(void **state)
{
	struct env *e = *state;
	int id;

	start(e, "blocks", false);
	(void)answer_result(generate(e));
	world_answers(&e->w, "");
	id = peer_ask(&e->w, &e->user, "request.create",
	    json_pack("{s:s, s:s, s:{s:s}}", "token", e->token, "key", e->key, "subject",
		"commonName", "A"));
	other_works(e);
	assert_string_equal(answer_reason(peer_answer(&e->w, &e->user, id)), "timeout");
	list_tokens(e);
	assert_string_not_equal(e->token, "");
	assert_string_equal(reason(e, true), "module-timeout");
	(void)answer_result(login(e, WORLD_PIN "\n"));
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(no_flaw),
		T(padded_structures),
		T(odd_sizes),
		T(overruns),
		T(wide_ulong),
		T(wide_blobs),
		T(lacks_functions),
		T(no_module_at_all),
		T(never_answers),
		T(double_hash),
		T(key_off_its_curve),
		T(codes_of_its_own),
		T(opens_when_locked),
		T(stays_open),
		T(wants_the_pin_each_time),
		T(policy_has_the_pin_held),
		T(crashes),
		T(blocks_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
