#include <string.h>

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "protocol/enveloped_open.h"
#include "token/message.h"

#define CEK_MAX   32
#define IV_LEN    16
#define TAG_MIN   12 /* RFC 5084 section 3.2 */
#define TAG_MAX   16
#define MALFORMED "envelope-malformed"

struct cipher_row {
	const char *oid;
	const EVP_CIPHER *(*cipher)(void);
	int key_len;
	bool aead;
};

static const struct cipher_row ciphers[] = {
	{ "2.16.840.1.101.3.4.1.2", EVP_aes_128_cbc, 16, false },
	{ "2.16.840.1.101.3.4.1.22", EVP_aes_192_cbc, 24, false },
	{ "2.16.840.1.101.3.4.1.42", EVP_aes_256_cbc, 32, false },
	{ "2.16.840.1.101.3.4.1.6", EVP_aes_128_gcm, 16, true },
	{ "2.16.840.1.101.3.4.1.26", EVP_aes_192_gcm, 24, true },
	{ "2.16.840.1.101.3.4.1.46", EVP_aes_256_gcm, 32, true },
	{ "1.2.156.10197.1.104.2", EVP_sm4_cbc, 16, false },
	/* the cipher without a mode, by GB/T 33560; with an IV it can only be CBC */
	{ "1.2.156.10197.1.104", EVP_sm4_cbc, 16, false },
};

struct wrap_row {
	int nid;
	const EVP_CIPHER *(*cipher)(void);
	int key_len;
};

static const struct wrap_row wraps[] = {
	{ NID_id_aes128_wrap, EVP_aes_128_wrap, 16 },
	{ NID_id_aes192_wrap, EVP_aes_192_wrap, 24 },
	{ NID_id_aes256_wrap, EVP_aes_256_wrap, 32 },
};

struct kdf_row {
	int nid;
	const char *digest;
};

static const struct kdf_row kdfs[] = {
	{ NID_dhSinglePass_stdDH_sha1kdf_scheme, "SHA1" },
	{ NID_dhSinglePass_stdDH_sha224kdf_scheme, "SHA224" },
	{ NID_dhSinglePass_stdDH_sha256kdf_scheme, "SHA256" },
	{ NID_dhSinglePass_stdDH_sha384kdf_scheme, "SHA384" },
	{ NID_dhSinglePass_stdDH_sha512kdf_scheme, "SHA512" },
};

/* --- the content's cipher --- */

static bool
keep_iv(struct enveloped *e, const ASN1_OCTET_STRING *iv)
{
	const size_t n = (size_t)ASN1_STRING_length(iv);

	if (n == 0 || n > sizeof(e->iv_bytes) || (!e->cipher->aead && n != IV_LEN))
		return false;
	memcpy(e->iv_bytes, ASN1_STRING_get0_data(iv), n);
	e->iv = uk_span(e->iv_bytes, n);
	return true;
}

static bool
read_gcm(struct enveloped *e, const ASN1_TYPE *params)
{
	ENV_GCM *gcm = (ENV_GCM *)ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(ENV_GCM), params);
	const int mac = ASN1_STRING_length(e->message->data->mac);
	const bool ok = gcm != NULL && keep_iv(e, gcm->nonce) && mac >= TAG_MIN && mac <= TAG_MAX &&
			mac == (gcm->tag_len != NULL ? ASN1_INTEGER_get(gcm->tag_len) : TAG_MIN);

	ASN1_item_free((ASN1_VALUE *)gcm, ASN1_ITEM_rptr(ENV_GCM));
	return ok;
}

enum uk_rc
enveloped_cipher_read(struct enveloped *e, bool aead, struct uk_err *err)
{
	const X509_ALGOR *a = e->message->data->content->cipher;
	char oid[ENVELOPED_TYPE_MAX] = "";
	bool ok;

	(void)OBJ_obj2txt(oid, sizeof(oid), a->algorithm, 1);
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (strcmp(ciphers[i].oid, oid) == 0)
			e->cipher = &ciphers[i];
	if (e->cipher == NULL || e->cipher->aead != aead)
		return uk_fail(err, UK_E_UNSUPPORTED, "algorithm-unsupported", "cipher", 0);
	if (aead)
		ok = a->parameter != NULL && read_gcm(e, a->parameter);
	else
		ok = a->parameter != NULL && a->parameter->type == V_ASN1_OCTET_STRING &&
		     keep_iv(e, a->parameter->value.octet_string);
	return ok ? UK_OK : uk_fail(err, UK_E_INPUT, MALFORMED, "cipher", 0);
}

