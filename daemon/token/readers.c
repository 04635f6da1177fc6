#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <winscard.h>

#include "token/readers.h"
#include "uk/buf.h"

#define READERS_MAX PCSCLITE_MAX_READERS_CONTEXTS
#define NAMES_MAX   ((size_t)READERS_MAX * MAX_READERNAME + 1)
#define RETRY_MS    1000  /* as long as there is no pcscd */
#define SETTLE_MS   1000  /* one wait after a change, and */
#define WAIT_MS     10000 /* … all others: pcsc-lite 1.9 misses a reader that comes in between */
#define PAUSE_MS    50    /* what comes together is looked at together */
#define STACK_SIZE  ((size_t)256 * 1024)

#define PNP      "\\\\?PnP?\\Notification"
#define PRESENCE (SCARD_STATE_PRESENT | SCARD_STATE_EMPTY | SCARD_STATE_UNAVAILABLE)
#define COUNTER  0xffff0000u /* of a reader's cards: insertions and removals */

enum kind {
	SERVICE_UP,
	SERVICE_DOWN,
	CHANGED,
};

struct event {
	enum kind kind;
	char emptied[MAX_READERNAME]; /* or "" */
};

/* The thread's own.  Whoever of the two lets go of it last frees it. */
struct watcher {
	atomic_int holders;
	int fd;
	SCARDCONTEXT context;
	SCARD_READERSTATE states[READERS_MAX + 1]; /* the last one in use is PNP */
	char names[READERS_MAX][MAX_READERNAME];
	size_t n;
	char list[NAMES_MAX];
};

struct readers {
	struct loop *loop;
	const struct uk_log *log;
	readers_fn *changed;
	void *ctx;
	int fd;
	struct loop_watch *watch;
	struct watcher *watcher;
};

static void
let_go(struct watcher *w)
{
	if (atomic_fetch_sub(&w->holders, 1) > 1)
		return;
	close(w->fd);
	free(w);
}

static bool
alone(struct watcher *w)
{
	return atomic_load(&w->holders) == 1;
}

/* --- the thread --- */

