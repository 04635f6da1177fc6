/* A client that may send anything, byte by byte: what the library's client would refuse to do. */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int peer_connect(unsigned port);
void peer_send(int fd, const char *s);

/* Everything until the server closes or ms have passed; the length.  -1: time is up. */
long peer_read(int fd, char *out, size_t size, int64_t ms);

/* Connect, send, read to the end (the text should ask for "Connection: close"), close. */
long peer_ask(unsigned port, const char *s, char *out, size_t size);

#endif
