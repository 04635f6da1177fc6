#include <stdlib.h>
#include <string.h>

#include "pay/alipay_wire.h"
#include "pay/money.h"
#include "sandbox/alipay.h"
#include "sandbox/page.h"
#include "uk/json.h"

#define TEXT_MAX (32u * 1024u)
#define SKEW     (15 * 60)

/* One request, its signature proved. */
struct question {
	struct net_pairs all;
	json_t *biz;
};

struct fault_code {
	const char *code;
	const char *sub_code;
	const char *text;
};

static const struct fault_code bad_signature = { "40002", "isv.invalid-signature", "验签出错" };
static const struct fault_code bad_app = { "40002", "isv.invalid-app-id", "无效的AppID参数" };
static const struct fault_code bad_time = { "40002", "isv.invalid-timestamp", "非法的时间戳参数" };
static const struct fault_code bad_biz = { "40002", "isv.invalid-parameter", "参数无效" };
static const struct fault_code bad_method = { "40002", "isv.invalid-method", "不存在的方法名" };

static bool
is(const struct net_pairs *p, const char *name, const char *want)
{
	const char *s = net_pairs_get(p, name);

	return s != NULL && strcmp(s, want) == 0;
}

/* Query and body are one list of parameters. */
static enum uk_rc
gather(const struct http_request *rq, struct net_pairs *out)
{
	const char *q = strchr(http_target(rq), '?');
	const struct uk_span body = http_body(rq);
	struct uk_buf all;
	enum uk_rc rc;

	uk_buf_init(&all, TEXT_MAX);
	uk_buf_put_str(&all, q != NULL ? q + 1 : "");
	if (all.n != 0 && body.n != 0)
		uk_buf_put_str(&all, "&");
	uk_buf_put(&all, body);
	rc = uk_buf_failed(&all) ? UK_E_LIMIT : net_pairs_parse(uk_buf_span(&all), out);
	uk_buf_fini(&all);
	return rc;
}

static bool
signed_well(struct sandbox *s, const struct net_pairs *p)
{
	const char *sign = net_pairs_get(p, "sign");
	struct uk_buf joined;
	bool ok;

	if (sign == NULL || !is(p, "sign_type", "RSA2"))
		return false;
	uk_buf_init(&joined, TEXT_MAX);
	alipay_join(p->v, p->n, ALIPAY_REQUEST, &joined);
	ok = !uk_buf_failed(&joined) &&
	     rsa2_verify(s->keys.merchant, uk_buf_span(&joined), sign, NULL) == UK_OK;
	uk_buf_fini(&joined);
	return ok;
}

static bool
in_time(struct sandbox *s, const char *timestamp)
{
	const int64_t t = timestamp != NULL ? alipay_time_parse(timestamp) : 0;
	const int64_t now = uk_now(s->cfg.clock);

	return t > now - SKEW && t < now + SKEW;
}

/* NULL: fine, and the caller frees with question_fini(). */
static const struct fault_code *
question_open(struct sandbox *s, const struct http_request *rq, struct question *q)
{
	const struct fault_code *f = NULL;
	const char *biz;

	*q = (struct question){ 0 };
	if (gather(rq, &q->all) != UK_OK) {
		q->all = (struct net_pairs){ 0 };
		return &bad_biz;
	}
	biz = net_pairs_get(&q->all, "biz_content");
	if (!is(&q->all, "app_id", s->keys.app_id))
		f = &bad_app;
	else if (!signed_well(s, &q->all))
		f = &bad_signature;
	else if (!in_time(s, net_pairs_get(&q->all, "timestamp")))
		f = &bad_time;
	else if (biz == NULL || !is(&q->all, "version", "1.0") || !is(&q->all, "format", "JSON") ||
		 !is(&q->all, "charset", "utf-8") ||
		 uk_json_parse(uk_span_str(biz), TEXT_MAX, &q->biz, NULL) != UK_OK)
		f = &bad_biz;
	if (f != NULL) {
		net_pairs_fini(&q->all);
		json_decref(q->biz);
	}
	return f;
}

static void
question_fini(struct question *q)
{
	net_pairs_fini(&q->all);
	json_decref(q->biz);
}

struct page_pay {
	const char *out_trade_no;
	const char *total_amount;
	const char *subject;
	const char *product_code;
	const char *time_expire;
	const char *seller_id;
};

#define R UK_F_REQUIRED

