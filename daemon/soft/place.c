#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "soft/place.h"

#define KEYS_MAX 256

static char *
joined(const char *a, const char *b)
{
	struct uk_buf path;

	uk_buf_init(&path, 4096);
	uk_buf_printf(&path, "%s%s", a, b);
	return uk_buf_steal_str(&path);
}

char *
place_root(void)
{
	const char *dir = getenv("UKEY_SOFT_DIR"), *data = getenv("XDG_DATA_HOME"),
		   *home = getenv("HOME");

	if (dir != NULL && dir[0] != '\0')
		return uk_xstrdup(dir);
	if (data != NULL && data[0] == '/')
		return joined(data, "/ukey/keys");
	return home != NULL && home[0] == '/' ? joined(home, "/.local/share/ukey/keys") : NULL;
}

static bool
make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* And those above it. */
static bool
make_folders(const char *path)
{
	char *p = uk_xstrdup(path);
	bool ok = true;

	for (char *end = strchr(p + 1, '/'); ok && end != NULL; end = strchr(end + 1, '/')) {
		*end = '\0';
		ok = make_folder(p);
		*end = '/';
	}
	ok = ok && make_folder(p);
	free(p);
	return ok;
}

int
place_open(const char *root)
{
	int fd;

	if (root == NULL || root[0] == '\0' || !make_folders(root))
		return -1;
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && mkdirat(fd, PLACE_INSERTED, 0700) != 0 && errno != EEXIST) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

bool
place_name_ok(const char *name)
{
	const size_t n = strnlen(name, PLACE_NAME_MAX + 1);

	if (n == 0 || n > PLACE_NAME_MAX || name[0] == '.' || strcmp(name, PLACE_INSERTED) == 0)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
	       n;
}

static bool
path_of(char path[PLACE_NAME_MAX + 32], const char *name, const char *before, const char *after)
{
	return place_name_ok(name) &&
	       snprintf(path, PLACE_NAME_MAX + 32, "%s%s%s", before, name, after) > 0;
}

bool
place_exists(int root, const char *name)
{
	char path[PLACE_NAME_MAX + 32];

	return path_of(path, name, "", "/token.state") && faccessat(root, path, F_OK, 0) == 0;
}

struct presence
place_presence(int root, const char *name)
{
	char path[PLACE_NAME_MAX + 32];
	struct presence p = { 0 };
	struct stat st;

	if (path_of(path, name, PLACE_INSERTED "/", "") &&
	    fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		p.in = true;
		p.inode = st.st_ino;
		p.since = st.st_ctim;
	}
	return p;
}

bool
presence_same(const struct presence *a, const struct presence *b)
{
	return a->in == b->in && a->inode == b->inode && a->since.tv_sec == b->since.tv_sec &&
	       a->since.tv_nsec == b->since.tv_nsec;
}

ULONG
place_insert(int root, const char *name)
{
	char path[PLACE_NAME_MAX + 32];
	int fd;

	if (!place_exists(root, name))
		return SAR_OBJERR;
	(void)path_of(path, name, PLACE_INSERTED "/", "");
	fd = openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return SAR_WRITEFILEERR;
	(void)close(fd);
	return SAR_OK;
}

ULONG
place_remove(int root, const char *name)
{
	char path[PLACE_NAME_MAX + 32];

	if (!place_exists(root, name) || !path_of(path, name, PLACE_INSERTED "/", ""))
		return SAR_OBJERR;
	return unlinkat(root, path, 0) == 0 || errno == ENOENT ? SAR_OK : SAR_WRITEFILEERR;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t
read_names(DIR *d, int root, bool present, char *found[KEYS_MAX])
{
	const struct dirent *e;
	size_t n = 0;

	while (n < KEYS_MAX && (e = readdir(d)) != NULL)
		if (place_name_ok(e->d_name) && place_exists(root, e->d_name) &&
		    (!present || place_presence(root, e->d_name).in))
			found[n++] = uk_xstrdup(e->d_name);
	return n;
}

ULONG
place_list(int root, bool present, struct uk_buf *names)
{
	char *found[KEYS_MAX];
	const int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return SAR_READFILEERR;
	}
	n = read_names(d, root, present, found);
	(void)closedir(d);
	qsort(found, n, sizeof(found[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		uk_buf_put(names, uk_span(found[i], strlen(found[i]) + 1));
		free(found[i]);
	}
	return uk_buf_failed(names) ? SAR_MEMORYERR : SAR_OK;
}
