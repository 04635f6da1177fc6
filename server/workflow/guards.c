#include <assert.h>
#include <string.h>

#include "workflow/guards.h"

static bool
always(const struct order *o, const struct event *ev)
{
	(void)o;
	(void)ev;
	return true;
}

static bool
identity_kept(const struct order *o, const struct event *ev)
{
	return o->identity_status == IDENTITY_PASSED && ev->identity_digest != NULL &&
	       strcmp(o->identity_digest, ev->identity_digest) == 0;
}

static bool
needs(const struct order *o, int64_t what)
{
	return (o->needs & what) != 0;
}

static bool
identity_not_needed(const struct order *o, const struct event *ev)
{
	return ((order_kind_get(o->kind)->needs | ev->needs) & NEED_IDENTITY) == 0;
}

/* Somebody has looked and said no; nothing but the certificate's own data wants the proofing. */
static bool
review_instead(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->identity_status == IDENTITY_FAILED &&
	       strcmp(o->identity_reason, "service-unavailable") != 0 && needs(o, NEED_MATCH) &&
	       !needs(o, NEED_PROOF);
}

static bool
attempts_left(const struct order *o, const struct event *ev)
{
	return (order_kind_get(o->kind)->methods & (INT64_C(1) << ev->method)) != 0 &&
	       order_identity_attempts_left(o, ev->now) > 0;
}

static bool
current_check(const struct order *o, const struct event *ev)
{
	return ev->n == o->identity_checks;
}

static bool
document_wanted(const struct order *o, const struct event *ev)
{
	return (order_documents_needed(o) & (INT64_C(1) << ev->document)) != 0;
}

static bool
documents_complete(const struct order *o, const struct event *ev)
{
	const int64_t needed = order_documents_needed(o);

	(void)ev;
	return (o->documents & needed) == needed;
}

static bool
needs_documents(const struct order *o, const struct event *ev)
{
	(void)ev;
	return needs(o, NEED_DOCUMENTS);
}

static bool
needs_signature(const struct order *o, const struct event *ev)
{
	(void)ev;
	return needs(o, NEED_SIGNATURE);
}

static bool
payment_time_left(const struct order *o, const struct event *ev)
{
	return ev->now < o->timeout_at - PAYMENT_MARGIN;
}

static bool
pays_exactly(const struct order *o, const struct event *ev)
{
	return ev->amount == o->amount_due && o->amount_paid == 0;
}

static bool
pays_for_review(const struct order *o, const struct event *ev)
{
	return needs(o, NEED_REVIEW) && pays_exactly(o, ev);
}

static bool
current_payment(const struct order *o, const struct event *ev)
{
	return ev->payment != NULL && strcmp(o->payment, ev->payment) == 0;
}

static bool
paid(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->amount_paid > 0;
}

static bool
paid_in_full(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->amount_paid >= o->amount_due;
}

static bool
paid_for_review(const struct order *o, const struct event *ev)
{
	return needs(o, NEED_REVIEW) && paid_in_full(o, ev);
}

static bool
last_refund(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->refunds_open == 1 && o->refunds_by_hand == 0;
}

static bool
last_refund_but_by_hand(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->refunds_open == 1 && o->refunds_by_hand > 0;
}

static bool
last_open_refund(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->refunds_open == 1;
}

static bool
refund_open(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->refunds_open > 0;
}

static bool
last_by_hand(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->refunds_by_hand == 1 && o->refunds_open == 0;
}

static bool
by_hand(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->refunds_by_hand > 0;
}

static bool
is_actor(const char *who, const struct event *ev)
{
	return ev->actor != NULL && ev->actor[0] != '\0' && strcmp(who, ev->actor) == 0;
}

/* One of a comma-separated list. */
static bool
among(const char *list, const char *who)
{
	const size_t n = strlen(who);

	for (const char *p = list; *p != '\0';) {
		const char *end = strchrnul(p, ',');

		if ((size_t)(end - p) == n && memcmp(p, who, n) == 0)
			return true;
		p = *end == ',' ? end + 1 : end;
	}
	return false;
}

static bool
not_producer(const struct order *o, const struct event *ev)
{
	return ev->actor != NULL && ev->actor[0] != '\0' && !is_actor(o->producer, ev);
}

static bool
may_approve(const struct order *o, const struct event *ev)
{
	return paid_in_full(o, ev) && not_producer(o, ev);
}

static bool
not_reviewer(const struct order *o, const struct event *ev)
{
	return ev->actor != NULL && ev->actor[0] != '\0' && !among(o->reviewers, ev->actor);
}

static bool
current_password(const struct order *o, const struct event *ev)
{
	return ev->n == o->passwords;
}

static bool
own_claim(const struct order *o, const struct event *ev)
{
	return is_actor(o->producer, ev);
}

static bool
undisclosed(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->password_tickets == 0;
}

static bool
own_claim_undisclosed(const struct order *o, const struct event *ev)
{
	return own_claim(o, ev) && undisclosed(o, ev);
}

static bool
own_claim_ticket_left(const struct order *o, const struct event *ev)
{
	return own_claim(o, ev) && o->tickets < ORDER_TICKETS_MAX;
}

/* Nothing is issued that is not paid, and only for a token that has the current password. */
static bool
own_claim_prepared(const struct order *o, const struct event *ev)
{
	return own_claim(o, ev) && o->password_tickets > 0 && paid_in_full(o, ev);
}

