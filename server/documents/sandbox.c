/* The only file that knows libseccomp. */
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "documents/sandbox.h"

#define CPU_SECONDS 15

/* The allocator's, and the end. */
static const int plain_calls[] = { SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(brk), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn) };

static bool
limit(int what, rlim_t value)
{
	const struct rlimit l = { .rlim_cur = value, .rlim_max = value };

	return setrlimit((__rlimit_resource_t)what, &l) == 0;
}

static bool
set_limits(void)
{
	return limit(RLIMIT_AS, sandbox_address_space) && limit(RLIMIT_CPU, CPU_SECONDS) &&
	       limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NOFILE, 0) &&
	       limit(RLIMIT_NPROC, 0);
}

static bool
allow_all(scmp_filter_ctx f, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0) != 0)
			return false;
	return true;
}

static bool
allow(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp in = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = SANDBOX_IN };
	const struct scmp_arg_cmp out = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = SANDBOX_OUT };
	const struct scmp_arg_cmp no_code = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0
	};

	return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(read), 1, &in) == 0 &&
	       seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, &out) == 0 &&
	       seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_code) == 0 &&
	       allow_all(f, plain_calls, sizeof(plain_calls) / sizeof(plain_calls[0])) &&
	       allow_all(f, sandbox_more_calls, sandbox_more_calls_n);
}

bool
sandbox_enter(void)
{
	scmp_filter_ctx f;
	bool ok;

	if (close_range(3, ~0u, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 || !set_limits())
		return false;
	f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	ok = f != NULL && allow(f) && seccomp_load(f) == 0;
	/* Not released: that would need calls that are no longer there, and the process is short.
	 */
	return ok;
}
