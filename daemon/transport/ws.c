#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "policy/origin.h"
#include "transport/peer.h"
#include "transport/ws.h"
#include "uk/frame.h"

#define PATH      "/ukey/1"
#define PROTOCOL  "ukey.1"
#define HOST_MAX  64
#define RX_BUFFER 16384
#define BACKLOG   16

struct out {
	struct out *next;
	size_t n;
	uint8_t bytes[]; /* LWS_PRE of room, then the message */
};

/* libwebsockets makes and frees it with the connection. */
struct ws_conn {
	struct conn base;
	struct ws *ws;
	struct lws *wsi;
	bool attached;
	bool closing;
	bool peer_known;
	uid_t peer;
	char origin[ORIGIN_MAX + 1];
	struct uk_buf in;
	struct out *first;
	struct out **last;
	size_t queued;
	struct ws_conn *next;
};

struct ws {
	struct lws_loop *loop;
	struct rpc *rpc;
	const struct uk_log *log;
	struct lws_vhost *vhost;
	int fd;
	int port;
	struct loop_watch *watch;
	struct ws_conn *conns;
	size_t n;
};

/* --- struct conn --- */

static struct ws_conn *
cast(struct conn *c)
{
	return (struct ws_conn *)c;
}

static void
kill_later(struct ws_conn *c)
{
	if (!c->closing)
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	c->closing = true;
}

static void
ws_send(struct conn *base, struct uk_span message)
{
	struct ws_conn *c = cast(base);
	struct out *o;

	if (c->closing)
		return;
	if (c->queued + message.n > WS_OUT_MAX) {
		uk_log(c->ws->log, UK_LOG_WARN, "ws.slow", UK_LS("origin", c->origin));
		kill_later(c);
		return;
	}
	o = uk_xalloc(sizeof(*o) + LWS_PRE + message.n);
	o->n = message.n;
	memcpy(o->bytes + LWS_PRE, message.p, message.n);
	*c->last = o;
	c->last = &o->next;
	c->queued += o->n;
	lws_callback_on_writable(c->wsi);
}

static void
ws_end(struct conn *base)
{
	kill_later(cast(base));
}

static bool
ws_peer(const struct conn *base, uid_t *uid)
{
	const struct ws_conn *c = (const struct ws_conn *)base;

	*uid = c->peer;
	return c->peer_known;
}

static const char *
ws_origin(const struct conn *base)
{
	return ((const struct ws_conn *)base)->origin;
}

static const struct conn_ops ws_ops = {
	.name = "ws",
	.send = ws_send,
	.close = ws_end,
	.peer = ws_peer,
	.origin = ws_origin,
};

/* --- the handshake --- */

static bool
header(struct lws *wsi, enum lws_token_indexes which, char *out, int size)
{
	const int n = lws_hdr_total_length(wsi, which);

	return n > 0 && n < size && lws_hdr_copy(wsi, out, size, which) == n;
}

/* A page that was rebound to 127.0.0.1 still says its own name here. */
static bool
host_right(struct lws *wsi, int port)
{
	static const char *const names[] = { "127.0.0.1", "localhost" };
	char host[HOST_MAX], right[HOST_MAX];

	if (!header(wsi, WSI_TOKEN_HOST, host, sizeof(host)))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(right, sizeof(right), "%s:%d", names[i], port);
		if (strcmp(host, right) == 0)
			return true;
	}
	return false;
}

static size_t
count_origin(const struct ws *w, const char *origin)
{
	size_t n = 0;

	for (const struct ws_conn *c = w->conns; c != NULL; c = c->next)
		n += strcmp(c->origin, origin) == 0;
	return n;
}

static bool
too_many(const struct ws *w, const char *origin)
{
	size_t strangers = 0;

	if (w->n >= WS_CONNECTIONS || count_origin(w, origin) >= WS_PER_ORIGIN)
		return true;
	for (const struct ws_conn *c = w->conns; c != NULL; c = c->next)
		strangers += !rpc_site_allowed(w->rpc, c->origin);
	return strangers >= WS_STRANGERS && !rpc_site_allowed(w->rpc, origin);
}

