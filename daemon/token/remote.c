#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "token/process.h"
#include "token/remote.h"
#include "uk/clock.h"
#include "uk/frame.h"

#define READ_MAX     (64u * 1024u)
#define OUT_MAX      (8u * 1024u * 1024u)
#define STEADY_MS    5000
#define STUCK_MS     300
#define LEAVE_MS     1000
#define LOOK_MS      15000
#define GONE_MS      1500 /* for a module to see for itself that a card was pulled */
#define DEADLINE_MAX ((int64_t)24 * 3600 * 1000)
#define UNREADY_AT   2 /* where in back_off a helper begins that failed before its first word */

static const int64_t back_off[] = { 0, 0, 100, 500, 2000, 10000 };
#define BACK_OFF_LAST (sizeof(back_off) / sizeof(back_off[0]) - 1)

enum remote_state {
	REMOTE_RUNNING,
	REMOTE_DYING,   /* killed; its end is awaited, so that two never share a token */
	REMOTE_WAITING, /* to be started when the timer says so */
};

struct remote {
	struct loop *loop;
	const struct uk_log *log;
	char *helper;
	char *kind;
	char *module;
	bool hold_pin;
	remote_changed_fn *changed;
	void *ctx;

	enum remote_state state;
	struct process process;
	struct loop_watch *watch; /* of the socket, or of the end */
	struct loop_timer *restart;
	size_t fails;
	bool
	    corked; /* answers are being read: what they make us ask goes out at once, after them */
	bool ready; /* this process has said what is in */
	bool readers;
	bool looking;
	bool look_again;
	const char *refused; /* why the module can't be driven; NULL: it can */
	const char *failed;  /* what went wrong last */
	unsigned failures;
	int64_t ready_at;

	struct uk_frames in;
	struct uk_buf body;
	struct uk_buf out;
	uint32_t last_id;
	struct token_request *first; /* the one the helper works on */
	struct token_request **end;
	int64_t first_since;
	struct loop_timer *watchdog;
	int64_t watchdog_at;

	struct token_info tokens[MESSAGE_TOKENS_MAX];
	size_t n_tokens;
};

static void start(void *ctx);
static void on_watchdog(void *ctx);

struct token_request *
request_new(const struct token_call *call, int64_t deadline_ms, token_done_fn *done, void *ctx)
{
	struct token_request *r = uk_xalloc(sizeof(*r));

	r->op = call->op;
	(void)snprintf(r->token, sizeof(r->token), "%s", call->token != NULL ? call->token : "");
	r->deadline_ms = deadline_ms < 0              ? 0
			 : deadline_ms < DEADLINE_MAX ? deadline_ms
						      : DEADLINE_MAX;
	r->done = done;
	r->ctx = ctx;
	return r;
}

void
request_finish(struct token_request *r)
{
	const struct token_reply reply = { .tries = TOKEN_TRIES_UNKNOWN };

	if (r->done != NULL)
		r->done(r->ctx, r->err.rc != UK_OK ? &r->err : NULL, &reply);
	free(r);
}

static int64_t
now_ms(void)
{
	return uk_mono_ms(&uk_clock_system);
}

/* One timer serves all calls: it is moved only when the first one is due earlier. */
static void
watch_first(struct remote *r)
{
	const int64_t due = r->first != NULL ? r->first_since + r->first->deadline_ms : 0;
	const int64_t now = now_ms();

	if (r->first == NULL || (r->watchdog != NULL && r->watchdog_at <= due))
		return;
	loop_cancel(r->loop, &r->watchdog);
	r->watchdog_at = due;
	r->watchdog = loop_after(r->loop, due > now ? due - now : 0, on_watchdog, r);
}

static struct token_request *
take_first(struct remote *r)
{
	struct token_request *req = r->first;

	r->first = req->next;
	if (r->first == NULL)
		r->end = &r->first;
	r->first_since = now_ms();
	watch_first(r);
	return req;
}

/* The first call is told why; the others, that the helper is gone. */
static void
fail_all(struct remote *r, enum uk_rc rc, const char *where)
{
	struct token_request *all = r->first;

	r->first = NULL;
	r->end = &r->first;
	uk_buf_reset(&r->out);
	while (all != NULL) {
		struct token_request *req = all;

		all = req->next;
		(void)uk_fail(&req->err, rc, NULL, where, 0);
		request_finish(req);
		rc = UK_E_UNAVAILABLE;
	}
}

static void
set_tokens(struct remote *r, struct uk_span records)
{
	r->n_tokens = 0;
	while (r->n_tokens < MESSAGE_TOKENS_MAX &&
	       message_next_token(&records, &r->tokens[r->n_tokens]))
		r->tokens[r->n_tokens++].kind = r->kind;
	r->changed(r->ctx);
}

