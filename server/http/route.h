/*
 * Routes: the caller's table says everything that is checked before a handler runs.
 *
 *	{ HTTP_PUT, "/api/orders/{id}/form", .who = WHO_OWNER, .body = HTTP_JSON,
 *	    .fields = form_fields, .n_fields = 2, .size = sizeof(struct form_body), .handler =
 *put_form },
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdint.h>

#include "http/request.h"
#include "uk/json.h"

enum http_method {
	HTTP_GET, /* serves HEAD too */
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_METHOD__MAX
};

enum http_body {
	HTTP_NO_BODY,
	HTTP_JSON, /* an object, read through the route's field table; no body counts as {} */
	HTTP_FORM, /* application/x-www-form-urlencoded: http_form() */
	HTTP_RAW,  /* http_body(), of one of the route's `types` */
	HTTP_BODY__MAX
};

/* Called from outside (a gateway's notification): no X-Ukey header, no Origin check. */
#define HTTP_OUTSIDE 1u

#define HTTP_BODY_DEFAULT (64u * 1024) /* a route's limit when it names none */
#define HTTP_PARAMS_MAX   4
#define HTTP_PARAM_LEN    128

/*
 * Runs on a worker thread, may block.  UK_OK: it has answered with one of http_answer_*(), or has
 * handed the request to somebody who will, from any thread.  Anything else: the error is answered
 * for it from *err (and rc when *err was left empty).
 */
typedef enum uk_rc http_handler(void *app, struct http_request *rq, struct uk_err *err);

struct http_route {
	enum http_method method;
	/* "/api/orders/{id}": {name} is one segment; "/ca/ocsp/{request*}": at the end, all that is
	 * left, and the handler takes it from http_target() */
	const char *path;
	unsigned who;   /* the gate's, opaque here */
	unsigned flags; /* HTTP_OUTSIDE */
	enum http_body body;
	const struct uk_field *fields; /* HTTP_JSON: what may be in it */
	size_t n_fields;
	size_t size;              /* of the struct that `fields` fill: http_fields() */
	const char *const *types; /* HTTP_RAW: NULL-ended media types */
	size_t limit;             /* bytes of the body; 0: HTTP_BODY_DEFAULT */
	http_handler *handler;
};

struct http_params {
	struct {
		char name[32];
		char value[HTTP_PARAM_LEN];
	} v[HTTP_PARAMS_MAX];
	size_t n;
};

/* Does the still encoded path fit the pattern?  Fills `out`; touches nothing else. */
bool http_path_match(const char *pattern, const char *path, struct http_params *out);

/* The table's own mistakes: a handler or path that is missing, two routes for one path. */
UK_CHECK enum uk_rc http_routes_check(
    const struct http_route *routes, size_t n, struct uk_err *err);

struct http_head {
	const char *method; /* as sent */
	const char *path;   /* as sent, without the query */
	const char *type;   /* Content-Type, or NULL */
	const char *length; /* Content-Length, or NULL */
	bool chunked;       /* Transfer-Encoding is there */
};

struct http_verdict {
	const struct http_route *route; /* NULL: refused, or HEAD/OPTIONS of what is not there */
	int status; /* 0: go on; 204: OPTIONS; else 400, 404, 405, 411, 413, 415 */
	const char *reason;
	unsigned allow; /* 405 and OPTIONS: bits 1 << enum http_method */
	size_t length;  /* of the body that follows */
};

/* Everything the table and the header alone decide: 404, 405, 411, 413, 415. */
void http_route_judge(const struct http_route *routes, size_t n, const struct http_head *head,
    struct http_params *params, struct http_verdict *out);

const char *http_method_name(enum http_method m);

#endif
