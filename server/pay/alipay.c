#include <stdlib.h>
#include <string.h>

#include "net/client.h"
#include "net/form.h"
#include "pay/alipay.h"
#include "pay/alipay_wire.h"
#include "pay/money.h"
#include "pay/rsa2.h"
#include "uk/json.h"

#define PARAMS_MAX  16
#define TEXT_MAX    (32u * 1024u)
#define DEADLINE_MS 5000

struct alipay {
	struct pay base;
	char *gateway;
	char *app_id;
	char *seller_id;
	struct rsa2_key *key;
	struct uk_pubkey *alipay_key;
	struct http_client *http;
	const struct uk_clock *clock;
	int64_t deadline_ms;
};

static struct alipay *
alipay(struct pay *p)
{
	return (struct alipay *)p;
}

static void
alipay_close(struct pay *p)
{
	struct alipay *a = alipay(p);

	rsa2_key_free(&a->key);
	uk_pubkey_free(&a->alipay_key);
	free(a->gateway);
	free(a->app_id);
	free(a->seller_id);
	free(a);
}

static enum uk_rc
check_setup(const struct pay_setup *s, struct uk_err *err)
{
	const struct {
		const char *field;
		const char *value;
	} needed[] = {
		{ "gateway", s->gateway },
		{ "app_id", s->app_id },
		{ "seller_id", s->seller_id },
		{ "private_key", s->private_key },
		{ "public_key", s->public_key },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (needed[i].value == NULL || needed[i].value[0] == '\0')
			return uk_fail_field(err, needed[i].field, "missing");
	return UK_OK;
}

static enum uk_rc
alipay_open(const struct pay_setup *s, struct pay **out, struct uk_err *err)
{
	struct rsa2_key *key = NULL;
	struct uk_pubkey *theirs = NULL;
	struct alipay *a;
	enum uk_rc rc;

	if ((rc = check_setup(s, err)) != UK_OK)
		return rc;
	if (rsa2_key_new(s->private_key, &key, NULL) != UK_OK)
		return uk_fail_field(err, "private_key", "private-key-malformed");
	if (rsa2_pubkey_new(s->public_key, &theirs, NULL) != UK_OK) {
		rsa2_key_free(&key);
		return uk_fail_field(err, "public_key", "public-key-malformed");
	}
	a = uk_xalloc(sizeof(*a));
	*a = (struct alipay){
		.base.ops = &alipay_ops,
		.gateway = uk_xstrdup(s->gateway),
		.app_id = uk_xstrdup(s->app_id),
		.seller_id = uk_xstrdup(s->seller_id),
		.key = key,
		.alipay_key = theirs,
		.http = s->http,
		.clock = s->clock,
		.deadline_ms = s->deadline_ms > 0 ? s->deadline_ms : DEADLINE_MS,
	};
	*out = &a->base;
	return UK_OK;
}

/* A request: the common parameters, biz_content and the signature, as a form. */
static enum uk_rc
put_request(struct alipay *a, const char *method, const json_t *biz, const char *notify_url,
    const char *return_url, struct uk_buf *out, struct uk_err *err)
{
	char now[UK_TIME_LEN];
	struct uk_buf text, joined, sign;
	struct net_pair v[PARAMS_MAX];
	size_t n = 0;
	enum uk_rc rc = UK_E_LIMIT;

	uk_buf_init(&text, TEXT_MAX);
	uk_buf_init(&joined, TEXT_MAX);
	uk_buf_init(&sign, 2048);
	uk_time_beijing(uk_now(a->clock), now);
	if (uk_json_put(&text, biz) != UK_OK || uk_buf_str(&text) == NULL)
		goto out;
	v[n++] = (struct net_pair){ "app_id", a->app_id };
	v[n++] = (struct net_pair){ "biz_content", uk_buf_str(&text) };
	v[n++] = (struct net_pair){ "charset", "utf-8" };
	v[n++] = (struct net_pair){ "format", "JSON" };
	v[n++] = (struct net_pair){ "method", method };
	if (notify_url != NULL)
		v[n++] = (struct net_pair){ "notify_url", notify_url };
	if (return_url != NULL)
		v[n++] = (struct net_pair){ "return_url", return_url };
	v[n++] = (struct net_pair){ "sign_type", "RSA2" };
	v[n++] = (struct net_pair){ "timestamp", now };
	v[n++] = (struct net_pair){ "version", "1.0" };
	alipay_join(v, n, ALIPAY_REQUEST, &joined);
	if (uk_buf_failed(&joined))
		goto out;
	if ((rc = rsa2_sign(a->key, uk_buf_span(&joined), &sign, err)) != UK_OK)
		goto out;
	v[n++] = (struct net_pair){ "sign", uk_buf_str(&sign) };
	for (size_t i = 0; i < n; i++)
		net_form_put(out, v[i].name, v[i].value);
	rc = uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
out:
	uk_buf_fini(&text);
	uk_buf_fini(&joined);
	uk_buf_fini(&sign);
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, method, 0);
}

