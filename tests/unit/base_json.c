/* JSON: the bounds of the parser, and every refusal of a field table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "uk/json.h"

static enum uk_rc
parse(const char *text, struct uk_err *err)
{
	json_t *v = NULL;
	const enum uk_rc rc = uk_json_parse(uk_span_str(text), 4096, &v, err);

	json_decref(v);
	return rc;
}

static void
parser_refuses(void **state)
{
	static const char *const wrong[] = { "", " ", "{", "{\"a\":1", "{} {}", "{}x", "nul", "1",
		"{\"a\":1,\"a\":2}", "{a:1}", "{\"a\":01}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\\ud800\"}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\n\"}",
		"{\"a\":99999999999999999999}", "[1,]", "{\"a\":\"\xc0\x80\"}" };
	struct uk_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(wrong[i], &err), UK_E_INPUT);
		assert_string_equal(uk_err_reason(&err), "json-malformed");
	}
	assert_int_equal(parse("{\"a\":[1,true,null,\"\xe4\xb8\xad\"]}", &err), UK_OK);
}

static void
parser_is_bounded(void **state)
{
	char deep[128];
	struct uk_err err = { 0 };
	json_t *v = NULL;

	(void)state;
	assert_int_equal(uk_json_parse(uk_span_str("[1]"), 2, &v, &err), UK_E_LIMIT);
	assert_null(v);
	for (size_t n = 32; n <= 33; n++) {
		memset(deep, '[', n);
		memset(deep + n, ']', n);
		deep[2 * n] = '\0';
		assert_int_equal(parse(deep, &err), n == 32 ? UK_OK : UK_E_INPUT);
	}
	assert_string_equal(uk_err_reason(&err), "json-too-deep");
	/* brackets in a string are no depth, also behind an escaped quote */
	assert_int_equal(
	    parse("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]", &err), UK_OK);
}

static void
put_is_bounded(void **state)
{
	json_t *v = json_pack("{s:i, s:[s, n]}", "a", 1, "b", "x");
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 22);
	assert_int_equal(uk_json_put(&b, v), UK_OK);
	assert_string_equal(uk_buf_str(&b), "{\"a\":1,\"b\":[\"x\",null]}");
	uk_buf_fini(&b);
	uk_buf_init(&b, 21);
	assert_int_equal(uk_json_put(&b, v), UK_E_LIMIT);
	uk_buf_fini(&b);
	json_decref(v);
}

static void
put_str_reads_back(void **state)
{
	static const char text[] = "a\"b\\c\n\x1f \xe4\xb8\xad";
	json_t *v = NULL;
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 128);
	uk_buf_put_u8(&b, '[');
	uk_json_put_str(&b, uk_span_str(text));
	uk_buf_put_u8(&b, ']');
	assert_int_equal(uk_json_parse(uk_buf_span(&b), 128, &v, NULL), UK_OK);
	assert_string_equal(json_string_value(json_array_get(v, 0)), text);
	json_decref(v);
	uk_buf_fini(&b);
}

struct all {
	const char *s;
	int64_t i;
	bool b;
	struct uk_buf bytes;
	json_t *o;
	json_t *l;
	const char *maybe;
};

static bool
no_x(const char *s)
{
	return strchr(s, 'x') == NULL;
}

static const struct uk_field table[] = {
	{ "s", UK_F_STR, UK_F_REQUIRED, 2, 4, offsetof(struct all, s), no_x },
	{ "i", UK_F_INT, 0, -1, 10, offsetof(struct all, i), NULL },
	{ "b", UK_F_BOOL, 0, 0, 0, offsetof(struct all, b), NULL },
	{ "bytes", UK_F_B64, 0, 1, 3, offsetof(struct all, bytes), NULL },
	{ "o", UK_F_JSON, 0, 0, 0, offsetof(struct all, o), NULL },
	{ "l", UK_F_LIST, 0, 1, 2, offsetof(struct all, l), NULL },
	{ "maybe", UK_F_STR, UK_F_NULLABLE, 0, 4, offsetof(struct all, maybe), NULL },
};
#define N (sizeof(table) / sizeof(table[0]))

static enum uk_rc
read_fields(const char *text, struct all *out, json_t **keep, struct uk_err *err)
{
	*out = (struct all){ .i = 5 };
	assert_int_equal(uk_json_parse(uk_span_str(text), 4096, keep, NULL), UK_OK);
	return uk_fields_read(table, N, *keep, out, err);
}

static void
fields_all_there(void **state)
{
	struct uk_err err = { 0 };
	struct all a;
	json_t *v;

	(void)state;
	assert_int_equal(read_fields("{\"s\":\"abcd\",\"i\":10,\"b\":true,\"bytes\":\"Zm9v\","
				     "\"o\":{\"q\":1},\"l\":[1,2],\"maybe\":\"\"}",
			     &a, &v, &err),
	    UK_OK);
	assert_string_equal(a.s, "abcd");
	assert_int_equal(a.i, 10);
	assert_true(a.b);
	assert_true(uk_span_eq(uk_buf_span(&a.bytes), uk_span("foo", 3)));
	assert_int_equal(json_object_size(a.o), 1);
	assert_int_equal(json_array_size(a.l), 2);
	assert_string_equal(a.maybe, "");
	uk_fields_fini(table, N, &a);
	json_decref(v);
}

