/* A helper as a child process with one end of a socket pair as its standard input. */
#ifndef TOKEN_PROCESS_H
#define TOKEN_PROCESS_H

#include <sys/types.h>

#include "uk/rc.h"

struct process {
	pid_t pid; /* 0: none */
	int pidfd; /* readable once it has ended */
	int fd;    /* our end, non-blocking; -1 once hung up */
};

/* argv[0] is the path.  Only a named few variables of the environment are handed on. */
UK_CHECK enum uk_rc process_start(char *const argv[], struct process *out, struct uk_err *err);

/* Close our end: a helper that is well leaves by itself. */
void process_hang_up(struct process *p);
void process_kill(const struct process *p);

/* Wait at most ms for the end; then forget it.  False: it is still there. */
bool process_reap(struct process *p, int ms);

#endif