static enum uk_rc
alipay_create(struct pay *p, const struct pay_order *o, struct uk_buf *url, struct uk_err *err)
{
	struct alipay *a = alipay(p);
	struct uk_buf amount, query;
	char expires[UK_TIME_LEN];
	enum uk_rc rc;
	json_t *biz;

	uk_buf_init(&amount, 32);
	uk_buf_init(&query, TEXT_MAX);
	money_put(&amount, o->amount);
	biz = json_pack("{s:s, s:s, s:s, s:s, s:s}", "out_trade_no", o->out_trade_no,
	    "total_amount", uk_buf_str(&amount), "subject", o->subject, "product_code",
	    "FAST_INSTANT_TRADE_PAY", "seller_id", a->seller_id);
	/* Without it an old page could still be paid long after the order is over. */
	if (biz != NULL && o->expires > 0) {
		uk_time_beijing(o->expires, expires);
		(void)json_object_set_new(biz, "time_expire", json_string(expires));
	}
	rc = biz != NULL ? put_request(a, "alipay.trade.page.pay", biz, o->notify_url,
			       o->return_url, &query, err)
			 : uk_fail_field(err, "subject", NULL);
	if (rc == UK_OK) {
		uk_buf_put_str(url, a->gateway);
		uk_buf_put_str(url, "?");
		uk_buf_put(url, uk_buf_span(&query));
		rc = uk_buf_failed(url) ? uk_fail(err, UK_E_LIMIT, NULL, "alipay", 0) : UK_OK;
	}
	json_decref(biz);
	uk_buf_fini(&amount);
	uk_buf_fini(&query);
	return rc;
}

/* The answer's members that any call uses; those of other calls stay NULL. */
struct answer {
	const char *code;
	const char *sub_code;
	const char *out_trade_no;
	const char *trade_no;
	const char *trade_status;
	const char *total_amount;
	const char *send_pay_date;
	const char *fund_change;
	const char *refund_fee;
	const char *refund_status;
	const char *refund_amount;
	const char *out_request_no;
};

#define TEXT_FIELD(member, max)                                                                    \
	{                                                                                          \
#member, UK_F_STR, UK_F_NULLABLE, 0, max, offsetof(struct answer, member), NULL    \
	}

static const struct uk_field answer_fields[] = {
	TEXT_FIELD(code, 16),
	TEXT_FIELD(sub_code, 128),
	TEXT_FIELD(out_trade_no, 64),
	TEXT_FIELD(trade_no, 64),
	TEXT_FIELD(trade_status, 32),
	TEXT_FIELD(total_amount, 32),
	TEXT_FIELD(send_pay_date, 32),
	TEXT_FIELD(fund_change, 8),
	TEXT_FIELD(refund_fee, 32),
	TEXT_FIELD(refund_status, 32),
	TEXT_FIELD(refund_amount, 32),
	TEXT_FIELD(out_request_no, 64),
};

struct sub_code {
	const char *name;
	enum uk_rc rc;
	const char *reason;
};

static const struct sub_code sub_codes[] = {
	{ "ACQ.TRADE_NOT_EXIST", UK_E_NOT_FOUND, "trade-not-found" },
	{ "ACQ.SYSTEM_ERROR", UK_E_UNAVAILABLE, "provider-error" },
	{ "ACQ.TRADE_STATUS_ERROR", UK_E_CONFLICT, "trade-status" },
	{ "ACQ.REASON_TRADE_STATUS_INVALID", UK_E_CONFLICT, "trade-status" },
	{ "ACQ.TRADE_HAS_CLOSE", UK_E_CONFLICT, "trade-closed" },
	{ "ACQ.TRADE_HAS_FINISHED", UK_E_CONFLICT, "trade-finished" },
	{ "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", UK_E_CONFLICT, "refund-amount" },
	{ "ACQ.DISCORDANT_REPEAT_REQUEST", UK_E_CONFLICT, "refund-amount" },
	{ "ACQ.SELLER_BALANCE_NOT_ENOUGH", UK_E_UNAVAILABLE, "seller-balance" },
};

