#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/issuing.h"
#include "ca/request.h"

#define BEIJING (8 * 3600)
#define DAY     86400

/* A list is good for longer than it takes to mend what makes the next one late. */
#define CRL_LIFE (7 * DAY)
#define CRL_MAX  (64u * 1024 * 1024)

int64_t
issuing_year_later(int64_t t)
{
	const time_t local = (time_t)(t + BEIJING);
	struct tm tm;

	if (gmtime_r(&local, &tm) == NULL)
		return t;
	tm.tm_year++;
	if (tm.tm_mon == 1 && tm.tm_mday == 29)
		tm.tm_mday = 28;
	return (int64_t)timegm(&tm) - BEIJING;
}

struct booking {
	const struct issuing *i;
	const struct issuing_wish *wish;
	const struct issuer_intent *intent;
	int64_t not_before;
	int64_t not_after;
	const struct uk_cert *cert;
	bool there;
	struct uk_buf tbs;
	struct uk_buf der;
};

static enum uk_rc
look_up(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct booking *b = ctx;
	struct store_rows *rows =
	    store_query(tx, SQL_CERTIFICATE_BY_INTENT, STORE_ARGS(DB_T(b->wish->intent)));

	uk_buf_reset(&b->tbs);
	uk_buf_reset(&b->der);
	if ((b->there = store_next(rows))) {
		uk_buf_put(&b->tbs, store_blob(rows, 6));
		uk_buf_put(&b->der, store_blob(rows, 7));
	}
	return store_end(rows, err);
}

/* Whoever was first counts: the intent is read back. */
static enum uk_rc
intend(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct booking *b = ctx;
	enum uk_rc rc;

	rc = store_run(tx, SQL_CERTIFICATE_INTEND,
	    STORE_ARGS(DB_T(b->intent->serial), DB_T(b->wish->intent), DB_T(b->wish->order),
		DB_T(profile_name(b->wish->profile)), DB_I(b->not_before), DB_I(b->not_after),
		DB_I(uk_now(b->i->clock)), DB_B(uk_buf_span(&b->intent->tbs))),
	    NULL, err);
	return rc != UK_OK ? rc : look_up(tx, b, err);
}

static enum uk_rc
prepare(struct booking *b, struct uk_err *err)
{
	const struct issuing *i = b->i;
	struct issuer_intent intent = { 0 };
	struct uk_buf spki;
	enum uk_rc rc;

	uk_buf_init(&spki, SPKI_MAX);
	b->not_before = uk_now(i->clock);
	b->not_after = issuing_year_later(b->not_before);
	rc = request_read(b->wish->request, &spki, err);
	if (rc == UK_OK)
		rc = issuer_prepare(i->authority,
		    &(struct issuer_order){ .profile = b->wish->profile,
			.subject = b->wish->subject,
			.spki = uk_buf_span(&spki),
			.not_before = b->not_before,
			.not_after = b->not_after },
		    i->random, &intent, err);
	if (rc == UK_OK) {
		b->intent = &intent;
		rc = store_write_wait(i->store, intend, b, err);
		b->intent = NULL;
		issuer_intent_fini(&intent);
	}
	uk_buf_fini(&spki);
	return rc;
}

static enum uk_rc
book(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct booking *b = ctx;
	enum uk_rc rc;

	rc = store_run(tx, SQL_CERTIFICATE_ISSUED,
	    STORE_ARGS(DB_T(b->wish->intent), DB_B(uk_cert_der(b->cert)),
		DB_T(uk_cert_subject(b->cert)), DB_T(uk_cert_fingerprint(b->cert)),
		DB_I(uk_now(b->i->clock))),
	    NULL, err);
	return rc != UK_OK ? rc : look_up(tx, b, err);
}

static enum uk_rc
sign(struct booking *b, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	struct uk_buf der;
	enum uk_rc rc;

	uk_buf_init(&der, ISSUER_CERT_MAX);
	rc = issuer_sign(b->i->authority, uk_buf_span(&b->tbs), &der, err);
	if (rc == UK_OK)
		rc = uk_cert_parse(uk_buf_span(&der), &cert, err);
	if (rc == UK_OK) {
		b->cert = cert;
		rc = store_write_wait(b->i->store, book, b, err);
		b->cert = NULL;
	}
	if (rc == UK_OK)
		uk_log(b->i->log, UK_LOG_INFO, "certificate.issued",
		    UK_LS("serial", uk_cert_serial(cert)), UK_LS("intent", b->wish->intent));
	uk_cert_free(&cert);
	uk_buf_fini(&der);
	return rc;
}

