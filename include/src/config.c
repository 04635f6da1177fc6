#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "uk/config.h"

#define CONFIG_MAX (256u * 1024u)

/* The chunk is small and wiped: the file may be a key. */
static enum uk_rc
read_all_of(int fd, size_t max, struct uk_buf *out, struct uk_err *err)
{
	uint8_t chunk[2048];
	enum uk_rc rc = UK_OK;
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = uk_fail(err, UK_E_INTERNAL, NULL, "read", errno);
			break;
		}
		total += (size_t)n;
		uk_buf_put(out, uk_span(chunk, (size_t)n));
		if (total > max || uk_buf_failed(out)) {
			rc = uk_fail(err, UK_E_LIMIT, NULL, "read", 0);
			break;
		}
	}
	explicit_bzero(chunk, sizeof(chunk));
	return rc;
}

enum uk_rc
uk_file_read(const char *path, size_t max, struct uk_buf *out, struct uk_err *err)
{
	struct stat st;
	enum uk_rc rc;
	int fd;

	/* O_NONBLOCK: opening a FIFO by mistake must not hang; regular files don't care. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return uk_fail(
		    err, errno == ENOENT ? UK_E_NOT_FOUND : UK_E_DENIED, NULL, "open", errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = uk_fail(err, UK_E_INPUT, "not-a-file", "fstat", errno);
	else
		rc = read_all_of(fd, max, out, err);
	close(fd);
	return rc;
}

static bool
write_all(int fd, struct uk_span s)
{
	while (s.n > 0) {
		const ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		s = uk_span(s.p + n, s.n - (size_t)n);
	}
	return fsync(fd) == 0;
}

/* The rename itself is durable only once the folder is on the disk. */
static void
sync_folder(const char *path)
{
	char *copy = uk_xstrdup(path);
	const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

enum uk_rc
uk_file_write(const char *path, unsigned mode, struct uk_span data, struct uk_err *err)
{
	struct uk_buf tmp;
	enum uk_rc rc = UK_E_INTERNAL;
	const char *name;
	int fd = -1;

	uk_buf_init(&tmp, 4096);
	uk_buf_printf(&tmp, "%s.%ld.new", path, (long)getpid());
	name = uk_buf_str(&tmp);
	if (name == NULL)
		return uk_fail(err, UK_E_LIMIT, NULL, "file-write", 0);
	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	if (fd < 0 || !write_all(fd, data)) {
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "file-write", errno);
		goto out;
	}
	if (rename(name, path) != 0) {
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "rename", errno);
		goto out;
	}
	sync_folder(path);
	rc = UK_OK;
out:
	if (fd >= 0)
		close(fd);
	if (rc != UK_OK)
		(void)unlink(name);
	uk_buf_fini(&tmp);
	return rc;
}

/* A path in the file is meant relative to the file, wherever the program was started. */
static char *
beside(const char *file, const char *path)
{
	struct uk_buf b;
	char *copy, *dir, *s;

	if (file == NULL || path[0] == '/' || path[0] == '\0')
		return uk_xstrdup(path);
	copy = uk_xstrdup(file);
	dir = realpath(dirname(copy), NULL);
	uk_buf_init(&b, 8192);
	uk_buf_printf(&b, "%s/%s", dir != NULL ? dir : ".", path);
	free(copy);
	free(dir);
	s = uk_buf_steal_str(&b);
	return s != NULL ? s : uk_xstrdup(path);
}

static void
set_str(void *cfg, const struct uk_option *o, char *value)
{
	memcpy((char *)cfg + o->offset, &value, sizeof(value));
}

