#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/serve.h"
#include "uk/clock.h"
#include "uk/frame.h"

#define LOOK_EVERY_MS  1000
#define LOOK_SELDOM_MS 30000 /* where ukeyd tells when there is something to see */
#define LOOK_REST      20    /* looking takes no more than a twentieth of the time */
#define READ_MAX       (64u * 1024u)
#define HOLD_MS        1 /* an answer waits for the next one for no longer */
#define HOLD_MAX       (64u * 1024u)

struct server {
	struct token_store *store;
	int fd;
	const struct uk_log *log;
	struct uk_frames in;
	struct uk_buf body; /* of the answer */
	struct uk_buf out;  /* answers in their frames, not sent yet */
	int64_t out_since;
	struct uk_buf data; /* what the answer carries */
	struct uk_buf tokens;
	struct uk_buf told; /* the tokens as ukeyd knows them */
	bool told_readers;
	struct token_list list;
	enum message_reason why; /* the module shows no tokens */
	enum message_reason told_why;
	char id[65];
	int64_t look_at;
};

/* Fill the answer, or the fault. */
typedef enum uk_rc handler_fn(
    struct server *s, const struct message *in, struct message *out, struct token_fault *f);

static enum uk_rc
flush(struct server *s)
{
	struct uk_span left = uk_buf_span(&s->out);

	while (left.n != 0) {
		const ssize_t n = write(s->fd, left.p, left.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return UK_E_UNAVAILABLE;
		left = uk_span(left.p + n, left.n - (size_t)n);
	}
	uk_buf_reset(&s->out);
	return UK_OK;
}

static enum uk_rc
put_message(struct server *s, const struct message *m)
{
	enum uk_rc rc;

	uk_buf_reset(&s->body);
	if ((rc = message_put(&s->body, m)) != UK_OK)
		return rc;
	if (s->out.n == 0)
		s->out_since = uk_mono_ms(&uk_clock_system);
	uk_frame_put(&s->out, uk_buf_span(&s->body));
	return s->out.n > HOLD_MAX ? flush(s) : UK_OK;
}

static enum uk_rc
send_message(struct server *s, const struct message *m)
{
	const enum uk_rc rc = put_message(s, m);

	return rc == UK_OK ? flush(s) : rc;
}

/* The tokens that are in, as records. */
static enum uk_rc
look(struct server *s, struct token_fault *f)
{
	const int64_t since = uk_mono_ms(&uk_clock_system);
	enum uk_rc rc = token_list(s->store, &s->list, f);
	const int64_t now = uk_mono_ms(&uk_clock_system);
	const int64_t rest = LOOK_REST * (now - since);
	const int64_t usual = s->list.readers ? LOOK_SELDOM_MS : LOOK_EVERY_MS;

	s->look_at = now + (rest > usual ? rest : usual);
	s->store->changed = false;
	s->why = rc == UK_OK ? REASON_NONE : f->reason;
	uk_buf_reset(&s->tokens);
	for (size_t i = 0; rc == UK_OK && i < s->list.n; i++)
		if ((rc = message_put_token(&s->tokens, &s->list.tokens[i])) != UK_OK)
			return token_fail(f, rc, REASON_NONE, "list");
	return rc;
}

static enum uk_rc
tell(struct server *s)
{
	const struct message m = { .kind = MESSAGE_TOKENS,
		.version = MESSAGE_VERSION,
		.readers = s->list.readers,
		.reason = s->why,
		.tokens = uk_buf_span(&s->tokens) };

	s->told_readers = s->list.readers;
	uk_buf_reset(&s->told);
	uk_buf_put(&s->told, uk_buf_span(&s->tokens));
	s->told_why = s->why;
	return send_message(s, &m);
}

/* A module that can't list its tokens has none to offer. */
static void
look_on(struct server *s)
{
	struct token_fault f = { 0 };

	if (look(s, &f) != UK_OK)
		uk_log(s->log, UK_LOG_DEBUG, "token.list", UK_LS("rc", uk_rc_name(f.rc)),
		    UK_LS("where", f.where), UK_LI("native", f.native));
}

static enum uk_rc
tell_changes(struct server *s)
{
	const bool same = uk_span_eq(uk_buf_span(&s->tokens), uk_buf_span(&s->told)) &&
			  s->list.readers == s->told_readers;

	return same && s->why == s->told_why ? UK_OK : tell(s);
}

static enum uk_rc
do_list(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	(void)in;
	(void)out;
	return look(s, f);
}

static enum uk_rc
do_objects(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	const enum uk_rc rc = token_objects(s->store, in->token, &s->data, f);

	out->objects = uk_buf_span(&s->data);
	return rc;
}

static enum uk_rc
do_login(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	(void)out;
	return token_login(s->store, in->token, in->pin, f);
}

static enum uk_rc
do_logout(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	(void)out;
	return token_logout(s->store, in->token, f);
}

static enum uk_rc
do_sign(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	const enum uk_rc rc = token_sign(s->store, in->token, in->key_id, in->data, &s->data, f);

	out->data = uk_buf_span(&s->data);
	return rc;
}

static enum uk_rc
do_keygen(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	const enum uk_rc rc =
	    token_keygen(s->store, in->token, in->alg, in->label, s->id, &s->data, f);

	out->key_id = s->id;
	out->data = uk_buf_span(&s->data);
	return rc;
}

static enum uk_rc
do_put_cert(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	(void)out;
	return token_put_cert(s->store, in->token, in->key_id, in->label, in->data, f);
}

static enum uk_rc
do_delete(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	(void)out;
	if (in->object == TOKEN_CERT && in->data.n != 0)
		return token_del_cert(s->store, in->token, in->data, f);
	if (in->object == TOKEN_KEY && in->key_id != NULL)
		return token_del_key(s->store, in->token, in->key_id, f);
	return token_fail(f, UK_E_INPUT, REASON_NONE, "delete");
}

static enum uk_rc
do_prepare(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	const struct token_prepare p = {
		.so_pin = in->so_pin, .pin = in->pin, .auth_key = in->auth_key, .label = in->label
	};
	const enum uk_rc rc = token_prepare(s->store, in->token, &p, s->id, f);

	out->token_id = s->id;
	return rc;
}

static enum uk_rc
do_change_pin(
    struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	(void)out;
	return token_change_pin(s->store, in->token, in->admin, in->pin, in->new_pin, f);
}

static enum uk_rc
do_unblock(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	const struct token_unblock u = { .so_pin = in->so_pin,
		.so_pin_old = in->so_pin_old,
		.so_pin_next = in->so_pin_next,
		.new_pin = in->new_pin };

	return token_unblock(s->store, in->token, &u, &out->so_now, f);
}

static enum uk_rc
do_decrypt(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	const struct token_envelope e = { .key = in->data, .iv = in->iv, .content = in->content };
	const enum uk_rc rc =
	    in->scheme == TOKEN_SM2_SM4_CBC
		? token_unseal(s->store, in->token, in->key_id, &e, &s->data, f)
		: token_decrypt(s->store, in->token, in->key_id, in->scheme, in->data, &s->data, f);

	out->content = uk_buf_span(&s->data);
	return rc;
}

static enum uk_rc
do_put_key(struct server *s, const struct message *in, struct message *out, struct token_fault *f)
{
	const enum uk_rc rc = token_put_key(s->store, in->token, in->key_id, in->data, s->id, f);

	out->key_id = s->id;
	return rc;
}

struct op_row {
	handler_fn *run;
	bool changes; /* a token, when all goes well; after a failure one looks anyway */
};

static const struct op_row ops[] = {
	[TOKEN_LIST] = { do_list, false },
	[TOKEN_OBJECTS] = { do_objects, false },
	[TOKEN_LOGIN] = { do_login, true },
	[TOKEN_LOGOUT] = { do_logout, true },
	[TOKEN_SIGN] = { do_sign, false },
	[TOKEN_KEYGEN] = { do_keygen, false },
	[TOKEN_PUT_CERT] = { do_put_cert, false },
	[TOKEN_DELETE] = { do_delete, false },
	[TOKEN_PREPARE] = { do_prepare, true },
	[TOKEN_CHANGE_PIN] = { do_change_pin, true },
	[TOKEN_UNBLOCK] = { do_unblock, true },
	[TOKEN_DECRYPT] = { do_decrypt, false },
	[TOKEN_PUT_KEY] = { do_put_key, false },
};
static_assert(sizeof(ops) / sizeof(ops[0]) == TOKEN_OP__MAX, "one row per call");

static void
log_fault(struct server *s, uint8_t kind, const struct token_fault *f)
{
	const enum uk_level level = f->native != 0 ? UK_LOG_INFO : UK_LOG_DEBUG;

	uk_log(s->log, level, "token.call", UK_LS("op", message_name(kind)),
	    UK_LS("rc", uk_rc_name(f->rc)), UK_LS("reason", message_reason_name(f->reason)),
	    UK_LS("where", f->where), UK_LI("native", f->native));
}

/* The change goes out before the answer, so that who gets the answer knows of it. */
static enum uk_rc
handle(struct server *s, const struct message *in)
{
	struct token_fault f = { .rc = UK_E_INTERNAL, .tries = TOKEN_TRIES_UNKNOWN };
	struct message out = { .id = in->id, .kind = (uint8_t)(MESSAGE_REPLY + in->kind) };
	enum uk_rc rc, sent;

	uk_buf_reset(&s->data);
	rc = ops[in->kind].run(s, in, &out, &f);
	if (rc != UK_OK) {
		log_fault(s, in->kind, &f);
		out = (struct message){ .id = in->id,
			.kind = MESSAGE_ERROR,
			.rc = rc,
			.reason = f.reason,
			.tries = f.tries,
			.so_now = out.so_now,
			.native = f.native };
	}
	if (rc != UK_OK || ops[in->kind].changes || s->store->changed)
		look_on(s);
	sent = tell_changes(s);
	return sent == UK_OK ? put_message(s, &out) : sent;
}

/* Answers to calls that came together go together, as long as the module is that fast. */
static enum uk_rc
flush_old(struct server *s)
{
	if (s->out.n == 0 || uk_mono_ms(&uk_clock_system) - s->out_since < HOLD_MS)
		return UK_OK;
	return flush(s);
}

/* All whole frames that are there. */
static enum uk_rc
handle_frames(struct server *s)
{
	for (;;) {
		struct message m = { 0 };
		struct uk_span body;
		enum uk_rc rc = uk_frames_next(&s->in, &body);

		if (rc != UK_OK || body.p == NULL)
			return rc == UK_OK ? flush(s) : rc;
		rc = message_read(body, &m);
		if (rc == UK_OK && m.kind >= TOKEN_OP__MAX)
			rc = UK_E_INPUT;
		if (rc == UK_OK)
			rc = handle(s, &m);
		if (rc == UK_OK)
			rc = flush_old(s);
		uk_frames_done(&s->in, body);
		if (rc != UK_OK)
			return rc;
	}
}

static enum uk_rc
wait_and_look(struct server *s)
{
	for (;;) {
		const int64_t left = s->look_at - uk_mono_ms(&uk_clock_system);
		struct pollfd p = { .fd = s->fd, .events = POLLIN };
		enum uk_rc rc;

		if (left > 0 && poll(&p, 1, (int)left) > 0)
			return UK_OK;
		if (left > 0)
			continue;
		look_on(s);
		if ((rc = tell_changes(s)) != UK_OK)
			return rc;
	}
}

static enum uk_rc
run(struct server *s)
{
	enum uk_rc rc;

	look_on(s);
	if ((rc = tell(s)) != UK_OK)
		return rc;
	for (;;) {
		uint8_t *room = uk_frames_room(&s->in, READ_MAX);
		ssize_t n;

		if (room == NULL)
			return UK_E_LIMIT;
		if ((rc = wait_and_look(s)) != UK_OK)
			return rc;
		n = read(s->fd, room, READ_MAX);
		if (n == 0)
			return UK_OK;
		if (n < 0 && errno != EINTR)
			return errno == ECONNRESET ? UK_OK : UK_E_UNAVAILABLE;
		if (n > 0)
			uk_frames_add(&s->in, (size_t)n);
		if ((rc = handle_frames(s)) != UK_OK)
			return rc;
	}
}

void
serve_refusal(int fd, enum message_reason why)
{
	const struct message m = {
		.kind = MESSAGE_TOKENS, .version = MESSAGE_VERSION, .reason = why
	};
	struct server *s = uk_xalloc(sizeof(*s));

	s->fd = fd;
	uk_buf_init(&s->body, MESSAGE_MAX);
	uk_buf_init(&s->out, MESSAGE_MAX);
	(void)send_message(s, &m); /* nobody there: nobody to tell */
	uk_buf_fini(&s->body);
	uk_buf_fini(&s->out);
	free(s);
}

enum uk_rc
serve(struct token_store *store, int fd, const struct uk_log *log, struct uk_err *err)
{
	struct server *s = uk_xalloc(sizeof(*s));
	enum uk_rc rc;

	s->store = store;
	s->fd = fd;
	s->log = log;
	uk_frames_init(&s->in, MESSAGE_MAX);
	uk_buf_init(&s->body, MESSAGE_MAX);
	uk_buf_init(&s->out, 2 * (MESSAGE_MAX + UK_FRAME_HEAD));
	uk_buf_init(&s->data, MESSAGE_MAX - 64); /* leaves room for what goes around it */
	/* PINs come in, and what was decrypted goes out. */
	uk_buf_lock(&s->in.in);
	uk_buf_lock(&s->body);
	uk_buf_lock(&s->out);
	uk_buf_lock(&s->data);
	uk_buf_init(&s->tokens, MESSAGE_MAX);
	uk_buf_init(&s->told, MESSAGE_MAX);
	rc = run(s);
	uk_frames_fini(&s->in);
	uk_buf_fini(&s->body);
	uk_buf_fini(&s->out);
	uk_buf_fini(&s->data);
	uk_buf_fini(&s->tokens);
	uk_buf_fini(&s->told);
	free(s);
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, "serve", 0);
}
