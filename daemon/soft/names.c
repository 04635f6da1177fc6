#include <string.h>

#include "soft/names.h"
#include "uk/utf8.h"

bool
name_ok(const char *name, size_t max)
{
	const size_t n = strnlen(name, max + 1);
	size_t chars;

	return n != 0 && n <= max && uk_utf8_count(name, &chars);
}

void
name_put(struct uk_buf *list, const char *name)
{
	uk_buf_put(list, uk_span(name, strlen(name) + 1));
}

ULONG
give(struct uk_span s, void *out, ULONG *n)
{
	const ULONG room = *n;

	*n = (ULONG)s.n;
	if (out == NULL)
		return SAR_OK;
	if (room < s.n)
		return SAR_BUFFER_TOO_SMALL;
	if (s.n != 0)
		memcpy(out, s.p, s.n);
	return SAR_OK;
}

ULONG
name_give(struct uk_buf *list, char *out, ULONG *n)
{
	ULONG rv = SAR_MEMORYERR;

	if (list->n == 0)
		uk_buf_put_u8(list, 0);
	uk_buf_put_u8(list, 0);
	if (!uk_buf_failed(list))
		rv = give(uk_buf_span(list), out, n);
	uk_buf_fini(list);
	return rv;
}
