/* The functions of a module, by the names and types of skf.h and by nothing else. */
#ifndef TESTS_SKF_TABLE_H
#define TESTS_SKF_TABLE_H

#include <stdbool.h>

#include "skf.h"

struct skf {
	void *library;
	__typeof__(SKF_WaitForDevEvent) *WaitForDevEvent;
	__typeof__(SKF_CancelWaitForDevEvent) *CancelWaitForDevEvent;
	__typeof__(SKF_EnumDev) *EnumDev;
	__typeof__(SKF_ConnectDev) *ConnectDev;
	__typeof__(SKF_DisConnectDev) *DisConnectDev;
	__typeof__(SKF_GetDevState) *GetDevState;
	__typeof__(SKF_SetLabel) *SetLabel;
	__typeof__(SKF_GetDevInfo) *GetDevInfo;
	__typeof__(SKF_LockDev) *LockDev;
	__typeof__(SKF_UnlockDev) *UnlockDev;
	__typeof__(SKF_Transmit) *Transmit;
	__typeof__(SKF_ChangeDevAuthKey) *ChangeDevAuthKey;
	__typeof__(SKF_DevAuth) *DevAuth;
	__typeof__(SKF_ChangePIN) *ChangePIN;
	__typeof__(SKF_GetPINInfo) *GetPINInfo;
	__typeof__(SKF_VerifyPIN) *VerifyPIN;
	__typeof__(SKF_UnblockPIN) *UnblockPIN;
	__typeof__(SKF_ClearSecureState) *ClearSecureState;
	__typeof__(SKF_CreateApplication) *CreateApplication;
	__typeof__(SKF_EnumApplication) *EnumApplication;
	__typeof__(SKF_DeleteApplication) *DeleteApplication;
	__typeof__(SKF_OpenApplication) *OpenApplication;
	__typeof__(SKF_CloseApplication) *CloseApplication;
	__typeof__(SKF_CreateFile) *CreateFile;
	__typeof__(SKF_DeleteFile) *DeleteFile;
	__typeof__(SKF_EnumFiles) *EnumFiles;
	__typeof__(SKF_GetFileInfo) *GetFileInfo;
	__typeof__(SKF_ReadFile) *ReadFile;
	__typeof__(SKF_WriteFile) *WriteFile;
	__typeof__(SKF_CreateContainer) *CreateContainer;
	__typeof__(SKF_DeleteContainer) *DeleteContainer;
	__typeof__(SKF_EnumContainer) *EnumContainer;
	__typeof__(SKF_OpenContainer) *OpenContainer;
	__typeof__(SKF_CloseContainer) *CloseContainer;
	__typeof__(SKF_GetContainerType) *GetContainerType;
	__typeof__(SKF_ImportCertificate) *ImportCertificate;
	__typeof__(SKF_ExportCertificate) *ExportCertificate;
	__typeof__(SKF_GenRandom) *GenRandom;
	__typeof__(SKF_GenRSAKeyPair) *GenRSAKeyPair;
	__typeof__(SKF_ImportRSAKeyPair) *ImportRSAKeyPair;
	__typeof__(SKF_RSASignData) *RSASignData;
	__typeof__(SKF_RSAVerify) *RSAVerify;
	__typeof__(SKF_RSAExportSessionKey) *RSAExportSessionKey;
	__typeof__(SKF_GenECCKeyPair) *GenECCKeyPair;
	__typeof__(SKF_ImportECCKeyPair) *ImportECCKeyPair;
	__typeof__(SKF_ECCSignData) *ECCSignData;
	__typeof__(SKF_ECCVerify) *ECCVerify;
	__typeof__(SKF_ECCExportSessionKey) *ECCExportSessionKey;
	__typeof__(SKF_ExtECCEncrypt) *ExtECCEncrypt;
	__typeof__(SKF_GenerateAgreementDataWithECC) *GenerateAgreementDataWithECC;
	__typeof__(SKF_GenerateAgreementDataAndKeyWithECC) *GenerateAgreementDataAndKeyWithECC;
	__typeof__(SKF_GenerateKeyWithECC) *GenerateKeyWithECC;
	__typeof__(SKF_ExportPublicKey) *ExportPublicKey;
	__typeof__(SKF_ImportSessionKey) *ImportSessionKey;
	__typeof__(SKF_EncryptInit) *EncryptInit;
	__typeof__(SKF_Encrypt) *Encrypt;
	__typeof__(SKF_EncryptUpdate) *EncryptUpdate;
	__typeof__(SKF_EncryptFinal) *EncryptFinal;
	__typeof__(SKF_DecryptInit) *DecryptInit;
	__typeof__(SKF_Decrypt) *Decrypt;
	__typeof__(SKF_DecryptUpdate) *DecryptUpdate;
	__typeof__(SKF_DecryptFinal) *DecryptFinal;
	__typeof__(SKF_DigestInit) *DigestInit;
	__typeof__(SKF_Digest) *Digest;
	__typeof__(SKF_DigestUpdate) *DigestUpdate;
	__typeof__(SKF_DigestFinal) *DigestFinal;
	__typeof__(SKF_MacInit) *MacInit;
	__typeof__(SKF_Mac) *Mac;
	__typeof__(SKF_MacUpdate) *MacUpdate;
	__typeof__(SKF_MacFinal) *MacFinal;
	__typeof__(SKF_CloseHandle) *CloseHandle;
	/* outside the standard: may be NULL */
	__typeof__(SKF_SetSymmKey) *SetSymmKey;
	__typeof__(SKF_GenExtRSAKey) *GenExtRSAKey;
	__typeof__(SKF_ExtRSAPubKeyOperation) *ExtRSAPubKeyOperation;
	__typeof__(SKF_ExtRSAPriKeyOperation) *ExtRSAPriKeyOperation;
	__typeof__(SKF_ExtECCDecrypt) *ExtECCDecrypt;
	__typeof__(SKF_ExtECCSign) *ExtECCSign;
	__typeof__(SKF_ExtECCVerify) *ExtECCVerify;
	__typeof__(SKF_ECCPrvKeyDecrypt) *ECCPrvKeyDecrypt;
	__typeof__(SKF_RSAPrvKeyDecrypt) *RSAPrvKeyDecrypt;
};

/* Says on standard error what is missing. */
bool skf_load(const char *path, struct skf *m);
void skf_unload(struct skf *m);

#endif
