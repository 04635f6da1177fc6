#include <stddef.h>

#include "loop/loop.h"

struct loop_watch *
loop_watch(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *ctx)
{
	return l->ops->watch(l, fd, events, fn, ctx);
}

void
loop_want(struct loop *l, struct loop_watch *w, unsigned events)
{
	l->ops->want(l, w, events);
}

void
loop_unwatch(struct loop *l, struct loop_watch **w)
{
	if (*w != NULL)
		l->ops->unwatch(l, w);
	*w = NULL;
}

struct loop_timer *
loop_after(struct loop *l, int64_t ms, loop_timer_fn *fn, void *ctx)
{
	return l->ops->after(l, ms, fn, ctx);
}

void
loop_cancel(struct loop *l, struct loop_timer **t)
{
	if (*t != NULL)
		l->ops->cancel(l, t);
	*t = NULL;
}
