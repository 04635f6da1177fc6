/*
 * The real ukeyd and ukey-token with virtual UKEYs: what a page does with an SM2 key, and what
 * becomes of it when the UKEY is pulled, fails, crashes or is locked in between. [H2] [H6] [R5]
 * [R6] [U1]
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "daemon_issue.h"
#include "daemon_sm2.h"
#include "daemon_world.h"
#include "uk/b64.h"
#include "uk/random.h"
#include "uk/sm2.h"
#include "uk/x509.h"

#define PIN  "807361" /* that the user sets at first use */
#define PINS PIN "\n" PIN "\n" PIN "\n"

struct env {
	struct world w;
	struct peer user;
	struct issuer *issuer;
	char token[65];
	char key[65];
	char cert[65];
	char *request;
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
fail_at(const char *function, const char *error)
{
	soft("set-fault", "--function", function, "--error", error);
}

static void
make_ukey(struct env *e)
{
	const char *argv[] = { UKEY, "soft", "create", "--label", "virtual", "--kdf-cost=10",
		"--application", "APP", "--admin-pin-file", NULL, "--pin-file", NULL, "one", NULL };
	char admin[256], pin[256], dir[256];

	(void)snprintf(dir, sizeof(dir), "%s", world_path(&e->w, "soft"));
	assert_int_equal(setenv("UKEY_SOFT_DIR", dir, 1), 0);
	world_put(&e->w, "admin", "the-admin-pin");
	(void)snprintf(admin, sizeof(admin), "%s", world_path(&e->w, "admin"));
	world_put(&e->w, "pin", WORLD_PIN);
	(void)snprintf(pin, sizeof(pin), "%s", world_path(&e->w, "pin"));
	argv[9] = admin;
	argv[11] = pin;
	assert_int_equal(world_run(argv), 0);
	soft("insert", NULL, NULL, NULL, NULL);
}

/* --- the user --- */

static const json_t *
ask(struct env *e, const char *method, json_t *params)
{
	world_answers(&e->w, PINS);
	return peer_call(&e->w, &e->user, method, params);
}

/* The virtual one's entry of token.list; NULL: it is not in. */
static const json_t *
listed(struct env *e)
{
	const json_t *list = json_object_get(
	    answer_result(peer_call(&e->w, &e->user, "token.list", NULL)), "tokens");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(answer_str(json_array_get(list, i), "kind"), "skf") == 0)
			return json_array_get(list, i);
	return NULL;
}

static const json_t *
login(struct env *e)
{
	return ask(e, "token.login", json_pack("{s:s}", "token", e->token));
}

static void
logout(struct env *e)
{
	(void)answer_result(
	    peer_call(&e->w, &e->user, "token.logout", json_pack("{s:s}", "token", e->token)));
}

static const json_t *
generate(struct env *e)
{
	const json_t *m =
	    ask(e, "key.generate", json_pack("{s:s, s:s}", "token", e->token, "algorithm", "sm2"));

	if (answer_reason(m)[0] == '\0')
		strcpy(e->key, answer_str(answer_result(m), "key"));
	return m;
}

static void
make_request(struct env *e)
{
	const json_t *m = ask(e, "request.create",
	    json_pack("{s:s, s:s, s:{s:s}}", "token", e->token, "key", e->key, "subject",
		"commonName", "A"));

	free(e->request);
	e->request = strdup(answer_str(answer_result(m), "request"));
}

static char *
issue(struct env *e)
{
	struct uk_buf request, cert;
	char *b64;

	uk_buf_init(&request, 4096);
	uk_buf_init(&cert, 8192);
	assert_int_equal(uk_b64_get(&request, e->request), UK_OK);
	assert_true(issuer_issue(e->issuer, uk_buf_span(&request), &cert));
	b64 = uk_b64_dup(uk_buf_span(&cert));
	uk_buf_fini(&request);
	uk_buf_fini(&cert);
	return b64;
}