static bool
current_request(const struct order *o, const struct event *ev)
{
	return ev->n == o->requests;
}

static bool
last_code_try(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->code_tries + 1 >= ORDER_CODE_TRIES;
}

static bool
ticket_left(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->tickets < ORDER_TICKETS_MAX;
}

static bool
ticketed(const struct order *o, const struct event *ev)
{
	(void)ev;
	return o->tickets > 0;
}

static const struct guard_row guards[] = {
	/* clang-format off */
	[IF_ALWAYS]                  = { "", always, UK_E_CONFLICT, NULL },
	[IF_IDENTITY_KEPT]           = { "identity-kept", identity_kept, UK_E_CONFLICT, NULL },
	[IF_IDENTITY_NOT_NEEDED]     = { "identity-not-needed", identity_not_needed, UK_E_CONFLICT, NULL },
	[IF_REVIEW_INSTEAD]          = { "review-instead", review_instead, UK_E_CONFLICT, "review-not-possible" },
	[IF_ATTEMPTS_LEFT]           = { "attempts-left", attempts_left, UK_E_RATE, "too-many-attempts" },
	[IF_CURRENT_CHECK]           = { "current-check", current_check, UK_E_CONFLICT, NULL },
	[IF_DOCUMENT_WANTED]         = { "document-wanted", document_wanted, UK_E_CONFLICT, "document-not-wanted" },
	[IF_DOCUMENTS_COMPLETE]      = { "documents-complete", documents_complete, UK_E_CONFLICT, "documents-missing" },
	[IF_NEEDS_DOCUMENTS]         = { "needs-documents", needs_documents, UK_E_CONFLICT, NULL },
	[IF_NEEDS_SIGNATURE]         = { "needs-signature", needs_signature, UK_E_CONFLICT, NULL },
	[IF_PAYMENT_TIME_LEFT]       = { "payment-time-left", payment_time_left, UK_E_CONFLICT, "payment-too-late" },
	[IF_PAYS_EXACTLY]            = { "pays-exactly", pays_exactly, UK_E_CONFLICT, "amount-mismatch" },
	[IF_PAYS_FOR_REVIEW]         = { "pays-for-review", pays_for_review, UK_E_CONFLICT, NULL },
	[IF_CURRENT_PAYMENT]         = { "current-payment", current_payment, UK_E_CONFLICT, NULL },
	[IF_PAID]                    = { "paid", paid, UK_E_CONFLICT, NULL },
	[IF_PAID_IN_FULL]            = { "paid-in-full", paid_in_full, UK_E_CONFLICT, NULL },
	[IF_PAID_FOR_REVIEW]         = { "paid-for-review", paid_for_review, UK_E_CONFLICT, NULL },
	[IF_LAST_REFUND]             = { "last-refund", last_refund, UK_E_CONFLICT, NULL },
	[IF_LAST_REFUND_BUT_BY_HAND] = { "last-refund-but-by-hand", last_refund_but_by_hand, UK_E_CONFLICT, NULL },
	[IF_LAST_OPEN_REFUND]        = { "last-open-refund", last_open_refund, UK_E_CONFLICT, NULL },
	[IF_REFUND_OPEN]             = { "refund-open", refund_open, UK_E_CONFLICT, NULL },
	[IF_LAST_BY_HAND]            = { "last-by-hand", last_by_hand, UK_E_CONFLICT, NULL },
	[IF_BY_HAND]                 = { "by-hand", by_hand, UK_E_CONFLICT, NULL },
	[IF_MAY_APPROVE]             = { "may-approve", may_approve, UK_E_DENIED, "same-person" },
	[IF_NOT_PRODUCER]            = { "not-producer", not_producer, UK_E_DENIED, "same-person" },
	[IF_CURRENT_PASSWORD]        = { "current-password", current_password, UK_E_CONFLICT, NULL },
	[IF_NOT_REVIEWER]            = { "not-reviewer", not_reviewer, UK_E_DENIED, "same-person" },
	[IF_OWN_CLAIM]               = { "own-claim", own_claim, UK_E_DENIED, "not-claimed" },
	[IF_OWN_CLAIM_UNDISCLOSED]   = { "own-claim-undisclosed", own_claim_undisclosed, UK_E_DENIED, "not-claimed" },
	[IF_OWN_CLAIM_TICKET_LEFT]   = { "own-claim-ticket-left", own_claim_ticket_left, UK_E_CONFLICT, "ticket-refused" },
	[IF_OWN_CLAIM_PREPARED]      = { "own-claim-prepared", own_claim_prepared, UK_E_CONFLICT, "token-not-prepared" },
	[IF_UNDISCLOSED]             = { "undisclosed", undisclosed, UK_E_CONFLICT, NULL },
	[IF_CURRENT_REQUEST]         = { "current-request", current_request, UK_E_CONFLICT, NULL },
	[IF_LAST_CODE_TRY]           = { "last-code-try", last_code_try, UK_E_CONFLICT, NULL },
	[IF_TICKET_LEFT]             = { "ticket-left", ticket_left, UK_E_CONFLICT, "ticket-refused" },
	[IF_TICKETED]                = { "ticketed", ticketed, UK_E_CONFLICT, NULL },
	/* clang-format on */
};
static_assert(sizeof(guards) / sizeof(guards[0]) == IF__MAX, "one row per guard");

const struct guard_row *
guard_row(enum guard g)
{
	return &guards[g];
}