enum uk_rc
issuing_certificate(const struct issuing *i, const struct issuing_wish *wish, struct uk_buf *der,
    struct uk_err *err)
{
	struct booking b = { .i = i, .wish = wish };
	enum uk_rc rc;

	uk_buf_init(&b.tbs, ISSUER_TBS_MAX);
	uk_buf_init(&b.der, ISSUER_CERT_MAX);
	if ((rc = store_read(i->store, look_up, &b, err)) != UK_OK)
		goto out;
	if (!b.there && (rc = prepare(&b, err)) != UK_OK)
		goto out;
	if (b.der.n == 0 && (rc = sign(&b, err)) != UK_OK)
		goto out;
	uk_buf_put(der, uk_buf_span(&b.der));
	if (uk_buf_failed(der))
		rc = uk_fail(err, UK_E_LIMIT, NULL, "issuing", 0);
out:
	uk_buf_fini(&b.tbs);
	uk_buf_fini(&b.der);
	return rc;
}

struct revoking {
	const struct issuing *i;
	const char *serial;
	const char *why;
};

static enum uk_rc
revoke(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct revoking *r = ctx;
	struct store_rows *rows = store_query(tx, SQL_CERTIFICATE_GET, STORE_ARGS(DB_T(r->serial)));
	const bool there = store_next(rows);
	enum uk_rc rc = store_end(rows, err);

	if (rc != UK_OK)
		return rc;
	if (!there)
		return uk_fail(err, UK_E_NOT_FOUND, "certificate-not-found", "revoke", 0);
	return store_run(tx, SQL_CERTIFICATE_REVOKE,
	    STORE_ARGS(DB_T(r->serial), DB_I(uk_now(r->i->clock)), DB_T(r->why)), NULL, err);
}

enum uk_rc
issuing_revoke(const struct issuing *i, const char *serial, enum crl_reason why, struct uk_err *err)
{
	struct revoking r = { .i = i, .serial = serial, .why = crl_reason_name(why) };

	if (r.why == NULL)
		return uk_fail_field(err, "reason", NULL);
	return store_write_wait(i->store, revoke, &r, err);
}

struct listing {
	const struct issuing *i;
	struct crl_entry *entries;
	char (*serials)[SERIAL_LEN];
	size_t n;
	size_t room;
	int64_t number;
	int64_t this_update;
	int64_t now;
	struct uk_buf der;
};

static void
add_entry(struct listing *l, const struct store_rows *rows)
{
	enum crl_reason reason;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 64 : 2 * l->room;
		l->entries = realloc(l->entries, l->room * sizeof(*l->entries));
		l->serials = realloc(l->serials, l->room * sizeof(*l->serials));
		if (l->entries == NULL || l->serials == NULL)
			abort();
	}
	if (crl_reason_from_name(store_text(rows, 2), &reason) != UK_OK)
		reason = CRL_UNSPECIFIED;
	(void)snprintf(l->serials[l->n], SERIAL_LEN, "%s", store_text(rows, 0));
	l->entries[l->n++] =
	    (struct crl_entry){ .revoked_at = store_int(rows, 1), .reason = reason };
}

static enum uk_rc
read_list(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct listing *l = ctx;
	struct store_rows *rows;
	enum uk_rc rc;

	l->n = 0;
	l->number = 0;
	l->this_update = 0;
	rows = store_query(tx, SQL_CRL_LAST, STORE_NO_ARGS);
	if (store_next(rows)) {
		l->number = store_int(rows, 0);
		l->this_update = store_int(rows, 1);
	}
	if ((rc = store_end(rows, err)) != UK_OK)
		return rc;
	rows = store_query(tx, SQL_CERTIFICATES_REVOKED, STORE_ARGS(DB_I(l->now)));
	while (store_next(rows))
		add_entry(l, rows);
	return store_end(rows, err);
}

static enum uk_rc
put_list(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct listing *l = ctx;

	return store_run(tx, SQL_CRL_PUT,
	    STORE_ARGS(DB_I(l->number + 1), DB_I(l->now), DB_I(l->now + CRL_LIFE),
		DB_B(uk_buf_span(&l->der))),
	    NULL, err);
}

