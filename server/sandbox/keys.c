#include <stdlib.h>
#include <string.h>

#include "sandbox/keys.h"
#include "uk/b64.h"
#include "uk/config.h"
#include "uk/json.h"

#define FILE_MAX  (64u * 1024u)
#define SIGN_NAME "电子认证"

static json_t *
text(struct uk_buf *b)
{
	json_t *v = json_string(uk_buf_str(b));

	uk_buf_fini(b);
	return v;
}

static enum uk_rc
add_pair(json_t *o, const char *private_name, const char *public_name, struct uk_err *err)
{
	struct uk_buf priv, pub;
	enum uk_rc rc;

	uk_buf_init(&priv, 8192);
	uk_buf_init(&pub, 8192);
	rc = rsa2_generate(&priv, &pub, err);
	if (rc == UK_OK) {
		(void)json_object_set_new(o, private_name, text(&priv));
		(void)json_object_set_new(o, public_name, text(&pub));
	}
	uk_buf_fini(&priv);
	uk_buf_fini(&pub);
	return rc;
}

static void
add_random(
    json_t *o, const char *name, const char *prefix, size_t n, const struct uk_random *random)
{
	char hex[65];
	struct uk_buf b;

	uk_random_hex(random, hex, n);
	uk_buf_init(&b, 128);
	uk_buf_printf(&b, "%s%s", prefix, hex);
	(void)json_object_set_new(o, name, text(&b));
}

static void
add_number(json_t *o, const char *name, const char *prefix, const struct uk_random *random)
{
	struct uk_buf b;

	uk_buf_init(&b, 64);
	uk_buf_printf(&b, "%s%06u%06u", prefix, uk_random_below(random, 1000000),
	    uk_random_below(random, 1000000));
	(void)json_object_set_new(o, name, text(&b));
}

static enum uk_rc
make(json_t *config, json_t *own, const struct uk_random *random, struct uk_err *err)
{
	enum uk_rc rc;

	if ((rc = add_pair(config, "alipay-private-key", "merchant-public-key", err)) != UK_OK ||
	    (rc = add_pair(own, "alipay-private-key", "alipay-public-key", err)) != UK_OK)
		return rc;
	/* Each side keeps its own private key and the other's public key. */
	(void)json_object_set(
	    own, "merchant-public-key", json_object_get(config, "merchant-public-key"));
	(void)json_object_del(config, "merchant-public-key");
	(void)json_object_set(
	    config, "alipay-public-key", json_object_get(own, "alipay-public-key"));
	(void)json_object_del(own, "alipay-public-key");
	add_number(config, "alipay-app-id", "9021", random);
	add_number(config, "alipay-seller-id", "2088", random);
	add_random(config, "sms-access-key", "LTAI", 8, random);
	add_random(config, "sms-secret", "", 15, random);
	(void)json_object_set_new(config, "sms-sign", json_string(SIGN_NAME));
	add_random(config, "identity-access-key", "LTAI", 8, random);
	add_random(config, "identity-secret", "", 15, random);
	add_random(config, "bank-key", "", 32, random);
	return UK_OK;
}

static void
set_url(json_t *config, const char *name, const char *base, const char *path)
{
	struct uk_buf b;

	uk_buf_init(&b, 256);
	uk_buf_printf(&b, "%s%s", base, path);
	(void)json_object_set_new(config, name, text(&b));
}

static enum uk_rc
save(const char *path, const json_t *all, struct uk_err *err)
{
	char *s = json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS);
	enum uk_rc rc;

	if (s == NULL)
		return uk_fail(err, UK_E_INTERNAL, NULL, "sandbox.json", 0);
	rc = uk_file_write(path, 0600, uk_span_str(s), err);
	explicit_bzero(s, strlen(s));
	free(s);
	return rc;
}

static enum uk_rc
load(const char *path, json_t **all, struct uk_err *err)
{
	struct uk_buf b;
	enum uk_rc rc;

	uk_buf_init(&b, FILE_MAX + 4096);
	rc = uk_file_read(path, FILE_MAX, &b, err);
	if (rc == UK_OK)
		rc = uk_json_parse(uk_buf_span(&b), FILE_MAX, all, err);
	uk_buf_fini(&b);
	return rc;
}

static bool
take(const json_t *o, const char *name, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(o, name));

	if (s == NULL || strlen(s) >= size)
		return false;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

static struct uk_secret *
secret(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL && *s != '\0' && strlen(s) <= UK_SECRET_MAX ? uk_secret_new(uk_span_str(s))
								     : NULL;
}

