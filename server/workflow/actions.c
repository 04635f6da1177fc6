#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "workflow/actions.h"
#include "workflow/job.h"

#define KEY_LEN          128
#define QUERY_AFTER      60 /* seconds until we ask by ourselves whether it is paid */
#define SEND(a, id, ...) (a)->sink->run((a)->sink->ctx, (id), STORE_ARGS(__VA_ARGS__), NULL, err)

static const char *
text(const char *s)
{
	return s != NULL ? s : "";
}

/* Cut to fit: what comes here has been bounded by the caller's field table. */
static void
set(char *to, size_t size, const char *s)
{
	(void)snprintf(to, size, "%s", text(s));
}
#define SET(field, s) set((field), sizeof(field), (s))

/* A statement that must change exactly one row. */
static enum uk_rc
one(const struct act *a, enum sql_id id, const struct db_value *args, size_t n, struct uk_err *err)
{
	int64_t changed = 0;
	const enum uk_rc rc = a->sink->run(a->sink->ctx, id, args, n, &changed, err);

	if (rc == UK_OK && changed != 1)
		return uk_fail(err, UK_E_CONFLICT, "payment-state", "action", (long)id);
	return rc;
}

static enum uk_rc
job(const struct act *a, const char *kind, const char *key, const char *args, int64_t due,
    struct uk_err *err)
{
	return SEND(a, SQL_JOB_PUT, DB_T(key), DB_T(kind), DB_T(a->o->id), DB_T(args), DB_I(due),
	    DB_I(a->ev->now));
}

/* A job about the n-th of something of this order. */
static enum uk_rc
job_n(const struct act *a, const char *kind, int64_t n, struct uk_err *err)
{
	char key[KEY_LEN];
	char args[KEY_LEN];

	(void)snprintf(key, sizeof(key), "%s/%s/%lld", kind, a->o->id, (long long)n);
	(void)snprintf(args, sizeof(args), "{\"n\":%lld}", (long long)n);
	return job(a, kind, key, args, a->ev->now, err);
}

/* A job about one payment. */
static enum uk_rc
job_payment(
    const struct act *a, const char *kind, const char *payment, int64_t due, struct uk_err *err)
{
	char key[KEY_LEN];
	char args[KEY_LEN];

	(void)snprintf(key, sizeof(key), "%s/%s", kind, payment);
	(void)snprintf(args, sizeof(args), "{\"payment\":\"%s\"}", payment);
	return job(a, kind, key, args, due, err);
}

/* A message to the agent; what it says beside the order is looked up when it is sent. */
static enum uk_rc
tell(const struct act *a, const char *template, struct uk_err *err)
{
	char key[KEY_LEN];
	char args[KEY_LEN];

	(void)snprintf(key, sizeof(key), "sms-send/%s/%s/%lld", template, a->o->id,
	    (long long)a->o->version + 1);
	(void)snprintf(args, sizeof(args), "{\"template\":\"%s\",\"payment\":\"%s\"}", template,
	    text(a->ev->payment));
	return job(a, "sms-send", key, args, a->ev->now, err);
}

/* [C9] The end of a replacement's review is told by e-mail, too. */
static enum uk_rc
tell_result(const struct act *a, const char *template, struct uk_err *err)
{
	const enum uk_rc rc = tell(a, template, err);
	char key[KEY_LEN];
	char args[KEY_LEN];

	if (rc != UK_OK || order_kind_get(a->o->kind)->flow != FLOW_REPLACEMENT)
		return rc;
	(void)snprintf(key, sizeof(key), "mail-send/%s/%s/%lld", template, a->o->id,
	    (long long)a->o->version + 1);
	(void)snprintf(args, sizeof(args), "{\"template\":\"%s\"}", template);
	return job(a, "mail-send", key, args, a->ev->now, err);
}

