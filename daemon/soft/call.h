/*
 * The frame of every function: find what the handle means, see that the UKEY is there, take its
 * lock, read its state if another process has changed it, ask who is logged in; and at the end let
 * go, and see once more that it is there.
 *
 *	if ((rv = call_begin(&c, __func__, h, KIND_CONTAINER, CALL_USER | CALL_WRITE)) != SAR_OK)
 *		return rv;
 *	…
 *	return call_end(&c, rv);
 */
#ifndef SOFT_CALL_H
#define SOFT_CALL_H

#include "soft/module.h"
#include "soft/names.h"

enum {
	CALL_WRITE = 1,  /* will change the state, or spend a try */
	CALL_USER = 2,   /* SAR_USER_NOT_LOGGED_IN without the user's PIN */
	CALL_AUTH = 4,   /* the same without SKF_DevAuth */
	CALL_MEMORY = 8, /* nothing of the state is needed: no lock but SKF_LockDev's counts */
};

struct call {
	struct object *o;
	struct device *device;
	struct state *state;
	struct app *app;             /* of KIND_APP, KIND_CONTAINER and KIND_AGREEMENT */
	struct container *container; /* of the last two */
	struct login *login;         /* in app; NULL: nobody */
	unsigned flags;
	bool locked;
};

ULONG call_begin(struct call *c, const char *function, HANDLE h, enum kind kind, unsigned flags);

/* A result other than SAR_OK undoes what was changed and not saved. */
ULONG call_end(struct call *c, ULONG rv);

/*
 * The state goes to the disk; app's MAC is renewed if its master key is at hand.  What call_key()
 * lent is gone.
 */
ULONG call_save(struct call *c);

/* The private key, from the log-in's store or opened now; lent until the call ends. */
ULONG call_key(struct call *c, enum use use, struct key **out);

/* A handle that came through this one; SAR_MEMORYERR: too many. */
ULONG call_new(struct call *c, enum kind kind, struct object *parent, struct object **out);

/* Closes a handle and all that came through it; also of a UKEY that was pulled. */
ULONG call_close(const char *function, HANDLE h, enum kind kind);

/*
 * For the functions that go another way, with the module's lock held: the handle's UKEY is there
 * (function NULL: without its faults), and a moment's wait without the lock.
 */
ULONG call_find(struct call *c, const char *function, HANDLE h, enum kind kind);
void call_nap(void);

/* An error or a wait that was asked for, for a function that has no handle; with the lock held. */
ULONG call_fault(struct device *d, const char *function);

#endif