static struct uk_secret *
hex_secret(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	struct uk_secret *out = NULL;
	struct uk_buf raw;

	uk_buf_init(&raw, 128);
	if (s != NULL && uk_hex_get(&raw, s) == UK_OK && raw.n >= 32)
		out = uk_secret_new(uk_buf_span(&raw));
	uk_buf_fini(&raw);
	return out;
}

static enum uk_rc
read_keys(struct keys *k, const json_t *config, const json_t *own, struct uk_err *err)
{
	const char *alipay = json_string_value(json_object_get(own, "alipay-private-key"));
	const char *merchant = json_string_value(json_object_get(own, "merchant-public-key"));

	k->sms_secret = secret(config, "sms-secret");
	k->identity_secret = secret(config, "identity-secret");
	k->bank_key = hex_secret(config, "bank-key");
	if (alipay == NULL || merchant == NULL || k->sms_secret == NULL ||
	    k->identity_secret == NULL || k->bank_key == NULL ||
	    !take(config, "alipay-app-id", k->app_id, sizeof(k->app_id)) ||
	    !take(config, "alipay-seller-id", k->seller_id, sizeof(k->seller_id)) ||
	    !take(config, "sms-access-key", k->sms_access_key, sizeof(k->sms_access_key)) ||
	    !take(config, "sms-sign", k->sms_sign, sizeof(k->sms_sign)) ||
	    !take(config, "identity-access-key", k->identity_access_key,
		sizeof(k->identity_access_key)) ||
	    rsa2_key_new(alipay, &k->alipay, NULL) != UK_OK ||
	    rsa2_pubkey_new(merchant, &k->merchant, NULL) != UK_OK)
		return uk_fail(err, UK_E_INPUT, "sandbox-file-malformed", "sandbox.json", 0);
	return UK_OK;
}

static char *
path_dup(const char *dir)
{
	struct uk_buf path;

	uk_buf_init(&path, 4096);
	uk_buf_printf(&path, "%s/sandbox.json", dir);
	return uk_buf_steal_str(&path);
}

enum uk_rc
keys_open(struct keys *k, const char *dir, const struct uk_random *random, struct uk_err *err)
{
	char *path = path_dup(dir);
	json_t *all = NULL;
	enum uk_rc rc;

	if (path == NULL)
		return uk_fail(err, UK_E_LIMIT, NULL, "sandbox.json", 0);
	rc = load(path, &all, err);
	if (rc == UK_E_NOT_FOUND) {
		all = json_pack("{s:{}, s:{}}", "config", "private");
		rc = make(
		    json_object_get(all, "config"), json_object_get(all, "private"), random, err);
		if (rc == UK_OK)
			rc = save(path, all, err);
	}
	if (rc == UK_OK)
		rc = read_keys(
		    k, json_object_get(all, "config"), json_object_get(all, "private"), err);
	json_decref(all);
	free(path);
	return rc;
}

enum uk_rc
keys_publish(const char *dir, const char *base, int mail_port, struct uk_err *err)
{
	char *path = path_dup(dir);
	json_t *all = NULL, *config;
	char mail[40];
	enum uk_rc rc;

	if (path == NULL)
		return uk_fail(err, UK_E_LIMIT, NULL, "sandbox.json", 0);
	rc = load(path, &all, err);
	if (rc == UK_OK) {
		config = json_object_get(all, "config");
		set_url(config, "alipay-gateway", base, "/alipay/gateway.do");
		set_url(config, "sms-url", base, "/sms");
		set_url(config, "identity-url", base, "/identity");
		set_url(config, "bank-url", base, "/bank");
		(void)json_object_set_new(
		    config, "remittance-account", json_string("350000009999"));
		(void)json_object_set_new(
		    config, "remittance-bank", json_string("沙箱银行福州分行"));
		(void)snprintf(mail, sizeof(mail), "smtp://127.0.0.1:%d", mail_port);
		(void)json_object_set_new(config, "mail-url", json_string(mail));
		(void)json_object_set_new(config, "mail-from", json_string("no-reply@ca.example"));
		rc = save(path, all, err);
	}
	json_decref(all);
	free(path);
	return rc;
}

void
keys_fini(struct keys *k)
{
	rsa2_key_free(&k->alipay);
	uk_pubkey_free(&k->merchant);
	uk_secret_free(&k->sms_secret);
	uk_secret_free(&k->identity_secret);
	uk_secret_free(&k->bank_key);
}
