#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pay/alipay_wire.h"

#define JOIN_MAX       (64u * 1024u)
#define DEPTH_MAX      32
#define BEIJING_OFFSET (8 * 3600)

static int
by_name(const void *a, const void *b)
{
	const struct net_pair *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool
is_signed(const struct net_pair *p, enum alipay_signed kind)
{
	if (p->value == NULL || p->value[0] == '\0' || strcmp(p->name, "sign") == 0)
		return false;
	return kind == ALIPAY_REQUEST || strcmp(p->name, "sign_type") != 0;
}

void
alipay_join(const struct net_pair *pairs, size_t n, enum alipay_signed kind, struct uk_buf *out)
{
	struct net_pair sorted[NET_PAIRS_MAX];
	const char *sep = "";

	assert(n <= NET_PAIRS_MAX);
	if (n == 0)
		return;
	memcpy(sorted, pairs, n * sizeof(*pairs));
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 0; i < n; i++) {
		if (!is_signed(&sorted[i], kind))
			continue;
		uk_buf_put_str(out, sep);
		uk_buf_put_str(out, sorted[i].name);
		uk_buf_put_str(out, "=");
		uk_buf_put_str(out, sorted[i].value);
		sep = "&";
	}
}

/* A cursor over JSON text that only finds where things end; what is inside is checked later, by
 * the parser, once the signature over it holds. */
struct scan {
	const uint8_t *p;
	const uint8_t *end;
};

static void
skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
}

static bool
skip_char(struct scan *s, char c)
{
	skip_space(s);
	if (s->p >= s->end || *s->p != (uint8_t)c)
		return false;
	s->p++;
	return true;
}

/* The bytes between the quotes. */
static bool
skip_string(struct scan *s, struct uk_span *inside)
{
	const uint8_t *from;

	if (!skip_char(s, '"'))
		return false;
	for (from = s->p; s->p < s->end; s->p++) {
		if (*s->p == '"') {
			*inside = uk_span(from, (size_t)(s->p - from));
			s->p++;
			return true;
		}
		if (*s->p == '\\' && ++s->p >= s->end)
			return false;
	}
	return false;
}

static bool
skip_object(struct scan *s, struct uk_span *raw)
{
	const uint8_t *from;
	struct uk_span ignored;
	int depth = 0;

	skip_space(s);
	from = s->p;
	if (s->p >= s->end || *s->p != '{')
		return false;
	while (s->p < s->end) {
		if (*s->p == '"') {
			if (!skip_string(s, &ignored))
				return false;
			continue;
		}
		if ((*s->p == '{' || *s->p == '[') && ++depth > DEPTH_MAX)
			return false;
		if ((*s->p == '}' || *s->p == ']') && --depth == 0) {
			s->p++;
			*raw = uk_span(from, (size_t)(s->p - from));
			return true;
		}
		s->p++;
	}
	return false;
}

static bool
named(struct uk_span key, const char *name)
{
	return uk_span_eq(key, uk_span_str(name));
}

static bool
take_member(struct scan *s, const char *node, struct alipay_answer *out)
{
	struct uk_span key, value;
	const char *const error = "error_response";

	if (!skip_string(s, &key) || !skip_char(s, ':'))
		return false;
	skip_space(s);
	if (s->p < s->end && *s->p == '{') {
		if (!skip_object(s, &value) || out->node.p != NULL ||
		    (!named(key, node) && !named(key, error)))
			return false;
		out->node = value;
		out->error = named(key, error);
		return true;
	}
	if (!skip_string(s, &value))
		return false;
	if (!named(key, "sign"))
		return true;
	if (out->sign.p != NULL)
		return false;
	out->sign = value;
	return true;
}

enum uk_rc
alipay_answer_split(struct uk_span body, const char *node, struct alipay_answer *out)
{
	struct scan s = { body.p, body.p + body.n };
	struct alipay_answer a = { 0 };

	if (body.n == 0 || body.n > ALIPAY_ANSWER_MAX || !skip_char(&s, '{'))
		return UK_E_INPUT;
	do {
		if (!take_member(&s, node, &a))
			return UK_E_INPUT;
	} while (skip_char(&s, ','));
	if (!skip_char(&s, '}') || a.node.p == NULL)
		return UK_E_INPUT;
	skip_space(&s);
	if (s.p != s.end)
		return UK_E_INPUT;
	*out = a;
	return UK_OK;
}

enum uk_rc
alipay_notice_open(
    const struct uk_pubkey *alipay, struct uk_span body, struct net_pairs *out, struct uk_err *err)
{
	struct net_pairs pairs;
	const char *type, *sign;
	struct uk_buf joined;
	enum uk_rc rc;

	uk_buf_init(&joined, JOIN_MAX);
	if (net_pairs_parse(body, &pairs) != UK_OK)
		return uk_fail(err, UK_E_INPUT, "notice-malformed", "alipay", 0);
	type = net_pairs_get(&pairs, "sign_type");
	sign = net_pairs_get(&pairs, "sign");
	/* The message does not choose the algorithm: "RSA" would be SHA-1. */
	if (type == NULL || strcmp(type, "RSA2") != 0 || sign == NULL) {
		rc = uk_fail(err, UK_E_INTEGRITY, "signature-wrong", "alipay-sign-type", 0);
		goto out;
	}
	alipay_join(pairs.v, pairs.n, ALIPAY_NOTICE, &joined);
	rc = uk_buf_failed(&joined) ? uk_fail(err, UK_E_LIMIT, NULL, "alipay", 0)
				    : rsa2_verify(alipay, uk_buf_span(&joined), sign, err);
out:
	uk_buf_fini(&joined);
	if (rc == UK_OK)
		*out = pairs;
	else
		net_pairs_fini(&pairs);
	return rc;
}

static const char *const status_names[] = {
	[PAY_WAITING] = "WAIT_BUYER_PAY",
	[PAY_PAID] = "TRADE_SUCCESS",
	[PAY_FINISHED] = "TRADE_FINISHED",
	[PAY_CLOSED] = "TRADE_CLOSED",
};
static_assert(sizeof(status_names) / sizeof(status_names[0]) == PAY_STATUS__MAX, "names");

enum pay_status
alipay_status_from_name(const char *name)
{
	unsigned i = 0;

	while (i < PAY_STATUS__MAX && strcmp(status_names[i], name) != 0)
		i++;
	return (enum pay_status)i;
}

const char *
alipay_status_name(enum pay_status s)
{
	return status_names[s];
}

int64_t
alipay_time_parse(const char *s)
{
	struct tm tm = { 0 };
	int n = 0;

	if (sscanf(s, "%4d-%2d-%2d %2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		&tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6 ||
	    (s[n] != '\0' && s[n] != '.'))
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) - BEIJING_OFFSET;
}
