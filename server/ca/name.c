#include "ca/der.h"
#include "ca/name.h"

#define NAME_C "2.5.4.6"

struct utf8_row {
	uint8_t first_min, first_max;
	uint8_t second_min, second_max;
	uint8_t n;
};

/* RFC 3629 section 4; U+0080 to U+009F are controls and left out. */
static const struct utf8_row utf8[] = {
	{ 0x20, 0x7e, 0, 0, 1 },
	{ 0xc2, 0xc2, 0xa0, 0xbf, 2 },
	{ 0xc3, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Bytes of the character at s, 0 when there is none that a name may have. */
static size_t
step(const uint8_t *s)
{
	for (size_t i = 0; i < sizeof(utf8) / sizeof(utf8[0]); i++) {
		const struct utf8_row *r = &utf8[i];

		if (s[0] < r->first_min || s[0] > r->first_max)
			continue;
		if (r->n > 1 && (s[1] < r->second_min || s[1] > r->second_max))
			return 0;
		for (size_t k = 2; k < r->n; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return r->n;
	}
	return 0;
}

enum uk_rc
name_check(const char *value, size_t max, const char *field, struct uk_err *err)
{
	const uint8_t *p = (const uint8_t *)value;
	size_t chars = 0, n;

	if (value == NULL || *value == '\0')
		return uk_fail_field(err, field, "missing");
	for (; *p != '\0'; p += n, chars++) {
		n = step(p);
		if (n == 0)
			return uk_fail_field(err, field, NULL);
	}
	return chars <= max ? UK_OK : uk_fail_field(err, field, "wrong-length");
}

static void
put_part(struct uk_buf *out, const char *oid, uint8_t tag, const char *value)
{
	const size_t set = der_begin(out, DER_SET);
	const size_t pair = der_begin(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	der_put_str(out, tag, value);
	der_end(out, pair);
	der_end(out, set);
}

void
name_put(const struct name_part *parts, size_t n, struct uk_buf *out)
{
	const size_t at = der_begin(out, DER_SEQUENCE);

	put_part(out, NAME_C, DER_PRINTABLE, "CN");
	for (size_t i = 0; i < n; i++)
		put_part(out, parts[i].oid, DER_UTF8, parts[i].value);
	der_end(out, at);
}
