/* The daemon's event loop: struct loop on libwebsockets (4.1.6). */
#ifndef TRANSPORT_LWS_H
#define TRANSPORT_LWS_H

#include <stdbool.h>

#include "loop/loop.h"

struct lws_context;
struct lws_loop;

struct lws_loop *lws_loop_new(void); /* NULL: it can't */
void lws_loop_free(struct lws_loop **l);
struct loop *lws_loop_base(struct lws_loop *l);
struct lws_context *lws_loop_context(struct lws_loop *l);

/* Until *stop is set by a callback. */
void lws_loop_run(struct lws_loop *l, const bool *stop);

#endif
