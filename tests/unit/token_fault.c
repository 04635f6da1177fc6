/* What is left of the token client when a module, a helper or a peer misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "token/message.h"
#include "token/process.h"
#include "token_fixture.h"
#include "uk/config.h"
#include "uk/frame.h"

/* A token with a P-256 key behind the fault module. */
static void
start_with_key(struct fixture *f, bool plain_too, char id[65], char key[65])
{
	fixture_start_faulty(f, plain_too);
	fixture_prepare(f, "faulty", id);
	fixture_keygen(f, id, UK_KEY_P256, key, NULL);
}

static void
helper_killed_in_a_call(void **state)
{
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_KEYGEN, .alg = UK_KEY_P256 };
	const bool never = false;
	char id[65], key[65];
	struct answer a;

	start_with_key(f, false, id, key);
	call.token = id;
	fixture_rules(f, "C_GenerateKeyPair:1=hang\n");
	(void)fixture_send(f, &call, FIXTURE_WAIT, &a);
	(void)loop_poll_run(f->loop, &never, 100);
	assert_int_equal(kill(helper_pid(0), SIGKILL), 0);
	fixture_wait(f, &a);
	assert_int_equal(a.rc, UK_E_UNAVAILABLE);
	answer_fini(&a);

	/* The token never left; the log-in did. */
	fixture_rules(f, "");
	assert_true(fixture_event(f, TOKEN_CHANGED, "faulty"));
	assert_int_equal(fixture_sign(f, id, key), UK_E_UNAUTHORIZED);
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
}

static void
look_wanted(void *ctx)
{
	*(int *)ctx += 1;
}

static void
reader_of(struct fixture *f, const char *id, char out[65])
{
	size_t n;
	const struct token_info *t = token_known(f->client, &n);

	while (n > 0 && strcmp(t->id, id) != 0)
		t++, n--;
	assert_true(n > 0 && t->reader[0] != '\0');
	memcpy(out, t->reader, sizeof(t->reader));
}

/* OpenSC 0.23 never comes back from C_Sign when the card is pulled before pcscd has seen it. */
static void
card_pulled_and_module_hangs(void **state)
{
	static const uint8_t digest[32] = { 1 };
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_SIGN, .data = { digest, sizeof(digest) } };
	const bool never = false;
	char id[65], key[65], reader[65];
	struct answer a, behind;
	int wanted = 0;
	pid_t pid;

	assert_int_equal(setenv("UKEY_FAULT_READERS", "1", 1), 0);
	start_with_key(f, false, id, key);
	assert_int_equal(unsetenv("UKEY_FAULT_READERS"), 0);
	token_on_readers(f->client, look_wanted, &wanted);
	assert_int_equal(wanted, 1);
	reader_of(f, id, reader);
	pid = helper_pid(0);
	assert_true(pid > 0);
	fixture_rules(f, "C_Sign:1=hang\n");
	call.token = id;
	call.key_id = key;
	(void)fixture_send(f, &call, FIXTURE_WAIT, &a);
	(void)fixture_send(f, &call, FIXTURE_WAIT, &behind);
	/* a card in another reader is none of its business */
	token_look(f->client, "Other Reader 00 00");
	token_look(f->client, NULL);
	assert_false(loop_poll_run(f->loop, &never, 2000));
	assert_false(a.done);
	token_look(f->client, reader);
	assert_false(loop_poll_run(f->loop, &never, 2000));
	assert_true(a.done && behind.done);
	assert_int_equal(a.rc, UK_E_TOKEN_REMOVED);
	assert_int_equal(behind.rc, UK_E_UNAVAILABLE);
	answer_fini(&a);
	answer_fini(&behind);
	fixture_rules(f, "");
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
}

static void
module_crashes(void **state)
{
	struct fixture *f = *state;
	char id[65], key[65];

	start_with_key(f, false, id, key);
	fixture_rules(f, "C_Sign:1=crash\n");
	assert_int_equal(fixture_sign(f, id, key), UK_E_UNAVAILABLE);
	fixture_rules(f, "");
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
}

