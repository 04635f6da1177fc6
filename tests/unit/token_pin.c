/* PINs changed and tokens unblocked, and what the keys open, on real SoftHSM tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "token_fixture.h"

#define NEW_PIN "135790"
#define SO_NEXT "next-so-pin"

static void
put_back(struct fixture *f, const char *label)
{
	f->n_events = 0;
	fixture_rules(f, "");
	assert_true(fixture_event(f, TOKEN_INSERTED, label));
}

/* --- change-pin --- */

static enum uk_rc
change(struct fixture *f, const char *token, bool admin, const char *from, const char *to,
    struct answer *a)
{
	struct uk_secret *pin = uk_secret_new(uk_span_str(from));
	struct uk_secret *new_pin = uk_secret_new(uk_span_str(to));
	const struct token_call call = { .op = TOKEN_CHANGE_PIN,
		.token = token,
		.pin = pin,
		.new_pin = new_pin,
		.admin = admin };

	fixture_call(f, &call, FIXTURE_WAIT, a);
	answer_fini(a);
	uk_secret_free(&pin);
	uk_secret_free(&new_pin);
	return a->rc;
}

static void
changes_the_users_pin(void **state)
{
	struct fixture *f = *state;
	char id[65], key[65];
	struct answer a;

	fixture_start(f);
	fixture_prepare(f, "pin", id);
	fixture_keygen(f, id, UK_KEY_P256, key, NULL);
	assert_int_equal(change(f, id, false, FIXTURE_PIN, NEW_PIN, &a), UK_OK);
	/* logged in, with the keys as they were */
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_E_PIN_WRONG);
	assert_int_equal(fixture_login(f, id, NEW_PIN), UK_OK);
}

static void
refuses_a_change_by_the_wrong_pin(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[65];

	fixture_start(f);
	fixture_prepare(f, "pin", id);
	assert_int_equal(change(f, id, false, "000000", NEW_PIN, &a), UK_E_PIN_WRONG);
	assert_int_equal(a.tries, TOKEN_TRIES_LOW);
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	/* no try is spent on what the token would not look at */
	assert_int_equal(change(f, id, false, "1", NEW_PIN, &a), UK_E_PIN_WRONG);
	assert_string_equal(a.reason, "pin-length");
	assert_int_equal(a.tries, TOKEN_TRIES_UNKNOWN);
	assert_int_equal(change(f, id, false, FIXTURE_PIN, "1", &a), UK_E_INPUT);
	assert_string_equal(a.reason, "pin-length");
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
}

static void
changes_the_so_pin(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[65];

	fixture_start(f);
	fixture_prepare(f, "so", id);
	assert_int_equal(change(f, id, true, "wrong-so", SO_NEXT, &a), UK_E_PIN_WRONG);
	assert_string_equal(a.reason, "so-pin-wrong");
	assert_int_equal(a.tries, TOKEN_TRIES_LOW);
	assert_int_equal(change(f, id, true, FIXTURE_SO_PIN, SO_NEXT, &a), UK_OK);
	assert_int_equal(change(f, id, true, FIXTURE_SO_PIN, SO_NEXT, &a), UK_E_PIN_WRONG);
	assert_int_equal(change(f, id, true, SO_NEXT, FIXTURE_SO_PIN, &a), UK_OK);
}

static void
a_token_that_dislikes_the_new_pin(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[65];

	fixture_start_faulty(f, false);
	fixture_prepare(f, "pin", id);
	fixture_rules(f, "C_SetPIN:1=CKR_PIN_INVALID\n");
	assert_int_equal(change(f, id, false, FIXTURE_PIN, NEW_PIN, &a), UK_E_INPUT);
	assert_string_equal(a.reason, "pin-refused");
	fixture_rules(f, "C_SetPIN:1=pull\n");
	assert_int_equal(change(f, id, false, FIXTURE_PIN, NEW_PIN, &a), UK_E_TOKEN_REMOVED);
	put_back(f, "pin");
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
}

