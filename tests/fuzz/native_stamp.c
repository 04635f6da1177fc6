/* What the host makes of any first frame, and of any argument. */
#include <stdlib.h>
#include <string.h>

#include "native/stamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const size_t split = n > 0 ? p[0] % n : 0;
	char *id = uk_xstrndup((const char *)p, split);
	char *argv[] = { id, id, id, NULL };
	char extension[STAMP_EXTENSION_MAX + 1];
	struct uk_buf out, again;

	if (stamp_extension(n % 2 == 0 ? 2 : 3, argv, extension, NULL) != UK_OK)
		extension[0] = '\0';
	uk_buf_init(&out, 2 * STAMP_FIRST_MAX);
	uk_buf_init(&again, 2 * STAMP_FIRST_MAX);
	/* Stamped without an extension, it is a first frame again; with one, it is none. */
	if (stamp_first(uk_span(p + split, n - split), extension, &out, NULL) == UK_OK &&
	    (stamp_first(uk_buf_span(&out), "", &again, NULL) == UK_OK) != (extension[0] == '\0'))
		abort();
	uk_buf_fini(&out);
	uk_buf_fini(&again);
	free(id);
	return 0;
}
