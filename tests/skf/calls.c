#include "calls.h"

#define GIVE(i, p) (without == (i) ? NULL : (p))

const struct row rows[F__MAX] = {
	[F_EnumDev] = { "EnumDev", IS_NONE, 1 },
	[F_ConnectDev] = { "ConnectDev", IS_NONE, 2 },
	[F_DisConnectDev] = { "DisConnectDev", IS_DEVICE, 0 },
	[F_GetDevState] = { "GetDevState", IS_NONE, 2 },
	[F_SetLabel] = { "SetLabel", IS_DEVICE, 1 },
	[F_GetDevInfo] = { "GetDevInfo", IS_DEVICE, 1 },
	[F_LockDev] = { "LockDev", IS_DEVICE, 0 },
	[F_UnlockDev] = { "UnlockDev", IS_DEVICE, 0 },
	[F_Transmit] = { "Transmit", IS_DEVICE, 2 },
	[F_ChangeDevAuthKey] = { "ChangeDevAuthKey", IS_DEVICE, 1 },
	[F_DevAuth] = { "DevAuth", IS_DEVICE, 1 },
	[F_ChangePIN] = { "ChangePIN", IS_APP, 3 },
	[F_GetPINInfo] = { "GetPINInfo", IS_APP, 3 },
	[F_VerifyPIN] = { "VerifyPIN", IS_APP, 2 },
	[F_UnblockPIN] = { "UnblockPIN", IS_APP, 3 },
	[F_ClearSecureState] = { "ClearSecureState", IS_APP, 0 },
	[F_CreateApplication] = { "CreateApplication", IS_DEVICE, 4 },
	[F_EnumApplication] = { "EnumApplication", IS_DEVICE, 1 },
	[F_DeleteApplication] = { "DeleteApplication", IS_DEVICE, 1 },
	[F_OpenApplication] = { "OpenApplication", IS_DEVICE, 2 },
	[F_CloseApplication] = { "CloseApplication", IS_APP, 0 },
	[F_CreateFile] = { "CreateFile", IS_APP, 1 },
	[F_DeleteFile] = { "DeleteFile", IS_APP, 1 },
	[F_EnumFiles] = { "EnumFiles", IS_APP, 1 },
	[F_GetFileInfo] = { "GetFileInfo", IS_APP, 2 },
	[F_ReadFile] = { "ReadFile", IS_APP, 2 },
	[F_WriteFile] = { "WriteFile", IS_APP, 2 },
	[F_CreateContainer] = { "CreateContainer", IS_APP, 2 },
	[F_DeleteContainer] = { "DeleteContainer", IS_APP, 1 },
	[F_EnumContainer] = { "EnumContainer", IS_APP, 1 },
	[F_OpenContainer] = { "OpenContainer", IS_APP, 2 },
	[F_CloseContainer] = { "CloseContainer", IS_CONTAINER, 0 },
	[F_GetContainerType] = { "GetContainerType", IS_CONTAINER, 1 },
	[F_ImportCertificate] = { "ImportCertificate", IS_CONTAINER, 1 },
	[F_ExportCertificate] = { "ExportCertificate", IS_CONTAINER, 1 },
	[F_GenRandom] = { "GenRandom", IS_DEVICE, 1 },
	[F_GenRSAKeyPair] = { "GenRSAKeyPair", IS_CONTAINER, 1 },
	[F_ImportRSAKeyPair] = { "ImportRSAKeyPair", IS_CONTAINER, 2 },
	[F_RSASignData] = { "RSASignData", IS_CONTAINER, 2 },
	[F_RSAVerify] = { "RSAVerify", IS_DEVICE, 3 },
	[F_RSAExportSessionKey] = { "RSAExportSessionKey", IS_CONTAINER, 3 },
	[F_GenECCKeyPair] = { "GenECCKeyPair", IS_CONTAINER, 1 },
	[F_ImportECCKeyPair] = { "ImportECCKeyPair", IS_CONTAINER, 1 },
	[F_ECCSignData] = { "ECCSignData", IS_CONTAINER, 2 },
	[F_ECCVerify] = { "ECCVerify", IS_DEVICE, 3 },
	[F_ECCExportSessionKey] = { "ECCExportSessionKey", IS_CONTAINER, 3 },
	[F_ExtECCEncrypt] = { "ExtECCEncrypt", IS_DEVICE, 3 },
	[F_GenerateAgreementDataWithECC] = { "GenerateAgreementDataWithECC", IS_CONTAINER, 3 },
	[F_GenerateAgreementDataAndKeyWithECC] = { "GenerateAgreementDataAndKeyWithECC",
	    IS_CONTAINER, 6 },
	[F_GenerateKeyWithECC] = { "GenerateKeyWithECC", IS_AGREEMENT, 4 },
	[F_ExportPublicKey] = { "ExportPublicKey", IS_CONTAINER, 1 },
	[F_ImportSessionKey] = { "ImportSessionKey", IS_CONTAINER, 2 },
	[F_EncryptInit] = { "EncryptInit", IS_KEY, 0 },
	[F_Encrypt] = { "Encrypt", IS_KEY, 2 },
	[F_EncryptUpdate] = { "EncryptUpdate", IS_KEY, 2 },
	[F_EncryptFinal] = { "EncryptFinal", IS_KEY, 1 },
	[F_DecryptInit] = { "DecryptInit", IS_KEY, 0 },
	[F_Decrypt] = { "Decrypt", IS_KEY, 2 },
	[F_DecryptUpdate] = { "DecryptUpdate", IS_KEY, 2 },
	[F_DecryptFinal] = { "DecryptFinal", IS_KEY, 1 },
	[F_DigestInit] = { "DigestInit", IS_DEVICE, 1 },
	[F_Digest] = { "Digest", IS_HASH, 2 },
	[F_DigestUpdate] = { "DigestUpdate", IS_HASH, 1 },
	[F_DigestFinal] = { "DigestFinal", IS_HASH, 1 },
	[F_MacInit] = { "MacInit", IS_KEY, 2 },
	[F_Mac] = { "Mac", IS_MAC, 2 },
	[F_MacUpdate] = { "MacUpdate", IS_MAC, 1 },
	[F_MacFinal] = { "MacFinal", IS_MAC, 1 },
	[F_CloseHandle] = { "CloseHandle", IS_ANY, 0 },
	[F_SetSymmKey] = { "SetSymmKey", IS_DEVICE, 2 },
	[F_GenExtRSAKey] = { "GenExtRSAKey", IS_DEVICE, 0 },
	[F_ExtRSAPubKeyOperation] = { "ExtRSAPubKeyOperation", IS_DEVICE, 3 },
	[F_ExtRSAPriKeyOperation] = { "ExtRSAPriKeyOperation", IS_DEVICE, 0 },
	[F_ExtECCDecrypt] = { "ExtECCDecrypt", IS_DEVICE, 0 },
	[F_ExtECCSign] = { "ExtECCSign", IS_DEVICE, 0 },
	[F_ExtECCVerify] = { "ExtECCVerify", IS_DEVICE, 3 },
	[F_ECCPrvKeyDecrypt] = { "ECCPrvKeyDecrypt", IS_CONTAINER, 2 },
	[F_RSAPrvKeyDecrypt] = { "RSAPrvKeyDecrypt", IS_CONTAINER, 2 },
};

