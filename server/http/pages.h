/*
 * Built pages, read into memory once at start: a request can name nothing but what was there then,
 * so there is no path to traverse.
 */
#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H

#include <stdbool.h>

#include "uk/buf.h"

#define HTTP_PAGES_FILES_MAX 2000
#define HTTP_PAGES_BYTES_MAX (64u * 1024 * 1024)
#define HTTP_PAGES_ETAG_LEN  36

struct http_pages;

struct http_page {
	struct uk_span body;
	struct uk_span gzip; /* of "name.gz" beside it; empty without */
	const char *type;
	const char *cache; /* Cache-Control */
	char etag[HTTP_PAGES_ETAG_LEN];
};

/* UK_E_NOT_FOUND: no such folder.  UK_E_LIMIT: too many files, or too large. */
UK_CHECK enum uk_rc http_pages_open(
    const char *folder, struct http_pages **out, struct uk_err *err);
void http_pages_free(struct http_pages **p); /* NULL-safe, sets NULL */

/*
 * The page of a still encoded path, lent; NULL: 404.  A path that names no file gets the
 * index.html nearest above it ("/staff/orders/7": "/staff/index.html", else "/index.html"), since
 * the pages route by themselves; one that looks like a file does not.
 */
const struct http_page *http_pages_find(const struct http_pages *p, const char *path);

#endif
