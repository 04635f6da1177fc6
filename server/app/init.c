#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/keys.h"
#include "app/settings.h"
#include "ca/authority.h"
#include "store/store.h"
#include "uk/clock.h"

struct init_options {
	const char *dir;
	const char *algorithm;
	const char *origin;
	const char *name;
	const char *listen;
	const char *portal;
	const char *with;
};

static const struct uk_opt table[] = {
	{ "dir", "DIR", offsetof(struct init_options, dir),
	    "where everything goes; made if need be" },
	{ "algorithm", "sm2|p256|rsa", offsetof(struct init_options, algorithm),
	    "of the CAs' keys [p256]" },
	{ "origin", "URL", offsetof(struct init_options, origin), "what browsers call the server" },
	{ "name", "NAME", offsetof(struct init_options, name), "the CA's name" },
	{ "listen", "ADDRESS:PORT", offsetof(struct init_options, listen), "[127.0.0.1:8600]" },
	{ "portal", "DIR", offsetof(struct init_options, portal), "the built pages" },
	{ "with", "FILE", offsetof(struct init_options, with),
	    "JSON whose members (or those of its `config`) go into config.json" },
};

static void
set(json_t *config, const char *key, const char *value)
{
	if (value != NULL)
		(void)json_object_set_new(config, key, json_string(value));
}

/* Only keys that exist: a misspelt one would stop the server later. */
static enum uk_rc
add_members(json_t *config, const char *path, struct uk_err *err)
{
	json_t *file = NULL;
	json_t *more;
	const char *key;
	json_t *value;
	enum uk_rc rc;

	if ((rc = keys_json_read(path, &file, err)) != UK_OK)
		return rc;
	if (!json_is_object(file))
		rc = uk_fail(err, UK_E_INPUT, "json-not-an-object", "with", 0);
	/* sandbox.json has them one level down, beside the sandbox's own keys. */
	more = json_object_get(file, "config");
	if (more == NULL)
		more = file;
	json_object_foreach(more, key, value)
	{
		if (rc == UK_OK && settings_key(key) == NULL) {
			(void)fprintf(stderr, "%s: no such key: %s\n", path, key);
			rc = uk_fail_field(err, "with", "unknown-member");
		} else if (rc == UK_OK) {
			(void)json_object_set(config, key, value);
		}
	}
	json_decref(file);
	return rc;
}

static enum uk_rc
write_config(const struct init_options *o, struct uk_err *err)
{
	char *path = keys_path(o->dir, "config.json");
	json_t *config = json_object();
	char *text = NULL;
	enum uk_rc rc = UK_OK;

	set(config, "origin", o->origin);
	set(config, "name", o->name);
	set(config, "listen", o->listen);
	set(config, "portal", o->portal);
	if (strncmp(o->origin, "http://", 7) == 0)
		(void)json_object_set_new(config, "development", json_true());
	if (o->with != NULL)
		rc = add_members(config, o->with, err);
	if (rc == UK_OK && (text = json_dumps(config, JSON_INDENT(2))) == NULL)
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "config", 0);
	/* It carries the providers' secrets. */
	if (rc == UK_OK)
		rc = uk_file_write(path, 0600, uk_span_str(text), err);
	free(text);
	json_decref(config);
	free(path);
	return rc;
}

static enum uk_rc
make_authority(const struct init_options *o, struct uk_err *err)
{
	char *km = keys_path(o->dir, "km.key");
	struct uk_secret *master = NULL;
	enum uk_rc rc;

	if ((rc = keys_master_make(o->dir, &uk_random_system, err)) == UK_OK)
		rc = keys_km_make(km, &uk_random_system, err);
	free(km);
	if (rc != UK_OK || (rc = keys_master_read(o->dir, &master, err)) != UK_OK)
		return rc;
	rc = authority_init(
	    &(struct authority_settings){ .dir = o->dir, .origin = o->origin, .master = master },
	    o->algorithm, o->name, uk_now(&uk_clock_system), &uk_random_system, err);
	uk_secret_free(&master);
	return rc;
}

static enum uk_rc
make_database(const struct init_options *o, struct uk_err *err)
{
	char *path = keys_path(o->dir, "ukey-ca.db");
	struct store *store = NULL;
	enum uk_rc rc;

	rc = store_open(&(struct store_setup){ .driver = "sqlite", .where = path }, &store, err);
	store_close(&store);
	free(path);
	return rc;
}

static int
check_options(const struct init_options *o)
{
	if (o->dir == NULL || o->origin == NULL || o->name == NULL) {
		(void)fprintf(stderr, "ukey-ca init: --dir, --origin and --name are needed\n");
		return 2;
	}
	if (mkdir(o->dir, 0700) != 0 && errno != EEXIST) {
		(void)fprintf(stderr, "ukey-ca init: %s: %s\n", o->dir, strerror(errno));
		return 1;
	}
	return 0;
}

static void
next_steps(const char *dir)
{
	(void)printf("The CA is in %s. Next:\n"
		     "  ukey-ca staff add --dir %s --name NAME --roles reviewer --request CSR.der "
		     "--certificate OUT.der\n"
		     "  ukey-ca station add --dir %s --name NAME --key STATION.jwk\n"
		     "  ukey-ca check-config --config %s/config.json\n"
		     "  ukey-ca serve --config %s/config.json\n"
		     "root.key is needed no more: move it to a safe place, and keep copies of "
		     "master.key and\nkm.key in two others.\n",
	    dir, dir, dir, dir, dir);
}

int
command_init(int argc, char **argv)
{
	struct init_options o = { .algorithm = "p256" };
	struct uk_err err = { 0 };
	int status;

	status = command_options(table, sizeof(table) / sizeof(table[0]), argc, argv,
	    "ukey-ca init --dir DIR --origin URL --name NAME [options]", &o);
	if (status >= 0 || (status = check_options(&o)) != 0)
		return status;
	umask(077);
	if (make_authority(&o, &err) != UK_OK || keys_ticket_make(o.dir, &err) != UK_OK ||
	    make_database(&o, &err) != UK_OK || write_config(&o, &err) != UK_OK)
		return command_failed("init", &err);
	next_steps(o.dir);
	return 0;
}