static void
tells_of_a_first_pin_and_of_lengths(void **state)
{
	struct fixture *f = *state;
	const struct token_info *t;
	char id[65];
	size_t n;

	fixture_start_faulty(f, false);
	fixture_prepare(f, "first", id);
	t = token_known(f->client, &n);
	assert_int_equal(t[0].pin_min, 4);
	assert_int_equal(t[0].pin_max, 255);
	assert_int_equal(t[0].so_tries, TOKEN_TRIES_UNKNOWN);
	assert_string_equal(t[0].kind, "pkcs11");
	assert_false(t[0].pin_initial || t[0].software);
	f->n_events = 0;
	/* CKF_USER_PIN_TO_BE_CHANGED, CKF_SO_PIN_FINAL_TRY */
	fixture_rules(f, "C_GetTokenInfo:1+=flags:0x280000\n");
	assert_true(fixture_event(f, TOKEN_CHANGED, "first"));
	t = token_known(f->client, &n);
	assert_true(t[0].pin_initial);
	assert_int_equal(t[0].so_tries, 1);
}

/* --- unblock --- */

struct unblock {
	const char *so, *old, *next, *pin;
};

static enum uk_rc
unblock(struct fixture *f, const char *token, struct unblock u, struct answer *a)
{
	struct uk_secret *s[4] = { NULL };
	const char *const texts[4] = { u.so, u.old, u.next, u.pin };
	struct token_call call = { .op = TOKEN_UNBLOCK, .token = token };

	for (size_t i = 0; i < 4; i++)
		s[i] = texts[i] != NULL ? uk_secret_new(uk_span_str(texts[i])) : NULL;
	call.so_pin = s[0];
	call.so_pin_old = s[1];
	call.so_pin_next = s[2];
	call.new_pin = s[3];
	fixture_call(f, &call, FIXTURE_WAIT, a);
	answer_fini(a);
	for (size_t i = 0; i < 4; i++)
		uk_secret_free(&s[i]);
	return a->rc;
}

/* [U1] the PIN is another one, the keys are the same, and the SO PIN is the next one. */
static void
unblocks(void **state)
{
	struct fixture *f = *state;
	char id[65], key[65];
	struct answer a;

	fixture_start(f);
	fixture_prepare(f, "locked", id);
	fixture_keygen(f, id, UK_KEY_P256, key, NULL);
	assert_int_equal(fixture_login(f, id, "000000"), UK_E_PIN_WRONG);
	assert_int_equal(
	    unblock(f, id,
		(struct unblock){ .so = FIXTURE_SO_PIN, .next = SO_NEXT, .pin = NEW_PIN }, &a),
	    UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_NEXT);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_E_PIN_WRONG);
	assert_int_equal(fixture_login(f, id, NEW_PIN), UK_OK);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
	assert_int_equal(change(f, id, true, SO_NEXT, FIXTURE_SO_PIN, &a), UK_OK);
}

/* The CA is not sure which one the token has: the second is right, and no third is tried. */
static void
tries_the_older_so_pin(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[65];

	fixture_start(f);
	fixture_prepare(f, "older", id);
	assert_int_equal(
	    unblock(f, id,
		(struct unblock){
		    .so = SO_NEXT, .old = FIXTURE_SO_PIN, .next = SO_NEXT, .pin = NEW_PIN },
		&a),
	    UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_NEXT);
	/* the same again: the first is right now, and stays */
	assert_int_equal(
	    unblock(f, id,
		(struct unblock){
		    .so = SO_NEXT, .old = FIXTURE_SO_PIN, .next = SO_NEXT, .pin = FIXTURE_PIN },
		&a),
	    UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_NEXT);
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	/* none to come: what worked stays */
	assert_int_equal(
	    unblock(f, id, (struct unblock){ .so = SO_NEXT, .pin = NEW_PIN }, &a), UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_SAME);
}

static void
spends_two_so_tries_at_most(void **state)
{
	const struct unblock wrong = {
		.so = "wrong-1", .old = "wrong-2", .next = SO_NEXT, .pin = NEW_PIN
	};
	struct fixture *f = *state;
	struct answer a;
	char id[65];

	fixture_start_faulty(f, false);
	fixture_prepare(f, "two", id);
	/* a third log-in would end the helper */
	fixture_rules(f, "C_Login:3=crash\n");
	assert_int_equal(unblock(f, id, wrong, &a), UK_E_PIN_WRONG);
	assert_string_equal(a.reason, "so-pin-wrong");
	fixture_rules(f, "C_Login:2=crash\n\n");
	assert_int_equal(unblock(f, id, (struct unblock){ .so = "wrong-1", .pin = NEW_PIN }, &a),
	    UK_E_PIN_WRONG);
	/* a fault is not a wrong PIN: the second is not tried after one */
	fixture_rules(f, "C_Login:1=CKR_DEVICE_ERROR\nC_Login:2=crash\n");
	assert_int_equal(unblock(f, id, wrong, &a), UK_E_UNAVAILABLE);
	fixture_rules(f, "");
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
}

