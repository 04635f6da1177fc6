/*
 * JSON-RPC 2.0 (daemon/PROTOCOL.md): requests in, through the gate, to the method table's handler,
 * answers out.  Requests in flight hold their connection's id, so that a late answer to a page that
 * has gone finds nothing and is dropped.
 */
#ifndef PROTOCOL_RPC_H
#define PROTOCOL_RPC_H

#include "loop/loop.h"
#include "policy/gate.h"
#include "policy/journal.h"
#include "policy/policy.h"
#include "policy/prompt.h"
#include "policy/sites.h"
#include "protocol/conn.h"
#include "token/client.h"
#include "uk/clock.h"
#include "uk/log.h"
#include "uk/random.h"
#include "uk/ticket.h"

#define RPC_CONNECTIONS 128
#define RPC_OUTSTANDING 16 /* requests of one connection */
#define RPC_WINDOWS     3  /* of one site, shown and waiting */

/* All borrowed; they live longer than the struct rpc. */
struct rpc_env {
	struct loop *loop;
	const struct uk_log *log;
	const struct uk_clock *clock;
	const struct uk_random *random;
	const struct policy *policy;
	struct sites *sites;
	struct gate *gate;
	struct journal *journal;
	struct prompts *prompts;
	struct token_client *tokens;
	const char
	    *station; /* path of this machine's key; `ukey station` may make it at any time */
};

struct rpc;

struct rpc *rpc_new(const struct rpc_env *env);
void rpc_free(struct rpc **r); /* drops what is in flight */

/* The user or the policy allowed it. */
bool rpc_site_allowed(const struct rpc *r, const char *origin);

/* UK_E_DENIED by the gate, UK_E_LIMIT: too many. */
UK_CHECK enum uk_rc rpc_attach(struct rpc *r, struct conn *c, struct uk_err *err);

/* The connection has gone: its prompts close, its requests are dropped. */
void rpc_detach(struct rpc *r, struct conn *c);

/* One whole message.  Answers come through conn_ops.send, now or later. */
void rpc_message(struct rpc *r, struct conn *c, struct uk_span text);

/* An error that answers no request. */
void rpc_refuse(struct conn *to, const struct uk_err *err);

/* A token came, went, or changed: token_change_fn for token_client_new(), ctx is the struct rpc. */
void rpc_token_changed(void *ctx, enum token_change what, const struct token_info *token);

#endif
