#include <stdlib.h>

#include "documents/exif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned o = exif_orientation(uk_span(data, size));

	if (o < 1 || o > 8)
		abort();
	return 0;
}
