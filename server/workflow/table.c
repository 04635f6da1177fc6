#include <assert.h>

#include "workflow/guards.h"

#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const struct state_row states[] = {
	/* clang-format off */
	[ST_IDENTITY]          = { "identity",          WAITS_APPLICANT, 30 * DAY,    0, NULL },
	[ST_IDENTITY_CHECKING] = { "identity-checking", WAITS_SYSTEM,    15 * MINUTE, 0, NULL },
	[ST_CONFIRM]           = { "confirm",           WAITS_APPLICANT, 30 * DAY,    0, NULL },
	[ST_DOCUMENTS]         = { "documents",         WAITS_APPLICANT, 30 * DAY,    0, NULL },
	[ST_SIGNATURE]         = { "signature",         WAITS_APPLICANT, 30 * DAY,    0, NULL },
	[ST_PAYMENT]           = { "payment",           WAITS_APPLICANT, 1 * DAY,     0, NULL },
	[ST_REVIEW]            = { "review",            WAITS_STAFF,     0,           3, "reviewer" },
	[ST_REJECTED]          = { "rejected",          WAITS_APPLICANT, 30 * DAY,    0, NULL },
	[ST_DELIVERING]        = { "delivering",        WAITS_SYSTEM,    7 * DAY,     0, NULL },
	[ST_DELIVERY_FAILED]   = { "delivery-failed",   WAITS_STAFF,     30 * DAY,    0, NULL },
	[ST_PRODUCTION]        = { "production",        WAITS_STAFF,     3 * DAY,     0, "producer" },
	[ST_PRODUCING]         = { "producing",         WAITS_STAFF,     1 * DAY,     0, NULL },
	[ST_ISSUING]           = { "issuing",           WAITS_SYSTEM,    1 * HOUR,    0, "administrator" },
	[ST_PROVING]           = { "proving",           WAITS_STAFF,     3 * DAY,     0, NULL },
	[ST_SHIPPING]          = { "shipping",          WAITS_STAFF,     3 * DAY,     0, "producer" },
	[ST_DONE]              = { "done",              WAITS_NONE,      0,           0, NULL },
	[ST_CANCELLED]         = { "cancelled",         WAITS_NONE,      0,           0, NULL },
	[ST_EXPIRED]           = { "expired",           WAITS_NONE,      0,           0, NULL },
	[ST_REFUNDING]         = { "refunding",         WAITS_SYSTEM,    7 * DAY,     0, "finance" },
	[ST_REFUNDED]          = { "refunded",          WAITS_NONE,      0,           0, NULL },
	[ST_REFUND_BY_HAND]    = { "refund-by-hand",    WAITS_STAFF,     7 * DAY,     0, "finance" },
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
	[EV_REFUND] = { "refund", "refund", false },
	[EV_APPROVE] = { "approve", NULL, false },
	[EV_REJECT] = { "reject", NULL, false },
	[EV_CLAIM] = { "claim", NULL, false },
	[EV_RELEASE] = { "release", NULL, false },
	[EV_TICKET] = { "ticket", NULL, false },
	[EV_REQUEST] = { "request", NULL, false },
	[EV_PROOF] = { "proof", NULL, false },
	[EV_SHIPMENT] = { "shipment", NULL, false },
	[EV_REDELIVER] = { "redeliver", NULL, false },
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
	[EV_TIMEOUT] = { "timeout", NULL, false },
};
static_assert(sizeof(events) / sizeof(events[0]) == EV__MAX, "one row per event");

#define NEW (UINT32_C(1) << KIND_UNIT_NEW)

#define S(state) (UINT32_C(1) << ST_##state)

/* Before the application is signed; already paid only when it was rejected before. */
#define FILLING (S(IDENTITY) | S(CONFIRM) | S(DOCUMENTS) | S(SIGNATURE))
#define OVERDUE                                                                                    \
	(S(REVIEW) | S(PRODUCTION) | S(ISSUING) | S(SHIPPING) | S(REFUNDING) | S(REFUND_BY_HAND))
#define OVER      (S(CANCELLED) | S(EXPIRED) | S(REFUNDED))
#define RETURNING (S(REFUNDING) | S(REFUND_BY_HAND))
#define ALL       ((UINT32_C(1) << ST__MAX) - 1)

#define STAFF_REFUND (BY_FINANCE | BY_ADMINISTRATOR)