static enum uk_rc
task(const struct act *a, const char *kind, const char *about, const char *role, const char *detail,
    struct uk_err *err)
{
	char id[KEY_LEN];

	(void)snprintf(id, sizeof(id), "%s/%s", kind, about);
	return SEND(a, SQL_TASK_PUT, DB_T(id), DB_T(kind), DB_T(role), DB_T(a->o->id),
	    DB_T(text(detail)), DB_I(a->ev->now));
}

static enum uk_rc
nothing(const struct act *a, struct uk_err *err)
{
	(void)a;
	(void)err;
	return UK_OK;
}

/* An account that is the unit's says nothing about its credit code: [V4] then wants a review. */
static void
set_needs(struct order *o, int64_t needs)
{
	o->needs = order_kind_get(o->kind)->needs | needs;
	if ((needs & NEED_MATCH) != 0 && o->identity_status == IDENTITY_PASSED &&
	    o->identity_method == METHOD_ACCOUNT)
		o->needs |= NEED_DOCUMENTS | NEED_SIGNATURE | NEED_REVIEW;
}

static enum uk_rc
edit(const struct act *a, struct uk_err *err)
{
	(void)err;
	set_needs(a->o, a->ev->needs);
	return UK_OK;
}

static enum uk_rc
reset_identity(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->identity_status = IDENTITY_NONE;
	a->o->identity_method = METHOD_NONE;
	a->o->identity_reason[0] = '\0';
	SET(a->o->identity_digest, a->ev->identity_digest);
	set_needs(a->o, a->ev->needs);
	return UK_OK;
}

static enum uk_rc
start_identity(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	const int64_t today = uk_day_beijing(a->ev->now);

	if (o->identity_day != today)
		o->identity_attempts = 0;
	o->identity_day = today;
	o->identity_attempts++;
	o->identity_checks++;
	o->identity_method = a->ev->method;
	o->identity_status = IDENTITY_CHECKING;
	o->identity_reason[0] = '\0';
	return job_n(a, "identity-check", o->identity_checks, err);
}

static enum uk_rc
pass_identity(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->identity_status = IDENTITY_PASSED;
	set_needs(a->o, a->o->needs);
	return UK_OK;
}

/* An attempt that nobody could answer does not count. */
static enum uk_rc
fail_identity(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;

	(void)err;
	o->identity_status = IDENTITY_FAILED;
	SET(o->identity_reason, a->ev->reason);
	if (strcmp(o->identity_reason, "service-unavailable") == 0 && o->identity_attempts > 0)
		o->identity_attempts--;
	return UK_OK;
}

static enum uk_rc
give_up_identity(const struct act *a, struct uk_err *err)
{
	struct event ev = *a->ev;
	const struct act same = { .sink = a->sink, .o = a->o, .ev = &ev };

	ev.reason = "service-unavailable";
	return fail_identity(&same, err);
}

static enum uk_rc
ask_review(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->needs &= ~(int64_t)NEED_IDENTITY;
	a->o->needs |= NEED_MANUAL | NEED_DOCUMENTS | NEED_SIGNATURE | NEED_REVIEW;
	return UK_OK;
}

static enum uk_rc
add_document(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->documents |= INT64_C(1) << a->ev->document;
	return UK_OK;
}

static enum uk_rc
do_sign(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->signed_at = a->ev->now;
	return UK_OK;
}

/* From when it was handed in, however long the money took to be matched. */
static void
queue_for_review(const struct act *a)
{
	const bool handed_in = a->ev->on == EV_REMITTED && a->o->signed_at != 0;

	if ((a->o->needs & NEED_REVIEW) == 0)
		return;
	a->o->review_due =
	    state_timeout(a->o->kind, ST_REVIEW, handed_in ? a->o->signed_at : a->ev->now);
	a->o->review_result = REVIEW_NONE;
	a->o->review_reason[0] = '\0';
	a->o->reviewed_at = 0;
}

