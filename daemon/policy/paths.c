#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/paths.h"
#include "uk/buf.h"

#define PATH_LEN 4096

static const char *
set(const char *name)
{
	const char *v = getenv(name);

	/* The specification: a relative one is to be ignored. */
	return v != NULL && v[0] == '/' ? v : NULL;
}

char *
path_state(const char *name)
{
	const char *state = set("XDG_STATE_HOME"), *home = set("HOME");
	struct uk_buf b;

	uk_buf_init(&b, PATH_LEN);
	if (state != NULL)
		uk_buf_printf(&b, "%s/ukey/%s", state, name);
	else if (home != NULL)
		uk_buf_printf(&b, "%s/.local/state/ukey/%s", home, name);
	else
		return NULL;
	return uk_buf_steal_str(&b);
}

char *
path_runtime(const char *name)
{
	const char *runtime = set("XDG_RUNTIME_DIR");
	struct uk_buf b;

	uk_buf_init(&b, PATH_LEN);
	if (runtime != NULL)
		uk_buf_printf(&b, "%s/ukey/%s", runtime, name);
	else
		uk_buf_printf(&b, "/run/user/%ld/ukey/%s", (long)geteuid(), name);
	return uk_buf_steal_str(&b);
}

enum uk_rc
path_make_folder(const char *path, struct uk_err *err)
{
	char *copy = uk_xstrdup(path);
	enum uk_rc rc = UK_OK;

	for (char *p = strchr(copy + 1, '/'); rc == UK_OK && p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			rc = uk_fail(err, UK_E_UNAVAILABLE, "folder", "mkdir", errno);
		*p = '/';
	}
	free(copy);
	return rc;
}

enum uk_rc
path_put_aside(const char *path, struct uk_err *err)
{
	struct uk_buf aside;
	enum uk_rc rc = UK_OK;

	uk_buf_init(&aside, PATH_LEN);
	uk_buf_printf(&aside, "%s.bad", path);
	if (uk_buf_str(&aside) == NULL)
		rc = uk_fail(err, UK_E_LIMIT, NULL, "put-aside", 0);
	else if (rename(path, uk_buf_str(&aside)) != 0 && errno != ENOENT)
		rc = uk_fail(err, UK_E_UNAVAILABLE, NULL, "rename", errno);
	uk_buf_fini(&aside);
	return rc;
}
