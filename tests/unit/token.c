/* The token client against real SoftHSM2 tokens, through the real ukey-token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "token_fixture.h"

#define B(a)                                                                                       \
	{                                                                                          \
		(const uint8_t *)(a), sizeof(a) - 1                                                \
	}

static void
prepares_a_blank_token(void **state)
{
	struct fixture *f = *state;
	char id[65];
	size_t n;
	const struct token_info *t;

	fixture_start(f);
	assert_true(fixture_event(f, TOKEN_INSERTED, ""));
	fixture_prepare(f, "张三", id);
	assert_true(fixture_event(f, TOKEN_INSERTED, "张三"));
	assert_true(fixture_event(f, TOKEN_REMOVED, ""));
	t = token_known(f->client, &n);
	for (; n != 0 && strcmp(t->id, id) != 0; n--)
		t++;
	assert_int_not_equal(n, 0);
	assert_string_equal(t->id, id);
	assert_string_equal(t->serial, id);
	assert_int_equal(t->state, TOKEN_READY);
	assert_true(t->logged_in);
	assert_int_equal(t->algs,
	    1u << UK_KEY_RSA_2048 | 1u << UK_KEY_RSA_3072 | 1u << UK_KEY_P256 | 1u << UK_KEY_P384);
}

static void
never_prepares_a_token_twice(void **state)
{
	struct fixture *f = *state;
	struct uk_secret *pin = uk_secret_new(uk_span_str(FIXTURE_SO_PIN));
	struct token_call call = {
		.op = TOKEN_PREPARE, .label = "again", .pin = pin, .so_pin = pin
	};
	struct answer a;
	char id[65], key[65];

	fixture_start(f);
	fixture_prepare(f, "once", id);
	fixture_keygen(f, id, UK_KEY_P256, key, NULL);
	call.token = id;
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_CONFLICT);
	assert_string_equal(a.reason, "token-not-blank");
	answer_fini(&a);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
	uk_secret_free(&pin);
}

static void
refuses_to_prepare_with_unfit_values(void **state)
{
	struct fixture *f = *state;
	struct uk_secret *good = uk_secret_new(uk_span_str("12345678"));
	struct uk_secret *small = uk_secret_new(uk_span_str("123"));
	struct token_call call = { .op = TOKEN_PREPARE, .label = "x", .so_pin = good };
	struct answer a;

	fixture_start(f);
	call.token = fixture_token(f, TOKEN_BLANK);
	call.pin = small;
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_INPUT);
	assert_string_equal(a.reason, "pin-length");
	answer_fini(&a);
	call.pin = good;
	call.label = "a label of more than thirty-two bytes";
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_INPUT);
	assert_string_equal(a.reason, "label-length");
	answer_fini(&a);
	assert_non_null(fixture_token(f, TOKEN_BLANK)); /* still blank */
	assert_null(fixture_token(f, TOKEN_READY));
	uk_secret_free(&good);
	uk_secret_free(&small);
}

static void
logs_in_with_the_right_pin_only(void **state)
{
	struct fixture *f = *state;
	struct uk_secret *pin = uk_secret_new(uk_span_str("000000"));
	struct uk_secret *small = uk_secret_new(uk_span_str("123"));
	struct token_call call = { .op = TOKEN_LOGIN };
	struct token_call out = { .op = TOKEN_LOGOUT };
	char id[65], key[65];
	struct answer a;

	fixture_start(f);
	fixture_prepare(f, "pin", id);
	fixture_keygen(f, id, UK_KEY_P256, key, NULL);
	call.token = out.token = id;
	fixture_call(f, &out, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	answer_fini(&a);
	assert_int_equal(fixture_sign(f, id, key), UK_E_UNAUTHORIZED);

	/* It can't be right, and costs no try. */
	call.pin = small;
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_PIN_WRONG);
	assert_string_equal(a.reason, "pin-length");
	assert_int_equal(a.tries, TOKEN_TRIES_UNKNOWN);
	answer_fini(&a);
	call.pin = pin;
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_PIN_WRONG);
	assert_int_equal(a.tries, TOKEN_TRIES_LOW);
	answer_fini(&a);
	assert_int_equal(fixture_sign(f, id, key), UK_E_UNAUTHORIZED);

	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	assert_int_equal(fixture_sign(f, id, key), UK_OK); /* the handle is found again */

	/* A log-in proves the PIN even where one was logged in already. */
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_PIN_WRONG);
	answer_fini(&a);
	assert_int_equal(fixture_sign(f, id, key), UK_E_UNAUTHORIZED);
	uk_secret_free(&pin);
	uk_secret_free(&small);
}

