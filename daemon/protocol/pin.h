/* PINs that a token has already refused.  Only keyed hashes are kept. */
#ifndef PROTOCOL_PIN_H
#define PROTOCOL_PIN_H

#include <stdbool.h>

#include "uk/random.h"
#include "uk/secret.h"

#define PIN_ASKS 3 /* windows for one request */

struct wrong_pins;

struct wrong_pins *wrong_pins_new(const struct uk_random *random);
void wrong_pins_free(struct wrong_pins **w);
void wrong_pins_add(struct wrong_pins *w, const char *token, const struct uk_secret *pin);
bool wrong_pins_has(const struct wrong_pins *w, const char *token, const struct uk_secret *pin);

/* It took one, or it left: its PIN may be another one now. */
void wrong_pins_forget(struct wrong_pins *w, const char *token);

#endif
