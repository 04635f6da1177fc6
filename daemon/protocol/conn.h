/*
 * One connection as the protocol sees it, whatever carries it: a WebSocket, the unix socket, or a
 * test.  An implementation embeds struct conn as its first member.
 */
#ifndef PROTOCOL_CONN_H
#define PROTOCOL_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "uk/buf.h"

struct conn;

struct conn_ops {
	const char *name; /* "ws", "local"; for the log */

	/* Queue a copy.  Never calls back into the protocol: a peer that does not read is closed
	 * later, from the loop. */
	void (*send)(struct conn *, struct uk_span message);

	/* End it, from the loop; rpc_detach() follows. */
	void (*close)(struct conn *);

	/* The uid at the other end, as the kernel says; false: unknown. */
	bool (*peer)(const struct conn *, uid_t *uid);

	/* The site's origin; NULL: this is the user himself (the unix socket). */
	const char *(*origin)(const struct conn *);

	/* The extension that said the origin, "" where its browser does not tell; the member is
	 * NULL where no extension is between the site and us. */
	const char *(*extension)(const struct conn *);
};

struct conn {
	const struct conn_ops *ops;
	/* the protocol's own */
	struct conn *next;
	uint64_t id;
	bool watching; /* token.changed goes here */
	unsigned outstanding;
};

#endif