static void
sign_and_verify(struct fixture *f, const char *token, enum uk_keyalg alg)
{
	static const struct uk_span data = B("what is to be signed");
	struct token_call call = { .op = TOKEN_SIGN, .token = token };
	struct uk_buf spki, digest;
	struct uk_pubkey *k = NULL;
	struct answer a;
	char key[65];

	uk_buf_init(&spki, 2048);
	uk_buf_init(&digest, 64);
	fixture_keygen(f, token, alg, key, &spki);
	assert_int_equal(uk_pubkey_from_spki(uk_buf_span(&spki), &k, NULL), UK_OK);
	assert_int_equal(uk_pubkey_alg(k), alg);
	assert_int_equal(uk_digest(k, data, &digest), UK_OK);
	call.key_id = key;
	call.data = uk_buf_span(&digest);
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	assert_int_equal(uk_verify(k, data, uk_buf_span(&a.data), NULL), UK_OK);
	answer_fini(&a);

	/* a digest of the other length */
	digest.n = digest.n == 32 ? 48 : 32;
	uk_buf_put(&digest, uk_span_str("0123456789abcdef"));
	call.data = uk_span(digest.p, uk_keyalg_digest_len(alg) == 32 ? 48 : 32);
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_INPUT);
	assert_string_equal(a.reason, "digest-length");
	answer_fini(&a);
	uk_pubkey_free(&k);
	uk_buf_fini(&spki);
	uk_buf_fini(&digest);
}

/* [H6] */
static void
makes_and_uses_each_kind_of_key(void **state)
{
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_KEYGEN, .alg = UK_KEY_RSA_4096 };
	struct token_call objects = { .op = TOKEN_OBJECTS };
	struct answer a;
	char id[65];

	fixture_start(f);
	fixture_prepare(f, "keys", id);
	call.token = objects.token = id;
	sign_and_verify(f, id, UK_KEY_P256);
	sign_and_verify(f, id, UK_KEY_P384);
	sign_and_verify(f, id, UK_KEY_RSA_2048);
	sign_and_verify(f, id, UK_KEY_RSA_3072);
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_E_UNSUPPORTED);
	answer_fini(&a);
	fixture_call(f, &objects, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	assert_int_equal(a.n_objects, 4);
	for (size_t i = 0; i < a.n_objects; i++) {
		assert_int_equal(a.objects[i].kind, TOKEN_KEY);
		assert_string_equal(a.objects[i].label, "签名");
	}
	answer_fini(&a);
	assert_true(elsewhere_is_sealed(FIXTURE_PIN));
}

static void
make_cert(struct uk_buf *out)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	unsigned char *der = NULL;
	X509 *x = X509_new();
	int n;

	assert_true(X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 0x1234) &&
		    X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
		    X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL &&
		    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
			(const unsigned char *)"张三", -1, -1, 0) &&
		    X509_set_issuer_name(x, X509_get_subject_name(x)) && X509_set_pubkey(x, k) &&
		    X509_sign(x, k, EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	assert_true(n > 0);
	uk_buf_init(out, 4096);
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	X509_free(x);
	EVP_PKEY_free(k);
}

static void
expect(struct fixture *f, const struct token_call *call, enum uk_rc rc, const char *reason)
{
	struct answer a;

	fixture_call(f, call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, rc);
	assert_string_equal(a.reason, reason);
	answer_fini(&a);
}

