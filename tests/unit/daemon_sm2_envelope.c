#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "daemon_sm2.h"
#include "uk/sm2.h"
#include "uk/x509.h"

#define GM_DATA      "\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x01"
#define GM_ENVELOPED "\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x03"
#define DATA         "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define ENVELOPED    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
#define SM2_ENCRYPT  "\x30\x0b\x06\x09\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x03"
#define SM2_CURVE    "\x30\x0a\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d"
#define SM4_CBC      "\x06\x08\x2a\x81\x1c\xcf\x55\x01\x68\x02"
#define SM4          "\x06\x07\x2a\x81\x1c\xcf\x55\x01\x68"

/* Puts what `in` holds under a header, and empties it. */
static void
wrap(struct uk_buf *out, uint8_t tag, struct uk_buf *in)
{
	uk_buf_put_u8(out, tag);
	if (in->n < 0x80) {
		uk_buf_put_u8(out, (uint8_t)in->n);
	} else {
		uk_buf_put_u8(out, 0x82);
		uk_buf_put_u16(out, (uint16_t)in->n);
	}
	uk_buf_put(out, uk_buf_span(in));
	uk_buf_reset(in);
}
#define PUT(b, s) uk_buf_put(b, uk_span(s, sizeof(s) - 1))

static void
put_receiver(
    struct uk_span certificate, const struct sm2_form *f, const uint8_t cek[16], struct uk_buf *out)
{
	const unsigned char *p = certificate.p;
	X509 *x509 = d2i_X509(NULL, &p, (long)certificate.n);
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(x509);
	struct uk_cert *cert = NULL;
	struct uk_sm2_cipher c;
	struct uk_buf in, part;
	unsigned char *der = NULL, *serial = NULL;
	int n;

	uk_buf_init(&in, 4096);
	uk_buf_init(&part, 4096);
	if (f->by_id) {
		PUT(&in, "\x02\x01\x02");
		uk_buf_put(
		    &part, uk_span(ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski)));
		wrap(&in, 0x80, &part);
	} else {
		PUT(&in, "\x02\x01\x00");
		n = i2d_X509_NAME(X509_get_issuer_name(x509), &der);
		uk_buf_put(&part, uk_span(der, (size_t)n));
		OPENSSL_free(der);
		n = i2d_ASN1_INTEGER(X509_get_serialNumber(x509), &serial);
		uk_buf_put(&part, uk_span(serial, (size_t)n));
		OPENSSL_free(serial);
		wrap(&in, 0x30, &part);
	}
	if (f->bare)
		PUT(&in, SM2_CURVE);
	else
		PUT(&in, SM2_ENCRYPT);
	assert_int_equal(uk_cert_parse(certificate, &cert, NULL), UK_OK);
	assert_int_equal(uk_sm2_encrypt(uk_cert_pubkey(cert), uk_span(cek, 16), &c, NULL), UK_OK);
	uk_cert_free(&cert);
	X509_free(x509);
	assert_int_equal(uk_sm2_cipher_put(&c, &part), UK_OK);
	wrap(&in, 0x04, &part);
	wrap(out, 0x30, &in);
	uk_buf_fini(&in);
	uk_buf_fini(&part);
}

static void
put_content(
    const struct sm2_form *f, const char *content, const uint8_t cek[16], struct uk_buf *out)
{
	static const uint8_t iv[16] = "0123456789abcde";
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const size_t n = strlen(content);
	uint8_t *text = malloc(n + 16);
	struct uk_buf in, part;
	int a, b;

	uk_buf_init(&in, 4096);
	uk_buf_init(&part, 4096);
	if (f->gm)
		PUT(&in, GM_DATA);
	else
		PUT(&in, DATA);
	if (f->bare)
		PUT(&part, SM4);
	else
		PUT(&part, SM4_CBC);
	PUT(&part, "\x04\x10");
	uk_buf_put(&part, uk_span(iv, 16));
	wrap(&in, 0x30, &part);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_cbc(), NULL, cek, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, text, &a, (const uint8_t *)content, (int)n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, text + a, &b), 1);
	EVP_CIPHER_CTX_free(ctx);
	uk_buf_put(&part, uk_span(text, (size_t)(a + b)));
	free(text);
	wrap(&in, 0x80, &part);
	wrap(out, 0x30, &in);
	uk_buf_fini(&in);
	uk_buf_fini(&part);
}

void
sm2_envelope(
    struct uk_span certificate, const struct sm2_form *f, const char *content, struct uk_buf *out)
{
	static const uint8_t cek[16] = "fedcba987654321";
	struct uk_buf data, part, all;

	uk_buf_init(&data, 4096);
	uk_buf_init(&part, 4096);
	uk_buf_init(&all, 4096);
	PUT(&data, "\x02\x01\x00");
	/* a password's receiver, which is passed over */
	PUT(&part, "\xa3\x03\x02\x01\x00");
	put_receiver(certificate, f, cek, &part);
	wrap(&data, 0x31, &part);
	put_content(f, content, cek, &data);
	wrap(&part, 0x30, &data);
	if (f->gm)
		PUT(&all, GM_ENVELOPED);
	else
		PUT(&all, ENVELOPED);
	wrap(&all, 0xa0, &part);
	wrap(out, 0x30, &all);
	uk_buf_fini(&data);
	uk_buf_fini(&part);
	uk_buf_fini(&all);
}
