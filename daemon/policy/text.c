#include <string.h>

#include "policy/text.h"
#include "uk/utf8.h"

#define BYTES_PER_CHAR 3 /* Chinese; what is longer has to be short */
#define MARKS_MAX      2

struct range {
	uint32_t from;
	uint32_t to;
};

/* Blank, invisible, or turning the writing direction; and the brackets that quote a site's words.
 */
static const struct range bad[] = {
	{ 0x20, 0x20 },
	{ 0xa0, 0xa0 },
	{ 0xad, 0xad },
	{ 0x34f, 0x34f },
	{ 0x61c, 0x61c },
	{ 0x115f, 0x1160 },
	{ 0x1680, 0x1680 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x2000, 0x200f },
	{ 0x2028, 0x202f },
	{ 0x205f, 0x206f },
	{ 0x2800, 0x2800 },
	{ 0x3000, 0x3000 },
	{ 0x300c, 0x300f },
	{ 0x3164, 0x3164 },
	{ 0xe000, 0xf8ff },
	{ 0xfe00, 0xfe0f },
	{ 0xfe41, 0xfe44 },
	{ 0xfeff, 0xfeff },
	{ 0xff62, 0xff63 },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffd },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0x10ffff },
};

/* Combining marks: piled up they paint over the lines around. */
static const struct range marks[] = {
	{ 0x300, 0x36f },
	{ 0x483, 0x489 },
	{ 0x591, 0x5bd },
	{ 0x610, 0x61a },
	{ 0x64b, 0x65f },
	{ 0xe31, 0xe3a },
	{ 0xe47, 0xe4e },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x20d0, 0x20ff },
	{ 0xfe20, 0xfe2f },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
is_in(const struct range *table, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= table[i].from && c <= table[i].to)
			return true;
	return false;
}

/* The code point of the n bytes of a well-formed character. */
static uint32_t
code_of(const char *s, size_t n)
{
	uint32_t c = (uint8_t)s[0] & (n == 1 ? 0x7fu : 0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((uint8_t)s[i] & 0x3f);
	return c;
}

/* What may not be shown is a blank; so is a row of it, which could fill a line to its end. */
void
text_put(struct uk_buf *out, const char *s, size_t max)
{
	size_t chars = 0, bytes = 0, piled = 0;
	bool blank = false;

	while (*s != '\0') {
		const size_t n = uk_utf8_char(s), step = n != 0 ? n : 1;
		const uint32_t c = n != 0 ? code_of(s, n) : ' ';

		piled = is_in(marks, COUNT(marks), c) ? piled + 1 : 0;
		if (is_in(bad, COUNT(bad), c) || piled > MARKS_MAX) {
			blank = true;
			s += step;
			continue;
		}
		if (chars + 1 + blank > max || bytes + n + blank > max * BYTES_PER_CHAR) {
			uk_buf_put_str(out, "…");
			return;
		}
		if (blank && chars > 0) {
			uk_buf_put_u8(out, ' ');
			chars++;
			bytes++;
		}
		blank = false;
		uk_buf_put(out, uk_span(s, n));
		chars++;
		bytes += n;
		s += step;
	}
}

size_t
text_fit(const char *s, size_t n)
{
	const size_t len = strlen(s);

	if (len <= n)
		return len;
	while (n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}
