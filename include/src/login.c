#include <string.h>

#include "uk/login.h"

static const char magic[] = "ukey-login-1"; /* its NUL is part of it */

void
uk_login_put(struct uk_buf *out, const struct uk_login *l)
{
	const uint64_t t = (uint64_t)l->expires;

	uk_buf_put(out, uk_span(magic, sizeof(magic)));
	uk_buf_put_field(out, uk_span_str(l->origin));
	uk_buf_put_field(out, uk_span_str(l->audience));
	uk_buf_put_field(out, uk_span_str(l->nonce));
	uk_buf_put_u32(out, 8);
	uk_buf_put_u32(out, (uint32_t)(t >> 32));
	uk_buf_put_u32(out, (uint32_t)t);
}

bool
uk_login_begins(struct uk_span data)
{
	/* Without the NUL too: nothing that could be mistaken for one, however it is cut. */
	return data.n >= sizeof(magic) - 1 && memcmp(data.p, magic, sizeof(magic) - 1) == 0;
}