static void
module_hangs_and_the_other_goes_on(void **state)
{
	static const uint8_t digest[32] = { 1 };
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_SIGN, .data = { digest, sizeof(digest) } };
	char id[65], key[65], other[65], other_key[65];
	struct answer a, behind;

	start_with_key(f, true, id, key);
	fixture_prepare(f, "other", other); /* the faulty module's next blank, or the plain one's */
	fixture_keygen(f, other, UK_KEY_P256, other_key, NULL);
	elsewhere_init_token("plain");
	assert_true(fixture_event(f, TOKEN_INSERTED, "plain"));
	for (size_t i = 0; i < f->n_events; i++)
		if (strcmp(f->events[i].token.label, "plain") == 0)
			memcpy(other, f->events[i].token.id, sizeof(other));
	assert_int_equal(fixture_login(f, other, FIXTURE_PIN), UK_OK);
	fixture_keygen(f, other, UK_KEY_P256, other_key, NULL);

	fixture_rules(f, "C_Sign:1=hang\n");
	call.token = id;
	call.key_id = key;
	(void)fixture_send(f, &call, 2000, &a);
	(void)fixture_send(f, &call, 2000, &behind);
	assert_int_equal(fixture_sign(f, other, other_key), UK_OK);
	assert_false(a.done);
	fixture_wait(f, &a);
	assert_int_equal(a.rc, UK_E_TIMEOUT);
	fixture_wait(f, &behind);
	assert_int_equal(behind.rc, UK_E_UNAVAILABLE);
	answer_fini(&a);
	answer_fini(&behind);
	assert_int_equal(fixture_sign(f, other, other_key), UK_OK);
	fixture_rules(f, "");
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
}

/* A slow call is not the fault of those behind it. */
static void
deadline_counts_from_when_the_helper_can_begin(void **state)
{
	static const uint8_t digest[32] = { 1 };
	struct fixture *f = *state;
	struct token_call keygen = { .op = TOKEN_KEYGEN, .alg = UK_KEY_P256 };
	struct token_call sign = { .op = TOKEN_SIGN, .data = { digest, sizeof(digest) } };
	struct answer slow, quick;
	char id[65], key[65];

	start_with_key(f, false, id, key);
	fixture_rules(f, "C_GenerateKeyPair:1=delay:900\n");
	keygen.token = sign.token = id;
	sign.key_id = key;
	(void)fixture_send(f, &keygen, FIXTURE_WAIT, &slow);
	(void)fixture_send(f, &sign, 600, &quick);
	fixture_wait(f, &quick);
	assert_int_equal(slow.rc, UK_OK);
	assert_int_equal(quick.rc, UK_OK);
	answer_fini(&slow);
	answer_fini(&quick);
}

static void
token_removed_at_the_third_signature(void **state)
{
	static const char *const rules[] = {
		"C_Sign:3=CKR_DEVICE_REMOVED\n",
		"C_Sign:3=CKR_SESSION_HANDLE_INVALID\n",
		"C_SignInit:3=CKR_TOKEN_NOT_PRESENT\n",
	};
	struct fixture *f = *state;
	char id[65], key[65];

	start_with_key(f, false, id, key);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		fixture_rules(f, rules[i]);
		assert_int_equal(fixture_sign(f, id, key), UK_OK);
		assert_int_equal(fixture_sign(f, id, key), UK_OK);
		assert_int_equal(fixture_sign(f, id, key), UK_E_TOKEN_REMOVED);
		assert_int_equal(fixture_sign(f, id, key), UK_E_UNAUTHORIZED);
		assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	}
}

static void
token_out_of_its_slot(void **state)
{
	struct fixture *f = *state;
	char id[65], key[65];

	start_with_key(f, false, id, key);
	fixture_rules(f, "C_GetTokenInfo:1+=CKR_TOKEN_NOT_PRESENT\n");
	assert_true(fixture_event(f, TOKEN_REMOVED, "faulty"));
	assert_int_equal(fixture_sign(f, id, key), UK_E_NOT_FOUND);
	f->n_events = 0;
	fixture_rules(f, "");
	assert_true(fixture_event(f, TOKEN_INSERTED, "faulty"));
	assert_int_equal(fixture_sign(f, id, key), UK_E_UNAUTHORIZED);
}

