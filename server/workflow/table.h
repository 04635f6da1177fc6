/* The order table and what its columns name. */
#ifndef WORKFLOW_TABLE_H
#define WORKFLOW_TABLE_H

#include "workflow/workflow.h"

/* In `to`: the order stays where it is, and its time-out runs on. */
#define ST_SAME ST__MAX

/* A payment ends this long before its order's time-out, so that one of the last minute is heard of.
 */
#define PAYMENT_MARGIN (15 * 60)

enum guard {
	IF_ALWAYS,
	IF_IDENTITY_KEPT,
	IF_IDENTITY_NOT_NEEDED,
	IF_REVIEW_INSTEAD,
	IF_ATTEMPTS_LEFT,
	IF_CURRENT_CHECK,
	IF_DOCUMENT_WANTED,
	IF_DOCUMENTS_COMPLETE,
	IF_NEEDS_DOCUMENTS,
	IF_NEEDS_SIGNATURE,
	IF_PAYMENT_TIME_LEFT,
	IF_PAYS_EXACTLY,
	IF_PAYS_FOR_REVIEW,
	IF_CURRENT_PAYMENT,
	IF_PAID,
	IF_PAID_IN_FULL,
	IF_PAID_FOR_REVIEW,
	IF_LAST_REFUND,
	IF_LAST_REFUND_BUT_BY_HAND,
	IF_LAST_OPEN_REFUND,
	IF_REFUND_OPEN,
	IF_LAST_BY_HAND,
	IF_BY_HAND,
	IF_MAY_APPROVE,
	IF_NOT_PRODUCER,
	IF_CURRENT_PASSWORD,
	IF_NOT_REVIEWER,
	IF_OWN_CLAIM,
	IF_OWN_CLAIM_UNDISCLOSED,
	IF_OWN_CLAIM_TICKET_LEFT,
	IF_OWN_CLAIM_PREPARED,
	IF_UNDISCLOSED,
	IF_CURRENT_REQUEST,
	IF_LAST_CODE_TRY,
	IF_TICKET_LEFT,
	IF_TICKETED,
	IF__MAX
};

enum action {
	DO_NOTHING,
	DO_EDIT,
	DO_RESET_IDENTITY,
	DO_START_IDENTITY,
	DO_PASS_IDENTITY,
	DO_FAIL_IDENTITY,
	DO_GIVE_UP_IDENTITY,
	DO_ASK_REVIEW,
	DO_ADD_DOCUMENT,
	DO_SIGN,
	DO_SIGN_FOR_REVIEW,
	DO_OPEN_PAYMENT,
	DO_TAKE_PAYMENT,
	DO_TAKE_REMITTANCE,
	DO_RETURN_PAYMENT,
	DO_DROP_PAYMENT,
	DO_CLOSE_PAYMENT,
	DO_SCRAP,
	DO_REFUND,
	DO_COUNT_REFUND,
	DO_REFUND_TO_FINANCE,
	DO_COUNT_BY_HAND,
	DO_APPROVE,
	DO_APPROVE_REPLACEMENT,
	DO_APPROVE_DOWNLOAD,
	DO_REJECT,
	DO_PASSWORD_SENT,
	DO_PASSWORD_FAILED,
	DO_PASSWORD_LATE,
	DO_NEW_PASSWORD,
	DO_CLAIM,
	DO_RELEASE,
	DO_REMAKE,
	DO_TICKET,
	DO_REQUEST,
	DO_ISSUED,
	DO_ISSUE_FAILED,
	DO_PROVE,
	DO_PROVE_RENEWAL,
	DO_PROVE_CHANGE,
	DO_POST,
	DO_AUTHORISE,
	DO_AUTHORISATION_FAILED,
	DO_OTHER_WAY,
	DO_ERASE_CODE,
	DO_COUNT_WRONG_CODE,
	DO_UNLOCKED,
	DO_TELL_OVERDUE,
	DO__MAX
};

struct step {
	uint32_t kinds; /* 1 << enum order_kind */
	uint32_t from;  /* 1 << enum order_state */
	enum order_event on;
	unsigned by;
	enum guard only_if;
	enum action then;
	enum order_state to;
};

extern const struct step steps[];
extern const size_t steps_n;

/* Whose move it is. */
enum waits {
	WAITS_NONE, /* the order is over */
	WAITS_APPLICANT,
	WAITS_STAFF,
	WAITS_SYSTEM,
};

struct state_row {
	const char *name;
	enum waits waits;
	int64_t timeout;   /* seconds; 0 with working days, or when it is over */
	bool working_days; /* instead of seconds: as many as the kind says */
	const char *role;  /* on whose desk it is overdue; NULL: nobody's */
};
const struct state_row *state_row(enum order_state s);

struct event_row {
	const char *name;
	const char *action; /* as ORDER.actions calls it; NULL: not the applicant's */
	bool outside;       /* a fact that must not be lost when the order has no row for it */
};
const struct event_row *event_row(enum order_event e);

/* When the state, entered or held on to at `now` by an order of that kind, times out; 0: never. */
int64_t state_timeout(enum order_kind kind, enum order_state s, int64_t now);

/*
 * The first row for the event, or NULL: *rc and *reason then say why not.  Pure: looks at the order
 * and the event only.
 */
const struct step *table_match(
    const struct order *o, const struct event *ev, enum uk_rc *rc, const char **reason);

#endif
