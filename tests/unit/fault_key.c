/*
 * What becomes of a key's use when the key, its module, its helper or ukeyd goes away in it: one
 * clear reason, nothing half written on the token, and the next try works.  Over the WebSocket and
 * over ukey-native; the module is tests/fault's in front of SoftHSM2.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include "daemon_client.h"
#include "daemon_issue.h"
#include "daemon_world.h"
#include "uk/b64.h"
#include "uk/clock.h"

#define SITES   48 /* each case has its own: a site may show thirty windows a minute */
#define PINS    WORLD_PIN "\n" WORLD_PIN "\n" WORLD_PIN "\n"
#define OBJECTS 128

struct env {
	struct world w;
	struct issuer *issuer;
	char token[65];
	char cert[65];
	char *fresh; /* a certificate that is not installed yet, base64 */
	int sites;
	struct peer peer; /* who acts in this case */
};

static struct peer
user_of(struct env *e)
{
	return peer_user(&e->w);
}

/* --- what is on the token, seen by somebody else --- */

struct object {
	CK_OBJECT_CLASS class;
	uint8_t id[64];
	CK_ULONG n;
};

static size_t
read_objects(CK_FUNCTION_LIST *m, CK_SESSION_HANDLE s, struct object *out)
{
	CK_OBJECT_HANDLE h[OBJECTS];
	CK_ULONG n = 0;
	size_t found = 0;

	assert_int_equal(m->C_FindObjectsInit(s, NULL, 0), CKR_OK);
	assert_int_equal(m->C_FindObjects(s, h, OBJECTS, &n), CKR_OK);
	assert_int_equal(m->C_FindObjectsFinal(s), CKR_OK);
	assert_true(n < OBJECTS);
	for (CK_ULONG i = 0; i < n; i++) {
		struct object *o = &out[found++];
		CK_ATTRIBUTE a[] = { { CKA_CLASS, &o->class, sizeof(o->class) },
			{ CKA_ID, o->id, sizeof(o->id) } };

		assert_int_equal(m->C_GetAttributeValue(s, h[i], a, 2), CKR_OK);
		o->n = a[1].ulValueLen;
	}
	return found;
}

static size_t
list_objects(struct object *out)
{
	CK_FUNCTION_LIST *m = p11_kit_module_load(SOFTHSM_MODULE, P11_KIT_MODULE_UNMANAGED);
	CK_SLOT_ID slots[16];
	CK_ULONG n = 16;
	size_t found = 0;

	assert_non_null(m);
	assert_int_equal(p11_kit_module_initialize(m), CKR_OK);
	assert_int_equal(m->C_GetSlotList(CK_TRUE, slots, &n), CKR_OK);
	for (CK_ULONG i = 0; i < n; i++) {
		char pin[] = WORLD_PIN;
		CK_SESSION_HANDLE s;
		CK_TOKEN_INFO info;

		assert_int_equal(m->C_GetTokenInfo(slots[i], &info), CKR_OK);
		if (strncmp((const char *)info.label, "demo ", 5) != 0)
			continue;
		assert_int_equal(
		    m->C_OpenSession(slots[i], CKF_SERIAL_SESSION, NULL, NULL, &s), CKR_OK);
		assert_int_equal(
		    m->C_Login(s, CKU_USER, (CK_UTF8CHAR_PTR)pin, sizeof(pin) - 1), CKR_OK);
		found = read_objects(m, s, out);
	}
	assert_int_equal(p11_kit_module_finalize(m), CKR_OK);
	p11_kit_module_release(m);
	return found;
}

static size_t
count(const struct object *all, size_t n, CK_OBJECT_CLASS class, const struct object *like)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += all[i].class == class &&
			 (like == NULL ||
			     (all[i].n == like->n && memcmp(all[i].id, like->id, like->n) == 0));
	return found;
}

