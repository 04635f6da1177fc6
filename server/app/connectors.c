#include "app/connectors.h"
#include "identity/identity.h"
#include "net/client.h"
#include "notify/notify.h"
#include "pay/bank.h"
#include "pay/pay.h"

static enum uk_rc
open_pay(struct connectors *c, const struct base *b, struct uk_err *err)
{
	const struct settings *s = &b->settings;

	if (*s->alipay_gateway == '\0')
		return UK_OK;
	return pay_open("alipay",
	    &(struct pay_setup){ .gateway = s->alipay_gateway,
		.app_id = s->alipay_app_id,
		.seller_id = s->alipay_seller_id,
		.private_key = s->alipay_private_key,
		.public_key = s->alipay_public_key,
		.http = c->http,
		.clock = &uk_clock_system },
	    &c->pay, err);
}

static enum uk_rc
open_bank(struct connectors *c, const struct base *b, struct uk_err *err)
{
	const struct settings *s = &b->settings;

	if (*s->bank_url == '\0')
		return UK_OK;
	return bank_open("gateway",
	    &(struct bank_setup){ .url = s->bank_url,
		.key_id = s->bank_key_id,
		.key = s->bank_key,
		.http = c->http,
		.clock = &uk_clock_system,
		.random = &b->random },
	    &c->bank, err);
}

static enum uk_rc
open_sms(struct connectors *c, const struct base *b, struct uk_err *err)
{
	const struct settings *s = &b->settings;

	if (*s->sms_url == '\0')
		return UK_OK;
	return sms_open("aliyun",
	    &(struct sms_setup){ .url = s->sms_url,
		.access_key = s->sms_access_key,
		.secret = s->sms_secret,
		.sign = s->sms_sign,
		.http = c->http,
		.clock = &uk_clock_system,
		.random = &b->random },
	    &c->sms, err);
}

static enum uk_rc
open_ident(struct connectors *c, const struct base *b, struct uk_err *err)
{
	const struct settings *s = &b->settings;

	if (*s->identity_url == '\0')
		return UK_OK;
	return ident_open("aliyun",
	    &(struct ident_setup){ .url = s->identity_url,
		.access_key = s->identity_access_key,
		.secret = s->identity_secret,
		.bank = c->bank,
		.http = c->http,
		.clock = &uk_clock_system,
		.random = &b->random },
	    &c->ident, err);
}

/* The outside world keeps the real time, whatever a test does to ours. */
enum uk_rc
connectors_open(struct connectors *c, const struct base *b, struct uk_err *err)
{
	enum uk_rc rc;

	*c = (struct connectors){ .http = http_client_new(NULL) };
	if ((rc = open_pay(c, b, err)) != UK_OK || (rc = open_bank(c, b, err)) != UK_OK ||
	    (rc = open_sms(c, b, err)) != UK_OK || (rc = open_ident(c, b, err)) != UK_OK)
		connectors_close(c);
	return rc;
}

void
connectors_close(struct connectors *c)
{
	ident_close(&c->ident);
	sms_close(&c->sms);
	bank_close(&c->bank);
	pay_close(&c->pay);
	http_client_free(&c->http);
}
