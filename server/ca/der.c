#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ca/der.h"

size_t
der_begin(struct uk_buf *b, uint8_t tag)
{
	uk_buf_put_u8(b, tag);
	uk_buf_put_u8(b, 0); /* grows in der_end() when the content is long */
	return b->n;
}

void
der_end(struct uk_buf *b, size_t at)
{
	const size_t n = b->n - at;
	size_t more = 0;

	if (uk_buf_failed(b))
		return;
	while (n > 127 && n >> (8 * more) != 0)
		more++;
	if (uk_buf_room(b, more) == NULL)
		return;
	memmove(b->p + at + more, b->p + at, n);
	b->p[at - 1] = more == 0 ? (uint8_t)n : (uint8_t)(0x80 | more);
	for (size_t i = 0; i < more; i++)
		b->p[at + i] = (uint8_t)(n >> (8 * (more - 1 - i)));
	uk_buf_add(b, more);
}

void
der_put(struct uk_buf *b, uint8_t tag, struct uk_span content)
{
	const size_t at = der_begin(b, tag);

	uk_buf_put(b, content);
	der_end(b, at);
}

void
der_put_str(struct uk_buf *b, uint8_t tag, const char *s)
{
	der_put(b, tag, uk_span_str(s));
}

void
der_put_true(struct uk_buf *b)
{
	der_put(b, DER_BOOLEAN, uk_span("\xff", 1));
}

static void
put_magnitude(struct uk_buf *b, uint8_t tag, struct uk_span m)
{
	const size_t at = der_begin(b, tag);

	while (m.n > 0 && m.p[0] == 0)
		m = uk_span(m.p + 1, m.n - 1);
	if (m.n == 0 || m.p[0] >= 0x80)
		uk_buf_put_u8(b, 0);
	uk_buf_put(b, m);
	der_end(b, at);
}

void
der_put_uint(struct uk_buf *b, uint8_t tag, uint64_t v)
{
	uint8_t be[8];

	for (unsigned i = 0; i < sizeof(be); i++)
		be[i] = (uint8_t)(v >> (56 - 8 * i));
	put_magnitude(b, tag, uk_span(be, sizeof(be)));
}

void
der_put_integer(struct uk_buf *b, struct uk_span magnitude)
{
	put_magnitude(b, DER_INTEGER, magnitude);
}

static void
put_base128(struct uk_buf *b, uint64_t v)
{
	unsigned shift = 0;

	while (shift < 63 && v >> (shift + 7) != 0)
		shift += 7;
	for (; shift > 0; shift -= 7)
		uk_buf_put_u8(b, (uint8_t)(0x80 | (v >> shift & 0x7f)));
	uk_buf_put_u8(b, (uint8_t)(v & 0x7f));
}

/* One arc; moves *s behind its dot.  An arc that is none fails the buffer. */
static uint64_t
get_arc(struct uk_buf *b, const char **s)
{
	uint64_t v = 0;
	size_t digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 10; digits++, ++*s)
		v = v * 10 + (uint64_t)(**s - '0');
	if (digits == 0 || (**s != '\0' && (**s != '.' || (*s)[1] == '\0')))
		b->failed = true;
	else if (**s == '.')
		++*s;
	return v;
}

void
der_put_oid(struct uk_buf *b, const char *dotted)
{
	const size_t at = der_begin(b, DER_OID);
	const uint64_t first = get_arc(b, &dotted);
	const uint64_t second = get_arc(b, &dotted);

	if (first > 2 || (first < 2 && second > 39))
		b->failed = true;
	put_base128(b, first * 40 + second);
	while (*dotted != '\0' && !uk_buf_failed(b))
		put_base128(b, get_arc(b, &dotted));
	der_end(b, at);
}

void
der_put_named_bits(struct uk_buf *b, uint16_t bits)
{
	const size_t at = der_begin(b, DER_BITS);
	uint8_t unused = 0;

	if (bits == 0) {
		uk_buf_put_u8(b, 0);
	} else {
		while ((bits >> unused & 1) == 0)
			unused++;
		uk_buf_put_u8(b, unused % 8);
		uk_buf_put_u8(b, (uint8_t)(bits >> 8));
		if (unused < 8)
			uk_buf_put_u8(b, (uint8_t)bits);
	}
	der_end(b, at);
}

void
der_put_bits(struct uk_buf *b, struct uk_span bytes)
{
	const size_t at = der_begin(b, DER_BITS);

	uk_buf_put_u8(b, 0);
	uk_buf_put(b, bytes);
	der_end(b, at);
}

static void
put_time(struct uk_buf *b, int64_t t, bool may_be_utc)
{
	const time_t tt = (time_t)t;
	char text[32];
	struct tm tm;
	bool utc;

	if (gmtime_r(&tt, &tm) == NULL || tm.tm_year < 50 || tm.tm_year > 8099) {
		b->failed = true;
		return;
	}
	utc = may_be_utc && tm.tm_year < 150;
	if (strftime(text, sizeof(text), utc ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &tm) == 0) {
		b->failed = true;
		return;
	}
	der_put_str(b, utc ? DER_UTC_TIME : DER_TIME, text);
}

void
der_put_time(struct uk_buf *b, int64_t t)
{
	put_time(b, t, true);
}

void
der_put_generalized(struct uk_buf *b, int64_t t)
{
	put_time(b, t, false);
}

struct der_extension
der_extension_begin(struct uk_buf *b, const char *oid, bool critical)
{
	struct der_extension e = { .whole = der_begin(b, DER_SEQUENCE) };

	der_put_oid(b, oid);
	if (critical)
		der_put_true(b);
	e.value = der_begin(b, DER_OCTETS);
	return e;
}

void
der_extension_end(struct uk_buf *b, struct der_extension e)
{
	der_end(b, e.value);
	der_end(b, e.whole);
}
