/* Session keys and ciphers of GM/T 0016-2012 section 7.6. */
#include <stdlib.h>
#include <string.h>

#include "soft/session.h"

ULONG
session_new(struct call *c, struct cipher **k, HANDLE *out)
{
	struct object *o;
	const ULONG rv = call_new(c, KIND_KEY, c->o->connection, &o);

	if (rv == SAR_OK) {
		o->data = *k;
		o->free_data = cipher_free;
		*out = object_handle(o);
	} else {
		cipher_free(*k);
	}
	*k = NULL;
	return rv;
}

struct cipher *
session_get(const struct call *c)
{
	return c->o->data;
}

ULONG DEVAPI
SKF_SetSymmKey(DEVHANDLE hDev, BYTE *pbKey, ULONG ulAlgID, HANDLE *phKey)
{
	struct cipher *k = NULL;
	struct call c;
	ULONG rv;

	if (pbKey == NULL || phKey == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_MEMORY);
	if (rv != SAR_OK)
		return rv;
	rv = cipher_new(ulAlgID, pbKey, &k);
	if (rv == SAR_OK)
		rv = session_new(&c, &k, phKey);
	return call_end(&c, rv);
}

static ULONG
init(const char *function, HANDLE h, bool encrypt, const BLOCKCIPHERPARAM *p)
{
	struct call c;
	const ULONG rv = call_begin(&c, function, h, KIND_KEY, CALL_MEMORY);

	return rv == SAR_OK ? call_end(&c, cipher_init(session_get(&c), encrypt, p)) : rv;
}

ULONG DEVAPI
SKF_EncryptInit(HANDLE hKey, BLOCKCIPHERPARAM EncryptParam)
{
	return init(__func__, hKey, true, &EncryptParam);
}

ULONG DEVAPI
SKF_DecryptInit(HANDLE hKey, BLOCKCIPHERPARAM DecryptParam)
{
	return init(__func__, hKey, false, &DecryptParam);
}

typedef ULONG step_fn(struct cipher *c, bool encrypt, struct uk_span in, uint8_t *out, ULONG *n);

static ULONG
step(const char *function, HANDLE h, bool encrypt, step_fn *what, struct uk_span in, BYTE *out,
    ULONG *n)
{
	struct call c;
	ULONG rv;

	if (in.p == NULL || n == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, function, h, KIND_KEY, CALL_MEMORY);
	return rv == SAR_OK ? call_end(&c, what(session_get(&c), encrypt, in, out, n)) : rv;
}

static ULONG
finish(const char *function, HANDLE h, bool encrypt, BYTE *out, ULONG *n)
{
	struct call c;
	ULONG rv;

	if (n == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, function, h, KIND_KEY, CALL_MEMORY);
	return rv == SAR_OK ? call_end(&c, cipher_final(session_get(&c), encrypt, out, n)) : rv;
}

ULONG DEVAPI
SKF_Encrypt(
    HANDLE hKey, BYTE *pbData, ULONG ulDataLen, BYTE *pbEncryptedData, ULONG *pulEncryptedLen)
{
	return step(__func__, hKey, true, cipher_once, uk_span(pbData, ulDataLen), pbEncryptedData,
	    pulEncryptedLen);
}

ULONG DEVAPI
SKF_EncryptUpdate(
    HANDLE hKey, BYTE *pbData, ULONG ulDataLen, BYTE *pbEncryptedData, ULONG *pulEncryptedLen)
{
	return step(__func__, hKey, true, cipher_update, uk_span(pbData, ulDataLen),
	    pbEncryptedData, pulEncryptedLen);
}

ULONG DEVAPI
SKF_EncryptFinal(HANDLE hKey, BYTE *pbEncryptedData, ULONG *pulEncryptedDataLen)
{
	return finish(__func__, hKey, true, pbEncryptedData, pulEncryptedDataLen);
}

ULONG DEVAPI
SKF_Decrypt(
    HANDLE hKey, BYTE *pbEncryptedData, ULONG ulEncryptedLen, BYTE *pbData, ULONG *pulDataLen)
{
	return step(__func__, hKey, false, cipher_once, uk_span(pbEncryptedData, ulEncryptedLen),
	    pbData, pulDataLen);
}

ULONG DEVAPI
SKF_DecryptUpdate(
    HANDLE hKey, BYTE *pbEncryptedData, ULONG ulEncryptedLen, BYTE *pbData, ULONG *pulDataLen)
{
	return step(__func__, hKey, false, cipher_update, uk_span(pbEncryptedData, ulEncryptedLen),
	    pbData, pulDataLen);
}

ULONG DEVAPI
SKF_DecryptFinal(HANDLE hKey, BYTE *pbDecryptedData, ULONG *pulDecryptedDataLen)
{
	return finish(__func__, hKey, false, pbDecryptedData, pulDecryptedDataLen);
}

ULONG DEVAPI
SKF_CloseHandle(HANDLE hHandle)
{
	return call_close(__func__, hHandle, KIND_NONE);
}