static const json_t *
sign(struct env *e)
{
	return ask(e, "signature.create",
	    json_pack(
		"{s:s, s:s, s:s}", "certificate", e->cert, "data", "ZGF0YQ==", "format", "raw"));
}

static void
holds(const json_t *result)
{
	struct uk_buf sig, der;
	struct uk_cert *cert = NULL;

	uk_buf_init(&sig, 256);
	uk_buf_init(&der, 8192);
	assert_string_equal(answer_str(result, "algorithm"), "SM2-SM3");
	assert_int_equal(uk_b64_get(&sig, answer_str(result, "signature")), UK_OK);
	assert_int_equal(uk_b64_get(&der, answer_str(result, "certificate")), UK_OK);
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &cert, NULL), UK_OK);
	assert_int_equal(
	    uk_verify(uk_cert_pubkey(cert), uk_span_str("data"), uk_buf_span(&sig), NULL), UK_OK);
	uk_cert_free(&cert);
	uk_buf_fini(&sig);
	uk_buf_fini(&der);
}

/* --- both certificates of a pair --- */

struct dual {
	json_t *params; /* of certificate.install */
	struct uk_pubkey *pub;
};

static struct dual
make_dual(struct env *e)
{
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	struct uk_pubkey *owner = NULL;
	struct uk_secret *private;
	struct uk_sm2_enveloped v;
	struct uk_buf request, enveloped, cert;
	char *sign_cert = issue(e), *b64[2];
	unsigned char *spki = NULL;
	const unsigned char *p;
	const int n = i2d_PUBKEY(k, &spki);
	struct dual d = { 0 };
	BIGNUM *bn = NULL;
	uint8_t raw[32];
	X509_REQ *req;

	uk_buf_init(&request, 4096);
	uk_buf_init(&enveloped, 1024);
	uk_buf_init(&cert, 8192);
	assert_int_equal(EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_PRIV_KEY, &bn), 1);
	assert_int_equal(BN_bn2binpad(bn, raw, sizeof(raw)), 32);
	private = uk_secret_new(uk_span(raw, sizeof(raw)));
	assert_int_equal(uk_pubkey_from_spki(uk_span(spki, (size_t)n), &d.pub, NULL), UK_OK);
	issuer_issue_encryption(e->issuer, uk_span(spki, (size_t)n), &cert);
	OPENSSL_free(spki);

	assert_int_equal(uk_b64_get(&request, e->request), UK_OK);
	p = request.p;
	req = d2i_X509_REQ(NULL, &p, (long)request.n);
	spki = NULL;
	assert_true(i2d_PUBKEY(X509_REQ_get0_pubkey(req), &spki) > 0);
	assert_int_equal(uk_pubkey_from_spki(uk_span(spki, (size_t)n), &owner, NULL), UK_OK);
	assert_int_equal(
	    uk_sm2_envelope(owner, d.pub, private, &uk_random_system, &v, NULL), UK_OK);
	assert_int_equal(uk_sm2_enveloped_put(&v, &enveloped), UK_OK);
	b64[0] = uk_b64_dup(uk_buf_span(&cert));
	b64[1] = uk_b64_dup(uk_buf_span(&enveloped));
	d.params = json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s}}", "token", e->token, "key", e->key,
	    "certificate", sign_cert, "encryption", "certificate", b64[0], "envelopedKey", b64[1],
	    "format", "gbt35276");
	free(b64[0]);
	free(b64[1]);
	free(sign_cert);
	OPENSSL_free(spki);
	X509_REQ_free(req);
	uk_pubkey_free(&owner);
	uk_secret_free(&private);
	BN_clear_free(bn);
	EVP_PKEY_free(k);
	uk_buf_fini(&request);
	uk_buf_fini(&enveloped);
	uk_buf_fini(&cert);
	return d;
}

