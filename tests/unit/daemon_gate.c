/* The gate: each refusal, in its order, and what passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/gate.h"
#include "policy/rate.h"

#define SITE "https://ca.example"
#define FP   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define FP2  "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SELF 1000

struct env {
	char dir[64];
	char path[96];
	int64_t now;
	struct uk_clock clock;
	char *allow[1];
	char *block[1];
	struct policy policy;
	struct sites *sites;
	struct gate *gate;
};

static int64_t
now(void *ctx)
{
	return ((struct env *)ctx)->now;
}

static int64_t
mono(void *ctx)
{
	return ((struct env *)ctx)->now * 1000;
}

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	struct uk_err err;

	strcpy(e->dir, "/tmp/uk-gate-XXXXXX");
	assert_non_null(mkdtemp(e->dir));
	(void)snprintf(e->path, sizeof(e->path), "%s/sites.json", e->dir);
	e->now = 1800000000;
	e->clock = (struct uk_clock){ .now = now, .mono_ms = mono, .ctx = e };
	assert_int_equal(sites_open(e->path, &e->clock, &e->sites, &err), UK_OK);
	e->gate = gate_new(&e->policy, e->sites, &e->clock, SELF);
	*state = e;
	return 0;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	gate_free(&e->gate);
	sites_close(&e->sites);
	(void)unlink(e->path);
	(void)rmdir(e->dir);
	free(e);
	return 0;
}

static struct gate_facts
good(void)
{
	return (struct gate_facts){
		.stage = GATE_CALL, .peer_known = true, .peer = SELF, .origin = SITE
	};
}

static void
grant(struct env *e)
{
	const char *fp = FP;
	struct uk_err err;

	assert_int_equal(sites_grant(e->sites, SITE, &fp, 1, &err), UK_OK);
}

static void
refused(struct env *e, const struct gate_facts *f, const char *reason)
{
	struct uk_err err = { 0 };

	assert_int_equal(gate_decide(e->gate, f, &err), GATE_REFUSE);
	assert_int_not_equal(err.rc, UK_OK);
	assert_string_equal(uk_err_reason(&err), reason);
}

static void
answers(struct env *e, const struct gate_facts *f, enum gate_answer a)
{
	struct uk_err err = { 0 };

	assert_int_equal(gate_decide(e->gate, f, &err), a);
}

static void
peer(void **state)
{
	struct gate_facts f = good();

	answers(*state, &f, GATE_PASS);
	f.peer = 1001;
	refused(*state, &f, "peer-refused");
	f.peer = 0;
	refused(*state, &f, "peer-refused");
	f = good();
	f.peer_known = false;
	refused(*state, &f, "peer-refused");
	f = good();
	f.local = true;
	f.origin = NULL;
	f.peer = 1001;
	refused(*state, &f, "peer-refused");
}

static void
origin(void **state)
{
	static const char *const bad[] = { NULL, "", "null", "http://ca.example", "https://",
		"https://ca.example/", "https://CA.example", "https://ca.example:", "file://",
		"https://a b", "https://u@ca.example", "https://ca.example:0443",
		"https://ca.example:123456", "chrome-extension://abc", "http://localhost",
		"http://localhost:8600", "http://127.0.0.1:8600", "https://ca.example#x",
		"https://-a", "https://[::1", "https://ca.example.", "https://ca.example.:8443",
		"https://ca..example", "https://.example", "https://ca.example:443",
		"https://ca.example:65536", "https://[::g]", "https://[:]", "https://[1.2.3.4]",
		"https://[::1]:443", "https://ca.example\n", "https://ca.example%2e",
		"https://中国.example", "wss://ca.example", "HTTPS://ca.example",
		"https://ca.example https://b.example" };
	static const char *const fine[] = { "https://ca.example", "https://ca.example:8443",
		"https://[::1]:8443", "https://[2001:db8::1]", "https://xn--fiqs8s.example",
		"https://ca.example:65535", "https://192.0.2.1" };
	struct gate_facts f = good();
	struct env *e = *state;

	f.stage = GATE_CONNECT;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f.origin = bad[i];
		refused(e, &f, "origin-refused");
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		f.origin = fine[i];
		answers(e, &f, GATE_PASS);
	}
	e->policy.development = true;
	f.origin = "http://localhost:8600";
	answers(e, &f, GATE_PASS);
	f.origin = "http://127.0.0.1";
	answers(e, &f, GATE_PASS);
	f.origin = "http://localhost:80";
	refused(e, &f, "origin-refused");
	f.origin = "http://localhost.evil.example";
	refused(e, &f, "origin-refused");
	f.origin = "http://127.0.0.2:8600";
	refused(e, &f, "origin-refused");
}

static void
site(void **state)
{
	struct gate_facts f = good();
	struct env *e = *state;

	f.needs = NEEDS_SITE;
	refused(e, &f, "site-not-allowed");
	grant(e);
	answers(e, &f, GATE_PASS);
	f.origin = "https://other.example";
	refused(e, &f, "site-not-allowed");
	f.origin = SITE ":8443";
	refused(e, &f, "site-not-allowed");
	f = good();
	f.needs = NEEDS_SITE;
	e->now += SITES_LIFE;
	refused(e, &f, "site-not-allowed");
}

static void
administrator(void **state)
{
	struct gate_facts f = good();
	struct env *e = *state;

	f.needs = NEEDS_SITE;
	e->allow[0] = strdup(SITE);
	e->policy.allow = (struct policy_list){ e->allow, 1 };
	answers(e, &f, GATE_PASS);
	f.stage = GATE_OBJECT;
	f.certificate = FP;
	answers(e, &f, GATE_PASS);
	e->block[0] = e->allow[0];
	e->policy.block = (struct policy_list){ e->block, 1 };
	f.stage = GATE_CALL;
	refused(e, &f, "policy-refused");
	grant(e);
	refused(e, &f, "policy-refused");
	free(e->allow[0]);
}

static void
production(void **state)
{
	struct gate_facts f = good();
	struct env *e = *state;

	grant(e);
	f.needs = NEEDS_SITE | NEEDS_PRODUCTION;
	refused(e, &f, "policy-refused");
	e->policy.production = true;
	refused(e, &f, "policy-refused");
	e->allow[0] = strdup(SITE);
	e->policy.allow = (struct policy_list){ e->allow, 1 };
	answers(e, &f, GATE_PASS);
	free(e->allow[0]);
	f = good();
	f.needs = NEEDS_LOCAL;
	refused(e, &f, "policy-refused");
}

static void
certificate(void **state)
{
	struct gate_facts f = good();

	grant(*state);
	f.stage = GATE_OBJECT;
	f.needs = NEEDS_SITE;
	f.certificate = FP;
	answers(*state, &f, GATE_PASS);
	f.certificate = FP2;
	refused(*state, &f, "certificate-not-found");
}

static void
consent(void **state)
{
	struct gate_facts f = good();
	struct env *e = *state;

	grant(e);
	f.stage = GATE_OBJECT;
	f.needs = NEEDS_SITE | NEEDS_CONSENT | NEEDS_PIN;
	f.certificate = FP;
	f.object = "signature.create " FP;
	answers(e, &f, GATE_ASK_CONSENT);
	f.logged_in = true;
	answers(e, &f, GATE_ASK_CONSENT);
	f.logged_in = false;
	f.consent = true;
	answers(e, &f, GATE_ASK_PIN);
	f.logged_in = true;
	answers(e, &f, GATE_PASS);
	/* "always": the next one asks again */
	gate_consented(e->gate, &f, 0);
	f.consent = false;
	answers(e, &f, GATE_ASK_CONSENT);
	e->policy.session = true;
	gate_consented(e->gate, &f, 0);
	answers(e, &f, GATE_PASS);
	f.object = "login.create " FP;
	answers(e, &f, GATE_ASK_CONSENT);
	f.object = "signature.create " FP;
	e->now += 15 * 60;
	answers(e, &f, GATE_ASK_CONSENT);
	gate_consented(e->gate, &f, 0);
	answers(e, &f, GATE_PASS);
	gate_forget(e->gate);
	answers(e, &f, GATE_ASK_CONSENT);
}

