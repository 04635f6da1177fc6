#include <stdlib.h>
#include <string.h>

#include "net/client.h"
#include "pay/bank_gateway.h"
#include "pay/bank_sign.h"
#include "pay/bank_wire.h"
#include "uk/b64.h"
#include "uk/json.h"

#define BODY_MAX    (8u * 1024u)
#define DEADLINE_MS 10000
#define KEY_MIN     32

struct gateway {
	struct bank base;
	char *url;
	const char *path; /* of url, in url; "" without */
	char *key_id;
	struct uk_secret *key;
	struct http_client *http;
	const struct uk_clock *clock;
	const struct uk_random *random;
	int64_t deadline_ms;
};

static struct gateway *
gateway(struct bank *b)
{
	return (struct gateway *)b;
}

static void
gateway_close(struct bank *b)
{
	struct gateway *g = gateway(b);

	uk_secret_free(&g->key);
	free(g->url);
	free(g->key_id);
	free(g);
}

static enum uk_rc
open_key(const char *hex, struct uk_secret **out)
{
	struct uk_buf raw;
	enum uk_rc rc;

	uk_buf_init(&raw, UK_SECRET_MAX);
	rc = hex != NULL ? uk_hex_get(&raw, hex) : UK_E_INPUT;
	if (rc == UK_OK && raw.n < KEY_MIN)
		rc = UK_E_INPUT;
	if (rc == UK_OK)
		*out = uk_secret_new(uk_buf_span(&raw));
	uk_buf_fini(&raw);
	return rc;
}

static enum uk_rc
gateway_open(const struct bank_setup *s, struct bank **out, struct uk_err *err)
{
	struct uk_secret *key = NULL;
	const char *host;
	struct gateway *g;

	host = s->url != NULL ? strstr(s->url, "://") : NULL;
	if (host == NULL || s->url[strlen(s->url) - 1] == '/')
		return uk_fail_field(err, "url", NULL);
	if (open_key(s->key, &key) != UK_OK)
		return uk_fail_field(err, "key", "key-malformed");
	g = uk_xalloc(sizeof(*g));
	*g = (struct gateway){
		.base.ops = &bank_gateway_ops,
		.url = uk_xstrdup(s->url),
		.key_id = uk_xstrdup(s->key_id != NULL ? s->key_id : "ukey-ca"),
		.key = key,
		.http = s->http,
		.clock = s->clock,
		.random = s->random,
		.deadline_ms = s->deadline_ms > 0 ? s->deadline_ms : DEADLINE_MS,
	};
	g->path = strchr(g->url + (host + 3 - s->url), '/');
	if (g->path == NULL)
		g->path = "";
	*out = &g->base;
	return UK_OK;
}

static const struct {
	int status;
	enum uk_rc rc;
	const char *reason;
} statuses[] = {
	{ 400, UK_E_INTERNAL, "provider-refused" },
	{ 401, UK_E_INTERNAL, "provider-refused" },
	{ 404, UK_E_NOT_FOUND, "transfer-not-found" },
	{ 409, UK_E_CONFLICT, "transfer-id-used" },
	{ 429, UK_E_UNAVAILABLE, "provider-error" },
};

static enum uk_rc
judge(int status, const char *where, struct uk_err *err)
{
	if (status == 200)
		return UK_OK;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return uk_fail(err, statuses[i].rc, statuses[i].reason, where, status);
	return uk_fail(err, UK_E_UNAVAILABLE, "provider-error", where, status);
}

/* An answer that is not signed for this very request says nothing: neither yes nor no. */
static enum uk_rc
check_answer(
    struct gateway *g, const struct http_reply *reply, const char *nonce, struct uk_err *err)
{
	struct bank_stamp stamp = { .role = "answer", .key_id = g->key_id };
	char status[16], header[257];

	(void)snprintf(status, sizeof(status), "%d", reply->status);
	stamp.target = status;
	memcpy(stamp.nonce, nonce, BANK_NONCE_LEN);
	if (!http_reply_header(reply, BANK_SIGNATURE_HEADER, header, sizeof(header)))
		return reply->status >= 500
			   ? uk_fail(err, UK_E_UNAVAILABLE, "provider-error", "bank", reply->status)
			   : uk_fail(err, UK_E_INTEGRITY, "signature-wrong", "bank", reply->status);
	return bank_sign_check(header, &stamp, uk_secret_lend(g->key), uk_buf_span(&reply->body),
	    uk_now(g->clock), err);
}