static enum uk_rc
sign_for_review(const struct act *a, struct uk_err *err)
{
	queue_for_review(a);
	return do_sign(a, err);
}

static enum uk_rc
open_payment(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	enum uk_rc rc;

	if (o->payment[0] != '\0')
		return UK_OK;
	o->payments++;
	(void)snprintf(o->payment, sizeof(o->payment), "%sP%u", o->id, (unsigned)o->payments);
	rc = SEND(a, SQL_PAYMENT_PUT, DB_T(o->payment), DB_T(o->id), DB_I(o->amount_due),
	    DB_I(a->ev->now), DB_I(o->timeout_at - PAYMENT_MARGIN));
	if (rc != UK_OK)
		return rc;
	return job_payment(a, "payment-query", o->payment, a->ev->now + QUERY_AFTER, err);
}

/* The row of the payment that the event is about; once. */
static enum uk_rc
book(const struct act *a, struct uk_err *err)
{
	const struct event *ev = a->ev;

	return one(a, SQL_PAYMENT_PAID,
	    STORE_ARGS(DB_T(text(ev->payment)), DB_T(a->o->id), DB_T(text(ev->trade)),
		DB_I(ev->amount), DB_I(ev->at)),
	    err);
}

/* "UK...M1": what finance has found on our account. */
static enum uk_rc
take_remittance(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	enum uk_rc rc;

	o->payments++;
	(void)snprintf(o->payment, sizeof(o->payment), "%sM%u", o->id, (unsigned)o->payments);
	rc = SEND(a, SQL_PAYMENT_REMITTED, DB_T(o->payment), DB_T(o->id), DB_I(a->ev->amount),
	    DB_I(a->ev->now), DB_T(text(a->ev->trade)),
	    DB_I(a->ev->at != 0 ? a->ev->at : a->ev->now));
	o->amount_paid = a->ev->amount;
	o->paid_at = a->ev->at != 0 ? a->ev->at : a->ev->now;
	if (o->state == ST_PAYMENT)
		queue_for_review(a);
	return rc;
}

static enum uk_rc
close_payment(const struct act *a, struct uk_err *err)
{
	if (a->o->payment[0] == '\0')
		return UK_OK;
	return job_payment(a, "payment-close", a->o->payment, a->ev->now, err);
}

static enum uk_rc
take_payment(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	enum uk_rc rc = book(a, err);

	/* An earlier page was paid while a later one is open. */
	if (rc == UK_OK && strcmp(o->payment, text(a->ev->payment)) != 0)
		rc = close_payment(a, err);
	SET(o->payment, a->ev->payment);
	o->amount_paid = a->ev->amount;
	o->paid_at = a->ev->at != 0 ? a->ev->at : a->ev->now;
	queue_for_review(a);
	return rc;
}

/* The number of a refund is its payment's and an R: the same refund asked for twice is one. */
static enum uk_rc
refund(const struct act *a, const char *payment, struct uk_err *err)
{
	char no[KEY_LEN];
	enum uk_rc rc;

	(void)snprintf(no, sizeof(no), "%sR", payment);
	rc = one(a, SQL_PAYMENT_REFUND, STORE_ARGS(DB_T(payment), DB_T(no)), err);
	if (rc != UK_OK)
		return rc;
	a->o->refunds_open++;
	return job_payment(a, "refund", payment, a->ev->now, err);
}

static enum uk_rc
return_payment(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;
	const char *payment = text(a->ev->payment);
	enum uk_rc rc = book(a, err);

	if (rc == UK_OK)
		rc = refund(a, payment, err);
	if (rc == UK_OK)
		rc = task(
		    a, "payment-returned", payment, "finance", order_state_name(o->state), err);
	if (o->amount_paid == 0) {
		o->paid_at = a->ev->at != 0 ? a->ev->at : a->ev->now;
		if (strcmp(o->payment, payment) == 0)
			o->payment[0] = '\0';
	}
	return rc;
}

