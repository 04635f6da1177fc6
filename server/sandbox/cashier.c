#include <string.h>

#include "pay/money.h"
#include "sandbox/alipay.h"
#include "sandbox/page.h"

#define PAGE_MAX (64u * 1024u)
#define URL_MAX  (8u * 1024u)
#define DESK     "支付收银台"

static void
put_row(struct uk_buf *b, const char *name, const char *id, const char *value)
{
	uk_buf_printf(b, "<tr><th>%s</th><td data-testid=\"%s\">", name, id);
	page_text(b, value);
	uk_buf_put_str(b, "</td></tr>");
}

static void
put_desk(struct uk_buf *b, const struct trade *t)
{
	struct uk_buf amount;

	uk_buf_init(&amount, 32);
	money_put(&amount, t->amount);
	page_begin(b, "请确认付款", DESK);
	uk_buf_printf(b, "<p class=\"amount\">¥<span data-testid=\"amount\">%s</span></p><table>",
	    uk_buf_str(&amount));
	put_row(b, "商品", "subject", t->subject);
	put_row(b, "收款方", "seller", "电子认证服务机构");
	put_row(b, "商户订单号", "out-trade-no", t->out_trade_no);
	put_row(b, "交易号", "trade-no", t->trade_no);
	uk_buf_printf(b,
	    "</table><form method=\"post\" action=\"/alipay/cashier\" style=\"margin-top:24px\">"
	    "<input type=\"hidden\" name=\"id\" value=\"%s\">"
	    "<button type=\"submit\" name=\"action\" value=\"pay\" "
	    "data-testid=\"pay\">付款</button>"
	    "<button type=\"submit\" class=\"plain\" name=\"action\" value=\"cancel\" "
	    "data-testid=\"cancel\">取消</button></form>",
	    t->id);
	uk_buf_fini(&amount);
}

static void
put_over(struct uk_buf *b, const struct trade *t)
{
	const bool paid = t->paid_at != 0;

	page_begin(b, paid ? "该笔交易已付款" : "交易已关闭", DESK);
	uk_buf_put_str(b, "<p data-testid=\"message\">");
	uk_buf_put_str(b, paid ? "请勿重复付款。" : "交易超时或已被商户关闭，不能付款。");
	uk_buf_put_str(b, "</p>");
	if (t->return_url[0] != '\0') {
		uk_buf_put_str(b, "<p><a href=\"");
		page_text(b, t->return_url);
		uk_buf_put_str(b, "\">返回商户</a></p>");
	}
}

enum uk_rc
alipay_cashier(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	const char *id = http_query(rq, "id");
	struct trade *t;
	struct uk_buf b;

	if (id == NULL)
		return uk_fail_field(err, "id", "missing");
	uk_buf_init(&b, PAGE_MAX);
	(void)pthread_mutex_lock(&s->lock);
	t = trade_by_id(s, id);
	if (t != NULL) {
		t->opened = true;
		trade_age(t, uk_now(s->cfg.clock));
		if (t->status == PAY_WAITING)
			put_desk(&b, t);
		else
			put_over(&b, t);
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (t == NULL) {
		page_say(rq, 404, "交易不存在", "TRADE_NOT_EXIST", "请回到商户页面重新发起付款。");
		return UK_OK;
	}
	page_answer(rq, 200, &b);
	return UK_OK;
}

/* The lock is held.  *url gets where the buyer goes next; false: nothing to pay. */
static bool
pay(struct sandbox *s, struct trade *t, struct uk_buf *url)
{
	const int64_t now = uk_now(s->cfg.clock);

	trade_age(t, now);
	if (!t->opened || t->status != PAY_WAITING)
		return false;
	t->status = PAY_PAID;
	t->paid_at = now;
	alipay_notify_paid(s, t);
	alipay_put_return(s, t, url);
	return true;
}

enum uk_rc
alipay_decide(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	const char *id = net_pairs_get(http_form(rq), "id");
	const char *action = net_pairs_get(http_form(rq), "action");
	struct uk_buf url;
	struct trade *t;
	bool paid = false;

	if (id == NULL || action == NULL)
		return uk_fail_field(err, id == NULL ? "id" : "action", "missing");
	uk_buf_init(&url, URL_MAX);
	(void)pthread_mutex_lock(&s->lock);
	t = trade_by_id(s, id);
	if (t != NULL && strcmp(action, "pay") == 0)
		paid = pay(s, t, &url);
	else if (t != NULL)
		uk_buf_put_str(&url, t->return_url);
	(void)pthread_mutex_unlock(&s->lock);
	if (t == NULL)
		page_say(rq, 404, "交易不存在", "TRADE_NOT_EXIST", "请回到商户页面重新发起付款。");
	else if (strcmp(action, "pay") == 0 && !paid)
		page_say(rq, 409, "不能付款", "TRADE_STATUS_ERROR", "交易已付款、已关闭或已超时。");
	else if (uk_buf_str(&url) == NULL || url.n == 0)
		page_say(rq, 200, paid ? "付款成功" : "已取消付款", "",
		    paid ? "您可以关闭本页面。" : "没有发生付款。");
	else
		page_redirect(rq, uk_buf_str(&url));
	uk_buf_fini(&url);
	return UK_OK;
}
