#include <string.h>

#include "uk/b64.h"

static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
encode(struct uk_buf *out, struct uk_span s, const char *alphabet, bool pad)
{
	const size_t len = pad ? (s.n + 2) / 3 * 4 : s.n / 3 * 4 + (s.n % 3 != 0 ? s.n % 3 + 1 : 0);
	uint8_t *p = uk_buf_room(out, len);
	size_t n = 0;

	if (p == NULL)
		return;
	for (size_t i = 0; i < s.n; i += 3) {
		const size_t left = s.n - i;
		const uint32_t v = (uint32_t)s.p[i] << 16 |
				   (left > 1 ? (uint32_t)s.p[i + 1] << 8 : 0) |
				   (left > 2 ? s.p[i + 2] : 0);

		p[n++] = (uint8_t)alphabet[v >> 18];
		p[n++] = (uint8_t)alphabet[v >> 12 & 63];
		if (left > 1)
			p[n++] = (uint8_t)alphabet[v >> 6 & 63];
		else if (pad)
			p[n++] = '=';
		if (left > 2)
			p[n++] = (uint8_t)alphabet[v & 63];
		else if (pad)
			p[n++] = '=';
	}
	uk_buf_add(out, n);
}

/* `n` characters without padding; the unused low bits of the last one must be zero. */
static enum uk_rc
decode(struct uk_buf *out, const char *s, size_t n, const char *alphabet)
{
	uint8_t value[256];
	uint32_t v = 0;
	unsigned bits = 0;
	size_t made = 0;
	uint8_t *p;

	if (n % 4 == 1)
		return UK_E_INPUT;
	p = uk_buf_room(out, n / 4 * 3 + (n % 4 != 0 ? n % 4 - 1 : 0));
	if (p == NULL)
		return UK_E_LIMIT;
	memset(value, 0xff, sizeof(value));
	for (uint8_t i = 0; i < 64; i++)
		value[(uint8_t)alphabet[i]] = i;
	for (size_t i = 0; i < n; i++) {
		const uint8_t d = value[(uint8_t)s[i]];

		if (d == 0xff)
			return UK_E_INPUT;
		v = v << 6 | d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			p[made++] = (uint8_t)(v >> bits);
			v &= (1u << bits) - 1;
		}
	}
	if (v != 0)
		return UK_E_INPUT;
	uk_buf_add(out, made);
	return UK_OK;
}

void
uk_b64_put(struct uk_buf *out, struct uk_span s)
{
	encode(out, s, std_alphabet, true);
}

void
uk_b64url_put(struct uk_buf *out, struct uk_span s)
{
	encode(out, s, url_alphabet, false);
}

char *
uk_b64_dup(struct uk_span s)
{
	struct uk_buf b;

	uk_buf_init(&b, (s.n + 2) / 3 * 4);
	uk_b64_put(&b, s);
	return uk_buf_steal_str(&b);
}

enum uk_rc
uk_b64_get(struct uk_buf *out, const char *s)
{
	size_t n = strlen(s);

	if (n % 4 != 0)
		return UK_E_INPUT;
	for (int i = 0; i < 2 && n > 0 && s[n - 1] == '='; i++)
		n--;
	return decode(out, s, n, std_alphabet);
}

enum uk_rc
uk_b64url_get(struct uk_buf *out, const char *s)
{
	return decode(out, s, strlen(s), url_alphabet);
}

void
uk_hex_put(struct uk_buf *out, struct uk_span s)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		uk_buf_put_u8(out, (uint8_t)digits[s.p[i] >> 4]);
		uk_buf_put_u8(out, (uint8_t)digits[s.p[i] & 15]);
	}
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum uk_rc
uk_hex_get(struct uk_buf *out, const char *s)
{
	for (; s[0] != '\0'; s += 2) {
		const int hi = nibble(s[0]);
		const int lo = hi < 0 ? -1 : nibble(s[1]);

		if (lo < 0)
			return UK_E_INPUT;
		uk_buf_put_u8(out, (uint8_t)(hi << 4 | lo));
	}
	return uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
}
