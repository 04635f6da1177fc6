#include <stdlib.h>
#include <string.h>

#include "pay/bank.h"
#include "pay/bank_sign.h"
#include "pay/bank_wire.h"
#include "sandbox/teller.h"
#include "uk/json.h"

#define KEY_ID      "ukey-ca"
#define BODY_MAX    (8u * 1024u)
#define SETTLE_MS   2000 /* until the result of a transfer is known */
#define END_OTHER   "0002"
#define END_NONE    "0003"
#define END_DOWN    "0004"
#define END_BOUNCES "0009"

/* After 1, 5, 10, 30 minutes and 2 hours (PROTOCOL.md section 5). */
static const int64_t gaps_ms[] = { 60000, 300000, 600000, 1800000, 7200000, 0 };

static bool
ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static void
answer(struct sandbox *s, struct http_request *rq, const char *nonce, int status, json_t *value)
{
	struct bank_stamp stamp = { .role = "answer", .key_id = KEY_ID };
	struct uk_buf body, header;
	char number[16];

	uk_buf_init(&body, BODY_MAX);
	uk_buf_init(&header, 512);
	if (uk_json_put(&body, value) != UK_OK)
		abort();
	(void)snprintf(number, sizeof(number), "%d", status);
	stamp.target = number;
	stamp.time = uk_now(s->cfg.clock);
	memcpy(stamp.nonce, nonce, BANK_NONCE_LEN);
	bank_sign(&stamp, uk_secret_lend(s->keys.bank_key), uk_buf_span(&body), &header);
	http_add_header(rq, BANK_SIGNATURE_HEADER, uk_buf_str(&header));
	http_answer_bytes(rq, status, "application/json", &body);
	uk_buf_fini(&header);
	json_decref(value);
}

static void
answer_error(
    struct sandbox *s, struct http_request *rq, const char *nonce, int status, const char *name)
{
	answer(s, rq, nonce, status, json_pack("{s:s}", "error", name));
}

/* The signature is checked before the body is looked at.  False: answered. */
static bool
proved(struct sandbox *s, struct http_request *rq, char nonce[BANK_NONCE_LEN])
{
	struct bank_stamp stamp = { .role = "request", .key_id = KEY_ID };
	char target[256];
	bool ok;

	(void)snprintf(target, sizeof(target), "POST %s", http_target(rq));
	stamp.target = target;
	ok = bank_sign_check(http_header(rq, BANK_SIGNATURE_HEADER), &stamp,
		 uk_secret_lend(s->keys.bank_key), http_body(rq), uk_now(s->cfg.clock),
		 NULL) == UK_OK;
	/* Nobody has shown the key, so nothing is signed for him. */
	if (!ok)
		http_answer_text(rq, 401, "application/json", "{\"error\":\"signature-wrong\"}");
	memcpy(nonce, stamp.nonce, BANK_NONCE_LEN);
	return ok;
}

/* On true the caller frees *tree, which `out` points into. */
static bool
read_body(struct sandbox *s, struct http_request *rq, const char *nonce,
    const struct uk_field *fields, size_t n, void *out, json_t **tree)
{
	if (uk_json_parse(http_body(rq), BODY_MAX, tree, NULL) == UK_OK) {
		if (uk_fields_read(fields, n, *tree, out, NULL) == UK_OK)
			return true;
		json_decref(*tree);
	}
	answer_error(s, rq, nonce, 400, "invalid-input");
	return false;
}

/* The lock is held. */
static struct transfer *
find(struct sandbox *s, const char *id)
{
	for (struct transfer *t = s->transfers; t != NULL; t = t->next)
		if (strcmp(t->id, id) == 0)
			return t;
	return NULL;
}

static json_t *
result(const struct transfer *t, enum bank_status status)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "id", t->id, "status",
	    bank_status_name(status), "reference", t->reference, "at", (json_int_t)t->at);

	if (status == BANK_BOUNCED)
		(void)json_object_set_new(o, "reason", json_string(t->reason));
	return o;
}

enum bank_status
teller_status(const struct sandbox *s, const struct transfer *t)
{
	return uk_mono_ms(s->cfg.clock) < t->settles_ms ? BANK_ACCEPTED : t->status;
}

static void
stamp_notice(void *ctx, struct uk_span body, struct uk_buf *value)
{
	struct sandbox *s = ctx;
	struct bank_stamp stamp = { .role = "notice", .target = "", .key_id = KEY_ID };

	stamp.time = uk_now(s->cfg.clock);
	uk_random_hex(s->cfg.random, stamp.nonce, 16);
	bank_sign(&stamp, uk_secret_lend(s->keys.bank_key), body, value);
}

static void
send_notice(struct sandbox *s, const struct transfer *t)
{
	json_t *o = result(t, t->status);
	struct outbox_mail mail = {
		.url = t->notify_url,
		.type = "application/json",
		.gaps_ms = gaps_ms,
		.header = BANK_SIGNATURE_HEADER,
		.stamp = stamp_notice,
		.ctx = s,
		.delay_ms = SETTLE_MS,
	};
	struct uk_buf body;

	uk_buf_init(&body, BODY_MAX);
	if (uk_json_put(&body, o) != UK_OK)
		abort();
	mail.body = uk_buf_span(&body);
	outbox_put(s->outbox, &mail);
	uk_buf_fini(&body);
	json_decref(o);
}

