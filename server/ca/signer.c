#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "ca/der.h"
#include "ca/signer.h"
#include "uk/b64.h"
#include "uk/config.h"
#include "uk/sm2.h"

#define KEY_FILE_MAX  8192u
#define MASTER_MIN    32
#define PASSWORD_TEXT 64 /* hexadecimal of 32 derived bytes */
#define RSA_BITS      3072

struct signer {
	EVP_PKEY *key;
	const struct alg_row *row;
	EVP_MD_CTX *ready; /* initialised once: that costs more than a P-256 signature */
	struct uk_buf algorithm;
	size_t sig_max;
};

struct alg_row {
	const char *name;
	const char *type; /* OpenSSL's */
	const char *oid; /* of the signature: RFC 5758 section 3.2, RFC 4055 section 5, GM/T 0006 */
	bool null_parameter;
	const EVP_MD *(*md)(void);
	const char
	    *id; /* SM2's: OpenSSL's default is the empty one, by which nobody else verifies */
};

static const struct alg_row algs[] = {
	{ "p256", "EC", "1.2.840.10045.4.3.2", false, EVP_sha256, NULL },
	{ "rsa", "RSA", "1.2.840.113549.1.1.11", true, EVP_sha256, NULL },
	{ "sm2", "SM2", "1.2.156.10197.1.501", false, EVP_sm3, UK_SM2_ID },
};

static void
put_algorithm(const struct alg_row *row, struct uk_buf *out)
{
	const size_t at = der_begin(out, DER_SEQUENCE);

	der_put_oid(out, row->oid);
	if (row->null_parameter)
		der_put(out, DER_NULL, uk_span(NULL, 0));
	der_end(out, at);
}

static const struct alg_row *
row_of(EVP_PKEY *key)
{
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (EVP_PKEY_is_a(key, algs[i].type) == 1)
			return &algs[i];
	return NULL;
}

static bool
sign_init(EVP_MD_CTX *ctx, EVP_PKEY *key, const struct alg_row *row)
{
	EVP_PKEY_CTX *sign = NULL;

	if (EVP_DigestSignInit(ctx, &sign, row->md(), NULL, key) != 1)
		return false;
	return row->id == NULL || EVP_PKEY_CTX_set1_id(sign, row->id, (int)strlen(row->id)) == 1;
}

/* Takes key. */
static enum uk_rc
ready(EVP_PKEY *key, struct signer **out, struct uk_err *err)
{
	const struct alg_row *row = row_of(key);
	struct signer *s = uk_xalloc(sizeof(*s));
	enum uk_rc rc = UK_E_INTERNAL;

	uk_buf_init(&s->algorithm, 32);
	s->key = key;
	s->row = row;
	s->ready = EVP_MD_CTX_new();
	s->sig_max = (size_t)EVP_PKEY_get_size(key);
	if (row != NULL && s->ready != NULL && sign_init(s->ready, key, row)) {
		put_algorithm(row, &s->algorithm);
		rc = UK_OK;
	}
	if (rc != UK_OK)
		signer_free(&s);
	else
		*out = s;
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, "signer", 0);
}

enum uk_rc
signer_new(const char *algorithm, struct signer **out, struct uk_err *err)
{
	EVP_PKEY *key = NULL;

	if (strcmp(algorithm, "p256") == 0)
		key = EVP_EC_gen("P-256");
	else if (strcmp(algorithm, "rsa") == 0)
		key = EVP_RSA_gen(RSA_BITS);
	else if (strcmp(algorithm, "sm2") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	else
		return uk_fail_field(err, "algorithm", NULL);
	if (key == NULL)
		return uk_fail(err, UK_E_INTERNAL, NULL, "EVP_PKEY_Q_keygen", 0);
	return ready(key, out, err);
}

void
signer_free(struct signer **s)
{
	if (s == NULL || *s == NULL)
		return;
	EVP_MD_CTX_free((*s)->ready);
	EVP_PKEY_free((*s)->key);
	uk_buf_fini(&(*s)->algorithm);
	free(*s);
	*s = NULL;
}

/* HKDF (RFC 5869) with a label of its own, so that no other use of the master key gives the same.
 */
static enum uk_rc
derive(const struct uk_secret *master, struct uk_buf *password, struct uk_err *err)
{
	static char label[] = "ukey-ca authority key 1";
	static char digest[] = "SHA256";
	struct uk_span key = uk_secret_lend(master);
	OSSL_PARAM params[4];
	uint8_t out[PASSWORD_TEXT / 2];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	enum uk_rc rc = UK_E_INTERNAL;

	if (ctx == NULL || key.n < MASTER_MIN)
		goto out;
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[1] =
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key.p, key.n);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, label, strlen(label));
	params[3] = OSSL_PARAM_construct_end();
	if (EVP_KDF_derive(ctx, out, sizeof(out), params) != 1)
		goto out;
	uk_hex_put(password, uk_span(out, sizeof(out)));
	rc = uk_buf_failed(password) ? UK_E_INTERNAL : UK_OK;
