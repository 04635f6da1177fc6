#include <stdio.h>
#include <stdlib.h>

#include "app/base.h"
#include "app/commands.h"
#include "app/keys.h"

struct station_options {
	const char *dir;
	const char *name;
	const char *key;
};

static const struct uk_opt table[] = {
	{ "dir", "DIR", offsetof(struct station_options, dir), "the CA's folder" },
	{ "name", "NAME", offsetof(struct station_options, name), "what the station is called" },
	{ "key", "FILE", offsetof(struct station_options, key),
	    "its public JWK, as `ukey station` prints it" },
};

struct enrolment {
	const struct base *b;
	const char *name;
	char thumbprint[UK_THUMB_LEN];
	char *jwk;
};

static enum uk_rc
put_station(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct enrolment *e = ctx;

	return store_run(tx, SQL_STATION_PUT,
	    STORE_ARGS(
		DB_T(e->thumbprint), DB_T(e->name), DB_T(e->jwk), DB_I(uk_now(&e->b->clock))),
	    NULL, err);
}

/* The public half only, whatever is in the file. */
static enum uk_rc
read_key(const char *path, struct enrolment *e, struct uk_err *err)
{
	struct uk_jwk *key = NULL;
	json_t *jwk = NULL;
	json_t *public;
	enum uk_rc rc;

	if ((rc = keys_json_read(path, &jwk, err)) == UK_OK)
		rc = uk_jwk_from_json(jwk, &key, err);
	if (rc == UK_OK) {
		public = uk_jwk_public(key);
		uk_jwk_thumbprint(key, e->thumbprint);
		e->jwk = json_dumps(public, JSON_COMPACT | JSON_SORT_KEYS);
		json_decref(public);
	}
	uk_jwk_free(&key);
	json_decref(jwk);
	return rc;
}

int
command_station_add(int argc, char **argv)
{
	struct station_options o = { 0 };
	struct uk_err err = { 0 };
	struct base b;
	struct enrolment e = { .b = &b };
	enum uk_rc rc;
	int status;

	status = command_options(table, sizeof(table) / sizeof(table[0]), argc, argv,
	    "ukey-ca station add --dir DIR --name NAME --key STATION.jwk", &o);
	if (status >= 0)
		return status;
	if (o.dir == NULL || o.name == NULL || o.key == NULL) {
		(void)fprintf(stderr, "ukey-ca station add: see --help\n");
		return 2;
	}
	e.name = o.name;
	if ((rc = read_key(o.key, &e, &err)) == UK_OK &&
	    (rc = base_open_dir(&b, o.dir, &err)) == UK_OK) {
		rc = store_write_wait(b.store, put_station, &e, &err);
		base_close(&b);
	}
	free(e.jwk);
	if (rc != UK_OK)
		return command_failed("station add", &err);
	(void)printf("%s: %s\n", o.name, e.thumbprint);
	return 0;
}