/* Key pairs are pairs, and a certificate has its key; how many there are of both. */
static void
whole(size_t *keys, size_t *certificates)
{
	struct object *all = calloc(OBJECTS, sizeof(*all));
	const size_t n = list_objects(all);

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(count(all, n, CKO_PRIVATE_KEY, &all[i]), 1);
		assert_int_equal(count(all, n, CKO_PUBLIC_KEY, &all[i]), 1);
		assert_true(count(all, n, CKO_CERTIFICATE, &all[i]) <= 1);
	}
	*keys = count(all, n, CKO_PRIVATE_KEY, NULL);
	*certificates = count(all, n, CKO_CERTIFICATE, NULL);
	free(all);
}

/* --- the four uses --- */

typedef const json_t *use_fn(struct env *);

static const json_t *
log_in(struct env *e)
{
	return peer_call(&e->w, &e->peer, "token.login", json_pack("{s:s}", "token", e->token));
}

static json_t *
sign_params(const struct env *e)
{
	return json_pack(
	    "{s:s, s:s, s:s}", "certificate", e->cert, "data", "eA==", "format", "cms-attached");
}

static const json_t *
sign(struct env *e)
{
	return peer_call(&e->w, &e->peer, "signature.create", sign_params(e));
}

static json_t *
key_params(const struct env *e)
{
	return json_pack("{s:s, s:s}", "token", e->token, "algorithm", "p-256");
}

static const json_t *
generate(struct env *e)
{
	return peer_call(&e->w, &e->peer, "key.generate", key_params(e));
}

static const json_t *
install(struct env *e)
{
	return peer_call(&e->w, &e->peer, "certificate.install",
	    json_pack("{s:s, s:s}", "token", e->token, "certificate", e->fresh));
}

/* A key and its certificate, which `install` is to write; by the user's own connection. */
static void
make_fresh(struct env *e)
{
	struct peer user = user_of(e);
	struct uk_buf req, der;
	const json_t *r;
	char *key;

	world_answers(&e->w, PINS);
	r = answer_result(peer_call(&e->w, &user, "key.generate", key_params(e)));
	key = strdup(answer_str(r, "key"));
	r = answer_result(peer_call(&e->w, &user, "request.create",
	    json_pack("{s:s, s:s, s:{s:s}}", "token", e->token, "key", key, "subject", "commonName",
		"张三")));
	free(key);
	uk_buf_init(&req, 16384);
	uk_buf_init(&der, 16384);
	assert_int_equal(uk_b64_get(&req, answer_str(r, "request")), UK_OK);
	assert_true(issuer_issue(e->issuer, uk_buf_span(&req), &der));
	free(e->fresh);
	e->fresh = uk_b64_dup(uk_buf_span(&der));
	uk_buf_fini(&req);
	uk_buf_fini(&der);
}

/* --- cases --- */

static void
next_site(struct env *e)
{
	char origin[64];

	if (e->sites > 0)
		peer_close(&e->peer);
	assert_true(e->sites < SITES);
	(void)snprintf(origin, sizeof(origin), "https://s%d.example", e->sites);
	/* every other one by the extension's road */
	e->peer = e->sites++ % 2 == 0 ? peer_page(&e->w, origin) : peer_host(origin);
}

static bool
token_in(struct env *e)
{
	struct peer user = user_of(e);
	const json_t *list =
	    json_object_get(answer_result(peer_call(&e->w, &user, "token.list", NULL)), "tokens");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(answer_str(json_array_get(list, i), "id"), e->token) == 0)
			return true;
	return false;
}

static void
wait_for(struct env *e, bool in)
{
	for (int i = 0; i < 100 && token_in(e) != in; i++)
		(void)usleep(50000);
	assert_true(token_in(e) == in);
}

static void
locked(struct env *e)
{
	struct peer user = user_of(e);

	answer_result(
	    peer_call(&e->w, &user, "token.logout", json_pack("{s:s}", "token", e->token)));
	world_answers(&e->w, PINS);
}

static void
works(struct env *e, use_fn *use)
{
	world_rules(&e->w, "");
	wait_for(e, true);
	world_answers(&e->w, PINS);
	answer_result(use(e));
}

struct use {
	const char *name;
	use_fn *run;
	const char *gone; /* the answer when the key is not there */
	size_t keys;      /* more after it has worked */
	size_t certificates;
};

