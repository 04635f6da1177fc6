#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/kinds.h"
#include "notify/notify.h"
#include "pay/bank.h"

#define PIN_MAX     32u
#define POLL_AFTER  60
#define POLL_SLOWER 600
#define AMOUNT      1 /* fen */

static struct crypt_place
place(char row[ORDER_REF_LEN], const char *order, int64_t n)
{
	(void)snprintf(row, ORDER_REF_LEN, "%s/%d", order, (int)n);
	return (struct crypt_place){ .table = "passwords", .row = row, .column = "sealed" };
}

struct password {
	struct jobs *j;
	const struct order *o;
	bool made;             /* the row is there */
	struct uk_secret *pin; /* NULL: erased */
	bool asked;            /* the bank has been asked */
	json_t *subject;       /* of the identity check that passed */
	char holder[256];
};

/* The PIN of row n of the order; *made says whether there is a row. */
static enum uk_rc
read_pin(struct store_tx *tx, const struct crypt *crypt, const struct order *o, struct password *p,
    struct uk_err *err)
{
	char row[ORDER_REF_LEN];
	const struct crypt_place at = place(row, o->id, o->passwords);
	struct store_rows *rows =
	    store_query(tx, SQL_PASSWORD_GET, STORE_ARGS(DB_T(o->id), DB_I(o->passwords)));
	struct uk_buf plain;
	enum uk_rc rc = UK_OK;
	enum uk_rc end;

	uk_buf_init(&plain, PIN_MAX);
	p->made = store_next(rows);
	if (p->made && !store_null(rows, 0)) {
		rc = crypt_unseal(crypt, CRYPT_PIN, &at, store_blob(rows, 0), &plain, err);
		if (rc == UK_OK)
			p->pin = uk_secret_new(uk_buf_span(&plain));
		p->asked = store_text(rows, 2)[0] != '\0';
	}
	uk_buf_fini(&plain);
	end = store_end(rows, err);
	return end != UK_OK ? end : rc;
}

enum uk_rc
jobs_password_load(struct store_tx *tx, const struct crypt *crypt, const struct order *o,
    struct uk_secret **out, struct uk_err *err)
{
	struct password p = { 0 };
	const enum uk_rc rc = read_pin(tx, crypt, o, &p, err);

	if (rc != UK_OK) {
		uk_secret_free(&p.pin);
		return rc;
	}
	if (p.pin == NULL)
		return uk_fail(err, UK_E_NOT_FOUND, "password-erased", "password.load", 0);
	*out = p.pin;
	return UK_OK;
}

/* Made once per row, whatever runs twice: the row that is there stays. */
static enum uk_rc
make(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct password *p = ctx;
	const struct order *o = p->o;
	char row[ORDER_REF_LEN];
	const struct crypt_place at = place(row, o->id, o->passwords);
	struct uk_secret *pin = pin_make(p->j->s.random);
	struct uk_buf sealed;
	enum uk_rc rc;

	uk_buf_init(&sealed, PIN_MAX + CRYPT_OVERHEAD);
	rc = crypt_seal(p->j->s.crypt, CRYPT_PIN, &at, uk_secret_lend(pin), &sealed, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_PASSWORD_PUT,
		    STORE_ARGS(DB_T(o->id), DB_I(o->passwords), DB_B(uk_buf_span(&sealed)),
			DB_I(uk_now(p->j->s.clock)), DB_T(order_password_channel(o))),
		    NULL, err);
	uk_buf_fini(&sealed);
	uk_secret_free(&pin);
	return rc;
}

static enum uk_rc
load(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct password *p = ctx;
	const struct order *o = p->o;
	json_t *form = NULL;
	const char *holder;
	enum uk_rc rc = read_pin(tx, p->j->s.crypt, o, p, err);

	if (rc == UK_OK && o->identity_method != METHOD_NONE)
		rc = order_check_load(
		    tx, p->j->s.crypt, o->id, o->identity_checks, &p->subject, err);
	if (rc == UK_OK)
		rc = order_form_load(tx, p->j->s.crypt, o->id, &form, err);
	if (rc != UK_OK)
		return rc;
	if (p->subject == NULL)
		p->subject = json_pack("{s:s?}", "phone",
		    json_string_value(json_object_get(form, order_kind_get(o->kind)->phone)));
	holder = json_string_value(json_object_get(form, order_kind_get(o->kind)->holder));
	(void)snprintf(p->holder, sizeof(p->holder), "%s", holder != NULL ? holder : "");
	uk_json_wipe(form);
	json_decref(form);
	return UK_OK;
}

static const char *
member(const struct password *p, const char *name)
{
	const char *s = json_string_value(json_object_get(p->subject, name));

	return s != NULL ? s : "";
}

static enum uk_rc
note_sent(struct jobs *j, struct store_tx *tx, const struct job *job, const struct job_report *r,
    struct uk_err *err)
{
	const int64_t at = r->has_event ? uk_now(j->s.clock) : 0;

	return store_run(tx, SQL_PASSWORD_SENT,
	    STORE_ARGS(DB_T(job->order), DB_I(job->n), DB_T(r->text), DB_I(at)), NULL, err);
}

static void
sent(const struct job *job, const char *reference, struct job_report *r)
{
	job_event(r, EV_PASSWORD_SENT, "password-sent/%lld", (long long)job->n);
	r->n = job->n;
	(void)snprintf(r->text, sizeof(r->text), "%s", reference);
	r->also = note_sent;
}

