/* Challenges for log-in by key, each good once and for two minutes. */
#ifndef API_CHALLENGE_H
#define API_CHALLENGE_H

#include "api/api.h"
#include "uk/login.h"

/* Makes one for the purpose ("staff", "key") and answers with {nonce, audience, expires}; UK_E_RATE
 * when the address asks too often. */
UK_CHECK enum uk_rc challenge_answer(const struct api *a, struct http_request *rq,
    const char *audience, const char *purpose, struct uk_err *err);

/* A log-in's check: login_check() or login_check_expired_too() of ca/login.h. */
typedef enum uk_rc challenge_check_fn(const struct uk_cert *certificate,
    const struct uk_cert *issuer, const struct uk_login *challenge, struct uk_span signature,
    int64_t now, struct uk_err *err);

struct login_body;

/* Spends the challenge, whatever the signature is (UK_E_DENIED "nonce-unknown"), and checks it;
 * *out is the caller's.  Whose certificate it is, and whether it still counts, is the caller's to
 * ask. */
UK_CHECK enum uk_rc challenge_certificate(const struct api *a, const char *purpose,
    const char *audience, const struct login_body *body, challenge_check_fn *check,
    struct uk_cert **out, struct uk_err *err);

#endif
