#include <assert.h>
#include <string.h>

#include "pay/bank.h"
#include "pay/bank_gateway.h"
#include "pay/bank_wire.h"

#define NAME_MAX_BYTES 256
#define REMARK_MAX     128

static const struct bank_ops *const connectors[] = { &bank_gateway_ops, NULL };

static const char *const status_names[] = {
	[BANK_ACCEPTED] = "accepted",
	[BANK_PAID] = "paid",
	[BANK_BOUNCED] = "bounced",
};
static_assert(sizeof(status_names) / sizeof(status_names[0]) == BANK_STATUS__MAX, "names");

const char *
bank_status_name(enum bank_status s)
{
	return (unsigned)s < BANK_STATUS__MAX ? status_names[s] : "";
}

enum uk_rc
bank_open(const char *name, const struct bank_setup *setup, struct bank **out, struct uk_err *err)
{
	for (size_t i = 0; connectors[i] != NULL; i++)
		if (strcmp(connectors[i]->name, name) == 0)
			return connectors[i]->open(setup, out, err);
	return uk_fail(err, UK_E_NOT_FOUND, "no-such-provider", "bank", 0);
}

void
bank_close(struct bank **b)
{
	if (b == NULL || *b == NULL)
		return;
	(*b)->ops->close(*b);
	*b = NULL;
}

static bool
name_ok(const char *s)
{
	return s != NULL && *s != '\0' && strlen(s) <= NAME_MAX_BYTES;
}

enum uk_rc
bank_transfer(
    struct bank *b, const struct bank_transfer *t, struct bank_result *out, struct uk_err *err)
{
	if (t->id == NULL || !bank_id_valid(t->id))
		return uk_fail_field(err, "id", NULL);
	if (t->account == NULL || !bank_account_valid(t->account))
		return uk_fail_field(err, "account", NULL);
	if (!name_ok(t->holder))
		return uk_fail_field(err, "holder", NULL);
	if (t->amount <= 0)
		return uk_fail_field(err, "amount", NULL);
	if (t->remark == NULL || uk_secret_lend(t->remark).n == 0 ||
	    uk_secret_lend(t->remark).n > REMARK_MAX)
		return uk_fail_field(err, "remark", NULL);
	if (t->notify_url == NULL)
		return uk_fail_field(err, "notify_url", "missing");
	return b->ops->transfer(b, t, out, err);
}

enum uk_rc
bank_query(struct bank *b, const char *id, struct bank_result *out, struct uk_err *err)
{
	if (id == NULL || !bank_id_valid(id))
		return uk_fail_field(err, "id", NULL);
	return b->ops->query(b, id, out, err);
}

enum uk_rc
bank_owner(struct bank *b, const char *account, const char *bank, const char *holder,
    enum bank_owner *out, char reference[BANK_REF_LEN], struct uk_err *err)
{
	if (account == NULL || !bank_account_valid(account))
		return uk_fail_field(err, "account", NULL);
	if (!name_ok(holder))
		return uk_fail_field(err, "holder", NULL);
	return b->ops->owner(b, account, bank != NULL ? bank : "", holder, out, reference, err);
}

enum uk_rc
bank_notify(struct bank *b, const char *signature, struct uk_span body, struct bank_result *out,
    struct uk_err *err)
{
	if (body.n > BANK_NOTIFY_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, "bank-notify", 0);
	return b->ops->notify(b, signature, body, out, err);
}
