/* The body of a virtual UKEY's state; its head and sum are made to fit. */
#include <stdlib.h>

#include <openssl/sha.h>

#include "soft/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	struct state *s = NULL;
	struct uk_buf in, out;

	uk_buf_init(&in, STATE_MAX);
	uk_buf_put_str(&in, "UKEYSFT1");
	uk_buf_put_u32(&in, (uint32_t)n);
	uk_buf_put(&in, uk_span(p, n));
	(void)SHA256(in.p, in.n, sum);
	uk_buf_put(&in, uk_span(sum, sizeof(sum)));
	/* What reads is written as it was. */
	if (state_read(uk_buf_span(&in), &s) == SAR_OK) {
		if (state_write(s, &out) != SAR_OK ||
		    !uk_span_eq(uk_buf_span(&in), uk_buf_span(&out)))
			abort();
		uk_buf_fini(&out);
	}
	state_free(&s);
	uk_buf_fini(&in);
	return 0;
}
