#include <poll.h>
#include <stdlib.h>

#include "loop/loop.h"
#include "uk/buf.h"
#include "uk/clock.h"

#define FDS_MAX 128

struct loop_watch {
	struct loop_watch *next;
	int fd;
	unsigned events;
	bool dead;
	loop_fd_fn *fn;
	void *ctx;
};

struct loop_timer {
	struct loop_timer *next;
	int64_t at;
	loop_timer_fn *fn;
	void *ctx;
};

struct poll_loop {
	struct loop base;
	struct loop_watch *watches;
	struct loop_timer *timers;
};

static struct poll_loop *
cast(struct loop *l)
{
	return (struct poll_loop *)l;
}

static struct loop_watch *
watch(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *ctx)
{
	struct loop_watch *w = uk_xalloc(sizeof(*w));

	*w = (struct loop_watch){
		.next = cast(l)->watches, .fd = fd, .events = events, .fn = fn, .ctx = ctx
	};
	cast(l)->watches = w;
	return w;
}

static void
want(struct loop *l, struct loop_watch *w, unsigned events)
{
	(void)l;
	w->events = events;
}

/* Freed by the next round: the callback that runs now may be this watch's own. */
static void
unwatch(struct loop *l, struct loop_watch **w)
{
	(void)l;
	(*w)->dead = true;
}

static struct loop_timer *
after(struct loop *l, int64_t ms, loop_timer_fn *fn, void *ctx)
{
	struct loop_timer *t = uk_xalloc(sizeof(*t));

	*t = (struct loop_timer){ .next = cast(l)->timers,
		.at = uk_mono_ms(&uk_clock_system) + ms,
		.fn = fn,
		.ctx = ctx };
	cast(l)->timers = t;
	return t;
}

static void
cancel(struct loop *l, struct loop_timer **t)
{
	struct loop_timer **p = &cast(l)->timers;

	while (*p != NULL && *p != *t)
		p = &(*p)->next;
	if (*p != NULL)
		*p = (*p)->next;
	free(*t);
}

static const struct loop_ops poll_ops = {
	.name = "poll",
	.watch = watch,
	.want = want,
	.unwatch = unwatch,
	.after = after,
	.cancel = cancel,
};

struct loop *
loop_poll_new(void)
{
	struct poll_loop *l = uk_xalloc(sizeof(*l));

	l->base.ops = &poll_ops;
	return &l->base;
}

static void
sweep(struct poll_loop *l, bool all)
{
	struct loop_watch **p = &l->watches;

	while (*p != NULL) {
		struct loop_watch *w = *p;

		if (!w->dead && !all) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		free(w);
	}
}

void
loop_poll_free(struct loop **l)
{
	struct poll_loop *p;

	if (*l == NULL)
		return;
	p = cast(*l);
	sweep(p, true);
	while (p->timers != NULL) {
		struct loop_timer *t = p->timers;

		cancel(*l, &t);
	}
	free(p);
	*l = NULL;
}

static struct loop_timer *
earliest(struct poll_loop *l)
{
	struct loop_timer *t = l->timers;

	for (struct loop_timer *i = t; i != NULL; i = i->next)
		if (i->at < t->at)
			t = i;
	return t;
}

static int
wait_ms(struct poll_loop *l, int64_t now, int64_t deadline)
{
	const struct loop_timer *t = earliest(l);
	int64_t until = t != NULL ? t->at : INT64_MAX;

	if (deadline < until)
		until = deadline;
	if (until == INT64_MAX)
		return -1;
	return until <= now ? 0 : (int)(until - now > 60000 ? 60000 : until - now);
}

static short
to_poll(unsigned events)
{
	return (short)(((events & LOOP_READ) != 0 ? POLLIN : 0) |
		       ((events & LOOP_WRITE) != 0 ? POLLOUT : 0));
}

static unsigned
from_poll(short events)
{
	return ((events & POLLIN) != 0 ? LOOP_READ : 0) |
	       ((events & POLLOUT) != 0 ? LOOP_WRITE : 0) |
	       ((events & (POLLHUP | POLLERR)) != 0 ? LOOP_HUP : 0);
}

static void
run_fds(struct poll_loop *l, int ms)
{
	struct loop_watch *who[FDS_MAX];
	struct pollfd fds[FDS_MAX];
	nfds_t n = 0;

	for (struct loop_watch *w = l->watches; w != NULL && n < FDS_MAX; w = w->next) {
		who[n] = w;
		fds[n++] = (struct pollfd){ .fd = w->fd, .events = to_poll(w->events) };
	}
	if (poll(fds, n, ms) <= 0)
		return;
	for (nfds_t i = 0; i < n; i++)
		if (fds[i].revents != 0 && !who[i]->dead)
			who[i]->fn(who[i]->ctx, from_poll(fds[i].revents));
}

static void
run_timers(struct poll_loop *l)
{
	const int64_t now = uk_mono_ms(&uk_clock_system);
	struct loop_timer *t;

	while ((t = earliest(l)) != NULL && t->at <= now) {
		loop_timer_fn *fn = t->fn;
		void *ctx = t->ctx;

		cancel(&l->base, &t);
		fn(ctx);
	}
}

bool
loop_poll_run(struct loop *loop, const bool *stop, int64_t ms)
{
	struct poll_loop *l = cast(loop);
	const int64_t deadline = ms < 0 ? INT64_MAX : uk_mono_ms(&uk_clock_system) + ms;

	while (!*stop) {
		const int64_t now = uk_mono_ms(&uk_clock_system);

		if (now >= deadline)
			return false;
		sweep(l, false);
		run_fds(l, wait_ms(l, now, deadline));
		run_timers(l);
	}
	return true;
}
