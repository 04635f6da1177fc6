#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "token/hotplug.h"
#include "uk/buf.h"

#define UDEV_GROUP  2          /* after its rules, so that the device's rights are set */
#define MESSAGE_MAX (8 * 1024) /* as udev's own readers have it */
#define SETTLE_MS   150        /* a stick is several devices */

struct hotplug {
	struct loop *loop;
	hotplug_fn *changed;
	void *ctx;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *settle;
	char message[MESSAGE_MAX];
};

/* Smart keys are USB devices of their own, human interface devices, or disks. */
static bool
is_ours(const char *message, size_t n)
{
	static const char *const subsystems[] = { "SUBSYSTEM=usb", "SUBSYSTEM=hidraw",
		"SUBSYSTEM=scsi_generic" };

	for (size_t i = 0; i < sizeof(subsystems) / sizeof(subsystems[0]); i++)
		if (memmem(message, n, subsystems[i], strlen(subsystems[i]) + 1) != NULL)
			return true;
	return false;
}

static void
settled(void *ctx)
{
	struct hotplug *h = ctx;

	h->settle = NULL;
	h->changed(h->ctx);
}

/* Only root may send here, which is the kernel's to see to. */
static void
readable(void *ctx, unsigned events)
{
	struct hotplug *h = ctx;
	bool ours = false;
	ssize_t n;

	(void)events;
	while ((n = recv(h->fd, h->message, sizeof(h->message), 0)) >= 0 || errno == ENOBUFS)
		ours = ours || n < 0 || is_ours(h->message, (size_t)n);
	if (ours && h->settle == NULL)
		h->settle = loop_after(h->loop, SETTLE_MS, settled, h);
}

enum uk_rc
hotplug_new(
    struct loop *loop, hotplug_fn *changed, void *ctx, struct hotplug **out, struct uk_err *err)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP };
	struct hotplug *h;
	const int fd =
	    socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "netlink", errno);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		(void)uk_fail(err, UK_E_UNAVAILABLE, NULL, "netlink", errno);
		(void)close(fd);
		return UK_E_UNAVAILABLE;
	}
	h = uk_xalloc(sizeof(*h));
	h->loop = loop;
	h->changed = changed;
	h->ctx = ctx;
	h->fd = fd;
	h->watch = loop_watch(loop, fd, LOOP_READ, readable, h);
	*out = h;
	return UK_OK;
}

void
hotplug_free(struct hotplug **hp)
{
	struct hotplug *h = *hp;

	if (h == NULL)
		return;
	loop_cancel(h->loop, &h->settle);
	loop_unwatch(h->loop, &h->watch);
	(void)close(h->fd);
	free(h);
	*hp = NULL;
}
