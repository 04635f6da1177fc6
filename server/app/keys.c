#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/keys.h"

#define MASTER_LEN 32
#define JSON_MAX   (64u * 1024u)

char *
keys_path(const char *dir, const char *name)
{
	struct uk_buf b;

	uk_buf_init(&b, 8192);
	uk_buf_printf(&b, "%s/%s", dir, name);
	return uk_buf_steal_str(&b);
}

static enum uk_rc
make_key(const char *path, const char *what, const struct uk_random *random, struct uk_err *err)
{
	uint8_t key[MASTER_LEN];
	enum uk_rc rc;

	if (access(path, F_OK) == 0)
		return uk_fail(err, UK_E_CONFLICT, "already-there", what, 0);
	random->bytes(random->ctx, key, sizeof(key));
	rc = uk_file_write(path, 0600, uk_span(key, sizeof(key)), err);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

enum uk_rc
keys_master_make(const char *dir, const struct uk_random *random, struct uk_err *err)
{
	char *path = keys_path(dir, "master.key");
	const enum uk_rc rc = make_key(path, "master.key", random, err);

	free(path);
	return rc;
}

enum uk_rc
keys_km_make(const char *path, const struct uk_random *random, struct uk_err *err)
{
	return make_key(path, "km.key", random, err);
}

enum uk_rc
keys_master_read(const char *dir, struct uk_secret **out, struct uk_err *err)
{
	char *path = keys_path(dir, "master.key");
	struct uk_buf b;
	enum uk_rc rc;

	uk_buf_init(&b, 8192);
	rc = uk_file_read(path, MASTER_LEN, &b, err);
	if (rc == UK_OK && b.n != MASTER_LEN)
		rc = uk_fail(err, UK_E_INTEGRITY, NULL, "master.key", (long)b.n);
	if (rc == UK_OK)
		*out = uk_secret_new(uk_buf_span(&b));
	uk_buf_fini(&b);
	free(path);
	return rc;
}

/* Takes the reference. */
static enum uk_rc
json_write(const char *dir, const char *name, unsigned mode, json_t *value, struct uk_err *err)
{
	char *path = keys_path(dir, name);
	struct uk_buf b;
	enum uk_rc rc;

	uk_buf_init(&b, JSON_MAX);
	rc = uk_json_put(&b, value);
	uk_buf_put_u8(&b, '\n');
	if (rc == UK_OK)
		rc = uk_file_write(path, mode, uk_buf_span(&b), err);
	uk_buf_fini(&b);
	free(path);
	json_decref(value);
	return rc;
}

enum uk_rc
keys_ticket_make(const char *dir, struct uk_err *err)
{
	struct uk_jwk *key = NULL;
	enum uk_rc rc;

	if ((rc = uk_jwk_new(&key, err)) != UK_OK)
		return rc;
	rc = json_write(dir, "ticket.jwk", 0600, uk_jwk_private(key), err);
	if (rc == UK_OK)
		rc = json_write(dir, "ticket-public.jwk", 0644, uk_jwk_public(key), err);
	uk_jwk_free(&key);
	return rc;
}

enum uk_rc
keys_private(const char *path, unsigned others, const char *reason, struct uk_err *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & others) != 0)
		return uk_fail(err, UK_E_DENIED, reason, "stat", (long)(st.st_mode & 0777));
	return UK_OK;
}

enum uk_rc
keys_json_read(const char *path, json_t **out, struct uk_err *err)
{
	struct uk_buf b;
	enum uk_rc rc;

	uk_buf_init(&b, JSON_MAX + 4096);
	rc = uk_file_read(path, JSON_MAX, &b, err);
	if (rc == UK_OK)
		rc = uk_json_parse(uk_buf_span(&b), JSON_MAX, out, err);
	uk_buf_fini(&b);
	return rc;
}

enum uk_rc
keys_ticket_read(const char *dir, struct uk_jwk **out, struct uk_err *err)
{
	char *path = keys_path(dir, "ticket.jwk");
	json_t *jwk = NULL;
	enum uk_rc rc;

	rc = keys_private(path, 077, "ticket-key-not-private", err);
	if (rc == UK_OK)
		rc = keys_json_read(path, &jwk, err);
	if (rc == UK_OK)
		rc = uk_jwk_from_json(jwk, out, err);
	uk_json_wipe(jwk);
	json_decref(jwk);
	free(path);
	return rc;
}
