/*
 * SMS codes: six digits, five minutes, five tries, one for each purpose and subject at a time.
 * Stored as a keyed hash; resent no sooner than after a minute; counted per subject and per
 * address.
 */
#ifndef API_CODE_H
#define API_CODE_H

#include "api/api.h"

#define CODE_LEN          6
#define CODE_LIFE         300 /* seconds */
#define CODE_TRIES        5
#define CODE_RESEND_AFTER 60

struct code_slot {
	const char *purpose;     /* "signature", "query" */
	const char *subject;     /* order, or keyed hash of a number */
	const char *phone_index; /* keyed hash of the phone; "" when there is nobody to send to */
	const char *address;     /* the peer's */
	bool silent;             /* who asks must not learn whose phone it is: see code_make() */
};

/*
 * In a write: a new code takes the place of an older one.  UK_E_RATE "code-too-early" or
 * "too-many-codes" with *retry_after.  When only the phone has had too many and the slot is silent,
 * all goes on as ever, but `code` is "": there is nothing to send.
 */
UK_CHECK enum uk_rc code_make(const struct api *a, struct store_tx *tx,
    const struct code_slot *slot, char code[CODE_LEN + 1], int64_t *retry_after,
    struct uk_err *err);

enum code_verdict {
	CODE_RIGHT,
	CODE_WRONG,
	CODE_EXPIRED, /* or there is none */
	CODE_EXHAUSTED
};

/*
 * In a write: a right code is used up, a wrong one costs a try (*left).  UK_OK whatever the
 * verdict, so that the count is kept.
 */
UK_CHECK enum uk_rc code_try(const struct api *a, struct store_tx *tx, const char *purpose,
    const char *subject, const char *code, enum code_verdict *verdict, int64_t *left,
    struct uk_err *err);

/* The keyed hash of the phone that the code went to; "" when there is none, or it went to nobody.
 */
UK_CHECK enum uk_rc code_phone(struct store_tx *tx, const char *purpose, const char *subject,
    char out[CRYPT_INDEX_LEN], struct uk_err *err);

UK_CHECK enum uk_rc code_drop(
    struct store_tx *tx, const char *purpose, const char *subject, struct uk_err *err);

/* UK_E_INPUT with the field "code" and the verdict's reason; UK_OK for CODE_RIGHT. */
UK_CHECK enum uk_rc code_verdict_rc(enum code_verdict v, struct uk_err *err);

/* The same, and the answer says how many tries are left where that is what the page has to tell. */
UK_CHECK enum uk_rc code_verdict_answer(
    struct http_request *rq, enum code_verdict v, int64_t left, struct uk_err *err);

bool code_plausible(const char *s); /* six digits */

#endif
