/* The socket we listen on. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <sys/socket.h>

#include "uk/rc.h"

/*
 * "127.0.0.1:8600", "[::1]:0", or an absolute path for a unix socket (mode 0660; a dead one in
 * its place is removed).  UK_E_INPUT: not an address.  UK_E_UNAVAILABLE: can't be had.
 */
UK_CHECK enum uk_rc http_listen(const char *where, int *out, struct uk_err *err);

/* "192.0.2.7", "::1", or "local". */
void http_address(const struct sockaddr *sa, char *out, size_t size);

/* The port of a TCP socket, else 0. */
unsigned http_listen_port(int fd);

#endif
