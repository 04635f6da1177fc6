/* What udev says of USB devices, in a network of our own where we may say it. [H2] */
#include <linux/netlink.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "token/hotplug.h"

#define HEAD "libudev\0\376\355\312\376(\0\0\0"
#define USB  HEAD "ACTION=add\0SUBSYSTEM=usb\0DEVTYPE=usb_device"

struct env {
	struct loop *loop;
	struct hotplug *hotplug;
	int udev;
	int changes;
};

static void
changed(void *ctx)
{
	struct env *e = ctx;

	e->changes++;
}

static bool
own_network(void)
{
	return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static int
setup(void **state)
{
	static struct env e;

	e = (struct env){ .udev = -1 };
	*state = &e;
	e.loop = loop_poll_new();
	e.udev = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	return hotplug_new(e.loop, changed, &e, &e.hotplug, NULL) == UK_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	hotplug_free(&e->hotplug);
	assert_null(e->hotplug);
	loop_poll_free(&e->loop);
	(void)close(e->udev);
	return 0;
}

static void
say(struct env *e, const void *text, size_t n)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = 2 };

	assert_int_equal(
	    sendto(e->udev, text, n, 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)n);
}

static void
wait_ms(struct env *e, int ms)
{
	const bool never = false;

	(void)loop_poll_run(e->loop, &never, ms);
}

static void
a_stick_is_one_change(void **state)
{
	struct env *e = *state;

	for (int i = 0; i < 5; i++)
		say(e, USB, sizeof(USB));
	wait_ms(e, 1000);
	assert_int_equal(e->changes, 1);
	say(e, USB, sizeof(USB));
	wait_ms(e, 1000);
	assert_int_equal(e->changes, 2);
}

static void
other_devices_are_none(void **state)
{
	static const char net[] = HEAD "ACTION=add\0SUBSYSTEM=net\0INTERFACE=usb0";
	static const char like[] = HEAD "ACTION=add\0SUBSYSTEM=usbmon\0";
	struct env *e = *state;

	say(e, net, sizeof(net));
	say(e, like, sizeof(like));
	say(e, "", 1);
	wait_ms(e, 500);
	assert_int_equal(e->changes, 0);
}

/* What could not be kept was something. */
static void
too_much_is_a_change(void **state)
{
	struct env *e = *state;

	for (int i = 0; i < 20000; i++)
		say(e, HEAD "SUBSYSTEM=net", sizeof(HEAD "SUBSYSTEM=net"));
	wait_ms(e, 1000);
	assert_int_equal(e->changes, 1);
}

static void
ends_in_between(void **state)
{
	struct env *e = *state;

	say(e, USB, sizeof(USB));
	wait_ms(e, 20);
	hotplug_free(&e->hotplug);
	wait_ms(e, 500);
	assert_int_equal(e->changes, 0);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_stick_is_one_change),
		T(other_devices_are_none),
		T(too_much_is_a_change),
		T(ends_in_between),
	};

	/* 77: skipped. */
	return own_network() ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