/* A log-in ends with its process; tokens stay in the list while a restart is likely to work. */
static void
forget_logins(struct remote *r)
{
	if (!r->ready)
		r->n_tokens = 0;
	for (size_t i = 0; i < r->n_tokens; i++)
		r->tokens[i].logged_in = false;
	r->changed(r->ctx);
}

static void
wait_to_start(struct remote *r)
{
	r->state = REMOTE_WAITING;
	r->restart = loop_after(r->loop, back_off[r->fails], start, r);
}

static void
on_end(void *ctx, unsigned events)
{
	struct remote *r = ctx;

	(void)events;
	if (!process_reap(&r->process, 0))
		return;
	loop_unwatch(r->loop, &r->watch);
	wait_to_start(r);
	if (r->fails < BACK_OFF_LAST)
		r->fails++;
}

/* The end of this process, whatever the cause. */
static void
down(struct remote *r, enum uk_rc rc, const char *why)
{
	uk_log(r->log, UK_LOG_WARN, "helper.down", UK_LS("module", r->module), UK_LS("why", why),
	    UK_LI("pid", r->process.pid));
	loop_unwatch(r->loop, &r->watch);
	process_kill(&r->process);
	process_hang_up(&r->process);
	r->state = REMOTE_DYING;
	/* One that was refused has left by itself. */
	if (r->refused == NULL) {
		r->failures++;
		r->failed = rc == UK_E_TIMEOUT ? "module-timeout" : "module-failed";
	}
	r->watch = loop_watch(r->loop, r->process.pidfd, LOOP_READ, on_end, r);
	if (r->ready && now_ms() - r->ready_at > STEADY_MS)
		r->fails = 0;
	else if (!r->ready && r->fails < UNREADY_AT)
		r->fails = UNREADY_AT;
	forget_logins(r);
	r->ready = false;
	fail_all(r, rc, why);
}

static void
on_watchdog(void *ctx)
{
	struct remote *r = ctx;

	r->watchdog = NULL;
	if (r->first == NULL)
		return;
	if (now_ms() < r->first_since + r->first->deadline_ms)
		watch_first(r);
	else if (r->state == REMOTE_RUNNING && r->first->gone)
		down(r, UK_E_TOKEN_REMOVED, "pulled");
	else if (r->state == REMOTE_RUNNING)
		down(r, UK_E_TIMEOUT, "timeout");
	else
		fail_all(r, UK_E_UNAVAILABLE, "down");
}

