/* The receiving end of ACS3: every header, hash, date, nonce and signature is checked. */
#ifndef SANDBOX_ALIYUN_IN_H
#define SANDBOX_ALIYUN_IN_H

#include "sandbox/state.h"
#include "uk/json.h"

struct aliyun_in {
	const char *action;
	const char *version;
	const struct net_pairs *params; /* of the query, or of the body where that has any */
};

/*
 * False: the refusal has been answered.  access_key and secret are the service's.  The strings are
 * lent by the request.
 */
bool aliyun_in_open(struct sandbox *s, struct http_request *rq, const char *access_key,
    const struct uk_secret *secret, struct aliyun_in *out);

/* The answer, with a new RequestId; steals `more` (may be NULL). */
void aliyun_in_answer(struct sandbox *s, struct http_request *rq, int status, const char *code,
    const char *message, json_t *more);

#endif
