#include <string.h>

#include "http/cookie.h"

/* token of RFC 9110 section 5.6.2 */
static bool
name_char(uint8_t c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

/* cookie-octet of RFC 6265 section 4.1.1 */
static bool
value_char(uint8_t c)
{
	return c > ' ' && c < 0x7f && strchr("\",;\\", c) == NULL;
}

static bool
all(struct uk_span s, bool (*ok)(uint8_t))
{
	for (size_t i = 0; i < s.n; i++)
		if (!ok(s.p[i]))
			return false;
	return true;
}

static struct uk_span
trim(struct uk_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = uk_span(s.p + 1, s.n - 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static char *
put(struct uk_span s, char *at)
{
	if (s.n > 0)
		memcpy(at, s.p, s.n);
	at[s.n] = '\0';
	return at + s.n + 1;
}

static char *
take_pair(struct uk_span part, struct net_pairs *out, char *at)
{
	const uint8_t *eq = part.n != 0 ? memchr(part.p, '=', part.n) : NULL;
	struct uk_span name;
	struct uk_span value;
	char *value_at;

	if (eq == NULL || out->n == NET_PAIRS_MAX)
		return at;
	name = uk_span(part.p, (size_t)(eq - part.p));
	value = uk_span(eq + 1, part.n - name.n - 1);
	if (name.n == 0 || !all(name, name_char) || !all(value, value_char))
		return at;
	value_at = put(name, at);
	if (net_pairs_get(out, at) != NULL)
		return at;
	out->v[out->n++] = (struct net_pair){ .name = at, .value = value_at };
	return put(value, value_at);
}

void
http_cookies_parse(struct uk_span header, struct net_pairs *out)
{
	char *at;

	*out = (struct net_pairs){ 0 };
	if (header.n > HTTP_COOKIES_BYTES_MAX)
		return;
	/* "a=1;" becomes "a" NUL "1" NUL: never longer than what it came from, but for the last. */
	at = out->text = uk_xalloc(header.n + 2);
	for (size_t i = 0; i < header.n;) {
		const uint8_t *end = memchr(header.p + i, ';', header.n - i);
		const size_t n = end != NULL ? (size_t)(end - header.p) - i : header.n - i;

		at = take_pair(trim(uk_span(header.p + i, n)), out, at);
		i += n + 1;
	}
}

enum uk_rc
http_cookie_put(struct uk_buf *out, const char *name, const char *value, const char *path,
    int64_t max_age, bool secure)
{
	if (*name == '\0' || !all(uk_span_str(name), name_char) ||
	    !all(uk_span_str(value), value_char) || *path != '/' ||
	    !all(uk_span_str(path), value_char))
		return UK_E_INPUT;
	uk_buf_printf(out, "%s=%s; Path=%s; HttpOnly; SameSite=Strict", name, value, path);
	if (secure)
		uk_buf_put_str(out, "; Secure");
	if (max_age >= 0)
		uk_buf_printf(out, "; Max-Age=%lld", (long long)max_age);
	return uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
}
