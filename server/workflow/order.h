/*
 * An order as the workflow sees it: its state and the scalar facts that guards ask about.  Forms,
 * photos and the like hang from it in tables of their own.
 */
#ifndef WORKFLOW_ORDER_H
#define WORKFLOW_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/crypt.h"
#include "store/store.h"
#include "uk/json.h"

#define ORDER_ID_LEN        17 /* "UK", yymmdd, 8 of Crockford's base32, NUL */
#define ORDER_ACTOR_LEN     33
#define ORDER_REF_LEN       33
#define ORDER_REVIEWERS_LEN 201
#define ORDER_REASON_LEN    33
#define ORDER_SERIAL_LEN    33 /* of a certificate: hex of 16 bytes, NUL */

enum order_kind {
	KIND_UNIT_NEW,
	KIND_PERSON_NEW,
	KIND_UNIT_RENEWAL,
	KIND_PERSON_RENEWAL,
	KIND_UNIT_UNLOCK,
	KIND_PERSON_UNLOCK,
	KIND_UNIT_REPLACEMENT,
	KIND_PERSON_REPLACEMENT,
	KIND_UNIT_CHANGE,
	KIND_PERSON_CHANGE,
	KIND__MAX
};

/* What a kind is about, whoever the customer is. */
enum order_flow {
	FLOW_NEW,
	FLOW_RENEWAL,
	FLOW_UNLOCK,
	FLOW_REPLACEMENT,
	FLOW_CHANGE,
	FLOW__MAX
};

/*
 * What an order has to go through (order.needs): what its kind always needs, and what follows from
 * the changed data and the old certificate's age (change.h, renewal.h).
 */
enum order_need {
	NEED_IDENTITY = 1,
	NEED_DOCUMENTS = 2,
	NEED_SIGNATURE = 4,
	NEED_PAYMENT = 8,
	NEED_REVIEW = 16,
	NEED_MATCH = 32, /* the proofing has to match what stands in the certificate, or a review */
	NEED_PROOF = 64, /* no review can take the place of the proofing */
	NEED_FIRST = 128,  /* this customer's first unlock */
	NEED_MANUAL = 256, /* the applicant has asked for the review, the proofing having failed */
};

/* Stored and sent by name ("identity-checking"). */
enum order_state {
	ST_IDENTITY,
	ST_IDENTITY_CHECKING,
	ST_CONFIRM,
	ST_DOCUMENTS,
	ST_SIGNATURE,
	ST_PAYMENT,
	ST_REVIEW,
	ST_REJECTED,
	ST_DELIVERING,
	ST_DELIVERY_FAILED,
	ST_PRODUCTION,
	ST_PRODUCING,
	ST_ISSUING,
	ST_PROVING,
	ST_SHIPPING,
	ST_DOWNLOAD,
	ST_INSTALLING,
	ST_CODE,
	ST_UNLOCKING,
	ST_DONE,
	ST_CANCELLED,
	ST_EXPIRED,
	ST_REFUNDING,
	ST_REFUNDED,
	ST_REFUND_BY_HAND,
	ST__MAX
};

enum identity_status {
	IDENTITY_NONE,
	IDENTITY_CHECKING,
	IDENTITY_PASSED,
	IDENTITY_FAILED,
	IDENTITY_STATUS__MAX
};

enum identity_method {
	METHOD_NONE,
	METHOD_MOBILE,
	METHOD_BANK_CARD,
	METHOD_ACCOUNT,
	METHOD__MAX
};

enum review_result {
	REVIEW_NONE,
	REVIEW_APPROVED,
	REVIEW_REJECTED,
	REVIEW_RESULT__MAX
};

/* In all, per order. */
#define ORDER_TICKETS_MAX 3

#define ORDER_IDENTITY_ATTEMPTS 3

/* Wrong unlock codes, of whatever channel, until the order stops. */
#define ORDER_CODE_TRIES 5

enum payment_status {
	PAYMENT_NONE,
	PAYMENT_WAITING,
	PAYMENT_PAID,
	PAYMENT_REFUNDING,
	PAYMENT_REFUNDED,
	PAYMENT_STATUS__MAX
};

enum document_type {
	DOC_BUSINESS_LICENCE,
	DOC_LEGAL_PERSON_FRONT,
	DOC_LEGAL_PERSON_BACK,
	DOC_AGENT_FRONT,
	DOC_AGENT_BACK,
	DOC_HOLDER_FRONT,
	DOC_HOLDER_BACK,
	DOC_PAYMENT_PROOF,
	DOC__MAX
};

/* A time of 0 and a text of "" mean: not yet. */
struct order {
	char id[ORDER_ID_LEN];
	enum order_kind kind;
	enum order_state state;
	int64_t version; /* counts the events */
	int64_t created_at;
	int64_t updated_at;
	int64_t state_since;
	int64_t timeout_at; /* 0: the state waits for ever */

	enum identity_method identity_method;
	enum identity_status identity_status;
	char identity_reason[ORDER_REASON_LEN]; /* of the last failure */
	int64_t identity_day;                   /* the Beijing day that identity_attempts counts */
	int64_t identity_attempts;
	int64_t identity_checks;               /* ever: numbers the rows of identity_checks */
	char identity_digest[CRYPT_INDEX_LEN]; /* of the form's fields that a check proves */

	int64_t documents; /* 1 << enum document_type */
	int64_t signed_at;

	int64_t amount_due;
	int64_t amount_paid; /* what has come and is kept for this order; 0 once it goes back */
	char payment[ORDER_REF_LEN]; /* the one that counts, or that is open; "": none */
	int64_t payments;            /* ever: numbers them */
	int64_t paid_at;
	int64_t refunds_open;    /* payments on their way back */
	int64_t refunds_by_hand; /* payments that finance has to send back */