/* A handle that has aged, and an operation that a fault left behind, heal by themselves. */
static void
signs_again_where_that_helps(void **state)
{
	struct fixture *f = *state;
	char id[65], key[65];

	start_with_key(f, false, id, key);
	fixture_rules(f, "C_SignInit:1=CKR_KEY_HANDLE_INVALID\n");
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
	fixture_rules(f, "C_Sign:1=CKR_GENERAL_ERROR\n");
	assert_int_equal(fixture_sign(f, id, key), UK_E_INTERNAL);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
	fixture_rules(f, "C_Sign:1=CKR_USER_NOT_LOGGED_IN\n");
	assert_int_equal(fixture_sign(f, id, key), UK_E_UNAUTHORIZED);
}

static void
lengths_that_lie(void **state)
{
	static const char *const rules[] = {
		"C_Sign:1=length:65\n",
		"C_Sign:1=length:0\n",
		"C_Sign:1=length:18446744073709551615\n",
	};
	struct fixture *f = *state;
	struct token_call objects = { .op = TOKEN_OBJECTS };
	char id[65], key[65];
	struct answer a;

	start_with_key(f, false, id, key);
	objects.token = id;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		fixture_rules(f, rules[i]);
		assert_int_equal(fixture_sign(f, id, key), UK_E_INTERNAL);
	}
	fixture_rules(f, "C_FindObjects:1+=length:1000000\n");
	fixture_call(f, &objects, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_INTERNAL);
	answer_fini(&a);
	fixture_rules(f, "C_GetAttributeValue:1+=length:1000000\n");
	fixture_call(f, &objects, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK); /* objects that don't read are left out */
	assert_int_equal(a.n_objects, 0);
	answer_fini(&a);
	fixture_rules(f, "C_GetSlotList:1+=length:1000000\n");
	assert_true(fixture_event(f, TOKEN_REMOVED, "faulty"));
	fixture_rules(f, "");
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_E_NOT_FOUND);
}

static void
says_how_many_tries_are_left(void **state)
{
	static const struct {
		const char *rules;
		enum uk_rc rc;
		int tries;
	} cases[] = {
		{ "C_Login:1=CKR_PIN_INCORRECT\n", UK_E_PIN_WRONG, TOKEN_TRIES_UNKNOWN },
		{ "C_Login:1=CKR_PIN_INCORRECT\nC_GetTokenInfo:1+=flags:0x10000\n", UK_E_PIN_WRONG,
		    TOKEN_TRIES_LOW },
		{ "C_Login:1=CKR_PIN_INCORRECT\nC_GetTokenInfo:1+=flags:0x30000\n", UK_E_PIN_WRONG,
		    1 },
		{ "C_Login:1=CKR_PIN_INCORRECT\nC_GetTokenInfo:1+=flags:0x40000\n", UK_E_PIN_LOCKED,
		    0 },
		{ "C_Login:1=CKR_PIN_LOCKED\n", UK_E_PIN_LOCKED, 0 },
	};
	struct fixture *f = *state;
	struct uk_secret *pin = uk_secret_new(uk_span_str(FIXTURE_PIN));
	struct token_call call = { .op = TOKEN_LOGIN, .pin = pin };
	char id[65], key[65];

	start_with_key(f, false, id, key);
	call.token = id;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a;

		fixture_rules(f, cases[i].rules);
		fixture_call(f, &call, FIXTURE_WAIT, &a);
		assert_int_equal(a.rc, cases[i].rc);
		assert_int_equal(a.tries, cases[i].tries);
		answer_fini(&a);
	}
	fixture_rules(f, "C_GetTokenInfo:1+=flags:0x40000\n");
	f->n_events = 0;
	assert_true(fixture_event(f, TOKEN_CHANGED, "faulty"));
	assert_non_null(fixture_token(f, TOKEN_PIN_LOCKED));
	uk_secret_free(&pin);
}

static enum uk_rc
prepare(struct fixture *f, const char *token, const char *so_pin, char reason[64])
{
	struct uk_secret *so = uk_secret_new(uk_span_str(so_pin));
	struct uk_secret *pin = uk_secret_new(uk_span_str(FIXTURE_PIN));
	struct token_call call = {
		.op = TOKEN_PREPARE, .token = token, .label = "half", .pin = pin, .so_pin = so
	};
	struct answer a;

	fixture_call(f, &call, FIXTURE_WAIT, &a);
	memcpy(reason, a.reason, sizeof(a.reason));
	answer_fini(&a);
	uk_secret_free(&so);
	uk_secret_free(&pin);
	return a.rc;
}

