/* One helper as the client sees it: started, asked, timed, and started again when it fails. */
#ifndef TOKEN_REMOTE_H
#define TOKEN_REMOTE_H

#include "token/client.h"
#include "token/message.h"

struct remote;

/* The helper's tokens are other than they were. */
typedef void remote_changed_fn(void *ctx);

struct token_request {
	struct token_request *next;
	struct token_client *client; /* of a TOKEN_LIST, which is asked of several */
	uint32_t id;
	enum token_op op;
	char token[65];
	bool gone; /* its token was pulled: it has little time left */
	int64_t deadline_ms;
	token_done_fn *done; /* NULL: dropped */
	void *ctx;
	struct uk_err err; /* what to answer, once that is known */
	size_t parts;      /* TOKEN_LIST: helpers that have not answered */
	size_t answered;
	struct loop_timer *patience; /* … until what is known has to do */
};

struct token_request *request_new(
    const struct token_call *call, int64_t deadline_ms, token_done_fn *done, void *ctx);
/* Answer with r->err, or with an empty reply where that is UK_OK; and free. */
void request_finish(struct token_request *r);

/* helper and module are copied.  A helper that can't be started is tried again later. */
struct remote *remote_new(struct loop *loop, const struct uk_log *log, const char *helper,
    const struct token_module *module, remote_changed_fn *changed, void *ctx);

/* Two steps, so that all helpers can leave at the same time. */
void remote_hang_up(struct remote *r);
void remote_free(struct remote **r); /* answers the calls under way */

/* Takes *req on success. */
UK_CHECK enum uk_rc remote_call(
    struct remote *r, const struct token_call *call, struct token_request **req);

/* Look at the module's tokens now, or once more when that is under way. */
void remote_look(struct remote *r);

/* A card left this reader: a call that it does not end is ended for it. */
void remote_emptied(struct remote *r, const char *reader);

/* Its module has its tokens in smart card readers. */
bool remote_has_readers(const struct remote *r);

/* It answers, or will shortly. */
bool remote_usable(const struct remote *r);

/* It has said what is in. */
bool remote_ready(const struct remote *r);

/* At one call for long; what it said last still stands. */
bool remote_stuck(const struct remote *r);

void remote_health(const struct remote *r, struct token_health *out);
void remote_distrust(struct remote *r);

const struct token_info *remote_tokens(const struct remote *r, size_t *n);

#endif