ULONG
call(enum function f, HANDLE h, int without)
{
	static BYTE der[4] = { 0x30, 2, 5, 0 }, bytes[2048], wrapped[CIPHER_LEN(16)],
		    wrapped_key[ENVELOPE_LEN];
	static char text[64] = "text-12345678";
	ENVELOPEDKEYBLOB *envelope = (ENVELOPEDKEYBLOB *)(void *)wrapped_key;
	ECCCIPHERBLOB *cipher = (ECCCIPHERBLOB *)(void *)wrapped;
	BLOCKCIPHERPARAM param = { .IVLen = 16 };
	const struct skf *m = &place()->m;
	ECCPUBLICKEYBLOB ecc = { .BitLen = 256 };
	RSAPUBLICKEYBLOB rsa = { .BitLen = 1024 };
	ECCSIGNATUREBLOB sig = { 0 };
	FILEATTRIBUTE file;
	DEVINFO info;
	BOOL flag;
	HANDLE out;
	ULONG n = sizeof(bytes);

	cipher->CipherLen = 16;
	envelope->Version = 1;
	envelope->ulSymmAlgID = SGD_SM4_ECB;
	envelope->ulBits = 256;
	envelope->ECCCipherBlob.CipherLen = 16;
	switch (f) {
	case F_EnumDev:
		return m->EnumDev(TRUE, text, GIVE(0, &n));
	case F_ConnectDev:
		return m->ConnectDev(GIVE(0, text), GIVE(1, &out));
	case F_DisConnectDev:
		return m->DisConnectDev(h);
	case F_GetDevState:
		return m->GetDevState(GIVE(0, text), GIVE(1, &n));
	case F_SetLabel:
		return m->SetLabel(h, GIVE(0, text));
	case F_GetDevInfo:
		return m->GetDevInfo(h, GIVE(0, &info));
	case F_LockDev:
		return m->LockDev(h, 10);
	case F_UnlockDev:
		return m->UnlockDev(h);
	case F_Transmit:
		return m->Transmit(h, GIVE(0, bytes), 16, bytes, GIVE(1, &n));
	case F_ChangeDevAuthKey:
		return m->ChangeDevAuthKey(h, GIVE(0, bytes), 16);
	case F_DevAuth:
		return m->DevAuth(h, GIVE(0, bytes), 16);
	case F_ChangePIN:
		return m->ChangePIN(h, USER_TYPE, GIVE(0, text), GIVE(1, text), GIVE(2, &n));
	case F_GetPINInfo:
		return m->GetPINInfo(h, USER_TYPE, GIVE(0, &n), GIVE(1, &n), GIVE(2, &flag));
	case F_VerifyPIN:
		return m->VerifyPIN(h, USER_TYPE, GIVE(0, text), GIVE(1, &n));
	case F_UnblockPIN:
		return m->UnblockPIN(h, GIVE(0, text), GIVE(1, text), GIVE(2, &n));
	case F_ClearSecureState:
		return m->ClearSecureState(h);
	case F_CreateApplication:
		return m->CreateApplication(h, GIVE(0, text), GIVE(1, text), TRIES, GIVE(2, text),
		    TRIES, SECURE_ANYONE_ACCOUNT, GIVE(3, &out));
	case F_EnumApplication:
		return m->EnumApplication(h, text, GIVE(0, &n));
	case F_DeleteApplication:
		return m->DeleteApplication(h, GIVE(0, text));
	case F_OpenApplication:
		return m->OpenApplication(h, GIVE(0, text), GIVE(1, &out));
	case F_CloseApplication:
		return m->CloseApplication(h);
	case F_CreateFile:
		return m->CreateFile(
		    h, GIVE(0, text), 8, SECURE_ANYONE_ACCOUNT, SECURE_ANYONE_ACCOUNT);
	case F_DeleteFile:
		return m->DeleteFile(h, GIVE(0, text));
	case F_EnumFiles:
		return m->EnumFiles(h, text, GIVE(0, &n));
	case F_GetFileInfo:
		return m->GetFileInfo(h, GIVE(0, text), GIVE(1, &file));
	case F_ReadFile:
		return m->ReadFile(h, GIVE(0, text), 0, 8, bytes, GIVE(1, &n));
	case F_WriteFile:
		return m->WriteFile(h, GIVE(0, text), 0, GIVE(1, bytes), 8);
	case F_CreateContainer:
		return m->CreateContainer(h, GIVE(0, text), GIVE(1, &out));
	case F_DeleteContainer:
		return m->DeleteContainer(h, GIVE(0, text));
	case F_EnumContainer:
		return m->EnumContainer(h, text, GIVE(0, &n));
	case F_OpenContainer:
		return m->OpenContainer(h, GIVE(0, text), GIVE(1, &out));
	case F_CloseContainer:
		return m->CloseContainer(h);
	case F_GetContainerType:
		return m->GetContainerType(h, GIVE(0, &n));
	case F_ImportCertificate:
		return m->ImportCertificate(h, TRUE, GIVE(0, der), 4);
	case F_ExportCertificate:
		return m->ExportCertificate(h, TRUE, bytes, GIVE(0, &n));
	case F_GenRandom:
		return m->GenRandom(h, GIVE(0, bytes), 16);
	case F_GenRSAKeyPair:
		return m->GenRSAKeyPair(h, 1024, GIVE(0, &rsa));
	case F_ImportRSAKeyPair:
		return m->ImportRSAKeyPair(h, SGD_SM4_ECB, GIVE(0, bytes), 16, GIVE(1, bytes), 32);
	case F_RSASignData:
		return m->RSASignData(h, GIVE(0, bytes), 32, bytes, GIVE(1, &n));
	case F_RSAVerify:
		return m->RSAVerify(h, GIVE(0, &rsa), GIVE(1, bytes), 32, GIVE(2, bytes), 128);
	case F_RSAExportSessionKey:
		return m->RSAExportSessionKey(
		    h, SGD_SM4_ECB, GIVE(0, &rsa), bytes, GIVE(1, &n), GIVE(2, &out));
	case F_GenECCKeyPair:
		return m->GenECCKeyPair(h, SGD_SM2_1, GIVE(0, &ecc));
	case F_ImportECCKeyPair:
		return m->ImportECCKeyPair(h, GIVE(0, envelope));
	case F_ECCSignData:
		return m->ECCSignData(h, GIVE(0, bytes), 32, GIVE(1, &sig));
	case F_ECCVerify:
		return m->ECCVerify(h, GIVE(0, &ecc), GIVE(1, bytes), 32, GIVE(2, &sig));
	case F_ECCExportSessionKey:
		return m->ECCExportSessionKey(
		    h, SGD_SM4_ECB, GIVE(0, &ecc), GIVE(1, cipher), GIVE(2, &out));
	case F_ExtECCEncrypt:
		return m->ExtECCEncrypt(h, GIVE(0, &ecc), GIVE(1, bytes), 16, GIVE(2, cipher));
	case F_GenerateAgreementDataWithECC:
		return m->GenerateAgreementDataWithECC(
		    h, SGD_SM4_ECB, GIVE(0, &ecc), GIVE(1, bytes), 16, GIVE(2, &out));
	case F_GenerateAgreementDataAndKeyWithECC:
		return m->GenerateAgreementDataAndKeyWithECC(h, SGD_SM4_ECB, GIVE(0, &ecc),
		    GIVE(1, &ecc), GIVE(2, &ecc), GIVE(3, bytes), 16, GIVE(4, bytes), 16,
		    GIVE(5, &out));
	case F_GenerateKeyWithECC:
		return m->GenerateKeyWithECC(
		    h, GIVE(0, &ecc), GIVE(1, &ecc), GIVE(2, bytes), 16, GIVE(3, &out));
	case F_ExportPublicKey:
		return m->ExportPublicKey(h, TRUE, bytes, GIVE(0, &n));
	case F_ImportSessionKey:
		return m->ImportSessionKey(h, SGD_SM4_ECB, GIVE(0, bytes), 16, GIVE(1, &out));
	case F_EncryptInit:
		return m->EncryptInit(h, param);
	case F_Encrypt:
		return m->Encrypt(h, GIVE(0, bytes), 32, bytes, GIVE(1, &n));
	case F_EncryptUpdate:
		return m->EncryptUpdate(h, GIVE(0, bytes), 32, bytes, GIVE(1, &n));
	case F_EncryptFinal:
		return m->EncryptFinal(h, bytes, GIVE(0, &n));
	case F_DecryptInit:
		return m->DecryptInit(h, param);
	case F_Decrypt:
		return m->Decrypt(h, GIVE(0, bytes), 16, bytes, GIVE(1, &n));
	case F_DecryptUpdate:
		return m->DecryptUpdate(h, GIVE(0, bytes), 16, bytes, GIVE(1, &n));
	case F_DecryptFinal:
		return m->DecryptFinal(h, bytes, GIVE(0, &n));
	case F_DigestInit:
		return m->DigestInit(h, SGD_SM3, &ecc, bytes, 0, GIVE(0, &out));
	case F_Digest:
		return m->Digest(h, GIVE(0, bytes), 32, bytes, GIVE(1, &n));
	case F_DigestUpdate:
		return m->DigestUpdate(h, GIVE(0, bytes), 32);
	case F_DigestFinal:
		return m->DigestFinal(h, bytes, GIVE(0, &n));
	case F_MacInit:
		return m->MacInit(h, GIVE(0, &param), GIVE(1, &out));
	case F_Mac:
		return m->Mac(h, GIVE(0, bytes), 32, bytes, GIVE(1, &n));
	case F_MacUpdate:
		return m->MacUpdate(h, GIVE(0, bytes), 32);
	case F_MacFinal:
		return m->MacFinal(h, bytes, GIVE(0, &n));
	case F_CloseHandle:
		return m->CloseHandle(h);
	case F_SetSymmKey:
		return m->SetSymmKey == NULL
			   ? ABSENT
			   : m->SetSymmKey(h, GIVE(0, bytes), SGD_SM4_ECB, GIVE(1, &out));
	case F_GenExtRSAKey:
		return m->GenExtRSAKey == NULL ? ABSENT : m->GenExtRSAKey(h, 1024, NULL);
	case F_ExtRSAPubKeyOperation:
		return m->ExtRSAPubKeyOperation == NULL
			   ? ABSENT
			   : m->ExtRSAPubKeyOperation(
				 h, GIVE(0, &rsa), GIVE(1, bytes), 16, bytes, GIVE(2, &n));
	case F_ExtRSAPriKeyOperation:
		return m->ExtRSAPriKeyOperation == NULL
			   ? ABSENT
			   : m->ExtRSAPriKeyOperation(h, NULL, bytes, 16, bytes, &n);
	case F_ExtECCDecrypt:
		return m->ExtECCDecrypt == NULL ? ABSENT
						: m->ExtECCDecrypt(h, NULL, cipher, bytes, &n);
	case F_ExtECCSign:
		return m->ExtECCSign == NULL ? ABSENT : m->ExtECCSign(h, NULL, bytes, 32, &sig);
	case F_ExtECCVerify:
		return m->ExtECCVerify == NULL
			   ? ABSENT
			   : m->ExtECCVerify(h, GIVE(0, &ecc), GIVE(1, bytes), 32, GIVE(2, &sig));
	case F_ECCPrvKeyDecrypt:
		return m->ECCPrvKeyDecrypt == NULL
			   ? ABSENT
			   : m->ECCPrvKeyDecrypt(h, GIVE(0, cipher), bytes, GIVE(1, &n));
	case F_RSAPrvKeyDecrypt:
		return m->RSAPrvKeyDecrypt == NULL
			   ? ABSENT
			   : m->RSAPrvKeyDecrypt(h, GIVE(0, bytes), 16, bytes, GIVE(1, &n));
	case F__MAX:
		break;
	}
	return ABSENT;
}