/* A fault in the middle does not spoil the token: the same SO PIN finishes it. */
static void
finishes_a_token_left_half_prepared(void **state)
{
	struct fixture *f = *state;
	char reason[64], id[65];

	fixture_start_faulty(f, false);
	fixture_rules(f, "C_InitPIN:1=CKR_DEVICE_ERROR\n");
	assert_int_equal(
	    prepare(f, fixture_token(f, TOKEN_BLANK), "11112222", reason), UK_E_UNAVAILABLE);
	assert_true(fixture_event(f, TOKEN_INSERTED, "half"));
	for (size_t i = 0; i < f->n_events; i++)
		if (strcmp(f->events[i].token.label, "half") == 0)
			memcpy(id, f->events[i].token.id, sizeof(id));
	assert_int_equal(prepare(f, id, "33334444", reason), UK_E_PIN_WRONG);
	assert_string_equal(reason, "so-pin-wrong");
	assert_int_equal(prepare(f, id, "11112222", reason), UK_OK);
	assert_int_equal(prepare(f, id, "11112222", reason), UK_E_CONFLICT);
	assert_string_equal(reason, "token-not-blank");
}

static void
full_token(void **state)
{
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_KEYGEN, .alg = UK_KEY_P256 };
	char id[65], key[65];
	struct answer a;

	start_with_key(f, false, id, key);
	call.token = id;
	fixture_rules(f, "C_GenerateKeyPair:1=CKR_DEVICE_MEMORY\n");
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_LIMIT);
	assert_string_equal(a.reason, "token-full");
	answer_fini(&a);
}

static void
module_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	const struct token_module modules[] = { { .path = "/nonexistent/module.so",
						    .kind = "pkcs11" },
		{ .path = SOFTHSM_MODULE, .kind = "pkcs11" },
		{ .path = SOFTHSM_MODULE, .kind = "no such kind" } };
	struct token_call list = { .op = TOKEN_LIST };
	struct answer a;

	assert_int_equal(token_client_new(f->loop, &f->log, "/nonexistent/ukey-token", modules, 1,
			     NULL, NULL, &f->client, NULL),
	    UK_E_NOT_FOUND);
	f->log.out = fopen("/dev/null", "w");
	assert_int_equal(token_client_new(f->loop, &f->log, UKEY_TOKEN, modules, 1, NULL, NULL,
			     &f->client, NULL),
	    UK_OK);
	fixture_call(f, &list, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_UNAVAILABLE);
	answer_fini(&a);
	token_client_free(&f->client);

	assert_int_equal(token_client_new(f->loop, &f->log, UKEY_TOKEN, modules, 3, NULL, NULL,
			     &f->client, NULL),
	    UK_OK);
	fixture_call(f, &list, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	assert_int_equal(a.n_tokens, 1);
	answer_fini(&a);
	token_client_free(&f->client);

	assert_int_equal(
	    token_client_new(f->loop, &f->log, UKEY_TOKEN, NULL, 0, NULL, NULL, &f->client, NULL),
	    UK_OK);
	fixture_call(f, &list, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	assert_int_equal(a.n_tokens, 0);
	answer_fini(&a);
	(void)fclose(f->log.out);
}

/* The end of the daemon does not wait for a module that does not come back. */
static void
module_hangs_while_the_client_ends(void **state)
{
	static const uint8_t digest[32] = { 1 };
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_SIGN, .data = { digest, sizeof(digest) } };
	char id[65], key[65];
	struct answer a;
	pid_t helper;

	start_with_key(f, false, id, key);
	helper = helper_pid(0);
	fixture_rules(f, "C_Sign:1=hang\n");
	call.token = id;
	call.key_id = key;
	(void)fixture_send(f, &call, FIXTURE_WAIT, &a);
	token_client_free(&f->client);
	assert_true(a.done);
	assert_int_equal(a.rc, UK_E_UNAVAILABLE);
	assert_int_equal(kill(helper, 0), -1);
	answer_fini(&a);
}