static enum uk_rc
drop_payment(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = SEND(a, SQL_PAYMENT_CLOSED, DB_T(a->o->payment));

	a->o->payment[0] = '\0';
	return rc;
}

/* Whatever was made for the order is worth nothing from here on. */
static enum uk_rc
scrap(const struct act *a, struct uk_err *err)
{
	enum uk_rc rc = SEND(a, SQL_PASSWORD_ERASE, DB_T(a->o->id));

	if (rc == UK_OK && a->o->requests > 0)
		rc = job_n(a, "revoke", a->o->requests, err);
	a->o->issued_at = 0;
	return rc;
}

static enum uk_rc
do_refund(const struct act *a, struct uk_err *err)
{
	enum uk_rc rc = refund(a, a->o->payment, err);

	if (rc == UK_OK)
		rc = scrap(a, err);
	a->o->amount_paid = 0;
	return rc;
}

static enum uk_rc
count_refund(const struct act *a, struct uk_err *err)
{
	enum uk_rc rc = one(
	    a, SQL_PAYMENT_REFUNDED, STORE_ARGS(DB_T(text(a->ev->payment)), DB_I(a->ev->now)), err);

	a->o->refunds_open--;
	return rc != UK_OK ? rc : tell(a, "refunded", err);
}

static enum uk_rc
refund_to_finance(const struct act *a, struct uk_err *err)
{
	const char *payment = text(a->ev->payment);
	enum uk_rc rc = one(a, SQL_PAYMENT_BY_HAND, STORE_ARGS(DB_T(payment)), err);

	a->o->refunds_open--;
	a->o->refunds_by_hand++;
	if (rc != UK_OK)
		return rc;
	return task(a, "refund-by-hand", payment, "finance", a->ev->reason, err);
}

static enum uk_rc
count_by_hand(const struct act *a, struct uk_err *err)
{
	const char *payment = text(a->ev->payment);
	char id[KEY_LEN];
	enum uk_rc rc =
	    one(a, SQL_PAYMENT_REFUNDED_BY_HAND, STORE_ARGS(DB_T(payment), DB_I(a->ev->now)), err);

	a->o->refunds_by_hand--;
	if (rc != UK_OK)
		return rc;
	(void)snprintf(id, sizeof(id), "refund-by-hand/%s", payment);
	rc = SEND(a, SQL_TASK_CLOSE, DB_T(id), DB_I(a->ev->now), DB_T(text(a->ev->actor)));
	return rc != UK_OK ? rc : tell(a, "refunded", err);
}

/* All who have reviewed it, for none of them may produce it. */
static enum uk_rc
reviewed(const struct act *a, enum review_result result, struct uk_err *err)
{
	struct order *o = a->o;
	const size_t n = strlen(o->reviewers);
	const int more = snprintf(o->reviewers + n, sizeof(o->reviewers) - n, "%s%s",
	    n != 0 ? "," : "", text(a->ev->actor));

	if (more < 0 || (size_t)more >= sizeof(o->reviewers) - n)
		return uk_fail(err, UK_E_LIMIT, "too-many-reviewers", "action", more);
	SET(o->reviewer, a->ev->actor);
	SET(o->review_reason, a->ev->reason);
	o->reviewed_at = a->ev->now;
	o->review_result = result;
	return UK_OK;
}

static enum uk_rc
new_password(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = SEND(a, SQL_PASSWORD_ERASE, DB_T(a->o->id));

	a->o->passwords++;
	a->o->password_tickets = 0;
	a->o->password_sent_at = 0;
	return rc != UK_OK ? rc : job_n(a, "pin-deliver", a->o->passwords, err);
}

static enum uk_rc
approve_saying(const struct act *a, const char *template, struct uk_err *err)
{
	enum uk_rc rc = reviewed(a, REVIEW_APPROVED, err);

	if (rc == UK_OK)
		rc = new_password(a, err);
	return rc != UK_OK ? rc : tell_result(a, template, err);
}

