#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "documents/decode.h"
#include "documents/photo.h"
#include "uk/clock.h"

#define TIMEOUT_MS 20000
#define HEAD_BYTES 8

/* The photo in memory that nobody can change any more. */
static int
photo_fd(struct uk_span in)
{
	const int fd = memfd_create("photo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;

	if (fd < 0)
		return -1;
	while (done < in.n) {
		const ssize_t n = write(fd, in.p + done, in.n - done);

		if (n <= 0)
			goto fail;
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
		return fd;
fail:
	(void)close(fd);
	return -1;
}

/* No environment, no signal mask or handlers of ours, no descriptors but the three. */
static int
spawn(const char *program, int in, int out, pid_t *pid)
{
	char *const argv[] = { (char *)(uintptr_t) "ukey-photo", NULL };
	char *const envp[] = { NULL };
	posix_spawn_file_actions_t fds;
	posix_spawnattr_t attr;
	sigset_t none;
	sigset_t all;
	int r;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	if (posix_spawn_file_actions_init(&fds) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&fds);
		return ENOMEM;
	}
	if ((r = posix_spawn_file_actions_adddup2(&fds, in, 0)) != 0 ||
	    (r = posix_spawn_file_actions_adddup2(&fds, out, 1)) != 0 ||
	    (r = posix_spawn_file_actions_addopen(&fds, 2, "/dev/null", O_WRONLY, 0)) != 0 ||
	    (r = posix_spawn_file_actions_addclosefrom_np(&fds, 3)) != 0 ||
	    (r = posix_spawnattr_setsigmask(&attr, &none)) != 0 ||
	    (r = posix_spawnattr_setsigdefault(&attr, &all)) != 0 ||
	    (r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) !=
		0)
		goto out;
	r = posix_spawn(pid, program, &fds, &attr, argv, envp);
out:
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&fds);
	return r;
}

/* Everything it writes before it ends; false when time or room is up. */
static bool
collect(int fd, int64_t deadline, struct uk_buf *out)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t chunk[2048];

	for (;;) {
		const int64_t left = deadline - uk_mono_ms(&uk_clock_system);
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&pfd, 1, (int)left) <= 0)
			continue; /* interrupted, or the time is up */
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return true;
		if (n > 0)
			uk_buf_put(out, uk_span(chunk, (size_t)n));
		else if (errno != EINTR)
			return false;
		if (uk_buf_failed(out))
			return false;
	}
}

static int
wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return DECODE_UNREADABLE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : DECODE_UNREADABLE;
}

/* Its exit status; a crash, a forbidden call and a time-out are all an unreadable photo. */
static enum uk_rc
run(const struct photo_config *cfg, struct uk_span in, struct uk_buf *out, int *result,
    struct uk_err *err)
{
	const int64_t ms = cfg->timeout_ms > 0 ? cfg->timeout_ms : TIMEOUT_MS;
	const int64_t deadline = uk_mono_ms(&uk_clock_system) + ms;
	int pipe_fds[2];
	pid_t pid;
	int fd;
	int r;

	if ((fd = photo_fd(in)) < 0)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "photo-memfd", errno);
	if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
		(void)close(fd);
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "photo-pipe", errno);
	}
	r = spawn(cfg->program, fd, pipe_fds[1], &pid);
	(void)close(pipe_fds[1]);
	(void)close(fd);
	if (r != 0) {
		(void)close(pipe_fds[0]);
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "photo-spawn", r);
	}
	if (!collect(pipe_fds[0], deadline, out)) {
		(void)kill(pid, SIGKILL);
		(void)wait_for(pid);
		*result = DECODE_UNREADABLE;
	} else {
		*result = wait_for(pid);
	}
	(void)close(pipe_fds[0]);
	return UK_OK;
}

static enum uk_rc
result_rc(int result, struct uk_err *err)
{
	switch (result) {
	case DECODE_OK:
		return UK_OK;
	case DECODE_TYPE:
		return uk_fail(err, UK_E_INPUT, "photo-type", NULL, 0);
	case DECODE_TOO_SMALL:
		return uk_fail(err, UK_E_INPUT, "photo-too-small", NULL, 0);
	case DECODE_TOO_LARGE:
		return uk_fail(err, UK_E_LIMIT, "photo-too-large", NULL, 0);
	case DECODE_NO_SANDBOX:
	case 127: /* the program is there but can't be run */
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "photo-sandbox", result);
	default:
		return uk_fail(err, UK_E_INPUT, "photo-unreadable", NULL, 0);
	}
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The decoder is not believed: what it wrote must look like what it promised. */
static enum uk_rc
take(const struct uk_buf *b, struct photo_info *info, struct uk_buf *jpeg, struct uk_err *err)
{
	struct photo_info i;

	if (b->n < HEAD_BYTES + 4 || b->p[HEAD_BYTES] != 0xff || b->p[HEAD_BYTES + 1] != 0xd8)
		return uk_fail(err, UK_E_INPUT, "photo-unreadable", NULL, 0);
	i.width = get_u32(b->p);
	i.height = get_u32(b->p + 4);
	if (i.width == 0 || i.height == 0 || i.width > PHOTO_SIDE_MAX || i.height > PHOTO_SIDE_MAX)
		return uk_fail(err, UK_E_INPUT, "photo-unreadable", NULL, 0);
	uk_buf_put(jpeg, uk_span(b->p + HEAD_BYTES, b->n - HEAD_BYTES));
	if (uk_buf_failed(jpeg))
		return uk_fail(err, UK_E_LIMIT, "photo-too-large", NULL, 0);
	*info = i;
	return UK_OK;
}

enum uk_rc
photo_check(const struct photo_config *cfg, struct uk_span in, struct photo_info *info,
    struct uk_buf *jpeg, struct uk_err *err)
{
	struct uk_buf out;
	int result = DECODE_UNREADABLE;
	enum uk_rc rc;

	if (in.n > PHOTO_BYTES_MAX)
		return uk_fail(err, UK_E_LIMIT, "photo-too-large", NULL, 0);
	uk_buf_init(&out, PHOTO_JPEG_MAX + HEAD_BYTES);
	rc = run(cfg, in, &out, &result, err);
	if (rc == UK_OK)
		rc = result_rc(result, err);
	if (rc == UK_OK)
		rc = take(&out, info, jpeg, err);
	uk_buf_fini(&out);
	return rc;
}