static enum uk_rc
make_list(struct listing *l, struct uk_err *err)
{
	enum uk_rc rc;

	for (size_t n = 0; n < l->n; n++)
		l->entries[n].serial = l->serials[n];
	rc = crl_build(l->i->authority,
	    &(struct crl_plan){ .entries = l->entries,
		.n = l->n,
		.number = (uint64_t)l->number + 1,
		.this_update = l->now,
		.next_update = l->now + CRL_LIFE },
	    &l->der, err);
	if (rc == UK_OK)
		rc = store_write_wait(l->i->store, put_list, l, err);
	/* Another process made the list of that number just now. */
	return rc == UK_E_CONFLICT ? UK_OK : rc;
}

static enum uk_rc
list(const struct issuing *i, bool only_if_due, int64_t *next_due, struct uk_err *err)
{
	struct listing l = { .i = i, .now = uk_now(i->clock) };
	enum uk_rc rc;

	uk_buf_init(&l.der, CRL_MAX);
	rc = store_read(i->store, read_list, &l, err);
	if (rc == UK_OK &&
	    (!only_if_due || l.number == 0 || l.this_update + i->crl_every <= l.now)) {
		rc = make_list(&l, err);
		l.this_update = l.now;
	}
	if (rc == UK_OK && next_due != NULL)
		*next_due = l.this_update + i->crl_every;
	free(l.entries);
	free(l.serials);
	uk_buf_fini(&l.der);
	return rc;
}

enum uk_rc
issuing_crl(const struct issuing *i, struct uk_err *err)
{
	return list(i, false, NULL, err);
}

static enum uk_rc
job_issue(void *ctx, const char *intent, const char *order, struct uk_span request,
    const json_t *form, struct uk_err *err)
{
	struct uk_buf der;
	enum uk_rc rc;

	uk_buf_init(&der, ISSUER_CERT_MAX);
	rc = issuing_certificate(ctx,
	    &(struct issuing_wish){ .intent = intent,
		.order = order,
		.profile = PROFILE_ORGANISATION,
		.subject = { .organisation =
				 json_string_value(json_object_get(form, "organisation")),
		    .credit_code = json_string_value(json_object_get(form, "creditCode")) },
		.request = request },
	    &der, err);
	uk_buf_fini(&der);
	return rc;
}

struct order_revoking {
	const struct issuing *i;
	const char *order;
	const char *why;
};

static enum uk_rc
revoke_order(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct order_revoking *r = ctx;
	char serials[16][SERIAL_LEN];
	size_t n = 0;
	struct store_rows *rows =
	    store_query(tx, SQL_CERTIFICATES_OF_ORDER, STORE_ARGS(DB_T(r->order)));
	enum uk_rc rc;

	while (n < sizeof(serials) / sizeof(serials[0]) && store_next(rows))
		if (store_int(rows, 7) == 0)
			(void)snprintf(serials[n++], SERIAL_LEN, "%s", store_text(rows, 0));
	rc = store_end(rows, err);
	for (size_t s = 0; rc == UK_OK && s < n; s++)
		rc = store_run(tx, SQL_CERTIFICATE_REVOKE,
		    STORE_ARGS(DB_T(serials[s]), DB_I(uk_now(r->i->clock)), DB_T(r->why)), NULL,
		    err);
	return rc;
}

static enum uk_rc
job_revoke(void *ctx, const char *order, const char *why, struct uk_err *err)
{
	const struct issuing *i = ctx;
	enum crl_reason reason = CRL_UNSPECIFIED;
	struct order_revoking r = { .i = i, .order = order };

	if (crl_reason_from_name(why, &reason) != UK_OK)
		reason = CRL_UNSPECIFIED;
	r.why = crl_reason_name(reason);
	return store_write_wait(i->store, revoke_order, &r, err);
}

static enum uk_rc
job_crl(void *ctx, int64_t *next_due, struct uk_err *err)
{
	return list(ctx, true, next_due, err);
}

struct jobs_issuer
issuing_jobs(struct issuing *i)
{
	return (struct jobs_issuer){
		.ctx = i, .issue = job_issue, .revoke = job_revoke, .crl = job_crl
	};
}