static bool
flush(struct remote *r)
{
	while (r->out.n != 0) {
		const ssize_t n = send(r->process.fd, r->out.p, r->out.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		uk_buf_drop(&r->out, (size_t)n);
	}
	return true;
}

/* What a reply says, in the caller's terms; objects is freed by the caller. */
static struct token_reply
reply_of(const struct message *m, struct token_object **objects)
{
	struct token_reply reply = { .tries = TOKEN_TRIES_UNKNOWN,
		.token_id = m->token_id,
		.key_id = m->key_id,
		.data = m->content.p != NULL ? m->content : m->data,
		.so_now = m->so_now };
	struct uk_span records = m->objects;
	struct token_object o;
	size_t n = 0;

	while (message_next_object(&records, &o))
		n++;
	*objects = n != 0 ? uk_xalloc(n * sizeof(**objects)) : NULL;
	records = m->objects;
	for (; reply.n_objects < n; reply.n_objects++)
		(void)message_next_object(&records, &(*objects)[reply.n_objects]);
	reply.objects = *objects;
	return reply;
}

static void
answer(struct token_request *req, const struct message *m)
{
	struct token_object *objects = NULL;
	struct token_reply reply = reply_of(m, &objects);

	if (m->kind == MESSAGE_ERROR) {
		req->err = (struct uk_err){ .rc = m->rc,
			.reason = message_reason_name(m->reason),
			.field = message_reason_field(m->reason),
			.where = "ukey-token",
			.native = (long)m->native };
		reply.tries = m->tries;
	}
	if (req->done != NULL)
		req->done(req->ctx, m->kind == MESSAGE_ERROR ? &req->err : NULL, &reply);
	free(objects);
	free(req);
}

/* False: not what the protocol has here. */
static bool
on_message(struct remote *r, const struct message *m)
{
	if (m->kind == MESSAGE_TOKENS) {
		if (m->version != MESSAGE_VERSION)
			return false;
		if (!r->ready)
			r->ready_at = now_ms();
		r->ready = true;
		r->readers = m->readers;
		r->refused = message_reason_name(m->reason);
		set_tokens(r, m->tokens);
		return true;
	}
	if (!r->ready || r->first == NULL || m->id != r->first->id ||
	    (m->kind != MESSAGE_ERROR && m->kind != MESSAGE_REPLY + r->first->op))
		return false;
	answer(take_first(r), m);
	return true;
}

static bool
read_frames(struct remote *r)
{
	for (;;) {
		struct uk_span body;
		struct message m;

		if (uk_frames_next(&r->in, &body) != UK_OK)
			return false;
		if (body.p == NULL)
			return true;
		if (message_read(body, &m) != UK_OK || !on_message(r, &m))
			return false;
		uk_frames_done(&r->in, body);
	}
}

static void
on_socket(void *ctx, unsigned events)
{
	struct remote *r = ctx;
	uint8_t *room;
	ssize_t n;
	bool ok;

	if ((events & LOOP_WRITE) != 0) {
		if (!flush(r))
			return down(r, UK_E_UNAVAILABLE, "write");
		if (r->out.n == 0)
			loop_want(r->loop, r->watch, LOOP_READ);
	}
	if ((events & (LOOP_READ | LOOP_HUP)) == 0)
		return;
	room = uk_frames_room(&r->in, READ_MAX);
	if (room == NULL)
		return down(r, UK_E_UNAVAILABLE, "protocol");
	n = read(r->process.fd, room, READ_MAX);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		return down(r, UK_E_UNAVAILABLE, "closed");
	uk_frames_add(&r->in, (size_t)n);
	r->corked = true;
	ok = read_frames(r);
	r->corked = false;
	if (!ok)
		down(r, UK_E_UNAVAILABLE, "protocol");
	else if (r->out.n != 0 && (!flush(r) || r->out.n != 0))
		loop_want(r->loop, r->watch, LOOP_READ | LOOP_WRITE);
}

/* Calls that came while it was down wait in `out`. */
static void
start(void *ctx)
{
	struct remote *r = ctx;
	char *const argv[] = { r->helper, (char[]){ "--kind" }, r->kind, (char[]){ "--module" },
		r->module, r->hold_pin ? (char[]){ "--hold-pin" } : NULL, NULL };
	struct uk_err err = { 0 };

	r->restart = NULL;
	if (process_start(argv, &r->process, &err) != UK_OK) {
		uk_log_err(r->log, UK_LOG_ERROR, "helper.start", &err);
		r->fails = BACK_OFF_LAST;
		wait_to_start(r);
		fail_all(r, UK_E_UNAVAILABLE, "start");
		return;
	}
	uk_log(r->log, UK_LOG_INFO, "helper.start", UK_LS("module", r->module),
	    UK_LI("pid", r->process.pid));
	uk_frames_fini(&r->in);
	r->state = REMOTE_RUNNING;
	r->first_since = now_ms();
	r->watch = loop_watch(r->loop, r->process.fd, LOOP_READ | LOOP_WRITE, on_socket, r);
}

struct remote *
remote_new(struct loop *loop, const struct uk_log *log, const char *helper,
    const struct token_module *module, remote_changed_fn *changed, void *ctx)
{
	struct remote *r = uk_xalloc(sizeof(*r));

	r->loop = loop;
	r->log = log;
	r->helper = uk_xstrdup(helper);
	r->kind = uk_xstrdup(module->kind);
	r->module = uk_xstrdup(module->path);
	r->hold_pin = module->hold_pin;
	r->changed = changed;
	r->ctx = ctx;
	r->end = &r->first;
	uk_frames_init(&r->in, MESSAGE_MAX);
	uk_buf_init(&r->body, MESSAGE_MAX);
	uk_buf_init(&r->out, OUT_MAX);
	/* PINs go out, and what was decrypted comes in. */
	uk_buf_lock(&r->in.in);
	uk_buf_lock(&r->body);
	uk_buf_lock(&r->out);
	start(r);
	return r;
}

void
remote_hang_up(struct remote *r)
{
	loop_unwatch(r->loop, &r->watch);
	loop_cancel(r->loop, &r->restart);
	loop_cancel(r->loop, &r->watchdog);
	process_hang_up(&r->process);
}

void
remote_free(struct remote **rp)
{
	struct remote *r = *rp;

	if (r == NULL)
		return;
	remote_hang_up(r);
	if (!process_reap(&r->process, LEAVE_MS)) {
		process_kill(&r->process);
		(void)process_reap(&r->process, LEAVE_MS);
	}
	fail_all(r, UK_E_UNAVAILABLE, "end");
	uk_frames_fini(&r->in);
	uk_buf_fini(&r->body);
	uk_buf_fini(&r->out);
	free(r->helper);
	free(r->kind);
	free(r->module);
	free(r);
	*rp = NULL;
}

static struct message
message_of(const struct token_call *call, uint32_t id)
{
	return (struct message){ .id = id,
		.kind = (uint8_t)call->op,
		.token = call->token,
		.key_id = call->key_id,
		.label = call->label,
		.data = call->data,
		.iv = call->iv,
		.content = call->content,
		.pin = uk_secret_lend(call->pin),
		.new_pin = uk_secret_lend(call->new_pin),
		.so_pin = uk_secret_lend(call->so_pin),
		.so_pin_old = uk_secret_lend(call->so_pin_old),
		.so_pin_next = uk_secret_lend(call->so_pin_next),
		.auth_key = uk_secret_lend(call->auth_key),
		.admin = call->admin,
		.scheme = call->scheme,
		.alg = call->alg,
		.object = call->kind };
}

enum uk_rc
remote_call(struct remote *r, const struct token_call *call, struct token_request **reqp)
{
	const struct message m = message_of(call, ++r->last_id);
	const bool idle = r->out.n == 0;
	struct token_request *req = *reqp;
	enum uk_rc rc;

	rc = message_put(&r->body, &m);
	if (rc == UK_OK && r->body.n + UK_FRAME_HEAD > OUT_MAX - r->out.n)
		rc = UK_E_LIMIT;
	if (rc == UK_OK)
		uk_frame_put(&r->out, uk_buf_span(&r->body));
	uk_buf_reset(&r->body);
	if (rc != UK_OK)
		return rc;
	req->id = m.id;
	if (r->first == NULL)
		r->first_since = now_ms();
	*r->end = req;
	r->end = &req->next;
	*reqp = NULL;
	watch_first(r);
	/* A write that fails is found again by the watch: nothing ends from within a call. */
	if (r->state == REMOTE_RUNNING && idle && !r->corked && (!flush(r) || r->out.n != 0))
		loop_want(r->loop, r->watch, LOOP_READ | LOOP_WRITE);
	return UK_OK;
}

static void
looked(void *ctx, const struct uk_err *err, const struct token_reply *reply)
{
	struct remote *r = ctx;
	const bool again = r->look_again;

	(void)reply;
	r->looking = r->look_again = false;
	if (again && err == NULL)
		remote_look(r);
}

/* One that starts looks by itself. */
void
remote_look(struct remote *r)
{
	const struct token_call list = { .op = TOKEN_LIST };
	struct token_request *req;

	r->look_again = r->looking;
	if (r->looking || r->state != REMOTE_RUNNING)
		return;
	req = request_new(&list, LOOK_MS, looked, r);
	r->looking = remote_call(r, &list, &req) == UK_OK;
	free(req);
}

/* A name may have been cut to the 64 bytes of a slot's description. */
static bool
is_in(const struct token_info *t, const char *reader)
{
	return t->reader[0] != '\0' && strncmp(t->reader, reader, strlen(t->reader)) == 0;
}

void
remote_emptied(struct remote *r, const char *reader)
{
	struct token_request *first = r->first;
	const int64_t end = now_ms() - r->first_since + GONE_MS;

	for (size_t i = 0; first != NULL && i < r->n_tokens; i++) {
		if (strcmp(r->tokens[i].id, first->token) != 0 || !is_in(&r->tokens[i], reader) ||
		    first->deadline_ms <= end)
			continue;
		first->gone = true;
		first->deadline_ms = end;
		watch_first(r);
	}
}

bool
remote_has_readers(const struct remote *r)
{
	return r->readers;
}

bool
remote_usable(const struct remote *r)
{
	return r->state == REMOTE_RUNNING || back_off[r->fails] == 0;
}

const struct token_info *
remote_tokens(const struct remote *r, size_t *n)
{
	*n = r->n_tokens;
	return r->tokens;
}

bool
remote_ready(const struct remote *r)
{
	return r->ready;
}

bool
remote_stuck(const struct remote *r)
{
	return r->ready && r->first != NULL && now_ms() - r->first_since > STUCK_MS;
}

void
remote_health(const struct remote *r, struct token_health *out)
{
	*out = (struct token_health){ .path = r->module,
		.kind = r->kind,
		.well = r->ready && r->refused == NULL,
		.reason = r->refused != NULL ? r->refused : r->failed,
		.failures = r->failures };
	if (!r->ready && out->reason == NULL)
		out->reason = "module-starting";
}

void
remote_distrust(struct remote *r)
{
	r->failures++;
	r->failed = "module-signature-wrong";
}
