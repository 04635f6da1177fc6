/* The small parts of the shared library: codes, bytes, secrets, text forms, time, randomness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "uk/b64.h"
#include "uk/clock.h"
#include "uk/hmac.h"
#include "uk/random.h"
#include "uk/secret.h"
#include "uk/utf8.h"

static void
rc_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < UK_RC__MAX; i++) {
		const enum uk_rc rc = (enum uk_rc)i;

		assert_true(strlen(uk_rc_name(rc)) > 1);
		assert_int_equal(uk_rc_from_name(uk_rc_name(rc)), rc);
		assert_in_range(uk_rc_http(rc), rc == UK_OK ? 200 : 400, rc == UK_OK ? 200 : 599);
	}
	assert_int_equal(uk_rc_from_name("no such"), UK_E_INTERNAL);
	assert_string_equal(uk_rc_name(UK_RC__MAX), "internal");
	assert_int_equal(uk_rc_http(UK_E_CONFLICT), 409);
	assert_true(uk_rc_retry(UK_E_TIMEOUT));
	assert_false(uk_rc_retry(UK_E_PIN_WRONG));
}

static void
rc_fail(void **state)
{
	struct uk_err err = { 0 };

	(void)state;
	assert_int_equal(uk_fail(&err, UK_E_LIMIT, NULL, "here", 7), UK_E_LIMIT);
	assert_string_equal(uk_err_reason(&err), "too-large");
	assert_string_equal(err.where, "here");
	assert_int_equal(err.native, 7);
	assert_int_equal(uk_fail_field(&err, "phone", "phone-invalid"), UK_E_INPUT);
	assert_string_equal(err.field, "phone");
	assert_string_equal(uk_err_reason(&err), "phone-invalid");
	assert_null(err.where);
	assert_int_equal(uk_fail(NULL, UK_E_RATE, NULL, NULL, 0), UK_E_RATE);
}

static void
buf_grows_to_its_bound(void **state)
{
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 100);
	for (unsigned i = 0; i < 100; i++)
		uk_buf_put_u8(&b, (uint8_t)i);
	assert_false(uk_buf_failed(&b));
	assert_int_equal(b.n, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(b.p[i], i);
	assert_non_null(uk_buf_str(&b)); /* the NUL is not counted */
	uk_buf_put_u8(&b, 1);
	assert_true(uk_buf_failed(&b));
	assert_int_equal(b.n, 100);
	assert_null(uk_buf_str(&b));
	assert_null(uk_buf_steal_str(&b));
	uk_buf_reset(&b);
	assert_false(uk_buf_failed(&b));
	uk_buf_put_str(&b, "again");
	assert_string_equal(uk_buf_str(&b), "again");
	uk_buf_fini(&b);
	uk_buf_fini(&b);
}

static long
locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kib = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmLck:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	(void)fclose(f);
	return kib;
}

/* Not where memory is scarce, nor under AddressSanitizer. */
static bool
can_lock(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const long before = locked_kib();
	void *p = mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const bool can = mlock(p, 64 * page) == 0 && locked_kib() > before;

	(void)munmap(p, 64 * page);
	return can;
}

/* Grown or emptied, what a secret passes through stays locked, and is let go at the end. */
static void
buf_can_be_locked(void **state)
{
	const long before = locked_kib();
	const bool can = can_lock();
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 100000);
	uk_buf_lock(&b);
	for (int i = 0; i < 20000; i++)
		uk_buf_put_u8(&b, (uint8_t)i);
	assert_false(uk_buf_failed(&b));
	assert_int_equal(b.p[19999], (uint8_t)19999);
	if (can)
		assert_true(locked_kib() >= before + 20);
	uk_buf_fini(&b);
	assert_int_equal(locked_kib(), before);
	uk_buf_put_str(&b, "again");
	assert_string_equal(uk_buf_str(&b), "again");
	uk_buf_fini(&b);
}

static void
buf_is_sticky(void **state)
{
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 4);
	uk_buf_put_str(&b, "12345");
	uk_buf_put_str(&b, "1"); /* would fit, but the writer's output has a hole already */
	assert_true(uk_buf_failed(&b));
	assert_int_equal(b.n, 0);
	assert_null(uk_buf_room(&b, 1));
	uk_buf_fini(&b);
	uk_buf_put(&b, uk_span(NULL, 0));
	assert_string_equal(uk_buf_str(&b), "");
	uk_buf_put(&b, uk_span("x", SIZE_MAX));
	assert_true(uk_buf_failed(&b));
	uk_buf_fini(&b);
}

static void
buf_numbers_and_text(void **state)
{
	static const uint8_t want[] = { 0x12, 0x12, 0x34, 0x12, 0x34, 0x56, 0x78, 'a', '7' };
	struct uk_buf b;
	char *s;

	(void)state;
	uk_buf_init(&b, 64);
	uk_buf_put_u8(&b, 0x12);
	uk_buf_put_u16(&b, 0x1234);
	uk_buf_put_u32(&b, 0x12345678);
	uk_buf_printf(&b, "%s%d", "a", 7);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_span(want, sizeof(want))));
	uk_buf_drop(&b, 7);
	s = uk_buf_steal_str(&b);
	assert_string_equal(s, "a7");
	assert_int_equal(b.n, 0);
	free(s);
	uk_buf_printf(&b, "%065d", 1);
	assert_true(uk_buf_failed(&b));
	uk_buf_fini(&b);
	uk_buf_printf(&b, "%064d", 1);
	assert_int_equal(strlen(uk_buf_str(&b)), 64);
	uk_buf_drop(&b, 0);
	uk_buf_drop(&b, 64);
	assert_int_equal(b.n, 0);
	uk_buf_fini(&b);
}

