#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/origin.h"
#include "transport/local.h"
#include "transport/peer.h"
#include "uk/frame.h"
#include "uk/json.h"

#define READ_SIZE 8192
#define BACKLOG   16
#define FIRST_MAX 8192 /* of agent.origin */

struct local_conn {
	struct conn base;
	struct local *local;
	struct local_conn *next;
	int fd;
	uid_t peer;
	bool peer_known;
	bool host;     /* the native messaging host */
	bool attached; /* … which has said whose it is */
	char origin[ORIGIN_MAX + 1];
	char extension[EXTENSION_MAX + 1];
	struct loop_watch *watch;
	struct loop_timer *closing;
	struct uk_frames in;
	struct uk_buf out;
};

struct local {
	struct loop *loop;
	struct rpc *rpc;
	const struct uk_log *log;
	const char *native;
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

static const char *
host_origin(const struct conn *base)
{
	return ((const struct local_conn *)base)->origin;
}

static const char *
host_extension(const struct conn *base)
{
	return ((const struct local_conn *)base)->extension;
}

static const struct conn_ops host_ops = {
	.name = "native",
	.send = local_send,
	.close = local_end,
	.peer = local_peer,
	.origin = host_origin,
	.extension = host_extension,
};

/* --- whose connection it is --- */

struct first {
	const char *jsonrpc;
	const char *method;
	json_t *params;
};

struct stamp {
	const char *origin;
	const char *extension;
};

static bool
version_valid(const char *s)
{
	return strcmp(s, "2.0") == 0;
}

static bool
method_valid(const char *s)
{
	return strcmp(s, "agent.origin") == 0;
}

static const struct uk_field first_fields[] = {
	{ "jsonrpc", UK_F_STR, UK_F_REQUIRED, 1, 8, offsetof(struct first, jsonrpc),
	    version_valid },
	{ "method", UK_F_STR, UK_F_REQUIRED, 1, 64, offsetof(struct first, method), method_valid },
	{ "params", UK_F_JSON, UK_F_REQUIRED, 0, 0, offsetof(struct first, params), NULL },
};

static const struct uk_field stamp_fields[] = {
	{ "origin", UK_F_STR, UK_F_REQUIRED, 1, ORIGIN_MAX, offsetof(struct stamp, origin), NULL },
	{ "extension", UK_F_STR, 0, 1, EXTENSION_MAX, offsetof(struct stamp, extension), NULL },
};

static enum uk_rc
read_stamp(struct local_conn *c, struct uk_span body, struct uk_err *err)
{
	struct stamp st = { .extension = "" };
	struct uk_err why = { 0 };
	struct first f = { 0 };
	json_t *message = NULL;
	enum uk_rc rc;

	if ((rc = uk_json_parse(body, FIRST_MAX, &message, &why)) != UK_OK ||
	    (rc = uk_fields_read(first_fields, 3, message, &f, &why)) != UK_OK ||
	    (rc = uk_fields_read(stamp_fields, 2, f.params, &st, &why)) != UK_OK) {
		rc = uk_fail(err, UK_E_DENIED, "origin-refused", "stamp", 0);
	} else {
		memcpy(c->origin, st.origin, strlen(st.origin) + 1);
		memcpy(c->extension, st.extension, strlen(st.extension) + 1);
	}
	json_decref(message);
	return rc;
}

static size_t
count_hosts(const struct local *l, const char *origin)
{
	size_t n = 0;

	for (const struct local_conn *c = l->conns; c != NULL; c = c->next)
		n += c->host && (origin == NULL || (c->attached && strcmp(c->origin, origin) == 0));
	return n;
}

/* From here on it is this site, under the rules of a WebSocket of its. */
static void
admit(struct local_conn *c, struct uk_span body)
{
	struct local *l = c->local;
	struct uk_err err = { 0 };
	enum uk_rc rc;

	rc = read_stamp(c, body, &err);
	if (rc == UK_OK && count_hosts(l, c->origin) >= LOCAL_PER_ORIGIN)
		rc = uk_fail(&err, UK_E_LIMIT, "too-many-connections", "local", 0);
	if (rc == UK_OK)
		rc = rpc_attach(l->rpc, &c->base, &err);
	if (rc == UK_OK) {
		c->attached = true;
		return;
	}
	uk_log(l->log, UK_LOG_WARN, "native.refused", UK_LS("reason", uk_err_reason(&err)),
	    UK_LS("origin", c->origin), UK_LS("extension", c->extension));
	rpc_refuse(&c->base, &err);
	local_end(&c->base);
}

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
		if (c->host && !c->attached)
			admit(c, body);
		else
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

/* A host is let in only by its first frame. */
static enum uk_rc
let_in(struct local_conn *c, struct uk_err *err)
{
	struct local *l = c->local;
	const enum peer_program program = peer_program(c->fd, l->native);

	if (program == PEER_UNKNOWN)
		return uk_fail(err, UK_E_DENIED, "peer-refused", "exe", 0);
	if (l->n >= LOCAL_CONNECTIONS)
		return uk_fail(err, UK_E_LIMIT, "too-many-connections", "local", 0);
	c->host = program == PEER_NATIVE;
	c->base.ops = c->host ? &host_ops : &local_ops;
	if (!c->host)
		return rpc_attach(l->rpc, &c->base, err);
	if (count_hosts(l, NULL) >= LOCAL_HOSTS)
		return uk_fail(err, UK_E_LIMIT, "too-many-connections", "local", 0);
	return UK_OK;
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
	c->local = l;
	c->fd = fd;
	c->peer_known = peer_unix(fd, &c->peer);
	uk_frames_init(&c->in, UK_MESSAGE_MAX);
	uk_buf_init(&c->out, LOCAL_OUT_MAX);
	if (let_in(c, &err) != UK_OK) {
		uk_log(l->log, UK_LOG_WARN, "local.refused", UK_LS("reason", uk_err_reason(&err)));
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
	/* One that does not accept has a full backlog, and is there. */
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool yes;

	if (fd < 0)
		return true;
	yes = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 || errno == EAGAIN;
	close(fd);
	return yes;
}

/* Two that start at the same moment would each take the other's socket for one left over. */
static int
lock_folder(const char *path)
{
	char *copy = uk_xstrdup(path);
	const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(copy);
	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

static enum uk_rc
bind_and_listen(const struct sockaddr_un *a, int *out, struct uk_err *err)
{
	mode_t old;
	enum uk_rc rc;
	int fd, bound;

	if (answered(a))
		return uk_fail(err, UK_E_CONFLICT, "already-running", "local", 0);
	(void)unlink(a->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "socket", errno);
	old = umask(0177);
	bound = bind(fd, (const struct sockaddr *)a, sizeof(*a));
	(void)umask(old);
	if (bound != 0 || listen(fd, BACKLOG) != 0) {
		rc = uk_fail(err, UK_E_UNAVAILABLE, "socket-bind", "bind", errno);
		close(fd);
		return rc;
	}
	*out = fd;
	return UK_OK;
}

enum uk_rc
local_bind(const char *path, int *out, struct uk_err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	enum uk_rc rc;
	int lock;

	if (strlen(path) >= sizeof(a.sun_path))
		return uk_fail(err, UK_E_LIMIT, "socket-path-too-long", "local", 0);
	memcpy(a.sun_path, path, strlen(path) + 1);
	rc = make_folder(path, err);
	if (rc != UK_OK)
		return rc;
	lock = lock_folder(path);
	rc = bind_and_listen(&a, out, err);
	if (lock >= 0)
		close(lock);
	return rc;
}

struct local *
local_listen(
    struct loop *loop, struct rpc *rpc, const struct uk_log *log, int fd, const char *native)
{
	struct local *l = uk_xalloc(sizeof(*l));

	*l = (struct local){ .loop = loop, .rpc = rpc, .log = log, .native = native, .fd = fd };
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
