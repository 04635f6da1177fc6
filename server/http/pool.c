#include <pthread.h>
#include <stdlib.h>

#include "http/pool.h"
#include "uk/buf.h"

struct job {
	void (*fn)(void *arg);
	void *arg;
};

struct http_pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *ring;
	unsigned cap;
	unsigned first;
	unsigned n;
	bool ending;
	pthread_t *threads;
	unsigned n_threads;
};

/* False: the pool ends and nothing is left. */
static bool
next(struct http_pool *p, struct job *out)
{
	bool found = false;

	(void)pthread_mutex_lock(&p->lock);
	while (p->n == 0 && !p->ending)
		(void)pthread_cond_wait(&p->more, &p->lock);
	if (p->n > 0) {
		*out = p->ring[p->first];
		p->first = (p->first + 1) % p->cap;
		p->n--;
		found = true;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return found;
}

static void *
run(void *arg)
{
	struct http_pool *p = arg;
	struct job job;

	while (next(p, &job))
		job.fn(job.arg);
	return NULL;
}

struct http_pool *
http_pool_new(unsigned threads, unsigned queue)
{
	struct http_pool *p = uk_xalloc(sizeof(*p));

	p->cap = queue;
	p->ring = uk_xalloc(queue * sizeof(*p->ring));
	p->threads = uk_xalloc(threads * sizeof(*p->threads));
	if (pthread_mutex_init(&p->lock, NULL) != 0 || pthread_cond_init(&p->more, NULL) != 0)
		abort();
	for (; p->n_threads < threads; p->n_threads++)
		if (pthread_create(&p->threads[p->n_threads], NULL, run, p) != 0)
			abort();
	return p;
}

bool
http_pool_put(struct http_pool *p, void (*fn)(void *arg), void *arg)
{
	bool room;

	(void)pthread_mutex_lock(&p->lock);
	room = p->n < p->cap;
	if (room) {
		p->ring[(p->first + p->n) % p->cap] = (struct job){ .fn = fn, .arg = arg };
		p->n++;
		(void)pthread_cond_signal(&p->more);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return room;
}

void
http_pool_free(struct http_pool **pp)
{
	struct http_pool *p = *pp;

	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->ending = true;
	(void)pthread_cond_broadcast(&p->more);
	(void)pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		(void)pthread_join(p->threads[i], NULL);
	(void)pthread_cond_destroy(&p->more);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p->ring);
	free(p);
	*pp = NULL;
}
