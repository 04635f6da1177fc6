/* What leaves and enters the process: frames, log-in bytes, log lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "uk/frame.h"
#include "uk/log.h"
#include "uk/login.h"
#include "uk/receipt.h"

static void
feed(struct uk_frames *f, const uint8_t *p, size_t n)
{
	uint8_t *room = uk_frames_room(f, n);

	assert_non_null(room);
	memcpy(room, p, n);
	uk_frames_add(f, n);
}

/* Take out whatever is whole and append "<body>" to seen. */
static void
drain(struct uk_frames *f, struct uk_buf *seen)
{
	struct uk_span body;

	for (;;) {
		assert_int_equal(uk_frames_next(f, &body), UK_OK);
		if (body.p == NULL)
			return;
		uk_buf_put_u8(seen, '<');
		uk_buf_put(seen, body);
		uk_buf_put_u8(seen, '>');
		uk_frames_done(f, body);
	}
}

static void
frames_split_at_every_byte(void **state)
{
	static const char *const bodies[] = { "first", "", "the third one" };
	struct uk_buf wire, seen;
	struct uk_frames f;

	(void)state;
	uk_buf_init(&wire, 256);
	for (size_t i = 0; i < 3; i++)
		uk_frame_put(&wire, uk_span_str(bodies[i]));
	for (size_t a = 0; a <= wire.n; a++)
		for (size_t b = a; b <= wire.n; b++) {
			uk_frames_init(&f, 13);
			uk_buf_init(&seen, 256);
			feed(&f, wire.p, a);
			drain(&f, &seen);
			feed(&f, wire.p + a, b - a);
			drain(&f, &seen);
			feed(&f, wire.p + b, wire.n - b);
			drain(&f, &seen);
			assert_string_equal(uk_buf_str(&seen), "<first><><the third one>");
			uk_buf_fini(&seen);
			uk_frames_fini(&f);
		}
	uk_buf_fini(&wire);
}

static void
frames_refuse_what_is_too_long(void **state)
{
	struct uk_frames f;
	struct uk_span body;
	uint32_t n = 13;

	(void)state;
	uk_frames_init(&f, 12);
	feed(&f, (const uint8_t *)&n, 3);
	assert_int_equal(uk_frames_next(&f, &body), UK_OK);
	assert_null(body.p);
	feed(&f, (const uint8_t *)&n + 3, 1);
	assert_int_equal(uk_frames_next(&f, &body), UK_E_LIMIT);
	assert_null(body.p);
	uk_frames_fini(&f);
	n = UINT32_MAX;
	feed(&f, (const uint8_t *)&n, 4);
	assert_int_equal(uk_frames_next(&f, &body), UK_E_LIMIT);
	assert_null(uk_frames_room(&f, 64)); /* the reader can't be made to hoard */
	uk_frames_fini(&f);
}

static void
frames_out_are_bounded(void **state)
{
	struct uk_buf out;

	(void)state;
	uk_buf_init(&out, 8);
	uk_frame_put(&out, uk_span_str("12345"));
	assert_true(uk_buf_failed(&out));
	uk_buf_fini(&out);
	uk_frame_put(&out, uk_span_str("1234"));
	assert_false(uk_buf_failed(&out));
	assert_int_equal(out.n, 8);
	uk_buf_fini(&out);
	uk_frame_put(&out, uk_span("", (size_t)UINT32_MAX + 1));
	assert_true(uk_buf_failed(&out));
	uk_buf_fini(&out);
}

/* The very bytes: a change of them breaks every log-in between releases. */
static void
login_bytes(void **state)
{
	static const char want[] = "ukey-login-1\0"
				   "\0\0\0\x12https://ca.example"
				   "\0\0\0\x0aukey-staff"
				   "\0\0\0\x10"
				   "0123456789abcdef"
				   "\0\0\0\x08\0\0\0\x01\x02\x03\x04\x05";
	const struct uk_login l = { "https://ca.example", "ukey-staff", "0123456789abcdef",
		0x0102030405 };
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 256);
	uk_login_put(&b, &l);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_span(want, sizeof(want) - 1)));
	assert_true(uk_login_begins(uk_buf_span(&b)));
	uk_buf_fini(&b);
}

static void
receipt_bytes(void **state)
{
	static const char want[] = "ukey-unlock-1\0"
				   "\0\0\0\x12https://ca.example"
				   "\0\0\0\x03UK1"
				   "\0\0\0\x02j1"
				   "\0\0\0\x10"
				   "0123456789abcdef";
	const struct uk_receipt r = { "https://ca.example", "UK1", "j1", "0123456789abcdef" };
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 256);
	uk_receipt_put(&b, &r);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_span(want, sizeof(want) - 1)));
	assert_true(uk_receipt_begins(uk_buf_span(&b)));
	assert_false(uk_login_begins(uk_buf_span(&b)));
	uk_buf_fini(&b);
	assert_true(uk_receipt_begins(uk_span_str("ukey-unlock-1")));
	assert_false(uk_receipt_begins(uk_span_str("ukey-unlock-")));
}

