/* The Cookie header (RFC 6265 section 4.2). */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "net/form.h"
#include "uk/buf.h"

#define HTTP_COOKIES_BYTES_MAX 8192

/*
 * What is well-formed of "a=1; b=2"; other parts are passed over, since one bad cookie of the
 * host must not lock its owner out.  The first of two with one name counts (section 5.4: the
 * longer path comes first).  Freed with net_pairs_fini().
 */
void http_cookies_parse(struct uk_span header, struct net_pairs *out);

/* A Set-Cookie value.  UK_E_INPUT for a name or value that no cookie can hold. */
UK_CHECK enum uk_rc http_cookie_put(struct uk_buf *out, const char *name, const char *value,
    const char *path, int64_t max_age, bool secure);

#endif
