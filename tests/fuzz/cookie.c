/* Every cookie that is read can be set again. */
#include <stdlib.h>

#include "http/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_pairs p;
	struct uk_buf b;

	http_cookies_parse(uk_span(data, size), &p);
	uk_buf_init(&b, size + 200);
	for (size_t i = 0; i < p.n; i++) {
		uk_buf_reset(&b);
		if (http_cookie_put(&b, p.v[i].name, p.v[i].value, "/", 1, true) != UK_OK)
			abort();
	}
	uk_buf_fini(&b);
	net_pairs_fini(&p);
	return 0;
}