bool
enveloped_is_sm4(const struct enveloped *e)
{
	const int n = ASN1_STRING_length(e->message->data->content->octets);

	return e->cipher->cipher == EVP_sm4_cbc && n > 0 && n % IV_LEN == 0 &&
	       (unsigned)n <= MESSAGE_TEXT_MAX;
}

/* --- key agreement --- */

static const struct kdf_row *
find_kdf(const X509_ALGOR *a)
{
	for (size_t i = 0; i < sizeof(kdfs) / sizeof(kdfs[0]); i++)
		if (kdfs[i].nid == OBJ_obj2nid(a->algorithm))
			return &kdfs[i];
	return NULL;
}

/* The parameter of the agreement is the wrap's identifier. */
static X509_ALGOR *
read_wrap(const X509_ALGOR *a, const struct wrap_row **row)
{
	X509_ALGOR *w = a->parameter != NULL
			    ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), a->parameter)
			    : NULL;

	*row = NULL;
	for (size_t i = 0; w != NULL && i < sizeof(wraps) / sizeof(wraps[0]); i++)
		if (wraps[i].nid == OBJ_obj2nid(w->algorithm))
			*row = &wraps[i];
	if (*row != NULL)
		return w;
	X509_ALGOR_free(w);
	return NULL;
}

bool
enveloped_wrap_known(const X509_ALGOR *a)
{
	const struct wrap_row *row;

	X509_ALGOR_free(read_wrap(a, &row));
	return row != NULL && find_kdf(a) != NULL;
}

/* RFC 5753 section 7.2, ANSI X9.63. */
static bool
derive(const ENV_AGREEMENT *a, X509_ALGOR *wrap, int key_len, struct uk_span secret, uint8_t *out)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_X963KDF, NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	unsigned char *info = NULL;
	const int n = CMS_SharedInfo_encode(&info, wrap, a->ukm, key_len);
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(
		    OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)find_kdf(a->algorithm)->digest, 0),
		OSSL_PARAM_octet_string(
		    OSSL_KDF_PARAM_KEY, (uint8_t *)(uintptr_t)secret.p, secret.n),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info, (size_t)(n > 0 ? n : 0)),
		OSSL_PARAM_END,
	};
	const bool ok =
	    ctx != NULL && n > 0 && EVP_KDF_derive(ctx, out, (size_t)key_len, params) == 1;

	OPENSSL_free(info);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

static size_t
unwrap(const struct wrap_row *row, const uint8_t *kek, const ASN1_OCTET_STRING *key, uint8_t *cek)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const int n = ASN1_STRING_length(key);
	int got = 0;
	bool ok = ctx != NULL && n <= CEK_MAX + 8;

	if (ok)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = ok && EVP_DecryptInit_ex(ctx, row->cipher(), NULL, kek, NULL) == 1 &&
	     EVP_DecryptUpdate(ctx, cek, &got, ASN1_STRING_get0_data(key), n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok && got > 0 ? (size_t)got : 0;
}

/* The content's key; what the token gave is the secret that both sides have. */
static size_t
agree(const struct enveloped *e, struct uk_span secret, uint8_t *cek)
{
	const struct wrap_row *row;
	X509_ALGOR *wrap = read_wrap(e->agreement->algorithm, &row);
	uint8_t kek[CEK_MAX];
	size_t n = 0;

	if (wrap != NULL && derive(e->agreement, wrap, row->key_len, secret, kek))
		n = unwrap(row, kek, e->agreed->key, cek);
	OPENSSL_cleanse(kek, sizeof(kek));
	X509_ALGOR_free(wrap);
	return n;
}

/* --- the content --- */

