/* The way to ukeyd: its unix socket, and who starts it where nobody listens there. */
#ifndef NATIVE_AGENT_H
#define NATIVE_AGENT_H

#include "uk/rc.h"

/*
 * A connection to this user's ukeyd; within five seconds.  Where none runs: the user's systemd
 * starts it, or else we do, detached.  `browser` is watched meanwhile, and there is no waiting when
 * it hangs up.  UK_E_UNAVAILABLE "ukeyd-not-running"; UK_E_DENIED "peer-refused": the socket is
 * another user's.
 */
UK_CHECK enum uk_rc agent_connect(int browser, int *fd, struct uk_err *err);

#endif
