#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "soft/disk.h"
#include "soft/place.h"

#define STATE "token.state"
#define FRESH "token.new"

void
disk_init(struct disk *d)
{
	*d = (struct disk){ .dir = -1, .lock = -1 };
}

void
disk_close(struct disk *d)
{
	if (d->lock >= 0)
		(void)close(d->lock);
	if (d->dir >= 0)
		(void)close(d->dir);
	disk_init(d);
}

ULONG
disk_open(int root, const char *name, struct disk *d)
{
	disk_init(d);
	if (!place_name_ok(name))
		return SAR_INVALIDPARAMERR;
	d->dir = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (d->dir >= 0)
		d->lock = openat(d->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock >= 0)
		return SAR_OK;
	disk_close(d);
	return SAR_READFILEERR;
}

ULONG
disk_make(int root, const char *name, struct disk *d)
{
	disk_init(d);
	if (!place_name_ok(name))
		return SAR_NAMELENERR;
	if (mkdirat(root, name, 0700) != 0)
		return errno == EEXIST ? SAR_FILE_ALREADY_EXIST : SAR_WRITEFILEERR;
	return disk_open(root, name, d);
}

ULONG
disk_lock(const struct disk *d, bool exclusive)
{
	if (flock(d->lock, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return SAR_OK;
	return errno == EWOULDBLOCK || errno == EINTR ? SAR_TIMEOUTERR : SAR_FILEERR;
}

void
disk_unlock(const struct disk *d)
{
	(void)flock(d->lock, LOCK_UN);
}

bool
stamp_same(const struct stamp *a, const struct stamp *b)
{
	return a->inode == b->inode && a->size == b->size && a->when.tv_sec == b->when.tv_sec &&
	       a->when.tv_nsec == b->when.tv_nsec;
}

static struct stamp
stamp_of(const struct stat *st)
{
	return (struct stamp){ .inode = st->st_ino, .size = st->st_size, .when = st->st_mtim };
}

bool
disk_stamp(const struct disk *d, const char *file, struct stamp *out)
{
	struct stat st;

	if (fstatat(d->dir, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	*out = stamp_of(&st);
	return true;
}

static ULONG
read_all(int fd, size_t max, struct uk_buf *out, struct stamp *stamp)
{
	struct stat st;
	uint8_t *p;
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return SAR_READFILEERR;
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return SAR_FILEERR;
	*stamp = stamp_of(&st);
	uk_buf_reset(out);
	do {
		p = uk_buf_room(out, 4096);
		n = p != NULL ? read(fd, p, 4096) : -1;
		if (n > 0)
			uk_buf_add(out, (size_t)n);
	} while (n > 0);
	return n == 0 && out->n <= max ? SAR_OK : SAR_READFILEERR;
}

ULONG
disk_read(const struct disk *d, const char *file, size_t max, bool *there, struct uk_buf *out)
{
	const int fd = openat(d->dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stamp stamp;
	ULONG rv = SAR_OK;

	*there = fd >= 0;
	if (fd >= 0) {
		rv = read_all(fd, max, out, &stamp);
		(void)close(fd);
	} else if (errno != ENOENT) {
		rv = SAR_READFILEERR;
	}
	return rv;
}

static ULONG
load(struct disk *d, struct state **s)
{
	const int fd = openat(d->dir, STATE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct state *fresh = NULL;
	struct stamp stamp;
	struct uk_buf text;
	ULONG rv;

	if (fd < 0)
		return SAR_READFILEERR;
	uk_buf_init(&text, STATE_MAX + 8192);
	rv = read_all(fd, STATE_MAX, &text, &stamp);
	(void)close(fd);
	if (rv == SAR_OK)
		rv = state_read(uk_buf_span(&text), &fresh);
	if (rv == SAR_OK) {
		state_free(s);
		*s = fresh;
		d->stamp = stamp;
	}
	uk_buf_fini(&text);
	return rv;
}

ULONG
disk_load(struct disk *d, struct state **s)
{
	struct stamp now;

	if (!disk_stamp(d, STATE, &now))
		return SAR_READFILEERR;
	return *s != NULL && stamp_same(&now, &d->stamp) ? SAR_OK : load(d, s);
}

static bool
write_all(int fd, struct uk_span s)
{
	while (s.n != 0) {
		const ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			s = uk_span(s.p + n, s.n - (size_t)n);
	}
	return true;
}

ULONG
disk_save(struct disk *d, struct state *s)
{
	struct uk_buf text;
	ULONG rv = state_write(s, &text);
	int fd = -1;

	if (rv == SAR_OK) {
		rv = SAR_WRITEFILEERR;
		fd = openat(
		    d->dir, FRESH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0 && write_all(fd, uk_buf_span(&text)) && fsync(fd) == 0 &&
		    renameat(d->dir, FRESH, d->dir, STATE) == 0 && fsync(d->dir) == 0 &&
		    disk_stamp(d, STATE, &d->stamp))
			rv = SAR_OK;
		else
			d->stamp = (struct stamp){ 0 };
		if (fd >= 0)
			(void)close(fd);
	}
	uk_buf_fini(&text);
	return rv;
}
