#include <stdio.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "uk/random.h"

static void
system_bytes(void *ctx, uint8_t *p, size_t n)
{
	(void)ctx;
	if (n > INT32_MAX || RAND_bytes(p, (int)n) != 1)
		abort();
}

const struct uk_random uk_random_system = { .bytes = system_bytes };

uint32_t
uk_random_below(const struct uk_random *r, uint32_t bound)
{
	const uint32_t limit = UINT32_MAX - UINT32_MAX % bound;
	uint32_t v;

	do {
		r->bytes(r->ctx, (uint8_t *)&v, sizeof(v));
	} while (v >= limit);
	return v % bound;
}

void
uk_random_hex(const struct uk_random *r, char *out, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t b;

	for (size_t i = 0; i < n; i++) {
		r->bytes(r->ctx, &b, 1);
		out[2 * i] = digits[b >> 4];
		out[2 * i + 1] = digits[b & 15];
	}
	out[2 * n] = '\0';
}
