/* A form that is read, written and read again is the same form. */
#include <stdlib.h>
#include <string.h>

#include "net/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_pairs p;
	struct net_pairs again;
	struct uk_buf b;

	if (net_pairs_parse(uk_span(data, size), &p) != UK_OK)
		return 0;
	uk_buf_init(&b, size * 3 + 3 * NET_PAIRS_MAX);
	for (size_t i = 0; i < p.n; i++)
		net_form_put(&b, p.v[i].name, p.v[i].value);
	if (uk_buf_failed(&b) || net_pairs_parse(uk_buf_span(&b), &again) != UK_OK ||
	    again.n != p.n)
		abort();
	for (size_t i = 0; i < p.n; i++)
		if (strcmp(p.v[i].name, again.v[i].name) != 0 ||
		    strcmp(p.v[i].value, again.v[i].value) != 0)
			abort();
	net_pairs_fini(&again);
	net_pairs_fini(&p);
	uk_buf_fini(&b);
	return 0;
}
