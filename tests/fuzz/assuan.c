/* Any line from pinentry; and what is escaped for it reads again as it was. */
#include <stdlib.h>
#include <string.h>

#include "policy/assuan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = uk_xstrndup((const char *)data, n);
	char *line = uk_xstrdup(text);
	struct assuan_line l = assuan_read(line);
	struct uk_buf b;

	if (l.kind == ASSUAN_DATA && l.n > strlen(text))
		abort();
	uk_buf_init(&b, 3 * n + 8);
	uk_buf_put_str(&b, "D ");
	text[assuan_fit(text, ASSUAN_LINE)] = '\0';
	assuan_escape(&b, text);
	if (b.n > ASSUAN_LINE + 2 || memchr(b.p, '\n', b.n) != NULL)
		abort();
	free(line);
	line = uk_buf_steal_str(&b);
	l = assuan_read(line);
	if (l.kind != ASSUAN_DATA || l.n != strlen(text) || memcmp(l.data, text, l.n) != 0)
		abort();
	free(line);
	free(text);
	return 0;
}