static void
spans(void **state)
{
	(void)state;
	assert_int_equal(uk_span_str(NULL).n, 0);
	assert_true(uk_span_eq(uk_span(NULL, 0), uk_span("x", 0)));
	assert_false(uk_span_eq(uk_span("ab", 2), uk_span("abc", 3)));
	assert_false(uk_span_eq(uk_span("ab", 2), uk_span("ac", 2)));
}

static void
secret_lends_and_compares(void **state)
{
	struct uk_secret *a = uk_secret_new(uk_span_str("123456"));
	struct uk_secret *b = uk_secret_new(uk_span_str("123456"));
	struct uk_secret *c = uk_secret_new(uk_span_str("1234567"));
	struct uk_secret *none = uk_secret_new(uk_span(NULL, 0));

	(void)state;
	assert_int_equal(uk_secret_lend(a).n, 6);
	assert_string_equal((const char *)uk_secret_lend(a).p, "123456");
	assert_true(uk_secret_eq(a, b));
	assert_false(uk_secret_eq(a, c));
	assert_false(uk_secret_eq(a, NULL));
	assert_false(uk_secret_eq(NULL, NULL));
	assert_int_equal(uk_secret_lend(none).n, 0);
	assert_int_equal(uk_secret_lend(NULL).n, 0);
	uk_secret_free(&a);
	assert_null(a);
	uk_secret_free(&a);
	uk_secret_free(NULL);
	uk_secret_free(&b);
	uk_secret_free(&c);
	uk_secret_free(&none);
}

/* A helper that is forked must not have the parent's PINs in its memory. */
static void
secret_is_in_no_child(void **state)
{
	struct uk_secret *s = uk_secret_new(uk_span_str("123456"));
	const uint8_t *p = uk_secret_lend(s).p;
	int pipefd[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	if (pid == 0) /* write(2) answers EFAULT where the page is gone */
		_exit(write(pipefd[1], p, 6) == -1 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(pipefd[0]);
	close(pipefd[1]);
	uk_secret_free(&s);
}

static void
b64_rfc4648_vectors(void **state)
{
	static const char *const rows[][3] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff", "+/8=", "-_8" },
	};
	struct uk_buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct uk_span plain = uk_span_str(rows[i][0]);
		char *s = uk_b64_dup(plain);

		assert_string_equal(s, rows[i][1]);
		free(s);
		uk_buf_init(&b, strlen(rows[i][2])); /* exactly what it needs */
		uk_b64url_put(&b, plain);
		assert_string_equal(uk_buf_str(&b), rows[i][2]);
		uk_buf_fini(&b);
		uk_buf_init(&b, plain.n);
		assert_int_equal(uk_b64_get(&b, rows[i][1]), UK_OK);
		assert_true(uk_span_eq(uk_buf_span(&b), plain));
		uk_buf_reset(&b);
		assert_int_equal(uk_b64url_get(&b, rows[i][2]), UK_OK);
		assert_true(uk_span_eq(uk_buf_span(&b), plain));
		uk_buf_fini(&b);
	}
}

static void
b64_is_strict(void **state)
{
	static const char *const wrong[] = { "Z", "Zg", "Zg=", "Zg===", "=",
		"==", "===", "====", "Zm9v====", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", " Zm9v",
		"Zg==Zg==", "Z=g=", "Zm-v", "Zm_v", "Zm9\xc3", "Zm9v." };
	static const char *const wrong_url[] = { "Z", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9vY",
		"Zm 9v", "Zm9v\n" };
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 64);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(uk_b64_get(&b, wrong[i]), UK_E_INPUT);
	for (size_t i = 0; i < sizeof(wrong_url) / sizeof(wrong_url[0]); i++)
		assert_int_equal(uk_b64url_get(&b, wrong_url[i]), UK_E_INPUT);
	uk_buf_fini(&b);
	uk_buf_init(&b, 5);
	assert_int_equal(uk_b64_get(&b, "Zm9vYmFy"), UK_E_LIMIT);
	uk_buf_fini(&b);
	assert_int_equal(uk_b64url_get(&b, "Zm9vYmFy"), UK_E_LIMIT);
	uk_buf_fini(&b);
}

