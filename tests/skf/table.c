#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

struct entry {
	const char *name;
	size_t at;
	bool optional;
};

#define F(f)                                                                                       \
	{                                                                                          \
		"SKF_" #f, offsetof(struct skf, f), false                                          \
	}
#define MAY(f)                                                                                     \
	{                                                                                          \
		"SKF_" #f, offsetof(struct skf, f), true                                           \
	}

static const struct entry entries[] = {
	F(WaitForDevEvent),
	F(CancelWaitForDevEvent),
	F(EnumDev),
	F(ConnectDev),
	F(DisConnectDev),
	F(GetDevState),
	F(SetLabel),
	F(GetDevInfo),
	F(LockDev),
	F(UnlockDev),
	F(Transmit),
	F(ChangeDevAuthKey),
	F(DevAuth),
	F(ChangePIN),
	F(GetPINInfo),
	F(VerifyPIN),
	F(UnblockPIN),
	F(ClearSecureState),
	F(CreateApplication),
	F(EnumApplication),
	F(DeleteApplication),
	F(OpenApplication),
	F(CloseApplication),
	F(CreateFile),
	F(DeleteFile),
	F(EnumFiles),
	F(GetFileInfo),
	F(ReadFile),
	F(WriteFile),
	F(CreateContainer),
	F(DeleteContainer),
	F(EnumContainer),
	F(OpenContainer),
	F(CloseContainer),
	F(GetContainerType),
	F(ImportCertificate),
	F(ExportCertificate),
	F(GenRandom),
	F(GenRSAKeyPair),
	F(ImportRSAKeyPair),
	F(RSASignData),
	F(RSAVerify),
	F(RSAExportSessionKey),
	F(GenECCKeyPair),
	F(ImportECCKeyPair),
	F(ECCSignData),
	F(ECCVerify),
	F(ECCExportSessionKey),
	F(ExtECCEncrypt),
	F(GenerateAgreementDataWithECC),
	F(GenerateAgreementDataAndKeyWithECC),
	F(GenerateKeyWithECC),
	F(ExportPublicKey),
	F(ImportSessionKey),
	F(EncryptInit),
	F(Encrypt),
	F(EncryptUpdate),
	F(EncryptFinal),
	F(DecryptInit),
	F(Decrypt),
	F(DecryptUpdate),
	F(DecryptFinal),
	F(DigestInit),
	F(Digest),
	F(DigestUpdate),
	F(DigestFinal),
	F(MacInit),
	F(Mac),
	F(MacUpdate),
	F(MacFinal),
	F(CloseHandle),
	MAY(SetSymmKey),
	MAY(GenExtRSAKey),
	MAY(ExtRSAPubKeyOperation),
	MAY(ExtRSAPriKeyOperation),
	MAY(ExtECCDecrypt),
	MAY(ExtECCSign),
	MAY(ExtECCVerify),
	MAY(ECCPrvKeyDecrypt),
	MAY(RSAPrvKeyDecrypt),
};

bool
skf_load(const char *path, struct skf *m)
{
	bool whole = true;

	memset(m, 0, sizeof(*m));
	m->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (m->library == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		return false;
	}
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		void *f = dlsym(m->library, entries[i].name);

		memcpy((char *)m + entries[i].at, &f, sizeof(f));
		if (f != NULL || entries[i].optional)
			continue;
		(void)fprintf(stderr, "%s: no %s\n", path, entries[i].name);
		whole = false;
	}
	return whole;
}

void
skf_unload(struct skf *m)
{
	if (m->library != NULL)
		(void)dlclose(m->library);
	m->library = NULL;
}
