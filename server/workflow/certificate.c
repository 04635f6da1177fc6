#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/certificate.h"

#define DER_SEQUENCE_TAG 0x30 /* a stored value that begins so is not sealed: schema step 10 */

static const char *const usages[] = {
	[CERTIFICATE_SIGN] = "sign",
	[CERTIFICATE_ENCRYPT] = "encrypt",
	[CERTIFICATE_BOTH] = "both",
};
static_assert(sizeof(usages) / sizeof(usages[0]) == CERTIFICATE_USAGE__MAX, "one name per usage");

static const char *const statuses[] = {
	[CERTIFICATE_VALID] = "valid",
	[CERTIFICATE_SUSPENDED] = "suspended",
	[CERTIFICATE_REVOKED] = "revoked",
	[CERTIFICATE_EXPIRED] = "expired",
};
static_assert(
    sizeof(statuses) / sizeof(statuses[0]) == CERTIFICATE_STATUS__MAX, "one name per status");

const char *
certificate_usage_name(enum certificate_usage u)
{
	return usages[u];
}

const char *
certificate_status_name(enum certificate_status status)
{
	return statuses[status];
}

enum certificate_status
certificate_status(const struct certificate *c, int64_t now)
{
	if (c->revoked_at != 0)
		return CERTIFICATE_REVOKED;
	if (c->suspended_at != 0)
		return CERTIFICATE_SUSPENDED;
	return c->not_after < now ? CERTIFICATE_EXPIRED : CERTIFICATE_VALID;
}

static enum uk_rc
read_usage(const char *name, enum certificate_usage *out, struct uk_err *err)
{
	for (int i = 0; i < CERTIFICATE_USAGE__MAX; i++)
		if (strcmp(usages[i], name) == 0) {
			*out = (enum certificate_usage)i;
			return UK_OK;
		}
	return uk_fail(err, UK_E_INTEGRITY, NULL, "certificate.usage", 0);
}

#define COPY(to, rows, col) (void)snprintf((to), sizeof(to), "%s", store_text((rows), (col)))

/* A row of CERTIFICATE_COLUMNS. */
static enum uk_rc
read_row(const struct store_rows *rows, struct certificate *c, struct uk_err *err)
{
	*c = (struct certificate){ .not_before = store_int(rows, 9),
		.not_after = store_int(rows, 10),
		.issued_at = store_int(rows, 11),
		.suspended_at = store_int(rows, 12),
		.revoked_at = store_int(rows, 13) };
	COPY(c->serial, rows, 0);
	COPY(c->pair, rows, 1);
	COPY(c->intent, rows, 2);
	COPY(c->order, rows, 3);
	COPY(c->profile, rows, 4);
	COPY(c->token, rows, 6);
	COPY(c->holder, rows, 7);
	COPY(c->fingerprint, rows, 8);
	COPY(c->revoked_why, rows, 14);
	return read_usage(store_text(rows, 5), &c->usage, err);
}

static enum uk_rc
one(struct store_tx *tx, enum sql_id id, const char *key, struct certificate *out,
    struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, id, STORE_ARGS(DB_T(key)));
	const bool there = store_next(rows);
	enum uk_rc rc = there ? read_row(rows, out, err) : UK_OK;
	const enum uk_rc ended = store_end(rows, rc == UK_OK ? err : NULL);

	if (rc == UK_OK)
		rc = ended;
	if (rc == UK_OK && !there)
		rc = uk_fail(err, UK_E_NOT_FOUND, "certificate-not-found", "certificate", 0);
	return rc;
}

static enum uk_rc
issued(enum uk_rc rc, const struct certificate *c, struct uk_err *err)
{
	if (rc == UK_OK && c->issued_at == 0)
		return uk_fail(err, UK_E_NOT_FOUND, "certificate-not-found", "certificate", 0);
	return rc;
}

enum uk_rc
certificate_get(
    struct store_tx *tx, const char *serial, struct certificate *out, struct uk_err *err)
{
	return issued(one(tx, SQL_CERTIFICATE_GET, serial, out, err), out, err);
}

enum uk_rc
certificate_by_fingerprint(
    struct store_tx *tx, const char *fingerprint, struct certificate *out, struct uk_err *err)
{
	return issued(one(tx, SQL_CERTIFICATE_BY_FINGERPRINT, fingerprint, out, err), out, err);
}

enum uk_rc
certificate_by_intent(
    struct store_tx *tx, const char *intent, struct certificate *out, struct uk_err *err)
{
	return one(tx, SQL_CERTIFICATE_BY_INTENT, intent, out, err);
}

static enum uk_rc
list(struct store_tx *tx, enum sql_id id, const char *key, struct certificate_list *out,
    struct uk_err *err)
{
	struct certificate_list l = { .v = uk_xalloc(CERTIFICATES_MAX * sizeof(*l.v)) };
	struct store_rows *rows = store_query(tx, id, STORE_ARGS(DB_T(key)));
	enum uk_rc rc = UK_OK, ended;

	while (rc == UK_OK && l.n < CERTIFICATES_MAX && store_next(rows))
		rc = read_row(rows, &l.v[l.n++], err);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	if ((rc = rc != UK_OK ? rc : ended) == UK_OK)
		*out = l;
	else
		free(l.v);
	return rc;
}

enum uk_rc
certificates_of_order(
    struct store_tx *tx, const char *order, struct certificate_list *out, struct uk_err *err)
{
	return list(tx, SQL_CERTIFICATES_OF_ORDER, order, out, err);
}

