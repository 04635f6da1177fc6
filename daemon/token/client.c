#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "token/client.h"
#include "token/remote.h"

#define MODULES_MAX 16
#define PATIENCE_MS 2000
#define TOKENS_MAX  ((size_t)MODULES_MAX * MESSAGE_TOKENS_MAX)

struct token_client {
	struct loop *loop;
	const struct uk_log *log;
	token_change_fn *changed;
	void *ctx;
	token_wanted_fn *wanted; /* NULL: nobody, or has been called */
	void *wanted_ctx;
	bool closing;
	struct remote *remotes[MODULES_MAX];
	size_t n_remotes;
	struct token_info *tokens; /* of all helpers, as last told to `changed` */
	size_t n_tokens;
	struct token_request *late; /* answers that are known but must not come at once */
	struct loop_timer *late_timer;
};

static bool
same(const struct token_info *a, const struct token_info *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->serial, b->serial) == 0 &&
	       strcmp(a->label, b->label) == 0 && strcmp(a->model, b->model) == 0 &&
	       strcmp(a->manufacturer, b->manufacturer) == 0 && strcmp(a->reader, b->reader) == 0 &&
	       a->state == b->state && a->tries == b->tries && a->so_tries == b->so_tries &&
	       a->logged_in == b->logged_in && a->pin_initial == b->pin_initial &&
	       a->software == b->software && a->pin_min == b->pin_min && a->pin_max == b->pin_max &&
	       a->algs == b->algs;
}

static const struct token_info *
find(const struct token_info *tokens, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(tokens[i].id, id) == 0)
			return &tokens[i];
	return NULL;
}

/* A token that two modules show is the first one's. */
static struct token_info *
merge(const struct token_client *c, size_t *n)
{
	struct token_info *all;
	size_t max = 1;

	for (size_t i = 0; i < c->n_remotes; i++) {
		size_t count;

		(void)remote_tokens(c->remotes[i], &count);
		max += count;
	}
	all = uk_xalloc(max * sizeof(*all));
	*n = 0;
	for (size_t i = 0; i < c->n_remotes; i++) {
		size_t count;
		const struct token_info *t = remote_tokens(c->remotes[i], &count);

		for (size_t k = 0; k < count; k++)
			if (find(all, *n, t[k].id) == NULL)
				all[(*n)++] = t[k];
	}
	return all;
}

static void
tell(const struct token_client *c, enum token_change what, const struct token_info *t)
{
	if (c->changed != NULL)
		c->changed(c->ctx, what, t);
}

static void
ask_for_readers(struct token_client *c)
{
	token_wanted_fn *wanted = c->wanted;
	bool any = false;

	for (size_t i = 0; i < c->n_remotes; i++)
		any = any || remote_has_readers(c->remotes[i]);
	if (!any || wanted == NULL)
		return;
	c->wanted = NULL;
	wanted(c->wanted_ctx);
}

void
token_on_readers(struct token_client *c, token_wanted_fn *wanted, void *ctx)
{
	c->wanted = wanted;
	c->wanted_ctx = ctx;
	ask_for_readers(c);
}

void
token_look(struct token_client *c, const char *emptied)
{
	for (size_t i = 0; i < c->n_remotes; i++) {
		if (emptied != NULL)
			remote_emptied(c->remotes[i], emptied);
		remote_look(c->remotes[i]);
	}
}

static void
on_changed(void *ctx)
{
	struct token_client *c = ctx;
	struct token_info *before = c->tokens;
	const size_t n_before = c->n_tokens;
	const struct token_info *was;

	if (c->closing)
		return;
	ask_for_readers(c);
	c->tokens = merge(c, &c->n_tokens);
	for (size_t i = 0; i < n_before; i++)
		if (find(c->tokens, c->n_tokens, before[i].id) == NULL)
			tell(c, TOKEN_REMOVED, &before[i]);
	for (size_t i = 0; i < c->n_tokens; i++) {
		was = find(before, n_before, c->tokens[i].id);
		if (was == NULL)
			tell(c, TOKEN_INSERTED, &c->tokens[i]);
		else if (!same(was, &c->tokens[i]))
			tell(c, TOKEN_CHANGED, &c->tokens[i]);
	}
	free(before);
}

enum uk_rc
token_client_new(struct loop *loop, const struct uk_log *log, const char *helper,
    const struct token_module *modules, size_t n_modules, token_change_fn *changed, void *ctx,
    struct token_client **out, struct uk_err *err)
{
	struct token_client *c;

	if (n_modules > MODULES_MAX)
		return uk_fail(err, UK_E_LIMIT, "too-many-modules", "modules", 0);
	if (access(helper, X_OK) != 0)
		return uk_fail(err, UK_E_NOT_FOUND, "helper-not-found", "access", 0);
	c = uk_xalloc(sizeof(*c));
	c->loop = loop;
	c->log = log;
	c->changed = changed;
	c->ctx = ctx;
	for (; c->n_remotes < n_modules; c->n_remotes++)
		c->remotes[c->n_remotes] =
		    remote_new(loop, log, helper, &modules[c->n_remotes], on_changed, c);
	*out = c;
	return UK_OK;
}

static void list_done(struct token_request *r);

static void
on_late(void *ctx)
{
	struct token_client *c = ctx;
	struct token_request *all = c->late;

	c->late_timer = NULL;
	c->late = NULL;
	while (all != NULL) {
		struct token_request *r = all;

		all = r->next;
		if (r->answered != 0)
			list_done(r);
		else
			request_finish(r);
	}
}