static void
fields_absent_keep_defaults(void **state)
{
	struct uk_err err = { 0 };
	struct all a;
	json_t *v;

	(void)state;
	assert_int_equal(read_fields("{\"s\":\"ab\",\"maybe\":null}", &a, &v, &err), UK_OK);
	assert_int_equal(a.i, 5);
	assert_false(a.b);
	assert_null(a.bytes.p);
	assert_null(a.maybe);
	uk_fields_fini(table, N, &a);
	json_decref(v);
}

struct refusal {
	const char *text;
	const char *field; /* NULL: none can be named */
	const char *reason;
};

static void
fields_every_refusal(void **state)
{
	static const struct refusal rows[] = {
		{ "{}", "s", "missing" },
		{ "{\"s\":\"\"}", "s", "missing" },
		{ "{\"s\":\"a\"}", "s", "wrong-length" },
		{ "{\"s\":\"abcde\"}", "s", "wrong-length" },
		{ "{\"s\":\"abx\"}", "s", "invalid-input" },
		{ "{\"s\":7}", "s", "invalid-input" },
		{ "{\"s\":null}", "s", "invalid-input" },
		{ "{\"s\":\"ab\",\"i\":11}", "i", "invalid-input" },
		{ "{\"s\":\"ab\",\"i\":-2}", "i", "invalid-input" },
		{ "{\"s\":\"ab\",\"i\":1.0}", "i", "invalid-input" },
		{ "{\"s\":\"ab\",\"i\":\"1\"}", "i", "invalid-input" },
		{ "{\"s\":\"ab\",\"b\":1}", "b", "invalid-input" },
		{ "{\"s\":\"ab\",\"b\":null}", "b", "invalid-input" },
		{ "{\"s\":\"ab\",\"bytes\":\"\"}", "bytes", "invalid-input" },
		{ "{\"s\":\"ab\",\"bytes\":\"Zm9vYg==\"}", "bytes", "wrong-length" },
		{ "{\"s\":\"ab\",\"bytes\":\"Zm9\"}", "bytes", "invalid-input" },
		{ "{\"s\":\"ab\",\"bytes\":1}", "bytes", "invalid-input" },
		{ "{\"s\":\"ab\",\"o\":[]}", "o", "invalid-input" },
		{ "{\"s\":\"ab\",\"l\":[]}", "l", "invalid-input" },
		{ "{\"s\":\"ab\",\"l\":[1,2,3]}", "l", "invalid-input" },
		{ "{\"s\":\"ab\",\"l\":{}}", "l", "invalid-input" },
		{ "{\"s\":\"ab\",\"maybe\":true}", "maybe", "invalid-input" },
		/* what was decoded before is freed: seen by the leak checker */
		{ "{\"s\":\"ab\",\"bytes\":\"Zm9v\",\"l\":[]}", "l", "invalid-input" },
		{ "{\"s\":\"ab\",\"S\":1}", NULL, "unknown-member" },
		{ "[\"s\"]", NULL, "json-not-an-object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct uk_err err = { 0 };
		struct all a;
		json_t *v;

		assert_int_equal(read_fields(rows[i].text, &a, &v, &err), UK_E_INPUT);
		assert_string_equal(uk_err_reason(&err), rows[i].reason);
		if (rows[i].field != NULL)
			assert_string_equal(err.field, rows[i].field);
		else
			assert_null(err.field);
		assert_null(a.bytes.p);
		json_decref(v);
	}
}

static void
fields_pick_passes_over_strangers(void **state)
{
	json_t *v = json_pack("{s:s, s:i}", "s", "ab", "new", 1);
	struct all a = { 0 };

	(void)state;
	assert_int_equal(uk_fields_pick(table, N, v, &a, NULL), UK_OK);
	assert_string_equal(a.s, "ab");
	json_decref(v);
	v = json_pack("{s:s, s:i}", "s", "abcde", "new", 1);
	assert_int_equal(uk_fields_pick(table, N, v, &a, NULL), UK_E_INPUT);
	json_decref(v);
}

static void
fields_of_nothing(void **state)
{
	static const struct uk_field optional[] = {
		{ "i", UK_F_INT, 0, -1, 10, offsetof(struct all, i), NULL },
	};
	struct all a = { .i = 3 };
	struct uk_err err = { 0 };

	(void)state;
	assert_int_equal(uk_fields_read(optional, 1, NULL, &a, &err), UK_OK);
	assert_int_equal(a.i, 3);
	assert_int_equal(uk_fields_read(table, N, NULL, &a, &err), UK_E_INPUT);
	assert_string_equal(err.field, "s");
}

static void
wipe(void **state)
{
	json_t *v =
	    json_pack("{s:s, s:[s, {s:s}], s:i}", "a", "pin1", "b", "pin2", "c", "pin3", "d", 1);
	struct uk_buf b;

	(void)state;
	uk_json_wipe(v);
	uk_json_wipe(NULL);
	uk_buf_init(&b, 256);
	assert_int_equal(uk_json_put(&b, v), UK_OK);
	assert_null(strstr(uk_buf_str(&b), "pin"));
	uk_buf_fini(&b);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parser_refuses),
		cmocka_unit_test(parser_is_bounded),
		cmocka_unit_test(put_is_bounded),
		cmocka_unit_test(put_str_reads_back),
		cmocka_unit_test(fields_all_there),
		cmocka_unit_test(fields_absent_keep_defaults),
		cmocka_unit_test(fields_every_refusal),
		cmocka_unit_test(fields_pick_passes_over_strangers),
		cmocka_unit_test(fields_of_nothing),
		cmocka_unit_test(wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
