#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "pay/rsa2.h"
#include "uk/b64.h"

#define KEY_TEXT_MAX 8192

struct rsa2_key {
	EVP_PKEY *pkey;
};

/* PEM's frame lines and line ends dropped, what is left decoded. */
static enum uk_rc
key_der(const char *text, struct uk_buf *der)
{
	enum uk_rc rc = UK_E_INPUT;
	struct uk_buf b64;

	uk_buf_init(&b64, KEY_TEXT_MAX);
	while (*text != '\0') {
		const size_t n = strcspn(text, "\r\n");

		if (strncmp(text, "-----", 5) != 0)
			uk_buf_put(&b64, uk_span(text, n));
		text += n;
		text += strspn(text, "\r\n");
	}
	if (uk_buf_str(&b64) != NULL && b64.n > 0)
		rc = uk_b64_get(der, uk_buf_str(&b64));
	uk_buf_fini(&b64);
	return rc;
}

enum uk_rc
rsa2_key_new(const char *text, struct rsa2_key **out, struct uk_err *err)
{
	EVP_PKEY *pkey = NULL;
	const unsigned char *p;
	struct uk_buf der;

	uk_buf_init(&der, KEY_TEXT_MAX);
	if (key_der(text, &der) == UK_OK) {
		p = der.p;
		pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
	}
	uk_buf_fini(&der);
	ERR_clear_error();
	if (pkey == NULL || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA ||
	    EVP_PKEY_get_bits(pkey) < 2048) {
		EVP_PKEY_free(pkey);
		return uk_fail(err, UK_E_INPUT, "private-key-malformed", "rsa2", 0);
	}
	*out = uk_xalloc(sizeof(**out));
	(*out)->pkey = pkey;
	return UK_OK;
}

void
rsa2_key_free(struct rsa2_key **k)
{
	if (k == NULL || *k == NULL)
		return;
	EVP_PKEY_free((*k)->pkey);
	free(*k);
	*k = NULL;
}

enum uk_rc
rsa2_sign(const struct rsa2_key *k, struct uk_span data, struct uk_buf *out, struct uk_err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[1024];
	size_t n = sizeof(sig);
	enum uk_rc rc = UK_E_INTERNAL;

	if (ctx == NULL || EVP_PKEY_get_size(k->pkey) > (int)sizeof(sig) ||
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, data.p, data.n) != 1)
		goto out;
	uk_b64_put(out, uk_span(sig, n));
	rc = uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
out:
	EVP_MD_CTX_free(ctx);
	if (rc != UK_OK)
		(void)uk_fail(err, rc, NULL, "rsa2-sign", (long)ERR_get_error());
	ERR_clear_error();
	return rc;
}

enum uk_rc
rsa2_pubkey_new(const char *text, struct uk_pubkey **out, struct uk_err *err)
{
	struct uk_pubkey *k = NULL;
	struct uk_buf der;
	enum uk_rc rc;

	uk_buf_init(&der, KEY_TEXT_MAX);
	rc = key_der(text, &der);
	if (rc == UK_OK)
		rc = uk_pubkey_from_spki(uk_buf_span(&der), &k, NULL);
	uk_buf_fini(&der);
	if (rc != UK_OK || uk_pubkey_alg(k) == UK_KEY_UNKNOWN ||
	    uk_keyalg_is_ec(uk_pubkey_alg(k))) {
		uk_pubkey_free(&k);
		return uk_fail(err, UK_E_INPUT, "public-key-malformed", "rsa2", 0);
	}
	*out = k;
	return UK_OK;
}

enum uk_rc
rsa2_verify(
    const struct uk_pubkey *k, struct uk_span data, const char *signature, struct uk_err *err)
{
	struct uk_buf sig;
	enum uk_rc rc;

	uk_buf_init(&sig, uk_keyalg_sig_max(uk_pubkey_alg(k)));
	if (uk_b64_get(&sig, signature) != UK_OK)
		rc = uk_fail(err, UK_E_INTEGRITY, "signature-wrong", "rsa2-verify", 0);
	else
		rc = uk_verify(k, data, uk_buf_span(&sig), err);
	uk_buf_fini(&sig);
	return rc;
}

static bool
put_der(struct uk_buf *out, unsigned char *der, int n)
{
	if (n > 0)
		uk_b64_put(out, uk_span(der, (size_t)n));
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	return n > 0 && !uk_buf_failed(out);
}

enum uk_rc
rsa2_generate(struct uk_buf *private_key, struct uk_buf *public_key, struct uk_err *err)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	PKCS8_PRIV_KEY_INFO *p8 = pkey != NULL ? EVP_PKEY2PKCS8(pkey) : NULL;
	unsigned char *der = NULL;
	enum uk_rc rc = UK_E_INTERNAL;
	int n;

	if (p8 == NULL)
		goto out;
	n = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
	if (!put_der(private_key, der, n))
		goto out;
	der = NULL;
	n = i2d_PUBKEY(pkey, &der);
	if (!put_der(public_key, der, n))
		goto out;
	rc = UK_OK;
out:
	PKCS8_PRIV_KEY_INFO_free(p8);
	EVP_PKEY_free(pkey);
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, "rsa2-generate", 0);
}