static void
login_fields_do_not_run_together(void **state)
{
	const struct uk_login a = { "https://a", "bc", "d", 1 };
	const struct uk_login b = { "https://ab", "c", "d", 1 };
	struct uk_buf x, y;

	(void)state;
	uk_buf_init(&x, 256);
	uk_buf_init(&y, 256);
	uk_login_put(&x, &a);
	uk_login_put(&y, &b);
	assert_int_equal(x.n, y.n);
	assert_false(uk_span_eq(uk_buf_span(&x), uk_buf_span(&y)));
	uk_buf_fini(&x);
	uk_buf_fini(&y);
	assert_true(uk_login_begins(uk_span_str("ukey-login-1")));
	assert_true(uk_login_begins(uk_span_str("ukey-login-12")));
	assert_false(uk_login_begins(uk_span_str("ukey-login-")));
	assert_false(uk_login_begins(uk_span_str(" ukey-login-1")));
	assert_false(uk_login_begins(uk_span(NULL, 0)));
}

struct line {
	struct uk_log log;
	char *text;
	size_t n;
};

static void
line_open(struct line *l)
{
	uk_log_init(&l->log, "test");
	l->log.journal = true; /* no time in the line */
	l->log.out = open_memstream(&l->text, &l->n);
	assert_non_null(l->log.out);
}

static void
line_is(struct line *l, const char *want)
{
	assert_int_equal(fclose(l->log.out), 0);
	assert_string_equal(l->text, want);
	free(l->text);
}

struct escape {
	const char *value;
	const char *want;
};

static void
log_escapes_what_peers_say(void **state)
{
	static const struct escape rows[] = {
		{ "plain-1.2:x", "<6>e k=plain-1.2:x\n" },
		{ "", "<6>e k=\"\"\n" },
		{ NULL, "<6>e k=\"\"\n" },
		{ "two words", "<6>e k=\"two words\"\n" },
		{ "a=b", "<6>e k=\"a=b\"\n" },
		{ "say \"hi\" \\", "<6>e k=\"say \\\"hi\\\" \\\\\"\n" },
		{ "x\nfake event=1", "<6>e k=\"x\\x0afake event=1\"\n" },
		{ "\x1b[2J\x7f\t", "<6>e k=\"\\x1b[2J\\x7f\\x09\"\n" },
		{ "\xe4\xb8\xad\xe6\x96\x87", "<6>e k=\"\xe4\xb8\xad\xe6\x96\x87\"\n" },
		{ "\xc2\x9b", "<6>e k=\"\\xc2\\x9b\"\n" },
		{ "\xe4\xb8", "<6>e k=\"\\xe4\\xb8\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct line l;

		line_open(&l);
		uk_log(&l.log, UK_LOG_INFO, "e", UK_LS("k", rows[i].value));
		line_is(&l, rows[i].want);
	}
}

static void
log_cuts_at_a_whole_character(void **state)
{
	char value[600], want[700];
	struct line l;

	(void)state;
	memset(value, 'a', 511);
	(void)snprintf(value + 511, sizeof(value) - 511, "%sb", "\xe4\xb8\xad");
	line_open(&l);
	uk_log(&l.log, UK_LOG_INFO, "e", UK_LS("k", value));
	(void)snprintf(want, sizeof(want), "<6>e k=\"%.511s...\"\n", value);
	line_is(&l, want);
}

static void
log_levels_and_errors(void **state)
{
	struct uk_err err = { 0 };
	struct line l;

	(void)state;
	line_open(&l);
	assert_int_equal(uk_log_set_level(&l.log, "warn"), UK_OK);
	assert_int_equal(uk_log_set_level(&l.log, "loud"), UK_E_INPUT);
	uk_log(&l.log, UK_LOG_INFO, "quiet", UK_LI("n", 1));
	(void)uk_fail(&err, UK_E_DENIED, "ticket-expired", "open", -3);
	uk_log_err(&l.log, UK_LOG_WARN, "failed", &err);
	uk_log_plain(&l.log, UK_LOG_ERROR, "stop");
	uk_log_plain(NULL, UK_LOG_ERROR, "nobody listens");
	line_is(&l,
	    "<4>failed rc=denied reason=ticket-expired field=\"\" where=open native=-3\n<3>stop\n");
}

static void
log_has_the_time_outside_the_journal(void **state)
{
	struct line l;

	(void)state;
	line_open(&l);
	l.log.journal = false;
	uk_log(&l.log, UK_LOG_ERROR, "e", UK_LI("n", -1));
	assert_int_equal(fclose(l.log.out), 0);
	assert_int_equal(l.text[4], '-');
	assert_int_equal(l.text[19], 'Z');
	assert_string_equal(l.text + 20, " test error e n=-1\n");
	free(l.text);
}

static void
log_line_is_bounded(void **state)
{
	struct uk_pair pairs[16];
	char value[500];
	struct line l;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (size_t i = 0; i < 16; i++)
		pairs[i] = UK_LS("k", value);
	line_open(&l);
	uk_log_pairs(&l.log, UK_LOG_INFO, "e", pairs, 16);
	assert_int_equal(fclose(l.log.out), 0);
	assert_in_range(l.n, 3000, 4200);
	assert_int_equal(l.text[l.n - 1], '\n');
	free(l.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_split_at_every_byte),
		cmocka_unit_test(frames_refuse_what_is_too_long),
		cmocka_unit_test(frames_out_are_bounded),
		cmocka_unit_test(login_bytes),
		cmocka_unit_test(receipt_bytes),
		cmocka_unit_test(login_fields_do_not_run_together),
		cmocka_unit_test(log_escapes_what_peers_say),
		cmocka_unit_test(log_cuts_at_a_whole_character),
		cmocka_unit_test(log_levels_and_errors),
		cmocka_unit_test(log_has_the_time_outside_the_journal),
		cmocka_unit_test(log_line_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
