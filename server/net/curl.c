/* HTTP by libcurl; smtp.c beside it is mail. */
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/client.h"

#define IDLE_MAX    16 /* handles, each with its open connections, kept for the next calls */
#define HEADERS_MAX (16 * 1024)

struct curl_client {
	struct http_client base;
	struct http_client_options o;
	pthread_mutex_t lock;
	CURL *idle[IDLE_MAX];
	size_t n_idle;
};

/* One call in flight. */
struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct uk_buf body;
	struct uk_buf head;
};

static struct curl_client *
self(struct http_client *c)
{
	return (struct curl_client *)c;
}

static CURL *
easy_get(struct curl_client *c)
{
	CURL *easy = NULL;

	(void)pthread_mutex_lock(&c->lock);
	if (c->n_idle > 0)
		easy = c->idle[--c->n_idle];
	(void)pthread_mutex_unlock(&c->lock);
	return easy != NULL ? easy : curl_easy_init();
}

static void
easy_put(struct curl_client *c, CURL *easy)
{
	curl_easy_reset(easy);
	(void)pthread_mutex_lock(&c->lock);
	if (c->n_idle < IDLE_MAX) {
		c->idle[c->n_idle++] = easy;
		easy = NULL;
	}
	(void)pthread_mutex_unlock(&c->lock);
	if (easy != NULL)
		curl_easy_cleanup(easy);
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	uk_buf_put(&t->body, uk_span(p, size * n));
	return uk_buf_failed(&t->body) ? 0 : size * n;
}

/* Lines without their CR; a new status line (after a redirect, or 100) starts over. */
static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * n;

	if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) {
		uk_buf_reset(&t->head);
		return len;
	}
	while (len > 0 && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		len--;
	if (len == 0)
		return size * n;
	uk_buf_put(&t->head, uk_span(p, len));
	uk_buf_put_u8(&t->head, '\n');
	return uk_buf_failed(&t->head) ? 0 : size * n;
}

static bool
loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
	       strcmp(host, "[::1]") == 0;
}

/* Secrets travel in these calls: plain http goes nowhere but to this machine. */
static enum uk_rc
url_check(const struct curl_client *c, const char *url, struct uk_err *err)
{
	CURLU *u = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	enum uk_rc rc = UK_OK;

	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		rc = uk_fail(err, UK_E_INPUT, "url", "curl-url", 0);
	else if (strcasecmp(scheme, "http") == 0 && !c->o.plain_anywhere &&
		 c->o.unix_path == NULL && !loopback(host))
		rc = uk_fail(err, UK_E_DENIED, "plain-http", "curl-url", 0);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return rc;
}

static void
set_body(struct transfer *t, const struct http_call *call)
{
	const bool get = strcmp(call->method, "GET") == 0;
	const bool head = strcmp(call->method, "HEAD") == 0;

	if (head)
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
	else if (get && call->body.n == 0)
		curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
	else {
		curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS,
		    call->body.n != 0 ? (const char *)call->body.p : "");
		curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, call->method);
	}
}

static bool
set_headers(struct transfer *t, const struct http_call *call)
{
	/* Without this curl waits a second for a "100 Continue" that few servers send. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	bool typed = false;

	for (size_t i = 0; list != NULL && i < call->n_headers; i++) {
		struct curl_slist *longer;
		struct uk_buf line;

		uk_buf_init(&line, HEADERS_MAX);
		/* curl's way to write an empty value is a semicolon. */
		if (*call->headers[i].value != '\0')
			uk_buf_printf(
			    &line, "%s: %s", call->headers[i].name, call->headers[i].value);
		else
			uk_buf_printf(&line, "%s;", call->headers[i].name);
		typed = typed || strcasecmp(call->headers[i].name, "Content-Type") == 0;
		longer = uk_buf_failed(&line) ? NULL : curl_slist_append(list, uk_buf_str(&line));
		uk_buf_fini(&line);
		if (longer == NULL)
			curl_slist_free_all(list);
		list = longer;
	}
	if (list != NULL && !typed)
		t->headers = curl_slist_append(list, "Content-Type:"); /* not curl's default */
	else
		t->headers = list;
	if (t->headers == NULL)
		return false;
	return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

