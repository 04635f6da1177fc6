/* The methods of the daemon's API: the table, and how an error is told. */
#ifndef PROTOCOL_METHODS_H
#define PROTOCOL_METHODS_H

#include "protocol/call.h"

/* NULL: there is none of that name. */
const struct method *method_find(const char *name);

/* {code, message, data}; tries 0: not told (struct token_info.tries otherwise). */
json_t *rpc_error_json(const struct uk_err *err, int tries);

/* One handler file per noun; what they read is in params.h. */
void agent_hello(struct call *c);
void agent_status(struct call *c);
void agent_channel(struct call *c);
void site_request(struct call *c);
void site_list(struct call *c);
void site_revoke(struct call *c);
void token_list(struct call *c);
void token_watch(struct call *c);
void token_login(struct call *c);
void token_logout(struct call *c);
void token_prepare(struct call *c);
void certificate_list(struct call *c);
void certificate_install(struct call *c);
void data_put(struct call *c);
void data_get(struct call *c);
void signature_create(struct call *c);
void signature_batch(struct call *c);
void envelope_open(struct call *c);
void login_create(struct call *c);
void key_generate(struct call *c);
void request_create(struct call *c);
void pin_change(struct call *c);
void pin_unlock(struct call *c);

#endif
