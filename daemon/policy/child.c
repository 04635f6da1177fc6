#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/child.h"
#include "uk/buf.h"

#define FDS_MAX   1024
#define TERM_WAIT 2000 /* ms between SIGTERM and SIGKILL */

struct child {
	struct child *next;
	struct children *all;
	pid_t pid;
	int pidfd;
	struct loop_watch *watch;
	struct loop_timer *kill;
};

struct children {
	struct loop *loop;
	struct child *list;
};

struct children *
children_new(struct loop *loop)
{
	struct children *c = uk_xalloc(sizeof(*c));

	c->loop = loop;
	return c;
}

static void
child_free(struct child *c)
{
	struct child **p = &c->all->list;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	loop_unwatch(c->all->loop, &c->watch);
	loop_cancel(c->all->loop, &c->kill);
	if (c->pidfd >= 0)
		close(c->pidfd);
	free(c);
}

static void
ended(void *ctx, unsigned events)
{
	struct child *c = ctx;

	(void)events;
	if (waitpid(c->pid, NULL, WNOHANG) != 0)
		child_free(c);
}

static void
kill_it(void *ctx)
{
	struct child *c = ctx;

	c->kill = NULL;
	(void)kill(c->pid, SIGKILL);
}

/* pinentry-curses puts the terminal right on SIGTERM; whoever ignores it is killed. */
void
child_end(struct children *all, pid_t pid)
{
	struct child *c = uk_xalloc(sizeof(*c));

	*c = (struct child){ .next = all->list, .all = all, .pid = pid };
	all->list = c;
	c->pidfd = pidfd_open(pid, 0);
	(void)kill(pid, SIGTERM);
	if (c->pidfd < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		child_free(c);
		return;
	}
	c->watch = loop_watch(all->loop, c->pidfd, LOOP_READ, ended, c);
	c->kill = loop_after(all->loop, TERM_WAIT, kill_it, c);
}

void
children_free(struct children **all)
{
	if (*all == NULL)
		return;
	while ((*all)->list != NULL) {
		(void)kill((*all)->list->pid, SIGKILL);
		(void)waitpid((*all)->list->pid, NULL, 0);
		child_free((*all)->list);
	}
	free(*all);
	*all = NULL;
}

/*
 * In the child; no memory is asked for here.  A window must not outlive the daemon that reads the
 * PIN, and a program that waits for its user does not notice that its pipes have ended.
 */
static int
become(char *const argv[], int in, int out, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent ||
	    dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		return errno;
	/* A library's descriptors need not be close-on-exec.  The call is Linux 5.11's. */
	if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++)
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* Signals as a new program expects them, whatever ours are. */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execvp(argv[0], argv);
	return errno;
}

/* An errno value; it comes through a pipe that closes when the program has begun. */
static int
spawn(const char *program, int in, int out, pid_t *pid)
{
	char *argv[2] = { uk_xstrdup(program), NULL };
	const pid_t self = getpid();
	int failed[2], rc = 0;

	if (pipe2(failed, O_CLOEXEC) != 0) {
		rc = errno;
		free(argv[0]);
		return rc;
	}
	*pid = fork();
	if (*pid == 0) {
		rc = become(argv, in, out, self);
		_exit(write(failed[1], &rc, sizeof(rc)) == (ssize_t)sizeof(rc) ? 127 : 126);
	}
	if (*pid < 0)
		rc = errno;
	close(failed[1]);
	if (*pid > 0 && read(failed[0], &rc, sizeof(rc)) > 0)
		(void)waitpid(*pid, NULL, 0);
	close(failed[0]);
	free(argv[0]);
	return rc;
}

static void
close_both(const int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int
child_start(const char *program, int *to, int *from, pid_t *pid)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	int rc;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		rc = errno;
	else
		rc = spawn(program, in[0], out[1], pid);
	if (rc != 0) {
		close_both(in);
		close_both(out);
		return rc;
	}
	close(in[0]);
	close(out[1]);
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	*to = in[1];
	*from = out[0];
	return 0;
}
