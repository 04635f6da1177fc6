/*
 * Not in the standard, and not here: a UKEY's private keys are made in it or come in an envelope,
 * and nothing private goes out.
 */
#include "soft/call.h"

static ULONG
unsupported(const char *function, DEVHANDLE h)
{
	struct call c;
	const ULONG rv = call_begin(&c, function, h, KIND_DEVICE, CALL_MEMORY);

	return rv == SAR_OK ? call_end(&c, SAR_NOTSUPPORTYETERR) : rv;
}

ULONG DEVAPI
SKF_GenExtRSAKey(DEVHANDLE hDev, ULONG ulBitsLen, RSAPRIVATEKEYBLOB *pBlob)
{
	(void)ulBitsLen;
	(void)pBlob;
	return unsupported(__func__, hDev);
}

ULONG DEVAPI
SKF_ExtRSAPriKeyOperation(DEVHANDLE hDev, RSAPRIVATEKEYBLOB *pRSAPriKeyBlob, BYTE *pbInput,
    ULONG ulInputLen, BYTE *pbOutput, ULONG *pulOutputLen)
{
	(void)pRSAPriKeyBlob;
	(void)pbInput;
	(void)ulInputLen;
	(void)pbOutput;
	(void)pulOutputLen;
	return unsupported(__func__, hDev);
}

ULONG DEVAPI
SKF_ExtECCDecrypt(DEVHANDLE hDev, ECCPRIVATEKEYBLOB *pECCPriKeyBlob, ECCCIPHERBLOB *pCipherText,
    BYTE *pbPlainText, ULONG *pulPlainTextLen)
{
	(void)pECCPriKeyBlob;
	(void)pCipherText;
	(void)pbPlainText;
	(void)pulPlainTextLen;
	return unsupported(__func__, hDev);
}

ULONG DEVAPI
SKF_ExtECCSign(DEVHANDLE hDev, ECCPRIVATEKEYBLOB *pECCPriKeyBlob, BYTE *pbData, ULONG ulDataLen,
    ECCSIGNATUREBLOB *pSignature)
{
	(void)pECCPriKeyBlob;
	(void)pbData;
	(void)ulDataLen;
	(void)pSignature;
	return unsupported(__func__, hDev);
}