static void
keeps_the_last_so_try(void **state)
{
	const struct unblock u = { .so = "wrong-1", .old = FIXTURE_SO_PIN, .pin = NEW_PIN };
	struct fixture *f = *state;
	struct answer a;
	char id[65];

	fixture_start_faulty(f, false);
	fixture_prepare(f, "last", id);
	fixture_rules(f, "C_GetTokenInfo:1+=flags:0x200000\nC_Login:1=crash\n");
	assert_int_equal(unblock(f, id, u, &a), UK_E_CONFLICT);
	assert_string_equal(a.reason, "so-pin-last-try");
	fixture_rules(f, "C_GetTokenInfo:1+=flags:0x400000\nC_Login:1=crash\n");
	assert_int_equal(unblock(f, id, u, &a), UK_E_PIN_LOCKED);
	assert_string_equal(a.reason, "so-pin-locked");
}

static void
refuses_before_it_spends(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[65];

	fixture_start_faulty(f, false);
	fixture_prepare(f, "short", id);
	fixture_rules(f, "C_Login:1=crash\n");
	assert_int_equal(
	    unblock(f, id, (struct unblock){ .so = "any-so", .pin = "1" }, &a), UK_E_INPUT);
	assert_string_equal(a.reason, "pin-length");
	assert_int_equal(
	    unblock(f, id, (struct unblock){ .so = "any-so", .next = "1", .pin = NEW_PIN }, &a),
	    UK_E_INPUT);
	assert_int_equal(unblock(f, fixture_token(f, TOKEN_BLANK),
			     (struct unblock){ .so = "so", .pin = NEW_PIN }, &a),
	    UK_E_CONFLICT);
	assert_string_equal(a.reason, "token-blank");
	assert_int_equal(unblock(f, "nobody", (struct unblock){ .so = "so", .pin = NEW_PIN }, &a),
	    UK_E_NOT_FOUND);
}

/* What fails after the user's PIN is set costs nobody the key. */
static void
faults_in_the_middle(void **state)
{
	const struct unblock u = { .so = FIXTURE_SO_PIN, .next = SO_NEXT, .pin = NEW_PIN };
	struct fixture *f = *state;
	struct answer a;
	char id[65];

	fixture_start_faulty(f, false);
	fixture_prepare(f, "middle", id);
	fixture_rules(f, "C_SetPIN:1=CKR_DEVICE_ERROR\n");
	assert_int_equal(unblock(f, id, u, &a), UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_SAME);
	fixture_rules(f, "C_InitPIN:1=pull-after\n");
	assert_int_equal(unblock(f, id, u, &a), UK_E_TOKEN_REMOVED);
	put_back(f, "middle");
	fixture_rules(f, "C_SetPIN:1=pull-after\n");
	assert_int_equal(unblock(f, id, u, &a), UK_E_TOKEN_REMOVED);
	/* the SO PIN was changed, and nobody knows: a ticket that carries both goes on */
	put_back(f, "middle");
	assert_int_equal(
	    unblock(f, id,
		(struct unblock){
		    .so = SO_NEXT, .old = FIXTURE_SO_PIN, .next = SO_NEXT, .pin = NEW_PIN },
		&a),
	    UK_OK);
	assert_int_equal(fixture_login(f, id, NEW_PIN), UK_OK);
}

/* --- decrypt --- */

static EVP_PKEY *
public_key(struct fixture *f, const char *token, const char *key_id)
{
	const struct token_call call = { .op = TOKEN_OBJECTS, .token = token };
	EVP_PKEY *k = NULL;
	struct answer a;

	fixture_call(f, &call, FIXTURE_WAIT, &a);
	for (size_t i = 0; i < a.n_objects; i++) {
		const uint8_t *p = a.objects[i].data.p;

		if (a.objects[i].kind == TOKEN_KEY && strcmp(a.objects[i].key_id, key_id) == 0)
			k = d2i_PUBKEY(NULL, &p, (long)a.objects[i].data.n);
	}
	answer_fini(&a);
	assert_non_null(k);
	return k;
}

