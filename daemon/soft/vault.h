/*
 * Secrets at rest.  An application has a random master key, which seals its private keys and files
 * and authenticates the rest; it is kept twice, under each PIN (scrypt, AES-256-GCM), so that
 * unblocking with the admin PIN loses nothing.  A PIN is compared by opening the master key.
 */
#ifndef SOFT_VAULT_H
#define SOFT_VAULT_H

#include "soft/state.h"
#include "uk/secret.h"

#define PIN_LEN_MIN 6
#define PIN_LEN_MAX 64

/* A new master key. */
struct uk_secret *vault_master_new(void);

/* New salt; type is ADMIN_TYPE or USER_TYPE.  Leaves tries, initial and the cost alone. */
ULONG vault_wrap(struct app *a, uint32_t type, const char *pin, const struct uk_secret *master);

/* SAR_PIN_INCORRECT: not this PIN, or the record was changed. */
ULONG vault_unwrap(const struct app *a, uint32_t type, const char *pin, struct uk_secret **master);

/* `about` says what and whose it is: it opens only as the same.  Replaces out's content. */
ULONG vault_seal(
    const struct uk_secret *master, struct uk_span about, struct uk_span plain, struct uk_buf *out);

/* SAR_FILEERR: changed, or of another master key. */
ULONG vault_open(const struct uk_secret *master, struct uk_span about, struct uk_span sealed,
    struct uk_buf *plain);

/* Set a->mac, or compare it: SAR_FILEERR. */
ULONG vault_protect(struct app *a, const struct uk_secret *master);
ULONG vault_check(struct app *a, const struct uk_secret *master);

#endif
