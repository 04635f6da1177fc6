/*
 * What a log-in signature covers: "ukey-login-1", NUL, then origin, audience, nonce and expiry,
 * each as a 4-byte big-endian length and the bytes (expiry: 8 bytes, big-endian Unix seconds).  No
 * other method of the daemon signs data that begins so, and login.create signs nothing else.
 */
#ifndef UK_LOGIN_H
#define UK_LOGIN_H

#include "uk/buf.h"

struct uk_login {
	const char *origin;   /* as the browser says it: "https://ca.example" */
	const char *audience; /* what the site logs in to; the site's own choice */
	const char *nonce;    /* the site's challenge, 16 to 256 bytes */
	int64_t expires;      /* Unix seconds */
};

void uk_login_put(struct uk_buf *out, const struct uk_login *l);

/* Does data begin like a log-in challenge? */
bool uk_login_begins(struct uk_span data);

#endif
