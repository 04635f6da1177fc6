#include <string.h>

#include "api/numbers.h"

#define CREDIT_LEN 18
#define ID_LEN     18

/* GB 32100-2015 leaves out I, O, S, V and Z. */
static const char credit_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static bool
digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static int
credit_value(char c)
{
	const char *at = c == '\0' ? NULL : strchr(credit_alphabet, c);

	return at == NULL ? -1 : (int)(at - credit_alphabet);
}

bool
number_credit_code(const char *s)
{
	if (strlen(s) != CREDIT_LEN || !digits(s + 2, 6))
		return false;
	for (size_t i = 0; i < CREDIT_LEN; i++)
		if (credit_value(s[i]) < 0)
			return false;
	return true;
}

bool
number_credit_code_check(const char *s)
{
	int sum = 0;
	int weight = 1;

	if (!number_credit_code(s))
		return false;
	for (size_t i = 0; i < CREDIT_LEN - 1; i++) {
		sum += credit_value(s[i]) * weight;
		weight = weight * 3 % 31;
	}
	return credit_value(s[CREDIT_LEN - 1]) == (31 - sum % 31) % 31;
}

static bool
province(const char *s)
{
	static const struct {
		int from;
		int to;
	} blocks[] = { { 11, 15 }, { 21, 23 }, { 31, 37 }, { 41, 46 }, { 50, 54 }, { 61, 65 },
		{ 71, 71 }, { 81, 83 } };
	const int code = (s[0] - '0') * 10 + (s[1] - '0');

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (code >= blocks[i].from && code <= blocks[i].to)
			return true;
	return false;
}

static int
to_int(const char *s, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (s[i] - '0');
	return v;
}

static bool
real_date(int year, int month, int day)
{
	static const int last[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 1880 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= last[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days since 1970-01-01 in the Gregorian calendar, counted from 1 March of year 0. */
static int64_t
day_number(int year, int month, int day)
{
	const int64_t y = month > 2 ? year : year - 1;
	const int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool
born(const char *yyyymmdd, int64_t today)
{
	const int year = to_int(yyyymmdd, 4);
	const int month = to_int(yyyymmdd + 4, 2);
	const int day = to_int(yyyymmdd + 6, 2);

	return real_date(year, month, day) && day_number(year, month, day) <= today;
}

bool
number_resident_id(const char *s, int64_t today)
{
	static const int weight[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;

	if (strlen(s) != ID_LEN || !digits(s, ID_LEN - 1) || !province(s) || !born(s + 6, today))
		return false;
	for (size_t i = 0; i < ID_LEN - 1; i++)
		sum += (s[i] - '0') * weight[i];
	return s[ID_LEN - 1] == "10X98765432"[sum % 11];
}

bool
number_phone(const char *s)
{
	return strlen(s) == 11 && digits(s, 11) && s[0] == '1' && s[1] >= '3';
}

bool
number_postcode(const char *s)
{
	return strlen(s) == 6 && digits(s, 6);
}

static bool
alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
email_local(const char *s, size_t n)
{
	if (n == 0 || n > 64 || s[0] == '.' || s[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!alnum(s[i]) && (s[i] == '\0' || strchr("!#$%&'*+-/=?^_`{|}~.", s[i]) == NULL))
			return false;
		if (s[i] == '.' && s[i + 1] == '.')
			return false;
	}
	return true;
}

static bool
email_domain(const char *s)
{
	const char *label = s;
	int dots = 0;

	for (;; s++) {
		if (*s == '.' || *s == '\0') {
			if (s == label || s - label > 63 || *label == '-' || s[-1] == '-')
				return false;
			if (*s == '\0')
				return dots > 0 && s - label >= 2;
			dots++;
			label = s + 1;
		} else if (!alnum(*s) && *s != '-') {
			return false;
		}
	}
}

bool
number_email(const char *s)
{
	const char *at = strchr(s, '@');

	return at != NULL && strlen(s) <= 120 && email_local(s, (size_t)(at - s)) &&
	       email_domain(at + 1);
}

void
number_phone_mask(const char *s, char out[NUMBER_MASK_LEN])
{
	out[0] = '\0';
	if (!number_phone(s))
		return;
	memcpy(out, s, NUMBER_MASK_LEN - 1);
	memcpy(out + 3, "****", 4);
	out[NUMBER_MASK_LEN - 1] = '\0';
}
