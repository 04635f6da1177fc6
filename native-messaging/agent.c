#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/agent.h"
#include "policy/paths.h"
#include "uk/buf.h"
#include "uk/clock.h"

#define WAIT_MS  5000
#define UNIT_MS  2500 /* … of which systemd has */
#define PAUSE_MS 25

struct wait {
	int browser;
	int64_t until;
};

static enum uk_rc
check_owner(int fd, struct uk_err *err)
{
	struct ucred cred = { 0 };
	socklen_t n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 && cred.uid == geteuid())
		return UK_OK;
	return uk_fail(err, UK_E_DENIED, "peer-refused", "agent", errno);
}

static enum uk_rc
try(const char *path, int *out, struct uk_err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	enum uk_rc rc;
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return uk_fail(err, UK_E_LIMIT, "socket-path-too-long", "agent", 0);
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return uk_fail(err, UK_E_INTERNAL, NULL, "socket", errno);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		rc = uk_fail(err, UK_E_UNAVAILABLE, "ukeyd-not-running", "connect", errno);
	else
		rc = check_owner(fd, err);
	if (rc == UK_OK)
		*out = fd;
	else
		close(fd);
	return rc;
}

/* False: the time is up, or the browser hung up. */
static bool
pause_short(const struct wait *w)
{
	struct pollfd p = { .fd = w->browser };

	return poll(&p, 1, PAUSE_MS) <= 0 && uk_mono_ms(&uk_clock_system) < w->until;
}

/* Until `pid` is ready.  One that ends may have found that another host's was faster. */
static enum uk_rc
try_until(const struct wait *w, pid_t pid, const char *path, int *out, struct uk_err *err)
{
	bool ended = false;
	enum uk_rc rc;

	while ((rc = try(path, out, err)) == UK_E_UNAVAILABLE && !ended && pause_short(w))
		ended = waitpid(pid, NULL, WNOHANG) != 0;
	return rc;
}

/* --- starting it --- */

/* posix_spawn(3) changes none of them, whatever its prototype says. */
static char *const *
args(const char *const *argv)
{
	return (char *const *)(uintptr_t)argv;
}

/* Without our descriptors: the browser waits for the end of its pipes. */
static bool
spawn(const char *const *argv, bool detached, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, all;
	int failed;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&fa, STDIN_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, STDIN_FILENO, STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&fa, STDERR_FILENO + 1);
	posix_spawn_file_actions_addchdir_np(&fa, "/");
	posix_spawnattr_init(&at);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setsigdefault(&at, &all);
	posix_spawnattr_setflags(&at, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
					      (detached ? POSIX_SPAWN_SETSID : 0)));
	failed = posix_spawnp(pid, argv[0], &fa, &at, args(argv), environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return failed == 0;
}

/* Is there a user's systemd?  Its socket is beside ours. */
static bool
has_systemd(const char *path)
{
	char *folder = uk_xstrdup(path);
	struct uk_buf b;
	bool yes;

	uk_buf_init(&b, PATH_MAX);
	uk_buf_printf(&b, "%s/systemd/private", dirname(dirname(folder)));
	yes = uk_buf_str(&b) != NULL && access(uk_buf_str(&b), F_OK) == 0;
	uk_buf_fini(&b);
	free(folder);
	return yes;
}

/* Did the child end well?  It is not left behind. */
static bool
finished(const struct wait *w, pid_t pid)
{
	int status = -1;
	pid_t ended;

	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && pause_short(w))
		continue;
	if (ended == 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return false;
	}
	return ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
start_unit(int browser, const char *path)
{
	const struct wait w = { .browser = browser,
		.until = uk_mono_ms(&uk_clock_system) + UNIT_MS };
	static const char *const argv[] = { "systemctl", "--user", "start", "ukeyd.socket", NULL };
	pid_t pid;

	return has_systemd(path) && spawn(argv, false, &pid) && finished(&w, pid);
}

static bool
start_program(pid_t *pid)
{
	char *exe = realpath("/proc/self/exe", NULL);
	const char *argv[] = { UKEYD_INSTALLED, NULL };
	struct uk_buf beside;
	bool started;

	uk_buf_init(&beside, PATH_MAX);
	if (exe != NULL)
		uk_buf_printf(&beside, "%s/ukeyd", dirname(exe));
	if (uk_buf_str(&beside) != NULL && access(uk_buf_str(&beside), X_OK) == 0)
		argv[0] = uk_buf_str(&beside);
	started = spawn(argv, true, pid);
	uk_buf_fini(&beside);
	free(exe);
	return started;
}

enum uk_rc
agent_connect(int browser, int *fd, struct uk_err *err)
{
	const struct wait w = { .browser = browser,
		.until = uk_mono_ms(&uk_clock_system) + WAIT_MS };
	char *path = path_runtime("agent.sock");
	enum uk_rc rc;
	pid_t pid;

	rc = path != NULL ? try(path, fd, err) : uk_fail(err, UK_E_LIMIT, NULL, "agent", 0);
	if (rc == UK_E_UNAVAILABLE && start_unit(browser, path))
		rc = try(path, fd, err);
	if (rc == UK_E_UNAVAILABLE && start_program(&pid))
		rc = try_until(&w, pid, path, fd, err);
	free(path);
	return rc;
}
