#include <string.h>

#include "uk/receipt.h"

static const char magic[] = "ukey-unlock-1"; /* its NUL is part of it */

void
uk_receipt_put(struct uk_buf *out, const struct uk_receipt *r)
{
	uk_buf_put(out, uk_span(magic, sizeof(magic)));
	uk_buf_put_field(out, uk_span_str(r->origin));
	uk_buf_put_field(out, uk_span_str(r->order));
	uk_buf_put_field(out, uk_span_str(r->jti));
	uk_buf_put_field(out, uk_span_str(r->nonce));
}

bool
uk_receipt_begins(struct uk_span data)
{
	/* Without the NUL too, as for log-ins. */
	return data.n >= sizeof(magic) - 1 && memcmp(data.p, magic, sizeof(magic) - 1) == 0;
}
