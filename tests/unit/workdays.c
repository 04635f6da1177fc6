#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/workdays.h"
#include "workflow/workflow.h"

#define D20260101 20454 /* days since 1970 */

static int64_t
beijing(int64_t day, int hour)
{
	return day * 86400 + hour * 3600 - 8 * 3600;
}

static void
holidays_and_make_up_days_count(void **state)
{
	(void)state;
	/* [C9] Friday 2026-11-20, 15:00: Monday, Tuesday, Wednesday */
	assert_int_equal(
	    workflow_working_days(beijing(D20260101 + 323, 15), 3), beijing(D20260101 + 329, 0));
	/* Wednesday 2026-09-30: 1 to 7 October off, then 8, 9, and Saturday the 10th worked */
	assert_int_equal(
	    workflow_working_days(beijing(D20260101 + 272, 9), 3), beijing(D20260101 + 283, 0));
	/* Friday 2026-02-13: Saturday the 14th worked, then off until the 23rd */
	assert_int_equal(
	    workflow_working_days(beijing(D20260101 + 43, 9), 2), beijing(D20260101 + 55, 0));
	/* late in the evening is still that day in Beijing */
	assert_int_equal(workflow_working_days(beijing(D20260101 + 323, 23) + 3599, 3),
	    beijing(D20260101 + 329, 0));
}

static void
the_build_knows_2026(void **state)
{
	(void)state;
	assert_true(workdays_known(2026));
	assert_false(workdays_known(2025));
	assert_int_equal(workdays_year(beijing(D20260101, 0)), 2026);
	assert_int_equal(workdays_year(beijing(D20260101, 0) - 1), 2025);
	assert_int_equal(workdays_year(beijing(D20260101 + 365, 0) - 1), 2026);
	/* 2028 is a leap year: 29 February and 31 December are in it */
	assert_int_equal(workdays_year(beijing(D20260101 + 365 + 365 + 59, 12)), 2028);
	assert_int_equal(workdays_year(beijing(D20260101 + 365 + 365 + 365, 12)), 2028);
	assert_int_equal(workdays_year(beijing(D20260101 + 365 + 365 + 366, 12)), 2029);
}

static enum uk_rc
load(const char *json, struct uk_err *err)
{
	json_t *file = json_loads(json, 0, NULL);
	enum uk_rc rc;

	assert_non_null(file);
	*err = (struct uk_err){ 0 };
	rc = workdays_load(file, err);
	json_decref(file);
	return rc;
}

#define YEAR(off, work)                                                                            \
	"{\"years\":[{\"year\":2028,\"source\":\"a test\",\"off\":" off ",\"work\":" work "}]}"

static void
bad_lists_change_nothing(void **state)
{
	static const struct {
		const char *json;
		const char *field;
	} bad[] = {
		{ "[]", "years" },
		{ "{}", "years" },
		{ "{\"years\":[3]}", "years" },
		{ YEAR("[[\"02-30\",\"02-30\"]]", "[]"), "off" },
		{ YEAR("[[\"13-01\",\"13-02\"]]", "[]"), "off" },
		{ YEAR("[[\"05-03\",\"05-01\"]]", "[]"), "off" },
		{ YEAR("[[\"05-03\"]]", "[]"), "off" },
		{ YEAR("[\"05-03\"]", "[]"), "off" },
		{ YEAR("[[\"5-3\",\"5-4\"]]", "[]"), "off" },
		{ YEAR("[[\"05-01\",\"05-03\"]]", "[\"05-02\"]"), "work" },
		{ YEAR("[]", "[\"05-02\",\"05-02\"]"), "work" },
		{ YEAR("[]", "[502]"), "work" },
	};
	struct uk_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load(bad[i].json, &err), UK_E_INPUT);
		assert_string_equal(err.field, bad[i].field);
		assert_true(workdays_known(2026));
		assert_false(workdays_known(2028));
	}
	assert_int_equal(load("{\"years\":[],\"more\":1}", &err), UK_E_INPUT);
}

/* Last: the list is the process's. */
static void
a_newer_list_counts(void **state)
{
	struct uk_err err;
	/* Monday 2028-02-28; the 29th, a Tuesday, is off, and Saturday 4 March is worked */
	const int64_t monday = beijing(D20260101 + 365 + 365 + 58, 10);

	(void)state;
	assert_int_equal(load(YEAR("[[\"02-29\",\"03-03\"]]", "[\"03-04\"]"), &err), UK_OK);
	assert_true(workdays_known(2028));
	assert_false(workdays_known(2026));
	assert_int_equal(workflow_working_days(monday, 1), beijing(D20260101 + 365 + 365 + 64, 0));
	assert_int_equal(workflow_working_days(monday, 2), beijing(D20260101 + 365 + 365 + 66, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holidays_and_make_up_days_count),
		cmocka_unit_test(the_build_knows_2026),
		cmocka_unit_test(bad_lists_change_nothing),
		cmocka_unit_test(a_newer_list_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
