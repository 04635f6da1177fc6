/* A clock that a test can set forward: the system's time plus the seconds that a file says. */
#ifndef APP_CLOCK_H
#define APP_CLOCK_H

#include "uk/clock.h"

/* `path` is the context and outlives the clock; "" is the system's own clock. */
void offset_clock_init(struct uk_clock *c, char *path);

#endif
