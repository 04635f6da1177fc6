/* A parameter is one segment, never empty, never two. */
#include <stdlib.h>
#include <string.h>

#include "http/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const patterns[] = { "/", "/api/site", "/api/orders/{id}",
		"/api/orders/{id}/documents/{type}", "/{a}/{b}/{c}/{d}" };
	char *path = uk_xstrndup((const char *)data, size);
	struct http_params p;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!http_path_match(patterns[i], path, &p))
			continue;
		for (size_t k = 0; k < p.n; k++)
			if (*p.v[k].value == '\0' || strchr(p.v[k].value, '/') != NULL)
				abort();
	}
	free(path);
	return 0;
}
