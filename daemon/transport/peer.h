/* Who is at the other end of a socket, as the kernel says. */
#ifndef TRANSPORT_PEER_H
#define TRANSPORT_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* The uid of the socket that a loopback TCP connection (IPv4) comes from; false: unknown. */
bool peer_tcp(int fd, uid_t *uid);

/* SO_PEERCRED. */
bool peer_unix(int fd, uid_t *uid);

#endif