/* Certificate and key; a repeated put changes nothing. */
static void
certificate_is_put_once(struct fixture *f, const char *token, const char *key, struct uk_span der)
{
	struct token_call put = {
		.op = TOKEN_PUT_CERT, .token = token, .key_id = key, .label = "证书", .data = der
	};
	struct token_call list = { .op = TOKEN_OBJECTS, .token = token };
	struct answer a;

	expect(f, &put, UK_OK, "");
	expect(f, &put, UK_OK, "");
	fixture_call(f, &list, FIXTURE_WAIT, &a);
	assert_int_equal(a.n_objects, 2);
	assert_int_equal(a.objects[0].kind, TOKEN_CERT);
	assert_string_equal(a.objects[0].key_id, key);
	assert_string_equal(a.objects[0].label, "证书");
	assert_int_equal(a.objects[0].alg, UK_KEY_P256);
	assert_true(a.objects[0].has_key);
	assert_true(uk_span_eq(a.objects[0].data, der));
	answer_fini(&a);
}

static void
puts_lists_and_deletes_a_certificate(void **state)
{
	struct fixture *f = *state;
	struct token_call bad = { .op = TOKEN_PUT_CERT, .data = B("\x30\x03\x02\x01\x01") };
	struct token_call del = { .op = TOKEN_DELETE, .kind = TOKEN_CERT };
	struct token_call out = { .op = TOKEN_LOGOUT };
	struct token_call list = { .op = TOKEN_OBJECTS };
	struct uk_buf der;
	char id[65], key[65];
	struct answer a;

	fixture_start(f);
	fixture_prepare(f, "certs", id);
	fixture_keygen(f, id, UK_KEY_P256, key, NULL);
	make_cert(&der);
	bad.token = del.token = out.token = list.token = id;
	del.data = uk_buf_span(&der);
	certificate_is_put_once(f, id, key, uk_buf_span(&der));
	expect(f, &bad, UK_E_INPUT, "certificate-malformed");

	/* Visible before log-in, not to be deleted before it. */
	expect(f, &out, UK_OK, "");
	fixture_call(f, &list, FIXTURE_WAIT, &a);
	assert_int_equal(a.n_objects, 2);
	assert_true(a.objects[0].has_key);
	answer_fini(&a);
	expect(f, &del, UK_E_UNAUTHORIZED, "not-logged-in");
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_OK);
	expect(f, &del, UK_OK, "");
	expect(f, &del, UK_E_NOT_FOUND, "certificate-not-found");
	uk_buf_fini(&der);
}

static void
deletes_a_key_pair(void **state)
{
	struct fixture *f = *state;
	struct token_call del = { .op = TOKEN_DELETE, .kind = TOKEN_KEY };
	struct token_call unnamed = { .op = TOKEN_DELETE, .kind = TOKEN_KEY };
	char id[65], key[65];

	fixture_start(f);
	fixture_prepare(f, "key", id);
	fixture_keygen(f, id, UK_KEY_P256, key, NULL);
	assert_int_equal(fixture_sign(f, id, key), UK_OK);
	del.token = unnamed.token = id;
	del.key_id = key;
	expect(f, &unnamed, UK_E_INPUT, "invalid-input");
	expect(f, &del, UK_OK, "");
	expect(f, &del, UK_E_NOT_FOUND, "key-not-found");
	assert_int_equal(fixture_sign(f, id, key), UK_E_NOT_FOUND);
}

static void
sees_a_token_that_another_process_makes(void **state)
{
	struct fixture *f = *state;

	fixture_start(f);
	elsewhere_init_token("from afar");
	assert_true(fixture_event(f, TOKEN_INSERTED, "from afar"));
	assert_int_equal(fixture_login(f, fixture_token(f, TOKEN_READY), FIXTURE_PIN), UK_OK);
}

/* SoftHSM alone would go on taking the old PIN. */
static void
takes_the_pin_that_another_process_set(void **state)
{
	struct fixture *f = *state;
	struct token_call out = { .op = TOKEN_LOGOUT };
	char id[65];

	fixture_start(f);
	fixture_prepare(f, "pin", id);
	out.token = id;
	expect(f, &out, UK_OK, "");
	elsewhere_set_pin(FIXTURE_PIN, "135791");
	assert_int_equal(fixture_login(f, id, FIXTURE_PIN), UK_E_PIN_WRONG);
	assert_int_equal(fixture_login(f, id, "135791"), UK_OK);
}

