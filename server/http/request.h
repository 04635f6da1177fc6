/*
 * A request as a handler sees it, and its answer.  The request is also the responder: it lives
 * until it is answered, by the handler or later by whoever was given it, and must not be touched
 * after that.  Exactly one thread uses it at a time.  Everything lent by it lives as long as it.
 * When the client has gone or the answer came too late, the answer is dropped in silence.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "net/form.h"
#include "uk/buf.h"
#include "uk/rc.h"

struct http_request;
struct http_route;

#define HTTP_ID_LEN 33

const char *http_id(const struct http_request *rq); /* random, for the log and the answer */
const struct http_route *http_route(const struct http_request *rq);
const char *http_remote(const struct http_request *rq); /* "192.0.2.7", or "local" (unix socket) */

/* "id" of "/api/orders/{id}"; aborts for a name the route doesn't have. */
const char *http_param(const struct http_request *rq, const char *name);
const char *http_query(const struct http_request *rq, const char *name);  /* or NULL */
const char *http_cookie(const struct http_request *rq, const char *name); /* or NULL */
const char *http_header(const struct http_request *rq, const char *name); /* or NULL */
const char *http_target(const struct http_request *rq); /* path and query as sent */

/* The body's bytes, whatever the kind. */
struct uk_span http_body(const struct http_request *rq);
/* HTTP_JSON: the struct that the route's table filled. */
const void *http_fields(const struct http_request *rq);
/* HTTP_FORM: the pairs in the order they came; and those of the query. */
const struct net_pairs *http_form(const struct http_request *rq);
const struct net_pairs *http_query_all(const struct http_request *rq);

/* What the gate found out about the peer, freed with the request. */
void http_user_take(struct http_request *rq, void *user, void (*free_fn)(void *user));
void *http_user(const struct http_request *rq);

/* Before the answer. */
void http_add_header(struct http_request *rq, const char *name, const char *value);
/* HttpOnly, SameSite=Strict, Secure unless our origin is http.  max_age in seconds; 0 deletes it,
 * < 0: until the browser is closed. */
void http_add_cookie(struct http_request *rq, const char *name, const char *value, const char *path,
    int64_t max_age);
/* Members of an error's answer. */
void http_attempts_left(struct http_request *rq, unsigned n);
void http_retry_after(struct http_request *rq, unsigned seconds);

/* The answer: one of these, once. */
void http_answer_json(struct http_request *rq, int status, const json_t *value);
/* {"error":{"reason","field"?,"requestId","attemptsLeft"?,"retryAfter"?}} with rc's status */
void http_answer_err(struct http_request *rq, const struct uk_err *err);
/* Takes what is in `body`. */
void http_answer_bytes(struct http_request *rq, int status, const char *type, struct uk_buf *body);
void http_answer_text(struct http_request *rq, int status, const char *type, const char *text);
void http_answer_redirect(struct http_request *rq, const char *location); /* 303 */
void http_answer_empty(struct http_request *rq);                          /* 204 */

#endif
