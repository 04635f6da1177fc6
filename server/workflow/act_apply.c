#include <stdio.h>
#include <string.h>

#include "workflow/act.h"

/* An account that is the unit's says nothing about its credit code: [V4] then wants a review. */
static void
set_needs(struct order *o, int64_t needs)
{
	o->needs = order_kind_get(o->kind)->needs | needs;
	if ((needs & NEED_MATCH) != 0 && o->identity_status == IDENTITY_PASSED &&
	    o->identity_method == METHOD_ACCOUNT)
		o->needs |= NEED_DOCUMENTS | NEED_SIGNATURE | NEED_REVIEW;
}

enum uk_rc
act_edit(const struct act *a, struct uk_err *err)
{
	(void)err;
	set_needs(a->o, a->ev->needs);
	return UK_OK;
}

enum uk_rc
act_reset_identity(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->identity_status = IDENTITY_NONE;
	a->o->identity_method = METHOD_NONE;
	a->o->identity_reason[0] = '\0';
	ACT_SET(a->o->identity_digest, a->ev->identity_digest);
	set_needs(a->o, a->ev->needs);
	return UK_OK;
}

enum uk_rc
act_start_identity(const struct act *a, struct uk_err *err)
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
	return act_job_n(a, "identity-check", o->identity_checks, err);
}

enum uk_rc
act_pass_identity(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->identity_status = IDENTITY_PASSED;
	set_needs(a->o, a->o->needs);
	return UK_OK;
}

/* An attempt that nobody could answer does not count. */
enum uk_rc
act_fail_identity(const struct act *a, struct uk_err *err)
{
	struct order *o = a->o;

	(void)err;
	o->identity_status = IDENTITY_FAILED;
	ACT_SET(o->identity_reason, a->ev->reason);
	if (strcmp(o->identity_reason, "service-unavailable") == 0 && o->identity_attempts > 0)
		o->identity_attempts--;
	return UK_OK;
}

enum uk_rc
act_give_up_identity(const struct act *a, struct uk_err *err)
{
	struct event ev = *a->ev;
	const struct act same = { .sink = a->sink, .o = a->o, .ev = &ev };

	ev.reason = "service-unavailable";
	return act_fail_identity(&same, err);
}

enum uk_rc
act_ask_review(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->needs &= ~(int64_t)NEED_IDENTITY;
	a->o->needs |= NEED_MANUAL | NEED_DOCUMENTS | NEED_SIGNATURE | NEED_REVIEW;
	return UK_OK;
}

enum uk_rc
act_add_document(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->documents |= INT64_C(1) << a->ev->document;
	return UK_OK;
}

enum uk_rc
act_sign(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->signed_at = a->ev->now;
	return UK_OK;
}

/* From when it was handed in, however long the money took to be matched. */
void
act_queue_for_review(const struct act *a)
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

enum uk_rc
act_sign_for_review(const struct act *a, struct uk_err *err)
{
	act_queue_for_review(a);
	return act_sign(a, err);
}

/* All who have reviewed it, for none of them may produce it. */
static enum uk_rc
reviewed(const struct act *a, enum review_result result, struct uk_err *err)
{
	struct order *o = a->o;
	const size_t n = strlen(o->reviewers);
	const int more = snprintf(o->reviewers + n, sizeof(o->reviewers) - n, "%s%s",
	    n != 0 ? "," : "", act_text(a->ev->actor));

	if (more < 0 || (size_t)more >= sizeof(o->reviewers) - n)
		return uk_fail(err, UK_E_LIMIT, "too-many-reviewers", "action", more);
	ACT_SET(o->reviewer, a->ev->actor);
	ACT_SET(o->review_reason, a->ev->reason);
	o->reviewed_at = a->ev->now;
	o->review_result = result;
	return UK_OK;
}

static enum uk_rc
approve_saying(const struct act *a, const char *template, struct uk_err *err)
{
	enum uk_rc rc = reviewed(a, REVIEW_APPROVED, err);

	if (rc == UK_OK)
		rc = act_new_password(a, err);
	return rc != UK_OK ? rc : act_tell_result(a, template, err);
}

enum uk_rc
act_approve(const struct act *a, struct uk_err *err)
{
	return approve_saying(a, "approved", err);
}

/* [L10], [V3]: by a job, since a pair's other certificate goes with it; the next thing that is
 * done. */
enum uk_rc
act_revoke_old(const struct act *a, struct uk_err *err)
{
	return act_job_n(a, "revoke-old", a->o->version + 1, err);
}

enum uk_rc
act_approve_replacement(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = act_revoke_old(a, err);

	return rc != UK_OK ? rc : approve_saying(a, "replaced", err);
}

enum uk_rc
act_approve_download(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = reviewed(a, REVIEW_APPROVED, err);

	return rc != UK_OK ? rc : act_tell(a, "download", err);
}

enum uk_rc
act_reject(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = reviewed(a, REVIEW_REJECTED, err);

	return rc != UK_OK ? rc : act_tell_result(a, "rejected", err);
}
