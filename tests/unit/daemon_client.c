#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon_client.h"

#define HEAD_MAX 1024

static void
limit(int fd)
{
	const struct timeval t = { .tv_sec = 20 };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static bool
put_all(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n > 0) {
		const ssize_t w = send(fd, s, n, MSG_NOSIGNAL);

		if (w <= 0)
			return false;
		s += w;
		n -= (size_t)w;
	}
	return true;
}

static bool
get_all(int fd, void *p, size_t n)
{
	char *s = p;

	while (n > 0) {
		const ssize_t r = recv(fd, s, n, 0);

		if (r <= 0)
			return false;
		s += r;
		n -= (size_t)r;
	}
	return true;
}

static int
tcp(int port)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	limit(fd);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The head byte by byte, so that no frame is read along. */
static int
read_status(int fd)
{
	char head[HEAD_MAX];
	size_t n = 0;

	while (n < sizeof(head) - 1 && recv(fd, head + n, 1, 0) == 1) {
		head[++n] = '\0';
		if (n >= 4 && strcmp(head + n - 4, "\r\n\r\n") == 0)
			return (int)strtol(head + 9, NULL, 10);
	}
	return 0;
}

int
ws_open(const struct ws_request *r, int *out)
{
	char head[HEAD_MAX], host[64];
	int fd = tcp(r->port), status, n;

	if (fd < 0)
		return 0;
	(void)snprintf(host, sizeof(host), "127.0.0.1:%d", r->port);
	n = snprintf(head, sizeof(head),
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s"
	    "%s%s%s\r\n",
	    r->path != NULL ? r->path : "/ukey/1", r->host != NULL ? r->host : host,
	    r->origin != NULL ? "Origin: " : "", r->origin != NULL ? r->origin : "",
	    r->origin != NULL ? "\r\n" : "",
	    r->protocol == NULL || *r->protocol != '\0' ? "Sec-WebSocket-Protocol: " : "",
	    r->protocol != NULL ? r->protocol : "ukey.1",
	    r->protocol == NULL || *r->protocol != '\0' ? "\r\n" : "");
	status = put_all(fd, head, (size_t)n) ? read_status(fd) : 0;
	if (status == 101)
		*out = fd;
	else
		close(fd);
	return status;
}

bool
ws_put_frame(int fd, uint8_t first, const void *p, size_t n)
{
	const uint8_t mask[4] = { 1, 2, 3, 4 };
	uint8_t *frame = malloc(n + 14);
	size_t at = 0;
	bool ok;

	frame[at++] = first;
	if (n < 126) {
		frame[at++] = (uint8_t)(0x80 | n);
	} else if (n < 65536) {
		frame[at++] = 0x80 | 126;
		frame[at++] = (uint8_t)(n >> 8);
		frame[at++] = (uint8_t)n;
	} else {
		frame[at++] = 0x80 | 127;
		for (int i = 7; i >= 0; i--)
			frame[at++] = (uint8_t)((uint64_t)n >> (8 * i));
	}
	memcpy(frame + at, mask, 4);
	at += 4;
	for (size_t i = 0; i < n; i++)
		frame[at + i] = ((const uint8_t *)p)[i] ^ mask[i % 4];
	ok = put_all(fd, frame, at + n);
	free(frame);
	return ok;
}

bool
ws_put(int fd, const void *p, size_t n)
{
	return ws_put_frame(fd, 0x81, p, n);
}

static bool
frame_head(int fd, uint8_t *first, uint64_t *n)
{
	uint8_t h[2], more[8];
	size_t len;

	if (!get_all(fd, h, 2))
		return false;
	*first = h[0];
	*n = h[1] & 0x7f;
	if (*n < 126)
		return true;
	len = *n == 126 ? 2 : 8;
	if (!get_all(fd, more, len))
		return false;
	*n = 0;
	for (size_t i = 0; i < len; i++)
		*n = *n << 8 | more[i];
	return *n < 16u * 1024u * 1024u;
}

char *
ws_get(int fd, int *status)
{
	char *text = calloc(1, 1);
	size_t total = 0;
	uint8_t first;
	uint64_t n;

	*status = 0;
	while (frame_head(fd, &first, &n)) {
		char *more = realloc(text, total + n + 1);

		text = more;
		if (!get_all(fd, text + total, n))
			break;
		if ((first & 0x0f) == 8 && n >= 2)
			*status = (uint8_t)text[total] << 8 | (uint8_t)text[total + 1];
		if ((first & 0x0f) == 8)
			break;
		if ((first & 0x0f) > 2)
			continue;
		total += n;
		text[total] = '\0';
		if ((first & 0x80) != 0)
			return text;
	}
	free(text);
	return NULL;
}

int
local_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	limit(fd);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool
local_put(int fd, const void *p, size_t n)
{
	const uint32_t len = (uint32_t)n;

	return put_all(fd, &len, sizeof(len)) && put_all(fd, p, n);
}

char *
local_get(int fd)
{
	uint32_t n;
	char *s;

	if (!get_all(fd, &n, sizeof(n)) || n > 1024u * 1024u)
		return NULL;
	s = calloc(1, n + 1);
	if (get_all(fd, s, n))
		return s;
	free(s);
	return NULL;
}