/* 20000: the gateway is busy.  Anything unknown is neither our order's nor the payer's fault. */
static enum uk_rc
judge(const struct answer *a, const char *where, struct uk_err *err)
{
	const long native = strtol(a->code != NULL ? a->code : "0", NULL, 10);

	if (native == 10000)
		return UK_OK;
	for (size_t i = 0; a->sub_code != NULL && i < sizeof(sub_codes) / sizeof(sub_codes[0]); i++)
		if (strcmp(sub_codes[i].name, a->sub_code) == 0)
			return uk_fail(err, sub_codes[i].rc, sub_codes[i].reason, where, native);
	if (native == 20000)
		return uk_fail(err, UK_E_UNAVAILABLE, "provider-error", where, native);
	return uk_fail(err, UK_E_INTERNAL, "provider-refused", where, native);
}

/* "\/" is the one escape that base64 can come with. */
static enum uk_rc
verify(struct alipay *a, const struct alipay_answer *split, struct uk_err *err)
{
	struct uk_buf sign;
	enum uk_rc rc = UK_E_INTEGRITY;

	uk_buf_init(&sign, 2048);
	for (size_t i = 0; i < split->sign.n; i++)
		if (split->sign.p[i] != '\\')
			uk_buf_put_u8(&sign, split->sign.p[i]);
	if (uk_buf_str(&sign) == NULL || sign.n == 0)
		(void)uk_fail(err, rc, "signature-wrong", "alipay-answer", 0);
	else
		rc = rsa2_verify(a->alipay_key, split->node, uk_buf_str(&sign), err);
	uk_buf_fini(&sign);
	return rc;
}

/* On UK_OK *tree owns what `out` points into. */
static enum uk_rc
open_answer(struct alipay *a, struct uk_span body, const char *node, struct answer *out,
    json_t **tree, struct uk_err *err)
{
	struct alipay_answer split;
	enum uk_rc rc;

	if (alipay_answer_split(body, node, &split) != UK_OK)
		return uk_fail(err, UK_E_INTEGRITY, "answer-malformed", node, 0);
	/* Gateway errors may come unsigned: they say nothing about the trade. */
	if (split.error && split.sign.n == 0)
		return uk_fail(err, UK_E_UNAVAILABLE, "provider-refused", node, 0);
	if ((rc = verify(a, &split, err)) != UK_OK)
		return rc;
	if (uk_json_parse(split.node, ALIPAY_ANSWER_MAX, tree, NULL) != UK_OK)
		return uk_fail(err, UK_E_INTEGRITY, "answer-malformed", node, 0);
	rc = uk_fields_pick(
	    answer_fields, sizeof(answer_fields) / sizeof(answer_fields[0]), *tree, out, err);
	if (rc != UK_OK)
		rc = uk_fail(err, UK_E_INTEGRITY, "answer-malformed", node, 0);
	else if (split.error)
		rc = uk_fail(err, UK_E_UNAVAILABLE, "provider-refused", node, 0);
	if (rc != UK_OK) {
		json_decref(*tree);
		*tree = NULL;
	}
	return rc;
}

struct method {
	const char *name;
	const char *node;
};

static const struct method trade_query = { "alipay.trade.query", "alipay_trade_query_response" };
static const struct method trade_close = { "alipay.trade.close", "alipay_trade_close_response" };
static const struct method trade_refund = { "alipay.trade.refund", "alipay_trade_refund_response" };
static const struct method refund_query = { "alipay.trade.fastpay.refund.query",
	"alipay_trade_fastpay_refund_query_response" };

/*
 * One call; steals biz.  The answer's signature does not cover the question, so its out_trade_no
 * is compared with ours: an answer about another trade is a replay.
 */
static enum uk_rc
call(struct alipay *a, const struct method *m, json_t *biz, const char *out_trade_no,
    struct answer *out, json_t **tree, struct uk_err *err)
{
	struct http_reply reply = { 0 };
	struct uk_buf form;
	enum uk_rc rc;

