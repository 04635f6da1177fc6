/* What may become of a certificate, on every day around its end; what changed data needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "uk/clock.h"
#include "workflow/change.h"
#include "workflow/renewal.h"

#define DAY      86400
#define BEIJING  (8 * 3600)
#define BACKWARD 800

/* Beijing noon of a date, by the C library and not by what is tested. */
static int64_t
noon(int year, int month, int day)
{
	struct tm tm = {
		.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12
	};

	return (int64_t)timegm(&tm) - BEIJING;
}

/* The same moment a year later, by the C library; 29 February becomes 1 March. */
static int64_t
a_year_later(int64_t t)
{
	const time_t beijing = (time_t)(t + BEIJING);
	struct tm tm;

	assert_non_null(gmtime_r(&beijing, &tm));
	tm.tm_year++;
	return (int64_t)timegm(&tm) - BEIJING;
}

static struct renewal_rule
explain(int64_t ends, enum order_flow flow, int64_t now)
{
	const struct renewal_facts f = { .not_before = ends - 365 * DAY, .not_after = ends };
	struct renewal_rule r;

	renewal_explain(&f, flow, now, &r);
	return r;
}

/* Days between two Beijing dates, by the C library. */
static int
days_between(int64_t from, int64_t to)
{
	return (int)((to + BEIJING) / DAY - (from + BEIJING) / DAY);
}

static void
check_renewal(int64_t ends, int64_t now)
{
	const struct renewal_rule r = explain(ends, FLOW_RENEWAL, now);
	const int left = days_between(now, ends);

	if (now <= ends && left >= 90) { /* [R1] too early, with the date from which it goes */
		assert_false(r.possible);
		assert_string_equal(r.reason, "too-early");
		assert_string_equal(r.basis, "R1");
		assert_int_equal(days_between(r.from, ends), 89);
		assert_int_equal((r.from + BEIJING) % DAY, 0);
		assert_true(explain(ends, FLOW_RENEWAL, r.from).possible);
		assert_false(explain(ends, FLOW_RENEWAL, r.from - 1).possible);
		return;
	}
	assert_true(r.possible);
	assert_int_equal(r.from, 0);
	if (now <= ends) { /* [R2] */
		assert_string_equal(r.basis, "R2");
		assert_false(r.review);
		assert_int_equal(r.not_before, now);
		assert_int_equal(r.not_after, a_year_later(ends));
		assert_int_equal(renewal_end(FLOW_RENEWAL, ends, now), r.not_after);
		return;
	}
	/* [R3], [R8]: from the download on */
	assert_string_equal(r.basis, -left <= 365 ? "R3" : "R8");
	assert_true(r.review == (-left > 365));
	assert_int_equal(r.not_before + r.not_after, 0);
	assert_int_equal(renewal_end(FLOW_RENEWAL, ends, now), a_year_later(now));
}

/* [V3], [L10] */
static void
check_same_end(int64_t ends, int64_t now)
{
	static const enum order_flow flows[] = { FLOW_CHANGE, FLOW_REPLACEMENT };

	for (size_t i = 0; i < 2; i++) {
		const struct renewal_rule r = explain(ends, flows[i], now);

		assert_true(r.possible == (now <= ends));
		if (!r.possible)
			assert_string_equal(r.reason, "expired");
		else
			assert_int_equal(r.not_after, ends);
		assert_true(r.review == (r.possible && flows[i] == FLOW_REPLACEMENT));
		assert_int_equal(renewal_end(flows[i], ends, now), ends);
	}
}

/* Certificates that end on ordinary days, on and around 29 February, at the year's end, and in the
 * first and last second of a Beijing day; each on every day of 800 before and after. */
static void
every_day(void **state)
{
	static const int dates[][3] = { { 2026, 11, 22 }, { 2028, 2, 28 }, { 2028, 2, 29 },
		{ 2028, 3, 1 }, { 2027, 2, 28 }, { 2027, 12, 31 }, { 2028, 1, 1 },
		{ 2027, 5, 29 } };
	static const int64_t moments[] = { -12 * 3600, -4 * 3600, 0, 4 * 3600, 12 * 3600 - 1 };
	const size_t n = sizeof(moments) / sizeof(moments[0]);
	int checked = 0;

	(void)state;
	for (size_t d = 0; d < sizeof(dates) / sizeof(dates[0]); d++)
		for (size_t e = 0; e < n; e++) {
			const int64_t at = noon(dates[d][0], dates[d][1], dates[d][2]);

			for (int64_t day = -BACKWARD; day <= BACKWARD; day++, checked++)
				for (size_t m = 0; m < n; m++) {
					const int64_t now = at + day * DAY + moments[m];

					check_renewal(at + moments[e], now);
					check_same_end(at + moments[e], now);
				}
		}
	print_message("%d days\n", checked);
}

