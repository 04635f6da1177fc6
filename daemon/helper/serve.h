/* ukey-token's only conversation: calls come on a descriptor, answers go back (PROTOCOL.md). */
#ifndef HELPER_SERVE_H
#define HELPER_SERVE_H

#include "helper/token.h"

/* Until the peer closes (UK_OK) or sends what can't be read. */
UK_CHECK enum uk_rc serve(
    struct token_store *store, int fd, const struct uk_log *log, struct uk_err *err);

/* Say that there are no tokens, and why. */
void serve_refusal(int fd, enum message_reason why);

#endif
