/*
 * Sessions.  A cookie is 256 random bits; the database keeps its keyed hash.  An applicant's
 * session opens one order, or all orders of one document number and phone (after a code was sent
 * to that phone); a staff session carries the roles its owner has at each request.
 */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "api/api.h"

#define SESSION_TOKEN_LEN   44 /* base64url of 32 bytes, and NUL */
#define SESSION_SUBJECT_LEN (2 * CRYPT_INDEX_LEN)

enum session_kind {
	SESSION_ORDER, /* subject: the order */
	SESSION_QUERY, /* subject: number index ":" phone index */
	SESSION_STAFF, /* subject: the member of the staff */
	SESSION_KEY,   /* subject: the serial of the key's certificate */
	SESSION__MAX
};

const char *session_cookie(enum session_kind kind); /* "ukey_order", … */
const char *session_path(enum session_kind kind);   /* the cookie's path */

/* In a write: the cookie's value. */
UK_CHECK enum uk_rc session_new(const struct api *a, struct store_tx *tx, enum session_kind kind,
    const char *subject, char token[SESSION_TOKEN_LEN], struct uk_err *err);

/* Whose cookie it is; UK_E_UNAUTHORIZED without one, or when it is too old or was idle too long.
 * Notes its use. */
UK_CHECK enum uk_rc session_find(const struct api *a, enum session_kind kind, const char *token,
    char subject[SESSION_SUBJECT_LEN], struct uk_err *err);

/* In a write; not being there is no error. */
UK_CHECK enum uk_rc session_drop(
    const struct api *a, struct store_tx *tx, const char *token, struct uk_err *err);

/* Puts the cookie into the answer. */
void session_answer(
    const struct api *a, struct http_request *rq, enum session_kind kind, const char *token);

/* Ends the request's own session of that kind, and answers. */
UK_CHECK enum uk_rc session_end(
    const struct api *a, struct http_request *rq, enum session_kind kind, struct uk_err *err);

/* number index ":" phone index, of an order's form. */
void session_query_subject(
    const struct api *a, const char *number, const char *phone, char out[SESSION_SUBJECT_LEN]);

#endif
