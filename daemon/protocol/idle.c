#include <stdlib.h>
#include <string.h>

#include "protocol/idle.h"

#define LOGOUT_DEADLINE 10000
#define TICK_MAX        30000 /* ms: a computer that has slept locks this soon after */
#define TICK_MIN        250

struct open_token {
	struct open_token *next;
	char id[65];
	int64_t used; /* Unix time: the monotonic clock stands still while the computer sleeps */
};

struct idle {
	struct loop *loop;
	const struct uk_log *log;
	const struct uk_clock *clock;
	struct token_client *tokens;
	int64_t seconds;
	struct loop_timer *timer;
	struct open_token *open;
};

static void tick(void *ctx);

static void
schedule(struct idle *i)
{
	int64_t ms = i->seconds * 1000 / 4;

	if (i->open == NULL || i->timer != NULL)
		return;
	if (ms > TICK_MAX)
		ms = TICK_MAX;
	i->timer = loop_after(i->loop, ms > TICK_MIN ? ms : TICK_MIN, tick, i);
}

struct idle *
idle_new(struct loop *loop, const struct uk_log *log, const struct uk_clock *clock,
    struct token_client *tokens, int64_t seconds)
{
	struct idle *i = uk_xalloc(sizeof(*i));

	*i = (struct idle){
		.loop = loop, .log = log, .clock = clock, .tokens = tokens, .seconds = seconds
	};
	return i;
}

static struct open_token **
find(struct idle *i, const char *id)
{
	struct open_token **p = &i->open;

	while (*p != NULL && strcmp((*p)->id, id) != 0)
		p = &(*p)->next;
	return p;
}

static void
forget(struct open_token **p)
{
	struct open_token *gone = *p;

	*p = gone->next;
	free(gone);
}

void
idle_free(struct idle **i)
{
	if (*i == NULL)
		return;
	loop_cancel((*i)->loop, &(*i)->timer);
	while ((*i)->open != NULL)
		forget(&(*i)->open);
	free(*i);
	*i = NULL;
}

/* Who asked for it last finds out by its next call. */
static void
locked(void *ctx, const struct uk_err *err, const struct token_reply *reply)
{
	(void)ctx;
	(void)err;
	(void)reply;
}

static void
tick(void *ctx)
{
	struct idle *i = ctx;
	const int64_t now = uk_now(i->clock);

	i->timer = NULL;
	for (struct open_token *t = i->open; t != NULL; t = t->next) {
		/* A clock that was set back says nothing about how long it has been. */
		if (now >= t->used && now - t->used < i->seconds)
			continue;
		t->used = now;
		uk_log(i->log, UK_LOG_INFO, "idle.lock", UK_LS("token", t->id));
		(void)token_call(i->tokens,
		    &(struct token_call){ .op = TOKEN_LOGOUT, .token = t->id }, LOGOUT_DEADLINE,
		    locked, NULL);
	}
	schedule(i);
}

void
idle_token_changed(struct idle *i, enum token_change what, const struct token_info *token)
{
	struct open_token **p = find(i, token->id);

	if (what == TOKEN_REMOVED || !token->logged_in) {
		if (*p != NULL)
			forget(p);
		return;
	}
	if (*p != NULL || i->seconds == 0)
		return;
	*p = uk_xalloc(sizeof(**p));
	memcpy((*p)->id, token->id, sizeof((*p)->id));
	(*p)->used = uk_now(i->clock);
	schedule(i);
}

void
idle_used(struct idle *i, const char *token)
{
	struct open_token *t = *find(i, token);

	if (t != NULL)
		t->used = uk_now(i->clock);
}
