#include <stdlib.h>
#include <string.h>

#include "km/km.h"

#define PRIVATE_MAX 64u

struct km {
	struct crypt *crypt; /* under km.key */
	const struct uk_random *random;
};

/* crypt_open() speaks of the master key. */
static enum uk_rc
name_key(enum uk_rc rc, struct uk_err *err)
{
	if (rc == UK_E_DENIED)
		return uk_fail(err, rc, "km-key-not-private", "km", 0);
	if (rc == UK_E_INPUT)
		return uk_fail(err, rc, "km-key-length", "km", 0);
	return uk_fail(err, rc, "km-key-missing", "km", 0);
}

enum uk_rc
km_open(const char *path, const struct uk_random *random, struct km **out, struct uk_err *err)
{
	struct crypt *crypt = NULL;
	const enum uk_rc rc = crypt_open(path, random, &crypt, err);

	if (rc != UK_OK)
		return name_key(rc, err);
	*out = uk_xalloc(sizeof(**out));
	(*out)->crypt = crypt;
	(*out)->random = random;
	return UK_OK;
}

void
km_close(struct km **km)
{
	if (km == NULL || *km == NULL)
		return;
	crypt_free(&(*km)->crypt);
	free(*km);
	*km = NULL;
}

enum uk_rc
km_wrap(const struct km *km, const struct km_pair *pair, const struct uk_pubkey *receiver,
    struct uk_buf *out, struct uk_err *err)
{
	struct uk_sm2_enveloped e;
	enum uk_rc rc = uk_sm2_envelope(receiver, pair->public, pair->private, km->random, &e, err);

	if (rc == UK_OK && (rc = uk_sm2_enveloped_put(&e, out)) != UK_OK)
		rc = uk_fail(err, rc, NULL, "km-wrap", 0);
	return rc;
}

static struct crypt_place
place(const char *serial)
{
	return (struct crypt_place){ .table = "km_keys", .row = serial, .column = "private" };
}

enum uk_rc
km_keep(const struct km *km, struct store_tx *tx, const char *serial, const struct km_pair *pair,
    struct uk_span enveloped, int64_t now, struct uk_err *err)
{
	const struct crypt_place at = place(serial);
	struct uk_buf sealed;
	enum uk_rc rc;

	uk_buf_init(&sealed, PRIVATE_MAX + CRYPT_OVERHEAD);
	rc = crypt_seal(km->crypt, CRYPT_KM, &at, uk_secret_lend(pair->private), &sealed, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_KM_KEY_PUT,
		    STORE_ARGS(
			DB_T(serial), DB_B(uk_buf_span(&sealed)), DB_B(enveloped), DB_I(now)),
		    NULL, err);
	uk_buf_fini(&sealed);
	return rc;
}

static enum uk_rc
not_kept(struct uk_err *err)
{
	return uk_fail(err, UK_E_NOT_FOUND, "key-not-kept", "km", 0);
}

enum uk_rc
km_enveloped(struct store_tx *tx, const char *serial, struct uk_buf *out, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_KM_KEY_GET, STORE_ARGS(DB_T(serial)));
	const bool there = store_next(rows);
	enum uk_rc rc;

	if (there)
		uk_buf_put(out, store_blob(rows, 1));
	if ((rc = store_end(rows, err)) != UK_OK)
		return rc;
	if (!there)
		return not_kept(err);
	return uk_buf_failed(out) ? uk_fail(err, UK_E_LIMIT, NULL, "km", 0) : UK_OK;
}

enum uk_rc
km_recover(const struct km *km, struct store_tx *tx, const char *serial, struct uk_secret **private,
    struct uk_err *err)
{
	const struct crypt_place at = place(serial);
	struct store_rows *rows = store_query(tx, SQL_KM_KEY_GET, STORE_ARGS(DB_T(serial)));
	enum uk_rc rc, ended;
	struct uk_buf plain;

	uk_buf_init(&plain, PRIVATE_MAX);
	rc = store_next(rows)
		 ? crypt_unseal(km->crypt, CRYPT_KM, &at, store_blob(rows, 0), &plain, err)
		 : not_kept(err);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	if ((rc = rc != UK_OK ? rc : ended) == UK_OK)
		*private = uk_secret_new(uk_buf_span(&plain));
	uk_buf_fini(&plain);
	return rc;
}
