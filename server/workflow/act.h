/*
 * What the actions share, and what actions.c lists of them: act_apply.c the application up to its
 * review, act_money.c payments and refunds, act_make.c passwords, keys, certificates and unlocks.
 * An action sets facts of the order and writes rows; it asks no one outside.
 */
#ifndef WORKFLOW_ACT_H
#define WORKFLOW_ACT_H

#include "workflow/actions.h"
#include "workflow/job.h"

#define ACT_KEY_LEN 128

/* A row, into the sink. */
#define ACT_SEND(a, id, ...)                                                                       \
	(a)->sink->run((a)->sink->ctx, (id), STORE_ARGS(__VA_ARGS__), NULL, err)

const char *act_text(const char *s); /* NULL: "" */

/* Cut to fit: what comes here has been bounded by the caller's field table. */
void act_set(char *to, size_t size, const char *s);
#define ACT_SET(field, s) act_set((field), sizeof(field), (s))

/* A statement that must change exactly one row: else UK_E_CONFLICT "payment-state". */
UK_CHECK enum uk_rc act_one(
    const struct act *a, enum sql_id id, const struct db_value *args, size_t n, struct uk_err *err);

/* A job about the n-th of something of this order, and one about a payment. */
UK_CHECK enum uk_rc act_job_n(const struct act *a, const char *kind, int64_t n, struct uk_err *err);
UK_CHECK enum uk_rc act_job_payment(
    const struct act *a, const char *kind, const char *payment, int64_t due, struct uk_err *err);

/* A message to the agent, and the one with a review's result, which goes by e-mail, too. */
UK_CHECK enum uk_rc act_tell(const struct act *a, const char *template, struct uk_err *err);
UK_CHECK enum uk_rc act_tell_result(const struct act *a, const char *template, struct uk_err *err);

/* On the desk of `role`. */
UK_CHECK enum uk_rc act_task(const struct act *a, const char *kind, const char *about,
    const char *role, const char *detail, struct uk_err *err);

/* With the order handed in, its review has a due date. */
void act_queue_for_review(const struct act *a);

typedef enum uk_rc act_fn(const struct act *a, struct uk_err *err);

/* Parts that several actions have. */
act_fn act_new_password, act_revoke_old;

/* The actions themselves. */
act_fn act_edit, act_reset_identity, act_start_identity, act_pass_identity, act_fail_identity,
    act_give_up_identity, act_ask_review, act_add_document, act_sign, act_sign_for_review,
    act_open_payment, act_take_remittance, act_close_payment, act_take_payment, act_return_payment,
    act_drop_payment, act_scrap, act_refund, act_count_refund, act_refund_to_finance,
    act_count_by_hand, act_new_password, act_approve, act_approve_replacement, act_approve_download,
    act_reject, act_password_sent, act_password_failed, act_password_late, act_claim, act_release,
    act_remake, act_count_ticket, act_request, act_issued, act_issue_failed, act_prove,
    act_prove_renewal, act_prove_change, act_authorise, act_erase_code, act_other_way,
    act_authorisation_failed, act_count_wrong_code, act_unlocked, act_post;

#endif
