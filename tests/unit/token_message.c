/* The messages between ukeyd and ukey-token, as functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "token/message.h"
#include "token/text.h"

static struct message
sign_call(void)
{
	static const uint8_t digest[32] = { 7 };

	return (struct message){ .id = 258,
		.kind = TOKEN_SIGN,
		.token = "1a2b",
		.key_id = "00ff",
		.data = { digest, sizeof(digest) } };
}

static void
put(struct uk_buf *b, const struct message *m)
{
	uk_buf_init(b, MESSAGE_MAX);
	assert_int_equal(message_put(b, m), UK_OK);
}

static void
reads_what_it_writes(void **state)
{
	const struct message m = sign_call();
	struct message got;
	struct uk_buf b;

	(void)state;
	put(&b, &m);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	assert_int_equal(got.id, 258);
	assert_int_equal(got.kind, TOKEN_SIGN);
	assert_string_equal(got.token, "1a2b");
	assert_string_equal(got.key_id, "00ff");
	assert_true(uk_span_eq(got.data, m.data));
	assert_null(got.label);
	uk_buf_fini(&b);
}

static void
optional_fields_may_be_absent(void **state)
{
	struct message m = { .kind = TOKEN_KEYGEN, .token = "t", .alg = UK_KEY_P256 };
	struct message got;
	struct uk_buf b;

	(void)state;
	put(&b, &m);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	assert_null(got.label);
	uk_buf_fini(&b);
	m.label = "";
	put(&b, &m);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	assert_string_equal(got.label, "");
	uk_buf_fini(&b);
}

static void
unblock_keeps_its_pins_apart(void **state)
{
	const struct message m = { .kind = TOKEN_UNBLOCK,
		.token = "t",
		.so_pin = uk_span_str("one"),
		.so_pin_next = uk_span_str("three"),
		.new_pin = uk_span_str("user") };
	const struct message reply = { .kind = MESSAGE_REPLY + TOKEN_UNBLOCK,
		.so_now = TOKEN_SO_OLD };
	struct message got;
	struct uk_buf b;

	(void)state;
	put(&b, &m);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	assert_true(uk_span_eq(got.so_pin, m.so_pin));
	assert_null(got.so_pin_old.p);
	assert_true(uk_span_eq(got.so_pin_next, m.so_pin_next));
	assert_true(uk_span_eq(got.new_pin, m.new_pin));
	uk_buf_fini(&b);
	put(&b, &reply);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	assert_int_equal(got.so_now, TOKEN_SO_OLD);
	uk_buf_fini(&b);
}

static void
decrypt_carries_an_envelope(void **state)
{
	static const uint8_t iv[17] = { 1 };
	const struct message m = { .kind = TOKEN_DECRYPT,
		.token = "t",
		.key_id = "0102",
		.scheme = TOKEN_SM2_SM4_CBC,
		.data = uk_span_str("key"),
		.iv = { iv, 16 },
		.content = uk_span_str("sixteen bytes ..") };
	struct message bad = m;
	const struct message reply = { .kind = MESSAGE_REPLY + TOKEN_DECRYPT };
	struct message got;
	struct uk_buf b;

	(void)state;
	put(&b, &m);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	assert_int_equal(got.scheme, TOKEN_SM2_SM4_CBC);
	assert_true(uk_span_eq(got.iv, m.iv) && uk_span_eq(got.content, m.content));
	uk_buf_reset(&b);
	bad.iv = uk_span(iv, 17);
	assert_int_equal(message_put(&b, &bad), UK_E_INPUT);
	uk_buf_fini(&b);
	put(&b, &reply);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	assert_int_equal(got.content.n, 0);
	uk_buf_fini(&b);
}

static void
error_keeps_its_numbers(void **state)
{
	const struct message m = { .id = 1,
		.kind = MESSAGE_ERROR,
		.rc = UK_E_PIN_WRONG,
		.reason = REASON_SO_PIN_WRONG,
		.tries = TOKEN_TRIES_LOW,
		.so_now = TOKEN_SO_OLD,
		.native = 0x80000001u };
	struct message got;
	struct uk_buf b;

	(void)state;
	put(&b, &m);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	assert_int_equal(got.rc, UK_E_PIN_WRONG);
	assert_string_equal(message_reason_name(got.reason), "so-pin-wrong");
	assert_int_equal(got.so_now, TOKEN_SO_OLD);
	assert_int_equal(got.tries, TOKEN_TRIES_LOW);
	assert_true(got.native == 0x80000001u);
	uk_buf_fini(&b);
}

static void
refuses_to_write_what_it_would_not_read(void **state)
{
	struct message m = sign_call();
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, MESSAGE_MAX);
	m.key_id = "0F";
	assert_int_equal(message_put(&b, &m), UK_E_INPUT);
	m.key_id = "123";
	assert_int_equal(message_put(&b, &m), UK_E_INPUT);
	m = sign_call();
	m.token = NULL;
	assert_int_equal(message_put(&b, &m), UK_E_INPUT);
	m.token = "line\nbreak";
	assert_int_equal(message_put(&b, &m), UK_E_INPUT);
	m = sign_call();
	m.data.n = 0;
	assert_int_equal(message_put(&b, &m), UK_E_INPUT);
	m.kind = MESSAGE__MAX;
	assert_int_equal(message_put(&b, &m), UK_E_INPUT);
	uk_buf_fini(&b);
	uk_buf_init(&b, 16);
	m = sign_call();
	assert_int_equal(message_put(&b, &m), UK_E_LIMIT);
	uk_buf_fini(&b);
}

/* Every shorter message, and every one with a changed byte, reads or is refused; none crashes. */
static void
refuses_cut_and_spoilt_messages(void **state)
{
	const struct message m = sign_call();
	struct message got;
	struct uk_buf b;

	(void)state;
	put(&b, &m);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(message_read(uk_span(b.p, n), &got), UK_E_INPUT);
	for (size_t i = 0; i < b.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			b.p[i] ^= (uint8_t)(1u << bit);
			if (message_read(uk_buf_span(&b), &got) == UK_OK)
				assert_true(got.kind < MESSAGE__MAX);
			b.p[i] ^= (uint8_t)(1u << bit);
		}
	uk_buf_fini(&b);
}