void
token_client_free(struct token_client **cp)
{
	struct token_client *c = *cp;

	if (c == NULL)
		return;
	c->closing = true;
	for (size_t i = 0; i < c->n_remotes; i++)
		remote_hang_up(c->remotes[i]);
	for (size_t i = 0; i < c->n_remotes; i++)
		remote_free(&c->remotes[i]);
	loop_cancel(c->loop, &c->late_timer);
	on_late(c);
	free(c->tokens);
	free(c);
	*cp = NULL;
}

/* In the order of the calls. */
static void
answer_late(struct token_client *c, struct token_request *r, enum uk_rc rc, const char *reason)
{
	struct token_request **p = &c->late;

	(void)uk_fail(&r->err, rc, reason, "token_call", 0);
	r->next = NULL;
	while (*p != NULL)
		p = &(*p)->next;
	*p = r;
	if (c->late_timer == NULL)
		c->late_timer = loop_after(c->loop, 0, on_late, c);
}

static void
list_done(struct token_request *r)
{
	const struct token_client *c = r->client;
	const struct token_reply reply = {
		.tries = TOKEN_TRIES_UNKNOWN, .tokens = c->tokens, .n_tokens = c->n_tokens
	};

	loop_cancel(r->client->loop, &r->patience);
	if (r->answered == 0) {
		request_finish(r);
		return;
	}
	if (r->done != NULL)
		r->done(r->ctx, NULL, &reply);
	free(r);
}

/* Helpers that have said once what is in, and are at something long: the rest is free'd later. */
static void
on_patience(void *ctx)
{
	struct token_request *r = ctx;
	const struct token_client *c = r->client;
	const struct token_reply reply = {
		.tries = TOKEN_TRIES_UNKNOWN, .tokens = c->tokens, .n_tokens = c->n_tokens
	};
	token_done_fn *done = r->done;

	r->patience = NULL;
	for (size_t i = 0; i < c->n_remotes; i++)
		if (remote_usable(c->remotes[i]) && !remote_ready(c->remotes[i]))
			return;
	r->done = NULL;
	if (done != NULL)
		done(r->ctx, NULL, &reply);
}

/* One helper's part of a list; who fails is left out as long as another answers. */
static void
on_part(void *ctx, const struct uk_err *err, const struct token_reply *reply)
{
	struct token_request *r = ctx;

	(void)reply;
	if (err == NULL)
		r->answered++;
	else
		r->err = *err;
	if (--r->parts == 0)
		list_done(r);
}

static void
list_all(struct token_client *c, const struct token_call *call, struct token_request *r)
{
	r->client = c;
	for (size_t i = 0; i < c->n_remotes; i++) {
		struct token_request *part;

		if (!remote_usable(c->remotes[i]))
			continue;
		if (remote_stuck(c->remotes[i])) {
			r->answered++;
			continue;
		}
		part = request_new(call, r->deadline_ms, on_part, r);
		if (remote_call(c->remotes[i], call, &part) == UK_OK)
			r->parts++;
		free(part);
	}
	if (r->parts != 0)
		r->patience = loop_after(c->loop, PATIENCE_MS, on_patience, r);
	else
		answer_late(
		    c, r, c->n_remotes == 0 || r->answered != 0 ? UK_OK : UK_E_UNAVAILABLE, NULL);
}

static struct remote *
holder(const struct token_client *c, const char *token)
{
	for (size_t i = 0; token != NULL && i < c->n_remotes; i++) {
		size_t n;
		const struct token_info *t = remote_tokens(c->remotes[i], &n);

		if (find(t, n, token) != NULL)
			return c->remotes[i];
	}
	return NULL;
}

struct token_request *
token_call(struct token_client *c, const struct token_call *call, int64_t deadline_ms,
    token_done_fn *done, void *ctx)
{
	struct token_request *r, *left;
	struct remote *remote;
	enum uk_rc rc;

	if (c->closing || (unsigned)call->op >= TOKEN_OP__MAX)
		return NULL;
	r = left = request_new(call, deadline_ms, done, ctx);
	if (call->op == TOKEN_LIST) {
		list_all(c, call, r);
		return r;
	}
	remote = holder(c, call->token);
	if (remote == NULL) {
		answer_late(c, r, UK_E_NOT_FOUND, message_reason_name(REASON_TOKEN_NOT_FOUND));
	} else if ((rc = remote_call(remote, call, &left)) != UK_OK) {
		answer_late(c, r, rc, NULL);
	}
	return r;
}

void
token_drop(struct token_request **r)
{
	if (*r != NULL)
		(*r)->done = NULL;
	*r = NULL;
}

const struct token_info *
token_known(const struct token_client *c, size_t *n)
{
	*n = c->n_tokens;
	return c->tokens;
}

bool
token_health(const struct token_client *c, size_t i, struct token_health *out)
{
	if (i >= c->n_remotes)
		return false;
	remote_health(c->remotes[i], out);
	return true;
}

void
token_distrust(struct token_client *c, const char *token)
{
	struct remote *r = holder(c, token);

	if (r != NULL)
		remote_distrust(r);
}

bool
token_stuck(const struct token_client *c, const char *token)
{
	const struct remote *r = holder(c, token);

	return r != NULL && remote_stuck(r);
}
