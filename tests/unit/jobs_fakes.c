#include <stdio.h>
#include <string.h>

#include "jobs_fakes.h"

#define COPY(to, s) (void)snprintf((to), sizeof(to), "%s", (s) != NULL ? (s) : "")

static enum uk_rc
no_open_pay(const struct pay_setup *setup, struct pay **out, struct uk_err *err)
{
	(void)setup;
	(void)out;
	return uk_fail(err, UK_E_UNSUPPORTED, NULL, "fake", 0);
}

static void
no_close_pay(struct pay *p)
{
	(void)p;
}

static enum uk_rc
no_create(struct pay *p, const struct pay_order *o, struct uk_buf *url, struct uk_err *err)
{
	(void)p;
	(void)o;
	(void)url;
	return uk_fail(err, UK_E_UNSUPPORTED, NULL, "fake", 0);
}

static enum uk_rc
pay_fake_query(struct pay *base, const char *no, struct pay_trade *out, struct uk_err *err)
{
	struct fake_pay *p = (struct fake_pay *)base;

	p->queries++;
	if (p->rc != UK_OK)
		return uk_fail(err, p->rc, NULL, "fake", 0);
	if (!p->known)
		return uk_fail(err, UK_E_NOT_FOUND, "trade-not-found", "fake", 0);
	*out = (struct pay_trade){ .amount = p->amount, .status = p->status, .paid_at = 1 };
	COPY(out->out_trade_no, no);
	COPY(out->trade_no, "2026112200001");
	return UK_OK;
}

static enum uk_rc
pay_fake_close(struct pay *base, const char *no, struct uk_err *err)
{
	struct fake_pay *p = (struct fake_pay *)base;

	(void)no;
	p->closes++;
	if (p->status != PAY_WAITING)
		return uk_fail(err, UK_E_CONFLICT, NULL, "fake", 0);
	p->status = PAY_CLOSED;
	return UK_OK;
}

static enum uk_rc
pay_fake_refund(
    struct pay *base, const struct pay_refund *r, struct pay_refund_state *out, struct uk_err *err)
{
	struct fake_pay *p = (struct fake_pay *)base;

	p->refunds++;
	COPY(p->refund_no, r->refund_no);
	p->refund_amount = r->amount;
	if (p->refund_rc != UK_OK)
		return uk_fail(err, p->refund_rc, NULL, "fake", 0);
	*out = (struct pay_refund_state){ .done = p->refund_done, .amount = r->amount };
	return UK_OK;
}

static enum uk_rc
pay_fake_refund_query(
    struct pay *base, const struct pay_refund *r, struct pay_refund_state *out, struct uk_err *err)
{
	(void)err;
	*out = (struct pay_refund_state){ .done = ((struct fake_pay *)base)->refund_done,
		.amount = r->amount };
	return UK_OK;
}

static enum uk_rc
no_pay_notify(struct pay *p, struct uk_span body, struct pay_event *out, struct uk_err *err)
{
	(void)p;
	(void)body;
	(void)out;
	return uk_fail(err, UK_E_UNSUPPORTED, NULL, "fake", 0);
}

static const struct pay_ops pay_fake = {
	.name = "fake",
	.open = no_open_pay,
	.close = no_close_pay,
	.create = no_create,
	.query = pay_fake_query,
	.close_trade = pay_fake_close,
	.refund = pay_fake_refund,
	.refund_query = pay_fake_refund_query,
	.notify = no_pay_notify,
};

void
fake_pay_init(struct fake_pay *p)
{
	*p = (struct fake_pay){ .base.ops = &pay_fake, .amount = 20000, .refund_done = true };
}

static enum uk_rc
no_open_sms(const struct sms_setup *setup, struct sms **out, struct uk_err *err)
{
	(void)setup;
	(void)out;
	return uk_fail(err, UK_E_UNSUPPORTED, NULL, "fake", 0);
}

static void
no_close_sms(struct sms *s)
{
	(void)s;
}

static enum uk_rc
sms_fake_send(struct sms *base, const char *phone, enum sms_template template,
    const struct sms_pair *pairs, size_t n, const char *out_id, struct sms_result *out,
    struct uk_err *err)
{
	struct fake_sms *s = (struct fake_sms *)base;
	size_t at = 0;

	(void)out_id;
	(void)err;
	s->sent++;
	COPY(s->phone, phone);
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(
		    s->text + at, sizeof(s->text) - at, "%s=%s;", pairs[i].name, pairs[i].value);
	if (template == SMS_PASSWORD) {
		COPY(s->password, pairs[0].value);
		COPY(s->to, phone);
	}
	(void)snprintf(s->seen + strlen(s->seen), sizeof(s->seen) - strlen(s->seen), "%s ",
	    sms_template_name(template));
	if (s->before != NULL)
		s->before(s);
	*out = (struct sms_result){ .outcome = s->outcome, .error = s->error, .reference = "R1" };
	return UK_OK;
}

