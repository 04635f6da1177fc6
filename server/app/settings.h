/* The configuration of ukey-ca: one flat JSON object, every key in one table. */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include <stdint.h>

#include "uk/config.h"

struct settings {
	char *listen;
	char *origin;
	bool proxied;
	char *name;
	char *service_phone;
	char *portal;
	char *photo_program;
	char *database;
	char *ca_dir;
	char *calendar;
	char *km_key;
	char *log_level;
	char *clock_file;
	bool development;
	int64_t workers;
	char *device_auth_secret;
	int64_t price_unit_new;
	int64_t price_person_new;
	int64_t price_unit_renewal;
	int64_t price_person_renewal;
	int64_t price_unit_replacement;
	int64_t price_person_replacement;
	char *remittance_account;
	char *remittance_bank;
	char *remittance_name;
	int64_t staff_idle;
	int64_t staff_session;

	char *alipay_gateway;
	char *alipay_app_id;
	char *alipay_seller_id;
	char *alipay_private_key;
	char *alipay_public_key;
	char *sms_url;
	char *sms_access_key;
	char *sms_secret;
	char *sms_sign;
	char *mail_url;
	char *mail_from;
	char *mail_user;
	char *mail_secret;
	char *sms_templates;
	char *identity_url;
	char *identity_access_key;
	char *identity_secret;
	char *bank_url;
	char *bank_key_id;
	char *bank_key;
};

/* Reads the file; what is wrong with it is said on standard error. */
UK_CHECK enum uk_rc settings_load(const char *path, struct settings *out, struct uk_err *err);
void settings_fini(struct settings *s);
void settings_print(const struct settings *s, struct uk_buf *out);

/* The key as the table has it; NULL for one that is not there. */
const char *settings_key(const char *key);

#endif
