#include <stdlib.h>
#include <string.h>

#include "protocol/data.h"
#include "protocol/idle.h"
#include "protocol/methods.h"
#include "protocol/sign.h"
#include "uk/b64.h"
#include "uk/frame.h"

#define AT_ONCE       16u /* with the token: it never waits for us */
#define PROGRESS_EACH 64u
#define PROGRESS_MS   250
#define ANSWER_ROOM   (32u * 1024u) /* of a message, for what is around the signatures */
#define CMS_MAX       (PARAMS_DATA_MAX + 64u * 1024u)

struct item {
	struct item_params of;
	struct signing_data data;
};

/* One signature under way. */
struct slot {
	struct call *c;
	struct token_request *token; /* NULL: free */
	size_t item;
	struct signing signing;
};

struct batch {
	struct signing_how how;
	struct item *items;
	size_t n;
	size_t sent;
	size_t done; /* they come back in their order */
	size_t told;
	int64_t told_at;
	struct slot slots[AT_ONCE];
	struct uk_buf signatures; /* ["…","…", as JSON */
};

static void
batch_fini(void *state)
{
	struct batch *b = state;

	for (size_t i = 0; i < AT_ONCE; i++) {
		token_drop(&b->slots[i].token);
		signing_fini(&b->slots[i].signing);
	}
	for (size_t i = 0; i < b->n; i++)
		uk_fields_fini(params_item.fields, params_item.n, &b->items[i].of);
	free(b->items);
	uk_buf_fini(&b->signatures);
}

/* --- the answer --- */

/* Too much for a message: it is fetched by data.get. */
static enum uk_rc
put_signatures(struct call *c, json_t *answer, struct uk_err *err)
{
	struct batch *b = c->state;
	const size_t n = b->signatures.n;
	const char *id = NULL;
	json_t *list = NULL;
	enum uk_rc rc;

	if (n + ANSWER_ROOM <= UK_MESSAGE_MAX) {
		rc = uk_json_parse(uk_buf_span(&b->signatures), n, &list, err);
		if (rc == UK_OK)
			json_object_set_new(answer, "signatures", list);
		return rc;
	}
	rc = data_keep(rpc_data(c->rpc), c->conn, &b->signatures, &id, err);
	if (rc == UK_OK)
		json_object_set_new(answer, "signaturesData",
		    json_pack("{s:s, s:I}", "data", id, "size", (json_int_t)n));
	return rc;
}

/* err: why it stopped before the end; NULL: it did not. */
static void
finish(struct call *c, const struct uk_err *stopped)
{
	struct batch *b = c->state;
	const struct uk_cert *cert = sign_object(c)->cert;
	struct uk_err err = { 0 };
	json_t *answer;
	char *der;

	if (b->done == 0) {
		call_fail(c, stopped);
		return;
	}
	uk_buf_put_u8(&b->signatures, ']');
	der = uk_b64_dup(uk_cert_der(cert));
	answer = json_pack("{s:I, s:s, s:s}", "done", (json_int_t)b->done, "algorithm",
	    uk_keyalg_signature(uk_cert_alg(cert)), "certificate", der);
	free(der);
	if (stopped != NULL) {
		c->object.stopped = uk_err_reason(stopped);
		json_object_set_new(answer, "stopped", rpc_error_json(stopped, 0));
	}
	if (put_signatures(c, answer, &err) != UK_OK) {
		json_decref(answer);
		call_fail(c, &err);
	} else {
		call_reply(c, answer);
	}
}

static void
tell_progress(struct call *c)
{
	struct batch *b = c->state;
	const int64_t now = uk_mono_ms(c->env->clock);

	if (b->done == b->n ||
	    (b->done - b->told < PROGRESS_EACH && now - b->told_at < PROGRESS_MS))
		return;
	b->told = b->done;
	b->told_at = now;
	rpc_notify(c->rpc, c->conn,
	    json_pack("{s:s, s:s, s:{s:O, s:I, s:I}}", "jsonrpc", "2.0", "method",
		"signature.progress", "params", "id", c->id, "done", (json_int_t)b->done, "of",
		(json_int_t)b->n));
}

/* --- signing --- */

static bool send_more(struct call *c, struct uk_err *err);

/* The bytes that are to be handed out go to the end of the list; the journal first. */
static enum uk_rc
take(struct call *c, struct slot *s, struct uk_span from_token, struct uk_err *err)
{
	struct batch *b = c->state;
	struct item *item = &b->items[s->item];
	char digest[65];
	struct uk_buf out;
	enum uk_rc rc;

	uk_buf_init(&out, CMS_MAX);
	rc = sign_end(c, &s->signing, from_token, &out, err);
	if (rc == UK_OK && b->signatures.n + out.n / 3 * 4 + 8 > b->signatures.max)
		rc = uk_fail(err, UK_E_LIMIT, NULL, "batch", 0);
	sign_tell_digest(item->data.sums.sha256, digest);
	if (rc == UK_OK)
		rc = call_journal(c, digest, err);
	if (rc == UK_OK) {
		uk_buf_put_str(&b->signatures, b->done == 0 ? "[\"" : ",\"");
		uk_b64_put(&b->signatures, uk_buf_span(&out));
		uk_buf_put_u8(&b->signatures, '"');
		if (item->of.data_id != NULL)
			data_use_up(rpc_data(c->rpc), c->conn, item->of.data_id);
	}
	uk_buf_fini(&out);
	signing_fini(&s->signing);
	return rc;
}

