/* The SO PIN that an order's tickets carry: all of them the same. */
#ifndef API_TICKET_H
#define API_TICKET_H

#include "api/api.h"
#include "uk/secret.h"

/* *out stays as it is when the order has had no ticket yet. */
UK_CHECK enum uk_rc ticket_so_pin(const struct api *a, struct store_tx *tx, const char *order,
    struct uk_secret **out, struct uk_err *err);

#endif