static const struct uk_field page_pay_fields[] = {
	{ "out_trade_no", UK_F_STR, R, 1, 64, offsetof(struct page_pay, out_trade_no), NULL },
	{ "total_amount", UK_F_STR, R, 1, 16, offsetof(struct page_pay, total_amount), NULL },
	{ "subject", UK_F_STR, R, 1, 256, offsetof(struct page_pay, subject), NULL },
	{ "product_code", UK_F_STR, R, 1, 64, offsetof(struct page_pay, product_code), NULL },
	{ "time_expire", UK_F_STR, 0, 1, 32, offsetof(struct page_pay, time_expire), NULL },
	{ "seller_id", UK_F_STR, 0, 1, 28, offsetof(struct page_pay, seller_id), NULL },
};

static bool
copy(char *to, size_t size, const char *from)
{
	if (from == NULL)
		from = "";
	if (strlen(from) >= size)
		return false;
	memcpy(to, from, strlen(from) + 1);
	return true;
}

static struct trade *
trade_add(struct sandbox *s, const struct page_pay *p, const struct net_pairs *all, int64_t amount)
{
	struct trade *t = uk_xalloc(sizeof(*t));
	const int64_t now = uk_now(s->cfg.clock);
	char when[UK_TIME_LEN];

	uk_time_beijing(now, when);
	if (!copy(t->out_trade_no, sizeof(t->out_trade_no), p->out_trade_no) ||
	    !copy(t->subject, sizeof(t->subject), p->subject) ||
	    !copy(t->notify_url, sizeof(t->notify_url), net_pairs_get(all, "notify_url")) ||
	    !copy(t->return_url, sizeof(t->return_url), net_pairs_get(all, "return_url"))) {
		free(t);
		return NULL;
	}
	uk_random_hex(s->cfg.random, t->id, 16);
	(void)snprintf(t->trade_no, sizeof(t->trade_no), "%.4s%.2s%.2s22001%09u%06u", when,
	    when + 5, when + 8, uk_random_below(s->cfg.random, 1000000000),
	    uk_random_below(s->cfg.random, 1000000));
	t->amount = amount;
	t->created_at = now;
	t->expires = p->time_expire != NULL ? alipay_time_parse(p->time_expire) : 0;
	t->next = s->trades;
	s->trades = t;
	return t;
}

/* The same order again is the same trade, but not for another amount. */
static struct trade *
trade_for(struct sandbox *s, const struct question *q)
{
	struct page_pay p = { 0 };
	struct trade *t;
	int64_t amount;

	if (uk_fields_pick(page_pay_fields, sizeof(page_pay_fields) / sizeof(page_pay_fields[0]),
		q->biz, &p, NULL) != UK_OK ||
	    strcmp(p.product_code, "FAST_INSTANT_TRADE_PAY") != 0 ||
	    money_parse(p.total_amount, &amount) != UK_OK || amount == 0 ||
	    (p.seller_id != NULL && strcmp(p.seller_id, s->keys.seller_id) != 0))
		return NULL;
	t = trade_find(s, p.out_trade_no);
	if (t == NULL)
		return trade_add(s, &p, &q->all, amount);
	return t->amount == amount ? t : NULL;
}

enum uk_rc
alipay_page_pay(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	const struct fault_code *f;
	char url[96] = "";
	struct question q;
	struct trade *t;

	(void)err;
	f = question_open(s, rq, &q);
	if (f == NULL) {
		if (is(&q.all, "method", "alipay.trade.page.pay")) {
			(void)pthread_mutex_lock(&s->lock);
			t = trade_for(s, &q);
			if (t != NULL)
				(void)snprintf(url, sizeof(url), "/alipay/cashier?id=%s", t->id);
			else
				f = &bad_biz;
			(void)pthread_mutex_unlock(&s->lock);
		} else {
			f = &bad_method;
		}
		question_fini(&q);
	}
	if (f != NULL)
		page_say(rq, 200, "调试错误，请回到请求来源地，重新发起请求", f->sub_code, f->text);
	else
		page_redirect(rq, url);
	return UK_OK;
}

struct biz {
	const char *out_trade_no;
	const char *trade_no;
	const char *refund_amount;
	const char *out_request_no;
};

static const struct uk_field biz_fields[] = {
	{ "out_trade_no", UK_F_STR, 0, 1, 64, offsetof(struct biz, out_trade_no), NULL },
	{ "trade_no", UK_F_STR, 0, 1, 64, offsetof(struct biz, trade_no), NULL },
	{ "refund_amount", UK_F_STR, 0, 1, 16, offsetof(struct biz, refund_amount), NULL },
	{ "out_request_no", UK_F_STR, 0, 1, 64, offsetof(struct biz, out_request_no), NULL },
};

