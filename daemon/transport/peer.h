/* Who is at the other end of a socket, as the kernel says. */
#ifndef TRANSPORT_PEER_H
#define TRANSPORT_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* The uid of the socket that a loopback TCP connection (IPv4) comes from; false: unknown. */
bool peer_tcp(int fd, uid_t *uid);

/* SO_PEERCRED. */
bool peer_unix(int fd, uid_t *uid);

enum peer_program {
	PEER_UNKNOWN, /* it can't be seen, or has gone: no program of the user's, as far as we know
		       */
	PEER_NATIVE,
	PEER_OTHER,
};

/* Does the process that connected run the file `native`?  A path that is not there: no. */
enum peer_program peer_program(int fd, const char *native);

#endif
