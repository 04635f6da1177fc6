#include "http/config.h"

#define KIB ((size_t)1024)

static unsigned
count(unsigned given, unsigned otherwise)
{
	return given != 0 ? given : otherwise;
}

static size_t
bytes(size_t given, size_t otherwise)
{
	return given != 0 ? given : otherwise;
}

static int64_t
seconds(int64_t given_ms, int64_t otherwise)
{
	return given_ms != 0 ? given_ms : otherwise * 1000;
}

struct httpd_config
http_config_full(const struct httpd_config *from)
{
	struct httpd_config c = *from;

	c.workers = count(c.workers, 4);
	c.queue = count(c.queue, 256);
	c.connections = count(c.connections, 1000);
	c.per_address = count(c.per_address, 64);
	c.connection_memory = bytes(c.connection_memory, 32 * KIB);
	c.body_memory = bytes(c.body_memory, 256 * KIB * KIB);
	c.head_ms = seconds(c.head_ms, 30);
	c.upload_ms = seconds(c.upload_ms, 120);
	c.idle_ms = seconds(c.idle_ms, 60);
	c.answer_ms = seconds(c.answer_ms, 60);
	c.send_ms = seconds(c.send_ms, 120);
	if (c.clock == NULL)
		c.clock = &uk_clock_system;
	if (c.random == NULL)
		c.random = &uk_random_system;
	return c;
}

int64_t
http_config_tick_ms(const struct httpd_config *c)
{
	const int64_t times[] = { c->head_ms, c->upload_ms, c->idle_ms, c->answer_ms, c->send_ms };
	int64_t tick = 1000;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] / 4 < tick)
			tick = times[i] / 4;
	return tick > 0 ? tick : 1;
}
