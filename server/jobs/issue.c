#include <stdio.h>
#include <string.h>

#include "ca/crl.h"
#include "ca/issuer.h"
#include "ca/request.h"
#include "jobs/kinds.h"

#define INTENT_LEN 64
#define CSR_MAX    REQUEST_MAX

struct issue {
	struct jobs *j;
	const struct job *job;
	struct order order;
	char intent[INTENT_LEN];
	struct uk_buf request; /* PKCS#10 */
	json_t *form;
	enum profile_id profile;
	int64_t now;
	int64_t not_after;
	struct issuer_intent prepared;
	bool intended; /* the row is there */
	struct uk_buf tbs;
	struct uk_buf der; /* empty: not signed */
};

static void
name_intent(const struct job *job, char intent[INTENT_LEN])
{
	(void)snprintf(intent, INTENT_LEN, "%s/%lld", job->order, (long long)job->n);
}

static enum uk_rc
read_intent(struct store_tx *tx, struct issue *i, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_CERTIFICATE_BY_INTENT, STORE_ARGS(DB_T(i->intent)));

	uk_buf_reset(&i->tbs);
	uk_buf_reset(&i->der);
	i->intended = store_next(rows);
	if (i->intended) {
		uk_buf_put(&i->tbs, store_blob(rows, 6));
		uk_buf_put(&i->der, store_blob(rows, 7));
	}
	return store_end(rows, err);
}

static enum uk_rc
load(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct issue *i = ctx;
	struct store_rows *rows;
	enum uk_rc rc = read_intent(tx, i, err);

	if (rc == UK_OK)
		rc = order_form_load(tx, i->j->s.crypt, i->order.id, &i->form, err);
	if (rc != UK_OK)
		return rc;
	rows = store_query(tx, SQL_REQUEST_GET, STORE_ARGS(DB_T(i->order.id), DB_I(i->job->n)));
	if (store_next(rows))
		uk_buf_put(&i->request, store_blob(rows, 1));
	return store_end(rows, err);
}

static const char *
member(const struct issue *i, const char *name)
{
	return json_string_value(json_object_get(i->form, name));
}

static enum uk_rc
prepare(struct issue *i, struct uk_err *err)
{
	struct issuer_order order = {
		.profile = PROFILE_ORGANISATION,
		.subject = { .organisation = member(i, "organisation"),
		    .credit_code = member(i, "creditCode") },
		.not_before = i->now,
	};
	struct uk_buf spki;
	enum uk_rc rc;

	i->profile = order.profile;
	i->not_after = order.not_after = uk_year_after(i->now);
	uk_buf_init(&spki, SPKI_MAX);
	rc = request_read(uk_buf_span(&i->request), &spki, err);
	order.spki = uk_buf_span(&spki);
	if (rc == UK_OK)
		rc = issuer_prepare(i->j->s.authority, &order, i->j->s.random, &i->prepared, err);
	uk_buf_fini(&spki);
	return rc;
}

/* Serial and all the rest are on record before there is a signature. */
static enum uk_rc
store_intent(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct issue *i = ctx;
	const enum uk_rc rc = store_run(tx, SQL_CERTIFICATE_INTEND,
	    STORE_ARGS(DB_T(i->prepared.serial), DB_T(i->intent), DB_T(i->order.id),
		DB_T(profile_name(i->profile)), DB_I(i->now), DB_I(i->not_after), DB_I(i->now),
		DB_B(uk_buf_span(&i->prepared.tbs))),
	    NULL, err);

	return rc == UK_OK ? read_intent(tx, i, err) : rc;
}

static enum uk_rc
store_certificate(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct issue *i = ctx;
	struct uk_cert *cert = NULL;
	enum uk_rc rc = uk_cert_parse(uk_buf_span(&i->der), &cert, err);

	if (rc == UK_OK)
		rc = store_run(tx, SQL_CERTIFICATE_ISSUED,
		    STORE_ARGS(DB_T(i->intent), DB_B(uk_buf_span(&i->der)),
			DB_T(uk_cert_subject(cert)), DB_T(uk_cert_fingerprint(cert)), DB_I(i->now)),
		    NULL, err);
	uk_cert_free(&cert);
	return rc;
}

