/* Log-in by key: is this the signature of a certificate of ours over this challenge? */
#ifndef CA_LOGIN_H
#define CA_LOGIN_H

#include "uk/login.h"
#include "uk/x509.h"

/*
 * The certificate is issued by `issuer`, valid now and may sign; the challenge has not expired; the
 * signature (raw r||s, or PKCS#1) holds over uk_login_put().  UK_E_DENIED with
 * "certificate-untrusted", "certificate-not-yet-valid", "certificate-expired",
 * "certificate-wrong-usage", "login-expired", or "signature-wrong".  Whether the certificate is
 * revoked, whose it is, and that the nonce is one of ours and unused, is the caller's to check:
 * customers' certificates pass here as well as staff's.
 */
UK_CHECK enum uk_rc login_check(const struct uk_cert *certificate, const struct uk_cert *issuer,
    const struct uk_login *challenge, struct uk_span signature, int64_t now, struct uk_err *err);

/* The same, but an expired certificate passes: to renew it, for example ([R1]). */
UK_CHECK enum uk_rc login_check_expired_too(const struct uk_cert *certificate,
    const struct uk_cert *issuer, const struct uk_login *challenge, struct uk_span signature,
    int64_t now, struct uk_err *err);

#endif