	uk_buf_init(&form, TEXT_MAX);
	rc = biz != NULL ? put_request(a, m->name, biz, NULL, NULL, &form, err)
			 : uk_fail(err, UK_E_INTERNAL, NULL, m->name, 0);
	json_decref(biz);
	if (rc == UK_OK)
		rc = http_post(a->http, a->gateway,
		    "application/x-www-form-urlencoded;charset=utf-8", uk_buf_span(&form),
		    a->deadline_ms, ALIPAY_ANSWER_MAX, &reply, err);
	uk_buf_fini(&form);
	if (rc != UK_OK)
		return rc;
	if (reply.status != 200)
		rc = uk_fail(err, UK_E_UNAVAILABLE, "provider-error", m->name, reply.status);
	else
		rc = open_answer(a, uk_buf_span(&reply.body), m->node, out, tree, err);
	http_reply_fini(&reply);
	if (rc != UK_OK)
		return rc;
	rc = judge(out, m->name, err);
	if (rc == UK_OK &&
	    (out->out_trade_no == NULL || strcmp(out->out_trade_no, out_trade_no) != 0))
		rc = uk_fail(err, UK_E_INTEGRITY, "answer-for-another", m->name, 0);
	if (rc != UK_OK) {
		json_decref(*tree);
		*tree = NULL;
	}
	return rc;
}

static bool
copy(char *to, size_t size, const char *from)
{
	if (from == NULL || strlen(from) >= size)
		return false;
	memcpy(to, from, strlen(from) + 1);
	return true;
}

static enum uk_rc
alipay_query(struct pay *p, const char *out_trade_no, struct pay_trade *out, struct uk_err *err)
{
	struct pay_trade t = { 0 };
	struct answer ans = { 0 };
	json_t *tree = NULL;
	enum uk_rc rc;

	rc = call(alipay(p), &trade_query, json_pack("{s:s}", "out_trade_no", out_trade_no),
	    out_trade_no, &ans, &tree, err);
	if (rc != UK_OK)
		return rc;
	t.status =
	    ans.trade_status != NULL ? alipay_status_from_name(ans.trade_status) : PAY_STATUS__MAX;
	if (t.status == PAY_STATUS__MAX || ans.total_amount == NULL ||
	    money_parse(ans.total_amount, &t.amount) != UK_OK ||
	    !copy(t.trade_no, sizeof(t.trade_no), ans.trade_no) ||
	    !copy(t.out_trade_no, sizeof(t.out_trade_no), ans.out_trade_no))
		rc = uk_fail(err, UK_E_INTEGRITY, "answer-malformed", "alipay.trade.query", 0);
	if (ans.send_pay_date != NULL)
		t.paid_at = alipay_time_parse(ans.send_pay_date);
	json_decref(tree);
	if (rc == UK_OK)
		*out = t;
	return rc;
}

static enum uk_rc
alipay_close_trade(struct pay *p, const char *out_trade_no, struct uk_err *err)
{
	struct answer ans = { 0 };
	json_t *tree = NULL;
	enum uk_rc rc;

	rc = call(alipay(p), &trade_close, json_pack("{s:s}", "out_trade_no", out_trade_no),
	    out_trade_no, &ans, &tree, err);
	json_decref(tree);
	return rc;
}

static enum uk_rc
alipay_refund_query(
    struct pay *p, const struct pay_refund *r, struct pay_refund_state *out, struct uk_err *err)
{
	struct pay_refund_state s = { 0 };
	struct answer ans = { 0 };
	json_t *tree = NULL;
	enum uk_rc rc;

	rc = call(alipay(p), &refund_query,
	    json_pack(
		"{s:s, s:s}", "out_trade_no", r->out_trade_no, "out_request_no", r->refund_no),
	    r->out_trade_no, &ans, &tree, err);
	if (rc != UK_OK)
		return rc;
	if (ans.out_request_no != NULL && strcmp(ans.out_request_no, r->refund_no) != 0)
		rc = uk_fail(err, UK_E_INTEGRITY, "answer-for-another", refund_query.name, 0);
	/* Without refund_status the refund was not received, or has failed. */
	s.done = ans.refund_status != NULL && strcmp(ans.refund_status, "REFUND_SUCCESS") == 0;
	if (rc == UK_OK && s.done &&
	    (ans.refund_amount == NULL || money_parse(ans.refund_amount, &s.amount) != UK_OK))
		rc = uk_fail(err, UK_E_INTEGRITY, "answer-malformed", refund_query.name, 0);
	json_decref(tree);
	if (rc == UK_OK)
		*out = s;
	return rc;
}

