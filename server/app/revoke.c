#include <stdio.h>

#include "app/base.h"
#include "app/commands.h"

struct revoke_options {
	const char *dir;
	const char *serial;
	const char *reason;
};

static const struct uk_opt table[] = {
	{ "dir", "DIR", offsetof(struct revoke_options, dir), "the CA's folder" },
	{ "serial", "HEX", offsetof(struct revoke_options, serial), "of the certificate" },
	{ "reason", "REASON", offsetof(struct revoke_options, reason),
	    "unspecified, key-compromise, affiliation-changed, superseded, … [unspecified]" },
};

/* [C14] In force at once for log-in; in the new list for everybody else. */
int
command_revoke(int argc, char **argv)
{
	struct revoke_options o = { .reason = "unspecified" };
	struct uk_err err = { 0 };
	enum crl_reason reason = CRL_UNSPECIFIED;
	struct base b;
	enum uk_rc rc;
	int status;

	status = command_options(table, sizeof(table) / sizeof(table[0]), argc, argv,
	    "ukey-ca revoke --dir DIR --serial HEX [--reason REASON]", &o);
	if (status >= 0)
		return status;
	if (o.dir == NULL || o.serial == NULL || crl_reason_from_name(o.reason, &reason) != UK_OK) {
		(void)fprintf(stderr, "ukey-ca revoke: see --help\n");
		return 2;
	}
	rc = base_open_dir(&b, o.dir, &err);
	if (rc == UK_OK) {
		rc = issuing_revoke(&b.issuing, o.serial, reason, &err);
		if (rc == UK_OK)
			rc = issuing_crl(&b.issuing, &err);
		base_close(&b);
	}
	return rc == UK_OK ? 0 : command_failed("revoke", &err);
}
