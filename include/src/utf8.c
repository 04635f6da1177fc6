#include <stdint.h>

#include "uk/utf8.h"

struct utf8_row {
	uint8_t first_min, first_max;
	uint8_t second_min, second_max;
	uint8_t n;
};

/* RFC 3629 section 4, without overlong forms and surrogates; U+0080 to U+009F are controls. */
static const struct utf8_row rows[] = {
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

size_t
uk_utf8_char(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct utf8_row *r = &rows[i];

		if (p[0] < r->first_min || p[0] > r->first_max)
			continue;
		if (r->n > 1 && (p[1] < r->second_min || p[1] > r->second_max))
			return 0;
		for (size_t k = 2; k < r->n; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return r->n;
	}
	return 0;
}

bool
uk_utf8_count(const char *s, size_t *chars)
{
	size_t count = 0, n;

	for (; *s != '\0'; s += n, count++) {
		n = uk_utf8_char(s);
		if (n == 0)
			return false;
	}
	*chars = count;
	return true;
}