static void
set_money(json_t *o, const char *name, int64_t fen)
{
	struct uk_buf b;

	uk_buf_init(&b, 32);
	money_put(&b, fen);
	(void)json_object_set_new(o, name, json_string(uk_buf_str(&b)));
	uk_buf_fini(&b);
}

static void
set_time(json_t *o, const char *name, int64_t at)
{
	char when[UK_TIME_LEN];

	uk_time_beijing(at, when);
	(void)json_object_set_new(o, name, json_string(when));
}

/* Each fills o and returns NULL, or the sub_code of code 40004. */
typedef const char *answer_fn(struct sandbox *s, struct trade *t, const struct biz *b, json_t *o);

static const char *
answer_query(struct sandbox *s, struct trade *t, const struct biz *b, json_t *o)
{
	(void)s;
	(void)b;
	(void)json_object_set_new(o, "buyer_logon_id", json_string("buy***@example.com"));
	(void)json_object_set_new(o, "trade_status", json_string(alipay_status_name(t->status)));
	set_money(o, "total_amount", t->amount);
	if (t->paid_at != 0)
		set_time(o, "send_pay_date", t->paid_at);
	return NULL;
}

static const char *
answer_close(struct sandbox *s, struct trade *t, const struct biz *b, json_t *o)
{
	(void)s;
	(void)b;
	(void)o;
	if (t->status != PAY_WAITING)
		return "ACQ.TRADE_STATUS_ERROR";
	t->status = PAY_CLOSED;
	return NULL;
}

static struct refund *
refund_find(struct trade *t, const char *no)
{
	for (struct refund *r = t->refunds; r != NULL; r = r->next)
		if (strcmp(r->refund_no, no) == 0)
			return r;
	return NULL;
}

static const char *
refund_add(struct trade *t, const char *no, int64_t amount)
{
	struct refund *r;

	if (t->status != PAY_PAID)
		return t->status == PAY_FINISHED ? "ACQ.TRADE_HAS_FINISHED"
						 : "ACQ.TRADE_STATUS_ERROR";
	if (amount > t->amount - trade_refunded(t))
		return "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL";
	r = uk_xalloc(sizeof(*r));
	(void)copy(r->refund_no, sizeof(r->refund_no), no);
	r->amount = amount;
	r->next = t->refunds;
	t->refunds = r;
	if (trade_refunded(t) == t->amount)
		t->status = PAY_CLOSED;
	return NULL;
}

static const char *
answer_refund(struct sandbox *s, struct trade *t, const struct biz *b, json_t *o)
{
	/* A full refund without a number of its own has the trade's. */
	const char *no = b->out_request_no != NULL ? b->out_request_no : t->out_trade_no;
	const struct refund *old = refund_find(t, no);
	const char *sub = NULL;
	int64_t amount;

	if (b->refund_amount == NULL || money_parse(b->refund_amount, &amount) != UK_OK ||
	    amount == 0 || (b->out_request_no == NULL && amount != t->amount))
		return "ACQ.INVALID_PARAMETER";
	if (old != NULL && old->amount != amount)
		return "ACQ.DISCORDANT_REPEAT_REQUEST";
	if (old == NULL && (sub = refund_add(t, no, amount)) != NULL)
		return sub;
	(void)json_object_set_new(o, "fund_change", json_string(old == NULL ? "Y" : "N"));
	set_money(o, "refund_fee", trade_refunded(t));
	set_time(o, "gmt_refund_pay", uk_now(s->cfg.clock));
	return NULL;
}

static const char *
answer_refund_query(struct sandbox *s, struct trade *t, const struct biz *b, json_t *o)
{
	const struct refund *r;

	(void)s;
	if (b->out_request_no == NULL)
		return "ACQ.INVALID_PARAMETER";
	r = refund_find(t, b->out_request_no);
	if (r == NULL)
		return NULL;
	(void)json_object_set_new(o, "out_request_no", json_string(r->refund_no));
	(void)json_object_set_new(o, "refund_status", json_string("REFUND_SUCCESS"));
	set_money(o, "refund_amount", r->amount);
	set_money(o, "total_amount", t->amount);
	return NULL;
}

static const struct {
	const char *method;
	const char *node;
	answer_fn *answer;
} methods[] = {
	{ "alipay.trade.query", "alipay_trade_query_response", answer_query },
	{ "alipay.trade.close", "alipay_trade_close_response", answer_close },
	{ "alipay.trade.refund", "alipay_trade_refund_response", answer_refund },
	{ "alipay.trade.fastpay.refund.query", "alipay_trade_fastpay_refund_query_response",
	    answer_refund_query },
};

