#include <time.h>

#include "ca/der_read.h"

#define LENGTH_BYTES_MAX 4
#define OID_MAX          32

struct der_in
der_in(struct uk_span der)
{
	return (struct der_in){ .left = der };
}

bool
der_is(const struct der_in *in, uint8_t tag)
{
	return !in->failed && in->left.n != 0 && in->left.p[0] == tag;
}

/* The head's length and the content's; false for a length that DER does not write. */
static bool
read_head(struct uk_span s, size_t *head, size_t *content)
{
	size_t n, v = 0;

	if (s.n < 2)
		return false;
	if (s.p[1] < 0x80) {
		*head = 2;
		*content = s.p[1];
		return *content <= s.n - 2;
	}
	n = s.p[1] & 0x7f;
	if (n == 0 || n > LENGTH_BYTES_MAX || s.n < 2 + n || s.p[2] == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | s.p[2 + i];
	*head = 2 + n;
	*content = v;
	return v >= 0x80 && v <= s.n - *head;
}

static bool
next(struct der_in *in, uint8_t tag, size_t *head, size_t *content)
{
	if (der_is(in, tag) && read_head(in->left, head, content))
		return true;
	in->failed = true;
	return false;
}

static void
pass(struct der_in *in, size_t n)
{
	in->left = uk_span(in->left.p + n, in->left.n - n);
}

struct uk_span
der_take(struct der_in *in, uint8_t tag)
{
	struct uk_span s = uk_span(NULL, 0);
	size_t head, content;

	if (next(in, tag, &head, &content)) {
		s = uk_span(in->left.p + head, content);
		pass(in, head + content);
	}
	return s;
}

struct uk_span
der_take_whole(struct der_in *in, uint8_t tag)
{
	struct uk_span s = uk_span(NULL, 0);
	size_t head, content;

	if (next(in, tag, &head, &content)) {
		s = uk_span(in->left.p, head + content);
		pass(in, head + content);
	}
	return s;
}

struct der_in
der_enter(struct der_in *in, uint8_t tag)
{
	const struct uk_span s = der_take(in, tag);

	return (struct der_in){ .left = s, .failed = in->failed };
}

bool
der_ended(const struct der_in *in)
{
	return !in->failed && in->left.n == 0;
}

struct uk_span
der_take_positive(struct der_in *in)
{
	struct uk_span s = der_take(in, DER_INTEGER);

	if (s.n == 0 || s.p[0] >= 0x80 || (s.n > 1 && s.p[0] == 0 && s.p[1] < 0x80) ||
	    (s.n == 1 && s.p[0] == 0)) {
		in->failed = true;
		return uk_span(NULL, 0);
	}
	return s.p[0] == 0 ? uk_span(s.p + 1, s.n - 1) : s;
}

struct uk_span
der_take_bits(struct der_in *in)
{
	const struct uk_span s = der_take(in, DER_BITS);

	if (s.n == 0 || s.p[0] != 0) {
		in->failed = true;
		return uk_span(NULL, 0);
	}
	return uk_span(s.p + 1, s.n - 1);
}

/* n decimal digits; false for what is none. */
static bool
digits(const uint8_t **p, size_t n, int *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++, ++*p) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return true;
}

static bool
read_time(struct uk_span s, size_t year_digits, int64_t *t)
{
	struct tm tm = { 0 }, back;
	const uint8_t *p = s.p;
	time_t tt;

	if (s.n != year_digits + 11 || s.p[s.n - 1] != 'Z' ||
	    !digits(&p, year_digits, &tm.tm_year) || !digits(&p, 2, &tm.tm_mon) ||
	    !digits(&p, 2, &tm.tm_mday) || !digits(&p, 2, &tm.tm_hour) ||
	    !digits(&p, 2, &tm.tm_min) || !digits(&p, 2, &tm.tm_sec))
		return false;
	/* a UTCTime's year is of 1950 to 2049 */
	if (year_digits == 2)
		tm.tm_year += tm.tm_year < 50 ? 100 : 0;
	else
		tm.tm_year -= 1900;
	tm.tm_mon--;
	back = tm;
	tt = timegm(&back);
	*t = (int64_t)tt;
	/* a date that is none comes back as another */
	return back.tm_mday == tm.tm_mday && back.tm_mon == tm.tm_mon &&
	       back.tm_hour == tm.tm_hour && back.tm_min == tm.tm_min && back.tm_sec == tm.tm_sec;
}

bool
der_take_time(struct der_in *in, int64_t *t)
{
	const bool utc = der_is(in, DER_UTC_TIME);
	const struct uk_span s = der_take(in, utc ? DER_UTC_TIME : DER_TIME);

	if (in->failed || !read_time(s, utc ? 2 : 4, t))
		in->failed = true;
	return !in->failed;
}

bool
der_oid_is(struct uk_span content, const char *dotted)
{
	struct uk_buf b;
	bool same;

	uk_buf_init(&b, OID_MAX);
	der_put_oid(&b, dotted);
	same = !uk_buf_failed(&b) && content.n == b.n - 2 &&
	       uk_span_eq(content, uk_span(b.p + 2, b.n - 2));
	uk_buf_fini(&b);
	return same;
}
