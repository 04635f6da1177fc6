/* The only file that knows libmicrohttpd.  Its callbacks run on its one thread and never block. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "http/config.h"
#include "http/cookie.h"
#include "http/httpd.h"
#include "http/internal.h"
#include "http/listen.h"
#include "http/pages.h"
#include "http/pool.h"
#include "http/security.h"
#include "http/watch.h"
#include "http/work.h"

#define FLUSH_MS 2000 /* at the end, for answers that are being sent */

struct httpd {
	struct httpd_config cfg;
	struct MHD_Daemon *mhd;
	unsigned port;
	struct http_pool *pool;
	struct http_watch *watch;
	struct http_pages *pages;
	char *csp;
	bool https;
	atomic_bool closing;
	size_t body_bytes; /* the library's thread only */
	pthread_mutex_t lock;
	pthread_cond_t none_asleep;
	size_t asleep; /* requests whose connection waits for an answer */
};

static int64_t
now_ms(const struct httpd *h)
{
	return uk_mono_ms(h->cfg.clock);
}

static struct http_conn *
conn_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static void
on_library_log(void *cls, const char *fmt, va_list ap)
{
	const struct httpd *h = cls;
	char text[256];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	uk_log(h->cfg.log, UK_LOG_DEBUG, "http.library", UK_LS("text", text));
}

static void
on_connection(
    void *cls, struct MHD_Connection *conn, void **ctx, enum MHD_ConnectionNotificationCode code)
{
	struct httpd *h = cls;
	struct http_conn *c = *ctx;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
		    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);

		*ctx = http_conn_add(h->watch, info->connect_fd, h->cfg.head_ms);
	} else if (c != NULL) {
		http_conn_del(h->watch, &c);
		*ctx = NULL;
	}
}

/* The request line is complete.  We get the target as sent, before anybody decodes it. */
static void *
on_target(void *cls, const char *target, struct MHD_Connection *conn)
{
	struct httpd *h = cls;
	struct http_request *rq = http_request_new(target);
	struct http_conn *c = conn_of(conn);

	uk_random_hex(h->cfg.random, rq->id, (HTTP_ID_LEN - 1) / 2);
	rq->httpd = h;
	rq->conn = conn;
	rq->cfg = &h->cfg;
	rq->log = h->cfg.log;
	rq->secure = h->https;
	rq->start = http_conn_start(h->watch, c);
	http_conn_until(h->watch, c, rq->start + h->cfg.head_ms);
	return rq;
}

static size_t
keep_encoded(void *cls, struct MHD_Connection *conn, char *s)
{
	(void)cls;
	(void)conn;
	return strlen(s);
}

static enum MHD_Result
count_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	size_t *bytes = cls;

	(void)kind;
	*bytes += strlen(name) + (value != NULL ? strlen(value) : 0) + 2;
	return MHD_YES;
}

struct copying {
	struct http_request *rq;
	char *at;
};

static enum MHD_Result
copy_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct copying *c = cls;
	struct http_request *rq = c->rq;
	const size_t name_n = strlen(name) + 1;
	const size_t value_n = value != NULL ? strlen(value) : 0;

	(void)kind;
	if (rq->n_headers == HTTP_HEADERS_MAX) {
		rq->too_many_headers = true;
		return MHD_NO;
	}
	memcpy(c->at, name, name_n);
	if (value_n > 0)
		memcpy(c->at + name_n, value, value_n);
	rq->headers[rq->n_headers].name = c->at;
	rq->headers[rq->n_headers].value = c->at + name_n;
	rq->n_headers++;
	c->at += name_n + value_n + 1;
	return MHD_YES;
}

/* The library's strings die with the connection; ours live until the request is answered. */
static void
copy_headers(struct http_request *rq, struct MHD_Connection *conn)
{
	struct copying c = { .rq = rq };
	size_t bytes = 0;

	(void)MHD_get_connection_values(conn, MHD_HEADER_KIND, count_header, &bytes);
	rq->header_text = c.at = uk_xalloc(bytes);
	(void)MHD_get_connection_values(conn, MHD_HEADER_KIND, copy_header, &c);
}