enum uk_rc
certificates_of_holder(
    struct store_tx *tx, const char *holder, struct certificate_list *out, struct uk_err *err)
{
	return list(tx, SQL_CERTIFICATES_OF_HOLDER, holder, out, err);
}

enum uk_rc
certificates_of_token(
    struct store_tx *tx, const char *token, struct certificate_list *out, struct uk_err *err)
{
	return list(tx, SQL_CERTIFICATES_OF_TOKEN, token, out, err);
}

void
certificate_list_fini(struct certificate_list *l)
{
	free(l->v);
	*l = (struct certificate_list){ 0 };
}

const struct certificate *
certificate_current(const struct certificate_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].usage != CERTIFICATE_ENCRYPT && l->v[i].revoked_at == 0)
			return &l->v[i];
	return NULL;
}

static struct crypt_place
place(const char *serial, const char *column)
{
	return (struct crypt_place){ .table = "certificates", .row = serial, .column = column };
}

static enum uk_rc
unseal(struct store_tx *tx, const struct crypt *crypt, enum sql_id id, const char *serial,
    const char *column, struct uk_buf *out, struct uk_err *err)
{
	const struct crypt_place at = place(serial, column);
	struct store_rows *rows = store_query(tx, id, STORE_ARGS(DB_T(serial)));
	enum uk_rc rc = UK_E_NOT_FOUND, ended;
	struct uk_span stored;

	if (!store_next(rows) || (stored = store_blob(rows, 0)).n == 0)
		(void)uk_fail(err, rc, "certificate-not-found", "certificate", 0);
	else if (stored.p[0] != DER_SEQUENCE_TAG)
		rc = crypt_unseal(crypt, CRYPT_PERSONAL, &at, stored, out, err);
	else {
		uk_buf_put(out, stored);
		rc = UK_OK;
	}
	if (rc == UK_OK && uk_buf_failed(out))
		rc = uk_fail(err, UK_E_LIMIT, NULL, "certificate", 0);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

enum uk_rc
certificate_der(struct store_tx *tx, const struct crypt *crypt, const char *serial,
    struct uk_buf *out, struct uk_err *err)
{
	return unseal(tx, crypt, SQL_CERTIFICATE_DER, serial, "der", out, err);
}

enum uk_rc
certificate_cert(struct store_tx *tx, const struct crypt *crypt, const char *serial,
    struct uk_cert **out, struct uk_err *err)
{
	struct uk_buf der;
	enum uk_rc rc;

	uk_buf_init(&der, ISSUER_CERT_MAX);
	rc = certificate_der(tx, crypt, serial, &der, err);
	if (rc == UK_OK)
		rc = uk_cert_parse(uk_buf_span(&der), out, err);
	uk_buf_fini(&der);
	return rc;
}

enum uk_rc
certificate_tbs(struct store_tx *tx, const struct crypt *crypt, const char *serial,
    struct uk_buf *out, struct uk_err *err)
{
	return unseal(tx, crypt, SQL_CERTIFICATE_TBS, serial, "tbs", out, err);
}

enum uk_rc
certificate_intend(struct store_tx *tx, const struct crypt *crypt, const struct certificate *plan,
    struct uk_span tbs, int64_t now, struct uk_err *err)
{
	const struct crypt_place at = place(plan->serial, "tbs");
	struct uk_buf sealed;
	enum uk_rc rc;

	uk_buf_init(&sealed, ISSUER_TBS_MAX + CRYPT_OVERHEAD);
	rc = crypt_seal(crypt, CRYPT_PERSONAL, &at, tbs, &sealed, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_CERTIFICATE_INTEND,
		    STORE_ARGS(DB_T(plan->serial), DB_T(plan->pair), DB_T(plan->intent),
			DB_T(plan->order), DB_T(plan->profile), DB_T(usages[plan->usage]),
			DB_T(plan->token), DB_T(plan->holder), DB_I(plan->not_before),
			DB_I(plan->not_after), DB_I(now), DB_B(uk_buf_span(&sealed))),
		    NULL, err);
	uk_buf_fini(&sealed);
	return rc;
}

enum uk_rc
certificate_issued(struct store_tx *tx, const struct crypt *crypt, const struct uk_cert *cert,
    int64_t now, struct uk_err *err)
{
	const struct crypt_place at = place(uk_cert_serial(cert), "der");
	struct uk_buf sealed;
	enum uk_rc rc;

	uk_buf_init(&sealed, ISSUER_CERT_MAX + CRYPT_OVERHEAD);
	rc = crypt_seal(crypt, CRYPT_PERSONAL, &at, uk_cert_der(cert), &sealed, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_CERTIFICATE_ISSUED,
		    STORE_ARGS(DB_T(uk_cert_serial(cert)), DB_B(uk_buf_span(&sealed)),
			DB_T(uk_cert_fingerprint(cert)), DB_I(now), DB_B(uk_span("", 0))),
		    NULL, err);
	uk_buf_fini(&sealed);
	return rc;
}

enum uk_rc
certificate_event(struct store_tx *tx, const char *serial, const char *event, const char *reason,
    const char *by, int64_t now, struct uk_err *err)
{
	return store_run(tx, SQL_CERTIFICATE_EVENT_PUT,
	    STORE_ARGS(DB_T(serial), DB_I(now), DB_T(event), DB_T(reason), DB_T(by)), NULL, err);
}
