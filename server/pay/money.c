#include <assert.h>
#include <inttypes.h>

#include "pay/money.h"

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

enum uk_rc
money_parse(const char *s, int64_t *fen)
{
	int64_t v = 0;
	int decimals = 0;

	if (!digit(s[0]) || (s[0] == '0' && digit(s[1])))
		return UK_E_INPUT;
	for (; digit(*s); s++) {
		v = v * 10 + (*s - '0');
		if (v > MONEY_MAX / 100)
			return UK_E_INPUT;
	}
	if (*s == '.') {
		for (s++; digit(*s) && decimals < 2; s++, decimals++)
			v = v * 10 + (*s - '0');
		if (decimals == 0)
			return UK_E_INPUT;
	}
	for (; decimals < 2; decimals++)
		v *= 10;
	if (*s != '\0' || v > MONEY_MAX)
		return UK_E_INPUT;
	*fen = v;
	return UK_OK;
}

void
money_put(struct uk_buf *out, int64_t fen)
{
	assert(fen >= 0 && fen <= MONEY_MAX);
	uk_buf_printf(out, "%" PRId64 ".%02d", fen / 100, (int)(fen % 100));
}
