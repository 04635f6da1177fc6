/*
 * A virtual UKEY that ten wrong PINs have locked, and the CA's ticket that opens it again, through
 * the real ukeyd and ukey-token: the keys stay, the admin PIN changes in two steps, and no fault in
 * between costs anybody the key. [U1] [U2] [C3] [H2]
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

#define FIRST "807361"
#define PIN_A "246813"
#define PIN_B "951753"
#define ADMIN "admin-pin-no-one"

struct env {
	struct world w;
	struct peer user;
	struct peer page;
	struct issuer *issuer;
	struct uk_jwk *ca;
	char token[65];
	char serial[65];
	char cert[65];
	char pin[32];   /* the token's, now */
	char admin[32]; /* the same */
};

/* --- ukey soft --- */

static void
soft(const char *verb, const char *a, const char *b, const char *c, const char *d)
{
	const char *argv[] = { UKEY, "soft", verb, a, b, c, d, NULL, NULL };

	for (int i = 3; i < 8; i++)
		if (argv[i] == NULL) {
			argv[i] = "one";
			break;
		}
	assert_int_equal(world_run(argv), 0);
}

static void
make_ukey(struct env *e)
{
	const char *argv[] = { UKEY, "soft", "create", "--label", "virtual", "--kdf-cost=10",
		"--application", "APP", "--admin-pin-file", NULL, "--pin-file", NULL, "one", NULL };
	char admin[256], pin[256], dir[256];

	(void)snprintf(dir, sizeof(dir), "%s", world_path(&e->w, "soft"));
	assert_int_equal(setenv("UKEY_SOFT_DIR", dir, 1), 0);
	world_put(&e->w, "admin", ADMIN);
	(void)snprintf(admin, sizeof(admin), "%s", world_path(&e->w, "admin"));
	world_put(&e->w, "pin", FIRST);
	(void)snprintf(pin, sizeof(pin), "%s", world_path(&e->w, "pin"));
	argv[9] = admin;
	argv[11] = pin;
	assert_int_equal(world_run(argv), 0);
	soft("insert", NULL, NULL, NULL, NULL);
}

/* --- calls --- */

/* The virtual one's entry of token.list. */
static const json_t *
listed(struct env *e)
{
	const json_t *list = json_object_get(
	    answer_result(peer_call(&e->w, &e->user, "token.list", NULL)), "tokens");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(answer_str(json_array_get(list, i), "kind"), "skf") == 0)
			return json_array_get(list, i);
	fail_msg("it is not in");
	return NULL;
}

static int
number(struct env *e, const char *member)
{
	return (int)json_integer_value(json_object_get(listed(e), member));
}

static json_t *
token_param(const struct env *e)
{
	return json_pack("{s:s}", "token", e->token);
}

static const json_t *
login(struct env *e, const char *pins)
{
	world_answers(&e->w, pins);
	return peer_call(&e->w, &e->user, "token.login", token_param(e));
}

static void
logout(struct env *e)
{
	(void)answer_result(peer_call(&e->w, &e->user, "token.logout", token_param(e)));
}

