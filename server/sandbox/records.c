#include <string.h>

#include "pay/bank.h"
#include "pay/bank_wire.h"
#include "pay/money.h"
#include "sandbox/page.h"
#include "sandbox/teller.h"

#define PAGE_MAX (1024u * 1024u)
#define PAYER    "电子认证服务机构"

static void
put_record(struct uk_buf *b, const struct transfer *t)
{
	char when[UK_TIME_LEN];
	struct uk_buf amount;

	uk_buf_init(&amount, 32);
	money_put(&amount, t->amount);
	uk_time_beijing(t->at, when);
	uk_buf_printf(b,
	    "<tr data-testid=\"record\"><td data-testid=\"time\">%s</td><td "
	    "data-testid=\"amount\">+%s</td><td data-testid=\"payer\">" PAYER
	    "</td><td data-testid=\"remark\">",
	    when, uk_buf_str(&amount));
	page_text(b, t->remark);
	uk_buf_put_str(b, "</td></tr>");
	uk_buf_fini(&amount);
}

static void
put_account(struct sandbox *s, const char *account, struct uk_buf *b)
{
	const struct transfer *own = NULL;
	bool any = false;

	for (const struct transfer *t = s->transfers; t != NULL && own == NULL; t = t->next)
		if (strcmp(t->account, account) == 0)
			own = t;
	uk_buf_printf(b, "<p>账号：<b data-testid=\"account\">%s</b>", account);
	if (own != NULL) {
		uk_buf_put_str(b, "　户名：<b data-testid=\"holder\">");
		page_text(b, own->holder);
		uk_buf_put_str(b, "</b>");
	}
	uk_buf_put_str(
	    b, "</p><table><tr><th>时间</th><th>金额</th><th>对方户名</th><th>附言</th></tr>");
	for (const struct transfer *t = s->transfers; t != NULL; t = t->next) {
		if (strcmp(t->account, account) != 0 || teller_status(s, t) != BANK_PAID)
			continue;
		any = true;
		put_record(b, t);
	}
	uk_buf_put_str(b, "</table>");
	if (!any)
		uk_buf_put_str(b, "<p class=\"note\" data-testid=\"empty\">没有交易。</p>");
}

static void
put_accounts(struct sandbox *s, struct uk_buf *b)
{
	uk_buf_put_str(b,
	    "<form action=\"/bank/records\"><label>账号 <input name=\"account\" "
	    "inputmode=\"numeric\"></label> <button type=\"submit\">查询</button></form><table>");
	for (const struct transfer *t = s->transfers; t != NULL; t = t->next) {
		const struct transfer *newer = s->transfers;

		while (newer != t && strcmp(newer->account, t->account) != 0)
			newer = newer->next;
		if (newer != t)
			continue;
		uk_buf_printf(b, "<tr><td><a href=\"/bank/records?account=%s\">%s</a></td><td>",
		    t->account, t->account);
		page_text(b, t->holder);
		uk_buf_put_str(b, "</td></tr>");
	}
	uk_buf_put_str(b, "</table>");
}

enum uk_rc
teller_records(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	const char *account = http_query(rq, "account");
	struct uk_buf b;

	if (account != NULL && !bank_account_valid(account))
		return uk_fail_field(err, "account", NULL);
	uk_buf_init(&b, PAGE_MAX);
	page_begin(&b, "交易明细", "企业网上银行");
	(void)pthread_mutex_lock(&s->lock);
	if (account != NULL)
		put_account(s, account, &b);
	else
		put_accounts(s, &b);
	(void)pthread_mutex_unlock(&s->lock);
	page_answer(rq, 200, &b);
	return UK_OK;
}
