#include <assert.h>

#include "workflow/guards.h"

#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const struct state_row states[] = {
	/* clang-format off */
	[ST_IDENTITY]          = { "identity",          WAITS_APPLICANT, 30 * DAY,    false, NULL },
	[ST_IDENTITY_CHECKING] = { "identity-checking", WAITS_SYSTEM,    15 * MINUTE, false, NULL },
	[ST_CONFIRM]           = { "confirm",           WAITS_APPLICANT, 30 * DAY,    false, NULL },
	[ST_DOCUMENTS]         = { "documents",         WAITS_APPLICANT, 30 * DAY,    false, NULL },
	[ST_SIGNATURE]         = { "signature",         WAITS_APPLICANT, 30 * DAY,    false, NULL },
	[ST_PAYMENT]           = { "payment",           WAITS_APPLICANT, 1 * DAY,     false, NULL },
	[ST_REVIEW]            = { "review",            WAITS_STAFF,     0,           true, "reviewer" },
	[ST_REJECTED]          = { "rejected",          WAITS_APPLICANT, 30 * DAY,    false, NULL },
	[ST_DELIVERING]        = { "delivering",        WAITS_SYSTEM,    7 * DAY,     false, NULL },
	[ST_DELIVERY_FAILED]   = { "delivery-failed",   WAITS_STAFF,     30 * DAY,    false, NULL },
	[ST_PRODUCTION]        = { "production",        WAITS_STAFF,     3 * DAY,     false, "producer" },
	[ST_PRODUCING]         = { "producing",         WAITS_STAFF,     1 * DAY,     false, NULL },
	[ST_ISSUING]           = { "issuing",           WAITS_SYSTEM,    1 * HOUR,    false, "administrator" },
	[ST_PROVING]           = { "proving",           WAITS_STAFF,     3 * DAY,     false, NULL },
	[ST_SHIPPING]          = { "shipping",          WAITS_STAFF,     3 * DAY,     false, "producer" },
	[ST_DOWNLOAD]          = { "download",          WAITS_APPLICANT, 30 * DAY,    false, NULL },
	[ST_INSTALLING]        = { "installing",        WAITS_APPLICANT, 30 * DAY,    false, NULL },
	[ST_CODE]              = { "code",              WAITS_APPLICANT, 7 * DAY,     false, NULL },
	[ST_UNLOCKING]         = { "unlocking",         WAITS_APPLICANT, 1 * DAY,     false, NULL },
	[ST_DONE]              = { "done",              WAITS_NONE,      0,           false, NULL },
	[ST_CANCELLED]         = { "cancelled",         WAITS_NONE,      0,           false, NULL },
	[ST_EXPIRED]           = { "expired",           WAITS_NONE,      0,           false, NULL },
	[ST_REFUNDING]         = { "refunding",         WAITS_SYSTEM,    7 * DAY,     false, "finance" },
	[ST_REFUNDED]          = { "refunded",          WAITS_NONE,      0,           false, NULL },
	[ST_REFUND_BY_HAND]    = { "refund-by-hand",    WAITS_STAFF,     7 * DAY,     false, "finance" },
	/* clang-format on */
};
static_assert(sizeof(states) / sizeof(states[0]) == ST__MAX, "one row per state");

