/* Randomness, handed in, so that a test can set it. */
#ifndef UK_RANDOM_H
#define UK_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct uk_random {
	void (*bytes)(
	    void *ctx, uint8_t *p, size_t n); /* never fails; aborts when the system can't */
	void *ctx;
};

extern const struct uk_random uk_random_system;

/* Unbiased, 0 <= r < bound. */
uint32_t uk_random_below(const struct uk_random *r, uint32_t bound);

/* n bytes as 2n lower-case hex digits and a NUL. */
void uk_random_hex(const struct uk_random *r, char *out, size_t n);

#endif
