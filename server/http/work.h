/* What the workers do with a request: the gate and the handler, which may block. */
#ifndef HTTP_WORK_H
#define HTTP_WORK_H

#include "http/request.h"

/* Is its route's body too large to be taken from just anybody?  Then http_work_gate() is run first,
 * and the body is read only when it has woken the connection without an answer. */
bool http_work_is_upload(const struct http_request *rq);

/* For the pool: `arg` is the worker's reference to a request, beside the responder's. */
void http_work_gate(void *arg);
void http_work_handle(void *arg);

#endif
