#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/child.h"
#include "uk/buf.h"

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

/* Signals as a new program expects them, whatever ours are. */
static int
spawn(const char *program, int in, int out, pid_t *pid)
{
	char *argv[2] = { uk_xstrdup(program), NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, dfl;
	int rc;

	sigemptyset(&none);
	sigemptyset(&dfl);
	sigaddset(&dfl, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &dfl);
	rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	/* A library's descriptors need not be close-on-exec. */
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	if (rc == 0)
		rc = posix_spawnp(pid, program, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
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
