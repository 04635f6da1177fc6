/* What a new PIN has to be like. */
#ifndef PROTOCOL_NEWPIN_H
#define PROTOCOL_NEWPIN_H

#include "uk/buf.h"

struct pin_limits {
	int min; /* bytes, which are characters: a PIN is ASCII */
	int max;
};

/* As struct token_info says them; never less than the token takes, nor more. */
struct pin_limits pin_limits(int token_min, int token_max);

/* NULL: it will do; else what the user reads. */
const char *pin_unfit(struct uk_span pin, const struct pin_limits *l);

#endif
