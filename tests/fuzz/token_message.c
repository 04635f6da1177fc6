/* What one side of the wire between ukeyd and ukey-token makes of any bytes from the other. */
#include <stdlib.h>

#include "token/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct uk_buf again;
	struct message m;

	uk_buf_init(&again, MESSAGE_MAX);
	/* What reads must write, and read, again. */
	if (message_read(uk_span(p, n), &m) == UK_OK &&
	    (message_put(&again, &m) != UK_OK || message_read(uk_buf_span(&again), &m) != UK_OK))
		abort();
	uk_buf_fini(&again);
	return 0;
}
