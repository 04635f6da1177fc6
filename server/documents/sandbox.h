/*
 * What ukey-photo gives up before it looks at a stranger's bytes: descriptors, memory without end,
 * time without end, and every system call but the few that reading, computing and writing need.
 * A forbidden call kills the process (SIGSYS).
 */
#ifndef DOCUMENTS_SANDBOX_H
#define DOCUMENTS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#define SANDBOX_IN  0 /* the only descriptor to read */
#define SANDBOX_OUT 1 /* the only one to write */

/* False: this kernel does not let us; nothing must be decoded then. */
bool sandbox_enter(void);

/*
 * What differs between builds: sandbox_release.c, or sandbox_sanitize.c, whose runtime reserves
 * terabytes of address space and makes a few calls of its own.
 */
extern const rlim_t sandbox_address_space;
extern const int sandbox_more_calls[];
extern const size_t sandbox_more_calls_n;

#endif
