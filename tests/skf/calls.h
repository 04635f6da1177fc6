/* Every function of the header, with good arguments but for those that are left out. */
#ifndef TESTS_SKF_CALLS_H
#define TESTS_SKF_CALLS_H

#include "place.h"

enum function {
	F_EnumDev,
	F_ConnectDev,
	F_DisConnectDev,
	F_GetDevState,
	F_SetLabel,
	F_GetDevInfo,
	F_LockDev,
	F_UnlockDev,
	F_Transmit,
	F_ChangeDevAuthKey,
	F_DevAuth,
	F_ChangePIN,
	F_GetPINInfo,
	F_VerifyPIN,
	F_UnblockPIN,
	F_ClearSecureState,
	F_CreateApplication,
	F_EnumApplication,
	F_DeleteApplication,
	F_OpenApplication,
	F_CloseApplication,
	F_CreateFile,
	F_DeleteFile,
	F_EnumFiles,
	F_GetFileInfo,
	F_ReadFile,
	F_WriteFile,
	F_CreateContainer,
	F_DeleteContainer,
	F_EnumContainer,
	F_OpenContainer,
	F_CloseContainer,
	F_GetContainerType,
	F_ImportCertificate,
	F_ExportCertificate,
	F_GenRandom,
	F_GenRSAKeyPair,
	F_ImportRSAKeyPair,
	F_RSASignData,
	F_RSAVerify,
	F_RSAExportSessionKey,
	F_GenECCKeyPair,
	F_ImportECCKeyPair,
	F_ECCSignData,
	F_ECCVerify,
	F_ECCExportSessionKey,
	F_ExtECCEncrypt,
	F_GenerateAgreementDataWithECC,
	F_GenerateAgreementDataAndKeyWithECC,
	F_GenerateKeyWithECC,
	F_ExportPublicKey,
	F_ImportSessionKey,
	F_EncryptInit,
	F_Encrypt,
	F_EncryptUpdate,
	F_EncryptFinal,
	F_DecryptInit,
	F_Decrypt,
	F_DecryptUpdate,
	F_DecryptFinal,
	F_DigestInit,
	F_Digest,
	F_DigestUpdate,
	F_DigestFinal,
	F_MacInit,
	F_Mac,
	F_MacUpdate,
	F_MacFinal,
	F_CloseHandle,
	F_SetSymmKey,
	F_GenExtRSAKey,
	F_ExtRSAPubKeyOperation,
	F_ExtRSAPriKeyOperation,
	F_ExtECCDecrypt,
	F_ExtECCSign,
	F_ExtECCVerify,
	F_ECCPrvKeyDecrypt,
	F_RSAPrvKeyDecrypt,
	F__MAX
};

enum is {
	IS_NONE, /* its first argument is no handle */
	IS_DEVICE,
	IS_APP,
	IS_CONTAINER,
	IS_KEY,
	IS_HASH,
	IS_MAC,
	IS_AGREEMENT,
	IS_ANY, /* of the last four */
	IS__MAX
};

struct row {
	const char *name;
	enum is handle;
	unsigned pointers; /* that must not be NULL */
};

extern const struct row rows[F__MAX];

/* The module does not have it, nor need it. */
#define ABSENT 0xFFFFFFFFu

/* Pointer number `without` is NULL; -1: none is. */
ULONG call(enum function f, HANDLE h, int without);

#endif
