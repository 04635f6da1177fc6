/* What the first frame may be, and what a browser may say about the extension. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "native/stamp.h"

#define ID "abcdefghijklmnopabcdefghijklmnop"

static const char *
extension(int argc, const char *a, const char *b)
{
	static char out[STAMP_EXTENSION_MAX + 1];
	char first[128], second[128];
	char *argv[] = { NULL, first, second, NULL };
	struct uk_err err = { 0 };

	(void)snprintf(first, sizeof(first), "%s", a);
	(void)snprintf(second, sizeof(second), "%s", b);
	if (stamp_extension(argc, argv, out, &err) == UK_OK)
		return out;
	assert_int_equal(err.rc, UK_E_DENIED);
	return uk_err_reason(&err);
}

static void
arguments(void **state)
{
	static const char *const refused[] = { "", "--x", "chrome-extension://" ID,
		"chrome-extension://" ID "/x", "chrome-extension:///",
		"chrome-extension://abcdefghijklmnopabcdefghijklmnoq/", "https://site.example/",
		"moz-extension://" ID "/", "ukey@ukey.example" };
	char longest[128];

	(void)state;
	assert_string_equal(extension(1, "", ""), "");
	assert_string_equal(extension(2, "chrome-extension://" ID "/", ""), ID);
	/* Chromium may say more */
	assert_string_equal(extension(3, "chrome-extension://" ID "/", "--parent-window=0"), ID);
	assert_string_equal(
	    extension(3, "/usr/lib/mozilla/x.json", "ukey@ukey.example"), "ukey@ukey.example");
	assert_string_equal(extension(3, "/x.json", "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}"),
	    "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_string_equal(extension(2, refused[i], ""), "extension-refused");
	assert_string_equal(extension(2, "/x.json", ""), "extension-refused");
	assert_string_equal(extension(3, "/x.json", ""), "extension-refused");
	assert_string_equal(extension(3, "/x.json", "a b"), "extension-refused");
	assert_string_equal(extension(3, "/x.json", "a\"b"), "extension-refused");
	assert_string_equal(extension(3, "x.json", "ukey@ukey.example"), "extension-refused");
	memset(longest, 'a', sizeof(longest));
	longest[STAMP_EXTENSION_MAX] = '\0';
	assert_string_equal(extension(3, "/x.json", longest), longest);
	longest[STAMP_EXTENSION_MAX] = 'a';
	longest[STAMP_EXTENSION_MAX + 1] = '\0';
	assert_string_equal(extension(3, "/x.json", longest), "extension-refused");
}

static void
stamped(const char *text, const char *id, const char *want)
{
	struct uk_err err = { 0 };
	struct uk_buf out;

	uk_buf_init(&out, 2 * STAMP_FIRST_MAX);
	if (want == NULL) {
		assert_int_equal(stamp_first(uk_span_str(text), id, &out, &err), UK_E_DENIED);
		assert_string_equal(uk_err_reason(&err), "origin-refused");
		assert_int_equal(out.n, 0);
	} else {
		assert_int_equal(stamp_first(uk_span_str(text), id, &out, &err), UK_OK);
		assert_string_equal(uk_buf_str(&out), want);
	}
	uk_buf_fini(&out);
}

#define FRAME(params) "{\"jsonrpc\":\"2.0\",\"method\":\"agent.origin\",\"params\":" params "}"
#define O             "\"origin\":\"https://ca.example\""

static void
first_frame(void **state)
{
	static const char *const refused[] = {
		"",
		"{",
		"[]",
		"[" FRAME("{" O "}") "]",
		"null",
		FRAME("{}"),
		FRAME("[]"),
		FRAME("null"),
		FRAME("\"https://ca.example\""),
		FRAME("{\"origin\":1}"),
		FRAME("{\"origin\":\"\"}"),
		FRAME("{\"origin\":null}"),
		/* the browser's word is not the extension's to say */
		FRAME("{" O ",\"extension\":\"" ID "\"}"),
		FRAME("{" O "," O "}"),
		FRAME("{" O ",\"x\":1}"),
		FRAME("{" O "}") "x",
		"{\"jsonrpc\":\"2.0\",\"method\":\"agent.origin\",\"params\":{" O "},\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"agent.origin\",\"params\":{" O "},\"id\":null}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"agent.hello\",\"params\":{" O "}}",
		"{\"jsonrpc\":\"1.0\",\"method\":\"agent.origin\",\"params\":{" O "}}",
		"{\"method\":\"agent.origin\",\"params\":{" O "}}",
		"{\"jsonrpc\":\"2.0\",\"params\":{" O "}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"agent.origin\"}",
		FRAME("{\"origin\":\"https://\xff.example\"}"),
		FRAME("{\"origin\":\"https://ca.example\\u0000.evil.example\"}"),
	};
	static char large[STAMP_FIRST_MAX + 2];

	(void)state;
	stamped(FRAME("{" O "}"), ID, FRAME("{" O ",\"extension\":\"" ID "\"}"));
	stamped(FRAME("{" O "}"), "", FRAME("{" O "}"));
	/* whether it is a site's is ukeyd's to say */
	stamped(FRAME("{\"origin\":\"file://\"}"), "", FRAME("{\"origin\":\"file://\"}"));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		stamped(refused[i], ID, NULL);
	(void)snprintf(large, sizeof(large), "%-*s", (int)sizeof(large) - 1, FRAME("{" O "}"));
	stamped(large, ID, NULL);
	large[STAMP_FIRST_MAX] = '\0';
	stamped(large, "", FRAME("{" O "}"));
	(void)snprintf(large, sizeof(large), FRAME("{\"origin\":\"https://%0300d\"}"), 0);
	stamped(large, "", NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(first_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