static void
serves_two_tokens(void **state)
{
	struct fixture *f = *state;
	struct token_call out = { .op = TOKEN_LOGOUT };
	char id[2][65], key[2][65];

	fixture_start(f);
	fixture_prepare(f, "one", id[0]);
	fixture_prepare(f, "two", id[1]);
	assert_string_not_equal(id[0], id[1]);
	fixture_keygen(f, id[0], UK_KEY_P256, key[0], NULL);
	fixture_keygen(f, id[1], UK_KEY_P256, key[1], NULL);
	assert_int_equal(fixture_sign(f, id[0], key[0]), UK_OK);
	assert_int_equal(fixture_sign(f, id[1], key[1]), UK_OK);
	assert_int_equal(fixture_sign(f, id[0], key[1]), UK_E_NOT_FOUND);
	out.token = id[0];
	expect(f, &out, UK_OK, "");
	assert_int_equal(fixture_sign(f, id[0], key[0]), UK_E_UNAUTHORIZED);
	assert_int_equal(fixture_sign(f, id[1], key[1]), UK_OK);
	assert_true(fixture_event(f, TOKEN_CHANGED, "one"));
}

static void
answers_many_calls_in_order(void **state)
{
	static const uint8_t digest[32] = { 1 };
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_SIGN, .data = { digest, sizeof(digest) } };
	struct answer *a = uk_xalloc(64 * sizeof(*a));
	char id[65], key[65];

	fixture_start(f);
	fixture_prepare(f, "many", id);
	fixture_keygen(f, id, UK_KEY_P256, key, NULL);
	call.token = id;
	call.key_id = key;
	for (size_t i = 0; i < 64; i++)
		(void)fixture_send(f, &call, FIXTURE_WAIT, &a[i]);
	fixture_wait(f, &a[63]);
	for (size_t i = 0; i < 64; i++) {
		assert_true(a[i].done);
		assert_int_equal(a[i].rc, UK_OK);
		answer_fini(&a[i]);
	}
	free(a);
}

static void
refuses_unknown_names_later_not_at_once(void **state)
{
	struct fixture *f = *state;
	struct token_call call = { .op = TOKEN_LOGOUT, .token = "nobody's" };
	struct token_call sign = { .op = TOKEN_SIGN, .key_id = "no hex", .data = B("x") };
	char id[65];

	fixture_start(f);
	expect(f, &call, UK_E_NOT_FOUND, "token-not-found");
	call.token = NULL;
	expect(f, &call, UK_E_NOT_FOUND, "token-not-found");
	call.token = fixture_token(f, TOKEN_BLANK);
	call.op = TOKEN_OBJECTS;
	expect(f, &call, UK_E_CONFLICT, "token-blank");
	fixture_prepare(f, "x", id);
	sign.token = id;
	expect(f, &sign, UK_E_INPUT, "invalid-input");
	call.op = TOKEN_OP__MAX;
	assert_null(token_call(f->client, &call, 1, NULL, NULL));
}

static void
drops_the_answer_nobody_waits_for(void **state)
{
	struct fixture *f = *state;
	struct token_call list = { .op = TOKEN_LIST };
	struct token_request *r;
	struct answer dropped, later;

	fixture_start(f);
	r = fixture_send(f, &list, FIXTURE_WAIT, &dropped);
	token_drop(&r);
	assert_null(r);
	fixture_call(f, &list, FIXTURE_WAIT, &later);
	assert_false(dropped.done);
	answer_fini(&later);
}

static void
answers_when_it_is_freed(void **state)
{
	struct fixture *f = *state;
	struct token_call list = { .op = TOKEN_LIST };
	struct answer a;

	fixture_start(f);
	(void)fixture_send(f, &list, FIXTURE_WAIT, &a);
	token_client_free(&f->client);
	assert_true(a.done);
	assert_int_equal(a.rc, UK_E_UNAVAILABLE);
	answer_fini(&a);
}

#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(prepares_a_blank_token),
		T(never_prepares_a_token_twice),
		T(refuses_to_prepare_with_unfit_values),
		T(logs_in_with_the_right_pin_only),
		T(makes_and_uses_each_kind_of_key),
		T(puts_lists_and_deletes_a_certificate),
		T(deletes_a_key_pair),
		T(sees_a_token_that_another_process_makes),
		T(takes_the_pin_that_another_process_set),
		T(serves_two_tokens),
		T(answers_many_calls_in_order),
		T(refuses_unknown_names_later_not_at_once),
		T(drops_the_answer_nobody_waits_for),
		T(answers_when_it_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