static const json_t *
install(struct env *e, const struct dual *d)
{
	const json_t *m = ask(e, "certificate.install", json_deep_copy(d->params));

	if (answer_reason(m)[0] == '\0')
		strcpy(e->cert, answer_str(answer_result(m), "certificate"));
	return m;
}

static void
dual_fini(struct dual *d)
{
	json_decref(d->params);
	uk_pubkey_free(&d->pub);
}

static size_t
certificates(struct env *e)
{
	return json_array_size(json_object_get(
	    answer_result(ask(e, "certificate.list", json_pack("{s:s}", "token", e->token))),
	    "certificates"));
}

/* --- tests --- */

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	char policy[512];

	(void)snprintf(policy, sizeof(policy),
	    "{\"modules\":[{\"path\":\"%s\",\"kind\":\"skf\"},\"%s\"]}", SOFT_MODULE,
	    SOFTHSM_MODULE);
	world_init(&e->w, policy);
	make_ukey(e);
	world_start(&e->w);
	e->user = peer_user(&e->w);
	e->issuer = issuer_new();
	strcpy(e->token, answer_str(listed(e), "id"));
	*state = e;
	return 0;
}

/* [C3] The first PIN is not the user's for long. */
static int
setup_and_change(void **state)
{
	struct env *e;

	(void)setup(state);
	e = *state;
	world_answers(&e->w, WORLD_PIN "\n" PIN "\n" PIN "\n");
	(void)answer_result(
	    peer_call(&e->w, &e->user, "token.login", json_pack("{s:s}", "token", e->token)));
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

static bool
can(const json_t *token, const char *algorithm)
{
	const json_t *list = json_object_get(token, "algorithms");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), algorithm) == 0)
			return true;
	return false;
}

static void
is_listed_as_what_it_is(void **state)
{
	struct env *e = *state;
	const json_t *t = listed(e);

	assert_string_equal(answer_str(t, "label"), "virtual");
	assert_string_equal(answer_str(t, "state"), "ready");
	assert_true(json_is_true(json_object_get(t, "software")));
	assert_int_equal(json_integer_value(json_object_get(t, "triesLeft")), 10);
	assert_int_equal(json_integer_value(json_object_get(t, "soTriesLeft")), 10);
	assert_true(json_is_true(json_object_get(t, "pinInitial")));
	assert_true(can(t, "sm2"));
	assert_false(can(t, "p-256"));
	world_answers(&e->w, WORLD_PIN "\n" PIN "\n" PIN "\n");
	(void)answer_result(
	    peer_call(&e->w, &e->user, "token.login", json_pack("{s:s}", "token", e->token)));
	assert_null(json_object_get(listed(e), "pinInitial"));
	(void)answer_result(login(e));
}

/* [N9] [H2] A key, its request, both certificates, a signature, an envelope. */
static void
works(struct env *e)
{
	struct dual d;

	(void)answer_result(login(e));
	(void)answer_result(generate(e));
	make_request(e);
	d = make_dual(e);
	(void)answer_result(install(e, &d));
	assert_string_not_equal(
	    answer_str(answer_result(install(e, &d)), "encryptionCertificate"), e->cert);
	assert_int_equal(certificates(e), 2);
	holds(answer_result(sign(e)));
	dual_fini(&d);
}

static void
does_all_that_a_page_asks(void **state)
{
	works(*state);
}

