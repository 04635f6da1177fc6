/* RSA of GM/T 0016-2012 section 7.6. */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "soft/rsa.h"
#include "soft/store.h"

#define KEK_LEN     16
#define WRAPPED_MAX 2048
#define PKCS1_MORE  11 /* bytes at least, of a padding of type 1 */

ULONG DEVAPI
SKF_GenRSAKeyPair(HCONTAINER hContainer, ULONG ulBitsLen, RSAPUBLICKEYBLOB *pBlob)
{
	struct uk_buf public, private;
	struct call c;
	ULONG rv;

	if (pBlob == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulBitsLen != 1024 && ulBitsLen != 2048)
		return SAR_RSAMODULUSLENERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = rsa_generate(ulBitsLen, &public, &private)
		 ? store_signing(&c, CONTAINER_RSA, uk_buf_span(&public), uk_buf_span(&private))
		 : SAR_GENRSAKEYERR;
	if (rv == SAR_OK)
		blob_rsa_public_put(uk_buf_span(&public), pBlob);
	uk_buf_fini(&public);
	uk_buf_fini(&private);
	return call_end(&c, rv);
}

static bool
sm4_ecb(const uint8_t kek[KEK_LEN], struct uk_span in, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	const bool ok = ctx != NULL &&
			EVP_DecryptInit_ex(ctx, EVP_sm4_ecb(), NULL, kek, NULL) == 1 &&
			EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
			EVP_DecryptUpdate(ctx, out, &n, in.p, (int)in.n) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* RSAPrivateKey knows its own length; a padding of less than a block may follow, or one of 16. */
static ULONG
import_private(struct call *c, struct uk_span der)
{
	struct uk_buf public;
	size_t used = 0;
	ULONG rv = SAR_INDATAERR;

	if (rsa_private_ok(der, &used, &public) && der.n - used <= 16)
		rv = store_encryption(c, uk_buf_span(&public), uk_span(der.p, used));
	uk_buf_fini(&public);
	return rv;
}

static ULONG
import_pair(struct call *c, struct uk_span wrapped, struct uk_span encrypted)
{
	uint8_t kek[RSA_LEN_MAX], der[WRAPPED_MAX];
	size_t len = sizeof(kek);
	struct key *k = NULL;
	ULONG rv = store_key(c, CONTAINER_RSA, USE_SIGN, &k);

	if (rv != SAR_OK)
		return rv;
	if (wrapped.n != (size_t)EVP_PKEY_get_size(k->pkey))
		rv = SAR_INDATALENERR;
	else if (!rsa_decrypt(k->pkey, RSA_PKCS1_PADDING, wrapped, kek, &len) || len != KEK_LEN)
		rv = SAR_RSADECERR;
	else if (!sm4_ecb(kek, encrypted, der))
		rv = SAR_FAIL;
	else
		rv = import_private(c, uk_span(der, encrypted.n));
	OPENSSL_cleanse(kek, sizeof(kek));
	OPENSSL_cleanse(der, sizeof(der));
	return rv;
}

ULONG DEVAPI
SKF_ImportRSAKeyPair(HCONTAINER hContainer, ULONG ulSymAlgId, BYTE *pbWrappedKey,
    ULONG ulWrappedKeyLen, BYTE *pbEncryptedData, ULONG ulEncryptedDataLen)
{
	struct call c;
	ULONG rv;

	if (pbWrappedKey == NULL || pbEncryptedData == NULL)
		return SAR_INVALIDPARAMERR;
	if ((rv = cipher_known(ulSymAlgId)) != SAR_OK)
		return rv;
	if (ulSymAlgId != SGD_SM4_ECB)
		return SAR_INVALIDPARAMERR; /* there is no place for an IV */
	if (ulEncryptedDataLen == 0 || ulEncryptedDataLen > WRAPPED_MAX ||
	    ulEncryptedDataLen % 16 != 0)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = import_pair(&c, uk_span(pbWrappedKey, ulWrappedKeyLen),
	    uk_span(pbEncryptedData, ulEncryptedDataLen));
	return call_end(&c, rv);
}

/* data as it is (a DigestInfo), with a padding of type 1. */
static ULONG
sign(struct key *k, struct uk_span data, BYTE *out, ULONG *n)
{
	size_t len = (size_t)EVP_PKEY_get_size(k->pkey);
	const ULONG room = *n;

	if (data.n > len - PKCS1_MORE)
		return SAR_INDATALENERR;
	*n = (ULONG)len;
	if (out == NULL || room < len)
		return out == NULL ? SAR_OK : SAR_BUFFER_TOO_SMALL;
	return EVP_PKEY_sign(k->sign, out, &len, data.p, data.n) == 1 ? SAR_OK : SAR_RSAENCERR;
}

ULONG DEVAPI
SKF_RSASignData(
    HCONTAINER hContainer, BYTE *pbData, ULONG ulDataLen, BYTE *pbSignature, ULONG *pulSignLen)
{
	struct key *k = NULL;
	struct call c;
	ULONG rv;

	if (pbData == NULL || pulSignLen == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulDataLen == 0)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER);
	if (rv != SAR_OK)
		return rv;
	rv = store_key(&c, CONTAINER_RSA, USE_SIGN, &k);
	if (rv == SAR_OK)
		rv = sign(k, uk_span(pbData, ulDataLen), pbSignature, pulSignLen);
	return call_end(&c, rv);
}

