/* SM2 of GM/T 0016-2012 section 7.6: key pairs, signatures, encryption to a public key. */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "soft/blob.h"
#include "soft/call.h"
#include "soft/limits.h"
#include "soft/store.h"

#define KEK_LEN 16

ULONG DEVAPI
SKF_GenECCKeyPair(HCONTAINER hContainer, ULONG ulAlgId, ECCPUBLICKEYBLOB *pBlob)
{
	uint8_t d[SM2_LEN], xy[SM2_XY_LEN];
	struct call c;
	ULONG rv;

	/* The second is SGD_SM2_1 in GB/T 33560. */
	if (pBlob == NULL || (ulAlgId != SGD_SM2_1 && ulAlgId != SGD_SM2_2))
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = sm2_generate(d, xy)
		 ? store_signing(&c, CONTAINER_ECC, uk_span(xy, sizeof(xy)), uk_span(d, sizeof(d)))
		 : SAR_FAIL;
	OPENSSL_cleanse(d, sizeof(d));
	if (rv == SAR_OK)
		blob_sm2_public_put(xy, pBlob);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_ECCSignData(HCONTAINER hContainer, BYTE *pbData, ULONG ulDataLen, ECCSIGNATUREBLOB *pSignature)
{
	uint8_t rs[SM2_XY_LEN];
	struct key *k = NULL;
	struct call c;
	ULONG rv;

	if (pbData == NULL || pSignature == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulDataLen != SM2_LEN)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER);
	if (rv != SAR_OK)
		return rv;
	rv = store_key(&c, CONTAINER_ECC, USE_SIGN, &k);
	if (rv == SAR_OK && !sm2_sign(k->sign, pbData, rs))
		rv = SAR_FAIL;
	rv = call_end(&c, rv);
	if (rv == SAR_OK)
		blob_sm2_signature_put(rs, pSignature);
	return rv;
}

static ULONG
verify(const ECCPUBLICKEYBLOB *key, const BYTE *e, ULONG n, const ECCSIGNATUREBLOB *signature)
{
	uint8_t xy[SM2_XY_LEN], rs[SM2_XY_LEN];

	if (n != SM2_LEN)
		return SAR_INDATALENERR;
	if (!blob_sm2_public_get(key, xy) || !sm2_public_ok(xy))
		return SAR_INDATAERR;
	return blob_sm2_signature_get(signature, rs) && sm2_verify(xy, e, rs) ? SAR_OK : SAR_FAIL;
}

static ULONG
call_verify(const char *function, DEVHANDLE h, const ECCPUBLICKEYBLOB *key, const BYTE *e, ULONG n,
    const ECCSIGNATUREBLOB *signature)
{
	struct call c;
	ULONG rv;

	if (key == NULL || e == NULL || signature == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, function, h, KIND_DEVICE, CALL_MEMORY);
	return rv == SAR_OK ? call_end(&c, verify(key, e, n, signature)) : rv;
}

ULONG DEVAPI
SKF_ECCVerify(DEVHANDLE hDev, ECCPUBLICKEYBLOB *pECCPubKeyBlob, BYTE *pbData, ULONG ulDataLen,
    ECCSIGNATUREBLOB *pSignature)
{
	return call_verify(__func__, hDev, pECCPubKeyBlob, pbData, ulDataLen, pSignature);
}

ULONG DEVAPI
SKF_ExtECCVerify(DEVHANDLE hDev, ECCPUBLICKEYBLOB *pECCPubKeyBlob, BYTE *pbData, ULONG ulDataLen,
    ECCSIGNATUREBLOB *pSignature)
{
	return call_verify(__func__, hDev, pECCPubKeyBlob, pbData, ulDataLen, pSignature);
}

ULONG DEVAPI
SKF_ExtECCEncrypt(DEVHANDLE hDev, ECCPUBLICKEYBLOB *pECCPubKeyBlob, BYTE *pbPlainText,
    ULONG ulPlainTextLen, ECCCIPHERBLOB *pCipherText)
{
	struct call c;
	ULONG rv;

	if (pECCPubKeyBlob == NULL || pbPlainText == NULL || pCipherText == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulPlainTextLen == 0 || ulPlainTextLen > ECC_BUFFER_MAX)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_MEMORY);
	if (rv != SAR_OK)
		return rv;
	rv = store_encrypt(pECCPubKeyBlob, uk_span(pbPlainText, ulPlainTextLen), pCipherText);
	return call_end(&c, rv);
}

