/* Comparing a PIN costs a try before it is compared, whatever happens in between. */
#ifndef SOFT_PIN_H
#define SOFT_PIN_H

#include "soft/disk.h"
#include "soft/vault.h"

/* SAR_OK, or why no such PIN can be (SAR_PIN_LEN_RANGE, SAR_INVALIDPARAMERR). */
ULONG pin_possible(const char *pin);

/*
 * *left is set whenever the counter could be read.  SAR_OK: *master is the caller's.
 * SAR_PIN_INCORRECT, SAR_PIN_LOCKED, SAR_FILEERR.  The disk is locked exclusively by the caller.
 */
ULONG pin_try(const struct disk *d, const struct app *a, uint32_t type, const char *pin,
    uint32_t *left, struct uk_secret **master);

/* All tries back, for one PIN. */
ULONG pin_reset_tries(const struct disk *d, const struct app *a, uint32_t type);

#endif
