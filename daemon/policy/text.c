#include <string.h>

#include "policy/text.h"

/* Bytes of the character at s and its code point; 1 and 0 where it is not UTF-8 (RFC 3629). */
static size_t
decode(const char *s, uint32_t *cp)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t min;
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};
	const uint8_t *p = (const uint8_t *)s;

	for (size_t n = 0; n < 4; n++) {
		if ((p[0] & forms[n].mask) != forms[n].lead)
			continue;
		*cp = p[0] & (uint8_t)~forms[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				goto bad;
			*cp = *cp << 6 | (p[i] & 0x3f);
		}
		if (*cp >= forms[n].min && *cp <= 0x10ffff)
			return n + 1;
		break;
	}
bad:
	*cp = 0;
	return 1;
}

static bool
harmless(uint32_t c)
{
	static const uint32_t bad[][2] = {
		{ 0, 0x1f },
		{ 0x7f, 0x9f },
		{ 0xad, 0xad },
		{ 0x61c, 0x61c },
		{ 0x180e, 0x180e },
		{ 0x200b, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2060, 0x206f },
		{ 0xd800, 0xdfff },
		{ 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb },
		{ 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (c >= bad[i][0] && c <= bad[i][1])
			return false;
	return true;
}

void
text_put(struct uk_buf *out, const char *s, size_t max)
{
	for (size_t chars = 0; *s != '\0'; chars++) {
		uint32_t c;
		const size_t n = decode(s, &c);

		if (chars == max) {
			uk_buf_put_str(out, "…");
			return;
		}
		if (harmless(c))
			uk_buf_put(out, uk_span(s, n));
		else
			uk_buf_put_u8(out, ' ');
		s += n;
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
