/*
 * The order workflow: one table of steps (table.c), pure guards (guards.c), actions that only write
 * rows (actions.c), and an engine that takes one event through all of them in one transaction.
 */
#ifndef WORKFLOW_WORKFLOW_H
#define WORKFLOW_WORKFLOW_H

#include "uk/clock.h"
#include "uk/random.h"
#include "workflow/order.h"

enum order_event {
	/* the applicant */
	EV_EDIT,     /* identity_digest, needs */
	EV_IDENTITY, /* method */
	EV_CONFIRM,
	EV_DOCUMENT, /* document */
	EV_SUBMIT,
	EV_SIGN, /* after the code was right */
	EV_PAY,  /* a payment is opened, or the open one goes on */
	EV_CANCEL,
	EV_MANUAL, /* a review, since the proofing has failed */
	EV_OTHER,  /* 其他验证方式: not by the agent's phone */
	EV_UNLOCK, /* after the code was right */
	EV_REFUND, /* staff too */
	/* the staff */
	EV_APPROVE,
	EV_REJECT, /* reason, note */
	EV_CLAIM,
	EV_RELEASE,
	EV_TICKET, /* the applicant's, too, as the next two: on the customer's own key */
	EV_REQUEST,
	EV_PROOF, /* after the signature was verified */
	EV_SHIPMENT,
	EV_REDELIVER,
	EV_REMITTED,         /* payment, amount, trade, at: finance has matched it */
	EV_REFUNDED_BY_HAND, /* payment */
	/* the world, by way of jobs and notifications */
	EV_IDENTITY_PASSED,
	EV_IDENTITY_FAILED, /* reason */
	EV_PAID,            /* payment, amount, trade, at */
	EV_PAYMENT_CLOSED,  /* payment */
	EV_REFUND_DONE,     /* payment */
	EV_REFUND_FAILED,   /* payment, reason */
	EV_PASSWORD_SENT,   /* n */
	EV_PASSWORD_FAILED, /* n, reason */
	EV_ISSUED,          /* n */
	EV_ISSUE_FAILED,    /* n, reason */
	EV_CODE_WRONG,      /* an unlock code */
	EV_TIMEOUT,
	EV__MAX
};

/* Who sends an event; a row of the table names a set of them. */
enum order_by {
	BY_APPLICANT = 1,
	BY_REVIEWER = 2,
	BY_PRODUCER = 4,
	BY_FINANCE = 8,
	BY_ADMINISTRATOR = 16,
	BY_SYSTEM = 32,
	BY__END = 64
};

/* All strings are lent for the call; NULL counts as "". */
struct event {
	enum order_event on;
	const char *order;
	enum order_by by;  /* one; for staff with several roles all of them */
	const char *actor; /* member of the staff; "" otherwise */
	const char *id;    /* from outside: the same event has the same id; "" otherwise */
	int64_t version;   /* the order's version the sender has seen; 0: whatever it is */
	int64_t now;       /* 0: the engine asks its clock */

	enum identity_method method;
	enum document_type document;
	const char *identity_digest;
	int64_t needs; /* beyond what the kind always needs */
	const char *payment;
	const char *trade; /* the provider's number */
	int64_t amount;
	int64_t at;         /* when it was paid */
	int64_t n;          /* which password, request or identity check; 0: the last */
	const char *reason; /* a stable name */
	const char *note;   /* staff's words */
};

enum outcome {
	OUTCOME_DONE,
	OUTCOME_SEEN,  /* this event id has been here: nothing was done */
	OUTCOME_STRAY, /* no row for it: stored, and shown to staff */
};

struct workflow {
	const struct uk_clock *clock;
	const struct uk_random *random;
	const struct crypt *crypt; /* for the notes */
};

struct workflow_result {
	enum outcome outcome;
	struct order order; /* as it is now; not set for a stray of an unknown order */
};

struct workflow_new {
	enum order_kind kind;
	int64_t amount_due;
	const char *identity_digest;
	const char *about; /* the certificate; NULL: none */
	int64_t needs;     /* beyond what the kind always needs */
};

/* A new order in its first state; the caller stores the form in the same transaction. */
UK_CHECK enum uk_rc workflow_create(const struct workflow *w, struct store_tx *tx,
    const struct workflow_new *what, struct order *out, struct uk_err *err);

/*
 * One event, inside a write.  UK_E_CONFLICT: another version, or no row for it, with err->reason
 * the guard that refused last ("documents-missing", "too-many-attempts", "same-person", ...).
 * UK_E_RATE "too-many-attempts".  UK_E_DENIED: a row, but not for this sender.  UK_E_NOT_FOUND.
 * Events from outside for which there is no row are UK_OK with OUTCOME_STRAY.
 */
UK_CHECK enum uk_rc workflow_apply(const struct workflow *w, struct store_tx *tx,
    const struct event *ev, struct workflow_result *out, struct uk_err *err);

/* Keeps what `ev` says as a stray, whatever the table says. */
UK_CHECK enum uk_rc workflow_stray(
    const struct workflow *w, struct store_tx *tx, const struct event *ev, struct uk_err *err);

/* May this event be lost when nothing wants it?  Payments and the like may not. */
bool workflow_must_keep(enum order_event on);

/* The same as a write of its own; waits for the commit.  out may be NULL. */
UK_CHECK enum uk_rc workflow_send(const struct workflow *w, struct store *store,
    const struct event *ev, struct workflow_result *out, struct uk_err *err);

/* May this event come now, as far as the order itself says?  Nothing is changed. */
bool workflow_allows(
    const struct order *o, enum order_event on, enum order_by by, const char *actor, int64_t now);

/*
 * What the owner may do now, by the names of ORDER.actions ("edit", "pay", ...), computed from the
 * table.  Returns how many; names are literals.
 */
#define WORKFLOW_ACTIONS_MAX 16
int workflow_actions(const struct order *o, int64_t now, const char *names[WORKFLOW_ACTIONS_MAX]);

const char *order_event_name(enum order_event e);
UK_CHECK enum uk_rc order_event_from_name(const char *name, enum order_event *out);
const char *order_by_name(enum order_by by); /* of one bit */
/* A role's bit ("reviewer", ...); 0 for one that sends no events ("auditor"). */
enum order_by order_by_from_role(const char *role);

/* The table as a Graphviz graph. */
void workflow_dot(struct uk_buf *out);

/* A member of the staff has looked at a photo ([A5]): a row of the book, and nothing else. */
UK_CHECK enum uk_rc workflow_look(const struct workflow *w, struct store_tx *tx, const char *order,
    enum order_by by, const char *actor, enum document_type what, struct uk_err *err);

/* Recomputes the order's hash chain.  UK_E_INTEGRITY; err->native is the first wrong row. */
UK_CHECK enum uk_rc workflow_verify(
    const struct workflow *w, struct store_tx *tx, const char *order, struct uk_err *err);

/* The end of the n-th working day after `from` (Beijing).  Days beyond the known calendar count as
 * plain weeks. */
int64_t workflow_working_days(int64_t from, int n);

#endif
