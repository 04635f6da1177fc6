#include <stdio.h>
#include <string.h>

#include "workflow/act.h"

enum uk_rc
act_new_password(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = ACT_SEND(a, SQL_PASSWORD_ERASE, DB_T(a->o->id));

	a->o->passwords++;
	a->o->password_tickets = 0;
	a->o->password_sent_at = 0;
	return rc != UK_OK ? rc : act_job_n(a, "pin-deliver", a->o->passwords, err);
}

enum uk_rc
act_password_sent(const struct act *a, struct uk_err *err)
{
	a->o->password_sent_at = a->ev->now;
	if (strcmp(order_password_channel(a->o), "remark") != 0)
		return UK_OK;
	return act_tell(
	    a, order_kind_get(a->o->kind)->flow == FLOW_UNLOCK ? "authorised" : "account", err);
}

static enum uk_rc
task_password(const struct act *a, const char *kind, struct uk_err *err)
{
	char about[ACT_KEY_LEN];

	(void)snprintf(about, sizeof(about), "%s/%lld", a->o->id, (long long)a->o->passwords);
	return act_task(a, kind, about, "administrator", a->ev->reason, err);
}

enum uk_rc
act_password_failed(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = task_password(a, "delivery-failed", err);

	a->o->password_sent_at = 0;
	return rc != UK_OK ? rc : act_tell(a, "failed", err);
}

/* The key is being made or has been: only people can help. */
enum uk_rc
act_password_late(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = task_password(a, "password-bounced", err);

	return rc != UK_OK ? rc : act_tell(a, "failed", err);
}

enum uk_rc
act_claim(const struct act *a, struct uk_err *err)
{
	(void)err;
	ACT_SET(a->o->producer, a->ev->actor);
	return UK_OK;
}

enum uk_rc
act_release(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->producer[0] = '\0';
	return UK_OK;
}

/* A station has seen the password, so it is not used again. */
enum uk_rc
act_remake(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = act_scrap(a, err);

	a->o->producer[0] = '\0';
	return rc != UK_OK ? rc : act_new_password(a, err);
}

enum uk_rc
act_count_ticket(const struct act *a, struct uk_err *err)
{
	(void)err;
	a->o->tickets++;
	a->o->password_tickets++;
	return UK_OK;
}

enum uk_rc
act_request(const struct act *a, struct uk_err *err)
{
	a->o->requests++;
	return act_job_n(a, "issue", a->o->requests, err);
}

static enum uk_rc
end_request(const struct act *a, const char *outcome, struct uk_err *err)
{
	return ACT_SEND(a, SQL_REQUEST_END, DB_T(a->o->id), DB_I(a->ev->n), DB_T(outcome));
}

enum uk_rc
act_issued(const struct act *a, struct uk_err *err)
{
	a->o->issued_at = a->ev->now;
	return end_request(a, "issued", err);
}

/* Given up half-way, there may be a certificate all the same. */
enum uk_rc
act_issue_failed(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = act_job_n(a, "revoke", a->ev->n, err);

	return rc != UK_OK ? rc : end_request(a, act_text(a->ev->reason), err);
}

enum uk_rc
act_prove(const struct act *a, struct uk_err *err)
{
	a->o->proved_at = a->ev->now;
	return ACT_SEND(a, SQL_PASSWORD_ERASE, DB_T(a->o->id));
}

enum uk_rc
act_prove_renewal(const struct act *a, struct uk_err *err)
{
	a->o->proved_at = a->ev->now;
	return act_tell(a, "renewed", err);
}

enum uk_rc
act_prove_change(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = act_revoke_old(a, err);

	a->o->proved_at = a->ev->now;
	return rc != UK_OK ? rc : act_tell(a, "changed", err);
}

/* The authorisation code takes the way of a password ([U3], [C3]). */
enum uk_rc
act_authorise(const struct act *a, struct uk_err *err)
{
	const enum uk_rc rc = act_pass_identity(a, err);

	return rc != UK_OK ? rc : act_new_password(a, err);
}

enum uk_rc
act_erase_code(const struct act *a, struct uk_err *err)
{
	return ACT_SEND(a, SQL_PASSWORD_ERASE, DB_T(a->o->id));
}

enum uk_rc
act_other_way(const struct act *a, struct uk_err *err)
{
	a->o->identity_status = IDENTITY_NONE;
	a->o->identity_method = METHOD_NONE;
	a->o->identity_reason[0] = '\0';
	a->o->needs |= NEED_IDENTITY;
	return act_erase_code(a, err);
}

enum uk_rc
act_authorisation_failed(const struct act *a, struct uk_err *err)
{
	enum uk_rc rc = act_other_way(a, err);

	a->o->password_sent_at = 0;
	if (rc == UK_OK)
		rc = act_tell(a, "failed", err);
	return rc;
}

/* The last one ends the order. */
enum uk_rc
act_count_wrong_code(const struct act *a, struct uk_err *err)
{
	a->o->code_tries++;
	return a->o->code_tries < ORDER_CODE_TRIES ? UK_OK : act_erase_code(a, err);
}

enum uk_rc
act_unlocked(const struct act *a, struct uk_err *err)
{
	a->o->proved_at = a->ev->now;
	return act_tell(a, "unlocked", err);
}

enum uk_rc
act_post(const struct act *a, struct uk_err *err)
{
	a->o->posted_at = a->ev->now;
	return act_tell(a, "posted", err);
}
