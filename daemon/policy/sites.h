/*
 * What the user allowed: sites, and for each the certificates it may see and use.  Bounded in count
 * and time; kept in one file of the user's.
 */
#ifndef POLICY_SITES_H
#define POLICY_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uk/clock.h"
#include "uk/json.h"
#include "uk/rc.h"

#define SITES_MAX             64 /* the oldest makes room */
#define SITES_CERTIFICATES    32 /* of one site */
#define SITES_LIFE            (90 * 86400)
#define SITES_FINGERPRINT_LEN 64

struct sites;

/* A file that is not there is empty; one that does not read goes to PATH.bad: nothing is granted.
 */
UK_CHECK enum uk_rc sites_open(
    const char *path, const struct uk_clock *clock, struct sites **out, struct uk_err *err);
void sites_close(struct sites **s);
bool sites_put_aside(const struct sites *s); /* the file was malformed when it was opened */

bool sites_allowed(const struct sites *s, const char *origin);
bool sites_certificate(const struct sites *s, const char *origin, const char *fingerprint);

/* Allow the site and these certificates from now on, in addition to what it has.  Saved at once. */
UK_CHECK enum uk_rc sites_grant(struct sites *s, const char *origin,
    const char *const *fingerprints, size_t n, struct uk_err *err);

/* UK_E_NOT_FOUND: there is no such site. */
UK_CHECK enum uk_rc sites_revoke(struct sites *s, const char *origin, struct uk_err *err);

/* [{origin, granted, expires, certificates:[fingerprint]}], a new reference. */
json_t *sites_list(const struct sites *s);

#endif
