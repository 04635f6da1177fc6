#include <sys/syscall.h>

#include "documents/sandbox.h"

const rlim_t sandbox_address_space = RLIM_INFINITY;

/* sigaltstack and the identity calls when a thread's bookkeeping is set up, sched_yield and futex
 * in the allocator's locks, the rest when a report is printed. */
const int sandbox_more_calls[] = { SYS_sigaltstack, SYS_sched_yield, SYS_futex, SYS_getpid,
	SYS_gettid, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_mprotect };
const size_t sandbox_more_calls_n = sizeof(sandbox_more_calls) / sizeof(sandbox_more_calls[0]);