static void
set_remote(const struct httpd *h, struct http_request *rq, struct MHD_Connection *conn)
{
	const char *real = h->cfg.proxied ? http_header(rq, "X-Real-IP") : NULL;
	const union MHD_ConnectionInfo *info;
	uint8_t address[sizeof(struct in6_addr)];

	if (real != NULL && strlen(real) < sizeof(rq->remote) &&
	    (inet_pton(AF_INET, real, address) == 1 || inet_pton(AF_INET6, real, address) == 1)) {
		memcpy(rq->remote, real, strlen(real) + 1);
		return;
	}
	info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	http_address(info != NULL ? info->client_addr : NULL, rq->remote, sizeof(rq->remote));
}

/* Paths that begin like a route's are answered by routes only: no page for a mistyped /api/x. */
static bool
routes_own(const struct httpd *h, const char *path)
{
	const size_t n = strcspn(path + 1, "/") + 1;

	for (size_t i = 0; i < h->cfg.n_routes; i++)
		if (strncmp(h->cfg.routes[i].path, path, n) == 0 &&
		    (h->cfg.routes[i].path[n] == '/' || h->cfg.routes[i].path[n] == '\0'))
			return true;
	return false;
}

static const struct http_page *
find_page(const struct httpd *h, const struct http_request *rq, const char *method)
{
	if (h->pages == NULL || rq->path[0] != '/' || routes_own(h, rq->path))
		return NULL;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return NULL;
	return http_pages_find(h->pages, rq->path);
}

static void
add(struct MHD_Response *resp, const char *name, const char *value)
{
	/* Refused only when memory is out or the value is malformed, and ours are not. */
	if (MHD_add_response_header(resp, name, value) != MHD_YES)
		abort();
}

static void
add_security(const struct httpd *h, struct MHD_Response *resp)
{
	add(resp, "Content-Security-Policy", h->csp);
	add(resp, "X-Content-Type-Options", "nosniff");
	add(resp, "X-Frame-Options", "DENY");
	add(resp, "Referrer-Policy", "no-referrer");
	add(resp, "Cross-Origin-Opener-Policy", "same-origin");
	add(resp, "Cross-Origin-Resource-Policy", "same-origin");
	if (h->https)
		add(resp, "Strict-Transport-Security", "max-age=31536000");
}

static void
add_allow(struct MHD_Response *resp, unsigned allow)
{
	struct uk_buf b;

	uk_buf_init(&b, 64);
	uk_buf_put_str(&b, "OPTIONS");
	for (unsigned m = 0; m < HTTP_METHOD__MAX; m++)
		if ((allow & 1u << m) != 0)
			uk_buf_printf(&b, ", %s%s", http_method_name((enum http_method)m),
			    m == HTTP_GET ? ", HEAD" : "");
	add(resp, "Allow", uk_buf_str(&b));
	uk_buf_fini(&b);
}

static enum MHD_Result
queue(struct httpd *h, struct http_request *rq, unsigned status, struct MHD_Response *resp)
{
	struct MHD_Connection *conn = rq->conn;
	enum MHD_Result r;

	if (resp == NULL)
		return MHD_NO;
	add_security(h, resp);
	if (atomic_load(&h->closing))
		add(resp, "Connection", "close");
	http_conn_answered(h->watch, conn_of(conn), now_ms(h) + h->cfg.send_ms);
	r = MHD_queue_response(conn, status, resp);
	MHD_destroy_response(resp);
	return r;
}

