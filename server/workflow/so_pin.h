/*
 * The tokens' SO PINs (design.md section 4), by the token's serial.  A token has at most two: the
 * one it has been proved to answer to, and the next one, which a ticket may have set since.  A
 * receipt signed by the token's own key proves the next one, and only then the old one goes: so a
 * fault in between never bricks a key.  All functions run inside a transaction.
 */
#ifndef WORKFLOW_SO_PIN_H
#define WORKFLOW_SO_PIN_H

#include "store/crypt.h"
#include "store/store.h"
#include "uk/random.h"
#include "uk/secret.h"

/* Either is NULL when there is none. */
struct so_pins {
	struct uk_secret *next;
	struct uk_secret *proved;
};

/* UK_E_NOT_FOUND "token-unknown" when there is neither. */
UK_CHECK enum uk_rc so_pins_for(struct store_tx *tx, const struct crypt *crypt, const char *token,
    struct so_pins *out, struct uk_err *err);
void so_pins_fini(struct so_pins *p);

/*
 * For a ticket that changes the SO PIN: `next` is there afterwards, the same as before when there
 * was one, because a ticket with it may have been used.  To try first is next then, and otherwise
 * proved.
 */
UK_CHECK enum uk_rc so_pin_next(struct store_tx *tx, const struct crypt *crypt,
    const struct uk_random *random, const char *token, int64_t now, struct so_pins *out,
    struct uk_err *err);

/* At production: this is what the token is being given. */
UK_CHECK enum uk_rc so_pin_put(struct store_tx *tx, const struct crypt *crypt, const char *token,
    const struct uk_secret *pin, int64_t now, struct uk_err *err);

/* The token has proved that it answers to `next`.  Nothing when there is none. */
UK_CHECK enum uk_rc so_pin_proved(
    struct store_tx *tx, const char *token, int64_t now, struct uk_err *err);

/* Sixteen letters and digits, 95 bits: what tokens with a limit of sixteen take. */
struct uk_secret *so_pin_make(const struct uk_random *random);

#endif
