#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "sm2_cipher.h"

#define KEK           16
#define PRIVATE       32
#define FIELD         64
#define BLOB_HEAD     (3 * 4 + FIELD)
#define BLOB_KEY      (4 + 2 * FIELD)
#define BLOB_VERSION  1
#define BLOB_SM4_ECB  0x401 /* SGD_SM4_ECB, GM/T 0006 */
#define BLOB_BITS     256
#define ENVELOPED_MAX 512
#define MALFORMED     "envelope-malformed"

typedef struct sm2_enveloped_st {
	X509_ALGOR *cipher;
	SM2_CIPHER *kek;
	ASN1_BIT_STRING *public;
	ASN1_BIT_STRING *private;
} SM2_ENVELOPED;

ASN1_SEQUENCE(SM2_ENVELOPED) = {
	ASN1_SIMPLE(SM2_ENVELOPED, cipher, X509_ALGOR),
	ASN1_SIMPLE(SM2_ENVELOPED, kek, SM2_CIPHER),
	ASN1_SIMPLE(SM2_ENVELOPED, public, ASN1_BIT_STRING),
	ASN1_SIMPLE(SM2_ENVELOPED, private, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(SM2_ENVELOPED)

static bool
sm4_ecb(const uint8_t kek[KEK], struct uk_span in, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	const bool ok = ctx != NULL &&
			EVP_EncryptInit_ex(ctx, EVP_sm4_ecb(), NULL, kek, NULL) == 1 &&
			EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
			EVP_EncryptUpdate(ctx, out, &n, in.p, (int)in.n) == 1 && n == (int)in.n;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

enum uk_rc
uk_sm2_envelope(const struct uk_pubkey *receiver, const struct uk_pubkey *pair,
    const struct uk_secret *private, const struct uk_random *random, struct uk_sm2_enveloped *out,
    struct uk_err *err)
{
	const struct uk_span d = uk_secret_lend(private);
	uint8_t kek[KEK];
	enum uk_rc rc;

	if (d.n != PRIVATE)
		return uk_fail(err, UK_E_INPUT, "private-key-malformed", "sm2", (long)d.n);
	random->bytes(random->ctx, kek, sizeof(kek));
	rc = uk_sm2_encrypt(receiver, uk_span(kek, sizeof(kek)), &out->kek, err);
	if (rc == UK_OK && (rc = uk_sm2_point(pair, out->point)) != UK_OK)
		rc = uk_fail(err, rc, "algorithm-unsupported", "sm2", 0);
	if (rc == UK_OK && !sm4_ecb(kek, d, out->private))
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "EVP_sm4_ecb", 0);
	OPENSSL_cleanse(kek, sizeof(kek));
	return rc;
}

/* --- DER --- */

static bool
set_bits(ASN1_BIT_STRING *bits, const uint8_t *p, size_t n)
{
	bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	return ASN1_STRING_set(bits, p, (int)n) == 1;
}

static bool
whole_bytes(const ASN1_BIT_STRING *bits, size_t n)
{
	return ASN1_STRING_length(bits) == (int)n && (bits->flags & 0x07) == 0;
}

static bool
fill(SM2_ENVELOPED *a, const struct uk_sm2_enveloped *e)
{
	uint8_t point[1 + UK_SM2_POINT] = { 0x04 };

	memcpy(point + 1, e->point, UK_SM2_POINT);
	return X509_ALGOR_set0(a->cipher, OBJ_nid2obj(NID_sm4_ecb), V_ASN1_UNDEF, NULL) == 1 &&
	       sm2_cipher_fill(a->kek, &e->kek) && set_bits(a->public, point, sizeof(point)) &&
	       set_bits(a->private, e->private, sizeof(e->private));
}

enum uk_rc
uk_sm2_enveloped_put(const struct uk_sm2_enveloped *e, struct uk_buf *out)
{
	ASN1_VALUE *a = ASN1_item_new(ASN1_ITEM_rptr(SM2_ENVELOPED));
	unsigned char *der = NULL;
	int n = 0;

	if (a != NULL && fill((SM2_ENVELOPED *)a, e))
		n = ASN1_item_i2d(a, &der, ASN1_ITEM_rptr(SM2_ENVELOPED));
	if (n > 0)
		uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	ASN1_item_free(a, ASN1_ITEM_rptr(SM2_ENVELOPED));
	if (n <= 0)
		return UK_E_INTERNAL;
	return uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
}

/* sm4, which is the cipher and no mode, is all that GB/T 33560 lists; others write sm4-ecb. */
static bool
is_sm4_ecb(const X509_ALGOR *a)
{
	const ASN1_OBJECT *oid = NULL;
	char name[64] = "";
	int type = V_ASN1_UNDEF;

	X509_ALGOR_get0(&oid, &type, NULL, a);
	if (type != V_ASN1_UNDEF && type != V_ASN1_NULL)
		return false;
	(void)OBJ_obj2txt(name, sizeof(name), oid, 1);
	return strcmp(name, "1.2.156.10197.1.104") == 0 ||
	       strcmp(name, "1.2.156.10197.1.104.1") == 0;
}

static bool
read(const SM2_ENVELOPED *a, struct uk_sm2_enveloped *e)
{
	const unsigned char *point = ASN1_STRING_get0_data(a->public);

	if (!sm2_cipher_read(a->kek, &e->kek) || e->kek.n != KEK ||
	    !whole_bytes(a->public, 1 + UK_SM2_POINT) || point[0] != 0x04 ||
	    !whole_bytes(a->private, PRIVATE))
		return false;
	memcpy(e->point, point + 1, UK_SM2_POINT);
	memcpy(e->private, ASN1_STRING_get0_data(a->private), PRIVATE);
	return true;
}

enum uk_rc
uk_sm2_enveloped_get(struct uk_span der, struct uk_sm2_enveloped *out, struct uk_err *err)
{
	const unsigned char *p = der.p;
	enum uk_rc rc = UK_E_INPUT;
	const SM2_ENVELOPED *a;
	ASN1_VALUE *v = NULL;

	if (der.n <= ENVELOPED_MAX)
		v = ASN1_item_d2i(NULL, &p, (long)der.n, ASN1_ITEM_rptr(SM2_ENVELOPED));
	a = (const SM2_ENVELOPED *)v;
	if (a != NULL && p == der.p + der.n && read(a, out))
		rc = is_sm4_ecb(a->cipher) ? UK_OK : UK_E_UNSUPPORTED;
	ASN1_item_free(v, ASN1_ITEM_rptr(SM2_ENVELOPED));
	ERR_clear_error();
	if (rc == UK_OK)
		return UK_OK;
	return uk_fail(err, rc, rc == UK_E_INPUT ? MALFORMED : "algorithm-unsupported", "sm2", 0);
}

/* --- the blob --- */

static void
put_host(struct uk_buf *out, uint32_t v)
{
	uk_buf_put(out, uk_span(&v, sizeof(v)));
}

static uint32_t
get_host(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

void
uk_sm2_enveloped_put_blob(
    const struct uk_sm2_enveloped *e, enum uk_sm2_field field, struct uk_buf *out)
{
	static const uint8_t zero[FIELD - PRIVATE];

	put_host(out, BLOB_VERSION);
	put_host(out, BLOB_SM4_ECB);
	put_host(out, BLOB_BITS);
	if (field == UK_SM2_FIELD_LEFT) {
		uk_buf_put(out, uk_span(e->private, PRIVATE));
		uk_buf_put(out, uk_span(zero, sizeof(zero)));
	} else {
		sm2_put_number(out, e->private);
	}
	put_host(out, BLOB_BITS);
	sm2_put_number(out, e->point);
	sm2_put_number(out, e->point + UK_SM2_POINT / 2);
	uk_sm2_cipher_put_blob(&e->kek, out);
}

static void
get_private(const uint8_t field[FIELD], uint8_t out[PRIVATE])
{
	static const uint8_t zero[PRIVATE];
	const bool left = memcmp(field + PRIVATE, zero, PRIVATE) == 0;

	memcpy(out, left ? field : field + PRIVATE, PRIVATE);
}

enum uk_rc
uk_sm2_enveloped_get_blob(struct uk_span blob, struct uk_sm2_enveloped *out, struct uk_err *err)
{
	const uint8_t *key = blob.p + BLOB_HEAD;
	enum uk_rc rc;

	if (blob.n < UK_SM2_ENVELOPED_BLOB || get_host(blob.p) != BLOB_VERSION ||
	    get_host(blob.p + 8) != BLOB_BITS || get_host(key) != BLOB_BITS ||
	    !sm2_get_number(key + 4, out->point) ||
	    !sm2_get_number(key + 4 + FIELD, out->point + UK_SM2_POINT / 2))
		return uk_fail(err, UK_E_INPUT, MALFORMED, "sm2", (long)blob.n);
	if (get_host(blob.p + 4) != BLOB_SM4_ECB)
		return uk_fail(err, UK_E_UNSUPPORTED, "algorithm-unsupported", "sm2", 0);
	rc = uk_sm2_cipher_get_blob(
	    uk_span(key + BLOB_KEY, blob.n - BLOB_HEAD - BLOB_KEY), &out->kek, err);
	if (rc == UK_OK && out->kek.n != KEK)
		rc = uk_fail(err, UK_E_INPUT, MALFORMED, "sm2", 0);
	if (rc == UK_OK)
		get_private(blob.p + 12, out->private);
	return rc;
}
