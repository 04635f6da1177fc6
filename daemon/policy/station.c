#include "policy/paths.h"
#include "policy/station.h"
#include "uk/config.h"

#define KEY_MAX 4096

enum uk_rc
station_load(const char *path, struct uk_jwk **out, struct uk_err *err)
{
	json_t *jwk = NULL;
	struct uk_buf text;
	enum uk_rc rc;

	uk_buf_init(&text, 2 * KEY_MAX);
	if ((rc = uk_file_read(path, KEY_MAX, &text, err)) == UK_OK &&
	    (rc = uk_json_parse(uk_buf_span(&text), KEY_MAX, &jwk, err)) == UK_OK)
		rc = uk_jwk_from_json(jwk, out, err);
	if (jwk != NULL)
		uk_json_wipe(jwk);
	json_decref(jwk);
	uk_buf_fini(&text);
	return rc;
}

static enum uk_rc
save(const char *path, const struct uk_jwk *key, struct uk_err *err)
{
	json_t *jwk = uk_jwk_private(key);
	struct uk_buf text;
	enum uk_rc rc;

	uk_buf_init(&text, KEY_MAX);
	rc = uk_json_put(&text, jwk);
	if (rc == UK_OK)
		rc = uk_file_write(path, 0600, uk_buf_span(&text), err);
	uk_json_wipe(jwk);
	json_decref(jwk);
	uk_buf_fini(&text);
	return rc;
}

enum uk_rc
station_make(const char *path, struct uk_jwk **out, struct uk_err *err)
{
	struct uk_jwk *key = NULL;
	enum uk_rc rc = station_load(path, out, err);

	if (rc != UK_E_NOT_FOUND)
		return rc;
	if ((rc = path_make_folder(path, err)) != UK_OK || (rc = uk_jwk_new(&key, err)) != UK_OK)
		return rc;
	rc = save(path, key, err);
	if (rc == UK_OK)
		*out = key;
	else
		uk_jwk_free(&key);
	return rc;
}
