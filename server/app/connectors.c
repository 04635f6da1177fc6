#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/connectors.h"
#include "app/keys.h"
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
		.templates = *s->sms_templates != '\0' ? s->sms_templates : NULL,
		.http = c->http,
		.clock = &uk_clock_system,
		.random = &b->random },
	    &c->sms, err);
}

static enum uk_rc
open_mail(struct connectors *c, const struct base *b, struct uk_err *err)
{
	const struct settings *s = &b->settings;

	if (*s->mail_url == '\0')
		return UK_OK;
	c->mail_setup = (struct mail_setup){
		.smtp = { .url = s->mail_url, .user = s->mail_user, .password = s->mail_secret },
		.from = s->mail_from,
		.name = s->name,
		.clock = &b->clock,
	};
	c->mail = &c->mail_setup;
	return mail_check(c->mail, err);
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

/* ukey-photo stands beside this program unless the settings say otherwise. */
static enum uk_rc
find_photo_program(struct connectors *c, const struct base *b, struct uk_err *err)
{
	char self[1024];
	ssize_t n;

	if (*b->settings.photo_program != '\0') {
		c->photo_program = uk_xstrdup(b->settings.photo_program);
	} else {
		n = readlink("/proc/self/exe", self, sizeof(self) - 1);
		self[n > 0 ? n : 0] = '\0';
		c->photo_program = keys_path(dirname(self), "ukey-photo");
	}
	if (access(c->photo_program, X_OK) != 0)
		return uk_fail(err, UK_E_NOT_FOUND, "photo-program", "connectors", errno);
	return UK_OK;
}

/* A connector names what is wrong as its setup does: "app_id" is our "alipay-app-id". */
static enum uk_rc
name_key(const char *prefix, enum uk_rc rc, struct uk_err *err)
{
	struct uk_buf key;

	if (rc == UK_OK || err->field == NULL)
		return rc;
	uk_buf_init(&key, 128);
	uk_buf_printf(&key, "%s-%s", prefix, err->field);
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] == '_')
			key.p[i] = '-';
	if (uk_buf_str(&key) != NULL && settings_key(uk_buf_str(&key)) != NULL)
		err->field = settings_key(uk_buf_str(&key));
	uk_buf_fini(&key);
	return rc;
}

/* The outside world keeps the real time, whatever a test does to ours. */
enum uk_rc
connectors_open(struct connectors *c, const struct base *b, struct uk_err *err)
{
	enum uk_rc rc;

	*c = (struct connectors){ .http = http_client_new(NULL) };
	if ((rc = name_key("alipay", open_pay(c, b, err), err)) != UK_OK ||
	    (rc = name_key("bank", open_bank(c, b, err), err)) != UK_OK ||
	    (rc = name_key("sms", open_sms(c, b, err), err)) != UK_OK ||
	    (rc = name_key("mail", open_mail(c, b, err), err)) != UK_OK ||
	    (rc = name_key("identity", open_ident(c, b, err), err)) != UK_OK ||
	    (rc = find_photo_program(c, b, err)) != UK_OK)
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
	free(c->photo_program);
	c->photo_program = NULL;
}
