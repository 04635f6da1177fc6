#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/base.h"
#include "app/keys.h"
#include "workflow/workdays.h"

static enum uk_rc
open_keys(struct base *b, struct uk_err *err)
{
	char *path = keys_path(b->settings.ca_dir, "master.key");
	char *cps = keys_path(b->settings.origin, "ca/" AUTHORITY_CPS);
	enum uk_rc rc;

	if ((rc = keys_master_read(b->settings.ca_dir, &b->master, err)) == UK_OK)
		rc = crypt_open(path, &b->random, &b->crypt, err);
	if (rc == UK_OK)
		rc = authority_open(&(struct authority_settings){ .dir = b->settings.ca_dir,
					.origin = b->settings.origin,
					.cps = cps,
					.master = b->master },
		    &b->authority, err);
	free(path);
	free(cps);
	return rc;
}

static enum uk_rc
open_calendar(const struct base *b, struct uk_err *err)
{
	const char *path = b->settings.calendar;
	json_t *file = NULL;
	enum uk_rc rc;

	if (*path == '\0')
		return UK_OK;
	if ((rc = keys_json_read(path, &file, err)) == UK_OK)
		rc = workdays_load(file, err);
	json_decref(file);
	if (rc != UK_OK)
		(void)fprintf(stderr, "%s: no list of working days: %s%s%s\n", path,
		    uk_err_reason(err), err->field != NULL ? ": " : "",
		    err->field != NULL ? err->field : "");
	return rc;
}

static enum uk_rc
open_all(struct base *b, struct uk_err *err)
{
	enum uk_rc rc;

	uk_log_init(&b->log, "ukey-ca");
	if (uk_log_set_level(&b->log, b->settings.log_level) != UK_OK)
		return uk_fail_field(err, "log-level", NULL);
	uk_clock_offset_init(&b->clock, b->settings.clock_file);
	b->random = uk_random_system;
	if ((rc = open_calendar(b, err)) != UK_OK || (rc = open_keys(b, err)) != UK_OK)
		return rc;
	rc = store_open(
	    &(struct store_setup){
		.driver = "sqlite", .where = b->settings.database, .log = &b->log },
	    &b->store, err);
	return rc;
}

enum uk_rc
base_open(struct base *b, const char *config, struct uk_err *err)
{
	enum uk_rc rc;

	*b = (struct base){ 0 };
	if ((rc = settings_load(config, &b->settings, err)) != UK_OK)
		return rc;
	if ((rc = open_all(b, err)) != UK_OK)
		base_close(b);
	return rc;
}

enum uk_rc
base_open_dir(struct base *b, const char *dir, struct uk_err *err)
{
	char *path = keys_path(dir, "config.json");
	const enum uk_rc rc = base_open(b, path, err);

	free(path);
	return rc;
}

void
base_close(struct base *b)
{
	store_close(&b->store);
	authority_close(&b->authority);
	crypt_free(&b->crypt);
	uk_secret_free(&b->master);
	settings_fini(&b->settings);
}
