#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pay/alipay_wire.h"
#include "pay/money.h"
#include "sandbox/alipay.h"

#define FORM_MAX (16u * 1024u)

/* After 4, 10, 10 minutes, 1, 2, 6 and 15 hours: eight deliveries in 25 hours. */
static const int64_t gaps_ms[] = { 240000, 600000, 600000, 3600000, 7200000, 21600000, 54000000,
	0 };

struct trade *
trade_find(struct sandbox *s, const char *out_trade_no)
{
	for (struct trade *t = s->trades; t != NULL; t = t->next)
		if (strcmp(t->out_trade_no, out_trade_no) == 0)
			return t;
	return NULL;
}

struct trade *
trade_by_id(struct sandbox *s, const char *id)
{
	for (struct trade *t = s->trades; t != NULL; t = t->next)
		if (strcmp(t->id, id) == 0)
			return t;
	return NULL;
}

void
trade_age(struct trade *t, int64_t now)
{
	if (t->status == PAY_WAITING && t->expires != 0 && now >= t->expires)
		t->status = PAY_CLOSED;
}

int64_t
trade_refunded(const struct trade *t)
{
	int64_t sum = 0;

	for (const struct refund *r = t->refunds; r != NULL; r = r->next)
		sum += r->amount;
	return sum;
}

/* The pairs with their signature, as a form.  What is said is signed, unless a fault says not. */
static void
put_signed(struct sandbox *s, struct net_pair *v, size_t n, bool spoil, struct uk_buf *out)
{
	struct uk_buf joined, sign;

	uk_buf_init(&joined, FORM_MAX);
	uk_buf_init(&sign, 2048);
	alipay_join(v, n, ALIPAY_NOTICE, &joined);
	if (spoil)
		uk_buf_put_str(&joined, "&spoiled=1");
	if (rsa2_sign(s->keys.alipay, uk_buf_span(&joined), &sign, NULL) != UK_OK)
		abort();
	v[n++] = (struct net_pair){ "sign", uk_buf_str(&sign) };
	for (size_t i = 0; i < n; i++)
		net_form_put(out, v[i].name, v[i].value);
	uk_buf_fini(&joined);
	uk_buf_fini(&sign);
}

void
alipay_put_return(struct sandbox *s, const struct trade *t, struct uk_buf *out)
{
	struct uk_buf amount, query;
	char now[UK_TIME_LEN];
	struct net_pair v[16];
	size_t n = 0;

	uk_buf_init(&amount, 32);
	uk_buf_init(&query, FORM_MAX);
	money_put(&amount, t->amount);
	uk_time_beijing(uk_now(s->cfg.clock), now);
	v[n++] = (struct net_pair){ "charset", "utf-8" };
	v[n++] = (struct net_pair){ "out_trade_no", t->out_trade_no };
	v[n++] = (struct net_pair){ "method", "alipay.trade.page.pay.return" };
	v[n++] = (struct net_pair){ "total_amount", uk_buf_str(&amount) };
	v[n++] = (struct net_pair){ "trade_no", t->trade_no };
	v[n++] = (struct net_pair){ "auth_app_id", s->keys.app_id };
	v[n++] = (struct net_pair){ "version", "1.0" };
	v[n++] = (struct net_pair){ "app_id", s->keys.app_id };
	v[n++] = (struct net_pair){ "sign_type", "RSA2" };
	v[n++] = (struct net_pair){ "seller_id", s->keys.seller_id };
	v[n++] = (struct net_pair){ "timestamp", now };
	put_signed(s, v, n, false, &query);
	uk_buf_put_str(out, t->return_url);
	uk_buf_put_str(out, strchr(t->return_url, '?') != NULL ? "&" : "?");
	uk_buf_put(out, uk_buf_span(&query));
	uk_buf_fini(&amount);
	uk_buf_fini(&query);
}

static size_t
list_notice(struct sandbox *s, const struct trade *t, const char *amount, const char *id,
    const char *times[2], struct net_pair *v)
{
	const struct faults *f = &s->faults;
	const char *app = f->notify_foreign_app ? "9021000000000000" : s->keys.app_id;
	size_t n = 0;

	v[n++] = (struct net_pair){ "gmt_create", times[0] };
	v[n++] = (struct net_pair){ "charset", "utf-8" };
	v[n++] = (struct net_pair){ "gmt_payment", times[0] };
	v[n++] = (struct net_pair){ "notify_time", times[1] };
	v[n++] = (struct net_pair){ "subject", t->subject };
	v[n++] = (struct net_pair){ "buyer_id", "2088102122524333" };
	v[n++] = (struct net_pair){ "invoice_amount", amount };
	v[n++] = (struct net_pair){ "version", "1.0" };
	v[n++] = (struct net_pair){ "notify_id", id };
	v[n++] = (struct net_pair){ "notify_type", "trade_status_sync" };
	v[n++] = (struct net_pair){ "out_trade_no", t->out_trade_no };
	v[n++] = (struct net_pair){ "total_amount", amount };
	v[n++] = (struct net_pair){ "trade_status", alipay_status_name(t->status) };
	v[n++] = (struct net_pair){ "trade_no", t->trade_no };
	v[n++] = (struct net_pair){ "auth_app_id", app };
	v[n++] = (struct net_pair){ "receipt_amount", amount };
	v[n++] = (struct net_pair){ "point_amount", "0.00" };
	v[n++] = (struct net_pair){ "app_id", app };
	v[n++] = (struct net_pair){ "buyer_pay_amount", amount };
	v[n++] = (struct net_pair){ "sign_type", f->notify_sha1 ? "RSA" : "RSA2" };
	v[n++] = (struct net_pair){ "seller_id", s->keys.seller_id };
	return n;
}

static void
put_notice(struct sandbox *s, const struct trade *t, struct uk_buf *out)
{
	char paid[UK_TIME_LEN], now[UK_TIME_LEN], hex[33], id[64];
	const char *times[2] = { paid, now };
	struct uk_buf amount;
	struct net_pair v[24];
	size_t n;

	uk_buf_init(&amount, 32);
	money_put(&amount, s->faults.notify_wrong_amount ? t->amount + 1 : t->amount);
	uk_time_beijing(t->paid_at, paid);
	uk_time_beijing(uk_now(s->cfg.clock), now);
	uk_random_hex(s->cfg.random, hex, 16);
	(void)snprintf(id, sizeof(id), "%.10s%s", now, hex);
	n = list_notice(s, t, uk_buf_str(&amount), id, times, v);
	put_signed(s, v, n, s->faults.notify_bad_signature, out);
	uk_buf_fini(&amount);
}

void
alipay_notify_paid(struct sandbox *s, const struct trade *t)
{
	struct outbox_mail mail = {
		.url = t->notify_url,
		.type = "application/x-www-form-urlencoded; charset=utf-8",
		.gaps_ms = gaps_ms,
		.answer = "success",
	};
	struct uk_buf body;

	if (t->notify_url[0] == '\0')
		return;
	uk_buf_init(&body, FORM_MAX);
	put_notice(s, t, &body);
	mail.body = uk_buf_span(&body);
	mail.delay_ms = s->faults.notify_delay * 1000;
	for (int64_t i = 0; i <= s->faults.notify_duplicates; i++)
		outbox_put(s->outbox, &mail);
	s->faults.notify_duplicates = s->faults.notify_delay = 0;
	s->faults.notify_bad_signature = s->faults.notify_wrong_amount = false;
	s->faults.notify_foreign_app = s->faults.notify_sha1 = false;
	uk_buf_fini(&body);
}
