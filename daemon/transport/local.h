/*
 * The unix socket: frames of four bytes' length (native-endian) and a JSON text, each way.  Its
 * peers are the user himself; another uid is refused.
 */
#ifndef TRANSPORT_LOCAL_H
#define TRANSPORT_LOCAL_H

#include "protocol/rpc.h"

#define LOCAL_CONNECTIONS 64
#define LOCAL_OUT_MAX     (8u * UK_MESSAGE_MAX)

struct local;

/*
 * Make the socket at path (0600; its folder is made 0700).  UK_E_CONFLICT "already-running": some
 * other process answers there.
 */
UK_CHECK enum uk_rc local_bind(const char *path, int *fd, struct uk_err *err);

/* Serve a listening socket; it is closed in the end. */
struct local *local_listen(struct loop *loop, struct rpc *rpc, const struct uk_log *log, int fd);
void local_close(struct local **l);

#endif
