/* An answer of Alipay's gateway is taken apart before its signature is known to hold. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "pay/alipay_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
inside(struct uk_span part, struct uk_span whole)
{
	if (part.p != NULL)
		assert(part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct uk_span body = uk_span(p, n);
	struct alipay_answer a;

	if (alipay_answer_split(body, "alipay_trade_query_response", &a) != UK_OK)
		return 0;
	inside(a.node, body);
	inside(a.sign, body);
	assert(a.node.n >= 2 && a.node.p[0] == '{');
	return 0;
}