/* One token that two modules show is listed once; their blank slots are told apart. */
static void
modules_that_show_the_same_token(void **state)
{
	struct fixture *f = *state;
	struct token_call list = { .op = TOKEN_LIST };
	struct answer a;

	assert_int_equal(setenv("UKEY_FAULT_CONF", getenv("SOFTHSM2_CONF"), 1), 0);
	elsewhere_init_token("shared");
	fixture_start_faulty(f, true);
	fixture_call(f, &list, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	assert_int_equal(a.n_tokens, 3);
	assert_int_equal(fixture_login(f, fixture_token(f, TOKEN_READY), FIXTURE_PIN), UK_OK);
	answer_fini(&a);
}

/* The client believes nothing that a helper says. */
static void
helper_that_talks_nonsense(void **state)
{
	static const char *const scripts[] = {
		"#!/bin/sh\nprintf 'nonsense nonsense nonsense' >&0\nexec sleep 9\n",
		/* a well-formed answer that nobody asked for: "login-reply" to call 1 */
		"#!/bin/sh\nprintf '\\5\\0\\0\\0\\0\\0\\0\\1\\13' >&0\nexec sleep 9\n",
		"#!/bin/sh\nprintf '\\377\\377\\377\\377' >&0\nexec sleep 9\n",
	};
	struct fixture *f = *state;
	const struct token_module module = { .path = SOFTHSM_MODULE, .kind = "pkcs11" };
	struct token_call list = { .op = TOKEN_LIST };
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/helper", f->dir);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct answer a;

		assert_int_equal(uk_file_write(path, 0700, uk_span_str(scripts[i]), NULL), UK_OK);
		assert_int_equal(token_client_new(f->loop, &f->log, path, &module, 1, NULL, NULL,
				     &f->client, NULL),
		    UK_OK);
		fixture_call(f, &list, FIXTURE_WAIT, &a);
		assert_int_equal(a.rc, UK_E_UNAVAILABLE);
		answer_fini(&a);
		token_client_free(&f->client);
	}
}

static bool
ends_after(struct uk_span bytes)
{
	char *const argv[] = { (char[]){ UKEY_TOKEN }, (char[]){ "--module" },
		(char[]){ SOFTHSM_MODULE }, (char[]){ "--log-level=error" }, NULL };
	struct process p;
	struct pollfd end;
	bool ended;

	assert_int_equal(process_start(argv, &p, NULL), UK_OK);
	assert_int_equal(send(p.fd, bytes.p, bytes.n, MSG_NOSIGNAL), (ssize_t)bytes.n);
	end = (struct pollfd){ .fd = p.pidfd, .events = POLLIN };
	ended = poll(&end, 1, bytes.n != 0 ? 10000 : 500) == 1;
	process_kill(&p);
	assert_true(process_reap(&p, FIXTURE_WAIT));
	return ended;
}

/* The helper ends, and answers nothing, when its peer does not keep to the protocol. */
static void
helper_leaves_on_malformed_frames(void **state)
{
	static const uint8_t too_long[] = { 0xff, 0xff, 0xff, 0x7f };
	static const uint8_t empty[] = { 0, 0, 0, 0 };
	static const uint8_t unknown[] = { 5, 0, 0, 0, 0, 0, 0, 1, 0xfe };
	static const uint8_t reply[] = { 5, 0, 0, 0, 0, 0, 0, 1, MESSAGE_REPLY + TOKEN_LOGIN };
	static const uint8_t no_token[] = { 5, 0, 0, 0, 0, 0, 0, 1, TOKEN_OBJECTS };

	(void)state;
	assert_true(ends_after(uk_span(too_long, sizeof(too_long))));
	assert_true(ends_after(uk_span(empty, sizeof(empty))));
	assert_true(ends_after(uk_span(unknown, sizeof(unknown))));
	assert_true(ends_after(uk_span(reply, sizeof(reply))));
	assert_true(ends_after(uk_span(no_token, sizeof(no_token))));
	assert_false(ends_after(uk_span(NULL, 0)));
}

#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(helper_killed_in_a_call),
		T(card_pulled_and_module_hangs),
		T(module_crashes),
		T(module_hangs_and_the_other_goes_on),
		T(deadline_counts_from_when_the_helper_can_begin),
		T(token_removed_at_the_third_signature),
		T(token_out_of_its_slot),
		T(signs_again_where_that_helps),
		T(lengths_that_lie),
		T(says_how_many_tries_are_left),
		T(finishes_a_token_left_half_prepared),
		T(full_token),
		T(module_that_is_not_there),
		T(module_hangs_while_the_client_ends),
		T(modules_that_show_the_same_token),
		T(helper_that_talks_nonsense),
		T(helper_leaves_on_malformed_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
