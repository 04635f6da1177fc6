/*
 * Percent-encoding (RFC 3986) and application/x-www-form-urlencoded: the query of a URL and the
 * body of a form are the same list of pairs.
 */
#ifndef NET_FORM_H
#define NET_FORM_H

#include "uk/buf.h"
#include "uk/rc.h"

#define NET_PAIRS_MAX 64

struct net_pair {
	const char *name;
	const char *value;
};

struct net_pairs {
	struct net_pair v[NET_PAIRS_MAX];
	size_t n;
	char *text; /* what the pairs point into */
};

/*
 * "a=1&b=%20+": decoded, in the order they came; "" has no pairs.  UK_E_INPUT for bad escapes,
 * a NUL, an empty or a repeated name; UK_E_LIMIT for more than NET_PAIRS_MAX pairs.
 * On success the caller frees with net_pairs_fini().
 */
UK_CHECK enum uk_rc net_pairs_parse(struct uk_span s, struct net_pairs *out);
void net_pairs_fini(struct net_pairs *p);

/* The value, lent; NULL when there is none. */
const char *net_pairs_get(const struct net_pairs *p, const char *name);

/* Everything but RFC 3986's unreserved characters as %XX, capitals. */
void net_url_put(struct uk_buf *out, struct uk_span s);

/* One more pair: "&" when `out` isn't empty, then name=value, both encoded by net_url_put(). */
void net_form_put(struct uk_buf *out, const char *name, const char *value);

/* Decodes %XX of a URL's path ("+" stays).  UK_E_INPUT for a bad escape or a NUL. */
UK_CHECK enum uk_rc net_url_get(struct uk_buf *out, struct uk_span s);

#endif
