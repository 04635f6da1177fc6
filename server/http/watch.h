/*
 * Absolute deadlines of connections.  libmicrohttpd has an inactivity timer only, so a client that
 * sends a byte a second would keep its connection for ever.
 */
#ifndef HTTP_WATCH_H
#define HTTP_WATCH_H

#include "http/request.h"
#include "uk/clock.h"

struct http_watch;
struct http_conn;

struct http_watch *http_watch_new(const struct uk_clock *clock, int64_t tick_ms);
void http_watch_free(struct http_watch **w); /* after every connection is gone */

struct http_conn *http_conn_add(struct http_watch *w, int fd, int64_t ms);

/* When its request began: for the first one when it connected, since a slow header counts too. */
int64_t http_conn_start(struct http_watch *w, struct http_conn *c);

/* Before its descriptor is closed; sets NULL. */
void http_conn_del(struct http_watch *w, struct http_conn **c);

/* When the time is up the socket is shut down, and whoever reads or writes it ends. */
void http_conn_until(struct http_watch *w, struct http_conn *c, int64_t deadline);

/* When the time is up the request is answered with 504 "timeout". */
void http_conn_wait_for(
    struct http_watch *w, struct http_conn *c, struct http_request *rq, int64_t deadline);

/* The waiting is over; rq's time no longer runs. */
void http_conn_answered(struct http_watch *w, struct http_conn *c, int64_t deadline);

/* Connections with a request that is being answered or sent. */
size_t http_watch_busy(struct http_watch *w);

#endif
