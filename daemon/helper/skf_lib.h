/*
 * A loaded SKF module (GM/T 0016): its functions, what is known of its maker, and what measuring
 * it has shown.  Vendors disagree about the width of ULONG, and some write more than they say, so
 * whatever a module writes to is larger than it needs to be.
 */
#ifndef HELPER_SKF_LIB_H
#define HELPER_SKF_LIB_H

#include "helper/token.h"
#include "skf.h"
#include "uk/sm2.h"

/* The functions a module has to have first, then those it may lack. */
struct skf_fn {
	__typeof__(SKF_EnumDev) *EnumDev;
	__typeof__(SKF_ConnectDev) *ConnectDev;
	__typeof__(SKF_DisConnectDev) *DisConnectDev;
	__typeof__(SKF_GetDevInfo) *GetDevInfo;
	__typeof__(SKF_EnumApplication) *EnumApplication;
	__typeof__(SKF_OpenApplication) *OpenApplication;
	__typeof__(SKF_CloseApplication) *CloseApplication;
	__typeof__(SKF_GetPINInfo) *GetPINInfo;
	__typeof__(SKF_VerifyPIN) *VerifyPIN;
	__typeof__(SKF_EnumContainer) *EnumContainer;
	__typeof__(SKF_OpenContainer) *OpenContainer;
	__typeof__(SKF_CloseContainer) *CloseContainer;
	__typeof__(SKF_ExportPublicKey) *ExportPublicKey;
	__typeof__(SKF_ExportCertificate) *ExportCertificate;

	__typeof__(SKF_ClearSecureState) *ClearSecureState;
	__typeof__(SKF_ChangePIN) *ChangePIN;
	__typeof__(SKF_UnblockPIN) *UnblockPIN;
	__typeof__(SKF_GetContainerType) *GetContainerType;
	__typeof__(SKF_CreateContainer) *CreateContainer;
	__typeof__(SKF_DeleteContainer) *DeleteContainer;
	__typeof__(SKF_ImportCertificate) *ImportCertificate;
	__typeof__(SKF_GenECCKeyPair) *GenECCKeyPair;
	__typeof__(SKF_ECCSignData) *ECCSignData;
	__typeof__(SKF_ImportECCKeyPair) *ImportECCKeyPair;
	__typeof__(SKF_GenRSAKeyPair) *GenRSAKeyPair;
	__typeof__(SKF_RSASignData) *RSASignData;
	__typeof__(SKF_ImportSessionKey) *ImportSessionKey;
	__typeof__(SKF_DecryptInit) *DecryptInit;
	__typeof__(SKF_Decrypt) *Decrypt;
	__typeof__(SKF_CloseHandle) *CloseHandle;
	__typeof__(SKF_GenRandom) *GenRandom;
	__typeof__(SKF_DevAuth) *DevAuth;
	__typeof__(SKF_SetLabel) *SetLabel;
	/* Its three DWORDs have 64 bits with one vendor; the wide form serves both. */
	ULONG(*CreateApplication)
	(DEVHANDLE, LPSTR, LPSTR, unsigned long, LPSTR, unsigned long, unsigned long,
	    HAPPLICATION *);

	/* Vendors' own. */
	__typeof__(SKF_ECCPrvKeyDecrypt) *ECCPrvKeyDecrypt;
	__typeof__(SKF_RSAPrvKeyDecrypt) *RSAPrvKeyDecrypt;
	ULONG (*V_ECCPrvKeyDecrypt)(HCONTAINER, ULONG, ECCCIPHERBLOB *, BYTE *, ULONG *);
};

/* What no call tells and some vendor does otherwise. */
struct skf_quirk {
	const char *file; /* pattern of the module's file name; NULL: the rest */
	ULONG sm2[2];     /* SM2 for SKF_GenECCKeyPair, in the order of trying */
	/* Of ENVELOPEDKEYBLOB, likewise.  Who encrypts the whole field reads the right half, too.
	 */
	enum uk_sm2_field fields[UK_SM2_FIELD__MAX];
	int pin_max;                 /* bytes */
	bool pin_invalid_is_initial; /* SAR_PIN_INVALID: right, but the first one: change it */
};

/* An out-parameter of four bytes, or of eight where a module thinks so. */
union skf_cell {
	ULONG v;
	BOOL b;
	uint64_t wide;
};

#define SKF_ROOM (64u * 1024u) /* for results; memory that can't be touched follows */

struct skf_lib {
	void *handle;
	struct skf_fn fn;
	const struct skf_quirk *quirk;
	uint8_t *room; /* SKF_ROOM bytes, zeroed before each use as far as the result may go */
	enum message_reason unfit; /* why it can't be driven, once that is known */
};

struct skf_devinfo {
	char manufacturer[97];
	char issuer[65];
	char label[97];
	char serial[65];
	ULONG asym;     /* capabilities */
	ULONG auth_alg; /* of SKF_DevAuth */
	ULONG max_data; /* of one SKF_Decrypt */
};

UK_CHECK enum uk_rc skf_lib_open(
    const char *path, const struct uk_log *log, struct skf_lib *out, struct token_fault *f);
void skf_lib_close(struct skf_lib *l);

/* The room, its first n bytes zeroed. */
uint8_t *skf_room(struct skf_lib *l, size_t n);

enum skf_list {
	SKF_DEVICES,      /* of the module: handle is NULL */
	SKF_APPLICATIONS, /* of a device */
	SKF_CONTAINERS,   /* of an application */
};

/*
 * A list of names, appended: NUL after each, and one more at the end.  Measures ULONG on the way:
 * UK_E_UNSUPPORTED, and l->unfit.
 */
UK_CHECK enum uk_rc skf_names(struct skf_lib *l, enum skf_list what, HANDLE handle,
    struct uk_buf *out, struct token_fault *f);
/* The next of such a list, or NULL. */
const char *skf_next(struct uk_span *names);

/* Reads what the module fills in, wherever its compiler put it. */
UK_CHECK enum uk_rc skf_devinfo_read(
    struct skf_lib *l, DEVHANDLE dev, struct skf_devinfo *out, struct token_fault *f);

/* What an SAR_* means; UK_OK for SAR_OK. */
enum uk_rc skf_fail(struct token_fault *f, ULONG sar, const char *where);
/* The device, or our handle on it, is no more. */
bool skf_is_gone(ULONG sar);

/* The module can't be driven, and says so from now on. */
enum uk_rc skf_unfit(
    struct skf_lib *l, struct token_fault *f, enum message_reason why, const char *where);

#endif
