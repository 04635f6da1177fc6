#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_peer.h"
#include "uk/clock.h"

int
peer_connect(unsigned port)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&a, sizeof(a)), 0);
	return fd;
}

void
peer_send(int fd, const char *s)
{
	size_t n = strlen(s);

	while (n > 0) {
		const ssize_t r = send(fd, s, n, MSG_NOSIGNAL);

		if (r <= 0)
			return; /* the server has had enough: its answer is what the test looks at
				 */
		s += r;
		n -= (size_t)r;
	}
}

long
peer_read(int fd, char *out, size_t size, int64_t ms)
{
	const int64_t until = uk_mono_ms(&uk_clock_system) + ms;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;

	for (;;) {
		const int64_t left = until - uk_mono_ms(&uk_clock_system);
		ssize_t r;

		out[n] = '\0';
		if (left <= 0)
			return -1;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		r = recv(fd, out + n, size - 1 - n, 0);
		if (r <= 0)
			return (long)n;
		n += (size_t)r;
	}
}

long
peer_ask(unsigned port, const char *s, char *out, size_t size)
{
	const int fd = peer_connect(port);
	long n;

	peer_send(fd, s);
	n = peer_read(fd, out, size, 5000);
	(void)close(fd);
	return n;
}
