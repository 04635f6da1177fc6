#include <openssl/err.h>
#include <openssl/x509.h>

#include "helper/der.h"
#include "uk/x509.h"

#define DER_MAX      2048
#define T_INTEGER    0x02
#define T_BIT_STRING 0x03
#define T_SEQUENCE   0x30

static const uint8_t oid_p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t oid_p384[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t oid_sm2[] = { 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d };
static const uint8_t oid_ec[] = { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t alg_rsa[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
	0x05, 0x00 };
static const uint8_t sha256_info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
	0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };

static void
put(struct uk_buf *out, uint8_t tag, struct uk_span body)
{
	uk_buf_put_u8(out, tag);
	if (body.n >= 0x100)
		uk_buf_put_u8(out, 0x82);
	else if (body.n >= 0x80)
		uk_buf_put_u8(out, 0x81);
	if (body.n >= 0x100)
		uk_buf_put_u8(out, (uint8_t)(body.n >> 8));
	uk_buf_put_u8(out, (uint8_t)body.n);
	uk_buf_put(out, body);
}

static void
put_unsigned(struct uk_buf *out, struct uk_span v)
{
	struct uk_buf body;

	while (v.n > 1 && v.p[0] == 0)
		v = uk_span(v.p + 1, v.n - 1);
	uk_buf_init(&body, DER_MAX);
	if (v.n == 0 || (v.p[0] & 0x80) != 0)
		uk_buf_put_u8(&body, 0);
	uk_buf_put(&body, v);
	put(out, T_INTEGER, uk_buf_span(&body));
	uk_buf_fini(&body);
}

static void
put_spki(struct uk_buf *out, struct uk_span alg, struct uk_span key)
{
	struct uk_buf bits, body;

	uk_buf_init(&bits, DER_MAX);
	uk_buf_init(&body, DER_MAX);
	uk_buf_put_u8(&bits, 0); /* no unused bits */
	uk_buf_put(&bits, key);
	put(&body, T_SEQUENCE, alg);
	put(&body, T_BIT_STRING, uk_buf_span(&bits));
	put(out, T_SEQUENCE, uk_buf_span(&body));
	out->failed |= bits.failed || body.failed;
	uk_buf_fini(&bits);
	uk_buf_fini(&body);
}

void
der_spki_rsa(struct uk_buf *out, struct uk_span n, struct uk_span e)
{
	struct uk_buf both, key;

	uk_buf_init(&both, DER_MAX);
	uk_buf_init(&key, DER_MAX);
	put_unsigned(&both, n);
	put_unsigned(&both, e);
	put(&key, T_SEQUENCE, uk_buf_span(&both));
	put_spki(out, uk_span(alg_rsa, sizeof(alg_rsa)), uk_buf_span(&key));
	out->failed |= both.failed || key.failed;
	uk_buf_fini(&both);
	uk_buf_fini(&key);
}

void
der_spki_ec(struct uk_buf *out, struct uk_span curve, struct uk_span point)
{
	struct uk_buf alg;

	uk_buf_init(&alg, 64);
	uk_buf_put(&alg, uk_span(oid_ec, sizeof(oid_ec)));
	uk_buf_put(&alg, curve);
	put_spki(out, uk_buf_span(&alg), point);
	out->failed |= alg.failed;
	uk_buf_fini(&alg);
}

struct uk_span
der_curve(enum uk_keyalg a)
{
	if (a == UK_KEY_P256)
		return uk_span(oid_p256, sizeof(oid_p256));
	if (a == UK_KEY_SM2)
		return uk_span(oid_sm2, sizeof(oid_sm2));
	if (a == UK_KEY_P384)
		return uk_span(oid_p384, sizeof(oid_p384));
	return uk_span(NULL, 0);
}

struct uk_span
der_digest_info_sha256(void)
{
	return uk_span(sha256_info, sizeof(sha256_info));
}

static void
put_name(struct uk_buf *out, const X509_NAME *name)
{
	const unsigned char *p = NULL;
	size_t n = 0;

	if (X509_NAME_get0_der(name, &p, &n) == 1)
		uk_buf_put(out, uk_span(p, n));
	else
		out->failed = true;
}

enum uk_rc
der_cert_read(struct uk_span der, struct der_cert *out)
{
	const unsigned char *p = der.p;
	enum uk_rc rc = UK_E_INPUT;
	unsigned char *serial = NULL;
	X509 *x = NULL;
	int n;

	uk_buf_init(&out->subject, UK_CERT_MAX);
	uk_buf_init(&out->issuer, UK_CERT_MAX);
	uk_buf_init(&out->serial, 64);
	if (der.n == 0 || der.n > UK_CERT_MAX)
		return UK_E_INPUT;
	x = d2i_X509(NULL, &p, (long)der.n);
	if (x == NULL || p != der.p + der.n)
		goto out;
	n = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &serial);
	if (n <= 0)
		goto out;
	uk_buf_put(&out->serial, uk_span(serial, (size_t)n));
	put_name(&out->subject, X509_get_subject_name(x));
	put_name(&out->issuer, X509_get_issuer_name(x));
	if (!out->serial.failed && !out->subject.failed && !out->issuer.failed)
		rc = UK_OK;
out:
	OPENSSL_free(serial);
	X509_free(x);
	ERR_clear_error();
	return rc;
}

void
der_cert_fini(struct der_cert *c)
{
	uk_buf_fini(&c->subject);
	uk_buf_fini(&c->issuer);
	uk_buf_fini(&c->serial);
}
