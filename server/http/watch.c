#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "http/internal.h"
#include "http/watch.h"

#define LATE_MAX 32 /* answered in one round; the rest in the next */

struct http_conn {
	struct http_conn *next;
	struct http_conn **at; /* what points here */
	int fd;
	int64_t deadline;
	int64_t since;           /* connected; 0 once its first request has begun */
	struct http_request *rq; /* waited for */
	bool sending;
};

struct http_watch {
	pthread_mutex_t lock;
	pthread_cond_t end;
	pthread_t thread;
	const struct uk_clock *clock;
	int64_t tick_ms;
	bool ending;
	struct http_conn *first;
};

/* The late requests are answered outside the lock: answering wakes a connection, which takes locks
 * of the library's that are held when it calls us. */
static size_t
look(struct http_watch *w, struct http_request *late[LATE_MAX])
{
	const int64_t now = uk_mono_ms(w->clock);
	size_t n = 0;

	for (struct http_conn *c = w->first; c != NULL; c = c->next) {
		if (c->deadline > now)
			continue;
		if (c->rq == NULL) {
			(void)shutdown(c->fd, SHUT_RDWR);
		} else if (n < LATE_MAX) {
			late[n++] = http_request_ref(c->rq);
			c->deadline = INT64_MAX;
		}
	}
	return n;
}

static void
answer_late(struct http_request *late[LATE_MAX], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		http_request_refuse(late[i], 504, "timeout");
		http_request_unref(&late[i]);
	}
}

static void
nap(struct http_watch *w)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += (long)(w->tick_ms % 1000) * 1000000;
	ts.tv_sec += (time_t)(w->tick_ms / 1000) + ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&w->end, &w->lock, &ts);
}

static void *
run(void *arg)
{
	struct http_watch *w = arg;
	struct http_request *late[LATE_MAX];

	(void)pthread_mutex_lock(&w->lock);
	while (!w->ending) {
		const size_t n = look(w, late);

		if (n > 0) {
			(void)pthread_mutex_unlock(&w->lock);
			answer_late(late, n);
			(void)pthread_mutex_lock(&w->lock);
		}
		if (!w->ending)
			nap(w);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct http_watch *
http_watch_new(const struct uk_clock *clock, int64_t tick_ms)
{
	struct http_watch *w = uk_xalloc(sizeof(*w));
	pthread_condattr_t attr;

	w->clock = clock;
	w->tick_ms = tick_ms;
	if (pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&w->end, &attr) != 0 || pthread_mutex_init(&w->lock, NULL) != 0 ||
	    pthread_create(&w->thread, NULL, run, w) != 0)
		abort();
	(void)pthread_condattr_destroy(&attr);
	return w;
}

void
http_watch_free(struct http_watch **ww)
{
	struct http_watch *w = *ww;

	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->ending = true;
	(void)pthread_cond_signal(&w->end);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->end);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
	*ww = NULL;
}

struct http_conn *
http_conn_add(struct http_watch *w, int fd, int64_t ms)
{
	struct http_conn *c = uk_xalloc(sizeof(*c));

	c->fd = fd;
	c->since = uk_mono_ms(w->clock);
	c->deadline = c->since + ms;
	(void)pthread_mutex_lock(&w->lock);
	c->next = w->first;
	if (c->next != NULL)
		c->next->at = &c->next;
	c->at = &w->first;
	w->first = c;
	(void)pthread_mutex_unlock(&w->lock);
	return c;
}

int64_t
http_conn_start(struct http_watch *w, struct http_conn *c)
{
	const int64_t start = c->since != 0 ? c->since : uk_mono_ms(w->clock);

	c->since = 0;
	return start;
}

void
http_conn_del(struct http_watch *w, struct http_conn **cc)
{
	struct http_conn *c = *cc;

	(void)pthread_mutex_lock(&w->lock);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	(void)pthread_mutex_unlock(&w->lock);
	free(c);
	*cc = NULL;
}

static void
set(struct http_watch *w, struct http_conn *c, struct http_request *rq, bool sending,
    int64_t deadline)
{
	(void)pthread_mutex_lock(&w->lock);
	c->rq = rq;
	c->sending = sending;
	c->deadline = deadline;
	(void)pthread_mutex_unlock(&w->lock);
}

void
http_conn_until(struct http_watch *w, struct http_conn *c, int64_t deadline)
{
	set(w, c, NULL, false, deadline);
}

void
http_conn_wait_for(
    struct http_watch *w, struct http_conn *c, struct http_request *rq, int64_t deadline)
{
	set(w, c, rq, false, deadline);
}

void
http_conn_answered(struct http_watch *w, struct http_conn *c, int64_t deadline)
{
	set(w, c, NULL, true, deadline);
}

size_t
http_watch_busy(struct http_watch *w)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&w->lock);
	for (const struct http_conn *c = w->first; c != NULL; c = c->next)
		n += c->rq != NULL || c->sending;
	(void)pthread_mutex_unlock(&w->lock);
	return n;
}
