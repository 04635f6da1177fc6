/* The event loop on poll(2): descriptors, timers, and callbacks that remove what they run on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/loop.h"

struct seen {
	struct loop *loop;
	struct loop_watch *watch;
	struct loop_timer *timer;
	int fd;
	unsigned events;
	int calls;
	bool stop;
};

static void
on_fd(void *ctx, unsigned events)
{
	struct seen *s = ctx;
	char c;

	s->events |= events;
	s->calls++;
	if ((events & LOOP_READ) != 0 && read(s->fd, &c, 1) == 1)
		return;
	loop_unwatch(s->loop, &s->watch);
	s->stop = true;
}

static void
on_timer(void *ctx)
{
	struct seen *s = ctx;

	s->timer = NULL;
	s->calls++;
	s->stop = true;
}

static void
reads_until_hangup(void **state)
{
	struct seen s = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	s.loop = loop_poll_new();
	s.fd = fds[0];
	s.watch = loop_watch(s.loop, fds[0], LOOP_READ, on_fd, &s);
	assert_int_equal(write(fds[1], "ab", 2), 2);
	close(fds[1]);
	assert_true(loop_poll_run(s.loop, &s.stop, 2000));
	assert_int_equal(s.calls, 3);
	assert_true((s.events & LOOP_HUP) != 0);
	assert_null(s.watch);
	close(fds[0]);
	loop_poll_free(&s.loop);
	assert_null(s.loop);
}

static void
a_timer_fires_once(void **state)
{
	struct seen s = { 0 };

	(void)state;
	s.loop = loop_poll_new();
	s.timer = loop_after(s.loop, 5, on_timer, &s);
	assert_true(loop_poll_run(s.loop, &s.stop, 2000));
	s.stop = false;
	assert_false(loop_poll_run(s.loop, &s.stop, 20));
	assert_int_equal(s.calls, 1);
	loop_poll_free(&s.loop);
}

static void
a_cancelled_timer_does_not_fire(void **state)
{
	struct seen s = { 0 };

	(void)state;
	s.loop = loop_poll_new();
	s.timer = loop_after(s.loop, 5, on_timer, &s);
	loop_cancel(s.loop, &s.timer);
	assert_null(s.timer);
	assert_false(loop_poll_run(s.loop, &s.stop, 20));
	assert_int_equal(s.calls, 0);
	/* What is still pending is freed with the loop. */
	s.timer = loop_after(s.loop, 60000, on_timer, &s);
	loop_poll_free(&s.loop);
}

static void
asks_for_writes_only_when_wanted(void **state)
{
	struct seen s = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	s.loop = loop_poll_new();
	s.fd = -1;
	s.watch = loop_watch(s.loop, fds[1], 0, on_fd, &s);
	assert_false(loop_poll_run(s.loop, &s.stop, 20));
	assert_int_equal(s.calls, 0);
	loop_want(s.loop, s.watch, LOOP_WRITE);
	assert_true(loop_poll_run(s.loop, &s.stop, 2000));
	assert_int_equal(s.events, LOOP_WRITE);
	close(fds[0]);
	close(fds[1]);
	loop_poll_free(&s.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_until_hangup),
		cmocka_unit_test(a_timer_fires_once),
		cmocka_unit_test(a_cancelled_timer_does_not_fire),
		cmocka_unit_test(asks_for_writes_only_when_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
