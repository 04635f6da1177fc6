#include <string.h>

#include "app/commands.h"
#include "uk/rc.h"

int
command_options(
    const struct uk_opt *table, size_t n, int argc, char **argv, const char *usage, void *out)
{
	struct uk_err err = { 0 };
	bool help = false;

	if (uk_opts_read(table, n, &argc, argv, out, &help, &err) != UK_OK)
		return 2;
	if (help) {
		(void)printf("usage: %s\n\n", usage);
		uk_opts_help(table, n, stdout);
		return 0;
	}
	if (argc > 1) {
		(void)fprintf(stderr, "%s: unexpected (see --help)\n", argv[1]);
		return 2;
	}
	return -1;
}

/* What to do about it, where the reason alone does not say. */
static const struct {
	const char *reason;
	const char *hint;
} hints[] = {
	{ "already-there", "there is a CA in this folder already" },
	{ "config-not-private", "others may read config.json, which has secrets: chmod o= it" },
	{ "database-unavailable", "can't be opened or made: see the setting database" },
	{ "km-key-missing",
	    "no key of the key management: see the setting km-key, ukey-ca km init" },
	{ "km-key-not-private", "others may read km.key: chmod 600 it" },
	{ "listen", "in use, or not an address of this machine: see the setting listen" },
	{ "listen-address", "ADDRESS:PORT or a path: see the setting listen" },
	{ "master-key-not-private", "others may read master.key: chmod 600 it" },
	{ "no-pages", "no such folder of built pages: see the setting portal" },
	{ "photo-program", "not there or not executable: see the setting photo-program" },
	{ "schema-newer", "the database was used by a newer ukey-ca" },
	{ "ticket-key-not-private", "others may read ticket.jwk: chmod 600 it" },
};

static void
say_hint(const char *reason)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strcmp(hints[i].reason, reason) == 0)
			(void)fprintf(stderr, "ukey-ca: %s\n", hints[i].hint);
}

int
command_failed(const char *what, const struct uk_err *err)
{
	(void)fprintf(stderr, "ukey-ca: %s: %s", what, uk_err_reason(err));
	if (err->field != NULL)
		(void)fprintf(stderr, " (%s)", err->field);
	if (err->where != NULL)
		(void)fprintf(stderr, " [%s %ld]", err->where, err->native);
	(void)fputc('\n', stderr);
	say_hint(uk_err_reason(err));
	return 1;
}
