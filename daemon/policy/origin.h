/* A web origin as a browser writes it (RFC 6454 section 6.2): scheme, host, port, nothing else. */
#ifndef POLICY_ORIGIN_H
#define POLICY_ORIGIN_H

#include <stdbool.h>

#define ORIGIN_MAX    255
#define EXTENSION_MAX 80 /* of the id that a browser gives an extension */

/* What the user himself is called where a site would have its origin. */
#define ORIGIN_LOCAL "local:"

/*
 * https://host[:port]; with `development` also http://localhost[:port] and http://127.0.0.1[:port].
 * One name for one site: lower case, no port that the scheme implies, no dot at the end.
 */
bool origin_valid(const char *s, bool development);

/* A page of the extension `id` itself; Firefox gives it a name of its own in each profile. */
bool origin_of_extension(const char *s, const char *id);

#endif
