#include <assert.h>
#include <stdio.h>

#include "workflow/act.h"

static enum uk_rc
nothing(const struct act *a, struct uk_err *err)
{
	(void)a;
	(void)err;
	return UK_OK;
}

static enum uk_rc
tell_overdue(const struct act *a, struct uk_err *err)
{
	const struct state_row *state = state_row(a->o->state);
	char about[ACT_KEY_LEN];

	(void)snprintf(about, sizeof(about), "%s/%lld", a->o->id, (long long)a->o->state_since);
	return act_task(a, "overdue", about, state->role, state->name, err);
}

static const struct action_row actions[] = {
	[DO_NOTHING] = { "", nothing },
	[DO_EDIT] = { "edit", act_edit },
	[DO_RESET_IDENTITY] = { "reset-identity", act_reset_identity },
	[DO_START_IDENTITY] = { "start-identity", act_start_identity },
	[DO_PASS_IDENTITY] = { "pass-identity", act_pass_identity },
	[DO_FAIL_IDENTITY] = { "fail-identity", act_fail_identity },
	[DO_GIVE_UP_IDENTITY] = { "give-up-identity", act_give_up_identity },
	[DO_ASK_REVIEW] = { "ask-review", act_ask_review },
	[DO_ADD_DOCUMENT] = { "add-document", act_add_document },
	[DO_SIGN] = { "sign", act_sign },
	[DO_SIGN_FOR_REVIEW] = { "sign-for-review", act_sign_for_review },
	[DO_OPEN_PAYMENT] = { "open-payment", act_open_payment },
	[DO_TAKE_PAYMENT] = { "take-payment", act_take_payment },
	[DO_TAKE_REMITTANCE] = { "take-remittance", act_take_remittance },
	[DO_RETURN_PAYMENT] = { "return-payment", act_return_payment },
	[DO_DROP_PAYMENT] = { "drop-payment", act_drop_payment },
	[DO_CLOSE_PAYMENT] = { "close-payment", act_close_payment },
	[DO_SCRAP] = { "scrap", act_scrap },
	[DO_REFUND] = { "refund", act_refund },
	[DO_COUNT_REFUND] = { "count-refund", act_count_refund },
	[DO_REFUND_TO_FINANCE] = { "refund-to-finance", act_refund_to_finance },
	[DO_COUNT_BY_HAND] = { "count-by-hand", act_count_by_hand },
	[DO_APPROVE] = { "approve", act_approve },
	[DO_APPROVE_REPLACEMENT] = { "approve-replacement", act_approve_replacement },
	[DO_APPROVE_DOWNLOAD] = { "approve-download", act_approve_download },
	[DO_REJECT] = { "reject", act_reject },
	[DO_PASSWORD_SENT] = { "password-sent", act_password_sent },
	[DO_PASSWORD_FAILED] = { "password-failed", act_password_failed },
	[DO_PASSWORD_LATE] = { "password-late", act_password_late },
	[DO_NEW_PASSWORD] = { "new-password", act_new_password },
	[DO_CLAIM] = { "claim", act_claim },
	[DO_RELEASE] = { "release", act_release },
	[DO_REMAKE] = { "remake", act_remake },
	[DO_TICKET] = { "ticket", act_count_ticket },
	[DO_REQUEST] = { "request", act_request },
	[DO_ISSUED] = { "issued", act_issued },
	[DO_ISSUE_FAILED] = { "issue-failed", act_issue_failed },
	[DO_PROVE] = { "prove", act_prove },
	[DO_PROVE_RENEWAL] = { "prove-renewal", act_prove_renewal },
	[DO_PROVE_CHANGE] = { "prove-change", act_prove_change },
	[DO_POST] = { "post", act_post },
	[DO_AUTHORISE] = { "authorise", act_authorise },
	[DO_AUTHORISATION_FAILED] = { "authorisation-failed", act_authorisation_failed },
	[DO_OTHER_WAY] = { "other-way", act_other_way },
	[DO_ERASE_CODE] = { "erase-code", act_erase_code },
	[DO_COUNT_WRONG_CODE] = { "count-wrong-code", act_count_wrong_code },
	[DO_UNLOCKED] = { "unlocked", act_unlocked },
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
	char key[ACT_KEY_LEN];

	if (at == a->o->timeout_at)
		return UK_OK;
	a->o->timeout_at = at;
	(void)snprintf(key, sizeof(key), "timeout/%s", a->o->id);
	if (at == 0)
		return ACT_SEND(a, SQL_JOB_DROP, DB_T(key));
	return ACT_SEND(a, SQL_JOB_AGAIN, DB_T(key), DB_T("timeout"), DB_T(a->o->id), DB_T("{}"),
	    DB_I(at), DB_I(a->ev->now));
}

/* The desks' tasks about the state that is left; before the action, which may add its own. */
static enum uk_rc
leave(const struct act *a, enum order_state to, struct uk_err *err)
{
	if (to == ST_SAME || to == a->o->state)
		return UK_OK;
	return ACT_SEND(
	    a, SQL_TASKS_LEAVE, DB_T(a->o->id), DB_I(a->ev->now), DB_T(act_text(a->ev->actor)));
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