static enum uk_rc
check(struct ws *w, struct ws_conn *c, struct lws *wsi, struct uk_err *err)
{
	char path[HOST_MAX];

	if (!header(wsi, WSI_TOKEN_GET_URI, path, sizeof(path)) || strcmp(path, PATH) != 0)
		return uk_fail(err, UK_E_NOT_FOUND, NULL, "ws", 0);
	if (!host_right(wsi, w->port))
		return uk_fail(err, UK_E_DENIED, "host-refused", "ws", 0);
	/* rpc_attach() says whether it is a site; here it only has to be there. */
	if (!header(wsi, WSI_TOKEN_ORIGIN, c->origin, sizeof(c->origin)))
		return uk_fail(err, UK_E_DENIED, "origin-refused", "ws", 0);
	if (too_many(w, c->origin))
		return uk_fail(err, UK_E_RATE, "too-many-connections", "ws", 0);
	c->peer_known = peer_tcp(lws_get_socket_fd(wsi), &c->peer);
	return rpc_attach(w->rpc, &c->base, err);
}

/* Not 0: no handshake. */
static int
begin(struct ws *w, struct ws_conn *c, struct lws *wsi)
{
	struct uk_err err = { 0 };

	memset(c, 0, sizeof(*c));
	c->base.ops = &ws_ops;
	c->ws = w;
	c->wsi = wsi;
	c->last = &c->first;
	uk_buf_init(&c->in, UK_MESSAGE_MAX);
	if (check(w, c, wsi, &err) != UK_OK) {
		uk_log(w->log, UK_LOG_WARN, "ws.refused", UK_LS("origin", c->origin),
		    UK_LS("reason", uk_err_reason(&err)));
		(void)lws_return_http_status(
		    wsi, (unsigned)uk_rc_http(err.rc), uk_err_reason(&err));
		return 1;
	}
	c->attached = true;
	c->next = w->conns;
	w->conns = c;
	w->n++;
	return 0;
}

static void
end(struct ws *w, struct ws_conn *c)
{
	struct ws_conn **p = &w->conns;

	if (c == NULL || !c->attached)
		return;
	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	w->n--;
	c->attached = false;
	c->closing = true;
	rpc_detach(w->rpc, &c->base);
	uk_buf_fini(&c->in);
	while (c->first != NULL) {
		struct out *o = c->first;

		c->first = o->next;
		free(o);
	}
}

/* --- messages --- */

static int
refuse(struct lws *wsi, enum lws_close_status status)
{
	lws_close_reason(wsi, status, NULL, 0);
	return -1;
}

static int
receive(struct ws *w, struct ws_conn *c, struct lws *wsi, const void *in, size_t len)
{
	if (lws_frame_is_binary(wsi))
		return refuse(wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE);
	uk_buf_put(&c->in, uk_span(in, len));
	if (uk_buf_failed(&c->in))
		return refuse(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
		return 0;
	rpc_message(w->rpc, &c->base, uk_buf_span(&c->in));
	uk_buf_reset(&c->in);
	return 0;
}

static int
write_one(struct ws_conn *c, struct lws *wsi)
{
	struct out *o = c->first;
	int n;

	if (o == NULL)
		return 0;
	c->first = o->next;
	if (c->first == NULL)
		c->last = &c->first;
	c->queued -= o->n;
	n = lws_write(wsi, o->bytes + LWS_PRE, o->n, LWS_WRITE_TEXT);
	free(o);
	if (n < 0)
		return -1;
	if (c->first != NULL)
		lws_callback_on_writable(wsi);
	return 0;
}

static int
ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct lws_vhost *vhost = lws_get_vhost(wsi);
	struct ws *w = vhost != NULL ? lws_get_vhost_user(vhost) : NULL;

	if (w == NULL)
		return 0;
	if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
		return begin(w, user, wsi);
	if (reason == LWS_CALLBACK_RECEIVE)
		return receive(w, user, wsi, in, len);
	if (reason == LWS_CALLBACK_SERVER_WRITEABLE)
		return write_one(user, wsi);
	if (reason == LWS_CALLBACK_CLOSED || reason == LWS_CALLBACK_WSI_DESTROY)
		end(w, user);
	return 0;
}

