/*
 * How often a site may ask, and how long it has to wait after burning PIN tries or asking for what
 * the user does not want.
 */
#ifndef POLICY_RATE_H
#define POLICY_RATE_H

#include <stdbool.h>

#include "uk/clock.h"

#define RATE_ORIGINS       64
#define RATE_WINDOW        60 /* seconds */
#define RATE_CALLS         300
#define RATE_PROMPTS       30
#define RATE_WRONG_PINS    5
#define RATE_STRIKE_WINDOW 600
#define RATE_REFUSALS      3
#define RATE_COOL          300

struct rate;

struct rate *rate_new(const struct uk_clock *clock);
void rate_free(struct rate **r);

/* Count one call (one that shows a window, if prompt).  False: too many. */
bool rate_take(struct rate *r, const char *origin, bool prompt);

/* A PIN typed at this site's request was wrong; the user closed a window of its. */
void rate_wrong_pin(struct rate *r, const char *origin);
void rate_refused(struct rate *r, const char *origin);
void rate_agreed(struct rate *r, const char *origin); /* so what he refused before was his wish */

#endif
