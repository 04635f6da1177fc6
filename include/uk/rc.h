/*
 * Result codes.  One code per thing a caller can do next, not per place where it went wrong; the
 * native cause travels in struct uk_err and is logged once, at the edge.
 */
#ifndef UK_RC_H
#define UK_RC_H

#include <stdbool.h>

#define UK_CHECK __attribute__((warn_unused_result))

enum uk_rc {
	UK_OK,
	UK_E_INPUT,        /* the peer sent something malformed: mend it and send again */
	UK_E_LIMIT,        /* too large, too many */
	UK_E_UNAUTHORIZED, /* log in first */
	UK_E_DENIED,       /* logged in or not, this peer may not */
	UK_E_NOT_FOUND,
	UK_E_CONFLICT, /* not in this state; load again and decide anew */
	UK_E_RATE,     /* too many attempts: later */
	UK_E_UNSUPPORTED,
	UK_E_CANCELLED,   /* the user said no */
	UK_E_TIMEOUT,     /* nobody answered in time; the same call may be made again */
	UK_E_UNAVAILABLE, /* the other side is not there; the same call may be made again */
	UK_E_PIN_WRONG,
	UK_E_PIN_LOCKED,
	UK_E_TOKEN_REMOVED,
	UK_E_INTEGRITY, /* a signature, a MAC or a stored promise does not hold */
	UK_E_INTERNAL,
	UK_RC__MAX
};

/*
 * What went wrong, for the log and for the answer.  All strings are literals.  `reason` is the
 * stable name a peer sees; NULL means the name of `rc`.  `field` is the member of the input that
 * is at fault, if one is.  `where` and `native` (CKR_*, errno, SQLITE_*, HTTP status) are for the
 * log only.
 */
struct uk_err {
	enum uk_rc rc;
	const char *reason;
	const char *field;
	const char *where;
	long native;
};

/* The wire name ("pin-wrong"). */
const char *uk_rc_name(enum uk_rc rc);

/* The HTTP status that carries it. */
int uk_rc_http(enum uk_rc rc);

/* May the same request be sent again as it is? */
bool uk_rc_retry(enum uk_rc rc);

/* The code of a wire name; UK_E_INTERNAL for an unknown one. */
enum uk_rc uk_rc_from_name(const char *name);

/* Fill *err (may be NULL) and return rc, so that `return uk_fail(...)` reads as one step. */
enum uk_rc uk_fail(
    struct uk_err *err, enum uk_rc rc, const char *reason, const char *where, long native);

/* The same for a field of the input: UK_E_INPUT with `reason` (NULL: "invalid-input"). */
enum uk_rc uk_fail_field(struct uk_err *err, const char *field, const char *reason);

/* The stable name to show: err->reason, or the name of err->rc. */
const char *uk_err_reason(const struct uk_err *err);

#endif
