/* A line of the faults that a virtual UKEY is to have. */
#include <stdlib.h>

#include "soft/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct fault f, again;
	struct uk_buf out;

	uk_buf_init(&out, 256);
	if (fault_read(uk_span(p, n), &f)) {
		fault_print(&f, &out);
		if (uk_buf_failed(&out) || !fault_read(uk_span(out.p, out.n - 1), &again))
			abort();
	}
	uk_buf_fini(&out);
	return 0;
}