static const struct use log_in_use = { "login", log_in, "token-not-found", 0, 0 };
static const struct use sign_use = { "sign", sign, "certificate-not-found", 0, 0 };
static const struct use key_use = { "key", generate, "token-not-found", 1, 0 };
static const struct use install_use = { "install", install, "token-not-found", 0, 1 };
static const struct use *const uses[] = { &log_in_use, &sign_use, &key_use, &install_use };

/* What the token did before it was pulled counts; `extra` key pairs nobody was told of. */
static void
fails_once(struct env *e, const struct use *u, const char *rules, const char *reason, size_t extra)
{
	size_t keys, certs, keys_after, certs_after;
	const json_t *m;

	next_site(e);
	if (u == &install_use)
		make_fresh(e);
	locked(e);
	whole(&keys, &certs);
	world_rules(&e->w, rules);
	m = u->run(e);
	if (strcmp(answer_reason(m), reason) != 0)
		fail_msg("%s, %s: %s", u->name, rules, json_dumps(m, 0));
	whole(&keys_after, &certs_after);
	works(e, u->run);
	whole(&keys_after, &certs_after);
	assert_int_equal(keys_after, keys + u->keys + extra);
	assert_int_equal(certs_after, certs + u->certificates);
}

static int
group_setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	json_t *policy = json_pack("{s:[s], s:{s:[]}}", "modules", FAULT_MODULE, "sites", "allow");
	struct peer user;
	const json_t *list;
	char origin[64], *text;

	for (int i = 0; i < SITES; i++) {
		(void)snprintf(origin, sizeof(origin), "https://s%d.example", i);
		json_array_append_new(json_object_get(json_object_get(policy, "sites"), "allow"),
		    json_string(origin));
	}
	text = json_dumps(policy, 0);
	json_decref(policy);
	world_init(&e->w, text);
	free(text);
	world_start(&e->w);
	e->issuer = issuer_new();
	user = user_of(e);
	list =
	    json_object_get(answer_result(peer_call(&e->w, &user, "token.list", NULL)), "tokens");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(answer_str(json_array_get(list, i), "label"), "demo") == 0)
			strcpy(e->token, answer_str(json_array_get(list, i), "id"));
	make_fresh(e);
	e->peer = user;
	strcpy(e->cert, answer_str(answer_result(install(e)), "certificate"));
	*state = e;
	return 0;
}

static int
group_teardown(void **state)
{
	struct env *e = *state;

	peer_close(&e->peer);
	world_stop(&e->w);
	assert_true(world_gone("ukeyd"));
	assert_true(world_gone("ukey-token"));
	assert_true(world_gone("ukey-native"));
	assert_true(world_gone("sleep"));
	issuer_free(&e->issuer);
	free(e->fresh);
	world_fini(&e->w);
	free(e);
	return 0;
}

static void
pulled_before(void **state)
{
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		next_site(e);
		if (uses[i] == &install_use)
			make_fresh(e);
		world_rules(&e->w, "C_GetTokenInfo:1=pull\n");
		wait_for(e, false);
		assert_string_equal(answer_reason(uses[i]->run(e)), uses[i]->gone);
		works(e, uses[i]->run);
	}
}

static void
pulled_during(void **state)
{
	struct env *e = *state;

	fails_once(e, &log_in_use, "C_Login:1=pull\n", "token-removed", 0);
	fails_once(e, &log_in_use, "C_Login:1=pull-after\n", "token-removed", 0);
	fails_once(e, &sign_use, "C_SignInit:1=pull\n", "token-removed", 0);
	fails_once(e, &sign_use, "C_Sign:1=pull\n", "token-removed", 0);
	fails_once(e, &sign_use, "C_Sign:1=pull-after\n", "token-removed", 0);
	fails_once(e, &key_use, "C_GenerateKeyPair:1=pull\n", "token-removed", 0);
	/* The pair is there and whole; nobody has been told its name. */
	fails_once(e, &key_use, "C_GenerateKeyPair:1=pull-after\n", "token-removed", 1);
	fails_once(e, &install_use, "C_CreateObject:1=pull\n", "token-removed", 0);
	fails_once(e, &install_use, "C_CreateObject:1=pull-after\n", "token-removed", 0);
	/* written, and pulled in the proof */
	fails_once(e, &install_use, "C_Sign:1=pull\n", "token-removed", 0);
}