static void
pause_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* Where the loop does not keep up, it has enough to look at. */
static void
tell(const struct watcher *w, enum kind kind, const char *emptied)
{
	struct event e = { .kind = kind };

	if (emptied != NULL)
		(void)snprintf(e.emptied, sizeof(e.emptied), "%s", emptied);
	(void)send(w->fd, &e, sizeof(e), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static const char *
emptied(const SCARD_READERSTATE *s)
{
	return (s->dwCurrentState & SCARD_STATE_PRESENT) != 0 ? s->szReader : NULL;
}

static void
set_reader(struct watcher *w, size_t i, const char *name, DWORD state)
{
	const size_t n = strnlen(name, MAX_READERNAME - 1);

	memcpy(w->names[i], name, n);
	w->names[i][n] = '\0';
	w->states[i] = (SCARD_READERSTATE){ .szReader = w->names[i], .dwCurrentState = state };
}

static bool
is_listed(const struct watcher *w, const char *name)
{
	for (const char *p = w->list; *p != '\0'; p += strlen(p) + 1)
		if (strcmp(p, name) == 0)
			return true;
	return false;
}

static size_t
drop_unlisted(struct watcher *w)
{
	size_t kept = 0, n = w->n;

	for (size_t i = 0; i < n; i++) {
		if (!is_listed(w, w->names[i]))
			tell(w, CHANGED, emptied(&w->states[i]));
		else if (kept++ != i)
			set_reader(w, kept - 1, w->names[i], w->states[i].dwCurrentState);
	}
	w->n = kept;
	return n - kept;
}

static size_t
add_listed(struct watcher *w)
{
	const size_t before = w->n;

	for (const char *p = w->list; *p != '\0' && w->n < READERS_MAX; p += strlen(p) + 1) {
		size_t i = 0;

		while (i < w->n && strcmp(w->names[i], p) != 0)
			i++;
		if (i == w->n)
			set_reader(w, w->n++, p, SCARD_STATE_UNAWARE);
	}
	return w->n - before;
}

/* False: pcscd has gone. */
static bool
list(struct watcher *w, bool *changed)
{
	DWORD n = sizeof(w->list);
	LONG rv;

	memset(w->list, 0, sizeof(w->list));
	rv = SCardListReaders(w->context, NULL, w->list, &n);
	if (rv != SCARD_S_SUCCESS && rv != SCARD_E_NO_READERS_AVAILABLE)
		return false;
	if (rv != SCARD_S_SUCCESS)
		w->list[0] = '\0';
	*changed = drop_unlisted(w) + add_listed(w) > 0;
	/* How many we know; 1.9 does not look at it, later versions do. */
	w->states[w->n] =
	    (SCARD_READERSTATE){ .szReader = PNP, .dwCurrentState = (DWORD)w->n << 16 };
	return true;
}

/* Only what has to do with cards: a reader that another program begins to use changes, too. */
static bool
take_state(struct watcher *w, SCARD_READERSTATE *s)
{
	const DWORD before = s->dwCurrentState, now = s->dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
	const bool same = ((before ^ now) & (PRESENCE | COUNTER)) == 0;

	if (!same)
		tell(w, CHANGED, emptied(s));
	s->dwCurrentState = now;
	return !same;
}

/* As long as this pcscd lives. */
static void
follow(struct watcher *w)
{
	bool changed = false, more = false;

	while (!alone(w) && list(w, &changed)) {
		const LONG rv = SCardGetStatusChange(w->context,
		    changed || more ? SETTLE_MS : WAIT_MS, w->states, (DWORD)(w->n + 1));

		more = false;
		for (size_t i = 0; rv == SCARD_S_SUCCESS && i < w->n; i++)
			more = take_state(w, &w->states[i]) || more;
		if (rv != SCARD_S_SUCCESS && rv != SCARD_E_TIMEOUT && rv != SCARD_E_UNKNOWN_READER)
			return;
		if (rv != SCARD_E_TIMEOUT)
			pause_ms(PAUSE_MS);
	}
}

static void *
run(void *arg)
{
	struct watcher *w = arg;

	while (!alone(w)) {
		if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &w->context) ==
		    SCARD_S_SUCCESS) {
			tell(w, SERVICE_UP, NULL);
			follow(w);
			(void)SCardReleaseContext(w->context);
			for (size_t i = 0; i < w->n; i++)
				tell(w, CHANGED, emptied(&w->states[i]));
			w->n = 0;
			tell(w, SERVICE_DOWN, NULL);
		}
		if (!alone(w))
			pause_ms(RETRY_MS);
	}
	let_go(w);
	return NULL;
}

/* --- the loop --- */

static void
on_event(void *ctx, unsigned events)
{
	struct readers *r = ctx;
	struct event e;

	(void)events;
	if (recv(r->fd, &e, sizeof(e), MSG_DONTWAIT) != (ssize_t)sizeof(e))
		return;
	if (e.kind != CHANGED)
		uk_log_plain(
		    r->log, UK_LOG_INFO, e.kind == SERVICE_UP ? "readers.up" : "readers.down");
	r->changed(r->ctx, e.emptied[0] != '\0' ? e.emptied : NULL);
}

static int
start_thread(struct watcher *w)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, &attr, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return rc;
}

enum uk_rc
readers_new(struct loop *loop, const struct uk_log *log, readers_fn *changed, void *ctx,
    struct readers **out, struct uk_err *err)
{
	struct readers *r;
	struct watcher *w;
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "socketpair", errno);
	w = uk_xalloc(sizeof(*w));
	w->fd = pair[1];
	atomic_init(&w->holders, 2);
	rc = start_thread(w);
	if (rc != 0) {
		close(pair[0]);
		atomic_store(&w->holders, 1);
		let_go(w);
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "pthread_create", rc);
	}
	r = uk_xalloc(sizeof(*r));
	*r = (struct readers){ .loop = loop,
		.log = log,
		.changed = changed,
		.ctx = ctx,
		.fd = pair[0],
		.watcher = w };
	r->watch = loop_watch(loop, r->fd, LOOP_READ, on_event, r);
	*out = r;
	return UK_OK;
}

void
readers_free(struct readers **r)
{
	if (*r == NULL)
		return;
	loop_unwatch((*r)->loop, &(*r)->watch);
	close((*r)->fd);
	let_go((*r)->watcher);
	free(*r);
	*r = NULL;
}
