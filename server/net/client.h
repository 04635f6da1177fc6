/*
 * The HTTP client that every connector is handed.  Calls block: they are made by job workers, never
 * by the thread of the server.  One client serves many threads.
 *
 *	struct http_reply reply = { 0 };
 *	rc = http_post(client, url, "application/json", body, 10000, 64 * 1024, &reply, err);
 *	if (rc == UK_OK && reply.status == 200) ... uk_buf_span(&reply.body) ...
 *	http_reply_fini(&reply);
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/form.h"
#include "uk/buf.h"
#include "uk/log.h"
#include "uk/rc.h"

struct http_call {
	const char *method;             /* "GET", "POST", "PUT", "HEAD", "DELETE", ... */
	const char *url;                /* absolute, http or https */
	const struct net_pair *headers; /* sent as they are; no CR or LF in them */
	size_t n_headers;
	struct uk_span body;
	int64_t timeout_ms; /* for the whole call, > 0 */
	size_t max;         /* bytes of the answer's body; more is UK_E_LIMIT */
	unsigned follow;    /* redirects to follow; 0: none, the 3xx is the reply */
};

struct http_reply {
	int status;
	struct uk_buf body;
	int64_t retry_after; /* seconds; 0 without */
	char *headers;       /* the header lines, "Name: value\n"; at most 16 KiB */
};

struct http_client;

struct http_client_ops {
	const char *name;
	/*
	 * Any HTTP status is UK_OK: the caller judges it.  UK_E_TIMEOUT: the deadline passed, the
	 * request may or may not have been carried out.  UK_E_UNAVAILABLE: no connection, or it
	 * broke (native is the library's code).  UK_E_LIMIT: answer too large.  UK_E_INPUT: a URL
	 * that is none.  UK_E_DENIED: TLS did not prove the peer, or plain http to another host.
	 * `out` is zeroed before and written on success only.
	 */
	enum uk_rc (*call)(struct http_client *c, const struct http_call *call,
	    struct http_reply *out, struct uk_err *err);
	void (*free)(struct http_client *c);
};

/* An implementation embeds this as its first member. */
struct http_client {
	const struct http_client_ops *ops;
};

UK_CHECK enum uk_rc http_call(struct http_client *c, const struct http_call *call,
    struct http_reply *out, struct uk_err *err);
UK_CHECK enum uk_rc http_get(struct http_client *c, const char *url, int64_t timeout_ms, size_t max,
    struct http_reply *out, struct uk_err *err);
UK_CHECK enum uk_rc http_post(struct http_client *c, const char *url, const char *type,
    struct uk_span body, int64_t timeout_ms, size_t max, struct http_reply *out,
    struct uk_err *err);

/* The value of a header of the reply into `out`, NUL-terminated; false when absent or too long. */
bool http_reply_header(const struct http_reply *r, const char *name, char *out, size_t size);
void http_reply_fini(struct http_reply *r);
void http_client_free(struct http_client **c); /* NULL-safe, sets NULL */

struct http_client_options {
	const char *ca_file;   /* trusted roots (PEM); NULL: the system's */
	const char *proxy;     /* NULL: none; the environment is not asked */
	const char *unix_path; /* connect to this socket whatever the URL's host; NULL: TCP */
	bool plain_anywhere;   /* http:// to hosts that are not the loopback address */
};

/* The real one, on libcurl.  `o` may be NULL and is copied.  The process ignores SIGPIPE from now
 * on. */
struct http_client *http_client_new(const struct http_client_options *o);

#endif