	int64_t review_due;
	char reviewer[ORDER_ACTOR_LEN];      /* the last one */
	char reviewers[ORDER_REVIEWERS_LEN]; /* all of them, comma-separated */
	int64_t reviewed_at;
	enum review_result review_result;
	char review_reason[ORDER_REASON_LEN];

	char producer[ORDER_ACTOR_LEN];
	int64_t tickets;  /* ever */
	int64_t requests; /* ever: numbers the rows of requests, and the issue intents */

	int64_t passwords;        /* ever: numbers the rows of passwords; the last one counts */
	int64_t password_tickets; /* that the last one has been disclosed by */
	int64_t password_sent_at;

	int64_t issued_at;
	int64_t proved_at;
	int64_t posted_at;

	char about[ORDER_SERIAL_LEN]; /* the certificate it is about; "" for a new one */
	int64_t needs;                /* bits of enum order_need */
	int64_t code_tries;           /* wrong unlock codes so far */
	int64_t looks;                /* of staff at its photos: rows of the book, no versions */
};

const char *order_state_name(enum order_state s);
UK_CHECK enum uk_rc order_state_from_name(const char *name, enum order_state *out);
const char *order_kind_name(enum order_kind k);
UK_CHECK enum uk_rc order_kind_from_name(const char *name, enum order_kind *out);
const char *identity_status_name(enum identity_status s);
UK_CHECK enum uk_rc identity_status_from_name(const char *name, enum identity_status *out);
const char *identity_method_name(enum identity_method m); /* "" for none */
UK_CHECK enum uk_rc identity_method_from_name(const char *name, enum identity_method *out);
const char *review_result_name(enum review_result r); /* "" for none */
UK_CHECK enum uk_rc review_result_from_name(const char *name, enum review_result *out);
const char *payment_status_name(enum payment_status s);
const char *document_type_name(enum document_type t);
UK_CHECK enum uk_rc document_type_from_name(const char *name, enum document_type *out);

/* What kinds of order differ in. */
struct order_kind_row {
	const char *name;
	enum order_flow flow;
	bool unit;
	bool remittance;           /* paid to our account, matched by finance */
	int review_days;           /* working days */
	int64_t needs;             /* always, as bits */
	int64_t documents;         /* needed before it can be submitted, if any are, as bits */
	int64_t methods;           /* identity methods allowed: 1 << enum identity_method */
	const char *phone;         /* the form's member with the agent's phone */
	const char *email;         /* ... with the agent's address */
	const char *number;        /* ... with the document number that the order is found by */
	const char *holder;        /* ... with the name the certificate is for */
	const char *const *proved; /* ... that an identity check stands for; NULL ends */
};
const struct order_kind_row *order_kind_get(enum order_kind k);

/* The kind of a flow for a unit or a person. */
enum order_kind order_kind_of(enum order_flow flow, bool unit);

/* The photos that this order needs, as bits of enum document_type; 0: none. */
int64_t order_documents_needed(const struct order *o);

/* Has the applicant gone beyond what can still be changed: is it neither over nor done? */
bool order_is_open(const struct order *o);

/* Where a new order begins. */
enum order_state order_start(enum order_kind kind, int64_t needs);

/* How many identity checks are left today. */
int order_identity_attempts_left(const struct order *o, int64_t now);

enum payment_status order_payment_status(const struct order *o);

/* "sms" or "remark", by the identity method; "" before. */
const char *order_password_channel(const struct order *o);

/* UK_E_NOT_FOUND. */
UK_CHECK enum uk_rc order_load(
    struct store_tx *tx, const char *id, struct order *out, struct uk_err *err);

/* A row of SQL_ORDERS_*. */
UK_CHECK enum uk_rc order_read(struct store_rows *rows, struct order *out, struct uk_err *err);

/* The form as it was stored; *out is the caller's (json_decref).  UK_E_NOT_FOUND. */
UK_CHECK enum uk_rc order_form_load(struct store_tx *tx, const struct crypt *crypt, const char *id,
    json_t **out, struct uk_err *err);

/*
 * Stores the form sealed, with the keyed hashes the order is found by.  In the same transaction as
 * workflow_create() or the event "edit".
 */
UK_CHECK enum uk_rc order_form_store(struct store_tx *tx, const struct crypt *crypt,
    const struct order *o, const json_t *form, int64_t now, struct uk_err *err);

/*
 * What is to be checked, sealed: members organisation, creditCode, name, idNumber, phone, card,
 * account, bank, as the method needs them.  In the same transaction as the event "identity", with
 * the order that came of it.
 */
UK_CHECK enum uk_rc order_check_store(struct store_tx *tx, const struct crypt *crypt,
    const struct order *o, const json_t *subject, int64_t now, struct uk_err *err);

/* The n-th check's subject; *out is the caller's.  UK_E_NOT_FOUND. */
UK_CHECK enum uk_rc order_check_load(struct store_tx *tx, const struct crypt *crypt, const char *id,
    int64_t n, json_t **out, struct uk_err *err);

/* How it ended; `subject` is what is kept of it. */
UK_CHECK enum uk_rc order_check_end(struct store_tx *tx, const struct crypt *crypt, const char *id,
    int64_t n, const char *outcome, const char *evidence, const json_t *subject, int64_t now,
    struct uk_err *err);

/* The keyed digest of the members that an identity check proves: for the event "edit". */
void order_identity_digest(
    const struct crypt *crypt, enum order_kind kind, const json_t *form, char out[CRYPT_INDEX_LEN]);

#endif