static void
pulled_after(void **state)
{
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		next_site(e);
		if (uses[i] == &install_use)
			make_fresh(e);
		works(e, uses[i]->run);
		world_rules(&e->w, "C_GetTokenInfo:1=pull\n");
		wait_for(e, false);
		world_rules(&e->w, "");
		wait_for(e, true);
		/* the session has gone with it: the PIN is asked for again */
		world_answers(&e->w, PINS);
		answer_result(sign(e));
		assert_true(world_shown(&e->w, "GETPIN"));
	}
}

/* A helper that ends again and again is waited for longer each time: not what is asked here. */
static void
start_anew(struct env *e)
{
	if (e->w.ukeyd > 0)
		world_stop(&e->w);
	world_start(&e->w);
	wait_for(e, true);
}

static void
module_crashes(void **state)
{
	static const char *const rules[] = { "C_Login:1=crash\n", "C_Sign:1=crash\n",
		"C_GenerateKeyPair:1=crash\n", "C_CreateObject:1=crash\n" };
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		start_anew(e);
		fails_once(e, uses[i], rules[i], "unavailable", 0);
	}
}

static void
module_hangs(void **state)
{
	struct env *e = *state;

	start_anew(e);
	fails_once(e, &log_in_use, "C_Login:1=hang\n", "timeout", 0);
	fails_once(e, &sign_use, "C_Sign:1=hang\n", "timeout", 0);
	fails_once(e, &install_use, "C_CreateObject:1=hang\n", "timeout", 0);
}

static const char *const methods[][2] = {
	{ "signature.create", "C_Sign:1=hang\n" },
	{ "key.generate", "C_GenerateKeyPair:1=hang\n" },
};

static void
helper_killed(void **state)
{
	struct env *e = *state;

	for (size_t i = 0; i < 2; i++) {
		int id;

		start_anew(e);
		next_site(e);
		works(e, log_in);
		world_rules(&e->w, methods[i][1]);
		id = peer_ask(
		    &e->w, &e->peer, methods[i][0], i == 0 ? sign_params(e) : key_params(e));
		(void)usleep(500000);
		assert_int_equal(kill(world_pid("ukey-token"), SIGKILL), 0);
		assert_string_equal(answer_reason(peer_answer(&e->w, &e->peer, id)), "unavailable");
		works(e, i == 0 ? sign : generate);
	}
}

/* Ten requests in flight in a module that does not come back: nothing of it is left. */
static void
daemon_killed(void **state)
{
	struct env *e = *state;

	for (size_t i = 0; i < 2; i++) {
		size_t keys, certs, keys_after, certs_after;
		const json_t *m;

		next_site(e);
		works(e, sign);
		whole(&keys, &certs);
		world_rules(&e->w, methods[i][1]);
		for (int k = 0; k < 10; k++)
			(void)peer_ask(&e->w, &e->peer, methods[i][0],
			    i == 0 ? sign_params(e) : key_params(e));
		(void)usleep(500000);
		world_kill(&e->w);
		/* those that were one too many for the windows have been told */
		while ((m = peer_next(&e->w, &e->peer)) != NULL)
			assert_string_not_equal(answer_reason(m), "");
		assert_true(world_gone("ukey-token"));
		whole(&keys_after, &certs_after);
		assert_int_equal(keys_after, keys);
		world_rules(&e->w, "");
		world_start(&e->w);
		next_site(e);
		works(e, sign);
	}
}

/* The page goes while the user is to type the PIN. */
static void
page_leaves(void **state)
{
	struct env *e = *state;

	for (int i = 0; i < 2; i++) {
		next_site(e);
		locked(e);
		world_answers(&e->w, "!hang\n");
		(void)peer_ask(
		    &e->w, &e->peer, "token.login", json_pack("{s:s}", "token", e->token));
		assert_true(world_shows(&e->w, "GETPIN"));
		assert_true(world_has("sleep", 1));
		next_site(e);
		assert_true(world_gone("sleep"));
		works(e, log_in);
	}
}

