/* Frames from the browser to ukeyd and back, until one of them has gone. */
#ifndef NATIVE_RELAY_H
#define NATIVE_RELAY_H

#include "uk/frame.h"

struct relay_ends {
	int in;    /* from the browser */
	int out;   /* to the browser */
	int agent; /* ukeyd's socket */
};

/* The first frame's body, at most STAMP_FIRST_MAX bytes; not a byte more is read.  UK_E_CANCELLED:
 * the browser hung up before it.  UK_E_DENIED "origin-refused": it is too long to be one. */
UK_CHECK enum uk_rc relay_first(int in, struct uk_buf *body, struct uk_err *err);

/*
 * Send `first` to ukeyd, then relay.  Nothing is read from one side while a whole frame waits for
 * the other.  UK_OK: the browser hung up.  UK_E_UNAVAILABLE "ukeyd-gone".  UK_E_LIMIT "too-large":
 * a frame of the browser's (it has been told) or of ukeyd's was.
 */
UK_CHECK enum uk_rc relay_run(
    const struct relay_ends *ends, struct uk_span first, struct uk_err *err);

/* Tell the browser why there is no more, as a JSON-RPC error without an id. */
void relay_refuse(int out, const struct uk_err *err);

#endif
