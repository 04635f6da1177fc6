/*
 * Structured log: an event name and pairs, one line each, no free text from outside in the event
 * name and no way to print a secret.
 *
 *	uk_log(log, UK_LOG_INFO, "token.inserted", UK_LS("serial", serial), UK_LI("slot", slot));
 *
 * Lines go to standard error as logfmt with sd-daemon(3) priority prefixes when the journal reads
 * them (JOURNAL_STREAM is set) and a UTC time otherwise.
 */
#ifndef UK_LOG_H
#define UK_LOG_H

#include <stdint.h>
#include <stdio.h>

#include "uk/rc.h"

enum uk_level {
	UK_LOG_ERROR,
	UK_LOG_WARN,
	UK_LOG_INFO,
	UK_LOG_DEBUG,
	UK_LOG__MAX
};

struct uk_log {
	const char *program;
	enum uk_level level;
	FILE *out;    /* NULL: standard error */
	bool journal; /* set by uk_log_init() */
};

struct uk_pair {
	const char *key;
	const char *str; /* NULL: the number counts */
	int64_t num;
};

#define UK_LS(k, v) ((struct uk_pair){ .key = (k), .str = (v) != NULL ? (v) : "" })
#define UK_LI(k, v) ((struct uk_pair){ .key = (k), .num = (int64_t)(v) })

void uk_log_init(struct uk_log *log, const char *program);

/* "error" … "debug"; UK_E_INPUT otherwise. */
UK_CHECK enum uk_rc uk_log_set_level(struct uk_log *log, const char *name);

void uk_log_pairs(const struct uk_log *log, enum uk_level level, const char *event,
    const struct uk_pair *pairs, size_t n);

/* err's rc, reason, where and native, with the event. */
void uk_log_err(
    const struct uk_log *log, enum uk_level level, const char *event, const struct uk_err *err);

#define uk_log(log, level, event, ...)                                                             \
	uk_log_pairs((log), (level), (event), (const struct uk_pair[]){ __VA_ARGS__ },             \
	    sizeof((const struct uk_pair[]){ __VA_ARGS__ }) / sizeof(struct uk_pair))

#define uk_log_plain(log, level, event) uk_log_pairs((log), (level), (event), NULL, 0)

#endif
