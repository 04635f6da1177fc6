/* Counting by key in fixed windows, in the database, so that all nodes count together. */
#ifndef API_RATE_H
#define API_RATE_H

#include "api/api.h"

/*
 * In a write: one more for `what` by `who`.  UK_E_RATE "reason" once there are more than `most` in
 * `window` seconds, with *retry_after (may be NULL).
 */
UK_CHECK enum uk_rc rate_hit(const struct api *a, struct store_tx *tx, const char *what,
    const char *who, int64_t most, int64_t window, const char *reason, int64_t *retry_after,
    struct uk_err *err);

#endif
