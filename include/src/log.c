#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "uk/buf.h"
#include "uk/clock.h"
#include "uk/log.h"
#include "uk/utf8.h"

struct level_row {
	const char *name;
	int priority; /* sd-daemon(3) */
};

static const struct level_row levels[] = {
	[UK_LOG_ERROR] = { "error", 3 },
	[UK_LOG_WARN] = { "warn", 4 },
	[UK_LOG_INFO] = { "info", 6 },
	[UK_LOG_DEBUG] = { "debug", 7 },
};
static_assert(sizeof(levels) / sizeof(levels[0]) == UK_LOG__MAX, "one row per level");

#define LINE_MAX_BYTES 4096
#define VALUE_MAX      512

void
uk_log_init(struct uk_log *log, const char *program)
{
	*log = (struct uk_log){ .program = program,
		.level = UK_LOG_INFO,
		.journal = getenv("JOURNAL_STREAM") != NULL };
}

enum uk_rc
uk_log_set_level(struct uk_log *log, const char *name)
{
	for (unsigned i = 0; i < UK_LOG__MAX; i++)
		if (strcmp(levels[i].name, name) == 0) {
			log->level = (enum uk_level)i;
			return UK_OK;
		}
	return UK_E_INPUT;
}

static bool
plain(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '=' || *p == '\\')
			return false;
	return *s != '\0';
}

/* A peer's text stays on its line and inside its quotes, whatever it contains. */
static void
put_value(struct uk_buf *b, const char *s)
{
	if (plain(s) && strlen(s) <= VALUE_MAX) {
		uk_buf_put_str(b, s);
		return;
	}
	uk_buf_put_u8(b, '"');
	for (size_t i = 0, step; s[i] != '\0'; i += step) {
		const size_t n = uk_utf8_char(s + i);

		step = n != 0 ? n : 1;
		if (i + step > VALUE_MAX) {
			uk_buf_put_str(b, "...");
			break;
		}
		if (n == 0)
			uk_buf_printf(b, "\\x%02x", (unsigned char)s[i]);
		else if (s[i] == '"' || s[i] == '\\')
			uk_buf_printf(b, "\\%c", s[i]);
		else
			uk_buf_put(b, uk_span(s + i, n));
	}
	uk_buf_put_u8(b, '"');
}

void
uk_log_pairs(const struct uk_log *log, enum uk_level level, const char *event,
    const struct uk_pair *pairs, size_t n)
{
	char when[UK_TIME_LEN];
	struct uk_buf b;
	const char *line;

	if (log == NULL || level > log->level)
		return;
	uk_buf_init(&b, LINE_MAX_BYTES);
	if (log->journal) {
		uk_buf_printf(&b, "<%d>", levels[level].priority);
	} else {
		uk_time_utc((int64_t)time(NULL), when);
		uk_buf_printf(&b, "%s %s %s ", when, log->program, levels[level].name);
	}
	uk_buf_put_str(&b, event);
	for (size_t i = 0; i < n; i++) {
		uk_buf_printf(&b, " %s=", pairs[i].key);
		if (pairs[i].str != NULL)
			put_value(&b, pairs[i].str);
		else
			uk_buf_printf(&b, "%lld", (long long)pairs[i].num);
	}
	b.failed = false; /* a line cut at the limit is still worth its place */
	line = uk_buf_str(&b);
	/* One write per line, so lines of several processes do not mix. */
	(void)fprintf(log->out != NULL ? log->out : stderr, "%s\n", line != NULL ? line : event);
	uk_buf_fini(&b);
}

void
uk_log_err(
    const struct uk_log *log, enum uk_level level, const char *event, const struct uk_err *err)
{
	uk_log(log, level, event, UK_LS("rc", uk_rc_name(err->rc)),
	    UK_LS("reason", uk_err_reason(err)), UK_LS("field", err->field),
	    UK_LS("where", err->where), UK_LI("native", err->native));
}