static void
hex(void **state)
{
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 8);
	uk_hex_put(&b, uk_span("\x00\xab\x0f\xff", 4));
	assert_string_equal(uk_buf_str(&b), "00ab0fff");
	uk_buf_reset(&b);
	assert_int_equal(uk_hex_get(&b, "00aB0FfF"), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_span("\x00\xab\x0f\xff", 4)));
	uk_buf_reset(&b);
	assert_int_equal(uk_hex_get(&b, "0"), UK_E_INPUT);
	assert_int_equal(uk_hex_get(&b, "0g"), UK_E_INPUT);
	assert_int_equal(uk_hex_get(&b, "ab c"), UK_E_INPUT);
	uk_buf_fini(&b);
	assert_int_equal(uk_hex_get(&b, "001122334455667788"), UK_E_LIMIT);
	uk_buf_fini(&b);
}

static void
utf8(void **state)
{
	static const char *const good[] = { "a", "\xc2\xa0", "\xe4\xb8\xad", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xf0\x9f\x94\x91", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "", "\t", "\n", "\x1b", "\x7f", "\x80", "\xc0\x80",
		"\xc1\xbf", "\xc2", "\xc2\x85", "\xe0\x9f\xbf", "\xe4\xb8", "\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf", "\xf0\x9f\x94", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff" };
	size_t chars = 9;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(uk_utf8_char(good[i]), strlen(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(uk_utf8_char(bad[i]), 0);
	assert_true(uk_utf8_count("", &chars));
	assert_int_equal(chars, 0);
	assert_true(uk_utf8_count("CA \xe4\xb8\xad\xe6\x96\x87", &chars));
	assert_int_equal(chars, 5);
	assert_false(uk_utf8_count("a\x1b[2J", &chars));
}

static void
time_forms(void **state)
{
	char s[UK_TIME_LEN];

	(void)state;
	uk_time_utc(1795329000, s);
	assert_string_equal(s, "2026-11-22T06:30:00Z");
	uk_time_beijing(1795329000, s);
	assert_string_equal(s, "2026-11-22 14:30:00");
	assert_int_equal(uk_day_beijing(0), 0);
	assert_int_equal(uk_day_beijing(16 * 3600 - 1), 0);
	assert_int_equal(uk_day_beijing(16 * 3600), 1);
	assert_int_equal(uk_day_beijing(-8 * 3600), 0);
	assert_int_equal(uk_day_beijing(-8 * 3600 - 1), -1);
	assert_int_equal(uk_year_after(0), 31536000);
	assert_int_equal(uk_year_after(1709164800), 1740787200); /* 2024-02-29 to 2025-03-01 */
	assert_int_equal(uk_year_after(1709251200), 1740787200); /* 2024-03-01 */
	uk_time_utc(INT64_MAX, s);
	assert_string_equal(s, "");
	assert_true(uk_now(&uk_clock_system) > 1700000000);
	assert_true(uk_mono_ms(&uk_clock_system) > 0);
}

struct script {
	const uint8_t *p;
};

static void
scripted(void *ctx, uint8_t *p, size_t n)
{
	struct script *s = ctx;

	memcpy(p, s->p, n);
	s->p += n;
}

static void
random_is_unbiased(void **state)
{
	/* 0xffffffff is beyond the largest multiple of 10 and must be drawn again */
	static const uint32_t draws[] = { UINT32_MAX, 1234567897 };
	struct script s = { (const uint8_t *)draws };
	const struct uk_random r = { scripted, &s };
	char text[9];

	(void)state;
	assert_int_equal(uk_random_below(&r, 10), 7);
	s.p = (const uint8_t *)"\x00\x9a\xbc\xff";
	uk_random_hex(&r, text, 4);
	assert_string_equal(text, "009abcff");
	for (int i = 0; i < 1000; i++)
		assert_true(uk_random_below(&uk_random_system, 6) < 6);
	assert_int_equal(uk_random_below(&uk_random_system, 1), 0);
}

/* RFC 4231, test case 2. */
static void
hmac(void **state)
{
	uint8_t mac[UK_HMAC_LEN];
	struct uk_buf b;

	(void)state;
	uk_hmac_sha256(uk_span_str("Jefe"), uk_span_str("what do ya want for nothing?"), mac);
	uk_buf_init(&b, 64);
	uk_hex_put(&b, uk_span(mac, sizeof(mac)));
	assert_string_equal(
	    uk_buf_str(&b), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	uk_buf_fini(&b);
	assert_true(uk_const_eq(uk_span("ab", 2), uk_span("ab", 2)));
	assert_false(uk_const_eq(uk_span("ab", 2), uk_span("ac", 2)));
	assert_false(uk_const_eq(uk_span("ab", 2), uk_span("a", 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rc_rows),
		cmocka_unit_test(rc_fail),
		cmocka_unit_test(buf_grows_to_its_bound),
		cmocka_unit_test(buf_can_be_locked),
		cmocka_unit_test(buf_is_sticky),
		cmocka_unit_test(buf_numbers_and_text),
		cmocka_unit_test(spans),
		cmocka_unit_test(secret_lends_and_compares),
		cmocka_unit_test(secret_is_in_no_child),
		cmocka_unit_test(b64_rfc4648_vectors),
		cmocka_unit_test(b64_is_strict),
		cmocka_unit_test(hex),
		cmocka_unit_test(utf8),
		cmocka_unit_test(time_forms),
		cmocka_unit_test(random_is_unbiased),
		cmocka_unit_test(hmac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