/* The key of a blob; NULL with *rv. */
static EVP_PKEY *
key_of(const RSAPUBLICKEYBLOB *b, ULONG *rv)
{
	EVP_PKEY *key = NULL;
	struct uk_buf public;

	uk_buf_init(&public, MAX_RSA_MODULUS_LEN + MAX_RSA_EXPONENT_LEN);
	*rv = blob_rsa_public_get(b, &public);
	if (*rv == SAR_OK) {
		key = rsa_public(uk_buf_span(&public));
		*rv = key != NULL ? SAR_OK : SAR_INDATAERR;
	}
	uk_buf_fini(&public);
	return key;
}

ULONG DEVAPI
SKF_RSAVerify(DEVHANDLE hDev, RSAPUBLICKEYBLOB *pRSAPubKeyBlob, BYTE *pbData, ULONG ulDataLen,
    BYTE *pbSignature, ULONG ulSignLen)
{
	EVP_PKEY *key;
	struct call c;
	ULONG rv;

	if (pRSAPubKeyBlob == NULL || pbData == NULL || pbSignature == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_MEMORY);
	if (rv != SAR_OK)
		return rv;
	key = key_of(pRSAPubKeyBlob, &rv);
	if (rv == SAR_OK && ulSignLen != (ULONG)EVP_PKEY_get_size(key))
		rv = SAR_INDATALENERR;
	if (rv == SAR_OK &&
	    !rsa_verify(key, uk_span(pbData, ulDataLen), uk_span(pbSignature, ulSignLen)))
		rv = SAR_FAIL;
	EVP_PKEY_free(key);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_ExtRSAPubKeyOperation(DEVHANDLE hDev, RSAPUBLICKEYBLOB *pRSAPubKeyBlob, BYTE *pbInput,
    ULONG ulInputLen, BYTE *pbOutput, ULONG *pulOutputLen)
{
	uint8_t out[RSA_LEN_MAX];
	size_t len = sizeof(out);
	EVP_PKEY *key;
	struct call c;
	ULONG rv;

	if (pRSAPubKeyBlob == NULL || pbInput == NULL || pulOutputLen == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_MEMORY);
	if (rv != SAR_OK)
		return rv;
	key = key_of(pRSAPubKeyBlob, &rv);
	if (rv == SAR_OK && ulInputLen != (ULONG)EVP_PKEY_get_size(key))
		rv = SAR_INDATALENERR;
	if (rv == SAR_OK &&
	    !rsa_encrypt(key, RSA_NO_PADDING, uk_span(pbInput, ulInputLen), out, &len))
		rv = SAR_RSAENCERR;
	if (rv == SAR_OK)
		rv = give(uk_span(out, len), pbOutput, pulOutputLen);
	EVP_PKEY_free(key);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_RSAPrvKeyDecrypt(HCONTAINER hContainer, BYTE *pbCipherText, ULONG ulCipherTextLen,
    BYTE *pbPlainText, ULONG *pulPlainTextLen)
{
	uint8_t plain[RSA_LEN_MAX];
	size_t len = sizeof(plain);
	struct key *k = NULL;
	struct call c;
	ULONG rv;

	if (pbCipherText == NULL || pulPlainTextLen == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER);
	if (rv != SAR_OK)
		return rv;
	rv = store_key(&c, CONTAINER_RSA, USE_ENCRYPT, &k);
	if (rv == SAR_OK && ulCipherTextLen != (ULONG)EVP_PKEY_get_size(k->pkey))
		rv = SAR_INDATALENERR;
	if (rv == SAR_OK && !rsa_decrypt(k->pkey, RSA_NO_PADDING,
				uk_span(pbCipherText, ulCipherTextLen), plain, &len))
		rv = SAR_RSADECERR;
	if (rv == SAR_OK)
		rv = give(uk_span(plain, len), pbPlainText, pulPlainTextLen);
	OPENSSL_cleanse(plain, sizeof(plain));
	return call_end(&c, rv);
}