/* To the phone whose owner was proved, which need not be the agent's. */
static void
by_message(const struct job *job, struct password *p, struct job_report *r)
{
	const bool unlock = order_kind_get(p->o->kind)->flow == FLOW_UNLOCK;
	const struct sms_pair pair = { unlock ? "code" : "password",
		(const char *)uk_secret_lend(p->pin).p };
	struct sms_result result = { 0 };
	struct uk_err err = { 0 };
	char id[JOB_TEXT_LEN];
	enum uk_rc rc = UK_E_UNAVAILABLE;

	(void)snprintf(id, sizeof(id), "%sW%lld", job->order, (long long)job->n);
	if (p->j->s.sms != NULL)
		rc = sms_send(p->j->s.sms, member(p, "phone"),
		    unlock ? SMS_AUTHORISATION : SMS_PASSWORD, &pair, 1, id, &result, &err);
	if (rc != UK_OK)
		job_failed(r, rc, &err);
	else if (result.outcome == SMS_SENT)
		sent(job, result.reference, r);
	else if (result.outcome == SMS_RETRY)
		job_retry(r, result.error, &result.err);
	else
		job_refuse(r, result.error, &result.err);
}

static enum uk_rc
transfer(const struct password *p, const char *id, struct bank_result *out, struct uk_err *err)
{
	const struct bank_transfer t = {
		.id = id,
		.account = member(p, "account"),
		.holder = p->holder,
		.bank = member(p, "bank"),
		.amount = AMOUNT,
		.remark = p->pin,
		.notify_url = p->j->s.bank_notify_url,
	};

	return bank_transfer(p->j->s.bank, &t, out, err);
}

/* On its way: ask again later, and remember that the bank has it. */
static void
on_its_way(const struct job *job, const struct bank_result *result, struct job_report *r)
{
	job_later(r, "accepted", job->runs < 10 ? POLL_AFTER : POLL_SLOWER);
	(void)snprintf(r->text, sizeof(r->text), "%s",
	    result->reference[0] != '\0' ? result->reference : "accepted");
	r->also = note_sent;
}

static void
by_transfer(const struct job *job, struct password *p, struct job_report *r)
{
	struct bank_result result = { 0 };
	struct uk_err err = { 0 };
	char id[BANK_ID_LEN];
	enum uk_rc rc = UK_E_NOT_FOUND;

	if (p->j->s.bank == NULL) {
		job_retry(r, uk_rc_name(UK_E_UNAVAILABLE), NULL);
		return;
	}
	(void)snprintf(id, sizeof(id), "%sT%lld", job->order, (long long)job->n);
	if (p->asked)
		rc = bank_query(p->j->s.bank, id, &result, &err);
	if (rc == UK_E_NOT_FOUND)
		rc = transfer(p, id, &result, &err);
	if (rc != UK_OK)
		job_failed(r, rc, &err);
	else if (result.status == BANK_PAID)
		sent(job, result.reference, r);
	else if (result.status == BANK_BOUNCED)
		job_refuse(r, result.reason, NULL);
	else
		on_its_way(job, &result, r);
}

void
run_pin_deliver(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct order o = { 0 };
	struct password p = { .j = j, .o = &o };
	struct uk_err err = { 0 };
	enum uk_rc rc;

	if (!job_order(j, job, &o, r))
		return;
	if (o.state != ST_DELIVERING || o.passwords != job->n)
		return;
	rc = store_write_wait(j->s.store, make, &p, &err);
	if (rc == UK_OK)
		rc = store_read(j->s.store, load, &p, &err);
	if (rc != UK_OK)
		job_failed(r, rc, &err);
	else if (p.pin == NULL)
		job_retry(r, "password-erased", NULL);
	else if (strcmp(order_password_channel(&o), "remark") == 0)
		by_transfer(job, &p, r);
	else
		by_message(job, &p, r);
	uk_secret_free(&p.pin);
	uk_json_wipe(p.subject);
	json_decref(p.subject);
	explicit_bzero(p.holder, sizeof(p.holder));
}

/* The bank's word by itself: "<order>T<n>" is the transfer of the n-th password. */
enum uk_rc
jobs_transfer_result(struct jobs *j, const struct bank_result *result, struct uk_err *err)
{
	char order[ORDER_ID_LEN] = "";
	char id[JOB_TEXT_LEN];
	struct event ev = { .order = order, .by = BY_SYSTEM, .id = id, .reason = result->reason };
	const size_t len = ORDER_ID_LEN - 1;
	enum uk_rc rc;
	char *end;

	if (strlen(result->id) < len + 2 || result->id[len] != 'T')
		return uk_fail(err, UK_E_NOT_FOUND, "transfer-unknown", "jobs.transfer", 0);
	if (result->status == BANK_ACCEPTED)
		return UK_OK;
	memcpy(order, result->id, len);
	ev.n = strtol(result->id + len + 1, &end, 10);
	if (*end != '\0' || ev.n <= 0)
		return uk_fail(err, UK_E_NOT_FOUND, "transfer-unknown", "jobs.transfer", 0);
	ev.on = result->status == BANK_PAID ? EV_PASSWORD_SENT : EV_PASSWORD_FAILED;
	(void)snprintf(id, sizeof(id), "%s/%lld", order_event_name(ev.on), (long long)ev.n);
	rc = workflow_send(j->s.workflow, j->s.store, &ev, NULL, err);
	/* Told before, or the order has moved on. */
	return rc == UK_E_CONFLICT ? UK_OK : rc;
}
