/*
 * SKF_WaitForDevEvent: inotify(7) on the folder of what is inserted.  The watch is kept between
 * calls, so that nothing between two of them is missed.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "soft/place.h"
#include "soft/call.h"

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR)
#define CHUNK  4096

static struct {
	pthread_mutex_t lock;
	int watch;
	int cancel;
	char *root;
	pid_t pid; /* a child starts anew */
	unsigned waiting;
	unsigned long cancelled; /* how often */
	size_t n, at;            /* what was read and not told */
	_Alignas(struct inotify_event) char events[CHUNK];
} the = { .lock = PTHREAD_MUTEX_INITIALIZER, .watch = -1, .cancel = -1 };

static void
close_watch(void)
{
	if (the.watch >= 0)
		(void)close(the.watch);
	if (the.cancel >= 0)
		(void)close(the.cancel);
	the.watch = the.cancel = -1;
	free(the.root);
	the.root = NULL;
	the.n = the.at = 0;
}

__attribute__((destructor)) static void
unload(void)
{
	close_watch();
}

static bool
watch_folder(const char *root)
{
	struct uk_buf path;
	bool ok;

	uk_buf_init(&path, 4096);
	uk_buf_printf(&path, "%s/%s", root, PLACE_INSERTED);
	ok = !uk_buf_failed(&path) && inotify_add_watch(the.watch, uk_buf_str(&path), EVENTS) >= 0;
	uk_buf_fini(&path);
	return ok;
}

static ULONG
open_watch(void)
{
	char *root = place_root();
	const int fd = place_open(root);

	if (fd < 0) {
		free(root);
		return SAR_READFILEERR;
	}
	(void)close(fd);
	if (the.watch >= 0 && the.pid == getpid() && strcmp(root, the.root) == 0) {
		free(root);
		return SAR_OK;
	}
	close_watch();
	the.root = root;
	if (the.pid != getpid())
		the.waiting = 0;
	the.pid = getpid();
	the.watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	the.cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (the.watch >= 0 && the.cancel >= 0 && watch_folder(root))
		return SAR_OK;
	close_watch();
	return SAR_FAIL;
}

/* What is no UKEY can't be plugged in. */
static bool
worth_telling(const struct inotify_event *e)
{
	const int root = (e->mask & (IN_CREATE | IN_MOVED_TO)) != 0 ? place_open(the.root) : -1;
	const bool known = root < 0 || place_exists(root, e->name);

	if (root >= 0)
		(void)close(root);
	return known && place_name_ok(e->name);
}

/* The event at the front, if it is one to tell of; others are dropped. */
static const struct inotify_event *
pending(void)
{
	const struct inotify_event *e;

	while (the.at < the.n) {
		e = (const struct inotify_event *)(const void *)(the.events + the.at);
		if ((e->mask & IN_IGNORED) != 0) {
			close_watch(); /* the folder went: another one next time */
			return NULL;
		}
		if (e->len != 0 && worth_telling(e))
			return e;
		the.at += sizeof(*e) + e->len;
	}
	return NULL;
}

static ULONG
tell(const struct inotify_event *e, char *name, ULONG *n, ULONG *event)
{
	const ULONG rv = give(uk_span(e->name, strlen(e->name) + 1), name, n);

	if (rv != SAR_OK || name == NULL)
		return rv; /* the same event again */
	*event = (e->mask & (IN_CREATE | IN_MOVED_TO)) != 0 ? DEV_EVENT_INSERT : DEV_EVENT_REMOVE;
	the.at += sizeof(*e) + e->len;
	return SAR_OK;
}

static void
read_more(void)
{
	const ssize_t n = read(the.watch, the.events, CHUNK);

	the.at = 0;
	the.n = n > 0 ? (size_t)n : 0;
}

/* Without the lock.  The last of those that were woken to be cancelled clears the bell. */
static void
sleep_for_event(void)
{
	struct pollfd p[2] = { { .fd = the.watch, .events = POLLIN },
		{ .fd = the.cancel, .events = POLLIN } };
	uint64_t rung;

	the.waiting++;
	(void)pthread_mutex_unlock(&the.lock);
	(void)poll(p, 2, -1);
	(void)pthread_mutex_lock(&the.lock);
	if (--the.waiting == 0 && the.cancel >= 0)
		(void)!read(the.cancel, &rung, sizeof(rung));
}

ULONG DEVAPI
SKF_WaitForDevEvent(LPSTR szDevName, ULONG *pulDevNameLen, ULONG *pulEvent)
{
	const struct inotify_event *e = NULL;
	unsigned long before;
	ULONG rv;

	if (pulDevNameLen == NULL || pulEvent == NULL)
		return SAR_INVALIDPARAMERR;
	(void)pthread_mutex_lock(&the.lock);
	before = the.cancelled;
	while ((rv = open_watch()) == SAR_OK && (e = pending()) == NULL) {
		if (the.watch < 0)
			continue;
		sleep_for_event();
		if (the.cancelled != before) {
			rv = SAR_NOT_EVENTERR;
			break;
		}
		if (the.at >= the.n && the.watch >= 0)
			read_more();
	}
	if (rv == SAR_OK)
		rv = tell(e, szDevName, pulDevNameLen, pulEvent);
	(void)pthread_mutex_unlock(&the.lock);
	return rv;
}

ULONG DEVAPI
SKF_CancelWaitForDevEvent(void)
{
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&the.lock);
	if (the.waiting != 0 && the.pid == getpid()) {
		the.cancelled++;
		(void)!write(the.cancel, &one, sizeof(one));
	}
	(void)pthread_mutex_unlock(&the.lock);
	return SAR_OK;
}
