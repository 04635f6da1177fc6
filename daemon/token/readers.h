/*
 * Smart card readers, by pcsc-lite: says when one of them, or a card in one, came or went, also
 * when pcscd itself does.  SCardGetStatusChange() blocks, so a thread of its own waits in it; that
 * one does nothing else, and talks to the loop through a socket.
 */
#ifndef TOKEN_READERS_H
#define TOKEN_READERS_H

#include "loop/loop.h"
#include "uk/log.h"
#include "uk/rc.h"

struct readers;

/* `emptied` is the name of the reader that lost its card, or is NULL. */
typedef void readers_fn(void *ctx, const char *emptied);

UK_CHECK enum uk_rc readers_new(struct loop *loop, const struct uk_log *log, readers_fn *changed,
    void *ctx, struct readers **out, struct uk_err *err);

/* The thread is left to end by itself: it may be waiting for a pcscd that hangs. */
void readers_free(struct readers **r);

#endif