/* What is no WebSocket, and a WebSocket that does not name our subprotocol. */
static int
other_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	(void)user;
	(void)in;
	(void)len;
	if (reason != LWS_CALLBACK_HTTP && reason != LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
		return 0;
	(void)lws_return_http_status(wsi, HTTP_STATUS_NOT_FOUND, NULL);
	return 1;
}

static const struct lws_protocols protocols[] = {
	{ .name = "none", .callback = other_callback },
	{ .name = PROTOCOL,
	    .callback = ws_callback,
	    .per_session_data_size = sizeof(struct ws_conn),
	    .rx_buffer_size = RX_BUFFER },
	{ .name = NULL },
};

/* --- the listener --- */

/* Another user's process is not even read from. */
static void
acceptable(void *ctx, unsigned events)
{
	struct ws *w = ctx;
	const unsigned stall = WS_STALL_MS;
	uid_t uid;
	int fd;

	(void)events;
	fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (!peer_tcp(fd, &uid) || uid != geteuid()) {
		uk_log(w->log, UK_LOG_WARN, "ws.refused", UK_LS("reason", "peer-refused"));
		close(fd);
		return;
	}
	/* libwebsockets reads nothing while a write is stuck: a peer that never reads would stay.
	 */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof(stall));
	/* It closes fd itself when it can't take it. */
	(void)lws_adopt_socket_vhost(w->vhost, fd);
}

static int
open_port(int port)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int one = 1;

	if (fd < 0)
		return -1;
	/* Past a TIME_WAIT of our own; it lets no second listener in. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
make_vhost(struct ws *w)
{
	struct lws_context_creation_info info;

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info.options = LWS_SERVER_OPTION_VALIDATE_UTF8;
	info.protocols = protocols;
	info.vhost_name = "ws";
	info.user = w;
	info.timeout_secs = 10;
	info.keepalive_timeout = 10;
	w->vhost = lws_create_vhost(lws_loop_context(w->loop), &info);
	return w->vhost != NULL;
}

enum uk_rc
ws_listen(struct lws_loop *loop, struct rpc *rpc, const struct uk_log *log, int port,
    struct ws **out, struct uk_err *err)
{
	const int last = port != 0 ? port : WS_PORT_LAST;
	struct ws *w = uk_xalloc(sizeof(*w));

	w->loop = loop;
	w->rpc = rpc;
	w->log = log;
	w->fd = -1;
	for (w->port = port != 0 ? port : WS_PORT_FIRST; w->port <= last; w->port++)
		if ((w->fd = open_port(w->port)) >= 0)
			break;
	if (w->fd < 0 || !make_vhost(w)) {
		const long native = errno;

		ws_close(&w);
		return uk_fail(err, UK_E_UNAVAILABLE, "port-in-use", "ws", native);
	}
	w->watch = loop_watch(lws_loop_base(loop), w->fd, LOOP_READ, acceptable, w);
	*out = w;
	return UK_OK;
}

int
ws_port(const struct ws *w)
{
	return w->port;
}

void
ws_close(struct ws **w)
{
	if (*w == NULL)
		return;
	loop_unwatch(lws_loop_base((*w)->loop), &(*w)->watch);
	while ((*w)->conns != NULL)
		end(*w, (*w)->conns);
	if ((*w)->vhost != NULL)
		lws_vhost_destroy((*w)->vhost);
	if ((*w)->fd >= 0)
		close((*w)->fd);
	free(*w);
	*w = NULL;
}
