#include <string.h>

#include "token/text.h"

size_t
text_char(struct uk_span s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t u;
	size_t more;

	if (s.n == 0 || (s.p[0] >= 0x80 && s.p[0] < 0xc2) || s.p[0] > 0xf4)
		return 0;
	more = s.p[0] < 0x80 ? 0 : s.p[0] < 0xe0 ? 1 : s.p[0] < 0xf0 ? 2 : 3;
	if (more >= s.n)
		return 0;
	u = more == 0 ? s.p[0] : s.p[0] & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
		u = u << 6 | (s.p[i] & 0x3fu);
	}
	if (u < 0x20 || (u >= 0x7f && u < 0xa0) || u < least[more] || u > 0x10ffff ||
	    (u >= 0xd800 && u < 0xe000))
		return 0;
	return more + 1;
}

bool
text_ok(struct uk_span s)
{
	while (s.n != 0) {
		const size_t n = text_char(s);

		if (n == 0)
			return false;
		s = uk_span(s.p + n, s.n - n);
	}
	return true;
}

void
text_copy(char *out, size_t cap, struct uk_span s)
{
	size_t at = 0;

	while (s.n != 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\0'))
		s.n--;
	while (s.n != 0) {
		const size_t n = text_char(s);
		const size_t step = n != 0 ? n : 1;

		if (at + step >= cap)
			break;
		if (n != 0)
			memcpy(out + at, s.p, n);
		else
			out[at] = '?';
		at += step;
		s = uk_span(s.p + step, s.n - step);
	}
	out[at] = '\0';
}
