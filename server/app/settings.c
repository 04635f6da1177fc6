#include <stdio.h>
#include <string.h>

#include "app/keys.h"
#include "app/settings.h"

#define TICKET_AUTH_MAX 32

#define AT(member) .offset = offsetof(struct settings, member)
#define TEXT       .type = UK_C_STR, .max = 4096
#define FILE_PATH  .type = UK_C_PATH, .max = 4096

static const struct uk_option options[] = {
	{ .key = "listen",
	    TEXT,
	    .dflt = "127.0.0.1:8600",
	    AT(listen),
	    .help = "address:port, or the path of a unix socket" },
	{ .key = "origin",
	    TEXT,
	    .dflt = NULL,
	    .min = 8,
	    AT(origin),
	    .help = "what browsers call this server: https://ukey.example.cn" },
	{ .key = "proxied",
	    .type = UK_C_BOOL,
	    .dflt = "false",
	    AT(proxied),
	    .help = "behind our own proxy, which sets X-Real-IP" },
	{ .key = "name", TEXT, .dflt = NULL, .min = 1, AT(name), .help = "the CA's name" },
	{ .key = "service-phone",
	    TEXT,
	    .dflt = "",
	    AT(service_phone),
	    .help = "shown where a customer may need help" },
	{ .key = "portal",
	    FILE_PATH,
	    .dflt = "",
	    AT(portal),
	    .help = "folder of the built pages; empty: no pages" },
	{ .key = "photo-program",
	    FILE_PATH,
	    .dflt = "",
	    AT(photo_program),
	    .help = "ukey-photo; empty: beside ukey-ca" },
	{ .key = "database",
	    FILE_PATH,
	    .dflt = "ukey-ca.db",
	    AT(database),
	    .help = "the database's file" },
	{ .key = "ca-dir",
	    FILE_PATH,
	    .dflt = ".",
	    AT(ca_dir),
	    .help = "folder with root.cer, issuer.cer, issuer.key, master.key, ticket.jwk" },
	{ .key = "calendar",
	    FILE_PATH,
	    .dflt = "",
	    AT(calendar),
	    .help = "China's working days, JSON; empty: the list of this version" },
	{ .key = "km-key",
	    FILE_PATH,
	    .dflt = "km.key",
	    AT(km_key),
	    .help = "key of the key management, for the private keys of encryption certificates" },
	{ .key = "log-level",
	    TEXT,
	    .dflt = "info",
	    AT(log_level),
	    .help = "error, warn, info or debug" },
	{ .key = "clock-file",
	    FILE_PATH,
	    .dflt = "",
	    AT(clock_file),
	    .help = "tests only: file with seconds to add to the time; needs development" },
	{ .key = "development",
	    .type = UK_C_BOOL,
	    .dflt = "false",
	    AT(development),
	    .help = "plain http, and clock-file, are accepted" },
	{ .key = "workers",
	    .type = UK_C_INT,
	    .dflt = "4",
	    .min = 1,
	    .max = 64,
	    AT(workers),
	    .help = "threads that answer requests" },
	{ .key = "device-auth-secret",
	    TEXT,
	    .dflt = "",
	    AT(device_auth_secret),
	    .help =
		"production: device authentication key of blank SKF keys, as their maker gave it" },
	{ .key = "price-unit-new",
	    .type = UK_C_INT,
	    .dflt = "20000",
	    .min = 1,
	    .max = 100000000,
	    AT(price_unit_new),
	    .help = "fen" },
	{ .key = "price-person-new",
	    .type = UK_C_INT,
	    .dflt = "10000",
	    .min = 1,
	    .max = 100000000,
	    AT(price_person_new),
	    .help = "fen" },
	{ .key = "price-unit-renewal",
	    .type = UK_C_INT,
	    .dflt = "20000",
	    .min = 1,
	    .max = 100000000,
	    AT(price_unit_renewal),
	    .help = "fen" },
	{ .key = "price-person-renewal",
	    .type = UK_C_INT,
	    .dflt = "10000",
	    .min = 1,
	    .max = 100000000,
	    AT(price_person_renewal),
	    .help = "fen" },
	{ .key = "price-unit-replacement",
	    .type = UK_C_INT,
	    .dflt = "10000",
	    .min = 1,
	    .max = 100000000,
	    AT(price_unit_replacement),
	    .help = "fen" },
	{ .key = "price-person-replacement",
	    .type = UK_C_INT,
	    .dflt = "5000",
	    .min = 1,
	    .max = 100000000,
	    AT(price_person_replacement),
	    .help = "fen" },
	{ .key = "remittance-account",
	    TEXT,
	    .dflt = "",
	    AT(remittance_account),
	    .help = "where the fee for a unit's replacement is remitted to" },
	{ .key = "remittance-bank", TEXT, .dflt = "", AT(remittance_bank), .help = "its bank" },
	{ .key = "remittance-name",
	    TEXT,
	    .dflt = "",
	    AT(remittance_name),
	    .help = "its holder; empty: the CA's name" },
	{ .key = "staff-idle",
	    .type = UK_C_INT,
	    .dflt = "1800",
	    .min = 60,
	    .max = 86400,
	    AT(staff_idle),
	    .help = "seconds without a request until a staff session ends" },
	{ .key = "staff-session",
	    .type = UK_C_INT,
	    .dflt = "36000",
	    .min = 60,
	    .max = 86400,
	    AT(staff_session),
	    .help = "seconds until a staff session ends in any case" },
	{ .key = "alipay-gateway", TEXT, .dflt = "", AT(alipay_gateway), .help = "Alipay: URL" },
	{ .key = "alipay-app-id", TEXT, .dflt = "", AT(alipay_app_id), .help = "Alipay: app_id" },
	{ .key = "alipay-seller-id",
	    TEXT,
	    .dflt = "",
	    AT(alipay_seller_id),
	    .help = "Alipay: our seller id" },
	{ .key = "alipay-private-key",
	    TEXT,
	    .dflt = "",
	    AT(alipay_private_key),
	    .help = "Alipay: our private key, PEM or base64" },
	{ .key = "alipay-public-key",
	    TEXT,
	    .dflt = "",
	    AT(alipay_public_key),
	    .help = "Alipay: Alipay's public key, PEM or base64" },
	{ .key = "sms-url", TEXT, .dflt = "", AT(sms_url), .help = "messages: URL" },
	{ .key = "sms-access-key",
	    TEXT,
	    .dflt = "",
	    AT(sms_access_key),
	    .help = "messages: access key" },
	{ .key = "sms-secret", TEXT, .dflt = "", AT(sms_secret), .help = "messages: secret" },
	{ .key = "sms-sign",
	    TEXT,
	    .dflt = "",
	    AT(sms_sign),
	    .help = "messages: the name in front of each" },
	{ .key = "mail-url",
	    TEXT,
	    .dflt = "",
	    AT(mail_url),
	    .help = "e-mail: smtps://host, or smtp://host:port with STARTTLS" },
	{ .key = "mail-from",
	    TEXT,
	    .dflt = "",
	    AT(mail_from),
	    .help = "e-mail: the sender's address" },
	{ .key = "mail-user", TEXT, .dflt = "", AT(mail_user), .help = "e-mail: log-in name" },
	{ .key = "mail-secret", TEXT, .dflt = "", AT(mail_secret), .help = "e-mail: password" },
	{ .key = "sms-templates",
	    TEXT,
	    .dflt = "",
	    AT(sms_templates),
	    .help = "messages: the provider's codes for our texts: code=SMS_1,password=SMS_2; "
		    "those not named have the sandbox's" },
	{ .key = "identity-url",
	    TEXT,
	    .dflt = "",
	    AT(identity_url),
	    .help = "identity checks: URL" },
	{ .key = "identity-access-key",
	    TEXT,
	    .dflt = "",
	    AT(identity_access_key),
	    .help = "identity checks: access key" },
	{ .key = "identity-secret",
	    TEXT,
	    .dflt = "",
	    AT(identity_secret),
	    .help = "identity checks: secret" },
	{ .key = "bank-url", TEXT, .dflt = "", AT(bank_url), .help = "bank: URL" },
	{ .key = "bank-key-id",
	    TEXT,
	    .dflt = "ukey-ca",
	    AT(bank_key_id),
	    .help = "bank: name of the key" },
	{ .key = "bank-key", TEXT, .dflt = "", AT(bank_key), .help = "bank: key in hex" },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static enum uk_rc
wrong(struct uk_err *err, const char *key, const char *why)
{
	(void)fprintf(stderr, "%s: %s\n", key, why);
	return uk_fail_field(err, key, NULL);
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Passwords, codes and identity numbers go there. */
static enum uk_rc
check_outside(const struct settings *s, struct uk_err *err)
{
	const struct {
		const char *key;
		const char *url;
	} urls[] = {
		{ "alipay-gateway", s->alipay_gateway },
		{ "sms-url", s->sms_url },
		{ "identity-url", s->identity_url },
		{ "bank-url", s->bank_url },
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (*urls[i].url != '\0' && !begins(urls[i].url, "https://") && !s->development)
			return wrong(err, urls[i].key, "https://… is needed");
	return UK_OK;
}

/* What goes beyond the type of one key. */
static enum uk_rc
check(const struct settings *s, struct uk_err *err)
{
	if (!begins(s->origin, "https://") && !(s->development && begins(s->origin, "http://")))
		return wrong(err, "origin", "https://… is needed (http:// with development)");
	if (strchr(strstr(s->origin, "://") + 3, '/') != NULL)
		return wrong(err, "origin", "ends after the host and port");
	if (*s->clock_file != '\0' && !s->development)
		return wrong(err, "clock-file", "is for tests: it needs development");
	if (strlen(s->device_auth_secret) > TICKET_AUTH_MAX)
		return wrong(err, "device-auth-secret", "16 bytes, or 32 hex digits");
	return check_outside(s, err);
}

/* uk_config_load() says that there is one, not which. */
static void
name_unknown(const char *path)
{
	json_t *object = NULL;
	const char *key;
	json_t *value;

	if (keys_json_read(path, &object, NULL) != UK_OK)
		return;
	json_object_foreach(object, key, value)
	{
		if (settings_key(key) == NULL)
			(void)fprintf(stderr, "%s: no such key: %s\n", path, key);
	}
	json_decref(object);
}

enum uk_rc
settings_load(const char *path, struct settings *out, struct uk_err *err)
{
	struct settings s = { 0 };
	enum uk_rc rc;

	/* It carries the providers' secrets; a group may be the server's own. */
	if ((rc = keys_private(path, 07, "config-not-private", err)) != UK_OK)
		return rc;
	rc = uk_config_load(options, N_OPTIONS, path, &s, err);
	if (rc != UK_OK && strcmp(uk_err_reason(err), "unknown-member") == 0)
		name_unknown(path);
	if (rc != UK_OK) {
		(void)fprintf(stderr, "%s: %s%s%s\n", path, uk_err_reason(err),
		    err->field != NULL ? ": " : "", err->field != NULL ? err->field : "");
		return rc;
	}
	if ((rc = check(&s, err)) != UK_OK) {
		settings_fini(&s);
		return rc;
	}
	*out = s;
	return UK_OK;
}

void
settings_fini(struct settings *s)
{
	uk_config_fini(options, N_OPTIONS, s);
}

/* Keys and secrets are shown as set or not set. */
static bool
hidden(const char *key)
{
	return strstr(key, "secret") != NULL || strstr(key, "private-key") != NULL ||
	       strcmp(key, "bank-key") == 0;
}

void
settings_print(const struct settings *s, struct uk_buf *out)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const char *v;

		if (!hidden(options[i].key)) {
			uk_config_print(&options[i], 1, s, out);
			continue;
		}
		memcpy(&v, (const char *)s + options[i].offset, sizeof(v));
		uk_buf_printf(out, "# %s\n%s = %s\n", options[i].help, options[i].key,
		    v != NULL && *v != '\0' ? "(set)" : "(not set)");
	}
}

const char *
settings_key(const char *key)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strcmp(options[i].key, key) == 0)
			return options[i].key;
	return NULL;
}