static void
signed_by_token(void *ctx, const struct uk_err *err, const struct token_reply *reply)
{
	struct slot *s = ctx;
	struct call *c = s->c;
	struct batch *b = c->state;
	struct uk_err bad = { 0 };

	s->token = NULL;
	if (err != NULL) {
		finish(c, err);
		return;
	}
	if (take(c, s, reply->data, &bad) != UK_OK) {
		finish(c, &bad);
		return;
	}
	b->done++;
	tell_progress(c);
	if (b->done == b->n)
		finish(c, NULL);
	else if (!send_more(c, &bad))
		finish(c, &bad);
}

static bool
send_one(struct call *c, struct slot *s, struct uk_err *err)
{
	struct batch *b = c->state;
	const struct inventory_object *o = sign_object(c);
	const struct item *item = &b->items[b->sent];

	if (signing_begin(&s->signing, o->cert, &b->how, &item->data, uk_now(c->env->clock), err) !=
	    UK_OK)
		return false;
	s->c = c;
	s->item = b->sent++;
	/* Those before it may take as long as they may. */
	idle_used(rpc_idle(c->rpc), c->object.token);
	s->token = token_call(c->env->tokens,
	    &(struct token_call){ .op = TOKEN_SIGN,
		.token = c->object.token,
		.key_id = o->key_id,
		.data = signing_digest(&s->signing) },
	    CALL_DEADLINE, signed_by_token, s);
	if (s->token == NULL)
		*err = (struct uk_err){ .rc = UK_E_INTERNAL };
	return s->token != NULL;
}

static bool
send_more(struct call *c, struct uk_err *err)
{
	struct batch *b = c->state;

	for (size_t i = 0; i < AT_ONCE && b->sent < b->n; i++)
		if (b->slots[i].token == NULL && !send_one(c, &b->slots[i], err))
			return false;
	return true;
}

static void
allowed(struct call *c)
{
	struct batch *b = c->state;
	struct uk_err err = { 0 };

	b->told_at = uk_mono_ms(c->env->clock);
	if (!send_more(c, &err))
		finish(c, &err);
}

/* --- what is asked for --- */

static enum uk_rc
read_items(struct call *c, struct uk_digests *all, struct uk_err *err)
{
	const struct batch_params *p = c->in;
	struct batch *b = c->state;
	const size_t n = json_array_size(p->items);
	enum uk_rc rc = UK_OK;

	b->items = uk_xalloc(n * sizeof(*b->items));
	while (rc == UK_OK && b->n < n) {
		struct item *item = &b->items[b->n];
		const json_t *from = json_array_get(p->items, b->n);

		if (!json_is_object(from))
			return uk_fail_field(err, "items", NULL);
		rc = uk_fields_read(params_item.fields, params_item.n, from, &item->of, err);
		if (rc != UK_OK)
			return rc;
		b->n++;
		rc = sign_read_data(c, &item->of, b->how.form, &item->data, err);
		if (rc == UK_OK &&
		    uk_digests_put(all, uk_span(item->data.sums.sha256, 32)) != UK_OK)
			rc = uk_fail(err, UK_E_INTERNAL, NULL, "digest", 0);
	}
	return rc;
}

static enum uk_rc
fits(struct call *c, struct uk_err *err)
{
	const struct batch *b = c->state;
	enum uk_rc rc = sign_fits(c, err);

	for (size_t i = 0; rc == UK_OK && i < b->n; i++)
		rc = signing_fits(sign_object(c)->cert, &b->how, &b->items[i].data, err);
	return rc;
}

/* The user sees the digest of all digests. */
void
signature_batch(struct call *c)
{
	const struct batch_params *p = c->in;
	struct batch *b = call_state(c, sizeof(*b), batch_fini);
	struct uk_digests *all = uk_digests_new(NULL);
	struct uk_err err = { .rc = UK_E_INTERNAL };
	struct uk_sums sums;
	bool ok;

	uk_buf_init(&b->signatures, DATA_RESULT_SIZE);
	ok = all != NULL && sign_read_how(p->format, p->profile, &b->how, &err) == UK_OK &&
	     read_items(c, all, &err) == UK_OK && uk_digests_end(all, &sums) == UK_OK;
	uk_digests_free(&all);
	if (!ok) {
		call_fail(c, &err);
		return;
	}
	sign_tell_digest(sums.sha256, c->object.digest);
	c->object.count = b->n;
	c->object.title = p->title;
	sign_with(c, p->certificate, fits, allowed);
}
