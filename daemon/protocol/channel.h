/*
 * One-time keys that sealed tickets are encrypted to.  A channel belongs to an origin, not to a
 * connection, so that a page that had to connect again still has it; a new one replaces the old.
 */
#ifndef PROTOCOL_CHANNEL_H
#define PROTOCOL_CHANNEL_H

#include <stdint.h>

#include "uk/ticket.h"

#define CHANNEL_LIFE 300 /* seconds */

struct channels;

struct channels *channels_new(void);
void channels_free(struct channels **c);

#define CHANNEL_CODE 5 /* four digits and NUL */

/* Keeps the key.  code: what the page and the window show for comparing; "" where none is needed.
 */
void channels_put(struct channels *c, const char *origin, const char *purpose, const char *code,
    int64_t now, struct uk_jwk **key);

/*
 * The origin's key, the caller's now; NULL: there is none, it is for something else, or it is too
 * old.  code may be NULL.
 */
struct uk_jwk *channels_take(struct channels *c, const char *origin, const char *purpose,
    int64_t now, char code[CHANNEL_CODE]);

#endif