static void
local(void **state)
{
	struct gate_facts f = good();

	f.stage = GATE_OBJECT;
	f.local = true;
	f.origin = NULL;
	f.certificate = FP;
	f.needs = NEEDS_SITE | NEEDS_CONSENT | NEEDS_LOCAL;
	answers(*state, &f, GATE_PASS);
	f.needs |= NEEDS_PIN;
	answers(*state, &f, GATE_ASK_PIN);
	f.needs = NEEDS_PRODUCTION;
	f.stage = GATE_CALL;
	refused(*state, &f, "policy-refused");
}

static void
rate(void **state)
{
	struct gate_facts f = good();
	struct env *e = *state;

	for (int i = 0; i < RATE_CALLS; i++)
		answers(e, &f, GATE_PASS);
	refused(e, &f, "rate-limited");
	f.origin = "https://other.example";
	answers(e, &f, GATE_PASS);
	f.origin = SITE;
	e->now += RATE_WINDOW;
	f.needs = NEEDS_PROMPT;
	for (int i = 0; i < RATE_PROMPTS; i++)
		answers(e, &f, GATE_PASS);
	refused(e, &f, "rate-limited");
	f.needs = 0;
	answers(e, &f, GATE_PASS);
}

/* A site that burns tries is cooled down; what shows no window still answers. */
static void
cool_down(void **state)
{
	struct gate_facts f = good();
	struct env *e = *state;

	f.needs = NEEDS_PROMPT;
	for (int i = 0; i < RATE_WRONG_PINS; i++) {
		answers(e, &f, GATE_PASS);
		gate_wrong_pin(e->gate, &f);
	}
	refused(e, &f, "rate-limited");
	f.needs = 0;
	answers(e, &f, GATE_PASS);
	f.needs = NEEDS_PROMPT;
	e->now += RATE_COOL - 1;
	refused(e, &f, "rate-limited");
	e->now += 1;
	answers(e, &f, GATE_PASS);
}

