#include <stdio.h>
#include <string.h>

#include "ca/issuer.h"
#include "ca/request.h"
#include "jobs/kinds.h"
#include "km/km.h"
#include "workflow/renewal.h"

#define CSR_MAX   REQUEST_MAX
#define PARTS_MAX 2 /* a signing certificate, and for some keys an encryption certificate */

/* One certificate of a request, from its plan to its signature. */
struct part {
	struct certificate row; /* issued_at: 0 until it is signed */
	struct uk_buf tbs;
	struct uk_buf der;
};

struct issue {
	struct jobs *j;
	const struct job *job;
	struct order order;
	char intent[CERTIFICATE_INTENT_LEN];       /* of the signing certificate */
	char other_intent[CERTIFICATE_INTENT_LEN]; /* of the encryption certificate */
	struct uk_buf request;                     /* PKCS#10 */
	char token[CERTIFICATE_TOKEN_LEN];
	json_t *form;
	int64_t now;
	int64_t old_end; /* of the certificate that is renewed, changed or replaced; 0: none */
	struct part parts[PARTS_MAX];
	size_t n;            /* parts; 0: nothing is intended yet */
	struct km_pair pair; /* of the second, while it is being planned */
	struct uk_buf enveloped;
};

void
issue_intent(const struct job *job, const char *which, char intent[CERTIFICATE_INTENT_LEN])
{
	(void)snprintf(
	    intent, CERTIFICATE_INTENT_LEN, "%s/%lld%s", job->order, (long long)job->n, which);
}

static enum uk_rc
read_part(struct store_tx *tx, struct issue *i, struct part *p, struct uk_err *err)
{
	const struct crypt *crypt = i->j->s.crypt;

	uk_buf_reset(&p->tbs);
	uk_buf_reset(&p->der);
	return p->row.issued_at != 0 ? certificate_der(tx, crypt, p->row.serial, &p->der, err)
				     : certificate_tbs(tx, crypt, p->row.serial, &p->tbs, err);
}

/* What the store has counts, whoever prepared it. */
static enum uk_rc
read_parts(struct store_tx *tx, struct issue *i, struct uk_err *err)
{
	enum uk_rc rc = certificate_by_intent(tx, i->intent, &i->parts[0].row, NULL);

	i->n = 0;
	if (rc == UK_E_NOT_FOUND)
		return UK_OK;
	if (rc == UK_OK)
		rc = read_part(tx, i, &i->parts[0], err);
	i->n = 1;
	if (rc == UK_OK && i->parts[0].row.pair[0] != '\0') {
		rc = certificate_by_intent(tx, i->other_intent, &i->parts[1].row, NULL);
		if (rc == UK_OK)
			rc = read_part(tx, i, &i->parts[1], err);
		i->n = 2;
	}
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, "issue.intent", 0);
}

static enum uk_rc
read_old_end(struct store_tx *tx, struct issue *i, struct uk_err *err)
{
	struct certificate old = { .not_after = 0 };
	enum uk_rc rc = UK_OK;

	if (i->order.about[0] != '\0')
		rc = certificate_get(tx, i->order.about, &old, err);
	i->old_end = old.not_after;
	return rc;
}

static enum uk_rc
load(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct issue *i = ctx;
	struct store_rows *rows;
	enum uk_rc rc = read_parts(tx, i, err);

	json_decref(i->form);
	i->form = NULL;
	if (rc == UK_OK)
		rc = order_form_load(tx, i->j->s.crypt, i->order.id, &i->form, err);
	if (rc != UK_OK)
		return rc;
	if ((rc = read_old_end(tx, i, err)) != UK_OK)
		return rc;
	uk_buf_reset(&i->request);
	rows = store_query(tx, SQL_REQUEST_GET, STORE_ARGS(DB_T(i->order.id), DB_I(i->job->n)));
	if (store_next(rows)) {
		(void)snprintf(i->token, sizeof(i->token), "%s", store_text(rows, 0));
		uk_buf_put(&i->request, store_blob(rows, 1));
	}
	return store_end(rows, err);
}

static const char *
member(const struct issue *i, const char *name)
{
	return json_string_value(json_object_get(i->form, name));
}

/* For whom, and for how long ([R2], [R3], [V3], [L10]): the same for all of a request's
 * certificates. */
