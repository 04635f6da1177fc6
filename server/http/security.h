/* What protects browsers: the policy of our pages, and the check of who sent a change. */
#ifndef HTTP_SECURITY_H
#define HTTP_SECURITY_H

#include "http/httpd.h"

/* Content-Security-Policy; the caller frees. */
char *http_csp_dup(const struct httpd_config *cfg);

/*
 * A change needs the header that no other site's form can set, and our origin where the browser
 * says one.  NULL, or the reason of the refusal.
 */
const char *http_forgery(const struct httpd_config *cfg, const struct http_request *rq);

/* Is gzip among what Accept-Encoding names? */
bool http_takes_gzip(const char *accept_encoding);

#endif
