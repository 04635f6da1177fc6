#include <string.h>

#include "ca/der_read.h"
#include "ca/issuer.h"
#include "ca/request.h"
#include "ca/tbs.h"
#include "uk/b64.h"

#define NAME_MAX_BYTES 1024u
#define EXTENSIONS_MAX 2048u

static void
put_extensions(const struct authority *a, const struct issuer_order *o, struct uk_buf *out)
{
	uint8_t id[TBS_KEY_ID];

	profile_put_extensions(o->profile, o->use, &o->subject, out);
	tbs_key_id(o->spki, id);
	tbs_put_key_id(out, uk_span(id, sizeof(id)));
	tbs_put_authority_key_id(out, authority_key_id(a));
	tbs_put_policy(out, authority_policy(a), authority_cps(a));
	tbs_put_access(out, authority_origin(a), AUTHORITY_ISSUER_CER,
	    profile_unchecked(o->profile) ? NULL : AUTHORITY_OCSP);
	if (!profile_unchecked(o->profile))
		tbs_put_crl_address(out, authority_origin(a), AUTHORITY_CRL);
}

static enum uk_rc
assemble(const struct authority *a, const struct issuer_order *o, struct uk_span serial,
    struct uk_buf *tbs, struct uk_err *err)
{
	struct uk_buf subject, extensions;
	enum uk_rc rc = UK_OK;

	uk_buf_init(&subject, NAME_MAX_BYTES);
	uk_buf_init(&extensions, EXTENSIONS_MAX);
	profile_put_name(o->profile, &o->subject, &subject);
	put_extensions(a, o, &extensions);
	tbs_put(tbs, &(const struct tbs){ .serial = serial,
			 .algorithm = authority_algorithm(a),
			 .issuer = authority_name(a),
			 .subject = uk_buf_span(&subject),
			 .spki = o->spki,
			 .extensions = uk_buf_span(&extensions),
			 .not_before = o->not_before,
			 .not_after = o->not_after });
	if (uk_buf_failed(&subject) || uk_buf_failed(&extensions) || uk_buf_failed(tbs))
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "issuer-assemble", 0);
	uk_buf_fini(&subject);
	uk_buf_fini(&extensions);
	return rc;
}

/* Of this CA's making: an end entity's, for one use, within the CA's own life. */
static bool
fits(const struct authority *a, const struct uk_cert *c)
{
	const struct uk_cert *issuer = authority_issuer(a);

	return strcmp(uk_cert_issuer(c), uk_cert_subject(issuer)) == 0 &&
	       uk_cert_is_end_entity(c) && uk_cert_may_sign(c) != uk_cert_may_encrypt(c) &&
	       uk_cert_not_before(c) >= uk_cert_not_before(issuer) &&
	       uk_cert_not_after(c) <= uk_cert_not_after(issuer);
}

/* Extension SEQUENCEs, none of them empty. */
static bool
extensions_read(struct der_in *tbs)
{
	struct der_in whole = der_enter(tbs, DER_EXPLICIT(3));
	struct der_in list = der_enter(&whole, DER_SEQUENCE);
	size_t n = 0;

	for (; !list.failed && !der_ended(&list); n++) {
		struct der_in e = der_enter(&list, DER_SEQUENCE);

		(void)der_take(&e, DER_OID);
		if (der_is(&e, DER_BOOLEAN))
			(void)der_take(&e, DER_BOOLEAN);
		if (der_take(&e, DER_OCTETS).n == 0 || !der_ended(&e))
			return false;
	}
	return n != 0 && der_ended(&list) && der_ended(&whole);
}

/* TBSCertificate (RFC 5280 section 4.1) of exactly what was ordered. */
static bool
tbs_is(const struct authority *a, const struct issuer_order *o, const struct issuer_intent *i,
    struct uk_span serial)
{
	struct der_in all = der_in(uk_buf_span(&i->tbs));
	struct der_in tbs = der_enter(&all, DER_SEQUENCE);
	struct der_in validity;
	int64_t from = 0, to = 0;

