#include "ca/login.h"

#define CHALLENGE_MAX 4096u

static enum uk_rc
check_certificate(const struct uk_cert *c, const struct uk_cert *issuer, bool expired_too,
    int64_t now, struct uk_err *err)
{
	if (uk_cert_verify(c, issuer, NULL) != UK_OK)
		return uk_fail(err, UK_E_DENIED, "certificate-untrusted", "login", 0);
	if (now < uk_cert_not_before(c))
		return uk_fail(err, UK_E_DENIED, "certificate-not-yet-valid", "login", 0);
	if (now > uk_cert_not_after(c) && !expired_too)
		return uk_fail(err, UK_E_DENIED, "certificate-expired", "login", 0);
	if (!uk_cert_is_end_entity(c) || !uk_cert_may_sign(c))
		return uk_fail(err, UK_E_DENIED, "certificate-wrong-usage", "login", 0);
	return UK_OK;
}

static enum uk_rc
check(const struct uk_cert *certificate, const struct uk_cert *issuer, bool expired_too,
    const struct uk_login *challenge, struct uk_span signature, int64_t now, struct uk_err *err)
{
	enum uk_rc rc = check_certificate(certificate, issuer, expired_too, now, err);
	struct uk_buf data;

	if (rc != UK_OK)
		return rc;
	if (challenge->expires <= now)
		return uk_fail(err, UK_E_DENIED, "login-expired", "login", 0);
	uk_buf_init(&data, CHALLENGE_MAX);
	uk_login_put(&data, challenge);
	if (uk_buf_failed(&data))
		rc = uk_fail(err, UK_E_LIMIT, NULL, "login", 0);
	else if (uk_verify(uk_cert_pubkey(certificate), uk_buf_span(&data), signature, NULL) !=
		 UK_OK)
		rc = uk_fail(err, UK_E_DENIED, "signature-wrong", "login", 0);
	uk_buf_fini(&data);
	return rc;
}

enum uk_rc
login_check(const struct uk_cert *certificate, const struct uk_cert *issuer,
    const struct uk_login *challenge, struct uk_span signature, int64_t now, struct uk_err *err)
{
	return check(certificate, issuer, false, challenge, signature, now, err);
}

enum uk_rc
login_check_expired_too(const struct uk_cert *certificate, const struct uk_cert *issuer,
    const struct uk_login *challenge, struct uk_span signature, int64_t now, struct uk_err *err)
{
	return check(certificate, issuer, true, challenge, signature, now, err);
}
