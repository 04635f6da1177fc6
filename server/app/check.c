#include <stdio.h>

#include "app/base.h"
#include "app/commands.h"
#include "app/connectors.h"
#include "app/keys.h"
#include "http/pages.h"
#include "km/km.h"

struct check_options {
	const char *config;
};

static const struct uk_opt table[] = {
	{ "config", "FILE", offsetof(struct check_options, config), "config.json" },
};

static void
print(const struct settings *s)
{
	struct uk_buf out;

	uk_buf_init(&out, 256 * 1024);
	settings_print(s, &out);
	(void)fwrite(out.p, 1, out.n, stdout);
	uk_buf_fini(&out);
}

/* What else serve reads before it listens. */
static enum uk_rc
open_rest(const struct base *b, struct uk_err *err)
{
	struct connectors c = { 0 };
	struct http_pages *pages = NULL;
	struct uk_jwk *ticket = NULL;
	struct km *km = NULL;
	enum uk_rc rc;

	if ((rc = keys_ticket_read(b->settings.ca_dir, &ticket, err)) == UK_OK &&
	    (rc = km_open(b->settings.km_key, &b->random, &km, err)) == UK_OK &&
	    (rc = connectors_open(&c, b, err)) == UK_OK && *b->settings.portal != '\0')
		rc = http_pages_open(b->settings.portal, &pages, err);
	http_pages_free(&pages);
	connectors_close(&c);
	uk_jwk_free(&ticket);
	km_close(&km);
	return rc;
}

/* Opens all that serve would open, but the port. */
int
command_check_config(int argc, char **argv)
{
	struct check_options o = { 0 };
	struct uk_err err = { 0 };
	struct base b;
	enum uk_rc rc;
	int status;

	status = command_options(table, sizeof(table) / sizeof(table[0]), argc, argv,
	    "ukey-ca check-config --config FILE", &o);
	if (status >= 0)
		return status;
	if (o.config == NULL) {
		(void)fprintf(stderr, "ukey-ca check-config: --config is needed\n");
		return 2;
	}
	if ((rc = base_open(&b, o.config, &err)) == UK_OK) {
		print(&b.settings);
		rc = open_rest(&b, &err);
		base_close(&b);
	}
	return rc == UK_OK ? 0 : command_failed("check-config", &err);
}