/* POST body to url + call; on UK_OK *tree is the answer's object. */
static enum uk_rc
post(struct gateway *g, const char *call, struct uk_span body, json_t **tree, struct uk_err *err)
{
	struct bank_stamp stamp = { .role = "request", .key_id = g->key_id };
	struct http_reply reply = { 0 };
	struct uk_buf url, target, header;
	enum uk_rc rc = UK_E_LIMIT;

	uk_buf_init(&url, 2048);
	uk_buf_init(&target, 2048);
	uk_buf_init(&header, 512);
	uk_buf_printf(&url, "%s%s", g->url, call);
	uk_buf_printf(&target, "POST %s%s", g->path, call);
	stamp.target = uk_buf_str(&target);
	stamp.time = uk_now(g->clock);
	uk_random_hex(g->random, stamp.nonce, 16);
	if (stamp.target == NULL || uk_buf_str(&url) == NULL)
		goto out;
	bank_sign(&stamp, uk_secret_lend(g->key), body, &header);
	rc = http_call(g->http,
	    &(struct http_call){ .method = "POST",
		.url = uk_buf_str(&url),
		.headers = (const struct net_pair[]){ { "Content-Type", "application/json" },
		    { BANK_SIGNATURE_HEADER, uk_buf_str(&header) } },
		.n_headers = 2,
		.body = body,
		.timeout_ms = g->deadline_ms,
		.max = BODY_MAX },
	    &reply, err);
	if (rc != UK_OK)
		goto out;
	if ((rc = check_answer(g, &reply, stamp.nonce, err)) == UK_OK &&
	    (rc = judge(reply.status, call, err)) == UK_OK)
		rc = uk_json_parse(uk_buf_span(&reply.body), BODY_MAX, tree, err);
	http_reply_fini(&reply);
out:
	uk_buf_fini(&url);
	uk_buf_fini(&target);
	uk_buf_fini(&header);
	return rc;
}

static enum uk_rc
read_result(const json_t *tree, struct bank_result *out, struct uk_err *err)
{
	struct bank_result_body b = { 0 };
	unsigned status = 0;

	if (uk_fields_read(bank_result_fields, BANK_RESULT_FIELDS, tree, &b, NULL) != UK_OK)
		return uk_fail(err, UK_E_INTEGRITY, "answer-malformed", "bank", 0);
	while (status < BANK_STATUS__MAX &&
	       strcmp(bank_status_name((enum bank_status)status), b.status) != 0)
		status++;
	if (status == BANK_STATUS__MAX)
		return uk_fail(err, UK_E_INTEGRITY, "answer-malformed", "bank", 0);
	*out = (struct bank_result){ .status = (enum bank_status)status, .at = b.at };
	(void)snprintf(out->id, sizeof(out->id), "%s", b.id);
	(void)snprintf(out->reference, sizeof(out->reference), "%s", b.reference);
	(void)snprintf(out->reason, sizeof(out->reason), "%s", b.reason != NULL ? b.reason : "");
	return UK_OK;
}

/* For a call whose answer is a transfer's state. */
static enum uk_rc
ask_result(struct gateway *g, const char *call, struct uk_buf *body, const char *id,
    struct bank_result *out, struct uk_err *err)
{
	struct bank_result r;
	json_t *tree = NULL;
	enum uk_rc rc;

	if (uk_buf_failed(body))
		return uk_fail(err, UK_E_LIMIT, NULL, call, 0);
	rc = post(g, call, uk_buf_span(body), &tree, err);
	if (rc == UK_OK)
		rc = read_result(tree, &r, err);
	if (rc == UK_OK && strcmp(r.id, id) != 0)
		rc = uk_fail(err, UK_E_INTEGRITY, "answer-for-another", call, 0);
	json_decref(tree);
	if (rc == UK_OK)
		*out = r;
	return rc;
}

static void
put_member(struct uk_buf *out, const char *name, struct uk_span value)
{
	uk_buf_put_str(out, out->n == 0 ? "{" : ",");
	uk_json_put_str(out, uk_span_str(name));
	uk_buf_put_str(out, ":");
	uk_json_put_str(out, value);
}