static enum uk_rc
read_option(
    const struct uk_option *o, const json_t *v, const char *file, void *cfg, struct uk_err *err)
{
	char *at = (char *)cfg + o->offset;

	switch (o->type) {
	case UK_C_STR:
	case UK_C_PATH:
		if (!json_is_string(v) || (int64_t)json_string_length(v) < o->min ||
		    (int64_t)json_string_length(v) > o->max)
			return uk_fail_field(err, o->key, NULL);
		set_str(cfg, o,
		    o->type == UK_C_PATH ? beside(file, json_string_value(v))
					 : uk_xstrdup(json_string_value(v)));
		return UK_OK;
	case UK_C_INT: {
		const int64_t i = json_integer_value(v);

		if (!json_is_integer(v) || i < o->min || i > o->max)
			return uk_fail_field(err, o->key, NULL);
		memcpy(at, &i, sizeof(i));
		return UK_OK;
	}
	case UK_C_BOOL: {
		const bool b = json_is_true(v);

		if (!json_is_boolean(v))
			return uk_fail_field(err, o->key, NULL);
		memcpy(at, &b, sizeof(b));
		return UK_OK;
	}
	}
	return uk_fail_field(err, o->key, NULL);
}

static enum uk_rc
read_default(const struct uk_option *o, const char *file, void *cfg, struct uk_err *err)
{
	json_t *v;
	enum uk_rc rc;

	if (o->dflt == NULL)
		return uk_fail_field(err, o->key, "missing");
	if (o->type == UK_C_STR || o->type == UK_C_PATH) {
		set_str(cfg, o, o->type == UK_C_PATH ? beside(file, o->dflt) : uk_xstrdup(o->dflt));
		return UK_OK;
	}
	v = json_loads(o->dflt, JSON_DECODE_ANY, NULL);
	rc = read_option(o, v, file, cfg, err);
	json_decref(v);
	return rc;
}

static enum uk_rc
read_all(const struct uk_option *table, size_t n, const json_t *object, const char *file, void *cfg,
    struct uk_err *err)
{
	size_t known = 0;

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(object, table[i].key);
		enum uk_rc rc;

		known += v != NULL;
		rc = v != NULL ? read_option(&table[i], v, file, cfg, err)
			       : read_default(&table[i], file, cfg, err);
		if (rc != UK_OK)
			return rc;
	}
	if (object != NULL && known != json_object_size(object))
		return uk_fail(err, UK_E_INPUT, "unknown-member", "config", 0);
	return UK_OK;
}

enum uk_rc
uk_config_load(
    const struct uk_option *table, size_t n, const char *path, void *cfg, struct uk_err *err)
{
	struct uk_buf text;
	json_t *object = NULL;
	enum uk_rc rc = UK_OK;

	uk_buf_init(&text, CONFIG_MAX + 4096);
	if (path != NULL) {
		rc = uk_file_read(path, CONFIG_MAX, &text, err);
		if (rc == UK_OK)
			rc = uk_json_parse(uk_buf_span(&text), CONFIG_MAX, &object, err);
		if (rc == UK_OK && !json_is_object(object))
			rc = uk_fail(err, UK_E_INPUT, "json-not-an-object", "config", 0);
	}
	if (rc == UK_OK)
		rc = read_all(table, n, object, path, cfg, err);
	if (rc != UK_OK)
		uk_config_fini(table, n, cfg);
	json_decref(object);
	uk_buf_fini(&text);
	return rc;
}

void
uk_config_fini(const struct uk_option *table, size_t n, void *cfg)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].type == UK_C_STR || table[i].type == UK_C_PATH) {
			char *s;

			memcpy(&s, (char *)cfg + table[i].offset, sizeof(s));
			free(s);
			set_str(cfg, &table[i], NULL);
		}
}

void
uk_config_print(const struct uk_option *table, size_t n, const void *cfg, struct uk_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		const char *at = (const char *)cfg + table[i].offset;
		const char *s;
		int64_t v;
		bool b;

		uk_buf_printf(out, "# %s\n%s = ", table[i].help, table[i].key);
		switch (table[i].type) {
		case UK_C_STR:
		case UK_C_PATH:
			memcpy(&s, at, sizeof(s));
			uk_buf_printf(out, "\"%s\"\n", s != NULL ? s : "");
			break;
		case UK_C_INT:
			memcpy(&v, at, sizeof(v));
			uk_buf_printf(out, "%" PRId64 "\n", v);
			break;
		case UK_C_BOOL:
			memcpy(&b, at, sizeof(b));
			uk_buf_printf(out, "%s\n", b ? "true" : "false");
			break;
		}
	}
}
