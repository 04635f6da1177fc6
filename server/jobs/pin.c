#include <string.h>

#include "jobs/kinds.h"

#define DIGITS   6
#define DISTINCT 4

static int
distinct(const char *pin)
{
	unsigned seen = 0;

	for (int i = 0; i < DIGITS; i++)
		seen |= 1u << (pin[i] - '0');
	return __builtin_popcount(seen);
}

/* The same step from each digit to the next: 111111, 123456, 975310. */
static bool
even_steps(const char *pin)
{
	for (int i = 2; i < DIGITS; i++)
		if ((pin[i] - pin[i - 1] + 10) % 10 != (pin[1] - pin[0] + 10) % 10)
			return false;
	return true;
}

static bool
repeats(const char *pin)
{
	return memcmp(pin, pin + DIGITS / 2, DIGITS / 2) == 0;
}

static bool
mirrors(const char *pin)
{
	for (int i = 0; i < DIGITS / 2; i++)
		if (pin[i] != pin[DIGITS - 1 - i])
			return false;
	return true;
}

static bool
simple(const char *pin)
{
	return distinct(pin) < DISTINCT || even_steps(pin) || repeats(pin) || mirrors(pin);
}

struct uk_secret *
pin_make(const struct uk_random *random)
{
	struct uk_secret *s;
	char pin[DIGITS];

	do {
		for (int i = 0; i < DIGITS; i++)
			pin[i] = (char)('0' + uk_random_below(random, 10));
	} while (simple(pin));
	s = uk_secret_new(uk_span(pin, DIGITS));
	explicit_bzero(pin, sizeof(pin));
	return s;
}