static void
refuses_duplicate_unknown_and_trailing(void **state)
{
	/* id 1, "login": token "t" (tag 0), pin "1" (tag 5) */
	static const uint8_t head[] = { 0, 0, 0, 1, TOKEN_LOGIN };
	static const uint8_t token[] = { 0, 0, 0, 0, 2, 't', 0 };
	static const uint8_t pin[] = { 5, 0, 0, 0, 1, '1' };
	static const uint8_t label[] = { 2, 0, 0, 0, 2, 'l', 0 };
	static const uint8_t unknown[] = { 200, 0, 0, 0, 0 };
	static const uint8_t no_nul[] = { 0, 0, 0, 0, 2, 't', 't' };
	static const uint8_t nul_inside[] = { 0, 0, 0, 0, 3, 't', 0, 0 };
	static const uint8_t too_long[] = { 5, 0xff, 0xff, 0xff, 0xff, '1' };
#define P(a)                                                                                       \
	{                                                                                          \
		(a), sizeof(a)                                                                     \
	}
	static const struct {
		struct uk_span parts[4];
		enum uk_rc want;
	} cases[] = {
		{ { P(head), P(token), P(pin) }, UK_OK },
		{ { P(head), P(pin), P(token) }, UK_OK },
		{ { P(head), P(token) }, UK_E_INPUT },
		{ { P(head), P(token), P(pin), P(pin) }, UK_E_INPUT },
		{ { P(head), P(token), P(pin), P(label) }, UK_E_INPUT },
		{ { P(head), P(token), P(pin), P(unknown) }, UK_E_INPUT },
		{ { P(head), P(token), P(pin), { token, 1 } }, UK_E_INPUT },
		{ { P(head), P(no_nul), P(pin) }, UK_E_INPUT },
		{ { P(head), P(nul_inside), P(pin) }, UK_E_INPUT },
		{ { P(head), P(token), P(too_long) }, UK_E_INPUT },
	};
#undef P

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message got;
		struct uk_buf b;

		uk_buf_init(&b, 256);
		for (size_t k = 0; k < 4; k++)
			uk_buf_put(&b, cases[i].parts[k]);
		assert_int_equal(message_read(uk_buf_span(&b), &got), cases[i].want);
		uk_buf_fini(&b);
	}
}

