/* A certification request from anybody. */
#include "ca/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct uk_buf spki;

	uk_buf_init(&spki, SPKI_MAX);
	if (request_read(uk_span(data, n), &spki, NULL) == UK_OK &&
	    request_check_key(uk_buf_span(&spki), NULL) != UK_OK)
		__builtin_trap();
	uk_buf_fini(&spki);
	return 0;
}
