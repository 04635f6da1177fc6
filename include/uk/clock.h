/* Time, handed in, so that a test can set it. */
#ifndef UK_CLOCK_H
#define UK_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct uk_clock {
	int64_t (*now)(void *ctx);     /* Unix time, seconds */
	int64_t (*mono_ms)(void *ctx); /* monotonic milliseconds, for deadlines */
	void *ctx;
};

extern const struct uk_clock uk_clock_system;

/*
 * For tests: the system's time plus the seconds that a file says, read anew each time.  `path` is
 * the context and outlives the clock; NULL or "" is the system's own clock.
 */
void uk_clock_offset_init(struct uk_clock *c, char *path);

int64_t uk_now(const struct uk_clock *c);
int64_t uk_mono_ms(const struct uk_clock *c);

#define UK_TIME_LEN 32

/* "2026-11-22T06:30:00Z" */
void uk_time_utc(int64_t t, char out[UK_TIME_LEN]);

/* "2026-11-22 14:30:00" in Asia/Shanghai (UTC+8, no daylight saving since 1991), as Alipay and the
 * pages show it. */
void uk_time_beijing(int64_t t, char out[UK_TIME_LEN]);

/* Days since 1970-01-01 of the Beijing date. */
int64_t uk_day_beijing(int64_t t);

/* The same moment a year later; 29 February becomes 1 March. */
int64_t uk_year_after(int64_t t);

#endif