static enum uk_rc
gateway_transfer(
    struct bank *b, const struct bank_transfer *t, struct bank_result *out, struct uk_err *err)
{
	struct uk_buf body;
	enum uk_rc rc;

	uk_buf_init(&body, BODY_MAX);
	put_member(&body, "id", uk_span_str(t->id));
	put_member(&body, "account", uk_span_str(t->account));
	put_member(&body, "holder", uk_span_str(t->holder));
	put_member(&body, "bank", uk_span_str(t->bank != NULL ? t->bank : ""));
	put_member(&body, "remark", uk_secret_lend(t->remark));
	put_member(&body, "notifyUrl", uk_span_str(t->notify_url));
	uk_buf_printf(&body, ",\"amount\":%lld}", (long long)t->amount);
	rc = ask_result(gateway(b), "/transfers", &body, t->id, out, err);
	uk_buf_fini(&body);
	return rc;
}

static enum uk_rc
gateway_query(struct bank *b, const char *id, struct bank_result *out, struct uk_err *err)
{
	struct uk_buf body;
	enum uk_rc rc;

	uk_buf_init(&body, BODY_MAX);
	put_member(&body, "id", uk_span_str(id));
	uk_buf_put_str(&body, "}");
	rc = ask_result(gateway(b), "/transfers/query", &body, id, out, err);
	uk_buf_fini(&body);
	return rc;
}

static const char *const owner_names[] = {
	[BANK_OWNER_SAME] = "same",
	[BANK_OWNER_OTHER] = "other",
	[BANK_OWNER_NO_ACCOUNT] = "no-account",
};

static enum uk_rc
read_owner(
    const json_t *tree, enum bank_owner *out, char reference[BANK_REF_LEN], struct uk_err *err)
{
	struct bank_owner_answer a = { 0 };
	unsigned o = 0;

	if (uk_fields_read(bank_answer_fields, BANK_ANSWER_FIELDS, tree, &a, NULL) != UK_OK)
		return uk_fail(err, UK_E_INTEGRITY, "answer-malformed", "bank", 0);
	while (o < BANK_OWNER__MAX && strcmp(owner_names[o], a.owner) != 0)
		o++;
	if (o == BANK_OWNER__MAX)
		return uk_fail(err, UK_E_INTEGRITY, "answer-malformed", "bank", 0);
	*out = (enum bank_owner)o;
	(void)snprintf(reference, BANK_REF_LEN, "%s", a.reference);
	return UK_OK;
}

static enum uk_rc
gateway_owner(struct bank *b, const char *account, const char *bank, const char *holder,
    enum bank_owner *out, char reference[BANK_REF_LEN], struct uk_err *err)
{
	json_t *tree = NULL;
	struct uk_buf body;
	enum uk_rc rc;

	uk_buf_init(&body, BODY_MAX);
	put_member(&body, "account", uk_span_str(account));
	put_member(&body, "bank", uk_span_str(bank));
	put_member(&body, "holder", uk_span_str(holder));
	uk_buf_put_str(&body, "}");
	rc = uk_buf_failed(&body)
		 ? uk_fail(err, UK_E_LIMIT, NULL, "bank", 0)
		 : post(gateway(b), "/accounts/owner", uk_buf_span(&body), &tree, err);
	if (rc == UK_OK)
		rc = read_owner(tree, out, reference, err);
	json_decref(tree);
	uk_buf_fini(&body);
	return rc;
}

static enum uk_rc
gateway_notify(struct bank *b, const char *signature, struct uk_span body, struct bank_result *out,
    struct uk_err *err)
{
	struct gateway *g = gateway(b);
	struct bank_stamp stamp = { .role = "notice", .target = "", .key_id = g->key_id };
	json_t *tree = NULL;
	enum uk_rc rc;

	rc =
	    bank_sign_check(signature, &stamp, uk_secret_lend(g->key), body, uk_now(g->clock), err);
	if (rc != UK_OK)
		return rc;
	rc = uk_json_parse(body, BANK_NOTIFY_MAX, &tree, err);
	if (rc == UK_OK)
		rc = read_result(tree, out, err);
	json_decref(tree);
	return rc;
}

const struct bank_ops bank_gateway_ops = {
	.name = "gateway",
	.open = gateway_open,
	.close = gateway_close,
	.transfer = gateway_transfer,
	.query = gateway_query,
	.owner = gateway_owner,
	.notify = gateway_notify,
};
