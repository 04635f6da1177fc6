#include <stdio.h>

#include "identity/identity.h"
#include "jobs/kinds.h"

struct subject {
	struct jobs *j;
	const struct job *job;
	json_t *json;
};

static enum uk_rc
load_subject(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct subject *s = ctx;

	return order_check_load(tx, s->j->s.crypt, s->job->order, s->job->n, &s->json, err);
}

static enum uk_rc
end_check(struct jobs *j, struct store_tx *tx, const struct job *job, const struct job_report *r,
    struct uk_err *err)
{
	const char *outcome = r->on == EV_IDENTITY_PASSED ? "match" : r->reason;

	return order_check_end(
	    tx, j->s.crypt, job->order, job->n, outcome, r->text, r->json, uk_now(j->s.clock), err);
}

/* Whatever came of it, a card number is of no further use. */
static void
keep(struct job_report *r)
{
	(void)json_object_del(r->json, "card");
	r->also = end_check;
}

static const char *
member(const json_t *subject, const char *name)
{
	return json_string_value(json_object_get(subject, name));
}

static enum uk_rc
ask(struct jobs *j, const struct order *o, const json_t *subject, struct ident_result *out,
    struct uk_err *err)
{
	const enum ident_method method =
	    ident_method_from_name(identity_method_name(o->identity_method));
	const struct ident_subject s = {
		.unit = order_kind_get(o->kind)->unit,
		.organisation = member(subject, "organisation"),
		.credit_code = member(subject, "creditCode"),
		.name = member(subject, "name"),
		.id_number = member(subject, "idNumber"),
		.phone = member(subject, "phone"),
		.card = member(subject, "card"),
		.account = member(subject, "account"),
		.bank = member(subject, "bank"),
	};

	if (j->s.ident == NULL || method == IDENT_METHOD__MAX)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "identity-check", 0);
	return ident_check(j->s.ident, method, &s, out, err);
}

static void
conclude(const struct job *job, const struct ident_result *result, struct job_report *r)
{
	if (result->outcome == IDENT_UNAVAILABLE) {
		job_retry(r, ident_outcome_name(result->outcome), &result->err);
		return;
	}
	(void)snprintf(r->text, sizeof(r->text), "%s", result->evidence);
	r->n = job->n;
	keep(r);
	job_event(r, result->outcome == IDENT_MATCH ? EV_IDENTITY_PASSED : EV_IDENTITY_FAILED,
	    "identity/%lld", (long long)job->n);
	if (result->outcome != IDENT_MATCH)
		(void)snprintf(
		    r->reason, sizeof(r->reason), "%s", ident_outcome_name(result->outcome));
}

void
run_identity_check(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct subject s = { .j = j, .job = job };
	struct ident_result result = { 0 };
	struct uk_err err = { 0 };
	struct order o;
	enum uk_rc rc;

	if (!job_order(j, job, &o, r))
		return;
	rc = store_read(j->s.store, load_subject, &s, &err);
	r->json = s.json;
	if (rc == UK_OK && (o.state != ST_IDENTITY_CHECKING || o.identity_checks != job->n)) {
		(void)snprintf(r->reason, sizeof(r->reason), "not-needed");
		keep(r);
		return;
	}
	if (rc == UK_OK)
		rc = ask(j, &o, s.json, &result, &err);
	if (rc != UK_OK)
		job_failed(r, rc, &err);
	else
		conclude(job, &result, r);
}

void
give_up_identity_check(const struct job *job, struct job_report *r)
{
	job_event(r, EV_IDENTITY_FAILED, "identity/%lld", (long long)job->n);
	(void)snprintf(r->reason, sizeof(r->reason), "service-unavailable");
	r->n = job->n;
	if (r->json != NULL)
		keep(r);
}