static enum MHD_Result
send_page(struct httpd *h, struct http_request *rq, const struct http_page *page)
{
	const bool gzip = page->gzip.n > 0 && http_takes_gzip(http_header(rq, "Accept-Encoding"));
	const struct uk_span body = gzip ? page->gzip : page->body;
	const char *known = http_header(rq, "If-None-Match");
	const bool same = known != NULL && strstr(known, page->etag) != NULL;
	struct MHD_Response *resp = MHD_create_response_from_buffer(
	    same ? 0 : body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_PERSISTENT);

	if (resp == NULL)
		return MHD_NO;
	add(resp, "Content-Type", page->type);
	add(resp, "Cache-Control", page->cache);
	add(resp, "ETag", page->etag);
	if (page->gzip.n > 0)
		add(resp, "Vary", "Accept-Encoding");
	if (gzip && !same)
		add(resp, "Content-Encoding", "gzip");
	return queue(h, rq, same ? 304 : 200, resp);
}

static void
on_sent(void *cls)
{
	struct http_request *rq = cls;

	http_request_unref(&rq);
}

/* The body is not copied: the response holds on to the request. */
static enum MHD_Result
send_answer(struct httpd *h, struct http_request *rq)
{
	const struct http_response *r = atomic_load(&rq->answer);
	struct MHD_Response *resp = MHD_create_response_from_buffer_with_free_callback_cls(
	    r->body.n, r->body.p, on_sent, http_request_ref(rq));

	if (resp == NULL) {
		on_sent(rq);
		return MHD_NO;
	}
	if (r->type != NULL)
		add(resp, "Content-Type", r->type);
	if (rq->allow != 0)
		add_allow(resp, rq->allow);
	for (size_t i = 0; i < r->n_headers; i++)
		add(resp, r->headers[i].name, r->headers[i].value);
	if (MHD_get_response_header(resp, "Cache-Control") == NULL)
		add(resp, "Cache-Control", "no-store");
	return queue(h, rq, (unsigned)r->status, resp);
}

static enum MHD_Result
refuse(struct httpd *h, struct http_request *rq, int status, const char *reason)
{
	http_request_refuse(rq, status, reason);
	return send_answer(h, rq);
}

/* Have we room for the body? */
static enum MHD_Result
take_body(struct httpd *h, struct http_request *rq)
{
	if (rq->length > h->cfg.body_memory - h->body_bytes)
		return refuse(h, rq, 503, "unavailable");
	h->body_bytes += rq->length;
	rq->reserved = rq->length;
	uk_buf_init(&rq->body, rq->length);
	rq->phase = HTTP_PHASE_BODY;
	if (http_work_is_upload(rq))
		http_conn_until(h->watch, conn_of(rq->conn), rq->start + h->cfg.upload_ms);
	return MHD_YES;
}

static void
wake(struct http_request *rq)
{
	struct httpd *h = rq->httpd;

	MHD_resume_connection(rq->conn);
	(void)pthread_mutex_lock(&h->lock);
	if (--h->asleep == 0)
		(void)pthread_cond_signal(&h->none_asleep);
	(void)pthread_mutex_unlock(&h->lock);
}

/* False: the server ends, and nobody may fall asleep any more. */
static bool
fall_asleep(struct httpd *h)
{
	bool ok;

	(void)pthread_mutex_lock(&h->lock);
	ok = !atomic_load(&h->closing);
	if (ok)
		h->asleep++;
	(void)pthread_mutex_unlock(&h->lock);
	return ok;
}

static void
answer_busy(struct http_request *rq)
{
	const struct uk_err err = { .rc = UK_E_UNAVAILABLE };

	http_retry_after(rq, 1);
	http_answer_err(rq, &err);
}

/* The connection sleeps until `fn`, on a worker, or the deadline has done with it.  The responder's
 * reference is given up by the answer. */
static enum MHD_Result
sleep_for(struct httpd *h, struct http_request *rq, void (*fn)(void *arg))
{
	if (!fall_asleep(h))
		return refuse(h, rq, 503, "unavailable");
	rq->wake = wake;
	atomic_store(&rq->asleep, true);
	MHD_suspend_connection(rq->conn);
	http_conn_wait_for(h->watch, conn_of(rq->conn), rq, now_ms(h) + h->cfg.answer_ms);
	(void)http_request_ref(rq);
	if (!http_pool_put(h->pool, fn, http_request_ref(rq))) {
		answer_busy(rq);
		http_request_unref(&rq); /* the worker's */
	}
	return MHD_YES;
}

