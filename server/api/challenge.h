/* Challenges for log-in by key, each good once and for two minutes. */
#ifndef API_CHALLENGE_H
#define API_CHALLENGE_H

#include "api/api.h"

/* Makes one for the purpose ("staff", "key") and answers with {nonce, audience, expires}; UK_E_RATE
 * when the address asks too often. */
UK_CHECK enum uk_rc challenge_answer(const struct api *a, struct http_request *rq,
    const char *audience, const char *purpose, struct uk_err *err);

/* Spends it, whatever the signature will be.  UK_E_DENIED "nonce-unknown". */
UK_CHECK enum uk_rc challenge_spend(const struct api *a, const char *purpose, const char *nonce,
    int64_t *expires, struct uk_err *err);

#endif
