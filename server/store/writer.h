/* The one thread that writes. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include <pthread.h>

#include "store/store.h"

struct writer;

/* Keeps the connection (and NULLs the caller's pointer). */
struct writer *writer_start(struct store_tx **conn, const struct uk_log *log);
void writer_stop(struct writer **w);

void writer_add(struct writer *w, store_fn *fn, store_done_fn *done, void *ctx);
void writer_on_commit(struct writer *w, void (*fn)(void *ctx), void *ctx);
void writer_stats(struct writer *w, struct store_stats *out);

#endif