/* The table has nothing against it; now who sent it? */
static enum MHD_Result
admit(struct httpd *h, struct http_request *rq)
{
	const char *forged = http_forgery(&h->cfg, rq);

	if (forged != NULL)
		return refuse(h, rq, 403, forged);
	if (!http_work_is_upload(rq))
		return take_body(h, rq);
	rq->phase = HTTP_PHASE_GATE;
	return sleep_for(h, rq, http_work_gate);
}

static enum MHD_Result
begin(struct httpd *h, struct http_request *rq, const char *method)
{
	const char *query = strchr(rq->target, '?');
	const struct http_page *page;
	struct http_verdict verdict;
	struct http_head head;

	rq->phase = HTTP_PHASE_BODY;
	copy_headers(rq, rq->conn);
	set_remote(h, rq, rq->conn);
	if (rq->too_many_headers)
		return refuse(h, rq, 431, "too-many-headers");
	if (atomic_load(&h->closing))
		return refuse(h, rq, 503, "unavailable");
	if ((page = find_page(h, rq, method)) != NULL)
		return send_page(h, rq, page);
	head = (struct http_head){ .method = method,
		.path = rq->path,
		.type = http_header(rq, "Content-Type"),
		.length = http_header(rq, "Content-Length"),
		.chunked = http_header(rq, "Transfer-Encoding") != NULL };
	http_route_judge(h->cfg.routes, h->cfg.n_routes, &head, &rq->params, &verdict);
	rq->route = verdict.route;
	if (verdict.status != 0) {
		rq->allow = verdict.status == 405 || verdict.status == 204 ? verdict.allow : 0;
		return refuse(h, rq, verdict.status, verdict.reason);
	}
	if (net_pairs_parse(uk_span_str(query != NULL ? query + 1 : ""), &rq->query) != UK_OK)
		return refuse(h, rq, 400, "query-malformed");
	http_cookies_parse(uk_span_str(http_header(rq, "Cookie")), &rq->cookies);
	rq->length = verdict.length;
	return admit(h, rq);
}

static enum MHD_Result
submit(struct httpd *h, struct http_request *rq)
{
	if (rq->body.n != rq->length)
		return refuse(h, rq, 400, "body-incomplete");
	return sleep_for(h, rq, http_work_handle);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *conn, const char *url, const char *method,
    const char *version, const char *data, size_t *size, void **ctx)
{
	struct httpd *h = cls;
	struct http_request *rq = *ctx;

	(void)conn;
	(void)url;
	(void)version;
	if (rq->phase == HTTP_PHASE_HEAD)
		return begin(h, rq, method);
	if (rq->phase == HTTP_PHASE_GATE && atomic_load(&rq->answer) == NULL)
		return take_body(h, rq);
	if (*size > 0) {
		uk_buf_put(&rq->body, uk_span(data, *size));
		*size = 0;
		return uk_buf_failed(&rq->body) ? MHD_NO : MHD_YES;
	}
	return atomic_load(&rq->answer) != NULL ? send_answer(h, rq) : submit(h, rq);
}

static void
log_request(const struct httpd *h, const struct http_request *rq, bool sent)
{
	const struct http_response *r =
	    atomic_load(&((struct http_request *)(uintptr_t)rq)->answer);

	/* The pattern, not the path: what is in a path may give access to an order. */
	if (rq->route == NULL)
		return;
	uk_log(h->cfg.log, UK_LOG_INFO, "http.request", UK_LS("request", rq->id),
	    UK_LS("method", http_method_name(rq->route->method)), UK_LS("path", rq->route->path),
	    UK_LI("status", r != NULL ? r->status : 0), UK_LI("ms", now_ms(h) - rq->start),
	    UK_LS("sent", sent ? "yes" : "no"));
}

