#include <string.h>

#include "ca/der.h"
#include "ca/tbs.h"
#include "uk/pubkey.h"

#define OID_KEY_ID           "2.5.29.14"
#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define OID_POLICIES         "2.5.29.32"
#define OID_CPS              "1.3.6.1.5.5.7.2.1"
#define OID_ACCESS           "1.3.6.1.5.5.7.1.1"
#define OID_CA_ISSUERS       "1.3.6.1.5.5.7.48.2"
#define OID_OCSP             "1.3.6.1.5.5.7.48.1"
#define OID_CRL_POINTS       "2.5.29.31"

#define URI_TAG DER_CONTEXT(6) /* GeneralName uniformResourceIdentifier */

void
tbs_put(struct uk_buf *out, const struct tbs *t)
{
	const size_t whole = der_begin(out, DER_SEQUENCE);
	size_t at, list;

	at = der_begin(out, DER_EXPLICIT(0));
	der_put_uint(out, DER_INTEGER, 2); /* v3 */
	der_end(out, at);
	der_put_integer(out, t->serial);
	uk_buf_put(out, t->algorithm);
	uk_buf_put(out, t->issuer);
	at = der_begin(out, DER_SEQUENCE);
	der_put_time(out, t->not_before);
	der_put_time(out, t->not_after);
	der_end(out, at);
	uk_buf_put(out, t->subject);
	uk_buf_put(out, t->spki);
	at = der_begin(out, DER_EXPLICIT(3));
	list = der_begin(out, DER_SEQUENCE);
	uk_buf_put(out, t->extensions);
	der_end(out, list);
	der_end(out, at);
	der_end(out, whole);
}

void
tbs_serial(const struct uk_random *random, uint8_t serial[TBS_SERIAL])
{
	random->bytes(random->ctx, serial, TBS_SERIAL);
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
}

/* RFC 5280 section 4.2.1.2 leaves the method open; this is RFC 7093's fourth, cut to the usual
 * length. */
void
tbs_key_id(struct uk_span spki, uint8_t id[TBS_KEY_ID])
{
	uint8_t sum[32];

	uk_sha256(spki, sum);
	memcpy(id, sum, TBS_KEY_ID);
}

void
tbs_put_key_id(struct uk_buf *out, struct uk_span id)
{
	const struct der_extension e = der_extension_begin(out, OID_KEY_ID, false);

	der_put(out, DER_OCTETS, id);
	der_extension_end(out, e);
}

void
tbs_put_authority_key_id(struct uk_buf *out, struct uk_span id)
{
	const struct der_extension e = der_extension_begin(out, OID_AUTHORITY_KEY_ID, false);
	const size_t at = der_begin(out, DER_SEQUENCE);

	der_put(out, DER_CONTEXT(0), id);
	der_end(out, at);
	der_extension_end(out, e);
}

static void
put_cps(struct uk_buf *out, const char *cps)
{
	const size_t list = der_begin(out, DER_SEQUENCE);
	const size_t one = der_begin(out, DER_SEQUENCE);

	der_put_oid(out, OID_CPS);
	der_put_str(out, DER_IA5, cps);
	der_end(out, one);
	der_end(out, list);
}

void
tbs_put_policy(struct uk_buf *out, const char *oid, const char *cps)
{
	const struct der_extension e = der_extension_begin(out, OID_POLICIES, false);
	const size_t list = der_begin(out, DER_SEQUENCE);
	const size_t one = der_begin(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	if (cps != NULL)
		put_cps(out, cps);
	der_end(out, one);
	der_end(out, list);
	der_extension_end(out, e);
}

static void
put_address(struct uk_buf *out, const char *origin, const char *file)
{
	const size_t at = der_begin(out, URI_TAG);

	uk_buf_put_str(out, origin);
	uk_buf_put_str(out, "/ca/");
	uk_buf_put_str(out, file);
	der_end(out, at);
}

static void
put_access(struct uk_buf *out, const char *method, const char *origin, const char *file)
{
	const size_t one = der_begin(out, DER_SEQUENCE);

	der_put_oid(out, method);
	put_address(out, origin, file);
	der_end(out, one);
}

void
tbs_put_access(struct uk_buf *out, const char *origin, const char *file, const char *ocsp)
{
	const struct der_extension e = der_extension_begin(out, OID_ACCESS, false);
	const size_t list = der_begin(out, DER_SEQUENCE);

	if (ocsp != NULL)
		put_access(out, OID_OCSP, origin, ocsp);
	put_access(out, OID_CA_ISSUERS, origin, file);
	der_end(out, list);
	der_extension_end(out, e);
}

void
tbs_put_crl_address(struct uk_buf *out, const char *origin, const char *file)
{
	const struct der_extension e = der_extension_begin(out, OID_CRL_POINTS, false);
	const size_t list = der_begin(out, DER_SEQUENCE);
	const size_t one = der_begin(out, DER_SEQUENCE);
	const size_t point = der_begin(out, DER_EXPLICIT(0)); /* distributionPoint */
	const size_t names = der_begin(out, DER_EXPLICIT(0)); /* fullName */

	put_address(out, origin, file);
	der_end(out, names);
	der_end(out, point);
	der_end(out, one);
	der_end(out, list);
	der_extension_end(out, e);
}
