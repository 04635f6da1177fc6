#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/journal.h"
#include "policy/paths.h"
#include "uk/b64.h"
#include "uk/config.h"
#include "uk/json.h"
#include "uk/pubkey.h"

#define LINE_LEN 4096
#define TAIL     (3 * LINE_LEN)
#define HASH_HEX 65

struct journal {
	const struct uk_clock *clock;
	char *path;
	int fd;
	size_t size;
	bool unsynced;
	bool sync_failed;
	int64_t seq; /* of the next line */
	char prev[HASH_HEX];
	bool put_aside;
};

static void
hash_line(struct uk_span line, char out[HASH_HEX])
{
	uint8_t sum[32];
	struct uk_buf hex;

	uk_sha256(line, sum);
	uk_buf_init(&hex, 64);
	uk_hex_put(&hex, uk_span(sum, sizeof(sum)));
	memcpy(out, uk_buf_str(&hex), HASH_HEX);
	uk_buf_fini(&hex);
}

/* The next line without its end, taken off the front; false when no whole one is left. */
static bool
next_line(struct uk_span *text, struct uk_span *line)
{
	const uint8_t *end = text->n > 0 ? memchr(text->p, '\n', text->n) : NULL;

	if (end == NULL)
		return false;
	*line = uk_span(text->p, (size_t)(end - text->p));
	*text = uk_span(end + 1, text->n - line->n - 1);
	return true;
}

static int64_t
seq_of(struct uk_span line, const char *prev)
{
	json_t *o = NULL;
	int64_t seq = -1;

	if (uk_json_parse(line, LINE_LEN, &o, NULL) != UK_OK)
		return -1;
	if (prev == NULL || (json_is_string(json_object_get(o, "prev")) &&
				strcmp(json_string_value(json_object_get(o, "prev")), prev) == 0))
		seq = json_is_integer(json_object_get(o, "seq"))
			  ? json_integer_value(json_object_get(o, "seq"))
			  : -1;
	json_decref(o);
	return seq;
}

/* Where the chain stands; *whole: bytes up to the last line end.  `text` is the file from `from`
 * on, which need not be where a line begins. */
static enum uk_rc
find_end(struct journal *j, struct uk_span text, size_t from, size_t *whole, struct uk_err *err)
{
	struct uk_span rest = text, line = { 0 };
	bool any = false;

	if (from > 0 && !next_line(&rest, &line))
		return uk_fail(err, UK_E_INTEGRITY, "journal-broken", "journal", 0);
	while (next_line(&rest, &line))
		any = true;
	*whole = from + text.n - rest.n;
	if (!any && from == 0)
		return UK_OK;
	j->seq = any ? seq_of(line, NULL) + 1 : 0;
	if (j->seq <= 0)
		return uk_fail(err, UK_E_INTEGRITY, "journal-broken", "journal", 0);
	hash_line(line, j->prev);
	return UK_OK;
}

/* The last two lines and what is torn after them are in the last TAIL bytes. */
static enum uk_rc
read_tail(int fd, struct uk_buf *tail, size_t *from, struct uk_err *err)
{
	struct stat st;
	uint8_t *room;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return uk_fail(err, UK_E_UNAVAILABLE, "journal-unavailable", "fstat", errno);
	*from = st.st_size > TAIL ? (size_t)st.st_size - TAIL : 0;
	room = uk_buf_room(tail, TAIL);
	n = room != NULL ? pread(fd, room, TAIL, (off_t)*from) : -1;
	if (n < 0)
		return uk_fail(err, UK_E_UNAVAILABLE, "journal-unavailable", "pread", errno);
	uk_buf_add(tail, (size_t)n);
	return UK_OK;
}

static enum uk_rc
read_end(struct journal *j, const char *path, size_t *whole, struct uk_err *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct uk_buf tail;
	size_t from = 0;
	enum uk_rc rc;

	if (fd < 0 && errno == ENOENT)
		return UK_OK;
	if (fd < 0)
		return uk_fail(err, UK_E_UNAVAILABLE, "journal-unavailable", "open", errno);
	uk_buf_init(&tail, TAIL);
	rc = read_tail(fd, &tail, &from, err);
	if (rc == UK_OK)
		rc = find_end(j, uk_buf_span(&tail), from, whole, err);
	uk_buf_fini(&tail);
	close(fd);
	return rc;
}

static char *
old_path(const struct journal *j)
{
	struct uk_buf b;

	uk_buf_init(&b, strlen(j->path) + 2);
	uk_buf_printf(&b, "%s.1", j->path);
	return uk_buf_steal_str(&b);
}

static enum uk_rc
open_file(struct journal *j, struct uk_err *err)
{
	struct stat st;

	j->fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0 || fstat(j->fd, &st) != 0)
		return uk_fail(err, UK_E_UNAVAILABLE, "journal-unavailable", "open", errno);
	j->size = (size_t)st.st_size;
	return UK_OK;
}

/* Where the chain stands; right after a rotation that is in the old file. */
static enum uk_rc
find_chain(struct journal *j, const char *old, size_t *whole, struct uk_err *err)
{
	size_t ignored;
	enum uk_rc rc = read_end(j, j->path, whole, err);

	if (rc == UK_OK && *whole == 0)
		rc = read_end(j, old, &ignored, err);
	return rc;
}

static enum uk_rc
begin_anew(struct journal *j, const char *old, struct uk_err *err)
{
	const enum uk_rc rc = path_put_aside(j->path, err);

	j->put_aside = true;
	j->seq = 1;
	j->prev[0] = '\0';
	return rc == UK_OK ? path_put_aside(old, err) : rc;
}