static const char *
answer(struct sandbox *s, answer_fn *fn, const json_t *biz, json_t *o)
{
	struct biz b = { 0 };
	struct trade *t = NULL;

	if (s->faults.alipay_error[0] != '\0') {
		(void)json_object_set_new(o, "sub_code", json_string(s->faults.alipay_error));
		s->faults.alipay_error[0] = '\0';
		return json_string_value(json_object_get(o, "sub_code"));
	}
	if (uk_fields_pick(biz_fields, sizeof(biz_fields) / sizeof(biz_fields[0]), biz, &b, NULL) !=
		UK_OK ||
	    (b.out_trade_no == NULL && b.trade_no == NULL))
		return "ACQ.INVALID_PARAMETER";
	for (t = s->trades; t != NULL; t = t->next)
		if (b.trade_no != NULL ? strcmp(t->trade_no, b.trade_no) == 0
				       : strcmp(t->out_trade_no, b.out_trade_no) == 0)
			break;
	if (t == NULL || !t->opened)
		return "ACQ.TRADE_NOT_EXIST";
	trade_age(t, uk_now(s->cfg.clock));
	(void)json_object_set_new(o, "out_trade_no", json_string(t->out_trade_no));
	(void)json_object_set_new(o, "trade_no", json_string(t->trade_no));
	return fn(s, t, &b, o);
}

/* {"NODE":{...},"sign":"..."}: signed over the very bytes between the braces. */
static void
put_answer(struct sandbox *s, const char *node, const json_t *o, struct uk_buf *out)
{
	struct uk_buf text, sign;

	uk_buf_init(&text, TEXT_MAX);
	uk_buf_init(&sign, 2048);
	if (uk_json_put(&text, o) != UK_OK ||
	    rsa2_sign(s->keys.alipay, uk_buf_span(&text), &sign, NULL) != UK_OK)
		abort();
	if (s->faults.alipay_tampered)
		text.p[text.n - 1] = ' ';
	uk_buf_printf(out, "{\"%s\":", node);
	uk_buf_put(out, uk_buf_span(&text));
	if (s->faults.alipay_tampered)
		uk_buf_put_str(out, "}");
	s->faults.alipay_tampered = false;
	uk_buf_printf(out, ",\"sign\":\"%s\"}", uk_buf_str(&sign));
	uk_buf_fini(&text);
	uk_buf_fini(&sign);
}

static void
put_gateway_error(const struct fault_code *f, struct uk_buf *out)
{
	uk_buf_printf(out,
	    "{\"error_response\":{\"code\":\"%s\",\"msg\":\"Invalid Arguments\","
	    "\"sub_code\":\"%s\",\"sub_msg\":\"%s\"}}",
	    f->code, f->sub_code, f->text);
}

static void
put_method(struct sandbox *s, const struct question *q, struct uk_buf *out)
{
	const char *method = net_pairs_get(&q->all, "method");
	const char *sub;
	json_t *o;
	size_t i = 0;

	while (method != NULL && i < sizeof(methods) / sizeof(methods[0]) &&
	       strcmp(methods[i].method, method) != 0)
		i++;
	if (method == NULL || i == sizeof(methods) / sizeof(methods[0])) {
		put_gateway_error(&bad_method, out);
		return;
	}
	o = json_object();
	(void)pthread_mutex_lock(&s->lock);
	sub = answer(s, methods[i].answer, q->biz, o);
	(void)json_object_set_new(o, "code", json_string(sub == NULL ? "10000" : "40004"));
	(void)json_object_set_new(
	    o, "msg", json_string(sub == NULL ? "Success" : "Business Failed"));
	if (sub != NULL && json_object_get(o, "sub_code") == NULL)
		(void)json_object_set_new(o, "sub_code", json_string(sub));
	put_answer(s, methods[i].node, o, out);
	(void)pthread_mutex_unlock(&s->lock);
	json_decref(o);
}

enum uk_rc
alipay_gateway(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	const struct fault_code *f;
	struct question q;
	struct uk_buf out;

	(void)err;
	uk_buf_init(&out, TEXT_MAX);
	f = question_open(s, rq, &q);
	if (f == NULL) {
		put_method(s, &q, &out);
		question_fini(&q);
	} else {
		put_gateway_error(f, &out);
	}
	http_answer_bytes(rq, 200, "text/html;charset=utf-8", &out);
	return UK_OK;
}