/* SM4-ECB without padding. */
static bool
unwrap(const uint8_t kek[KEK_LEN], const uint8_t in[64], uint8_t out[64])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	const bool ok = ctx != NULL &&
			EVP_DecryptInit_ex(ctx, EVP_sm4_ecb(), NULL, kek, NULL) == 1 &&
			EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
			EVP_DecryptUpdate(ctx, out, &n, in, 64) == 1 && n == 64;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/*
 * The standard does not say where in its field the encrypted key stands, so the public key decides:
 * at the right (alone, or of a whole field that was encrypted), else at the left.
 */
static ULONG
open_envelope(const ENVELOPEDKEYBLOB *e, const uint8_t kek[KEK_LEN], const uint8_t xy[SM2_XY_LEN],
    uint8_t d[SM2_LEN])
{
	uint8_t field[64];
	ULONG rv = SAR_INDATAERR;

	if (!unwrap(kek, e->cbEncryptedPriKey, field)) {
		rv = SAR_FAIL;
	} else if (sm2_matches(field + SM2_LEN, xy)) {
		memcpy(d, field + SM2_LEN, SM2_LEN);
		rv = SAR_OK;
	} else if (sm2_matches(field, xy)) {
		memcpy(d, field, SM2_LEN);
		rv = SAR_OK;
	}
	OPENSSL_cleanse(field, sizeof(field));
	return rv;
}

static ULONG
import_envelope(struct call *c, ENVELOPEDKEYBLOB *e)
{
	uint8_t xy[SM2_XY_LEN], kek[KEK_LEN], d[SM2_LEN];
	struct key *k = NULL;
	ULONG rv;

	if (!blob_sm2_public_get(&e->PubKey, xy) || !sm2_public_ok(xy))
		return SAR_INDATAERR;
	rv = store_key(c, CONTAINER_ECC, USE_SIGN, &k);
	if (rv == SAR_OK)
		rv = store_decrypt(k, &e->ECCCipherBlob, kek);
	if (rv == SAR_OK)
		rv = open_envelope(e, kek, xy, d);
	if (rv == SAR_OK)
		rv = store_encryption(c, uk_span(xy, sizeof(xy)), uk_span(d, sizeof(d)));
	OPENSSL_cleanse(kek, sizeof(kek));
	OPENSSL_cleanse(d, sizeof(d));
	return rv;
}

ULONG DEVAPI
SKF_ImportECCKeyPair(HCONTAINER hContainer, ENVELOPEDKEYBLOB *pEnvelopedKeyBlob)
{
	const ENVELOPEDKEYBLOB *e = pEnvelopedKeyBlob;
	struct call c;
	ULONG rv;

	if (e == NULL || e->Version != 1)
		return SAR_INVALIDPARAMERR;
	rv = cipher_known(e->ulSymmAlgID);
	if (rv == SAR_OK && e->ulSymmAlgID != SGD_SM4_ECB)
		rv = SAR_INVALIDPARAMERR;
	if (rv != SAR_OK)
		return rv;
	if (e->ulBits != 256 || e->ECCCipherBlob.CipherLen != KEK_LEN)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER | CALL_WRITE);
	return rv == SAR_OK ? call_end(&c, import_envelope(&c, pEnvelopedKeyBlob)) : rv;
}

ULONG DEVAPI
SKF_ECCPrvKeyDecrypt(
    HCONTAINER hContainer, ECCCIPHERBLOB *pCipherText, BYTE *pbPlainText, ULONG *pulPlainTextLen)
{
	struct key *k = NULL;
	struct uk_buf plain;
	struct call c;
	ULONG rv;

	if (pCipherText == NULL || pulPlainTextLen == NULL)
		return SAR_INVALIDPARAMERR;
	if (pCipherText->CipherLen == 0 || pCipherText->CipherLen > ECC_BUFFER_MAX)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER);
	if (rv != SAR_OK)
		return rv;
	uk_buf_init(&plain, ECC_BUFFER_MAX);
	rv = store_key(&c, CONTAINER_ECC, USE_ENCRYPT, &k);
	if (rv == SAR_OK && uk_buf_room(&plain, pCipherText->CipherLen) == NULL)
		rv = SAR_MEMORYERR;
	if (rv == SAR_OK)
		rv = store_decrypt(k, pCipherText, plain.p);
	if (rv == SAR_OK)
		rv = give(uk_span(plain.p, pCipherText->CipherLen), pbPlainText, pulPlainTextLen);
	uk_buf_fini(&plain);
	return call_end(&c, rv);
}