/* [N9] By the standard's functions alone: a token's own one that lets the key out is not needed. */
static void
opens_an_envelope(void **state)
{
	static const char text[] = "to whom it may concern";
	struct env *e = *state;
	struct uk_buf cert, envelope, got;
	struct dual d;
	const json_t *r;
	char id[65], *b64;

	(void)answer_result(login(e));
	(void)answer_result(generate(e));
	make_request(e);
	d = make_dual(e);
	strcpy(id, answer_str(answer_result(install(e, &d)), "encryptionCertificate"));
	uk_buf_init(&cert, 8192);
	uk_buf_init(&envelope, 8192);
	uk_buf_init(&got, 256);
	assert_int_equal(
	    uk_b64_get(&cert, answer_str(json_object_get(d.params, "encryption"), "certificate")),
	    UK_OK);
	sm2_envelope(uk_buf_span(&cert), &(struct sm2_form){ .gm = true }, text, &envelope);
	b64 = uk_b64_dup(uk_buf_span(&envelope));
	fail_at("SKF_ECCPrvKeyDecrypt", "SAR_NOTSUPPORTYETERR");
	r = answer_result(
	    ask(e, "envelope.open", json_pack("{s:s, s:s}", "certificate", id, "envelope", b64)));
	assert_int_equal(uk_b64_get(&got, answer_str(r, "data")), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&got), uk_span_str(text)));
	free(b64);
	uk_buf_fini(&cert);
	uk_buf_fini(&envelope);
	uk_buf_fini(&got);
	dual_fini(&d);
}

/* The n-th call of a function says that the UKEY has gone: said so, and the next try works. */
static void
pulled_during_login(void **state)
{
	struct env *e = *state;

	logout(e);
	fail_at("SKF_VerifyPIN", "SAR_DEVICE_REMOVED");
	assert_string_equal(answer_reason(login(e)), "token-removed");
	works(e);
}

static void
pulled_during_generation(void **state)
{
	struct env *e = *state;

	(void)answer_result(login(e));
	fail_at("SKF_GenECCKeyPair", "SAR_DEVICE_REMOVED");
	assert_string_equal(answer_reason(generate(e)), "token-removed");
	assert_int_equal(certificates(e), 0);
	works(e);
}

static void
pulled_during_a_signature(void **state)
{
	struct env *e = *state;

	works(e);
	fail_at("SKF_ECCSignData", "SAR_DEVICE_REMOVED");
	assert_string_equal(answer_reason(sign(e)), "token-removed");
	holds(answer_result(sign(e)));
}

/* [R5] Each step of the installation: the same call again completes it. */
static void
pulled_during_the_installation(void **state)
{
	/* Either way of opening an envelope. */
	static const char *const functions[][2] = { { "SKF_ImportECCKeyPair" },
		{ "SKF_ImportSessionKey", "SKF_ECCPrvKeyDecrypt" }, { "SKF_ImportCertificate" },
		{ "SKF_ExportCertificate" }, { "SKF_ECCSignData" } };
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		struct dual d;

		(void)answer_result(login(e));
		(void)answer_result(generate(e));
		make_request(e);
		d = make_dual(e);
		for (int k = 0; k < 2 && functions[i][k] != NULL; k++)
			fail_at(functions[i][k], "SAR_DEVICE_REMOVED");
		if (strcmp(answer_reason(install(e, &d)), "token-removed") != 0)
			fail_msg("%s: %s", functions[i][0], answer_reason(e->w.answer));
		soft("set-fault", "--clear", NULL, NULL, NULL);
		(void)answer_result(install(e, &d));
		assert_int_equal(certificates(e), 2 * (i + 1));
		holds(answer_result(sign(e)));
		dual_fini(&d);
	}
}

static void
other_faults(void **state)
{
	struct env *e = *state;

	works(e);
	fail_at("SKF_ECCSignData", "SAR_FAIL");
	assert_string_equal(answer_reason(sign(e)), "internal");
	soft("set-fault", "--clear", NULL, NULL, NULL);
	soft("set-fault", "--function", "SKF_ECCSignData", "--crash", NULL);
	assert_string_equal(answer_reason(sign(e)), "unavailable");
	soft("set-fault", "--clear", NULL, NULL, NULL);
	holds(answer_result(sign(e)));
	fail_at("SKF_CreateContainer", "SAR_NO_ROOM");
	assert_string_equal(answer_reason(generate(e)), "token-full");
}