/* Its key signs, and its PIN is the one that it should have. */
static void
works(struct env *e)
{
	char pins[40];

	soft("set-fault", "--clear", NULL, NULL, NULL);
	(void)snprintf(pins, sizeof(pins), "%s\n", e->pin);
	logout(e);
	(void)answer_result(login(e, pins));
	(void)answer_result(peer_call(&e->w, &e->user, "signature.create",
	    json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data", "eA==", "format", "raw")));
	assert_int_equal(number(e, "triesLeft"), 10);
	logout(e);
}

static void
lock(struct env *e)
{
	logout(e);
	assert_string_equal(answer_reason(login(e, "000001\n000002\n000003\n")), "pin-wrong");
	assert_string_equal(answer_reason(login(e, "000004\n000005\n000006\n")), "pin-wrong");
	assert_string_equal(answer_reason(login(e, "000007\n000008\n000009\n")), "pin-wrong");
	assert_string_equal(answer_reason(login(e, "000010\n")), "pin-locked");
	assert_string_equal(answer_str(listed(e), "state"), "pin-locked");
}

static struct ticket
usual(const struct env *e, const char *so, const char *old, const char *next)
{
	return (struct ticket){ .token = e->serial,
		.certificate = e->cert,
		.origin = WORLD_SITE,
		.so = so,
		.old = old,
		.next = next };
}

static const json_t *
unlock(struct env *e, const char *pin, const struct ticket *t)
{
	const json_t *r = answer_result(
	    peer_call(&e->w, &e->page, "agent.channel", json_pack("{s:s}", "purpose", "unlock")));
	char *jwe = ticket_seal(t, e->ca, json_object_get(r, "channel"));
	char pins[80];
	const json_t *m;

	(void)snprintf(pins, sizeof(pins), "%s\n%s\n", pin, pin);
	world_answers(&e->w, pins);
	m = peer_call(&e->w, &e->page, "pin.unlock",
	    json_pack("{s:s, s:s}", "token", e->token, "ticket", jwe));
	free(jwe);
	return m;
}

static void
unlocked(struct env *e, const char *pin, const struct ticket *t)
{
	ticket_receipt_holds(answer_result(unlock(e, pin, t)), t, "SM2-SM3");
	(void)snprintf(e->pin, sizeof(e->pin), "%s", pin);
	(void)snprintf(e->admin, sizeof(e->admin), "%s", t->next);
}

/* --- one for all --- */

static void
certify(struct env *e)
{
	struct uk_buf request, der;
	char key[65], *b64;
	const json_t *r;

	r = answer_result(peer_call(&e->w, &e->user, "key.generate",
	    json_pack("{s:s, s:s}", "token", e->token, "algorithm", "sm2")));
	(void)snprintf(key, sizeof(key), "%s", answer_str(r, "key"));
	r = answer_result(peer_call(&e->w, &e->user, "request.create",
	    json_pack("{s:s, s:s, s:{s:s}}", "token", e->token, "key", key, "subject", "commonName",
		"示范公司")));
	uk_buf_init(&request, 16384);
	uk_buf_init(&der, 16384);
	assert_int_equal(uk_b64_get(&request, answer_str(r, "request")), UK_OK);
	assert_true(issuer_issue(e->issuer, uk_buf_span(&request), &der));
	b64 = uk_b64_dup(uk_buf_span(&der));
	r = answer_result(peer_call(&e->w, &e->user, "certificate.install",
	    json_pack("{s:s, s:s}", "token", e->token, "certificate", b64)));
	strcpy(e->cert, answer_str(r, "certificate"));
	free(b64);
	uk_buf_fini(&request);
	uk_buf_fini(&der);
}

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	json_t *policy;
	char *text;

	assert_int_equal(uk_jwk_new(&e->ca, NULL), UK_OK);
	policy = json_pack("{s:[{s:s, s:s}], s:{s:[s]}, s:{s:[o]}}", "modules", "path", SOFT_MODULE,
	    "kind", "skf", "sites", "allow", WORLD_SITE, "tickets", "trusted",
	    uk_jwk_public(e->ca));
	text = json_dumps(policy, 0);
	json_decref(policy);
	world_init(&e->w, text);
	free(text);
	make_ukey(e);
	world_start(&e->w);
	e->user = peer_user(&e->w);
	e->page = peer_page(&e->w, WORLD_SITE);
	e->issuer = issuer_new();
	strcpy(e->token, answer_str(listed(e), "id"));
	strcpy(e->serial, answer_str(listed(e), "serial"));
	/* [C3] */
	(void)answer_result(login(e, FIRST "\n" PIN_A "\n" PIN_A "\n"));
	strcpy(e->pin, PIN_A);
	strcpy(e->admin, ADMIN);
	certify(e);
	*state = e;
	return 0;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	peer_close(&e->page);
	world_stop(&e->w);
	assert_true(world_gone("ukey-token"));
	issuer_free(&e->issuer);
	uk_jwk_free(&e->ca);
	world_fini(&e->w);
	free(e);
	return 0;
}

/* --- tests --- */

static void
ten_wrong_pins_and_a_ticket(void **state)
{
	struct env *e = *state;
	const struct ticket t = usual(e, ADMIN, NULL, "admin-pin-no-two");

	lock(e);
	assert_int_equal(number(e, "triesLeft"), 0);
	world_answers(&e->w, PIN_A "\n");
	assert_string_equal(answer_reason(peer_call(&e->w, &e->page, "signature.create",
				json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data",
				    "eA==", "format", "raw"))),
	    "pin-locked");
	assert_string_equal(
	    answer_reason(peer_call(&e->w, &e->page, "pin.change", token_param(e))), "pin-locked");
	assert_false(world_shown(&e->w, "GETPIN"));
	unlocked(e, PIN_B, &t);
	assert_string_equal(answer_str(listed(e), "state"), "ready");
	assert_int_equal(number(e, "soTriesLeft"), 10);
	assert_null(json_object_get(listed(e), "pinInitial"));
	works(e);
	assert_string_equal(answer_reason(login(e, PIN_A "\n!cancel\n")), "cancelled");
	assert_int_equal(number(e, "triesLeft"), 9);
	works(e);
}

