/* Worker threads with a bounded queue. */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct http_pool;

struct http_pool *http_pool_new(unsigned threads, unsigned queue);

/* fn(arg) on one of the threads; false when the queue is full. */
bool http_pool_put(struct http_pool *p, void (*fn)(void *arg), void *arg);

/* Finishes what is queued, joins the threads, frees; NULL-safe, sets NULL. */
void http_pool_free(struct http_pool **p);

#endif
