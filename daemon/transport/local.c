#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "transport/local.h"
#include "transport/peer.h"
#include "uk/frame.h"

#define READ_SIZE 8192
#define BACKLOG   16

struct local_conn {
	struct conn base;
	struct local *local;
	struct local_conn *next;
	int fd;
	uid_t peer;
	bool peer_known;
	struct loop_watch *watch;
	struct loop_timer *closing;
	struct uk_frames in;
	struct uk_buf out;
};

struct local {
	struct loop *loop;
	struct rpc *rpc;
	const struct uk_log *log;
	int fd;
	struct loop_watch *watch;
	struct local_conn *conns;
	size_t n;
};

static struct local_conn *
cast(struct conn *c)
{
	return (struct local_conn *)c;
}

static void
conn_free(struct local_conn *c)
{
	struct local *l = c->local;
	struct local_conn **p = &l->conns;

	while (*p != NULL && *p != c)
		p = &(*p)->next;
	if (*p != NULL) {
		*p = c->next;
		l->n--;
	}
	rpc_detach(l->rpc, &c->base);
	loop_cancel(l->loop, &c->closing);
	loop_unwatch(l->loop, &c->watch);
	close(c->fd);
	uk_frames_fini(&c->in);
	uk_buf_fini(&c->out);
	free(c);
}

static void
close_now(void *ctx)
{
	struct local_conn *c = ctx;

	c->closing = NULL;
	conn_free(c);
}

static void
local_end(struct conn *base)
{
	struct local_conn *c = cast(base);

	if (c->closing == NULL)
		c->closing = loop_after(c->local->loop, 0, close_now, c);
}

static void
flush_out(struct local_conn *c)
{
	const ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		uk_buf_drop(&c->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		local_end(&c->base);
	loop_want(c->local->loop, c->watch, LOOP_READ | (c->out.n > 0 ? LOOP_WRITE : 0));
}

static void
local_send(struct conn *base, struct uk_span message)
{
	struct local_conn *c = cast(base);
	const bool idle = c->out.n == 0;

	if (c->closing != NULL)
		return;
	uk_frame_put(&c->out, message);
	if (uk_buf_failed(&c->out)) {
		uk_log_plain(c->local->log, UK_LOG_WARN, "local.slow");
		local_end(base);
	} else if (idle) {
		flush_out(c);
	}
}

static bool
local_peer(const struct conn *base, uid_t *uid)
{
	const struct local_conn *c = (const struct local_conn *)base;

	*uid = c->peer;
	return c->peer_known;
}

static const char *
local_origin(const struct conn *base)
{
	(void)base;
	return NULL;
}

static const struct conn_ops local_ops = {
	.name = "local",
	.send = local_send,
	.close = local_end,
	.peer = local_peer,
	.origin = local_origin,
};

/* False: the connection is to end. */
static bool
take_frames(struct local_conn *c)
{
	struct uk_span body;

	while (c->closing == NULL) {
		if (uk_frames_next(&c->in, &body) != UK_OK) {
			uk_log_plain(c->local->log, UK_LOG_WARN, "local.too-large");
			return false;
		}
		if (body.p == NULL)
			return true;
		rpc_message(c->local->rpc, &c->base, body);
		uk_frames_done(&c->in, body);
	}
	return true;
}

static bool
read_some(struct local_conn *c)
{
	uint8_t *to = uk_frames_room(&c->in, READ_SIZE);
	ssize_t n;

	if (to == NULL)
		return false;
	n = recv(c->fd, to, READ_SIZE, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	uk_frames_add(&c->in, (size_t)n);
	return take_frames(c);
}

static void
conn_event(void *ctx, unsigned events)
{
	struct local_conn *c = ctx;

	if (c->closing != NULL)
		return;
	if ((events & LOOP_WRITE) != 0)
		flush_out(c);
	if ((events & (LOOP_READ | LOOP_HUP)) != 0 && !read_some(c))
		conn_free(c);
}

static void
acceptable(void *ctx, unsigned events)
{
	struct local *l = ctx;
	struct uk_err err = { 0 };
	struct local_conn *c;
	int fd;

	(void)events;
	fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	c = uk_xalloc(sizeof(*c));
	c->base.ops = &local_ops;
	c->local = l;
	c->fd = fd;
	c->peer_known = peer_unix(fd, &c->peer);
	uk_frames_init(&c->in, UK_MESSAGE_MAX);
	uk_buf_init(&c->out, LOCAL_OUT_MAX);
	if (l->n >= LOCAL_CONNECTIONS || rpc_attach(l->rpc, &c->base, &err) != UK_OK) {
		uk_log(l->log, UK_LOG_WARN, "local.refused",
		    UK_LS(
			"reason", err.rc != UK_OK ? uk_err_reason(&err) : "too-many-connections"));
		conn_free(c);
		return;
	}
	c->next = l->conns;
	l->conns = c;
	l->n++;
	c->watch = loop_watch(l->loop, fd, LOOP_READ, conn_event, c);
}

/* --- the socket --- */

static enum uk_rc
make_folder(const char *path, struct uk_err *err)
{
	char *copy = uk_xstrdup(path);
	const char *dir = dirname(copy);
	enum uk_rc rc = UK_OK;
	struct stat st;

	if ((mkdir(dir, 0700) != 0 && errno != EEXIST) || stat(dir, &st) != 0)
		rc = uk_fail(err, UK_E_UNAVAILABLE, "socket-folder", "mkdir", errno);
	else if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0077) != 0)
		rc = uk_fail(err, UK_E_DENIED, "socket-folder-unsafe", "stat", (long)st.st_mode);
	free(copy);
	return rc;
}

/* Is somebody there?  A socket that nobody listens to is left over, and goes. */
static bool
answered(const struct sockaddr_un *a)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	if (fd < 0)
		return true;
	yes = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 || errno == EAGAIN;
	close(fd);
	return yes;
}

enum uk_rc
local_bind(const char *path, int *out, struct uk_err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	mode_t old;
	enum uk_rc rc;
	int fd, bound;

	if (strlen(path) >= sizeof(a.sun_path))
		return uk_fail(err, UK_E_LIMIT, "socket-path-too-long", "local", 0);
	memcpy(a.sun_path, path, strlen(path) + 1);
	rc = make_folder(path, err);
	if (rc != UK_OK)
		return rc;
	if (answered(&a))
		return uk_fail(err, UK_E_CONFLICT, "already-running", "local", 0);
	(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "socket", errno);
	old = umask(0177);
	bound = bind(fd, (const struct sockaddr *)&a, sizeof(a));
	(void)umask(old);
	if (bound != 0 || listen(fd, BACKLOG) != 0) {
		rc = uk_fail(err, UK_E_UNAVAILABLE, "socket-bind", "bind", errno);
		close(fd);
		return rc;
	}
	*out = fd;
	return UK_OK;
}

struct local *
local_listen(struct loop *loop, struct rpc *rpc, const struct uk_log *log, int fd)
{
	struct local *l = uk_xalloc(sizeof(*l));

	*l = (struct local){ .loop = loop, .rpc = rpc, .log = log, .fd = fd };
	l->watch = loop_watch(loop, fd, LOOP_READ, acceptable, l);
	return l;
}

void
local_close(struct local **l)
{
	if (*l == NULL)
		return;
	while ((*l)->conns != NULL)
		conn_free((*l)->conns);
	loop_unwatch((*l)->loop, &(*l)->watch);
	close((*l)->fd);
	free(*l);
	*l = NULL;
}
