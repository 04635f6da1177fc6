/* Suspension, resumption and revocation [C14]: of both of a pair, and of what follows them. */
#include <stdio.h>
#include <string.h>

#include "workflow/certificate.h"

/* A change of status; `run` is the statement that makes it, with these arguments. */
struct change {
	enum sql_id run;
	const char *event;
	const char *why;
	const char *by;
	int64_t now;
};

static enum uk_rc
run_change(struct store_tx *tx, const char *serial, const struct change *c, int64_t *changed,
    struct uk_err *err)
{
	if (c->run == SQL_CERTIFICATE_RESUME)
		return store_run(tx, c->run, STORE_ARGS(DB_T(serial)), changed, err);
	if (c->run == SQL_CERTIFICATE_SUSPEND)
		return store_run(tx, c->run, STORE_ARGS(DB_T(serial), DB_I(c->now)), changed, err);
	return store_run(
	    tx, c->run, STORE_ARGS(DB_T(serial), DB_I(c->now), DB_T(c->why)), changed, err);
}

static enum uk_rc
change_one(
    struct store_tx *tx, const char *serial, const struct change *c, bool *any, struct uk_err *err)
{
	int64_t changed = 0;
	enum uk_rc rc = run_change(tx, serial, c, &changed, err);

	if (rc == UK_OK && changed != 0) {
		*any = true;
		rc = certificate_event(tx, serial, c->event, c->why, c->by, c->now, err);
	}
	return rc;
}

#define FOLLOWING_MAX 8

/* Who has lost the key has lost what was just made for it, too. */
static enum uk_rc
change_following(struct store_tx *tx, const struct certificate *cert, const struct change *c,
    bool *any, struct uk_err *err)
{
	char serials[FOLLOWING_MAX][ORDER_SERIAL_LEN];
	const char *pair = cert->pair[0] != '\0' ? cert->pair : cert->serial;
	struct store_rows *rows = store_query(tx, SQL_CERTIFICATES_FOLLOWING,
	    STORE_ARGS(DB_T(cert->serial), DB_T(pair), DB_I(FOLLOWING_MAX)));
	size_t n = 0;
	enum uk_rc rc;

	while (n < FOLLOWING_MAX && store_next(rows))
		(void)snprintf(serials[n++], ORDER_SERIAL_LEN, "%s", store_text(rows, 0));
	rc = store_end(rows, err);
	for (size_t i = 0; rc == UK_OK && i < n; i++)
		rc = change_one(tx, serials[i], c, any, err);
	return rc;
}

/* Both of a pair; and the next list is due now. */
static enum uk_rc
change(
    struct store_tx *tx, const struct certificate *cert, const struct change *c, struct uk_err *err)
{
	bool any = false;
	enum uk_rc rc = change_one(tx, cert->serial, c, &any, err);

	if (rc == UK_OK && cert->pair[0] != '\0')
		rc = change_one(tx, cert->pair, c, &any, err);
	if (rc == UK_OK)
		rc = change_following(tx, cert, c, &any, err);
	if (rc != UK_OK || !any)
		return rc;
	return store_run(tx, SQL_JOB_AGAIN,
	    STORE_ARGS(DB_T("crl"), DB_T("crl"), DB_T(""), DB_T("{}"), DB_I(c->now), DB_I(c->now)),
	    NULL, err);
}

/* One whose status may still change. */
static enum uk_rc
get_open(struct store_tx *tx, const char *serial, int64_t now, struct certificate *out,
    struct uk_err *err)
{
	enum uk_rc rc = certificate_get(tx, serial, out, err);

	if (rc == UK_OK && out->revoked_at != 0)
		rc = uk_fail(err, UK_E_CONFLICT, "certificate-revoked", "certificate", 0);
	else if (rc == UK_OK && out->not_after < now)
		rc = uk_fail(err, UK_E_CONFLICT, "certificate-expired", "certificate", 0);
	return rc;
}

enum uk_rc
certificate_suspend(
    struct store_tx *tx, const char *serial, const char *by, int64_t now, struct uk_err *err)
{
	const struct change c = { SQL_CERTIFICATE_SUSPEND, "suspended", "", by, now };
	struct certificate cert;
	const enum uk_rc rc = get_open(tx, serial, now, &cert, err);

	return rc == UK_OK ? change(tx, &cert, &c, err) : rc;
}

enum uk_rc
certificate_resume(
    struct store_tx *tx, const char *serial, const char *by, int64_t now, struct uk_err *err)
{
	const struct change c = { SQL_CERTIFICATE_RESUME, "resumed", "", by, now };
	struct certificate cert;
	const enum uk_rc rc = get_open(tx, serial, now, &cert, err);

	return rc == UK_OK ? change(tx, &cert, &c, err) : rc;
}

enum uk_rc
certificate_revoke(struct store_tx *tx, const char *serial, const char *why, const char *by,
    int64_t now, struct uk_err *err)
{
	const struct change c = { SQL_CERTIFICATE_REVOKE, "revoked", why, by, now };
	struct certificate cert;
	enum crl_reason reason;
	enum uk_rc rc = certificate_get(tx, serial, &cert, err);

	if (rc != UK_OK)
		return rc;
	if (crl_reason_from_name(why, &reason) != UK_OK || reason == CRL_HOLD)
		return uk_fail_field(err, "reason", NULL);
	return change(tx, &cert, &c, err);
}
