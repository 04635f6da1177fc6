#include "ca/der_read.h"

#define LENGTH_BYTES_MAX 4
#define OID_MAX          32

struct der_in
der_in(struct uk_span der)
{
	return (struct der_in){ .left = der };
}

bool
der_is(const struct der_in *in, uint8_t tag)
{
	return !in->failed && in->left.n != 0 && in->left.p[0] == tag;
}

/* The head's length and the content's; false for a length that DER does not write. */
static bool
read_head(struct uk_span s, size_t *head, size_t *content)
{
	size_t n, v = 0;

	if (s.n < 2)
		return false;
	if (s.p[1] < 0x80) {
		*head = 2;
		*content = s.p[1];
		return *content <= s.n - 2;
	}
	n = s.p[1] & 0x7f;
	if (n == 0 || n > LENGTH_BYTES_MAX || s.n < 2 + n || s.p[2] == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | s.p[2 + i];
	*head = 2 + n;
	*content = v;
	return v >= 0x80 && v <= s.n - *head;
}

static bool
next(struct der_in *in, uint8_t tag, size_t *head, size_t *content)
{
	if (der_is(in, tag) && read_head(in->left, head, content))
		return true;
	in->failed = true;
	return false;
}

static void
pass(struct der_in *in, size_t n)
{
	in->left = uk_span(in->left.p + n, in->left.n - n);
}

struct uk_span
der_take(struct der_in *in, uint8_t tag)
{
	struct uk_span s = uk_span(NULL, 0);
	size_t head, content;

	if (next(in, tag, &head, &content)) {
		s = uk_span(in->left.p + head, content);
		pass(in, head + content);
	}
	return s;
}

struct uk_span
der_take_whole(struct der_in *in, uint8_t tag)
{
	struct uk_span s = uk_span(NULL, 0);
	size_t head, content;

	if (next(in, tag, &head, &content)) {
		s = uk_span(in->left.p, head + content);
		pass(in, head + content);
	}
	return s;
}

struct der_in
der_enter(struct der_in *in, uint8_t tag)
{
	const struct uk_span s = der_take(in, tag);

	return (struct der_in){ .left = s, .failed = in->failed };
}

bool
der_ended(const struct der_in *in)
{
	return !in->failed && in->left.n == 0;
}

struct uk_span
der_take_positive(struct der_in *in)
{
	struct uk_span s = der_take(in, DER_INTEGER);

	if (s.n == 0 || s.p[0] >= 0x80 || (s.n > 1 && s.p[0] == 0 && s.p[1] < 0x80) ||
	    (s.n == 1 && s.p[0] == 0)) {
		in->failed = true;
		return uk_span(NULL, 0);
	}
	return s.p[0] == 0 ? uk_span(s.p + 1, s.n - 1) : s;
}

struct uk_span
der_take_bits(struct der_in *in)
{
	const struct uk_span s = der_take(in, DER_BITS);

	if (s.n == 0 || s.p[0] != 0) {
		in->failed = true;
		return uk_span(NULL, 0);
	}
	return uk_span(s.p + 1, s.n - 1);
}

bool
der_oid_is(struct uk_span content, const char *dotted)
{
	struct uk_buf b;
	bool same;

	uk_buf_init(&b, OID_MAX);
	der_put_oid(&b, dotted);
	same = !uk_buf_failed(&b) && content.n == b.n - 2 &&
	       uk_span_eq(content, uk_span(b.p + 2, b.n - 2));
	uk_buf_fini(&b);
	return same;
}
