/* A request from the inside: for the files of this folder only. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <stdatomic.h>

#include "http/httpd.h"
#include "http/request.h"
#include "http/route.h"
#include "uk/log.h"

#define HTTP_HEADERS_MAX     64
#define HTTP_ADD_HEADERS_MAX 16
#define HTTP_REMOTE_LEN      64

struct http_response {
	int status;
	char *type;
	struct uk_buf body;
	struct {
		char *name;
		char *value;
	} headers[HTTP_ADD_HEADERS_MAX];
	size_t n_headers;
};

/* What the connection's next call is for. */
enum http_phase {
	HTTP_PHASE_HEAD,
	HTTP_PHASE_GATE, /* the gate has been asked about a large body */
	HTTP_PHASE_BODY,
};

struct http_request {
	char id[HTTP_ID_LEN];
	char remote[HTTP_REMOTE_LEN];
	char *target;
	char *path;
	char *header_text;
	struct {
		const char *name;
		const char *value;
	} headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	bool too_many_headers;
	struct http_params params;
	struct net_pairs query;
	struct net_pairs cookies;
	struct net_pairs form;
	const struct http_route *route;
	struct uk_buf body;
	json_t *json;
	void *fields;
	void *user;
	void (*user_free)(void *user);
	unsigned attempts_left; /* one more than told; 0: not told */
	unsigned retry_after;
	unsigned allow;  /* what 405 and OPTIONS tell: bits 1 << enum http_method */
	size_t length;   /* of the body, as told */
	size_t reserved; /* of the memory for bodies */
	enum http_phase phase;
	bool secure;
	const struct uk_log *log;
	int64_t start;

	/* The responder's, until it is answered. */
	struct http_response *draft;
	bool given;
	/* Set once, by the responder or by its deadline: who sets it wakes the connection. */
	_Atomic(struct http_response *) answer;
	atomic_uint refs;
	atomic_bool asleep; /* the connection: who clears it calls wake */
	void (*wake)(struct http_request *rq);
	const struct httpd_config *cfg;
	void *httpd;
	void *conn;
};

struct http_request *http_request_new(const char *target);
struct http_request *http_request_ref(struct http_request *rq);
void http_request_unref(struct http_request **rq); /* sets NULL */

/* The connection goes on, if it is asleep. */
void http_request_wake(struct http_request *rq);

/* On a worker: the body as the route wants it. */
UK_CHECK enum uk_rc http_request_read(struct http_request *rq, struct uk_err *err);

/* An answer that is not the responder's: a refusal before there is one, a deadline. */
void http_request_refuse(struct http_request *rq, int status, const char *reason);

#endif