enum uk_rc
journal_open(
    const char *path, const struct uk_clock *clock, struct journal **out, struct uk_err *err)
{
	struct journal *j = uk_xalloc(sizeof(*j));
	size_t whole = 0;
	char *old;
	enum uk_rc rc;

	j->clock = clock;
	j->path = uk_xstrdup(path);
	j->fd = -1;
	j->seq = 1;
	old = old_path(j);
	rc = find_chain(j, old, &whole, err);
	if (rc == UK_E_INTEGRITY || rc == UK_E_LIMIT) {
		whole = 0;
		rc = begin_anew(j, old, err);
	}
	if (rc != UK_OK || (rc = open_file(j, err)) != UK_OK)
		goto out;
	if (j->size != whole && ftruncate(j->fd, (off_t)whole) != 0) {
		rc = uk_fail(err, UK_E_UNAVAILABLE, "journal-unavailable", "ftruncate", errno);
		goto out;
	}
	j->size = whole;
	if (j->put_aside)
		rc = journal_put(j,
		    &(struct journal_entry){ .method = "journal", .result = "journal-broken" },
		    err);
out:
	free(old);
	if (rc != UK_OK)
		journal_close(&j);
	else
		*out = j;
	return rc;
}

bool
journal_put_aside(const struct journal *j)
{
	return j->put_aside;
}

void
journal_close(struct journal **j)
{
	if (j == NULL || *j == NULL)
		return;
	if ((*j)->fd >= 0) {
		if ((*j)->unsynced)
			(void)fdatasync((*j)->fd);
		close((*j)->fd);
	}
	free((*j)->path);
	free(*j);
	*j = NULL;
}

enum uk_rc
journal_sync(struct journal *j, struct uk_err *err)
{
	if (j->unsynced) {
		j->sync_failed = fdatasync(j->fd) != 0;
		if (j->sync_failed)
			return uk_fail(
			    err, UK_E_UNAVAILABLE, "journal-unavailable", "fdatasync", errno);
	}
	j->unsynced = false;
	return UK_OK;
}

static enum uk_rc
rotate(struct journal *j, struct uk_err *err)
{
	char *old;
	int bad;

	if (journal_sync(j, err) != UK_OK)
		return UK_E_UNAVAILABLE;
	old = old_path(j);
	/* It has moved already when the new one could not be made last time. */
	bad = rename(j->path, old) != 0 && errno != ENOENT ? errno : 0;
	free(old);
	if (bad != 0)
		return uk_fail(err, UK_E_UNAVAILABLE, "journal-unavailable", "rename", bad);
	if (j->fd >= 0)
		close(j->fd);
	return open_file(j, err);
}

static void
put_member(struct uk_buf *line, const char *key, const char *value)
{
	if (value == NULL)
		return;
	uk_buf_printf(line, ",\"%s\":", key);
	uk_json_put_str(line, uk_span_str(value));
}

/* On every signature's way, so not by a json_t. */
static enum uk_rc
put_line(const struct journal *j, const struct journal_entry *e, struct uk_buf *line)
{
	uk_buf_printf(
	    line, "{\"seq\":%lld,\"time\":%lld", (long long)j->seq, (long long)uk_now(j->clock));
	put_member(line, "method", e->method);
	put_member(line, "origin", e->origin);
	put_member(line, "token", e->token);
	put_member(line, "certificate", e->certificate);
	put_member(line, "digest", e->digest);
	put_member(line, "result", e->result);
	put_member(line, "prev", j->prev);
	uk_buf_put_u8(line, '}');
	return uk_buf_failed(line) ? UK_E_LIMIT : UK_OK;
}

enum uk_rc
journal_put(struct journal *j, const struct journal_entry *e, struct uk_err *err)
{
	struct uk_buf line;
	enum uk_rc rc = UK_OK;
	size_t n;

	uk_buf_init(&line, LINE_LEN);
	if (j->sync_failed)
		rc = journal_sync(j, err);
	if (rc == UK_OK && j->size >= JOURNAL_SIZE)
		rc = rotate(j, err);
	if (rc == UK_OK && (rc = put_line(j, e, &line)) != UK_OK)
		rc = uk_fail(err, rc, "journal-unavailable", "journal", 0);
	if (rc != UK_OK)
		goto out;
	n = line.n;
	uk_buf_put_u8(&line, '\n');
	if (uk_buf_failed(&line) || write(j->fd, line.p, line.n) != (ssize_t)line.n) {
		rc = uk_fail(err, UK_E_UNAVAILABLE, "journal-unavailable", "write", errno);
		/* Half a line, from a disk that is full, would spoil the next one. */
		(void)!ftruncate(j->fd, (off_t)j->size);
		goto out;
	}
	hash_line(uk_span(line.p, n), j->prev);
	j->size += line.n;
	j->seq++;
	j->unsynced = true;
out:
	uk_buf_fini(&line);
	return rc;
}

enum uk_rc
journal_check(const char *path, size_t *lines, struct uk_err *err)
{
	struct uk_span rest, line;
	char prev[HASH_HEX] = "";
	struct uk_buf text;
	int64_t seq = 0;
	enum uk_rc rc;

	*lines = 0;
	uk_buf_init(&text, 2 * JOURNAL_SIZE);
	rc = uk_file_read(path, 2 * JOURNAL_SIZE - 4096, &text, err);
	rest = uk_buf_span(&text);
	while (rc == UK_OK && next_line(&rest, &line)) {
		const int64_t s = seq_of(line, *lines == 0 ? NULL : prev);

		if (s < 0 || (*lines > 0 && s != seq + 1)) {
			rc = uk_fail(err, UK_E_INTEGRITY, "journal-broken", "journal", 0);
			break;
		}
		seq = s;
		hash_line(line, prev);
		++*lines;
	}
	uk_buf_fini(&text);
	return rc;
}
