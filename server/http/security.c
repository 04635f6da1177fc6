#include <string.h>
#include <strings.h>

#include "http/security.h"

#define CSP_MAX 4096

static void
put_directive(struct uk_buf *b, const char *name, const char *extra)
{
	uk_buf_printf(b, "; %s 'self'", name);
	if (extra != NULL && *extra != '\0')
		uk_buf_printf(b, " %s", extra);
}

char *
http_csp_dup(const struct httpd_config *cfg)
{
	struct uk_buf b;

	uk_buf_init(&b, CSP_MAX);
	uk_buf_put_str(&b, "default-src 'none'");
	put_directive(&b, "script-src", NULL);
	put_directive(&b, "style-src", cfg->inline_style ? "'unsafe-inline'" : NULL);
	put_directive(&b, "img-src", "data: blob:");
	put_directive(&b, "font-src", NULL);
	put_directive(&b, "manifest-src", NULL);
	put_directive(&b, "connect-src", cfg->connect_src);
	put_directive(&b, "form-action", cfg->form_action);
	uk_buf_put_str(&b, "; base-uri 'none'; frame-ancestors 'none'; object-src 'none'");
	return uk_buf_steal_str(&b);
}

const char *
http_forgery(const struct httpd_config *cfg, const struct http_request *rq)
{
	const struct http_route *r = http_route(rq);
	const char *mark = http_header(rq, "X-Ukey");
	const char *origin = http_header(rq, "Origin");

	if (r->method == HTTP_GET || (r->flags & HTTP_OUTSIDE) != 0)
		return NULL;
	if (mark == NULL || strcmp(mark, "1") != 0)
		return "csrf-header-missing";
	if (origin != NULL && strcasecmp(origin, cfg->origin) != 0)
		return "origin-refused";
	return NULL;
}

/* ";q=0", ";q=0.00": not wanted at all (RFC 9110 section 12.4.2). */
static bool
weight_is_zero(const char *p)
{
	p += strspn(p, " ");
	if (*p != ';')
		return false;
	p += 1 + strspn(p + 1, " ");
	if (strncasecmp(p, "q=0", 3) != 0)
		return false;
	p += 3;
	p += strspn(p, ".0");
	return *p == '\0' || *p == ',' || *p == ' ';
}

bool
http_takes_gzip(const char *accept_encoding)
{
	const char *p = accept_encoding != NULL ? strcasestr(accept_encoding, "gzip") : NULL;

	return p != NULL && !weight_is_zero(p + strlen("gzip"));
}