static enum uk_rc
approve(const struct act *a, struct uk_err *err)
{
	return approve_saying(a, "approved", err);
}

/* [L10], [V3]: by a job, since a pair's other certificate goes with it; the next thing that is
 * done. */
static enum uk_rc
revoke_old(const struct act *a, struct uk_err *err)
{
	return job_n(a, "revoke-old", a->o->version + 1, err);
}

static enum uk_rc
approve_replacement(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = revoke_old(a, err);

	return rc != UK_OK ? rc : approve_saying(a, "replaced", err);
}

static enum uk_rc
approve_download(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = reviewed(a, REVIEW_APPROVED, err);

	return rc != UK_OK ? rc : tell(a, "download", err);
}

static enum uk_rc
reject(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = reviewed(a, REVIEW_REJECTED, err);

	return rc != UK_OK ? rc : tell_result(a, "rejected", err);
}

static enum uk_rc
password_sent(const struct act *a, struct uk_err *err)
{
	a->o->password_sent_at = a->ev->now;
	if (strcmp(order_password_channel(a->o), "remark") != 0)
		return UK_OK;
	return tell(
	    a, order_kind_get(a->o->kind)->flow == FLOW_UNLOCK ? "authorised" : "account", err);
}

static enum uk_rc
task_password(const struct act *a, const char *kind, struct uk_err *err)
{
	char about[KEY_LEN];

	(void)snprintf(about, sizeof(about), "%s/%lld", a->o->id, (long long)a->o->passwords);
	return task(a, kind, about, "administrator", a->ev->reason, err);
}

static enum uk_rc
password_failed(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = task_password(a, "delivery-failed", err);

	a->o->password_sent_at = 0;
	return rc != UK_OK ? rc : tell(a, "failed", err);
}

/* The key is being made or has been: only people can help. */
static enum uk_rc
password_late(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = task_password(a, "password-bounced", err);

	return rc != UK_OK ? rc : tell(a, "failed", err);
}

static enum uk_rc
claim(const struct act *a, struct uk_err *err)
{
	(void)err;
	SET(a->o->producer, a->ev->actor);
	return UK_OK;
}

static enum uk_rc
release(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->producer[0] = '\0';
	return UK_OK;
}

/* A station has seen the password, so it is not used again. */
static enum uk_rc
remake(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = scrap(a, err);

	a->o->producer[0] = '\0';
	return rc != UK_OK ? rc : new_password(a, err);
}

static enum uk_rc
count_ticket(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->tickets++;
	a->o->password_tickets++;
	return UK_OK;
}

static enum uk_rc
request(const struct act *a, struct uk_err *err)
{
	a->o->requests++;
	return job_n(a, "issue", a->o->requests, err);
}

static enum uk_rc
end_request(const struct act *a, const char *outcome, struct uk_err *err)
{
	return SEND(a, SQL_REQUEST_END, DB_T(a->o->id), DB_I(a->ev->n), DB_T(outcome));
}

static enum uk_rc
issued(const struct act *a, struct uk_err *err)
{
	a->o->issued_at = a->ev->now;
	return end_request(a, "issued", err);
}

/* Given up half-way, there may be a certificate all the same. */
static enum uk_rc
issue_failed(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = job_n(a, "revoke", a->ev->n, err);

	return rc != UK_OK ? rc : end_request(a, text(a->ev->reason), err);
}

static enum uk_rc
prove(const struct act *a, struct uk_err *err)
{
	a->o->proved_at = a->ev->now;
	return SEND(a, SQL_PASSWORD_ERASE, DB_T(a->o->id));
}

static enum uk_rc
prove_renewal(const struct act *a, struct uk_err *err)
{
	a->o->proved_at = a->ev->now;
	return tell(a, "renewed", err);
}

