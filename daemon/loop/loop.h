/*
 * The event loop as the daemon's parts see it: descriptors and timers.  transport/ws.c runs it on
 * libwebsockets; poll.c runs it on poll(2) for the command line and for tests.
 * Callbacks may add and remove watches and timers, their own too.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_READ  1u
#define LOOP_WRITE 2u
#define LOOP_HUP   4u /* told, never asked for */

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_fd_fn(void *ctx, unsigned events);
typedef void loop_timer_fn(void *ctx);

struct loop_ops {
	const char *name;
	struct loop_watch *(*watch)(
	    struct loop *, int fd, unsigned events, loop_fd_fn *fn, void *ctx);
	void (*want)(struct loop *, struct loop_watch *, unsigned events);
	void (*unwatch)(struct loop *, struct loop_watch **);
	struct loop_timer *(*after)(struct loop *, int64_t ms, loop_timer_fn *fn, void *ctx);
	void (*cancel)(struct loop *, struct loop_timer **);
};

/* An implementation embeds this as its first member. */
struct loop {
	const struct loop_ops *ops;
};

/* The caller keeps the descriptor and closes it after loop_unwatch(). */
struct loop_watch *loop_watch(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *ctx);
void loop_want(struct loop *l, struct loop_watch *w, unsigned events);
void loop_unwatch(struct loop *l, struct loop_watch **w); /* NULL-safe, sets NULL */

/* Once, after ms milliseconds.  The pointer is dead when fn is called. */
struct loop_timer *loop_after(struct loop *l, int64_t ms, loop_timer_fn *fn, void *ctx);
void loop_cancel(struct loop *l, struct loop_timer **t); /* NULL-safe, sets NULL */

/* On poll(2). */
struct loop *loop_poll_new(void);
void loop_poll_free(struct loop **l);

/* Run callbacks until *stop is set, or ms have passed (-1: no limit).  False: time is up. */
bool loop_poll_run(struct loop *l, const bool *stop, int64_t ms);

#endif