static enum uk_rc
certify(struct issue *i, struct uk_err *err)
{
	struct store *store = i->j->s.store;
	enum uk_rc rc = UK_OK;

	if (!i->intended) {
		rc = prepare(i, err);
		if (rc == UK_OK)
			rc = store_write_wait(store, store_intent, i, err);
	}
	if (rc == UK_OK && i->der.n == 0) {
		rc = issuer_sign(i->j->s.authority, uk_buf_span(&i->tbs), &i->der, err);
		if (rc == UK_OK)
			rc = store_write_wait(store, store_certificate, i, err);
	}
	return rc;
}

static void
issue_fini(struct issue *i)
{
	uk_json_wipe(i->form);
	json_decref(i->form);
	issuer_intent_fini(&i->prepared);
	uk_buf_fini(&i->request);
	uk_buf_fini(&i->tbs);
	uk_buf_fini(&i->der);
}

void
run_issue(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct issue i = { .j = j, .job = job, .now = uk_now(j->s.clock) };
	struct uk_err err = { 0 };
	enum uk_rc rc;

	if (!job_order(j, job, &i.order, r))
		return;
	if (i.order.state != ST_ISSUING || i.order.requests != job->n)
		return;
	/* The table has asked already; a certificate for nothing is worth asking twice. */
	if (i.order.amount_paid < i.order.amount_due) {
		job_refuse(r, "not-paid", NULL);
		return;
	}
	if (j->s.authority == NULL) {
		job_retry(r, uk_rc_name(UK_E_UNAVAILABLE), NULL);
		return;
	}
	name_intent(job, i.intent);
	uk_buf_init(&i.request, CSR_MAX);
	uk_buf_init(&i.tbs, ISSUER_TBS_MAX);
	uk_buf_init(&i.der, ISSUER_CERT_MAX);
	rc = store_read(j->s.store, load, &i, &err);
	if (rc == UK_OK)
		rc = certify(&i, &err);
	if (rc == UK_OK) {
		job_event(r, EV_ISSUED, "issued/%lld", (long long)job->n);
		r->n = job->n;
	} else if (rc == UK_E_INTEGRITY && !i.intended) {
		job_refuse(r, uk_err_reason(&err), &err);
	} else {
		job_failed(r, rc, &err);
	}
	issue_fini(&i);
}

enum uk_rc
jobs_revoke(
    struct store_tx *tx, const char *serial, const char *why, int64_t now, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_CERTIFICATE_GET, STORE_ARGS(DB_T(serial)));
	const bool found = store_next(rows) && !store_null(rows, 5);
	enum crl_reason reason;
	enum uk_rc rc = store_end(rows, err);

	if (rc != UK_OK)
		return rc;
	if (!found)
		return uk_fail(err, UK_E_NOT_FOUND, "certificate-not-found", "revoke", 0);
	if (crl_reason_from_name(why, &reason) != UK_OK)
		return uk_fail_field(err, "reason", NULL);
	rc = store_run(
	    tx, SQL_CERTIFICATE_REVOKE, STORE_ARGS(DB_T(serial), DB_I(now), DB_T(why)), NULL, err);
	if (rc != UK_OK)
		return rc;
	return store_run(tx, SQL_JOB_AGAIN,
	    STORE_ARGS(DB_T("crl"), DB_T("crl"), DB_T(""), DB_T("{}"), DB_I(now), DB_I(now)), NULL,
	    err);
}

static enum uk_rc
revoke_intent(struct jobs *j, struct store_tx *tx, const struct job *job,
    const struct job_report *r, struct uk_err *err)
{
	char intent[INTENT_LEN];
	char serial[SERIAL_LEN] = "";
	struct store_rows *rows;
	enum uk_rc rc;

	(void)r;
	name_intent(job, intent);
	rows = store_query(tx, SQL_CERTIFICATE_BY_INTENT, STORE_ARGS(DB_T(intent)));
	if (store_next(rows) && !store_null(rows, 7))
		(void)snprintf(serial, sizeof(serial), "%s", store_text(rows, 0));
	rc = store_end(rows, err);
	if (rc != UK_OK || serial[0] == '\0')
		return rc;
	return jobs_revoke(tx, serial, crl_reason_name(CRL_CESSATION), uk_now(j->s.clock), err);
}

void
run_revoke(struct jobs *j, const struct job *job, struct job_report *r)
{
	(void)j;
	(void)job;
	r->also = revoke_intent;
}