/* [design 5] whose word on the origin counts */
static void
extensions(void **state)
{
	struct env *e = *state;
	char known[] = "abcdefghijklmnopabcdefghijklmnop";
	char *ids[] = { known };
	struct gate_facts f = good();

	f.stage = GATE_CONNECT;
	f.native = true;
	refused(e, &f, "extension-refused");
	f.extension = known;
	refused(e, &f, "extension-refused");
	f.extension = ""; /* a portal's */
	answers(e, &f, GATE_PASS);
	e->policy.extensions = (struct policy_list){ .v = ids, .n = 1 };
	f.extension = known;
	answers(e, &f, GATE_PASS);
	f.extension = "abcdefghijklmnop";
	refused(e, &f, "extension-refused");
	f.extension = known;
	f.origin = "http://ca.example";
	refused(e, &f, "origin-refused");
	f.origin = SITE;
	f.peer = 1001;
	refused(e, &f, "peer-refused");
}

/* The extension's page of settings sees the state and no key; no other page of an extension does.
 */
static void
own_page(void **state)
{
	static const char *const others[] = { "chrome-extension://", "moz-extension://",
		"chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba", "moz-extension://1234",
		"moz-extension://G2345678-1234-1234-1234-123456789abc" };
	struct env *e = *state;
	char known[] = "abcdefghijklmnopabcdefghijklmnop";
	char *ids[] = { known };
	struct gate_facts f = good();

	e->policy.extensions = (struct policy_list){ .v = ids, .n = 1 };
	f.native = true;
	f.extension = known;
	f.needs = 0;
	f.origin = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";
	answers(e, &f, GATE_PASS);
	f.needs = NEEDS_PROMPT;
	refused(e, &f, "origin-refused");
	f.needs = NEEDS_SITE;
	refused(e, &f, "origin-refused");
	f.needs = 0;
	f.native = false;
	refused(e, &f, "origin-refused");
	f.native = true;
	f.origin = "moz-extension://12345678-1234-1234-1234-123456789abc";
	answers(e, &f, GATE_PASS);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		f.origin = others[i];
		refused(e, &f, "origin-refused");
	}
}

/* Nor does one get windows that asks again and again for what the user refuses. */
static void
cool_down_after_refusals(void **state)
{
	struct gate_facts f = good();
	struct env *e = *state;

	f.needs = NEEDS_PROMPT;
	for (int i = 0; i < RATE_REFUSALS; i++) {
		answers(e, &f, GATE_PASS);
		gate_refused(e->gate, &f);
		e->now += RATE_STRIKE_WINDOW;
	}
	/* who says yes to one and no to another means it */
	for (int i = 0; i < 2 * RATE_REFUSALS; i++) {
		answers(e, &f, GATE_PASS);
		gate_refused(e->gate, &f);
		if (i % 2 == 1)
			gate_agreed(e->gate, &f);
	}
	for (int i = 0; i < RATE_REFUSALS; i++) {
		answers(e, &f, GATE_PASS);
		gate_refused(e->gate, &f);
	}
	refused(e, &f, "rate-limited");
	/* whatever other names it calls by */
	for (int i = 0; i <= RATE_ORIGINS; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "https://s%d.example", i);
		f.origin = name;
		e->now++;
		answers(e, &f, GATE_PASS);
	}
	f.origin = SITE;
	refused(e, &f, "rate-limited");
	e->now += RATE_COOL;
	answers(e, &f, GATE_PASS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(peer, setup, teardown),
		cmocka_unit_test_setup_teardown(origin, setup, teardown),
		cmocka_unit_test_setup_teardown(extensions, setup, teardown),
		cmocka_unit_test_setup_teardown(own_page, setup, teardown),
		cmocka_unit_test_setup_teardown(site, setup, teardown),
		cmocka_unit_test_setup_teardown(administrator, setup, teardown),
		cmocka_unit_test_setup_teardown(production, setup, teardown),
		cmocka_unit_test_setup_teardown(certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(consent, setup, teardown),
		cmocka_unit_test_setup_teardown(local, setup, teardown),
		cmocka_unit_test_setup_teardown(rate, setup, teardown),
		cmocka_unit_test_setup_teardown(cool_down, setup, teardown),
		cmocka_unit_test_setup_teardown(cool_down_after_refusals, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
