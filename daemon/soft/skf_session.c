/* Session keys between two parties: wrapped for a key pair, or agreed on (GB/T 32918.3). */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include "soft/limits.h"
#include "soft/rsa.h"
#include "soft/session.h"
#include "soft/store.h"

ULONG DEVAPI
SKF_ECCExportSessionKey(HCONTAINER hContainer, ULONG ulAlgId, ECCPUBLICKEYBLOB *pPubKey,
    ECCCIPHERBLOB *pData, HANDLE *phSessionKey)
{
	struct cipher *k = NULL;
	struct call c;
	ULONG rv;

	if (pPubKey == NULL || pData == NULL || phSessionKey == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, 0);
	if (rv != SAR_OK)
		return rv;
	rv = cipher_new(ulAlgId, NULL, &k);
	if (rv == SAR_OK)
		rv = store_encrypt(pPubKey, uk_span(cipher_key(k), BLOCK), pData);
	if (rv == SAR_OK)
		rv = session_new(&c, &k, phSessionKey);
	cipher_free(k);
	return call_end(&c, rv);
}

static ULONG
rsa_wrap(const struct cipher *k, EVP_PKEY *to, BYTE *out, ULONG *n)
{
	uint8_t wrapped[RSA_LEN_MAX];
	size_t len = sizeof(wrapped);

	if (!rsa_encrypt(to, RSA_PKCS1_PADDING, uk_span(cipher_key(k), BLOCK), wrapped, &len))
		return SAR_RSAENCERR;
	return give(uk_span(wrapped, len), out, n);
}

/* Asked for the length only, no key is made. */
static ULONG
rsa_export(struct call *c, ULONG id, EVP_PKEY *to, BYTE *out, ULONG *n, HANDLE *session)
{
	const ULONG size = (ULONG)EVP_PKEY_get_size(to);
	struct cipher *k = NULL;
	ULONG rv = cipher_known(id);

	if (rv == SAR_OK && (out == NULL || *n < size)) {
		*n = size;
		return out == NULL ? SAR_OK : SAR_BUFFER_TOO_SMALL;
	}
	if (rv == SAR_OK)
		rv = cipher_new(id, NULL, &k);
	if (rv == SAR_OK)
		rv = rsa_wrap(k, to, out, n);
	if (rv == SAR_OK)
		rv = session_new(c, &k, session);
	cipher_free(k);
	return rv;
}

ULONG DEVAPI
SKF_RSAExportSessionKey(HCONTAINER hContainer, ULONG ulAlgId, RSAPUBLICKEYBLOB *pPubKey,
    BYTE *pbData, ULONG *pulDataLen, HANDLE *phSessionKey)
{
	EVP_PKEY *to = NULL;
	struct uk_buf public;
	struct call c;
	ULONG rv;

	if (pPubKey == NULL || pulDataLen == NULL || phSessionKey == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, 0);
	if (rv != SAR_OK)
		return rv;
	uk_buf_init(&public, MAX_RSA_MODULUS_LEN + MAX_RSA_EXPONENT_LEN);
	rv = blob_rsa_public_get(pPubKey, &public);
	if (rv == SAR_OK) {
		to = rsa_public(uk_buf_span(&public));
		rv = to != NULL ? rsa_export(&c, ulAlgId, to, pbData, pulDataLen, phSessionKey)
				: SAR_INDATAERR;
	}
	EVP_PKEY_free(to);
	uk_buf_fini(&public);
	return call_end(&c, rv);
}

/* The key that was wrapped for the encryption pair. */
static ULONG
unwrap(struct call *c, BYTE *wrapped, ULONG n, uint8_t key[BLOCK])
{
	ECCCIPHERBLOB *blob = (ECCCIPHERBLOB *)(void *)wrapped;
	uint8_t plain[RSA_LEN_MAX];
	size_t len = sizeof(plain);
	struct key *k = NULL;
	ULONG rv = store_key(c, c->container->type, USE_ENCRYPT, &k);

	if (rv != SAR_OK)
		return rv;
	if (k->type == CONTAINER_ECC) {
		if (n < blob_cipher_size(BLOCK) || blob->CipherLen != BLOCK)
			return SAR_INDATALENERR;
		return store_decrypt(k, blob, key);
	}
	if (n != (ULONG)EVP_PKEY_get_size(k->pkey))
		return SAR_INDATALENERR;
	if (!rsa_decrypt(k->pkey, RSA_PKCS1_PADDING, uk_span(wrapped, n), plain, &len) ||
	    len != BLOCK)
		rv = SAR_RSADECERR;
	else
		memcpy(key, plain, BLOCK);
	OPENSSL_cleanse(plain, sizeof(plain));
	return rv;
}

ULONG DEVAPI
SKF_ImportSessionKey(
    HCONTAINER hContainer, ULONG ulAlgId, BYTE *pbWrapedData, ULONG ulWrapedLen, HANDLE *phKey)
{
	struct cipher *k = NULL;
	uint8_t key[BLOCK];
	struct call c;
	ULONG rv;

	if (pbWrapedData == NULL || phKey == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER);
	if (rv != SAR_OK)
		return rv;
	rv = cipher_known(ulAlgId);
	if (rv == SAR_OK)
		rv = unwrap(&c, pbWrapedData, ulWrapedLen, key);
	if (rv == SAR_OK)
		rv = cipher_new(ulAlgId, key, &k);
	if (rv == SAR_OK)
		rv = session_new(&c, &k, phKey);
	OPENSSL_cleanse(key, sizeof(key));
	return call_end(&c, rv);
}