/* [two seconds] */
static void
heard(struct env *e, const char *event, int64_t since)
{
	const json_t *m, *p;

	for (;;) {
		m = peer_next(&e->w, &e->peer);
		assert_non_null(m);
		p = json_object_get(m, "params");
		if (strcmp(answer_str(p, "event"), event) == 0 &&
		    strcmp(answer_str(json_object_get(p, "token"), "id"), e->token) == 0)
			break;
	}
	assert_true(uk_mono_ms(&uk_clock_system) - since < 2000);
}

static void
comes_and_goes(void **state)
{
	struct env *e = *state;
	const char *out[] = { "sh", "-c", NULL, NULL };
	char move[256], back[256];
	int64_t then;

	(void)snprintf(move, sizeof(move),
	    "cd %s && mkdir out && for t in tokens/*/; do mv \"$t\" out/; done", e->w.dir);
	(void)snprintf(back, sizeof(back), "cd %s && mv out/* tokens/ && rmdir out", e->w.dir);
	for (int i = 0; i < 2; i++) {
		next_site(e);
		works(e, log_in);
		locked(e);
		answer_result(peer_call(&e->w, &e->peer, "token.watch", NULL));
		then = uk_mono_ms(&uk_clock_system);
		out[2] = move;
		assert_int_equal(world_run(out), 0);
		heard(e, "removed", then);
		then = uk_mono_ms(&uk_clock_system);
		out[2] = back;
		assert_int_equal(world_run(out), 0);
		heard(e, "inserted", then);
		then = uk_mono_ms(&uk_clock_system);
		world_rules(&e->w, "C_GetTokenInfo:1=pull\n");
		heard(e, "removed", then);
		then = uk_mono_ms(&uk_clock_system);
		world_rules(&e->w, "");
		heard(e, "inserted", then);
	}
}

static size_t
certificates(void)
{
	struct object *all = calloc(OBJECTS, sizeof(*all));
	const size_t n = count(all, list_objects(all), CKO_CERTIFICATE, NULL);

	free(all);
	return n;
}

/*
 * An old certificate leaves, and its key before it, only after the new one works; the second try
 * finishes it.
 */
static void
replaced(void **state)
{
	static const char *const rules[] = { "C_Sign:1=pull\n", "C_DestroyObject:1=pull\n",
		"C_DestroyObject:1=pull-after\n", "C_DestroyObject:2=pull\n",
		"C_DestroyObject:3=pull\n", "C_DestroyObject:3=pull-after\n" };
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		size_t keys, keys_after, certs, after;
		const json_t *m;

		next_site(e);
		make_fresh(e);
		works(e, log_in);
		whole(&keys, &certs);
		world_rules(&e->w, rules[i]);
		for (int again = 0; again < 2; again++) {
			m = peer_call(&e->w, &e->peer, "certificate.install",
			    json_pack("{s:s, s:s, s:s}", "token", e->token, "certificate", e->fresh,
				"replaces", e->cert));
			if (again == 1)
				break;
			assert_string_equal(answer_reason(m), "token-removed");
			assert_true(certificates() >= certs); /* never without any */
			world_rules(&e->w, "");
			wait_for(e, true);
			world_answers(&e->w, PINS);
		}
		strcpy(e->cert, answer_str(answer_result(m), "certificate"));
		whole(&keys_after, &after);
		assert_int_equal(after, certs);
		assert_int_equal(keys_after, keys - 1);
		works(e, sign);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pulled_before),
		cmocka_unit_test(pulled_during),
		cmocka_unit_test(pulled_after),
		cmocka_unit_test(replaced),
		cmocka_unit_test(module_crashes),
		cmocka_unit_test(helper_killed),
		cmocka_unit_test(page_leaves),
		cmocka_unit_test(comes_and_goes),
		cmocka_unit_test(daemon_killed),
		cmocka_unit_test(module_hangs),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