static const struct event_row events[] = {
	[EV_EDIT] = { "edit", "edit", false },
	[EV_IDENTITY] = { "identity", "identity", false },
	[EV_CONFIRM] = { "confirm", "confirm", false },
	[EV_DOCUMENT] = { "document", "documents", false },
	[EV_SUBMIT] = { "submit", "submit", false },
	[EV_SIGN] = { "sign", "sign", false },
	[EV_PAY] = { "pay", "pay", false },
	[EV_CANCEL] = { "cancel", "cancel", false },
	[EV_MANUAL] = { "manual", "manual", false },
	[EV_OTHER] = { "other", "other", false },
	[EV_UNLOCK] = { "unlock", "unlock", false },
	[EV_REFUND] = { "refund", "refund", false },
	[EV_APPROVE] = { "approve", NULL, false },
	[EV_REJECT] = { "reject", NULL, false },
	[EV_CLAIM] = { "claim", NULL, false },
	[EV_RELEASE] = { "release", NULL, false },
	[EV_TICKET] = { "ticket", "ticket", false },
	[EV_REQUEST] = { "request", "request", false },
	[EV_PROOF] = { "proof", "proof", false },
	[EV_SHIPMENT] = { "shipment", NULL, false },
	[EV_REDELIVER] = { "redeliver", NULL, false },
	[EV_REMITTED] = { "remitted", NULL, false },
	[EV_REFUNDED_BY_HAND] = { "refunded-by-hand", NULL, false },
	[EV_IDENTITY_PASSED] = { "identity-passed", NULL, false },
	[EV_IDENTITY_FAILED] = { "identity-failed", NULL, false },
	[EV_PAID] = { "paid", NULL, true },
	[EV_PAYMENT_CLOSED] = { "payment-closed", NULL, false },
	[EV_REFUND_DONE] = { "refund-done", NULL, true },
	[EV_REFUND_FAILED] = { "refund-failed", NULL, true },
	[EV_PASSWORD_SENT] = { "password-sent", NULL, false },
	[EV_PASSWORD_FAILED] = { "password-failed", NULL, false },
	[EV_ISSUED] = { "issued", NULL, true },
	[EV_ISSUE_FAILED] = { "issue-failed", NULL, false },
	[EV_CODE_WRONG] = { "code-wrong", NULL, false },
	[EV_TIMEOUT] = { "timeout", NULL, false },
};
static_assert(sizeof(events) / sizeof(events[0]) == EV__MAX, "one row per event");

#define K(kind)  (UINT32_C(1) << KIND_##kind)
#define S(state) (UINT32_C(1) << ST_##state)

#define NEW         (K(UNIT_NEW) | K(PERSON_NEW))
#define RENEWAL     (K(UNIT_RENEWAL) | K(PERSON_RENEWAL))
#define UNLOCK      (K(UNIT_UNLOCK) | K(PERSON_UNLOCK))
#define REPLACEMENT (K(UNIT_REPLACEMENT) | K(PERSON_REPLACEMENT))
#define CHANGE      (K(UNIT_CHANGE) | K(PERSON_CHANGE))

/* Made by the CA and posted; on the customer's own key; with a form; that cost money; and how it
 * comes. */
#define MADE     (NEW | REPLACEMENT)
#define ON_KEY   (RENEWAL | CHANGE)
#define FORMED   (MADE | ON_KEY)
#define PAYING   (MADE | RENEWAL)
#define REMITTED K(UNIT_REPLACEMENT)
#define ONLINE   (PAYING & ~REMITTED)
#define EVERY    ((UINT32_C(1) << KIND__MAX) - 1)

/* Before the application is signed; already paid only when it was rejected before, or remitted. */
#define FILLING (S(IDENTITY) | S(CONFIRM) | S(DOCUMENTS) | S(SIGNATURE))
#define LOADING (S(DOWNLOAD) | S(INSTALLING))
#define OVERDUE                                                                                    \
	(S(REVIEW) | S(PRODUCTION) | S(ISSUING) | S(SHIPPING) | S(REFUNDING) | S(REFUND_BY_HAND))
#define OVER      (S(CANCELLED) | S(EXPIRED) | S(REFUNDED))
#define RETURNING (S(REFUNDING) | S(REFUND_BY_HAND))
#define ALL       ((UINT32_C(1) << ST__MAX) - 1)

#define STAFF_REFUND (BY_FINANCE | BY_ADMINISTRATOR)

