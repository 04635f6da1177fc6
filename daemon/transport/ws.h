/*
 * WebSocket on the loopback address: ws://127.0.0.1:PORT/ukey/1, subprotocol "ukey.1".  Refused at
 * the handshake: another Host (rebinding), no Origin or one that is no site, another path or
 * subprotocol, another user's process.
 */
#ifndef TRANSPORT_WS_H
#define TRANSPORT_WS_H

#include "protocol/rpc.h"
#include "transport/lws.h"

#define WS_PORT_FIRST  21071
#define WS_PORT_LAST   21075
#define WS_CONNECTIONS 64
#define WS_PER_ORIGIN  16
#define WS_STRANGERS   32                    /* … of sites that nobody has allowed (yet) */
#define WS_OUT_MAX     (8u * UK_MESSAGE_MAX) /* waiting for a page that does not read */
#define WS_STALL_MS    10000                 /* … or that has taken nothing of it for so long */

struct ws;

/* port 0: the first free one.  UK_E_UNAVAILABLE "port-in-use". */
UK_CHECK enum uk_rc ws_listen(struct lws_loop *loop, struct rpc *rpc, const struct uk_log *log,
    int port, struct ws **out, struct uk_err *err);
int ws_port(const struct ws *w);

/* Ends its connections, too. */
void ws_close(struct ws **w);

#endif
