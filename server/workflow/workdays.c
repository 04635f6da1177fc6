#include <stdbool.h>

#include "workflow/workflow.h"

#define DAY     86400
#define BEIJING (8 * 3600)

/*
 * Where the calendar differs from plain weeks, by the State Council's yearly notice (of 2025-11-04
 * for 2026).  Days of the month; a year that is not here counts as plain weeks.
 */
struct exception {
	int year;
	int month;
	int first;
	int last;
	bool works;
};

static const struct exception exceptions[] = {
	/* clang-format off */
	{ 2026,  1,  1,  3, false }, { 2026,  1,  4,  4, true },
	{ 2026,  2, 15, 23, false }, { 2026,  2, 14, 14, true }, { 2026,  2, 28, 28, true },
	{ 2026,  4,  4,  6, false },
	{ 2026,  5,  1,  5, false }, { 2026,  5,  9,  9, true },
	{ 2026,  6, 19, 21, false },
	{ 2026,  9, 25, 27, false }, { 2026,  9, 20, 20, true },
	{ 2026, 10,  1,  7, false }, { 2026, 10, 10, 10, true },
	/* clang-format on */
};

/* The civil date of a day count since 1970-01-01 (H. Hinnant's algorithm for the proleptic
 * Gregorian calendar). */
static void
civil(int64_t days, int *year, int *month, int *day)
{
	const int64_t z = days + 719468;
	const int64_t era = z / 146097;
	const int64_t doe = z - era * 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

static bool
works(int64_t days)
{
	const int64_t weekday = (days + 4) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
	int year;
	int month;
	int day;

	civil(days, &year, &month, &day);
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		const struct exception *e = &exceptions[i];

		if (e->year == year && e->month == month && day >= e->first && day <= e->last)
			return e->works;
	}
	return weekday != 0 && weekday != 6;
}

int64_t
workflow_working_days(int64_t from, int n)
{
	int64_t day = uk_day_beijing(from);

	while (n > 0)
		if (works(++day))
			n--;
	return (day + 1) * DAY - BEIJING;
}