static void
records_are_bounded_and_whole(void **state)
{
	struct token_info t = { .id = "s1", .label = "标签", .tries = 1, .algs = 2 };
	struct message m = { .kind = MESSAGE_TOKENS, .version = MESSAGE_VERSION };
	struct uk_buf records, b;
	struct uk_span rest;
	struct message got;

	(void)state;
	uk_buf_init(&records, MESSAGE_MAX);
	for (unsigned i = 0; i < MESSAGE_TOKENS_MAX; i++)
		assert_int_equal(message_put_token(&records, &t), UK_OK);
	m.tokens = uk_buf_span(&records);
	put(&b, &m);
	assert_int_equal(message_read(uk_buf_span(&b), &got), UK_OK);
	rest = got.tokens;
	memset(&t, 0, sizeof(t));
	assert_true(message_next_token(&rest, &t));
	assert_string_equal(t.label, "标签");
	assert_int_equal(t.tries, 1);
	uk_buf_reset(&b);

	m.tokens.n--; /* cut */
	assert_int_equal(message_put(&b, &m), UK_E_INPUT);
	assert_int_equal(message_put_token(&records, &t), UK_OK);
	m.tokens = uk_buf_span(&records); /* one too many */
	uk_buf_reset(&b);
	assert_int_equal(message_put(&b, &m), UK_E_INPUT);
	t.label[0] = '\xff';
	assert_int_equal(message_put_token(&records, &t), UK_E_INPUT);
	uk_buf_fini(&records);
	uk_buf_fini(&b);
}

static void
every_name_is_there(void **state)
{
	(void)state;
	for (unsigned k = 0; k < MESSAGE__MAX; k++)
		assert_non_null(message_name((uint8_t)k));
	for (unsigned r = 1; r < REASON__MAX; r++)
		assert_non_null(message_reason_name((enum message_reason)r));
}

static void
text_is_clean(void **state)
{
	static const struct {
		const char *in;
		const char *out; /* with room for eight bytes */
	} cases[] = {
		{ "abc   ", "abc" }, { "a\nb", "a?b" }, { "\xc0\x80", "??" }, /* overlong */
		{ "\xed\xa0\x80", "???" },                                    /* a surrogate */
		{ "\xc2\x85", "??" },   /* a control character of two bytes */
		{ "证书证书", "证书" }, /* cut between characters */
		{ "1234567890", "1234567" }, { "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[8];

		text_copy(out, sizeof(out), uk_span_str(cases[i].in));
		assert_string_equal(out, cases[i].out);
		assert_true(text_ok(uk_span_str(out)));
	}
	assert_false(text_ok(uk_span_str("\xe8\xaf")));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(optional_fields_may_be_absent),
		cmocka_unit_test(unblock_keeps_its_pins_apart),
		cmocka_unit_test(decrypt_carries_an_envelope),
		cmocka_unit_test(error_keeps_its_numbers),
		cmocka_unit_test(refuses_to_write_what_it_would_not_read),
		cmocka_unit_test(refuses_cut_and_spoilt_messages),
		cmocka_unit_test(refuses_duplicate_unknown_and_trailing),
		cmocka_unit_test(records_are_bounded_and_whole),
		cmocka_unit_test(every_name_is_there),
		cmocka_unit_test(text_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