static struct issuer_order
wish(const struct issue *i)
{
	const enum order_flow flow = order_kind_get(i->order.kind)->flow;
	struct issuer_order o = { .not_before = i->now,
		.not_after = renewal_end(flow, i->old_end, i->now) };

	if (order_kind_get(i->order.kind)->unit) {
		o.profile = PROFILE_ORGANISATION;
		o.subject.organisation = member(i, "organisation");
		o.subject.credit_code = member(i, "creditCode");
	} else {
		o.profile = PROFILE_PERSON;
		o.subject.name = member(i, "name");
		o.subject.id_number = member(i, "idNumber");
	}
	return o;
}

/* Decide everything about one certificate but its signature. */
static enum uk_rc
prepare_part(struct issue *i, struct part *p, const struct issuer_order *order, struct uk_err *err)
{
	const char *number = member(i, order_kind_get(i->order.kind)->number);
	struct issuer_intent prepared;
	const enum uk_rc rc =
	    issuer_prepare(i->j->s.authority, order, i->j->s.random, &prepared, err);

	if (rc != UK_OK)
		return rc;
	p->row = (struct certificate){ .usage = order->use == PROFILE_ENCRYPT ? CERTIFICATE_ENCRYPT
									      : CERTIFICATE_SIGN,
		.not_before = order->not_before,
		.not_after = order->not_after };
	(void)snprintf(p->row.serial, sizeof(p->row.serial), "%s", prepared.serial);
	(void)snprintf(p->row.intent, sizeof(p->row.intent), "%s",
	    order->use == PROFILE_ENCRYPT ? i->other_intent : i->intent);
	(void)snprintf(p->row.order, sizeof(p->row.order), "%s", i->order.id);
	(void)snprintf(p->row.profile, sizeof(p->row.profile), "%s", profile_name(order->profile));
	(void)snprintf(p->row.token, sizeof(p->row.token), "%s", i->token);
	crypt_index_str(
	    i->j->s.crypt, CRYPT_INDEX_NUMBER, number != NULL ? number : "", p->row.holder);
	uk_buf_reset(&p->tbs);
	uk_buf_put(&p->tbs, uk_buf_span(&prepared.tbs));
	issuer_intent_fini(&prepared);
	return UK_OK;
}

/* The encryption certificate, for a pair made here and wrapped to the signing key. */
static enum uk_rc
prepare_other(struct issue *i, const struct uk_pubkey *signing, struct uk_err *err)
{
	struct issuer_order order = wish(i);
	struct uk_buf spki;
	enum uk_rc rc;

	if (i->j->s.km == NULL)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "km", 0);
	uk_buf_init(&spki, SPKI_MAX);
	if ((rc = km_pair_make(&i->pair, err)) == UK_OK &&
	    (rc = km_wrap(i->j->s.km, &i->pair, signing, &i->enveloped, err)) == UK_OK &&
	    (rc = uk_pubkey_spki(i->pair.public, &spki)) == UK_OK) {
		order.use = PROFILE_ENCRYPT;
		order.spki = uk_buf_span(&spki);
		rc = prepare_part(i, &i->parts[1], &order, err);
	}
	uk_buf_fini(&spki);
	if (rc != UK_OK)
		return rc;
	memcpy(i->parts[0].row.pair, i->parts[1].row.serial, SERIAL_LEN);
	memcpy(i->parts[1].row.pair, i->parts[0].row.serial, SERIAL_LEN);
	return UK_OK;
}

/* With an SM2 key comes a second one (GM/T 0034): sign with this, be written to with that. */
static enum uk_rc
prepare(struct issue *i, struct uk_err *err)
{
	struct issuer_order order = wish(i);
	struct uk_pubkey *key = NULL;
	struct uk_buf spki;
	enum uk_rc rc;

	uk_buf_init(&spki, SPKI_MAX);
	if ((rc = request_read(uk_buf_span(&i->request), &spki, err)) != UK_OK ||
	    (rc = uk_pubkey_from_spki(uk_buf_span(&spki), &key, err)) != UK_OK)
		goto out;
	order.spki = uk_buf_span(&spki);
	rc = prepare_part(i, &i->parts[0], &order, err);
	i->n = 1;
	if (rc == UK_OK && uk_pubkey_alg(key) == UK_KEY_SM2) {
		rc = prepare_other(i, key, err);
		i->n = 2;
	}
out:
	if (rc != UK_OK)
		i->n = 0;
	uk_pubkey_free(&key);
	uk_buf_fini(&spki);
	return rc;
}

