#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/clock.h"

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
offset_clock_init(struct uk_clock *c, char *path)
{
	*c = uk_clock_system;
	if (*path != '\0')
		*c = (struct uk_clock){ .now = offset_now, .mono_ms = offset_mono_ms, .ctx = path };
}