static enum uk_rc
prove_change(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = revoke_old(a, err);

	a->o->proved_at = a->ev->now;
	return rc != UK_OK ? rc : tell(a, "changed", err);
}

/* The authorisation code takes the way of a password ([U3], [C3]). */
static enum uk_rc
authorise(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = pass_identity(a, err);

	return rc != UK_OK ? rc : new_password(a, err);
}

static enum uk_rc
erase_code(const struct act *a, struct uk_err *err)
{
	return SEND(a, SQL_PASSWORD_ERASE, DB_T(a->o->id));
}

static enum uk_rc
other_way(const struct act *a, struct uk_err *err)
{
	a->o->identity_status = IDENTITY_NONE;
	a->o->identity_method = METHOD_NONE;
	a->o->identity_reason[0] = '\0';
	a->o->needs |= NEED_IDENTITY;
	return erase_code(a, err);
}

static enum uk_rc
authorisation_failed(const struct act *a, struct uk_err *err)
{
	enum uk_rc rc = other_way(a, err);

	a->o->password_sent_at = 0;
	if (rc == UK_OK)
		rc = tell(a, "failed", err);
	return rc;
}

/* The last one ends the order. */
static enum uk_rc
count_wrong_code(const struct act *a, struct uk_err *err)
{
	a->o->code_tries++;
	return a->o->code_tries < ORDER_CODE_TRIES ? UK_OK : erase_code(a, err);
}

static enum uk_rc
unlocked(const struct act *a, struct uk_err *err)
{
	a->o->proved_at = a->ev->now;
	return tell(a, "unlocked", err);
}

static enum uk_rc
do_post(const struct act *a, struct uk_err *err)
{
	a->o->posted_at = a->ev->now;
	return tell(a, "posted", err);
}

static enum uk_rc
tell_overdue(const struct act *a, struct uk_err *err)
{
	const struct state_row *state = state_row(a->o->state);
	char about[KEY_LEN];

	(void)snprintf(about, sizeof(about), "%s/%lld", a->o->id, (long long)a->o->state_since);
	return task(a, "overdue", about, state->role, state->name, err);
}