static enum uk_rc
alipay_refund(
    struct pay *p, const struct pay_refund *r, struct pay_refund_state *out, struct uk_err *err)
{
	struct answer ans = { 0 };
	json_t *tree = NULL;
	struct uk_buf amount;
	bool moved;
	enum uk_rc rc;

	uk_buf_init(&amount, 32);
	money_put(&amount, r->amount);
	rc = call(alipay(p), &trade_refund,
	    json_pack("{s:s, s:s, s:s, s:s}", "out_trade_no", r->out_trade_no, "refund_amount",
		uk_buf_str(&amount), "out_request_no", r->refund_no, "refund_reason",
		r->reason != NULL ? r->reason : ""),
	    r->out_trade_no, &ans, &tree, err);
	uk_buf_fini(&amount);
	if (rc != UK_OK)
		return rc;
	moved = ans.fund_change != NULL && strcmp(ans.fund_change, "Y") == 0;
	json_decref(tree);
	/* "N": nothing moved this time, perhaps because it did before. */
	if (!moved)
		return alipay_refund_query(p, r, out, err);
	*out = (struct pay_refund_state){ .done = true, .amount = r->amount };
	return UK_OK;
}

static bool
same(const char *given, const char *ours)
{
	return given != NULL && strcmp(given, ours) == 0;
}

static bool
money_of(const struct net_pairs *pairs, const char *name, int64_t *fen)
{
	const char *s = net_pairs_get(pairs, name);

	return s != NULL && money_parse(s, fen) == UK_OK;
}

static enum uk_rc
read_event(const struct net_pairs *pairs, struct pay_event *out, struct uk_err *err)
{
	const char *status = net_pairs_get(pairs, "trade_status");
	const char *paid = net_pairs_get(pairs, "gmt_payment");
	const char *refund = net_pairs_get(pairs, "out_biz_no");
	struct pay_event e = { 0 };

	e.status = status != NULL ? alipay_status_from_name(status) : PAY_STATUS__MAX;
	if (e.status == PAY_STATUS__MAX)
		return uk_fail_field(err, "trade_status", NULL);
	if (!money_of(pairs, "total_amount", &e.amount))
		return uk_fail_field(err, "total_amount", NULL);
	if (net_pairs_get(pairs, "refund_fee") != NULL &&
	    !money_of(pairs, "refund_fee", &e.refunded))
		return uk_fail_field(err, "refund_fee", NULL);
	if (!copy(e.notify_id, sizeof(e.notify_id), net_pairs_get(pairs, "notify_id")))
		return uk_fail_field(err, "notify_id", NULL);
	if (!copy(e.out_trade_no, sizeof(e.out_trade_no), net_pairs_get(pairs, "out_trade_no")))
		return uk_fail_field(err, "out_trade_no", NULL);
	if (!copy(e.trade_no, sizeof(e.trade_no), net_pairs_get(pairs, "trade_no")))
		return uk_fail_field(err, "trade_no", NULL);
	if (refund != NULL && !copy(e.refund_no, sizeof(e.refund_no), refund))
		return uk_fail_field(err, "out_biz_no", NULL);
	e.paid_at = paid != NULL ? alipay_time_parse(paid) : 0;
	*out = e;
	return UK_OK;
}

static enum uk_rc
alipay_notify(struct pay *p, struct uk_span body, struct pay_event *out, struct uk_err *err)
{
	struct alipay *a = alipay(p);
	struct net_pairs pairs;
	enum uk_rc rc;

	if ((rc = alipay_notice_open(a->alipay_key, body, &pairs, err)) != UK_OK)
		return rc;
	if (!same(net_pairs_get(&pairs, "app_id"), a->app_id))
		rc = uk_fail(err, UK_E_DENIED, "foreign-app", "alipay-notify", 0);
	else if (!same(net_pairs_get(&pairs, "seller_id"), a->seller_id))
		rc = uk_fail(err, UK_E_DENIED, "foreign-seller", "alipay-notify", 0);
	else
		rc = read_event(&pairs, out, err);
	net_pairs_fini(&pairs);
	return rc;
}

const struct pay_ops alipay_ops = {
	.name = "alipay",
	.open = alipay_open,
	.close = alipay_close,
	.create = alipay_create,
	.query = alipay_query,
	.close_trade = alipay_close_trade,
	.refund = alipay_refund,
	.refund_query = alipay_refund_query,
	.notify = alipay_notify,
};
