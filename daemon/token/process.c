#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "token/process.h"
#include "uk/buf.h"

/* Names end in '='; the others are beginnings of names. */
static const char *const handed_on[] = { "HOME=", "LANG=", "LC_", "XDG_", "UKEY_",
	"SOFTHSM2_CONF=", "OPENSC_CONF=", "PCSCLITE_", "JOURNAL_STREAM=", NULL };

static bool
is_handed_on(const char *variable)
{
	for (size_t i = 0; handed_on[i] != NULL; i++)
		if (strncmp(variable, handed_on[i], strlen(handed_on[i])) == 0)
			return true;
	return false;
}

/* The strings stay environ's own. */
static char **
environment(void)
{
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n] != NULL)
		n++;
	env = uk_xalloc((n + 1) * sizeof(*env));
	for (size_t i = 0; i < n; i++)
		if (is_handed_on(environ[i]))
			env[kept++] = environ[i];
	return env;
}

/* Its standard output is our standard error: a module that prints disturbs nobody. */
static int
spawn(char *const argv[], int fd, pid_t *pid)
{
	char **env = environment();
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if ((rc = posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO)) == 0 &&
	    (rc = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO)) == 0 &&
	    (rc = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1)) == 0)
		rc = posix_spawn(pid, argv[0], &files, &attr, argv, env);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	free(env);
	return rc;
}

enum uk_rc
process_start(char *const argv[], struct process *out, struct uk_err *err)
{
	struct process p = { .pidfd = -1 };
	int pair[2];
	int rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "socketpair", errno);
	rc = spawn(argv, pair[1], &p.pid);
	(void)close(pair[1]);
	if (rc != 0) {
		(void)close(pair[0]);
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "posix_spawn", rc);
	}
	p.fd = pair[0];
	p.pidfd = pidfd_open(p.pid, 0);
	if (p.pidfd < 0 || fcntl(p.fd, F_SETFL, O_NONBLOCK) != 0) {
		(void)uk_fail(err, UK_E_UNAVAILABLE, NULL, "pidfd_open", errno);
		process_kill(&p);
		(void)process_reap(&p, -1);
		return UK_E_UNAVAILABLE;
	}
	*out = p;
	return UK_OK;
}

void
process_hang_up(struct process *p)
{
	if (p->pid != 0 && p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
}

void
process_kill(const struct process *p)
{
	if (p->pid != 0)
		(void)kill(p->pid, SIGKILL);
}

bool
process_reap(struct process *p, int ms)
{
	struct pollfd end = { .fd = p->pidfd, .events = POLLIN };

	if (p->pid == 0)
		return true;
	process_hang_up(p);
	if (p->pidfd >= 0 && ms >= 0 && poll(&end, 1, ms) <= 0)
		return false;
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (p->pidfd >= 0)
		(void)close(p->pidfd);
	*p = (struct process){ .pidfd = -1, .fd = -1 };
	return true;
}
