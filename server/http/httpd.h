/*
 * The HTTP server.  Handlers run on its worker pool; a connection waits, without a thread, until
 * its request is answered.
 *
 *	struct httpd_config cfg = { .listen = "127.0.0.1:8600", .origin = "http://localhost:8600",
 *	    .routes = routes, .n_routes = n, .gate = gate, .app = app, .pages = "/usr/share/..." };
 *	rc = httpd_open(&cfg, &httpd, &err);
 *	...
 *	httpd_close(&httpd);
 */
#ifndef HTTP_HTTPD_H
#define HTTP_HTTPD_H

#include "http/request.h"
#include "http/route.h"
#include "uk/clock.h"
#include "uk/log.h"
#include "uk/random.h"

/* May this peer use a route with these bits of `who`?  Runs on a worker, before the body is read
 * into the fields, and before a body larger than HTTP_BODY_DEFAULT may come at all; may block, may
 * call http_user_take(). */
typedef enum uk_rc http_gate(void *app, struct http_request *rq, unsigned who, struct uk_err *err);

/* Zero means the default in brackets.  Everything pointed to outlives the server. */
struct httpd_config {
	const char *listen; /* "127.0.0.1:8600", "[::1]:0", or a socket's path "/run/..." */
	const char *origin; /* ours as browsers see it: "https://ukey.example.cn" */
	bool proxied;       /* the peer is our proxy: its X-Real-IP is the remote address */

	const struct http_route *routes;
	size_t n_routes;
	http_gate *gate; /* NULL: everything is allowed */
	void *app;       /* for gate and handlers */

	const char *pages;       /* folder of built pages, read into memory at start; NULL: none */
	const char *connect_src; /* CSP, beside 'self': "ws://127.0.0.1:21071 ..." */
	const char *form_action; /* CSP, beside 'self' */
	bool inline_style;       /* CSP: style-src 'unsafe-inline' */

	unsigned workers;         /* [4] */
	unsigned queue;           /* requests waiting for a worker [256]; more get 503 */
	unsigned connections;     /* [1000] */
	unsigned per_address;     /* connections of one address [64]; none for unix sockets */
	size_t connection_memory; /* header and buffers of a connection [32 KiB]; else 431 */
	size_t body_memory;       /* bodies of all requests together [256 MiB]; more get 503 */
	int64_t head_ms;          /* a connection's first header, and body up to 64 KiB [30 s] */
	int64_t upload_ms;        /* header and body of routes with a larger limit [120 s] */
	int64_t idle_ms;          /* between requests of a connection [60 s] */
	int64_t answer_ms;        /* a handler; later gets 504 [60 s] */
	int64_t send_ms;          /* a client reading its answer [120 s] */

	const struct uk_log *log;       /* NULL: silent */
	const struct uk_clock *clock;   /* NULL: the system's */
	const struct uk_random *random; /* NULL: the system's */
};

struct httpd;

UK_CHECK enum uk_rc httpd_open(
    const struct httpd_config *cfg, struct httpd **out, struct uk_err *err);

/* The TCP port in use, 0 for a unix socket. */
unsigned httpd_port(const struct httpd *h);

/*
 * No new connections; what is being handled is answered (for answer_ms at most); then everything
 * is freed and *h is NULL.  NULL-safe.
 */
void httpd_close(struct httpd **h);

#endif
