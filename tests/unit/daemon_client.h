/* Small clients for the system test: a WebSocket (RFC 6455) and a framed unix socket, both
 * blocking, with a time limit on each read. */
#ifndef TESTS_DAEMON_CLIENT_H
#define TESTS_DAEMON_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct ws_request {
	int port;
	const char *path;     /* NULL: /ukey/1 */
	const char *host;     /* NULL: 127.0.0.1:PORT */
	const char *origin;   /* NULL: none is sent */
	const char *protocol; /* NULL: ukey.1 */
};

/* The HTTP status; 101: *fd is open and the caller's.  0: closed without an answer. */
int ws_open(const struct ws_request *r, int *fd);

/* One text frame, masked; false: the other side is gone. */
bool ws_put(int fd, const void *p, size_t n);

/* One frame with this first byte (FIN and opcode). */
bool ws_put_frame(int fd, uint8_t first, const void *p, size_t n);

/* The next text message, malloc'd; NULL and *status: the close code, or 0 for none. */
char *ws_get(int fd, int *status);

int local_connect(const char *path); /* -1: no */
bool local_put(int fd, const void *p, size_t n);
char *local_get(int fd); /* NULL: closed */

#endif