	if (!uk_span_eq(der_take(&tbs, DER_EXPLICIT(0)), uk_span("\x02\x01\x02", 3)) ||
	    !uk_span_eq(der_take_positive(&tbs), serial) ||
	    !uk_span_eq(der_take_whole(&tbs, DER_SEQUENCE), authority_algorithm(a)) ||
	    !uk_span_eq(der_take_whole(&tbs, DER_SEQUENCE), authority_name(a)))
		return false;
	validity = der_enter(&tbs, DER_SEQUENCE);
	if (!der_take_time(&validity, &from) || !der_take_time(&validity, &to) ||
	    !der_ended(&validity) || from != o->not_before || to != o->not_after)
		return false;
	if (der_take(&tbs, DER_SEQUENCE).n == 0 || /* subject */
	    !uk_span_eq(der_take_whole(&tbs, DER_SEQUENCE), o->spki))
		return false;
	return extensions_read(&tbs) && der_ended(&tbs) && der_ended(&all);
}

/* Read the bytes back before they are stored; OpenSSL does so, too, before a certificate leaves. */
static enum uk_rc
read_back(const struct authority *a, const struct issuer_order *o, const struct issuer_intent *i,
    struct uk_span serial, struct uk_err *err)
{
	return tbs_is(a, o, i, serial) ? UK_OK
				       : uk_fail(err, UK_E_INTERNAL, NULL, "issuer-read-back", 0);
}

static enum uk_rc
check_validity(const struct authority *a, const struct issuer_order *o, struct uk_err *err)
{
	const struct uk_cert *issuer = authority_issuer(a);

	if (o->not_before >= o->not_after)
		return uk_fail(err, UK_E_INPUT, "validity-invalid", "issuer", 0);
	if (o->not_before < uk_cert_not_before(issuer) || o->not_after > uk_cert_not_after(issuer))
		return uk_fail(err, UK_E_CONFLICT, "validity-beyond-issuer", "issuer", 0);
	return UK_OK;
}

enum uk_rc
issuer_prepare(const struct authority *a, const struct issuer_order *o,
    const struct uk_random *random, struct issuer_intent *out, struct uk_err *err)
{
	struct issuer_intent i = { .serial = "" };
	uint8_t serial[TBS_SERIAL];
	struct uk_buf hex;
	enum uk_rc rc;

	if ((rc = profile_check(o->profile, o->use, &o->subject, err)) != UK_OK ||
	    (rc = request_check_key(o->spki, err)) != UK_OK ||
	    (rc = check_validity(a, o, err)) != UK_OK)
		return rc;
	tbs_serial(random, serial);
	uk_buf_init(&hex, SERIAL_LEN - 1);
	uk_hex_put(&hex, uk_span(serial, sizeof(serial)));
	memcpy(i.serial, uk_buf_str(&hex), SERIAL_LEN);
	uk_buf_fini(&hex);
	uk_buf_init(&i.tbs, ISSUER_TBS_MAX);
	rc = assemble(a, o, uk_span(serial, sizeof(serial)), &i.tbs, err);
	if (rc == UK_OK)
		rc = read_back(a, o, &i, uk_span(serial, sizeof(serial)), err);
	if (rc != UK_OK)
		issuer_intent_fini(&i);
	else
		*out = i;
	return rc;
}

void
issuer_intent_fini(struct issuer_intent *i)
{
	uk_buf_fini(&i->tbs);
	*i = (struct issuer_intent){ .serial = "" };
}

enum uk_rc
issuer_sign(
    const struct authority *a, struct uk_span tbs, struct uk_buf *certificate, struct uk_err *err)
{
	struct uk_cert *c = NULL;
	struct uk_buf der;
	enum uk_rc rc;

	if (tbs.n > ISSUER_TBS_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, "issuer-sign", (long)tbs.n);
	uk_buf_init(&der, ISSUER_CERT_MAX);
	rc = authority_sign(a, tbs, &der, err);
	if (rc != UK_OK)
		goto out;
	if (uk_cert_parse(uk_buf_span(&der), &c, NULL) != UK_OK ||
	    uk_cert_verify(c, authority_issuer(a), NULL) != UK_OK || !fits(a, c)) {
		rc = uk_fail(err, UK_E_INTEGRITY, "intent-wrong", "issuer-sign", 0);
		goto out;
	}
	uk_buf_put(certificate, uk_buf_span(&der));
	if (uk_buf_failed(certificate))
		rc = uk_fail(err, UK_E_LIMIT, NULL, "issuer-sign", 0);
out:
	uk_cert_free(&c);
	uk_buf_fini(&der);
	return rc;
}