/* The edges by name. */
static void
edges(void **state)
{
	const int64_t ends = noon(2026, 11, 22);

	(void)state;
	assert_false(explain(ends, FLOW_RENEWAL, noon(2026, 8, 24)).possible); /* 90 days */
	assert_true(explain(ends, FLOW_RENEWAL, noon(2026, 8, 25)).possible);  /* 89 */
	assert_string_equal(explain(ends, FLOW_RENEWAL, ends).basis, "R2");
	assert_string_equal(explain(ends, FLOW_RENEWAL, ends + 1).basis, "R3");
	assert_string_equal(explain(ends, FLOW_RENEWAL, noon(2027, 11, 22)).basis, "R3"); /* 365 */
	assert_string_equal(explain(ends, FLOW_RENEWAL, noon(2027, 11, 23)).basis, "R8"); /* 366 */
	/* a leap day in between: 365 days are no year */
	assert_string_equal(
	    explain(noon(2027, 11, 22), FLOW_RENEWAL, noon(2028, 11, 21)).basis, "R3");
	assert_string_equal(
	    explain(noon(2027, 11, 22), FLOW_RENEWAL, noon(2028, 11, 22)).basis, "R8");
	/* [R2] ends on 29 February */
	assert_int_equal(
	    explain(noon(2028, 2, 29), FLOW_RENEWAL, noon(2028, 2, 1)).not_after, noon(2029, 3, 1));
}

/* What no date changes, in the order in which it is said. */
static void
barred(void **state)
{
	const int64_t ends = noon(2026, 11, 22);
	struct renewal_facts f = { .not_before = 1, .not_after = ends, .order_open = true };
	struct renewal_rule r;

	(void)state;
	renewal_explain(&f, FLOW_RENEWAL, ends, &r);
	assert_string_equal(r.reason, "order-open");
	f.renewed = true;
	renewal_explain(&f, FLOW_RENEWAL, ends, &r);
	assert_string_equal(r.reason, "renewed");
	f.suspended = true;
	renewal_explain(&f, FLOW_RENEWAL, ends, &r);
	assert_string_equal(r.reason, "suspended");
	f.revoked = true;
	renewal_explain(&f, FLOW_RENEWAL, ends, &r);
	assert_string_equal(r.reason, "revoked");
	/* [C14, L10] what is lost has been suspended, and is replaced all the same */
	f = (struct renewal_facts){ .not_before = 1, .not_after = ends, .suspended = true };
	renewal_explain(&f, FLOW_REPLACEMENT, ends, &r);
	assert_true(r.possible);
	renewal_explain(&f, FLOW_UNLOCK, ends, &r);
	assert_false(r.possible);
	assert_string_equal(r.reason, "unknown");
}

static int64_t
needs(enum order_kind kind, const char *member)
{
	json_t *was =
	    json_pack("{s:s,s:s,s:b}", "organisation", "甲", "name", "张三", "agreement", 1);
	json_t *is = json_deep_copy(was);
	struct change c;

	if (member != NULL)
		(void)json_object_set_new(is, member, json_string("乙"));
	(void)json_object_set_new(is, "photoConsent", json_true());
	change_explain(kind, was, is, &c);
	assert_true(c.anything == (member != NULL));
	json_decref(was);
	json_decref(is);
	return c.needs;
}

/* [V4], and the same in [R7], [L5], [M3] */
static void
changed_data(void **state)
{
	static const enum order_kind on_key[] = { KIND_UNIT_RENEWAL, KIND_PERSON_RENEWAL,
		KIND_UNIT_CHANGE, KIND_PERSON_CHANGE };
	static const enum order_kind lost[] = { KIND_UNIT_REPLACEMENT, KIND_PERSON_REPLACEMENT };
	static const char *const certificate[] = { "organisation", "creditCode", "name",
		"idNumber" };
	static const char *const proof[] = { "agentPhone", "phone", "legalPersonName" };
	static const char *const mailed[] = { "address", "recipient", "recipientPhone",
		"postcode" };
	static const char *const other[] = { "agentName", "agentEmail", "email", "invoiceType" };

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		assert_int_equal(needs(on_key[k], NULL), 0);
		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(needs(on_key[k], certificate[i]),
			    NEED_IDENTITY | NEED_MATCH | NEED_SIGNATURE);
			assert_int_equal(needs(on_key[k], mailed[i]), NEED_SIGNATURE);
			assert_int_equal(needs(on_key[k], other[i]), NEED_SIGNATURE);
		}
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(needs(on_key[k], proof[i]) & ~NEED_MATCH,
			    NEED_IDENTITY | NEED_PROOF | NEED_SIGNATURE);
	}
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(
			    needs(lost[k], mailed[i]), NEED_IDENTITY | NEED_PROOF | NEED_SIGNATURE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day),
		cmocka_unit_test(edges),
		cmocka_unit_test(barred),
		cmocka_unit_test(changed_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