const struct step steps[] = {
	/* clang-format off */
/* of     from                  on                  by                         only if                     then                  to */

/* form and identity */
{ NEW, FILLING | S(REJECTED), EV_EDIT,            BY_APPLICANT,              IF_IDENTITY_KEPT,           DO_NOTHING,           ST_CONFIRM },
{ NEW, FILLING | S(REJECTED), EV_EDIT,            BY_APPLICANT,              IF_ALWAYS,                  DO_RESET_IDENTITY,    ST_IDENTITY },
{ NEW, S(IDENTITY),          EV_IDENTITY,         BY_APPLICANT,              IF_ATTEMPTS_LEFT,           DO_START_IDENTITY,    ST_IDENTITY_CHECKING },
{ NEW, S(IDENTITY_CHECKING), EV_IDENTITY_PASSED,  BY_SYSTEM,                 IF_CURRENT_CHECK,           DO_PASS_IDENTITY,     ST_CONFIRM },
{ NEW, S(IDENTITY_CHECKING), EV_IDENTITY_FAILED,  BY_SYSTEM,                 IF_CURRENT_CHECK,           DO_FAIL_IDENTITY,     ST_IDENTITY },
{ NEW, S(IDENTITY_CHECKING), EV_TIMEOUT,          BY_SYSTEM,                 IF_ALWAYS,                  DO_GIVE_UP_IDENTITY,  ST_IDENTITY },
{ NEW, S(CONFIRM),           EV_CONFIRM,          BY_APPLICANT,              IF_ALWAYS,                  DO_NOTHING,           ST_DOCUMENTS },

/* photos and signature */
{ NEW, S(DOCUMENTS) | S(SIGNATURE) | S(REJECTED), EV_DOCUMENT, BY_APPLICANT, IF_DOCUMENT_WANTED,         DO_ADD_DOCUMENT,      ST_DOCUMENTS },
{ NEW, S(DOCUMENTS) | S(REJECTED), EV_SUBMIT,     BY_APPLICANT,              IF_DOCUMENTS_COMPLETE,      DO_NOTHING,           ST_SIGNATURE },
{ NEW, S(SIGNATURE),         EV_SIGN,             BY_APPLICANT,              IF_PAID_IN_FULL,            DO_SIGN_FOR_REVIEW,   ST_REVIEW },
{ NEW, S(SIGNATURE),         EV_SIGN,             BY_APPLICANT,              IF_ALWAYS,                  DO_SIGN,              ST_PAYMENT },

/* payment */
{ NEW, S(PAYMENT),           EV_PAY,              BY_APPLICANT,              IF_PAYMENT_TIME_LEFT,       DO_OPEN_PAYMENT,      ST_SAME },
{ NEW, S(PAYMENT),           EV_PAID,             BY_SYSTEM,                 IF_PAYS_EXACTLY,            DO_TAKE_PAYMENT,      ST_REVIEW },
{ NEW, S(PAYMENT),           EV_PAYMENT_CLOSED,   BY_SYSTEM,                 IF_CURRENT_PAYMENT,         DO_DROP_PAYMENT,      ST_SAME },
{ NEW, S(PAYMENT),           EV_TIMEOUT,          BY_SYSTEM,                 IF_ALWAYS,                  DO_CLOSE_PAYMENT,     ST_EXPIRED },

/* given up */
{ NEW, FILLING | S(IDENTITY_CHECKING), EV_CANCEL, BY_APPLICANT,              IF_PAID,                    DO_REFUND,            ST_REFUNDING },
{ NEW, FILLING | S(IDENTITY_CHECKING) | S(PAYMENT), EV_CANCEL, BY_APPLICANT, IF_ALWAYS,                  DO_CLOSE_PAYMENT,     ST_CANCELLED },
{ NEW, FILLING | S(REJECTED), EV_TIMEOUT,         BY_SYSTEM,                 IF_PAID,                    DO_REFUND,            ST_REFUNDING },
{ NEW, FILLING,              EV_TIMEOUT,          BY_SYSTEM,                 IF_ALWAYS,                  DO_NOTHING,           ST_EXPIRED },
{ NEW, S(REJECTED),          EV_REFUND,           BY_APPLICANT | STAFF_REFUND, IF_PAID,                  DO_REFUND,            ST_REFUNDING },

/* review */
{ NEW, S(REVIEW),            EV_APPROVE,          BY_REVIEWER,               IF_MAY_APPROVE,             DO_APPROVE,           ST_DELIVERING },
{ NEW, S(REVIEW),            EV_REJECT,           BY_REVIEWER,               IF_NOT_PRODUCER,            DO_REJECT,            ST_REJECTED },

/* the password goes out before the key is made */
{ NEW, S(DELIVERING) | S(DELIVERY_FAILED), EV_PASSWORD_SENT, BY_SYSTEM,      IF_CURRENT_PASSWORD,        DO_PASSWORD_SENT,     ST_PRODUCTION },
{ NEW, S(DELIVERING) | S(PRODUCTION), EV_PASSWORD_FAILED, BY_SYSTEM,         IF_CURRENT_PASSWORD,        DO_PASSWORD_FAILED,   ST_DELIVERY_FAILED },
{ NEW, S(DELIVERING),        EV_TIMEOUT,          BY_SYSTEM,                 IF_ALWAYS,                  DO_PASSWORD_FAILED,   ST_DELIVERY_FAILED },
{ NEW, S(PRODUCING) | S(ISSUING) | S(PROVING) | S(SHIPPING) | S(DONE), EV_PASSWORD_FAILED, BY_SYSTEM, IF_CURRENT_PASSWORD, DO_PASSWORD_LATE, ST_SAME },
{ NEW, ALL,                  EV_PASSWORD_FAILED,  BY_SYSTEM,                 IF_ALWAYS,                  DO_NOTHING,           ST_SAME },
{ NEW, S(DELIVERY_FAILED),   EV_REDELIVER,        BY_REVIEWER | BY_ADMINISTRATOR, IF_ALWAYS,             DO_NEW_PASSWORD,      ST_DELIVERING },
{ NEW, S(DELIVERY_FAILED) | S(PRODUCTION), EV_REFUND, STAFF_REFUND,          IF_PAID,                    DO_REFUND,            ST_REFUNDING },
{ NEW, S(DELIVERY_FAILED),   EV_TIMEOUT,          BY_SYSTEM,                 IF_PAID,                    DO_REFUND,            ST_REFUNDING },

/* production */
{ NEW, S(PRODUCTION),        EV_CLAIM,            BY_PRODUCER,               IF_NOT_REVIEWER,            DO_CLAIM,             ST_PRODUCING },
{ NEW, S(PRODUCING),         EV_TICKET,           BY_PRODUCER,               IF_OWN_CLAIM_TICKET_LEFT,   DO_TICKET,            ST_SAME },
{ NEW, S(PRODUCING),         EV_REQUEST,          BY_PRODUCER,               IF_OWN_CLAIM_PREPARED,      DO_REQUEST,           ST_ISSUING },
{ NEW, S(PRODUCING),         EV_RELEASE,          BY_PRODUCER,               IF_OWN_CLAIM_UNDISCLOSED,   DO_RELEASE,           ST_PRODUCTION },
{ NEW, S(PRODUCING) | S(PROVING), EV_RELEASE,     BY_PRODUCER,               IF_OWN_CLAIM,               DO_REMAKE,            ST_DELIVERING },
{ NEW, S(PRODUCING),         EV_TIMEOUT,          BY_SYSTEM,                 IF_UNDISCLOSED,             DO_RELEASE,           ST_PRODUCTION },
{ NEW, S(PRODUCING) | S(PROVING), EV_TIMEOUT,     BY_SYSTEM,                 IF_ALWAYS,                  DO_REMAKE,            ST_DELIVERING },
{ NEW, S(ISSUING),           EV_ISSUED,           BY_SYSTEM,                 IF_CURRENT_REQUEST,         DO_ISSUED,            ST_PROVING },
{ NEW, S(ISSUING),           EV_ISSUE_FAILED,     BY_SYSTEM,                 IF_CURRENT_REQUEST,         DO_ISSUE_FAILED,      ST_PRODUCING },
{ NEW, S(PROVING),           EV_PROOF,            BY_PRODUCER,               IF_OWN_CLAIM,               DO_PROVE,             ST_SHIPPING },
{ NEW, S(SHIPPING),          EV_SHIPMENT,         BY_PRODUCER,               IF_NOT_REVIEWER,            DO_POST,              ST_DONE },

/* nobody has moved: the desk is told */
{ NEW, OVERDUE,              EV_TIMEOUT,          BY_SYSTEM,                 IF_ALWAYS,                  DO_TELL_OVERDUE,      ST_SAME },

/* money that is late, double or not what was asked for goes back, whatever becomes of the order */
{ NEW, OVER | RETURNING,     EV_PAID,             BY_SYSTEM,                 IF_ALWAYS,                  DO_RETURN_PAYMENT,    ST_REFUNDING },
{ NEW, ALL & ~(OVER | RETURNING), EV_PAID,        BY_SYSTEM,                 IF_ALWAYS,                  DO_RETURN_PAYMENT,    ST_SAME },

/* refunds */
{ NEW, S(REFUNDING),         EV_REFUND_DONE,      BY_SYSTEM,                 IF_LAST_REFUND,             DO_COUNT_REFUND,      ST_REFUNDED },
{ NEW, S(REFUNDING),         EV_REFUND_DONE,      BY_SYSTEM,                 IF_LAST_REFUND_BUT_BY_HAND, DO_COUNT_REFUND,      ST_REFUND_BY_HAND },
{ NEW, ALL,                  EV_REFUND_DONE,      BY_SYSTEM,                 IF_REFUND_OPEN,             DO_COUNT_REFUND,      ST_SAME },
{ NEW, S(REFUNDING),         EV_REFUND_FAILED,    BY_SYSTEM,                 IF_LAST_OPEN_REFUND,        DO_REFUND_TO_FINANCE, ST_REFUND_BY_HAND },
{ NEW, ALL,                  EV_REFUND_FAILED,    BY_SYSTEM,                 IF_REFUND_OPEN,             DO_REFUND_TO_FINANCE, ST_SAME },
{ NEW, S(REFUND_BY_HAND),    EV_REFUNDED_BY_HAND, BY_FINANCE,                IF_LAST_BY_HAND,            DO_COUNT_BY_HAND,     ST_REFUNDED },
{ NEW, ALL,                  EV_REFUNDED_BY_HAND, BY_FINANCE,                IF_BY_HAND,                 DO_COUNT_BY_HAND,     ST_SAME },
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

int64_t
state_timeout(enum order_state s, int64_t now)
{
	if (states[s].working_days > 0)
		return workflow_working_days(now, states[s].working_days);
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