static void
set_options(const struct curl_client *c, struct transfer *t, const struct http_call *call)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_URL, call->url);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(
	    e, CURLOPT_REDIR_PROTOCOLS_STR, c->o.plain_anywhere ? "http,https" : "https");
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(call->timeout_ms < 10000 ? call->timeout_ms : 10000));
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, call->follow > 0 ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)call->follow);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_PROXY, c->o.proxy != NULL ? c->o.proxy : "");
	curl_easy_setopt(e, CURLOPT_USERAGENT, "ukey-ca/" UK_VERSION);
	if (c->o.ca_file != NULL) {
		curl_easy_setopt(e, CURLOPT_CAINFO, c->o.ca_file);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	if (c->o.unix_path != NULL)
		curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, c->o.unix_path);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
}

static enum uk_rc
rc_of(CURLcode code, const struct transfer *t)
{
	if (uk_buf_failed(&t->body) || uk_buf_failed(&t->head))
		return UK_E_LIMIT;
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		return UK_E_TIMEOUT;
	case CURLE_URL_MALFORMAT:
		return UK_E_INPUT;
	case CURLE_UNSUPPORTED_PROTOCOL: /* a redirect to something else */
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return UK_E_DENIED;
	default:
		return UK_E_UNAVAILABLE;
	}
}

static void
set_reply(struct transfer *t, struct http_reply *out)
{
	struct http_reply r = { 0 };
	curl_off_t wait = 0;
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait);
	r.status = (int)status;
	r.retry_after = (int64_t)wait;
	r.body = t->body;
	uk_buf_init(&t->body, 0);
	r.headers = uk_buf_steal_str(&t->head);
	*out = r;
}

static enum uk_rc
curl_call(struct http_client *base, const struct http_call *call, struct http_reply *out,
    struct uk_err *err)
{
	struct curl_client *c = self(base);
	struct transfer t = { 0 };
	CURLcode code;
	enum uk_rc rc;

	if ((rc = url_check(c, call->url, err)) != UK_OK)
		return rc;
	if ((t.easy = easy_get(c)) == NULL)
		return uk_fail(err, UK_E_INTERNAL, NULL, "curl-init", 0);
	uk_buf_init(&t.body, call->max);
	uk_buf_init(&t.head, HEADERS_MAX);
	set_options(c, &t, call);
	set_body(&t, call);
	if (!set_headers(&t, call)) {
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "curl-headers", 0);
		goto out;
	}
	code = curl_easy_perform(t.easy);
	if (code != CURLE_OK) {
		rc = uk_fail(err, rc_of(code, &t), NULL, "curl", (long)code);
		goto out;
	}
	set_reply(&t, out);
	rc = UK_OK;
out:
	curl_slist_free_all(t.headers);
	uk_buf_fini(&t.body);
	uk_buf_fini(&t.head);
	easy_put(c, t.easy);
	return rc;
}

static char *
copy(const char *s)
{
	return s != NULL ? uk_xstrdup(s) : NULL;
}

static void
client_free(struct http_client *base)
{
	struct curl_client *c = self(base);

	while (c->n_idle > 0)
		curl_easy_cleanup(c->idle[--c->n_idle]);
	(void)pthread_mutex_destroy(&c->lock);
	free((void *)(uintptr_t)c->o.ca_file);
	free((void *)(uintptr_t)c->o.proxy);
	free((void *)(uintptr_t)c->o.unix_path);
	free(c);
}

static const struct http_client_ops curl_ops = {
	.name = "curl", .call = curl_call, .free = client_free
};

/* A peer that closes in the middle of a TLS record would end the process: with NOSIGNAL, which
 * threads need, the library leaves this to us. */
static void
ignore_sigpipe(void)
{
	struct sigaction sa;

	if (sigaction(SIGPIPE, NULL, &sa) != 0 || sa.sa_handler != SIG_DFL)
		return;
	sa = (struct sigaction){ .sa_handler = SIG_IGN };
	(void)sigaction(SIGPIPE, &sa, NULL);
}

struct http_client *
http_client_new(const struct http_client_options *o)
{
	struct curl_client *c = uk_xalloc(sizeof(*c));

	/* Counts its callers and is safe to repeat; there is no matching clean-up on purpose, since
	 * other users of the library in this process would lose it too. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	ignore_sigpipe();
	c->base.ops = &curl_ops;
	if (o != NULL)
		c->o = (struct http_client_options){ .ca_file = copy(o->ca_file),
			.proxy = copy(o->proxy),
			.unix_path = copy(o->unix_path),
			.plain_anywhere = o->plain_anywhere };
	if (pthread_mutex_init(&c->lock, NULL) != 0)
		abort();
	return &c->base;
}