/* RFC 5083 section 2.2: the attributes as a SET OF, not as the [1] of the message. */
static bool
authenticate(EVP_CIPHER_CTX *ctx, const ENV_DATA *d)
{
	uint8_t tag[TAG_MAX];
	unsigned char *der = NULL;
	int n, out;
	bool ok = true;

	if (d->attributes != NULL) {
		n = ASN1_item_i2d(
		    (ASN1_VALUE *)d->attributes, &der, ASN1_ITEM_rptr(PKCS7_ATTR_SIGN));
		ok = n > 0 && EVP_DecryptUpdate(ctx, NULL, &out, der, n) == 1;
		OPENSSL_free(der);
	}
	n = ASN1_STRING_length(d->mac);
	memcpy(tag, ASN1_STRING_get0_data(d->mac), (size_t)n);
	return ok && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, n, tag) == 1;
}

static bool
begin(EVP_CIPHER_CTX *ctx, const struct enveloped *e, const uint8_t *cek)
{
	if (EVP_DecryptInit_ex(ctx, e->cipher->cipher(), NULL, NULL, NULL) != 1 ||
	    (e->cipher->aead &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)e->iv.n, NULL) != 1))
		return false;
	return EVP_DecryptInit_ex(ctx, NULL, NULL, cek, e->iv.p) == 1;
}

static bool
decrypt(const struct enveloped *e, const uint8_t *cek, struct uk_buf *out)
{
	const ASN1_OCTET_STRING *c = e->message->data->content->octets;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const int n = ASN1_STRING_length(c);
	uint8_t *to = uk_buf_room(out, (size_t)n + EVP_MAX_BLOCK_LENGTH);
	int a = 0, b = 0;
	const bool ok = ctx != NULL && to != NULL && begin(ctx, e, cek) &&
			(!e->cipher->aead || authenticate(ctx, e->message->data)) &&
			EVP_DecryptUpdate(ctx, to, &a, ASN1_STRING_get0_data(c), n) == 1 &&
			EVP_DecryptFinal_ex(ctx, to + a, &b) == 1;

	EVP_CIPHER_CTX_free(ctx);
	if (ok)
		uk_buf_add(out, (size_t)(a + b));
	else if (to != NULL)
		OPENSSL_cleanse(to, (size_t)n);
	return ok;
}

/* By the key that the token gave, or that the token used itself. */
static bool
open_content(const struct enveloped *e, const struct uk_span *from_token,
    const struct uk_random *random, struct uk_buf *out)
{
	uint8_t made_up[CEK_MAX], cek[CEK_MAX + 8];
	size_t n = 0;
	bool ok;

	if (e->scheme == TOKEN_SM2_SM4_CBC) {
		if (from_token != NULL)
			uk_buf_put(out, *from_token);
		return from_token != NULL && !uk_buf_failed(out);
	}
	random->bytes(random->ctx, made_up, sizeof(made_up));
	if (from_token != NULL && e->scheme == TOKEN_ECDH) {
		n = agree(e, *from_token, cek);
	} else if (from_token != NULL && from_token->n <= CEK_MAX) {
		memcpy(cek, from_token->p, from_token->n);
		n = from_token->n;
	}
	ok = n == (size_t)e->cipher->key_len;
	if (!ok && e->scheme == TOKEN_RSA_PKCS1) {
		memcpy(cek, made_up, sizeof(made_up));
		ok = true;
	}
	ok = ok && decrypt(e, cek, out);
	OPENSSL_cleanse(cek, sizeof(cek));
	return ok;
}

enum uk_rc
enveloped_open(const struct enveloped *e, const struct uk_span *from_token,
    const struct uk_random *random, struct uk_buf *out, char type[ENVELOPED_TYPE_MAX],
    struct uk_err *err)
{
	const bool ok = open_content(e, from_token, random, out);

	ERR_clear_error();
	if (!ok)
		return uk_fail(err, UK_E_INTEGRITY, "envelope-broken", "decrypt", 0);
	if (OBJ_obj2txt(type, ENVELOPED_TYPE_MAX, e->message->data->content->type, 1) >=
	    ENVELOPED_TYPE_MAX)
		return uk_fail(err, UK_E_INPUT, MALFORMED, "type", 0);
	return UK_OK;
}