/* Out and in again, both told within two seconds. */
static double
until(struct env *e, const char *event)
{
	struct timespec from, to;
	const json_t *m;

	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	while ((m = peer_next(&e->w, &e->user)) != NULL) {
		const json_t *p = json_object_get(m, "params");
		const char *what = json_string_value(json_object_get(p, "event"));

		if (what == NULL || strcmp(what, event) != 0)
			continue;
		assert_string_equal(answer_str(json_object_get(p, "token"), "id"), e->token);
		(void)clock_gettime(CLOCK_MONOTONIC, &to);
		return (double)(to.tv_sec - from.tv_sec) +
		       (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	}
	fail_msg("no such event");
	return 0;
}

/* [R6] */
static void
pulled_and_put_back(void **state)
{
	struct env *e = *state;

	works(e);
	(void)answer_result(peer_call(&e->w, &e->user, "token.watch", NULL));
	soft("remove", NULL, NULL, NULL, NULL);
	assert_true(until(e, "removed") < 2.0);
	assert_null(listed(e));
	assert_string_equal(answer_reason(login(e)), "token-not-found");
	soft("insert", NULL, NULL, NULL, NULL);
	assert_true(until(e, "inserted") < 2.0);
	assert_true(json_is_false(json_object_get(listed(e), "loggedIn")));
	holds(answer_result(sign(e)));
}

/* Really pulled, while the token is at it. */
static void
pulled_in_the_middle(void **state)
{
	struct env *e = *state;
	int id;

	works(e);
	soft("set-fault", "--function", "SKF_ECCSignData", "--block", "1000");
	world_answers(&e->w, PINS);
	id = peer_ask(&e->w, &e->user, "signature.create",
	    json_pack(
		"{s:s, s:s, s:s}", "certificate", e->cert, "data", "ZGF0YQ==", "format", "raw"));
	soft("remove", NULL, NULL, NULL, NULL);
	assert_string_equal(answer_reason(peer_answer(&e->w, &e->user, id)), "token-removed");
	assert_null(listed(e));
	soft("insert", NULL, NULL, NULL, NULL);
	assert_string_equal(answer_str(listed(e), "id"), e->token);
	soft("set-fault", "--clear", NULL, NULL, NULL);
	holds(answer_result(sign(e)));
}

static const json_t *
wrong_pins(struct env *e, const char *pins)
{
	world_answers(&e->w, pins);
	return peer_call(&e->w, &e->user, "token.login", json_pack("{s:s}", "token", e->token));
}

/* [U1] */
static void
locked_after_ten_wrong_pins(void **state)
{
	struct env *e = *state;

	works(e);
	logout(e);
	assert_string_equal(answer_reason(wrong_pins(e, "000001\n000002\n000003\n")), "pin-wrong");
	assert_string_equal(answer_reason(wrong_pins(e, "000004\n000005\n000006\n")), "pin-wrong");
	assert_int_equal(json_integer_value(json_object_get(listed(e), "triesLeft")), 4);
	assert_string_equal(answer_reason(wrong_pins(e, "000007\n000008\n000009\n")), "pin-wrong");
	assert_string_equal(answer_reason(wrong_pins(e, "000010\n")), "pin-locked");
	assert_string_equal(answer_str(listed(e), "state"), "pin-locked");
	assert_int_equal(json_integer_value(json_object_get(listed(e), "triesLeft")), 0);
	assert_string_equal(answer_reason(login(e)), "pin-locked");
	assert_string_equal(answer_reason(sign(e)), "pin-locked");
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup_and_change, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_listed_as_what_it_is, setup, teardown),
		T(does_all_that_a_page_asks),
		T(opens_an_envelope),
		T(pulled_during_login),
		T(pulled_during_generation),
		T(pulled_during_a_signature),
		T(pulled_during_the_installation),
		T(other_faults),
		T(pulled_and_put_back),
		T(pulled_in_the_middle),
		T(locked_after_ten_wrong_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
