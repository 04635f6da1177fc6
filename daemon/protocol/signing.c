#include <assert.h>
#include <string.h>

#include "protocol/signing.h"

#define TBS_MAX 4096

static const char *const forms[] = {
	[SIGNING_RAW] = "raw",
	[SIGNING_DER] = "der",
	[SIGNING_ATTACHED] = "cms-attached",
	[SIGNING_DETACHED] = "cms-detached",
};
static_assert(sizeof(forms) / sizeof(forms[0]) == SIGNING__MAX, "one name per form");

enum signing_form
signing_form_of(const char *name)
{
	enum signing_form f = SIGNING_RAW;

	while (f < SIGNING__MAX && strcmp(forms[f], name) != 0)
		f++;
	return f;
}

static void
set_digest(struct signing *s, struct uk_span digest)
{
	memcpy(s->digest, digest.p, digest.n);
	s->n = digest.n;
}

static enum uk_rc
digest_tbs(struct signing *s, const struct uk_pubkey *k, struct uk_span tbs, struct uk_err *err)
{
	struct uk_buf digest;
	enum uk_rc rc;

	uk_buf_init(&digest, sizeof(s->digest));
	rc = uk_digest(k, tbs, &digest);
	if (rc == UK_OK)
		set_digest(s, uk_buf_span(&digest));
	else
		rc = uk_fail(err, rc, NULL, "digest", 0);
	uk_buf_fini(&digest);
	return rc;
}

static bool
is_cms(enum signing_form form)
{
	return form == SIGNING_ATTACHED || form == SIGNING_DETACHED;
}

static const struct cms_profile *
profile_of(const struct uk_cert *cert, const struct signing_how *how)
{
	return uk_cert_alg(cert) == UK_KEY_SM2 ? &how->profile : &cms_profile_rfc;
}

/* Is the signature over the data itself? */
static bool
over_data(const struct uk_cert *cert, const struct signing_how *how)
{
	return !is_cms(how->form) || !profile_of(cert, how)->attributes;
}

enum uk_rc
signing_fits(const struct uk_cert *cert, const struct signing_how *how,
    const struct signing_data *data, struct uk_err *err)
{
	const enum uk_keyalg alg = uk_cert_alg(cert);
	struct uk_span digest;

	if (how->profiled && alg != UK_KEY_SM2)
		return uk_fail(err, UK_E_UNSUPPORTED, "profile-unsupported", "sign", 0);
	if (how->form == SIGNING_DER && !uk_keyalg_is_ec(alg))
		return uk_fail(err, UK_E_UNSUPPORTED, "format-unsupported", "sign", 0);
	digest = over_data(cert, how) ? uk_sums_signed(&data->sums, uk_cert_pubkey(cert))
				      : uk_sums_plain(&data->sums, alg);
	if (!data->here && digest.n == 0)
		return uk_fail(err, UK_E_CONFLICT, "data-for-other-key", "sign", 0);
	return UK_OK;
}

static enum uk_rc
digest_data(struct signing *s, const struct uk_pubkey *k, const struct signing_data *data,
    struct uk_err *err)
{
	const struct uk_span digest = uk_sums_signed(&data->sums, k);

	if (digest.n == 0)
		return digest_tbs(s, k, data->content, err);
	set_digest(s, digest);
	return UK_OK;
}

static enum uk_rc
begin_cms(struct signing *s, const struct uk_cert *cert, const struct signing_how *how,
    const struct signing_data *data, int64_t now, struct uk_err *err)
{
	const struct cms_profile *profile = profile_of(cert, how);
	struct uk_buf tbs;
	enum uk_rc rc;

	uk_buf_init(&tbs, TBS_MAX);
	rc = cms_new(cert, profile, uk_sums_plain(&data->sums, uk_cert_alg(cert)),
	    how->form == SIGNING_ATTACHED ? &data->content : NULL, now, &s->cms, &tbs, err);
	if (rc == UK_OK && profile->attributes)
		rc = digest_tbs(s, uk_cert_pubkey(cert), uk_buf_span(&tbs), err);
	uk_buf_fini(&tbs);
	return rc;
}

enum uk_rc
signing_begin(struct signing *s, const struct uk_cert *cert, const struct signing_how *how,
    const struct signing_data *data, int64_t now, struct uk_err *err)
{
	enum uk_rc rc = signing_fits(cert, how, data, err);

	*s = (struct signing){ .form = how->form };
	if (rc == UK_OK && over_data(cert, how))
		rc = digest_data(s, uk_cert_pubkey(cert), data, err);
	if (rc == UK_OK && is_cms(how->form))
		rc = begin_cms(s, cert, how, data, now, err);
	if (rc != UK_OK)
		signing_fini(s);
	return rc;
}

struct uk_span
signing_digest(const struct signing *s)
{
	return uk_span(s->digest, s->n);
}

enum uk_rc
signing_end(struct signing *s, const struct uk_cert *cert, struct uk_span signature,
    struct uk_buf *out, struct uk_err *err)
{
	/* A faulty token's signature can give its key away, so it goes nowhere. */
	enum uk_rc rc = uk_verify_digest(uk_cert_pubkey(cert), signing_digest(s), signature, err);
	struct uk_buf der;

	if (rc != UK_OK)
		return rc;
	uk_buf_init(&der, 256);
	if (s->form != SIGNING_RAW && uk_keyalg_is_ec(uk_cert_alg(cert))) {
		if ((rc = uk_ecdsa_to_der(signature, &der)) != UK_OK)
			rc = uk_fail(err, rc, NULL, "sign", 0);
		signature = uk_buf_span(&der);
	}
	if (rc == UK_OK && s->cms != NULL) {
		rc = cms_finish(s->cms, signature, out, err);
	} else if (rc == UK_OK) {
		uk_buf_put(out, signature);
		if (uk_buf_failed(out))
			rc = uk_fail(err, UK_E_LIMIT, NULL, "sign", 0);
	}
	uk_buf_fini(&der);
	return rc;
}

void
signing_fini(struct signing *s)
{
	cms_free(&s->cms);
}