out:
	OPENSSL_cleanse(out, sizeof(out));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, "master-key", (long)key.n);
}

enum uk_rc
signer_write(
    const struct signer *s, const char *path, const struct uk_secret *master, struct uk_err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct uk_buf password;
	enum uk_rc rc;
	char *text;
	long n;

	uk_buf_init(&password, PASSWORD_TEXT);
	rc = derive(master, &password, err);
	if (rc != UK_OK)
		goto out;
	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, s->key, EVP_aes_256_cbc(),
			       (const char *)password.p, (int)password.n, NULL, NULL) != 1) {
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "PEM_write_bio_PKCS8PrivateKey", 0);
		goto out;
	}
	n = BIO_get_mem_data(bio, &text);
	rc = uk_file_write(path, 0600, uk_span(text, (size_t)n), err);
out:
	BIO_free(bio);
	uk_buf_fini(&password);
	return rc;
}

/* Encrypted PKCS#8 only: a key in the clear in this place was not put there by us. */
static EVP_PKEY *
decrypt(struct uk_span text, struct uk_span password)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	X509_SIG *sealed = bio != NULL ? PEM_read_bio_PKCS8(bio, NULL, NULL, NULL) : NULL;
	PKCS8_PRIV_KEY_INFO *plain = NULL;
	EVP_PKEY *key = NULL;

	if (sealed != NULL)
		plain = PKCS8_decrypt(sealed, (const char *)password.p, (int)password.n);
	if (plain != NULL)
		key = EVP_PKCS82PKEY(plain);
	PKCS8_PRIV_KEY_INFO_free(plain);
	X509_SIG_free(sealed);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

enum uk_rc
signer_open(
    const char *path, const struct uk_secret *master, struct signer **out, struct uk_err *err)
{
	struct uk_buf text, password;
	EVP_PKEY *key = NULL;
	enum uk_rc rc;

	uk_buf_init(&text, KEY_FILE_MAX + 4096);
	uk_buf_init(&password, PASSWORD_TEXT);
	rc = uk_file_read(path, KEY_FILE_MAX, &text, err);
	if (rc == UK_OK)
		rc = derive(master, &password, err);
	if (rc != UK_OK)
		goto out;
	key = decrypt(uk_buf_span(&text), uk_buf_span(&password));
	rc = key != NULL ? ready(key, out, err)
			 : uk_fail(err, UK_E_INTEGRITY, "key-file-wrong", "signer", 0);
out:
	uk_buf_fini(&text);
	uk_buf_fini(&password);
	return rc;
}

enum uk_rc
signer_put_spki(const struct signer *s, struct uk_buf *out)
{
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(s->key, &der);

	if (n <= 0)
		return UK_E_INTERNAL;
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	return uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
}

const char *
signer_name(const struct signer *s)
{
	return s->row->name;
}

struct uk_span
signer_algorithm(const struct signer *s)
{
	return uk_buf_span(&s->algorithm);
}

static enum uk_rc
signature(const struct signer *s, struct uk_span tbs, struct uk_buf *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *room = uk_buf_room(out, s->sig_max);
	enum uk_rc rc = UK_E_INTERNAL;
	size_t n = s->sig_max;

	if (ctx != NULL && room != NULL && EVP_MD_CTX_copy_ex(ctx, s->ready) == 1 &&
	    EVP_DigestSign(ctx, room, &n, tbs.p, tbs.n) == 1) {
		uk_buf_add(out, n);
		rc = UK_OK;
	}
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return rc;
}

enum uk_rc
signer_sign(const struct signer *s, struct uk_span tbs, struct uk_buf *out, struct uk_err *err)
{
	struct uk_buf sig;
	enum uk_rc rc;
	size_t at;

	uk_buf_init(&sig, s->sig_max);
	rc = signature(s, tbs, &sig);
	if (rc != UK_OK) {
		rc = uk_fail(err, rc, NULL, "EVP_DigestSign", 0);
		goto out;
	}
	at = der_begin(out, DER_SEQUENCE);
	uk_buf_put(out, tbs);
	uk_buf_put(out, signer_algorithm(s));
	der_put_bits(out, uk_buf_span(&sig));
	der_end(out, at);
	if (uk_buf_failed(out))
		rc = uk_fail(err, UK_E_LIMIT, NULL, "signer", (long)tbs.n);
out:
	uk_buf_fini(&sig);
	return rc;
}
