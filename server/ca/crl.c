#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "ca/crl.h"
#include "ca/der_read.h"
#include "ca/tbs.h"
#include "uk/b64.h"

#define OID_CRL_NUMBER "2.5.29.20"
#define OID_REASON     "2.5.29.21"
#define SERIAL_MAX     20 /* bytes, RFC 5280 section 4.1.2.2 */

struct reason_row {
	enum crl_reason reason;
	const char *name;
};

static const struct reason_row reasons[] = {
	{ CRL_UNSPECIFIED, "unspecified" },
	{ CRL_KEY_COMPROMISE, "key-compromise" },
	{ CRL_AFFILIATION_CHANGED, "affiliation-changed" },
	{ CRL_SUPERSEDED, "superseded" },
	{ CRL_CESSATION, "cessation-of-operation" },
	{ CRL_HOLD, "hold" },
	{ CRL_PRIVILEGE_WITHDRAWN, "privilege-withdrawn" },
};
#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *
crl_reason_name(enum crl_reason reason)
{
	for (size_t i = 0; i < REASONS; i++)
		if (reasons[i].reason == reason)
			return reasons[i].name;
	return NULL;
}

enum uk_rc
crl_reason_from_name(const char *name, enum crl_reason *out)
{
	for (size_t i = 0; i < REASONS; i++)
		if (strcmp(reasons[i].name, name) == 0) {
			*out = reasons[i].reason;
			return UK_OK;
		}
	return UK_E_INPUT;
}

/* RFC 5280 section 5.3.1: unspecified is said by saying nothing. */
static void
put_reason(struct uk_buf *out, enum crl_reason reason)
{
	struct der_extension e;
	size_t at;

	if (reason == CRL_UNSPECIFIED)
		return;
	at = der_begin(out, DER_SEQUENCE);
	e = der_extension_begin(out, OID_REASON, false);
	der_put_uint(out, DER_ENUM, (uint64_t)reason);
	der_extension_end(out, e);
	der_end(out, at);
}

static enum uk_rc
put_entry(struct uk_buf *out, const struct crl_entry *entry)
{
	struct uk_buf serial;
	enum uk_rc rc = UK_E_INPUT;
	size_t at;

	uk_buf_init(&serial, SERIAL_MAX);
	if (uk_hex_get(&serial, entry->serial) == UK_OK && serial.n != 0 &&
	    crl_reason_name(entry->reason) != NULL) {
		at = der_begin(out, DER_SEQUENCE);
		der_put_integer(out, uk_buf_span(&serial));
		der_put_time(out, entry->revoked_at);
		put_reason(out, entry->reason);
		der_end(out, at);
		rc = UK_OK;
	}
	uk_buf_fini(&serial);
	return rc;
}

/* An empty list is left out altogether (RFC 5280 section 5.1.2.6). */
static enum uk_rc
put_entries(struct uk_buf *out, const struct crl_plan *plan)
{
	enum uk_rc rc = UK_OK;
	size_t at;

	if (plan->n == 0)
		return UK_OK;
	at = der_begin(out, DER_SEQUENCE);
	for (size_t i = 0; rc == UK_OK && i < plan->n; i++)
		rc = put_entry(out, &plan->entries[i]);
	der_end(out, at);
	return rc;
}

static void
put_extensions(struct uk_buf *out, const struct authority *a, uint64_t number)
{
	const size_t at = der_begin(out, DER_EXPLICIT(0));
	const size_t list = der_begin(out, DER_SEQUENCE);
	struct der_extension e;

	tbs_put_authority_key_id(out, authority_key_id(a));
	e = der_extension_begin(out, OID_CRL_NUMBER, false);
	der_put_uint(out, DER_INTEGER, number);
	der_extension_end(out, e);
	der_end(out, list);
	der_end(out, at);
}

static enum uk_rc
put_tbs(
    struct uk_buf *out, const struct authority *a, const struct crl_plan *plan, struct uk_err *err)
{
	const size_t at = der_begin(out, DER_SEQUENCE);
	enum uk_rc rc;

	der_put_uint(out, DER_INTEGER, 1); /* v2 */
	uk_buf_put(out, authority_algorithm(a));
	uk_buf_put(out, authority_name(a));
	der_put_time(out, plan->this_update);
	der_put_time(out, plan->next_update);
	rc = put_entries(out, plan);
	put_extensions(out, a, plan->number);
	der_end(out, at);
	if (rc != UK_OK)
		return uk_fail(err, rc, NULL, "crl-entry", 0);
	return uk_buf_failed(out) ? uk_fail(err, UK_E_LIMIT, NULL, "crl", 0) : UK_OK;
}

/*
 * OpenSSL reads it back; the signature is checked by ourselves, because for SM2 X509_CRL_verify()
 * can't be told the identifier.
 */
static bool
verifies(const struct authority *a, struct uk_span der)
{
	const struct uk_pubkey *key = uk_cert_pubkey(authority_issuer(a));
	const unsigned char *p = der.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	struct der_in all = der_in(der);
	struct der_in whole = der_enter(&all, DER_SEQUENCE);
	const struct uk_span tbs = der_take_whole(&whole, DER_SEQUENCE);
	const struct uk_span algorithm = der_take_whole(&whole, DER_SEQUENCE);
	const struct uk_span signature = der_take_bits(&whole);
	struct uk_buf raw;
	bool ok = crl != NULL && p == der.p + der.n && der_ended(&whole) && der_ended(&all) &&
		  uk_span_eq(algorithm, authority_algorithm(a));

	uk_buf_init(&raw, 1024);
	if (!uk_keyalg_is_ec(uk_pubkey_alg(key)))
		uk_buf_put(&raw, signature);
	else if (uk_ecdsa_from_der(signature, uk_pubkey_alg(key), &raw) != UK_OK)
		ok = false;
	ok = ok && uk_verify(key, tbs, uk_buf_span(&raw), NULL) == UK_OK;
	uk_buf_fini(&raw);
	X509_CRL_free(crl);
	ERR_clear_error();
	return ok;
}

enum uk_rc
crl_build(
    const struct authority *a, const struct crl_plan *plan, struct uk_buf *out, struct uk_err *err)
{
	struct uk_buf tbs, der;
	enum uk_rc rc;

	if (plan->next_update <= plan->this_update)
		return uk_fail(err, UK_E_INPUT, "validity-invalid", "crl", 0);
	uk_buf_init(&tbs, out->max);
	uk_buf_init(&der, out->max);
	if ((rc = put_tbs(&tbs, a, plan, err)) != UK_OK ||
	    (rc = authority_sign(a, uk_buf_span(&tbs), &der, err)) != UK_OK)
		goto out;
	if (!verifies(a, uk_buf_span(&der))) {
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "crl-read-back", 0);
		goto out;
	}
	uk_buf_put(out, uk_buf_span(&der));
	if (uk_buf_failed(out))
		rc = uk_fail(err, UK_E_LIMIT, NULL, "crl", 0);
out:
	uk_buf_fini(&tbs);
	uk_buf_fini(&der);
	return rc;
}