static struct uk_buf
encrypt(EVP_PKEY *k, int padding, const char *text)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k, NULL);
	struct uk_buf out;
	size_t n = 512;

	uk_buf_init(&out, 512);
	assert_true(
	    EVP_PKEY_encrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1);
	assert_int_equal(EVP_PKEY_encrypt(ctx, uk_buf_room(&out, 512), &n,
			     (const unsigned char *)text, strlen(text)),
	    1);
	uk_buf_add(&out, n);
	EVP_PKEY_CTX_free(ctx);
	return out;
}

static void
opens_what_is_encrypted_to_it(void **state)
{
	static const int paddings[] = { RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING };
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_DECRYPT, .key_id = "0a" };
	struct uk_buf secret;
	struct answer a;
	EVP_PKEY *k;
	char id[65];

	fixture_start(f);
	fixture_prepare(f, "rsa", id);
	elsewhere_decryption_keys(FIXTURE_PIN);
	k = public_key(f, id, "0a");
	call.token = id;
	for (size_t i = 0; i < 2; i++) {
		secret = encrypt(k, paddings[i], "a content key");
		call.scheme = i == 0 ? TOKEN_RSA_PKCS1 : TOKEN_RSA_OAEP_SHA1;
		call.data = uk_buf_span(&secret);
		fixture_call(f, &call, FIXTURE_WAIT, &a);
		assert_int_equal(a.rc, UK_OK);
		assert_true(uk_span_eq(uk_buf_span(&a.data), uk_span_str("a content key")));
		answer_fini(&a);
		secret.p[10] ^= 1;
		fixture_call(f, &call, FIXTURE_WAIT, &a);
		assert_int_equal(a.rc, UK_E_INTEGRITY);
		assert_int_equal(a.data.n, 0);
		answer_fini(&a);
		uk_buf_fini(&secret);
	}
	/* not what the key is for, and not what the module can */
	call.data = uk_span_str("0123456789abcdef");
	call.scheme = TOKEN_ECDH;
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_UNSUPPORTED);
	answer_fini(&a);
	call.scheme = TOKEN_SM2;
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_UNSUPPORTED);
	answer_fini(&a);
	EVP_PKEY_free(k);
}

static void
agrees_on_a_secret(void **state)
{
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_DECRYPT, .key_id = "0b", .scheme = TOKEN_ECDH };
	EVP_PKEY *mine = EVP_EC_gen("P-256"), *theirs;
	uint8_t point[65], secret[32];
	size_t n_point = 0, n = sizeof(secret);
	EVP_PKEY_CTX *ctx;
	struct answer a;
	char id[65];

	fixture_start(f);
	fixture_prepare(f, "ec", id);
	elsewhere_decryption_keys(FIXTURE_PIN);
	theirs = public_key(f, id, "0b");
	assert_int_equal(EVP_PKEY_get_octet_string_param(
			     mine, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n_point),
	    1);
	ctx = EVP_PKEY_CTX_new(mine, NULL);
	assert_true(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
		    EVP_PKEY_derive(ctx, secret, &n) == 1);
	call.token = id;
	call.data = uk_span(point, n_point);
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&a.data), uk_span(secret, n)));
	answer_fini(&a);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(mine);
	EVP_PKEY_free(theirs);
}

static void
no_enveloped_keys_here(void **state)
{
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_PUT_KEY, .key_id = "0a", .data = uk_span_str("0") };
	struct answer a;
	char id[65];

	fixture_start(f);
	fixture_prepare(f, "p11", id);
	call.token = id;
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_UNSUPPORTED);
	answer_fini(&a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(changes_the_users_pin),
		T(refuses_a_change_by_the_wrong_pin),
		T(changes_the_so_pin),
		T(a_token_that_dislikes_the_new_pin),
		T(tells_of_a_first_pin_and_of_lengths),
		T(unblocks),
		T(tries_the_older_so_pin),
		T(spends_two_so_tries_at_most),
		T(keeps_the_last_so_try),
		T(refuses_before_it_spends),
		T(faults_in_the_middle),
		T(opens_what_is_encrypted_to_it),
		T(agrees_on_a_secret),
		T(no_enveloped_keys_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
