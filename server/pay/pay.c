#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "pay/alipay.h"
#include "pay/money.h"
#include "pay/pay.h"

#define SUBJECT_MAX 256

static const struct pay_ops *const providers[] = { &alipay_ops, NULL };

enum uk_rc
pay_open(const char *name, const struct pay_setup *setup, struct pay **out, struct uk_err *err)
{
	for (size_t i = 0; providers[i] != NULL; i++)
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i]->open(setup, out, err);
	return uk_fail(err, UK_E_NOT_FOUND, "no-such-provider", "pay", 0);
}

void
pay_close(struct pay **p)
{
	if (p == NULL || *p == NULL)
		return;
	(*p)->ops->close(*p);
	*p = NULL;
}

/* What every provider takes as our number: letters, digits and _, at most 64 (Alipay). */
static bool
number_ok(const char *s)
{
	size_t n = 0;

	if (s == NULL)
		return false;
	for (; s[n] != '\0'; n++)
		if (n >= PAY_NO_LEN - 1 || (!isalnum((unsigned char)s[n]) && s[n] != '_'))
			return false;
	return n > 0;
}

static bool
amount_ok(int64_t fen)
{
	return fen > 0 && fen <= MONEY_MAX;
}

static bool
text_ok(const char *s, size_t max)
{
	return s != NULL && *s != '\0' && strlen(s) <= max;
}

enum uk_rc
pay_create(struct pay *p, const struct pay_order *o, struct uk_buf *url, struct uk_err *err)
{
	if (!number_ok(o->out_trade_no))
		return uk_fail_field(err, "out_trade_no", NULL);
	if (!amount_ok(o->amount))
		return uk_fail_field(err, "amount", NULL);
	if (!text_ok(o->subject, SUBJECT_MAX))
		return uk_fail_field(err, "subject", NULL);
	return p->ops->create(p, o, url, err);
}

enum uk_rc
pay_query(struct pay *p, const char *out_trade_no, struct pay_trade *out, struct uk_err *err)
{
	if (!number_ok(out_trade_no))
		return uk_fail_field(err, "out_trade_no", NULL);
	return p->ops->query(p, out_trade_no, out, err);
}

enum uk_rc
pay_close_trade(struct pay *p, const char *out_trade_no, struct uk_err *err)
{
	if (!number_ok(out_trade_no))
		return uk_fail_field(err, "out_trade_no", NULL);
	return p->ops->close_trade(p, out_trade_no, err);
}

static enum uk_rc
check_refund(const struct pay_refund *r, struct uk_err *err)
{
	if (!number_ok(r->out_trade_no))
		return uk_fail_field(err, "out_trade_no", NULL);
	if (!number_ok(r->refund_no))
		return uk_fail_field(err, "refund_no", NULL);
	if (!amount_ok(r->amount))
		return uk_fail_field(err, "amount", NULL);
	if (r->reason != NULL && !text_ok(r->reason, SUBJECT_MAX))
		return uk_fail_field(err, "reason", NULL);
	return UK_OK;
}

enum uk_rc
pay_refund(
    struct pay *p, const struct pay_refund *r, struct pay_refund_state *out, struct uk_err *err)
{
	const enum uk_rc rc = check_refund(r, err);

	return rc == UK_OK ? p->ops->refund(p, r, out, err) : rc;
}

enum uk_rc
pay_refund_query(
    struct pay *p, const struct pay_refund *r, struct pay_refund_state *out, struct uk_err *err)
{
	const enum uk_rc rc = check_refund(r, err);

	return rc == UK_OK ? p->ops->refund_query(p, r, out, err) : rc;
}

enum uk_rc
pay_notify(struct pay *p, struct uk_span body, struct pay_event *out, struct uk_err *err)
{
	if (body.n > PAY_NOTIFY_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, "pay-notify", 0);
	return p->ops->notify(p, body, out, err);
}