static const struct sms_ops sms_fake = {
	.name = "fake",
	.open = no_open_sms,
	.close = no_close_sms,
	.send = sms_fake_send,
};

void
fake_sms_init(struct fake_sms *s)
{
	*s = (struct fake_sms){ .base.ops = &sms_fake, .outcome = SMS_SENT, .error = "" };
}

static enum uk_rc
no_open_bank(const struct bank_setup *setup, struct bank **out, struct uk_err *err)
{
	(void)setup;
	(void)out;
	return uk_fail(err, UK_E_UNSUPPORTED, NULL, "fake", 0);
}

static void
no_close_bank(struct bank *b)
{
	(void)b;
}

static void
bank_result(const struct fake_bank *b, struct bank_result *out)
{
	*out = (struct bank_result){ .status = b->status, .reference = "B1" };
	COPY(out->id, b->id);
	COPY(out->reason, b->reason);
}

static enum uk_rc
bank_fake_transfer(
    struct bank *base, const struct bank_transfer *t, struct bank_result *out, struct uk_err *err)
{
	struct fake_bank *b = (struct fake_bank *)base;
	const struct uk_span remark = uk_secret_lend(t->remark);

	(void)err;
	b->transfers++;
	b->known = true;
	COPY(b->id, t->id);
	COPY(b->account, t->account);
	COPY(b->holder, t->holder);
	(void)snprintf(b->remark, sizeof(b->remark), "%.*s", (int)remark.n, (const char *)remark.p);
	b->amount = t->amount;
	bank_result(b, out);
	return UK_OK;
}

static enum uk_rc
bank_fake_query(struct bank *base, const char *id, struct bank_result *out, struct uk_err *err)
{
	struct fake_bank *b = (struct fake_bank *)base;

	(void)id;
	b->queries++;
	if (!b->known)
		return uk_fail(err, UK_E_NOT_FOUND, NULL, "fake", 0);
	bank_result(b, out);
	return UK_OK;
}

static enum uk_rc
no_owner(struct bank *b, const char *account, const char *bank, const char *holder,
    enum bank_owner *out, char reference[BANK_REF_LEN], struct uk_err *err)
{
	(void)b;
	(void)account;
	(void)bank;
	(void)holder;
	(void)out;
	(void)reference;
	return uk_fail(err, UK_E_UNSUPPORTED, NULL, "fake", 0);
}

static enum uk_rc
no_bank_notify(struct bank *b, const char *signature, struct uk_span body, struct bank_result *out,
    struct uk_err *err)
{
	(void)b;
	(void)signature;
	(void)body;
	(void)out;
	return uk_fail(err, UK_E_UNSUPPORTED, NULL, "fake", 0);
}

static const struct bank_ops bank_fake = {
	.name = "fake",
	.open = no_open_bank,
	.close = no_close_bank,
	.transfer = bank_fake_transfer,
	.query = bank_fake_query,
	.owner = no_owner,
	.notify = no_bank_notify,
};

void
fake_bank_init(struct fake_bank *b)
{
	*b = (struct fake_bank){ .base.ops = &bank_fake, .status = BANK_ACCEPTED };
}

static enum uk_rc
no_open_ident(const struct ident_setup *setup, struct ident **out, struct uk_err *err)
{
	(void)setup;
	(void)out;
	return uk_fail(err, UK_E_UNSUPPORTED, NULL, "fake", 0);
}

static void
no_close_ident(struct ident *i)
{
	(void)i;
}

static enum uk_rc
ident_fake_check(struct ident *base, enum ident_method method, const struct ident_subject *subject,
    struct ident_result *out, struct uk_err *err)
{
	struct fake_ident *i = (struct fake_ident *)base;

	(void)method;
	i->checks++;
	COPY(i->card, subject->card);
	COPY(i->phone, subject->phone);
	if (i->rc != UK_OK)
		return uk_fail(err, i->rc, NULL, "fake", 0);
	*out =
	    (struct ident_result){ .outcome = i->outcome, .part = "person", .evidence = "Fake=1" };
	return UK_OK;
}

static const struct ident_ops ident_fake = {
	.name = "fake",
	.open = no_open_ident,
	.close = no_close_ident,
	.check = ident_fake_check,
};

void
fake_ident_init(struct fake_ident *i)
{
	*i = (struct fake_ident){ .base.ops = &ident_fake, .outcome = IDENT_MATCH };
}
