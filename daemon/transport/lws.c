#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "transport/lws.h"
#include "uk/buf.h"

#define FDS_MAX     512
#define HUP_AGAIN   (10 * LWS_US_PER_MS)
#define FD_PROTOCOL "ukey-fd"

struct lws_loop {
	struct loop base;
	struct lws_context *context;
	struct lws_vhost *vhost;
};

/*
 * libwebsockets closes a descriptor that it has adopted, and our callers keep theirs: it gets a
 * duplicate.  It also lets go of one that hangs up; poll(2) would go on telling, and so do we, by
 * `again`.
 */
struct loop_watch {
	struct lws *wsi; /* NULL: it hung up */
	struct lws_context *context;
	lws_sorted_usec_list_t again;
	unsigned events;
	bool running;
	bool dead;
	loop_fd_fn *fn;
	void *ctx;
};

struct loop_timer {
	lws_sorted_usec_list_t sul;
	loop_timer_fn *fn;
	void *ctx;
};

static struct lws_loop *
cast(struct loop *l)
{
	return (struct lws_loop *)l;
}

/* False: the watch is gone. */
static bool
tell(struct loop_watch *w, unsigned events)
{
	w->running = true;
	w->fn(w->ctx, events);
	w->running = false;
	if (!w->dead)
		return true;
	free(w);
	return false;
}

static void
tell_hup(lws_sorted_usec_list_t *sul)
{
	struct loop_watch *w = lws_container_of(sul, struct loop_watch, again);

	if (tell(w, (w->events & LOOP_READ) | LOOP_HUP))
		lws_sul_schedule(w->context, 0, &w->again, tell_hup, HUP_AGAIN);
}

static int
writable(struct lws *wsi, struct loop_watch *w)
{
	if ((w->events & LOOP_WRITE) == 0)
		return 0;
	if (!tell(w, LOOP_WRITE))
		return -1;
	if ((w->events & LOOP_WRITE) != 0)
		lws_callback_on_writable(wsi);
	return 0;
}

static int
fd_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct loop_watch *w = lws_get_opaque_user_data(wsi);

	(void)user;
	(void)in;
	(void)len;
	/* There are a hundred reasons; a raw file knows three. */
	if (reason == LWS_CALLBACK_RAW_RX_FILE)
		return w == NULL || ((w->events & LOOP_READ) != 0 && !tell(w, LOOP_READ)) ? -1 : 0;
	if (reason == LWS_CALLBACK_RAW_WRITEABLE_FILE)
		return w == NULL ? -1 : writable(wsi, w);
	if (reason == LWS_CALLBACK_RAW_CLOSE_FILE && w != NULL) {
		w->wsi = NULL;
		lws_sul_schedule(w->context, 0, &w->again, tell_hup, 1);
	}
	return 0;
}

static void
apply(struct loop_watch *w)
{
	if (w->wsi == NULL)
		return;
	(void)lws_rx_flow_control(w->wsi, (w->events & LOOP_READ) != 0);
	if ((w->events & LOOP_WRITE) != 0)
		lws_callback_on_writable(w->wsi);
}

static struct loop_watch *
watch(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *ctx)
{
	struct loop_watch *w = uk_xalloc(sizeof(*w));
	lws_adopt_desc_t d;

	*w = (struct loop_watch){
		.context = cast(l)->context, .events = events, .fn = fn, .ctx = ctx
	};
	memset(&d, 0, sizeof(d));
	d.vh = cast(l)->vhost;
	d.type = LWS_ADOPT_RAW_FILE_DESC;
	d.fd.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	d.vh_prot_name = FD_PROTOCOL;
	d.opaque = w;
	if (d.fd.filefd >= 0)
		w->wsi = lws_adopt_descriptor_vhost_via_info(&d);
	if (w->wsi == NULL)
		lws_sul_schedule(w->context, 0, &w->again, tell_hup, 1);
	else
		apply(w);
	return w;
}

static void
want(struct loop *l, struct loop_watch *w, unsigned events)
{
	(void)l;
	w->events = events;
	apply(w);
}

static void
unwatch(struct loop *l, struct loop_watch **p)
{
	struct loop_watch *w = *p;

	(void)l;
	lws_sul_cancel(&w->again);
	if (w->wsi != NULL) {
		(void)lws_set_opaque_user_data(w->wsi, NULL);
		lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	}
	w->wsi = NULL;
	w->dead = true;
	if (!w->running)
		free(w);
}

static void
timer_fire(lws_sorted_usec_list_t *sul)
{
	struct loop_timer *t = lws_container_of(sul, struct loop_timer, sul);
	loop_timer_fn *fn = t->fn;
	void *ctx = t->ctx;

	free(t);
	fn(ctx);
}

static struct loop_timer *
after(struct loop *l, int64_t ms, loop_timer_fn *fn, void *ctx)
{
	struct loop_timer *t = uk_xalloc(sizeof(*t));

	t->fn = fn;
	t->ctx = ctx;
	/* 0 would mean "cancel" to no one but reads as "now" to us. */
	lws_sul_schedule(cast(l)->context, 0, &t->sul, timer_fire, ms > 0 ? ms * LWS_US_PER_MS : 1);
	return t;
}

static void
cancel(struct loop *l, struct loop_timer **t)
{
	(void)l;
	lws_sul_cancel(&(*t)->sul);
	free(*t);
}

static const struct loop_ops lws_ops = {
	.name = "lws",
	.watch = watch,
	.want = want,
	.unwatch = unwatch,
	.after = after,
	.cancel = cancel,
};

static const struct lws_protocols protocols[] = {
	{ .name = FD_PROTOCOL, .callback = fd_callback },
	{ .name = NULL },
};

struct lws_loop *
lws_loop_new(void)
{
	struct lws_loop *l = uk_xalloc(sizeof(*l));
	struct lws_context_creation_info info;

	lws_set_log_level(LLL_ERR, NULL);
	memset(&info, 0, sizeof(info));
	/* libwebsockets finds a handshake's vhost by its port again: not the one of ws.c. */
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6 |
		       LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
	info.fd_limit_per_thread = FDS_MAX;
	/* A browser sends the cookies of every page on localhost along. */
	info.max_http_header_data = 16384;
	info.max_http_header_pool = 32;
	info.timeout_secs = 10;
	info.protocols = protocols;
	info.vhost_name = FD_PROTOCOL;
	l->base.ops = &lws_ops;
	l->context = lws_create_context(&info);
	if (l->context != NULL)
		l->vhost = lws_create_vhost(l->context, &info);
	if (l->vhost == NULL)
		lws_loop_free(&l);
	return l;
}

void
lws_loop_free(struct lws_loop **l)
{
	if (*l == NULL)
		return;
	if ((*l)->context != NULL)
		lws_context_destroy((*l)->context);
	free(*l);
	*l = NULL;
}

struct loop *
lws_loop_base(struct lws_loop *l)
{
	return &l->base;
}

struct lws_context *
lws_loop_context(struct lws_loop *l)
{
	return l->context;
}

void
lws_loop_run(struct lws_loop *l, const bool *stop)
{
	while (!*stop && lws_service(l->context, 0) >= 0)
		continue;
}
