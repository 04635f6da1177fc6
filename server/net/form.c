#include <stdlib.h>
#include <string.h>

#include "net/form.h"

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* %XX of s at i; -1 for a bad one and for NUL, which no string of ours can hold. */
static int
escape(struct uk_span s, size_t i)
{
	int hi;
	int lo;

	if (s.n - i < 3)
		return -1;
	hi = hex_digit(s.p[i + 1]);
	lo = hex_digit(s.p[i + 2]);
	if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
		return -1;
	return hi * 16 + lo;
}

/* Decodes into `to`, which has room for s.n bytes; the length written, or -1. */
static long
decode(struct uk_span s, bool plus, char *to)
{
	long n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int c = s.p[i];

		if (c == '%') {
			c = escape(s, i);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c <= 0)
			return -1;
		to[n++] = (char)c;
	}
	return n;
}

/* One "name=value" into text at *at, both with a NUL behind. */
static enum uk_rc
put_pair(struct uk_span s, struct net_pairs *out, size_t *at)
{
	const uint8_t *eq = memchr(s.p, '=', s.n);
	const size_t name_n = eq != NULL ? (size_t)(eq - s.p) : s.n;
	const size_t value_at = eq != NULL ? name_n + 1 : s.n;
	char *name = out->text + *at;
	char *value;
	long n;

	if ((n = decode(uk_span(s.p, name_n), true, name)) <= 0)
		return UK_E_INPUT;
	name[n] = '\0';
	value = name + n + 1;
	if ((n = decode(uk_span(s.p + value_at, s.n - value_at), true, value)) < 0)
		return UK_E_INPUT;
	value[n] = '\0';
	if (net_pairs_get(out, name) != NULL)
		return UK_E_INPUT;
	if (out->n == NET_PAIRS_MAX)
		return UK_E_LIMIT;
	out->v[out->n++] = (struct net_pair){ .name = name, .value = value };
	*at = (size_t)(value - out->text) + (size_t)n + 1;
	return UK_OK;
}

enum uk_rc
net_pairs_parse(struct uk_span s, struct net_pairs *out)
{
	struct net_pairs p = { 0 };
	size_t at = 0;
	enum uk_rc rc;

	/* Each pair needs its own length, or one more where "=" is missing, and two NULs. */
	p.text = uk_xalloc(s.n + (size_t)2 * NET_PAIRS_MAX + 2);
	for (size_t i = 0; i < s.n;) {
		const uint8_t *amp = memchr(s.p + i, '&', s.n - i);
		const size_t n = amp != NULL ? (size_t)(amp - s.p) - i : s.n - i;

		rc = put_pair(uk_span(s.p + i, n), &p, &at);
		if (rc != UK_OK) {
			net_pairs_fini(&p);
			return rc;
		}
		i += n + 1;
	}
	*out = p;
	return UK_OK;
}

void
net_pairs_fini(struct net_pairs *p)
{
	free(p->text);
	*p = (struct net_pairs){ 0 };
}

const char *
net_pairs_get(const struct net_pairs *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].name, name) == 0)
			return p->v[i].value;
	return NULL;
}

static bool
unreserved(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void
net_url_put(struct uk_buf *out, struct uk_span s)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		if (unreserved(s.p[i])) {
			uk_buf_put_u8(out, s.p[i]);
			continue;
		}
		uk_buf_put_u8(out, '%');
		uk_buf_put_u8(out, (uint8_t)digits[s.p[i] >> 4]);
		uk_buf_put_u8(out, (uint8_t)digits[s.p[i] & 15]);
	}
}

void
net_form_put(struct uk_buf *out, const char *name, const char *value)
{
	if (out->n != 0)
		uk_buf_put_u8(out, '&');
	net_url_put(out, uk_span_str(name));
	uk_buf_put_u8(out, '=');
	net_url_put(out, uk_span_str(value));
}

enum uk_rc
net_url_get(struct uk_buf *out, struct uk_span s)
{
	uint8_t *room = uk_buf_room(out, s.n);
	long n;

	if (room == NULL)
		return UK_E_LIMIT;
	n = decode(s, false, (char *)room);
	if (n < 0)
		return UK_E_INPUT;
	uk_buf_add(out, (size_t)n);
	return UK_OK;
}