static void
on_completed(
    void *cls, struct MHD_Connection *conn, void **ctx, enum MHD_RequestTerminationCode code)
{
	struct httpd *h = cls;
	struct http_request *rq = *ctx;

	if (rq == NULL)
		return;
	log_request(h, rq, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	h->body_bytes -= rq->reserved;
	http_conn_until(h->watch, conn_of(conn), now_ms(h) + h->cfg.idle_ms);
	*ctx = NULL;
	http_request_unref(&rq);
}

static enum uk_rc
start(struct httpd *h, struct uk_err *err)
{
	int fd = -1;
	enum uk_rc rc;

	if ((rc = http_listen(h->cfg.listen, &fd, err)) != UK_OK)
		return rc;
	h->port = http_listen_port(fd);
	h->mhd = MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
	    NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, h,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
	    MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, NULL, MHD_OPTION_NOTIFY_COMPLETED,
	    on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	    MHD_OPTION_CONNECTION_LIMIT, h->cfg.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	    h->port != 0 && !h->cfg.proxied ? h->cfg.per_address : 0u,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, h->cfg.connection_memory,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (h->mhd == NULL) {
		(void)close(fd);
		return uk_fail(err, UK_E_UNAVAILABLE, "http-start", "MHD_start_daemon", 0);
	}
	return UK_OK;
}

enum uk_rc
httpd_open(const struct httpd_config *cfg, struct httpd **out, struct uk_err *err)
{
	struct httpd *h = uk_xalloc(sizeof(*h));
	enum uk_rc rc;

	h->cfg = http_config_full(cfg);
	h->https = strncasecmp(cfg->origin, "https:", 6) == 0;
	h->csp = http_csp_dup(&h->cfg);
	if (pthread_mutex_init(&h->lock, NULL) != 0 ||
	    pthread_cond_init(&h->none_asleep, NULL) != 0)
		abort();
	if ((rc = http_routes_check(cfg->routes, cfg->n_routes, err)) != UK_OK)
		goto out;
	if (h->csp == NULL) {
		rc = uk_fail(err, UK_E_LIMIT, "csp-too-long", "httpd", 0);
		goto out;
	}
	if (cfg->pages != NULL && (rc = http_pages_open(cfg->pages, &h->pages, err)) != UK_OK)
		goto out;
	h->watch = http_watch_new(h->cfg.clock, http_config_tick_ms(&h->cfg));
	h->pool = http_pool_new(h->cfg.workers, h->cfg.queue);
	if ((rc = start(h, err)) != UK_OK)
		goto out;
	*out = h;
	h = NULL;
out:
	httpd_close(&h);
	return rc;
}

unsigned
httpd_port(const struct httpd *h)
{
	return h->port;
}

/* Each sleeping request has its deadline, so this ends. */
static void
wait_for_answers(struct httpd *h)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int64_t until;

	(void)pthread_mutex_lock(&h->lock);
	while (h->asleep > 0)
		(void)pthread_cond_wait(&h->none_asleep, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);
	until = now_ms(h) + FLUSH_MS;
	while (http_watch_busy(h->watch) > 0 && now_ms(h) < until)
		(void)nanosleep(&pause, NULL);
}

static void
stop(struct httpd *h)
{
	int fd;

	(void)pthread_mutex_lock(&h->lock);
	atomic_store(&h->closing, true);
	(void)pthread_mutex_unlock(&h->lock);
	fd = MHD_quiesce_daemon(h->mhd);
	if (h->cfg.listen[0] == '/')
		(void)unlink(h->cfg.listen);
	wait_for_answers(h);
	MHD_stop_daemon(h->mhd);
	if (fd >= 0)
		(void)close(fd);
}

void
httpd_close(struct httpd **hh)
{
	struct httpd *h = *hh;

	if (h == NULL)
		return;
	if (h->mhd != NULL)
		stop(h);
	http_pool_free(&h->pool);
	http_watch_free(&h->watch);
	http_pages_free(&h->pages);
	(void)pthread_cond_destroy(&h->none_asleep);
	(void)pthread_mutex_destroy(&h->lock);
	free(h->csp);
	free(h);
	*hh = NULL;
}