const struct step steps[] = {
	/* clang-format off */
/* of          from                  on                  by                    only if                     then                  to */

/* form and identity */
{ FORMED,     FILLING | S(REJECTED), EV_EDIT,            BY_APPLICANT, IF_IDENTITY_KEPT,        DO_EDIT,               ST_CONFIRM },
{ FORMED,     FILLING | S(REJECTED), EV_EDIT,            BY_APPLICANT, IF_IDENTITY_NOT_NEEDED,  DO_RESET_IDENTITY,     ST_CONFIRM },
{ FORMED,     FILLING | S(REJECTED), EV_EDIT,            BY_APPLICANT, IF_ALWAYS,               DO_RESET_IDENTITY,     ST_IDENTITY },
{ EVERY,      S(IDENTITY),          EV_IDENTITY,        BY_APPLICANT, IF_ATTEMPTS_LEFT,        DO_START_IDENTITY,     ST_IDENTITY_CHECKING },
{ FORMED,     S(IDENTITY_CHECKING), EV_IDENTITY_PASSED, BY_SYSTEM,    IF_CURRENT_CHECK,        DO_PASS_IDENTITY,      ST_CONFIRM },
{ UNLOCK,     S(IDENTITY_CHECKING), EV_IDENTITY_PASSED, BY_SYSTEM,    IF_CURRENT_CHECK,        DO_AUTHORISE,          ST_DELIVERING },
{ EVERY,      S(IDENTITY_CHECKING), EV_IDENTITY_FAILED, BY_SYSTEM,    IF_CURRENT_CHECK,        DO_FAIL_IDENTITY,      ST_IDENTITY },
{ EVERY,      S(IDENTITY_CHECKING), EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_GIVE_UP_IDENTITY,   ST_IDENTITY },
{ ON_KEY,     S(IDENTITY),          EV_MANUAL,          BY_APPLICANT, IF_REVIEW_INSTEAD,       DO_ASK_REVIEW,         ST_CONFIRM },
{ FORMED,     S(CONFIRM),           EV_CONFIRM,         BY_APPLICANT, IF_NEEDS_DOCUMENTS,      DO_NOTHING,            ST_DOCUMENTS },
{ ON_KEY,     S(CONFIRM),           EV_CONFIRM,         BY_APPLICANT, IF_NEEDS_SIGNATURE,      DO_NOTHING,            ST_SIGNATURE },
{ RENEWAL,    S(CONFIRM),           EV_CONFIRM,         BY_APPLICANT, IF_PAID_IN_FULL,         DO_NOTHING,            ST_DOWNLOAD },
{ RENEWAL,    S(CONFIRM),           EV_CONFIRM,         BY_APPLICANT, IF_ALWAYS,               DO_NOTHING,            ST_PAYMENT },

/* photos and signature */
{ FORMED,     S(DOCUMENTS) | S(SIGNATURE) | S(REJECTED), EV_DOCUMENT,        BY_APPLICANT, IF_DOCUMENT_WANTED,      DO_ADD_DOCUMENT,       ST_DOCUMENTS },
{ FORMED,     S(DOCUMENTS) | S(REJECTED), EV_SUBMIT,          BY_APPLICANT, IF_DOCUMENTS_COMPLETE,   DO_NOTHING,            ST_SIGNATURE },
{ FORMED,     S(SIGNATURE),         EV_SIGN,            BY_APPLICANT, IF_PAID_FOR_REVIEW,      DO_SIGN_FOR_REVIEW,    ST_REVIEW },
{ ON_KEY,     S(SIGNATURE),         EV_SIGN,            BY_APPLICANT, IF_PAID_IN_FULL,         DO_SIGN,               ST_DOWNLOAD },
{ PAYING,     S(SIGNATURE),         EV_SIGN,            BY_APPLICANT, IF_ALWAYS,               DO_SIGN,               ST_PAYMENT },

/* payment */
{ ONLINE,     S(PAYMENT),           EV_PAY,             BY_APPLICANT, IF_PAYMENT_TIME_LEFT,    DO_OPEN_PAYMENT,       ST_SAME },
{ ONLINE,     S(PAYMENT),           EV_PAID,            BY_SYSTEM,    IF_PAYS_FOR_REVIEW,      DO_TAKE_PAYMENT,       ST_REVIEW },
{ RENEWAL,    S(PAYMENT),           EV_PAID,            BY_SYSTEM,    IF_PAYS_EXACTLY,         DO_TAKE_PAYMENT,       ST_DOWNLOAD },
{ ONLINE,     S(PAYMENT),           EV_PAYMENT_CLOSED,  BY_SYSTEM,    IF_CURRENT_PAYMENT,      DO_DROP_PAYMENT,       ST_SAME },
{ REMITTED,   S(PAYMENT),           EV_REMITTED,        BY_FINANCE,   IF_PAYS_EXACTLY,         DO_TAKE_REMITTANCE,    ST_REVIEW },
{ REMITTED,   FILLING | S(IDENTITY_CHECKING), EV_REMITTED,        BY_FINANCE,   IF_PAYS_EXACTLY,         DO_TAKE_REMITTANCE,    ST_SAME },
{ PAYING,     S(PAYMENT),           EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_CLOSE_PAYMENT,      ST_EXPIRED },

/* given up */
{ PAYING,     FILLING | S(IDENTITY_CHECKING), EV_CANCEL,          BY_APPLICANT, IF_PAID,                 DO_REFUND,             ST_REFUNDING },
{ EVERY,      FILLING | S(IDENTITY_CHECKING) | S(PAYMENT), EV_CANCEL,          BY_APPLICANT, IF_ALWAYS,               DO_CLOSE_PAYMENT,      ST_CANCELLED },
{ RENEWAL,    LOADING,              EV_CANCEL,          BY_APPLICANT, IF_PAID,                 DO_REFUND,             ST_REFUNDING },
{ CHANGE,     LOADING,              EV_CANCEL,          BY_APPLICANT, IF_ALWAYS,               DO_SCRAP,              ST_CANCELLED },
{ CHANGE,     S(REJECTED),          EV_CANCEL,          BY_APPLICANT, IF_ALWAYS,               DO_NOTHING,            ST_CANCELLED },
{ UNLOCK,     S(DELIVERING) | S(CODE) | S(UNLOCKING), EV_CANCEL,          BY_APPLICANT, IF_ALWAYS,               DO_ERASE_CODE,         ST_CANCELLED },
{ PAYING,     FILLING | S(REJECTED), EV_TIMEOUT,         BY_SYSTEM,    IF_PAID,                 DO_REFUND,             ST_REFUNDING },
{ EVERY,      FILLING,              EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_NOTHING,            ST_EXPIRED },
{ CHANGE,     S(REJECTED),          EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_NOTHING,            ST_EXPIRED },
{ RENEWAL,    LOADING,              EV_TIMEOUT,         BY_SYSTEM,    IF_PAID,                 DO_REFUND,             ST_REFUNDING },
{ CHANGE,     LOADING,              EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_SCRAP,              ST_EXPIRED },
{ UNLOCK,     S(CODE) | S(UNLOCKING), EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_ERASE_CODE,         ST_EXPIRED },
{ PAYING,     S(REJECTED),          EV_REFUND,          BY_APPLICANT | STAFF_REFUND, IF_PAID,                 DO_REFUND,             ST_REFUNDING },
{ RENEWAL,    LOADING,              EV_REFUND,          STAFF_REFUND, IF_PAID,                 DO_REFUND,             ST_REFUNDING },

/* review */
{ NEW,        S(REVIEW),            EV_APPROVE,         BY_REVIEWER,  IF_MAY_APPROVE,          DO_APPROVE,            ST_DELIVERING },
{ REPLACEMENT, S(REVIEW),            EV_APPROVE,         BY_REVIEWER,  IF_MAY_APPROVE,          DO_APPROVE_REPLACEMENT, ST_DELIVERING },
{ ON_KEY,     S(REVIEW),            EV_APPROVE,         BY_REVIEWER,  IF_MAY_APPROVE,          DO_APPROVE_DOWNLOAD,   ST_DOWNLOAD },
{ FORMED,     S(REVIEW),            EV_REJECT,          BY_REVIEWER,  IF_NOT_PRODUCER,         DO_REJECT,             ST_REJECTED },

/* the password goes out before the key is made */
{ MADE,       S(DELIVERING) | S(DELIVERY_FAILED), EV_PASSWORD_SENT,   BY_SYSTEM,    IF_CURRENT_PASSWORD,     DO_PASSWORD_SENT,      ST_PRODUCTION },
{ MADE,       S(DELIVERING) | S(PRODUCTION), EV_PASSWORD_FAILED, BY_SYSTEM,    IF_CURRENT_PASSWORD,     DO_PASSWORD_FAILED,    ST_DELIVERY_FAILED },
{ MADE,       S(DELIVERING),        EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_PASSWORD_FAILED,    ST_DELIVERY_FAILED },
{ MADE,       S(PRODUCING) | S(ISSUING) | S(PROVING) | S(SHIPPING) | S(DONE), EV_PASSWORD_FAILED, BY_SYSTEM,    IF_CURRENT_PASSWORD,     DO_PASSWORD_LATE,      ST_SAME },
{ MADE,       S(DELIVERY_FAILED),   EV_REDELIVER,       BY_REVIEWER | BY_ADMINISTRATOR, IF_ALWAYS,               DO_NEW_PASSWORD,       ST_DELIVERING },
{ MADE,       S(DELIVERY_FAILED) | S(PRODUCTION), EV_REFUND,          STAFF_REFUND, IF_PAID,                 DO_REFUND,             ST_REFUNDING },
{ MADE,       S(DELIVERY_FAILED),   EV_TIMEOUT,         BY_SYSTEM,    IF_PAID,                 DO_REFUND,             ST_REFUNDING },

/* an unlock: the code to the agent's phone, or the authorisation code by the proofing's channel */
{ UNLOCK,     S(CODE),              EV_OTHER,           BY_APPLICANT, IF_ALWAYS,               DO_OTHER_WAY,          ST_IDENTITY },
{ UNLOCK,     S(DELIVERING),        EV_PASSWORD_SENT,   BY_SYSTEM,    IF_CURRENT_PASSWORD,     DO_PASSWORD_SENT,      ST_CODE },
{ UNLOCK,     S(DELIVERING) | S(CODE), EV_PASSWORD_FAILED, BY_SYSTEM,    IF_CURRENT_PASSWORD,     DO_AUTHORISATION_FAILED, ST_IDENTITY },
{ UNLOCK,     S(DELIVERING),        EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_AUTHORISATION_FAILED, ST_IDENTITY },
{ UNLOCK,     S(CODE),              EV_CODE_WRONG,      BY_SYSTEM,    IF_LAST_CODE_TRY,        DO_COUNT_WRONG_CODE,   ST_CANCELLED },
{ UNLOCK,     S(CODE),              EV_CODE_WRONG,      BY_SYSTEM,    IF_ALWAYS,               DO_COUNT_WRONG_CODE,   ST_SAME },
{ UNLOCK,     S(CODE),              EV_UNLOCK,          BY_APPLICANT, IF_ALWAYS,               DO_ERASE_CODE,         ST_UNLOCKING },
{ UNLOCK,     S(UNLOCKING),         EV_TICKET,          BY_APPLICANT, IF_TICKET_LEFT,          DO_TICKET,             ST_SAME },
{ UNLOCK,     S(UNLOCKING),         EV_PROOF,           BY_APPLICANT, IF_TICKETED,             DO_UNLOCKED,           ST_DONE },
{ EVERY,      ALL,                  EV_PASSWORD_FAILED, BY_SYSTEM,    IF_ALWAYS,               DO_NOTHING,            ST_SAME },

/* production */
{ MADE,       S(PRODUCTION),        EV_CLAIM,           BY_PRODUCER,  IF_NOT_REVIEWER,         DO_CLAIM,              ST_PRODUCING },
{ MADE,       S(PRODUCING),         EV_TICKET,          BY_PRODUCER,  IF_OWN_CLAIM_TICKET_LEFT, DO_TICKET,             ST_SAME },
{ MADE,       S(PRODUCING),         EV_REQUEST,         BY_PRODUCER,  IF_OWN_CLAIM_PREPARED,   DO_REQUEST,            ST_ISSUING },
{ MADE,       S(PRODUCING),         EV_RELEASE,         BY_PRODUCER,  IF_OWN_CLAIM_UNDISCLOSED, DO_RELEASE,            ST_PRODUCTION },
{ MADE,       S(PRODUCING) | S(PROVING), EV_RELEASE,         BY_PRODUCER,  IF_OWN_CLAIM,            DO_REMAKE,             ST_DELIVERING },
{ MADE,       S(PRODUCING),         EV_TIMEOUT,         BY_SYSTEM,    IF_UNDISCLOSED,          DO_RELEASE,            ST_PRODUCTION },
{ MADE,       S(PRODUCING) | S(PROVING), EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_REMAKE,             ST_DELIVERING },
{ MADE,       S(ISSUING),           EV_ISSUED,          BY_SYSTEM,    IF_CURRENT_REQUEST,      DO_ISSUED,             ST_PROVING },
{ MADE,       S(ISSUING),           EV_ISSUE_FAILED,    BY_SYSTEM,    IF_CURRENT_REQUEST,      DO_ISSUE_FAILED,       ST_PRODUCING },
{ MADE,       S(PROVING),           EV_PROOF,           BY_PRODUCER,  IF_OWN_CLAIM,            DO_PROVE,              ST_SHIPPING },
{ MADE,       S(SHIPPING),          EV_SHIPMENT,        BY_PRODUCER,  IF_NOT_REVIEWER,         DO_POST,               ST_DONE },

/* on the customer's own key: the old certificate stays good until the new one has been proved */
{ ON_KEY,     S(DOWNLOAD),          EV_REQUEST,         BY_APPLICANT, IF_PAID_IN_FULL,         DO_REQUEST,            ST_ISSUING },
{ ON_KEY,     S(ISSUING),           EV_ISSUED,          BY_SYSTEM,    IF_CURRENT_REQUEST,      DO_ISSUED,             ST_INSTALLING },
{ ON_KEY,     S(ISSUING),           EV_ISSUE_FAILED,    BY_SYSTEM,    IF_CURRENT_REQUEST,      DO_ISSUE_FAILED,       ST_DOWNLOAD },
{ RENEWAL,    S(INSTALLING),        EV_PROOF,           BY_APPLICANT, IF_ALWAYS,               DO_PROVE_RENEWAL,      ST_DONE },
{ CHANGE,     S(INSTALLING),        EV_PROOF,           BY_APPLICANT, IF_ALWAYS,               DO_PROVE_CHANGE,       ST_DONE },

/* nobody has moved: the desk is told */
{ FORMED,     OVERDUE,              EV_TIMEOUT,         BY_SYSTEM,    IF_ALWAYS,               DO_TELL_OVERDUE,       ST_SAME },

/* money that is late, double or not what was asked for goes back, whatever becomes of the order */
{ PAYING,     OVER | RETURNING,     EV_PAID,            BY_SYSTEM,    IF_ALWAYS,               DO_RETURN_PAYMENT,     ST_REFUNDING },
{ PAYING,     ALL & ~(OVER | RETURNING), EV_PAID,            BY_SYSTEM,    IF_ALWAYS,               DO_RETURN_PAYMENT,     ST_SAME },

/* refunds */
{ PAYING,     S(REFUNDING),         EV_REFUND_DONE,     BY_SYSTEM,    IF_LAST_REFUND,          DO_COUNT_REFUND,       ST_REFUNDED },
{ PAYING,     S(REFUNDING),         EV_REFUND_DONE,     BY_SYSTEM,    IF_LAST_REFUND_BUT_BY_HAND, DO_COUNT_REFUND,       ST_REFUND_BY_HAND },
{ PAYING,     ALL,                  EV_REFUND_DONE,     BY_SYSTEM,    IF_REFUND_OPEN,          DO_COUNT_REFUND,       ST_SAME },
{ PAYING,     S(REFUNDING),         EV_REFUND_FAILED,   BY_SYSTEM,    IF_LAST_OPEN_REFUND,     DO_REFUND_TO_FINANCE,  ST_REFUND_BY_HAND },
{ PAYING,     ALL,                  EV_REFUND_FAILED,   BY_SYSTEM,    IF_REFUND_OPEN,          DO_REFUND_TO_FINANCE,  ST_SAME },
{ PAYING,     S(REFUND_BY_HAND),    EV_REFUNDED_BY_HAND, BY_FINANCE,   IF_LAST_BY_HAND,         DO_COUNT_BY_HAND,      ST_REFUNDED },
{ PAYING,     ALL,                  EV_REFUNDED_BY_HAND, BY_FINANCE,   IF_BY_HAND,              DO_COUNT_BY_HAND,      ST_SAME },
	/* clang-format on */
};
const size_t steps_n = sizeof(steps) / sizeof(steps[0]);

