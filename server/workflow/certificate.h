/*
 * The certificates in the store, and their status [C14].  A row is there before the signature is:
 * serial and to-be-signed bytes first (ca/issuer.h), then the certificate, once.  What is in a
 * certificate is sealed, because a person's carries the identity number.
 *
 * All functions run inside a transaction, those that change something inside a write.  A change of
 * status counts for both certificates of a pair, is written down with its reason and date, has a
 * new revocation list made at once, and is what OCSP answers from the commit on.
 */
#ifndef WORKFLOW_CERTIFICATE_H
#define WORKFLOW_CERTIFICATE_H

#include "ca/crl.h"
#include "ca/issuer.h"
#include "workflow/order.h"

#define CERTIFICATE_INTENT_LEN  64
#define CERTIFICATE_PROFILE_LEN 16
#define CERTIFICATE_TOKEN_LEN   65
#define CERTIFICATE_WHY_LEN     32
#define CERTIFICATES_MAX        200 /* that a list gives; the newest */

enum certificate_usage {
	CERTIFICATE_SIGN,
	CERTIFICATE_ENCRYPT,
	CERTIFICATE_BOTH,
	CERTIFICATE_USAGE__MAX
};

enum certificate_status {
	CERTIFICATE_VALID,
	CERTIFICATE_SUSPENDED, /* [M2]: certificateHold */
	CERTIFICATE_REVOKED,
	CERTIFICATE_EXPIRED,
	CERTIFICATE_STATUS__MAX
};

struct certificate {
	char serial[SERIAL_LEN];
	char pair[SERIAL_LEN]; /* the other one's serial; "": there is none */
	char intent[CERTIFICATE_INTENT_LEN];
	char order[ORDER_ID_LEN]; /* "": of the staff, or of the server's own */
	char profile[CERTIFICATE_PROFILE_LEN];
	enum certificate_usage usage;
	char token[CERTIFICATE_TOKEN_LEN]; /* the key's serial; "": not known */
	char holder[CRYPT_INDEX_LEN];      /* CRYPT_INDEX_NUMBER of the document number, or "" */
	char fingerprint[CRYPT_INDEX_LEN]; /* "" until it is issued */
	int64_t not_before;
	int64_t not_after;
	int64_t issued_at;    /* 0: intended, not signed */
	int64_t suspended_at; /* 0: it is not */
	int64_t revoked_at;   /* 0: it is not */
	char revoked_why[CERTIFICATE_WHY_LEN];
};

const char *certificate_usage_name(enum certificate_usage u);        /* "sign" */
const char *certificate_status_name(enum certificate_status status); /* "suspended" */

/* A revoked one stays revoked and a suspended one suspended when its time is over. */
enum certificate_status certificate_status(const struct certificate *c, int64_t now);

/* An issued one.  UK_E_NOT_FOUND "certificate-not-found". */
UK_CHECK enum uk_rc certificate_get(
    struct store_tx *tx, const char *serial, struct certificate *out, struct uk_err *err);
UK_CHECK enum uk_rc certificate_by_fingerprint(
    struct store_tx *tx, const char *fingerprint, struct certificate *out, struct uk_err *err);

/* What there is of an intent, signed or not: issued_at says.  UK_E_NOT_FOUND. */
UK_CHECK enum uk_rc certificate_by_intent(
    struct store_tx *tx, const char *intent, struct certificate *out, struct uk_err *err);

/* The certificate itself, DER, appended.  UK_E_NOT_FOUND when it is not signed yet. */
UK_CHECK enum uk_rc certificate_der(struct store_tx *tx, const struct crypt *crypt,
    const char *serial, struct uk_buf *out, struct uk_err *err);

/* The same, parsed. */
UK_CHECK enum uk_rc certificate_cert(struct store_tx *tx, const struct crypt *crypt,
    const char *serial, struct uk_cert **out, struct uk_err *err);

/* The to-be-signed bytes of one that is not signed yet, appended. */
UK_CHECK enum uk_rc certificate_tbs(struct store_tx *tx, const struct crypt *crypt,
    const char *serial, struct uk_buf *out, struct uk_err *err);

/* Issued ones, the newest first; *out is malloc'd. */
struct certificate_list {
	struct certificate *v;
	size_t n;
};
UK_CHECK enum uk_rc certificates_of_order(
    struct store_tx *tx, const char *order, struct certificate_list *out, struct uk_err *err);
UK_CHECK enum uk_rc certificates_of_holder(
    struct store_tx *tx, const char *holder, struct certificate_list *out, struct uk_err *err);
UK_CHECK enum uk_rc certificates_of_token(
    struct store_tx *tx, const char *token, struct certificate_list *out, struct uk_err *err);
void certificate_list_fini(struct certificate_list *l);

/* Of an order's list: the newest that is for signing and not revoked; NULL: none. */
const struct certificate *certificate_current(const struct certificate_list *l);

/*
 * The intent: everything of `plan` but fingerprint, issued_at and status is stored with tbs.  One
 * whose intent is there already changes nothing; certificate_by_intent() says which one counts.
 */
UK_CHECK enum uk_rc certificate_intend(struct store_tx *tx, const struct crypt *crypt,
    const struct certificate *plan, struct uk_span tbs, int64_t now, struct uk_err *err);

/* The signed certificate of an intent; a second one changes nothing. */
UK_CHECK enum uk_rc certificate_issued(struct store_tx *tx, const struct crypt *crypt,
    const struct uk_cert *cert, int64_t now, struct uk_err *err);

/*
 * Status.  `by` is whose wish it is: the id of a member of the staff, "holder", "server".  What
 * happens to one happens to the other of its pair, and to what was made to follow it and is not
 * proved yet.  The same once more changes nothing.  UK_E_NOT_FOUND "certificate-not-found";
 * UK_E_CONFLICT "certificate-revoked" for one that is revoked (but to revoke it),
 * "certificate-expired".
 */
UK_CHECK enum uk_rc certificate_suspend(
    struct store_tx *tx, const char *serial, const char *by, int64_t now, struct uk_err *err);
UK_CHECK enum uk_rc certificate_resume(
    struct store_tx *tx, const char *serial, const char *by, int64_t now, struct uk_err *err);

/* `why` is a name of crl_reason_name() but not "hold": UK_E_INPUT. */
UK_CHECK enum uk_rc certificate_revoke(struct store_tx *tx, const char *serial, const char *why,
    const char *by, int64_t now, struct uk_err *err);

/* Something else that has happened to it, for the book. */
UK_CHECK enum uk_rc certificate_event(struct store_tx *tx, const char *serial, const char *event,
    const char *reason, const char *by, int64_t now, struct uk_err *err);

#endif
