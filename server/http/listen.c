#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/listen.h"
#include "uk/buf.h"

#define BACKLOG 512

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static bool
parse_port(const char *s, uint16_t *out)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return false;
	v = strtoul(s, &end, 10);
	*out = (uint16_t)v;
	return *end == '\0' && v <= UINT16_MAX;
}

static bool
parse_tcp(const char *where, union address *a, socklen_t *len)
{
	const char *colon = strrchr(where, ':');
	char host[INET6_ADDRSTRLEN + 2];
	uint16_t port;
	size_t n;

	if (colon == NULL || !parse_port(colon + 1, &port))
		return false;
	n = (size_t)(colon - where);
	if (n == 0 || n >= sizeof(host))
		return false;
	memcpy(host, where, n);
	host[n] = '\0';
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(port);
		*len = sizeof(a->in6);
		return inet_pton(AF_INET6, host + 1, &a->in6.sin6_addr) == 1;
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons(port);
	*len = sizeof(a->in);
	return inet_pton(AF_INET, host, &a->in.sin_addr) == 1;
}

static bool
parse_unix(const char *where, union address *a, socklen_t *len)
{
	if (strlen(where) >= sizeof(a->un.sun_path))
		return false;
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, where, strlen(where) + 1);
	*len = sizeof(a->un);
	return true;
}

/* A socket file that nobody listens on is left over from a crash. */
static void
remove_dead(const union address *a, socklen_t len)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return;
	if (connect(fd, &a->sa, len) != 0 && errno == ECONNREFUSED &&
	    lstat(a->un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(a->un.sun_path);
	(void)close(fd);
}

static bool
bind_and_listen(int fd, const union address *a, socklen_t len)
{
	const int on = 1;

	if (a->sa.sa_family == AF_UNIX)
		remove_dead(a, len);
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return false;
	if (bind(fd, &a->sa, len) != 0)
		return false;
	if (a->sa.sa_family == AF_UNIX && chmod(a->un.sun_path, 0660) != 0)
		return false;
	return listen(fd, BACKLOG) == 0;
}

enum uk_rc
http_listen(const char *where, int *out, struct uk_err *err)
{
	union address a = { 0 };
	socklen_t len = 0;
	int fd;

	if (!(where[0] == '/' ? parse_unix(where, &a, &len) : parse_tcp(where, &a, &len)))
		return uk_fail(err, UK_E_INPUT, "listen-address", "listen", 0);
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !bind_and_listen(fd, &a, len)) {
		(void)uk_fail(err, UK_E_UNAVAILABLE, "listen", "listen", errno);
		if (fd >= 0)
			(void)close(fd);
		return UK_E_UNAVAILABLE;
	}
	*out = fd;
	return UK_OK;
}

void
http_address(const struct sockaddr *sa, char *out, size_t size)
{
	union address a;
	const char *s = NULL;

	if (sa != NULL && sa->sa_family == AF_INET) {
		memcpy(&a.in, sa, sizeof(a.in));
		s = inet_ntop(AF_INET, &a.in.sin_addr, out, (socklen_t)size);
	} else if (sa != NULL && sa->sa_family == AF_INET6) {
		memcpy(&a.in6, sa, sizeof(a.in6));
		s = inet_ntop(AF_INET6, &a.in6.sin6_addr, out, (socklen_t)size);
	}
	if (s == NULL)
		(void)snprintf(out, size, "local");
}

unsigned
http_listen_port(int fd)
{
	union address a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.sa, &len) != 0)
		return 0;
	if (a.sa.sa_family == AF_INET)
		return ntohs(a.in.sin_port);
	return a.sa.sa_family == AF_INET6 ? ntohs(a.in6.sin6_port) : 0;
}
