#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "uk/clock.h"

#define BEIJING_OFFSET (8 * 3600)
#define DAY            86400

static int64_t
system_now(void *ctx)
{
	(void)ctx;
	return (int64_t)time(NULL);
}

static int64_t
system_mono_ms(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		abort();
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const struct uk_clock uk_clock_system = { .now = system_now, .mono_ms = system_mono_ms };

int64_t
uk_now(const struct uk_clock *c)
{
	return c->now(c->ctx);
}

int64_t
uk_mono_ms(const struct uk_clock *c)
{
	return c->mono_ms(c->ctx);
}

static void
print(int64_t t, const char *fmt, char out[UK_TIME_LEN])
{
	const time_t tt = (time_t)t;
	struct tm tm;

	if (gmtime_r(&tt, &tm) == NULL || strftime(out, UK_TIME_LEN, fmt, &tm) == 0)
		out[0] = '\0';
}

void
uk_time_utc(int64_t t, char out[UK_TIME_LEN])
{
	print(t, "%Y-%m-%dT%H:%M:%SZ", out);
}

void
uk_time_beijing(int64_t t, char out[UK_TIME_LEN])
{
	print(t + BEIJING_OFFSET, "%Y-%m-%d %H:%M:%S", out);
}

int64_t
uk_day_beijing(int64_t t)
{
	const int64_t local = t + BEIJING_OFFSET;

	return local >= 0 ? local / DAY : -((-local + DAY - 1) / DAY);
}

int64_t
uk_year_after(int64_t t)
{
	const time_t now = (time_t)t;
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL)
		return 0;
	tm.tm_year++;
	return (int64_t)timegm(&tm);
}

/* Read each time: a test changes it while the server runs. */
static int64_t
offset(const char *path)
{
	char text[32];
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoll(text, NULL, 10);
}

static int64_t
offset_now(void *ctx)
{
	return uk_now(&uk_clock_system) + offset(ctx);
}

static int64_t
offset_mono_ms(void *ctx)
{
	(void)ctx;
	return uk_mono_ms(&uk_clock_system);
}

void
uk_clock_offset_init(struct uk_clock *c, char *path)
{
	*c = uk_clock_system;
	if (path != NULL && *path != '\0')
		*c = (struct uk_clock){ .now = offset_now, .mono_ms = offset_mono_ms, .ctx = path };
}