const struct state_row *
state_row(enum order_state s)
{
	return &states[s];
}

const struct event_row *
event_row(enum order_event e)
{
	return &events[e];
}

/* A remittance takes as long as it takes. */
#define REMITTANCE_TIME (30 * DAY)

int64_t
state_timeout(enum order_kind kind, enum order_state s, int64_t now)
{
	const struct order_kind_row *row = order_kind_get(kind);

	if (states[s].working_days)
		return workflow_working_days(now, row->review_days);
	if (s == ST_PAYMENT && row->remittance)
		return now + REMITTANCE_TIME;
	return states[s].timeout > 0 ? now + states[s].timeout : 0;
}

static bool
is_for(const struct step *step, const struct order *o, const struct event *ev)
{
	return (step->kinds & (UINT32_C(1) << o->kind)) != 0 &&
	       (step->from & (UINT32_C(1) << o->state)) != 0 && step->on == ev->on;
}

const struct step *
table_match(const struct order *o, const struct event *ev, enum uk_rc *rc, const char **reason)
{
	bool other_sender = false;
	const struct guard_row *refused = NULL;

	for (size_t i = 0; i < steps_n; i++) {
		if (!is_for(&steps[i], o, ev))
			continue;
		if ((steps[i].by & (unsigned)ev->by) == 0) {
			other_sender = true;
			continue;
		}
		if (guard_row(steps[i].only_if)->holds(o, ev))
			return &steps[i];
		if (refused == NULL)
			refused = guard_row(steps[i].only_if);
	}
	*rc = refused != NULL ? refused->rc : other_sender ? UK_E_DENIED : UK_E_CONFLICT;
	*reason = refused != NULL ? refused->reason : NULL;
	return NULL;
}
