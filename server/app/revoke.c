#include <stdio.h>

#include "app/base.h"
#include "app/commands.h"
#include "ca/crl.h"
#include "workflow/certificate.h"

struct revoke_options {
	const char *dir;
	const char *serial;
	const char *reason;
};

static const struct uk_opt table[] = {
	{ "dir", "DIR", offsetof(struct revoke_options, dir), "the CA's folder" },
	{ "serial", "HEX", offsetof(struct revoke_options, serial), "of the certificate" },
	{ "reason", "REASON", offsetof(struct revoke_options, reason),
	    "unspecified, key-compromise, affiliation-changed, superseded, cessation-of-operation, "
	    "privilege-withdrawn [unspecified]" },
};

struct revoking {
	const struct base *b;
	const struct revoke_options *o;
};

static enum uk_rc
revoke(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct revoking *r = ctx;

	return certificate_revoke(
	    tx, r->o->serial, r->o->reason, "command", uk_now(&r->b->clock), err);
}

/* [C14] In force at once for log-in; the server makes the new list. */
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
	if (o.dir == NULL || o.serial == NULL || crl_reason_from_name(o.reason, &reason) != UK_OK ||
	    reason == CRL_HOLD) {
		(void)fprintf(stderr, "ukey-ca revoke: see --help\n");
		return 2;
	}
	rc = base_open_dir(&b, o.dir, &err);
	if (rc == UK_OK) {
		rc =
		    store_write_wait(b.store, revoke, &(struct revoking){ .b = &b, .o = &o }, &err);
		base_close(&b);
	}
	return rc == UK_OK ? 0 : command_failed("revoke", &err);
}