/* Not locked, only forgotten; the CA is not sure which admin PIN it has. */
static void
the_older_admin_pin(void **state)
{
	struct env *e = *state;
	const struct ticket t = usual(e, "admin-pin-no-two", ADMIN, "admin-pin-no-two");

	unlocked(e, PIN_B, &t);
	assert_int_equal(number(e, "soTriesLeft"), 10);
	works(e);
	/* the first is right now: the other is not tried, and none is changed */
	unlocked(e, PIN_A, &t);
	works(e);
}

static void
two_admin_tries_at_most(void **state)
{
	struct env *e = *state;
	const struct ticket wrong = usual(e, "not-this-one", "nor-this-one", "never-to-come");
	const struct ticket right = usual(e, ADMIN, NULL, "admin-pin-no-two");

	lock(e);
	for (int left = 8; left > 0; left -= 2) {
		assert_string_equal(answer_reason(unlock(e, PIN_B, &wrong)), "so-pin-wrong");
		assert_int_equal(number(e, "soTriesLeft"), left);
	}
	/* one more, and the last is kept, whoever comes */
	assert_string_equal(answer_reason(unlock(e, PIN_B, &wrong)), "so-pin-last-try");
	assert_int_equal(number(e, "soTriesLeft"), 1);
	assert_string_equal(answer_reason(unlock(e, PIN_B, &right)), "so-pin-last-try");
	assert_int_equal(number(e, "soTriesLeft"), 1);
	assert_string_equal(answer_str(listed(e), "state"), "pin-locked");
}

/* A helper that crashes again and again is started anew less and less often. */
static void
is_back(struct env *e)
{
	for (int k = 0; k < 300; k++) {
		const json_t *m = peer_call(&e->w, &e->user, "token.list", NULL);

		if (answer_reason(m)[0] == '\0' &&
		    json_object_get(listed(e), "soTriesLeft") != NULL)
			return;
		(void)usleep(50000);
	}
	fail_msg("its helper does not come back");
}

/* Whatever a fault leaves behind, a ticket that carries both admin PINs goes on from there. */
static void
a_second_ticket_finishes(void **state)
{
	static const struct {
		const char *function, *how, *error;
	} rows[] = {
		{ "SKF_UnblockPIN", "--error", "SAR_DEVICE_REMOVED" },
		{ "SKF_UnblockPIN", "--crash", NULL },
		{ "SKF_ChangePIN", "--error", "SAR_DEVICE_REMOVED" },
		{ "SKF_ChangePIN", "--error", "SAR_FAIL" },
		{ "SKF_ChangePIN", "--crash", NULL },
		{ "SKF_ECCSignData", "--error", "SAR_DEVICE_REMOVED" },
		{ "SKF_ECCSignData", "--crash", NULL },
	};
	struct env *e = *state;
	char next[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *pin = i % 2 == 0 ? PIN_B : PIN_A;
		struct ticket t;
		const char *why;

		(void)snprintf(next, sizeof(next), "admin-pin-%zu", i);
		t = usual(e, e->admin, NULL, next);
		if (i == 0)
			lock(e);
		soft("set-fault", "--function", rows[i].function, rows[i].how, rows[i].error);
		why = answer_reason(unlock(e, pin, &t));
		if (why[0] == '\0')
			fail_msg("%s %s: no failure", rows[i].function, rows[i].how);
		soft("set-fault", "--clear", NULL, NULL, NULL);
		is_back(e);
		t = usual(e, next, e->admin, next);
		unlocked(e, pin, &t);
		works(e);
	}
}

/* The governor of the PIN that is to be changed. */
static void
changes_and_counts(void **state)
{
	struct env *e = *state;
	const json_t *m;

	logout(e);
	world_answers(&e->w, "000001\n000001\n" PIN_A "\n" PIN_B "\n" PIN_B "\n");
	(void)answer_result(peer_call(&e->w, &e->page, "pin.change", token_param(e)));
	assert_true(world_shown(&e->w, "剩余次数：9"));
	assert_true(world_shown(&e->w, "未消耗次数"));
	assert_true(world_shown(&e->w, "6至16位"));
	strcpy(e->pin, PIN_B);
	works(e);
	(void)login(e, "000001\n000002\n000003\n");
	(void)login(e, "000004\n000005\n000006\n");
	(void)login(e, "000007\n000008\n000009\n");
	assert_int_equal(number(e, "triesLeft"), 1);
	world_answers(&e->w, "!cancel\n");
	m = peer_call(&e->w, &e->page, "pin.change", token_param(e));
	assert_string_equal(answer_reason(m), "pin-last-try");
	assert_true(world_shown(&e->w, "最后一次机会"));
	assert_false(world_shown(&e->w, "GETPIN"));
	assert_int_equal(number(e, "triesLeft"), 1);
	works(e);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(ten_wrong_pins_and_a_ticket),
		T(the_older_admin_pin),
		T(two_admin_tries_at_most),
		T(a_second_ticket_finishes),
		T(changes_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