static void
decide(struct sandbox *s, struct transfer *t)
{
	const char *reason = "";

	if (s->faults.bank_bounce[0] != '\0')
		reason = s->faults.bank_bounce;
	else if (ends_with(t->account, END_NONE))
		reason = "no-such-account";
	else if (ends_with(t->account, END_OTHER))
		reason = "holder-mismatch";
	else if (ends_with(t->account, END_BOUNCES))
		reason = "account-closed";
	(void)snprintf(t->reason, sizeof(t->reason), "%s", reason);
	t->status = reason[0] != '\0' ? BANK_BOUNCED : BANK_PAID;
	s->faults.bank_bounce[0] = '\0';
}

static struct transfer *
add(struct sandbox *s, const struct bank_transfer_body *b)
{
	struct transfer *t = uk_xalloc(sizeof(*t));
	char hex[17];

	uk_random_hex(s->cfg.random, hex, 8);
	(void)snprintf(t->id, sizeof(t->id), "%s", b->id);
	(void)snprintf(t->reference, sizeof(t->reference), "B%s", hex);
	(void)snprintf(t->account, sizeof(t->account), "%s", b->account);
	(void)snprintf(t->holder, sizeof(t->holder), "%s", b->holder);
	(void)snprintf(t->remark, sizeof(t->remark), "%s", b->remark);
	(void)snprintf(t->notify_url, sizeof(t->notify_url), "%s", b->notify_url);
	t->amount = b->amount;
	t->at = uk_now(s->cfg.clock);
	t->settles_ms = uk_mono_ms(s->cfg.clock) + SETTLE_MS / s->cfg.speed;
	decide(s, t);
	t->next = s->transfers;
	s->transfers = t;
	send_notice(s, t);
	return t;
}

static bool
same(const struct transfer *t, const struct bank_transfer_body *b)
{
	return strcmp(t->account, b->account) == 0 && strcmp(t->holder, b->holder) == 0 &&
	       strcmp(t->remark, b->remark) == 0 && t->amount == b->amount;
}

static bool
take_down(struct sandbox *s)
{
	const bool down = s->faults.bank_down;

	s->faults.bank_down = false;
	return down;
}

enum uk_rc
teller_transfer(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	struct bank_transfer_body b = { 0 };
	char nonce[BANK_NONCE_LEN];
	struct transfer *t = NULL;
	json_t *tree = NULL, *o = NULL;
	int status = 200;

	(void)err;
	if (!proved(s, rq, nonce) ||
	    !read_body(s, rq, nonce, bank_transfer_fields, BANK_TRANSFER_FIELDS, &b, &tree))
		return UK_OK;
	(void)pthread_mutex_lock(&s->lock);
	if (take_down(s) || ends_with(b.account, END_DOWN))
		status = 503;
	else if ((t = find(s, b.id)) == NULL)
		t = add(s, &b);
	else if (!same(t, &b))
		status = 409;
	if (status == 200)
		o = result(t, teller_status(s, t));
	(void)pthread_mutex_unlock(&s->lock);
	if (status == 200)
		answer(s, rq, nonce, 200, o);
	else
		answer_error(s, rq, nonce, status, status == 409 ? "id-used" : "unavailable");
	json_decref(tree);
	return UK_OK;
}

enum uk_rc
teller_query(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	struct bank_query_body b = { 0 };
	char nonce[BANK_NONCE_LEN];
	json_t *tree = NULL, *o = NULL;
	struct transfer *t;

	(void)err;
	if (!proved(s, rq, nonce) ||
	    !read_body(s, rq, nonce, bank_query_fields, BANK_QUERY_FIELDS, &b, &tree))
		return UK_OK;
	(void)pthread_mutex_lock(&s->lock);
	t = find(s, b.id);
	if (t != NULL)
		o = result(t, teller_status(s, t));
	(void)pthread_mutex_unlock(&s->lock);
	if (o != NULL)
		answer(s, rq, nonce, 200, o);
	else
		answer_error(s, rq, nonce, 404, "not-found");
	json_decref(tree);
	return UK_OK;
}

enum uk_rc
teller_owner(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	struct bank_owner_body b = { 0 };
	char nonce[BANK_NONCE_LEN], hex[17], reference[24];
	const char *owner = "same";
	json_t *tree = NULL;
	bool down;

	(void)err;
	if (!proved(s, rq, nonce) ||
	    !read_body(s, rq, nonce, bank_owner_fields, BANK_OWNER_FIELDS, &b, &tree))
		return UK_OK;
	(void)pthread_mutex_lock(&s->lock);
	down = take_down(s) || ends_with(b.account, END_DOWN);
	(void)pthread_mutex_unlock(&s->lock);
	if (ends_with(b.account, END_OTHER))
		owner = "other";
	else if (ends_with(b.account, END_NONE))
		owner = "no-account";
	uk_random_hex(s->cfg.random, hex, 8);
	(void)snprintf(reference, sizeof(reference), "Q%s", hex);
	if (down)
		answer_error(s, rq, nonce, 503, "unavailable");
	else
		answer(s, rq, nonce, 200,
		    json_pack("{s:s, s:s}", "owner", owner, "reference", reference));
	json_decref(tree);
	return UK_OK;
}
