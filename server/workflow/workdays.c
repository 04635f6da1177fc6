#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uk/clock.h"
#include "uk/json.h"
#include "workflow/workdays.h"
#include "workflow/workflow.h"

#define DAY       86400
#define BEIJING   (8 * 3600)
#define YEARS_MAX 20
#define YEAR_DAYS 366

enum day {
	DAY_PLAIN, /* by the day of the week */
	DAY_OFF,
	DAY_WORK
};

struct list_year {
	int year;
	uint8_t days[YEAR_DAYS]; /* enum day, from 1 January */
};

struct list {
	struct list_year years[YEARS_MAX];
	size_t n;
};

/* calendar.json, by the build. */
extern const unsigned char workdays_built_in[];
extern const size_t workdays_built_in_n;

static struct list current;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Days since 1970-01-01 and back (H. Hinnant's algorithms for the proleptic Gregorian calendar). */
static int64_t
day_of(int year, int month, int day)
{
	const int64_t y = month <= 2 ? year - 1 : year;
	const int64_t era = y / 400;
	const int64_t yoe = y - era * 400;
	const int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int
year_of(int64_t days)
{
	const int64_t z = days + 719468;
	const int64_t era = z / 146097;
	const int64_t doe = z - era * 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);

	return (int)(yoe + era * 400 + (doy >= 306 ? 1 : 0));
}

/* "02-14" of the year, as a day of it; -1: none. */
static int
read_day(int year, const json_t *value)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = day_of(year, 3, 1) - day_of(year, 2, 1) == 29;
	const char *s = json_string_value(value);
	int month;
	int day;

	if (s == NULL || strlen(s) != 5 || s[2] != '-' || strspn(s, "0123456789-") != 5 ||
	    sscanf(s, "%2d-%2d", &month, &day) != 2)
		return -1;
	if (month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (leap && month == 2 ? 1 : 0))
		return -1;
	return (int)(day_of(year, month, day) - day_of(year, 1, 1));
}

/* A day is in the list once, or one of two entries is a mistake. */
static bool
mark(struct list_year *y, int first, int last, enum day what)
{
	if (first < 0 || last < first)
		return false;
	for (int i = first; i <= last; i++) {
		if (y->days[i] != DAY_PLAIN)
			return false;
		y->days[i] = (uint8_t)what;
	}
	return true;
}

struct year_members {
	int64_t year;
	const char *source;
	json_t *off;
	json_t *work;
};

static const struct uk_field year_fields[] = {
	{ .name = "year",
	    .type = UK_F_INT,
	    .flags = UK_F_REQUIRED,
	    .min = 2000,
	    .max = 2199,
	    .offset = offsetof(struct year_members, year) },
	{ .name = "source",
	    .type = UK_F_STR,
	    .flags = UK_F_REQUIRED,
	    .min = 1,
	    .max = 200,
	    .offset = offsetof(struct year_members, source) },
	{ .name = "off",
	    .type = UK_F_LIST,
	    .flags = UK_F_REQUIRED,
	    .max = YEAR_DAYS,
	    .offset = offsetof(struct year_members, off) },
	{ .name = "work",
	    .type = UK_F_LIST,
	    .flags = UK_F_REQUIRED,
	    .max = YEAR_DAYS,
	    .offset = offsetof(struct year_members, work) },
};

static enum uk_rc
read_year(const json_t *value, struct list_year *out, struct uk_err *err)
{
	struct year_members m = { 0 };
	const json_t *entry;
	enum uk_rc rc;
	size_t i;

	if (!json_is_object(value))
		return uk_fail_field(err, "years", NULL);
	rc = uk_fields_read(
	    year_fields, sizeof(year_fields) / sizeof(year_fields[0]), value, &m, err);
	if (rc != UK_OK)
		return rc;
	out->year = (int)m.year;
	json_array_foreach(m.off, i, entry)
	{
		if (json_array_size(entry) != 2 ||
		    !mark(out, read_day(out->year, json_array_get(entry, 0)),
			read_day(out->year, json_array_get(entry, 1)), DAY_OFF))
			return uk_fail_field(err, "off", NULL);
	}
	json_array_foreach(m.work, i, entry)
	{
		const int day = read_day(out->year, entry);

		if (!mark(out, day, day, DAY_WORK))
			return uk_fail_field(err, "work", NULL);
	}
	return UK_OK;
}

static const struct list_year *
find(const struct list *l, int year)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->years[i].year == year)
			return &l->years[i];
	return NULL;
}

struct file_members {
	json_t *years;
};

static const struct uk_field file_fields[] = {
	{ .name = "years",
	    .type = UK_F_LIST,
	    .flags = UK_F_REQUIRED,
	    .max = YEARS_MAX,
	    .offset = offsetof(struct file_members, years) },
};

static enum uk_rc
read_list(const json_t *file, struct list *out, struct uk_err *err)
{
	struct file_members m = { 0 };
	const json_t *value;
	enum uk_rc rc;
	size_t i;

	if (!json_is_object(file))
		return uk_fail_field(err, "years", NULL);
	rc = uk_fields_read(file_fields, 1, file, &m, err);
	if (rc != UK_OK)
		return rc;
	json_array_foreach(m.years, i, value)
	{
		if ((rc = read_year(value, &out->years[i], err)) != UK_OK)
			return rc;
		if (find(out, out->years[i].year) != NULL)
			return uk_fail_field(err, "year", NULL);
		out->n++;
	}
	return UK_OK;
}

enum uk_rc
workdays_load(const json_t *file, struct uk_err *err)
{
	static struct list fresh;
	enum uk_rc rc;

	memset(&fresh, 0, sizeof(fresh));
	if ((rc = read_list(file, &fresh, err)) != UK_OK)
		return rc;
	current = fresh;
	loaded = true;
	return UK_OK;
}

static void
load_built_in(void)
{
	json_t *file;

	if (loaded)
		return;
	file = json_loadb((const char *)workdays_built_in, workdays_built_in_n, 0, NULL);
	if (workdays_load(file, NULL) != UK_OK)
		abort();
	json_decref(file);
}

bool
workdays_known(int year)
{
	(void)pthread_once(&once, load_built_in);
	return find(&current, year) != NULL;
}

int
workdays_year(int64_t t)
{
	return year_of(uk_day_beijing(t));
}

static bool
works(int64_t day)
{
	const int64_t weekday = (day + 4) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
	const int year = year_of(day);
	const struct list_year *y = find(&current, year);
	const enum day what = y != NULL ? y->days[day - day_of(year, 1, 1)] : DAY_PLAIN;

	return what == DAY_PLAIN ? weekday != 0 && weekday != 6 : what == DAY_WORK;
}

int64_t
workflow_working_days(int64_t from, int n)
{
	int64_t day = uk_day_beijing(from);

	(void)pthread_once(&once, load_built_in);
	while (n > 0)
		if (works(++day))
			n--;
	return (day + 1) * DAY - BEIJING;
}