static const struct action_row actions[] = {
	[DO_NOTHING] = { "", nothing },
	[DO_EDIT] = { "edit", edit },
	[DO_RESET_IDENTITY] = { "reset-identity", reset_identity },
	[DO_START_IDENTITY] = { "start-identity", start_identity },
	[DO_PASS_IDENTITY] = { "pass-identity", pass_identity },
	[DO_FAIL_IDENTITY] = { "fail-identity", fail_identity },
	[DO_GIVE_UP_IDENTITY] = { "give-up-identity", give_up_identity },
	[DO_ASK_REVIEW] = { "ask-review", ask_review },
	[DO_ADD_DOCUMENT] = { "add-document", add_document },
	[DO_SIGN] = { "sign", do_sign },
	[DO_SIGN_FOR_REVIEW] = { "sign-for-review", sign_for_review },
	[DO_OPEN_PAYMENT] = { "open-payment", open_payment },
	[DO_TAKE_PAYMENT] = { "take-payment", take_payment },
	[DO_TAKE_REMITTANCE] = { "take-remittance", take_remittance },
	[DO_RETURN_PAYMENT] = { "return-payment", return_payment },
	[DO_DROP_PAYMENT] = { "drop-payment", drop_payment },
	[DO_CLOSE_PAYMENT] = { "close-payment", close_payment },
	[DO_SCRAP] = { "scrap", scrap },
	[DO_REFUND] = { "refund", do_refund },
	[DO_COUNT_REFUND] = { "count-refund", count_refund },
	[DO_REFUND_TO_FINANCE] = { "refund-to-finance", refund_to_finance },
	[DO_COUNT_BY_HAND] = { "count-by-hand", count_by_hand },
	[DO_APPROVE] = { "approve", approve },
	[DO_APPROVE_REPLACEMENT] = { "approve-replacement", approve_replacement },
	[DO_APPROVE_DOWNLOAD] = { "approve-download", approve_download },
	[DO_REJECT] = { "reject", reject },
	[DO_PASSWORD_SENT] = { "password-sent", password_sent },
	[DO_PASSWORD_FAILED] = { "password-failed", password_failed },
	[DO_PASSWORD_LATE] = { "password-late", password_late },
	[DO_NEW_PASSWORD] = { "new-password", new_password },
	[DO_CLAIM] = { "claim", claim },
	[DO_RELEASE] = { "release", release },
	[DO_REMAKE] = { "remake", remake },
	[DO_TICKET] = { "ticket", count_ticket },
	[DO_REQUEST] = { "request", request },
	[DO_ISSUED] = { "issued", issued },
	[DO_ISSUE_FAILED] = { "issue-failed", issue_failed },
	[DO_PROVE] = { "prove", prove },
	[DO_PROVE_RENEWAL] = { "prove-renewal", prove_renewal },
	[DO_PROVE_CHANGE] = { "prove-change", prove_change },
	[DO_POST] = { "post", do_post },
	[DO_AUTHORISE] = { "authorise", authorise },
	[DO_AUTHORISATION_FAILED] = { "authorisation-failed", authorisation_failed },
	[DO_OTHER_WAY] = { "other-way", other_way },
	[DO_ERASE_CODE] = { "erase-code", erase_code },
	[DO_COUNT_WRONG_CODE] = { "count-wrong-code", count_wrong_code },
	[DO_UNLOCKED] = { "unlocked", unlocked },
	[DO_TELL_OVERDUE] = { "tell-overdue", tell_overdue },
};
static_assert(sizeof(actions) / sizeof(actions[0]) == DO__MAX, "one row per action");

const struct action_row *
action_row(enum action a)
{
	return &actions[a];
}

/* One job per order rings at its time-out; it is set anew whenever the time-out is. */
static enum uk_rc
set_timeout(const struct act *a, int64_t at, struct uk_err *err)
{
	char key[KEY_LEN];

	if (at == a->o->timeout_at)
		return UK_OK;
	a->o->timeout_at = at;
	(void)snprintf(key, sizeof(key), "timeout/%s", a->o->id);
	if (at == 0)
		return SEND(a, SQL_JOB_DROP, DB_T(key));
	return SEND(a, SQL_JOB_AGAIN, DB_T(key), DB_T("timeout"), DB_T(a->o->id), DB_T("{}"),
	    DB_I(at), DB_I(a->ev->now));
}

/* The desks' tasks about the state that is left; before the action, which may add its own. */
static enum uk_rc
leave(const struct act *a, enum order_state to, struct uk_err *err)
{
	if (to == ST_SAME || to == a->o->state)
		return UK_OK;
	return SEND(a, SQL_TASKS_LEAVE, DB_T(a->o->id), DB_I(a->ev->now), DB_T(text(a->ev->actor)));
}

static enum uk_rc
enter(const struct act *a, enum order_state to, struct uk_err *err)
{
	if (to != ST_SAME) {
		a->o->state = to;
		a->o->state_since = a->ev->now;
	} else if (a->ev->on != EV_TIMEOUT) {
		return UK_OK;
	}
	return set_timeout(a, state_timeout(a->o->kind, a->o->state, a->ev->now), err);
}

enum uk_rc
step_take(const struct act_sink *sink, const struct step *step, const struct event *ev,
    struct order *o, struct uk_err *err)
{
	const struct act a = { .sink = sink, .o = o, .ev = ev };
	enum uk_rc rc = leave(&a, step->to, err);

	if (rc == UK_OK)
		rc = actions[step->then].run(&a, err);
	if (rc == UK_OK)
		rc = enter(&a, step->to, err);
	o->version++;
	o->updated_at = ev->now;
	return rc;
}
