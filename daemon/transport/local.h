/*
 * The unix socket: frames of four bytes' length (native-endian) and a JSON text, each way.  Another
 * uid is refused.  Its peers are the user himself, but for the native messaging host: that one's
 * first frame has to be agent.origin, and then it is that site.
 */
#ifndef TRANSPORT_LOCAL_H
#define TRANSPORT_LOCAL_H

#include "protocol/rpc.h"

#define LOCAL_CONNECTIONS 64
#define LOCAL_HOSTS       48 /* … of which sites have: the user himself is not kept out */
#define LOCAL_PER_ORIGIN  16
#define LOCAL_OUT_MAX     (8u * UK_MESSAGE_MAX)

struct local;

/*
 * Make the socket at path (0600; its folder is made 0700).  UK_E_CONFLICT "already-running": some
 * other process answers there.
 */
UK_CHECK enum uk_rc local_bind(const char *path, int *fd, struct uk_err *err);

/* Serve a listening socket; it is closed in the end.  `native` is the host's path, borrowed. */
struct local *local_listen(
    struct loop *loop, struct rpc *rpc, const struct uk_log *log, int fd, const char *native);
void local_close(struct local **l);

#endif
