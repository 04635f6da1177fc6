/* The key of a production station, by which it vouches for its channels: a private JWK, 0600. */
#ifndef POLICY_STATION_H
#define POLICY_STATION_H

#include "uk/ticket.h"

/* UK_E_NOT_FOUND: there is none. */
UK_CHECK enum uk_rc station_load(const char *path, struct uk_jwk **out, struct uk_err *err);

/* The one that is there, or a new one. */
UK_CHECK enum uk_rc station_make(const char *path, struct uk_jwk **out, struct uk_err *err);

#endif
