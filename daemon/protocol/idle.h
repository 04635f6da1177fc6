/* A token that nobody has used for a while is locked: who finds the desk empty finds no key open.
 */
#ifndef PROTOCOL_IDLE_H
#define PROTOCOL_IDLE_H

#include "loop/loop.h"
#include "token/client.h"
#include "uk/clock.h"
#include "uk/log.h"

struct idle;

/* All borrowed.  seconds 0: never. */
struct idle *idle_new(struct loop *loop, const struct uk_log *log, const struct uk_clock *clock,
    struct token_client *tokens, int64_t seconds);
void idle_free(struct idle **i);

/* What the token client reports; a token that is unlocked is watched from then on. */
void idle_token_changed(struct idle *i, enum token_change what, const struct token_info *token);

/* A call that needs the PIN: looking at what is on a token does not keep it open. */
void idle_used(struct idle *i, const char *token);

#endif