/* Serials and all the rest are on record before there is a signature. */
static enum uk_rc
store_intents(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct issue *i = ctx;
	char mine[SERIAL_LEN];
	enum uk_rc rc = UK_OK;

	memcpy(mine, i->parts[1].row.serial, SERIAL_LEN);
	for (size_t n = 0; rc == UK_OK && n < i->n; n++)
		rc = certificate_intend(tx, i->j->s.crypt, &i->parts[n].row,
		    uk_buf_span(&i->parts[n].tbs), i->now, err);
	if (rc == UK_OK)
		rc = read_parts(tx, i, err);
	/* unless another worker was first, and its pair counts */
	if (rc == UK_OK && i->n == 2 && strcmp(mine, i->parts[1].row.serial) == 0)
		rc = km_keep(
		    i->j->s.km, tx, mine, &i->pair, uk_buf_span(&i->enveloped), i->now, err);
	return rc;
}

/* All of a request's certificates, or none. */
static enum uk_rc
store_certificates(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct issue *i = ctx;
	enum uk_rc rc = UK_OK;

	for (size_t n = 0; rc == UK_OK && n < i->n; n++) {
		struct uk_cert *cert = NULL;

		rc = uk_cert_parse(uk_buf_span(&i->parts[n].der), &cert, err);
		if (rc == UK_OK)
			rc = certificate_issued(tx, i->j->s.crypt, cert, i->now, err);
		uk_cert_free(&cert);
	}
	return rc;
}

static enum uk_rc
sign(struct issue *i, struct uk_err *err)
{
	enum uk_rc rc = UK_OK;
	bool any = false;

	for (size_t n = 0; rc == UK_OK && n < i->n; n++) {
		struct part *p = &i->parts[n];

		if (p->row.issued_at != 0)
			continue;
		any = true;
		rc = issuer_sign(i->j->s.authority, uk_buf_span(&p->tbs), &p->der, err);
	}
	return rc == UK_OK && any ? store_write_wait(i->j->s.store, store_certificates, i, err)
				  : rc;
}

static enum uk_rc
certify(struct issue *i, struct uk_err *err)
{
	enum uk_rc rc = UK_OK;

	if (i->n == 0) {
		rc = prepare(i, err);
		if (rc == UK_OK)
			rc = store_write_wait(i->j->s.store, store_intents, i, err);
	}
	return rc == UK_OK ? sign(i, err) : rc;
}

static void
issue_init(struct issue *i)
{
	uk_buf_init(&i->request, CSR_MAX);
	for (size_t n = 0; n < PARTS_MAX; n++) {
		uk_buf_init(&i->parts[n].tbs, ISSUER_TBS_MAX);
		uk_buf_init(&i->parts[n].der, ISSUER_CERT_MAX);
	}
	uk_buf_init(&i->enveloped, KM_ENVELOPE_MAX);
	issue_intent(i->job, "", i->intent);
	issue_intent(i->job, "/e", i->other_intent);
}

static void
issue_fini(struct issue *i)
{
	uk_json_wipe(i->form);
	json_decref(i->form);
	uk_buf_fini(&i->request);
	uk_buf_fini(&i->enveloped);
	km_pair_fini(&i->pair);
	for (size_t n = 0; n < PARTS_MAX; n++) {
		uk_buf_fini(&i->parts[n].tbs);
		uk_buf_fini(&i->parts[n].der);
	}
}

/* Is it still wanted, and may it be? */
static bool
wanted(struct issue *i, struct job_report *r)
{
	if (!job_order(i->j, i->job, &i->order, r))
		return false;
	if (i->order.state != ST_ISSUING || i->order.requests != i->job->n)
		return false;
	/* The table has asked already; a certificate for nothing is worth asking twice. */
	if (i->order.amount_paid < i->order.amount_due) {
		job_refuse(r, "not-paid", NULL);
		return false;
	}
	if (i->j->s.authority == NULL) {
		job_retry(r, uk_rc_name(UK_E_UNAVAILABLE), NULL);
		return false;
	}
	return true;
}

void
run_issue(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct issue i = { .j = j, .job = job, .now = uk_now(j->s.clock) };
	struct uk_err err = { 0 };
	enum uk_rc rc;

	if (!wanted(&i, r))
		return;
	issue_init(&i);
	rc = store_read(j->s.store, load, &i, &err);
	if (rc == UK_OK)
		rc = certify(&i, &err);
	if (rc == UK_OK) {
		job_event(r, EV_ISSUED, "issued/%lld", (long long)job->n);
		r->n = job->n;
	} else if (rc == UK_E_INTEGRITY && i.n == 0) {
		job_refuse(r, uk_err_reason(&err), &err);
	} else {
		job_failed(r, rc, &err);
	}
	issue_fini(&i);
}
