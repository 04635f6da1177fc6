/* Handles of session keys. */
#ifndef SOFT_SESSION_H
#define SOFT_SESSION_H

#include "soft/call.h"
#include "soft/cipher.h"

/* Takes *k, also when it fails. */
ULONG session_new(struct call *c, struct cipher **k, HANDLE *out);

/* The key of a call that began with KIND_KEY. */
struct cipher *session_get(const struct call *c);

#endif
