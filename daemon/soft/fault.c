#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "soft/fault.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const kinds[] = {
	[FAULT_NONE] = "",
	[FAULT_ERROR] = "error",
	[FAULT_BLOCK] = "block",
	[FAULT_CRASH] = "crash",
};
static_assert(COUNT(kinds) == FAULT__MAX, "a word for each");

/* Those of a UKEY that is connected: the others have no folder to look into. */
static const char *const functions[] = { "SKF_ConnectDev", "SKF_DisConnectDev", "SKF_SetLabel",
	"SKF_GetDevInfo", "SKF_LockDev", "SKF_UnlockDev", "SKF_Transmit", "SKF_ChangeDevAuthKey",
	"SKF_DevAuth", "SKF_ChangePIN", "SKF_GetPINInfo", "SKF_VerifyPIN", "SKF_UnblockPIN",
	"SKF_ClearSecureState", "SKF_CreateApplication", "SKF_EnumApplication",
	"SKF_DeleteApplication", "SKF_OpenApplication", "SKF_CloseApplication", "SKF_CreateFile",
	"SKF_DeleteFile", "SKF_EnumFiles", "SKF_GetFileInfo", "SKF_ReadFile", "SKF_WriteFile",
	"SKF_CreateContainer", "SKF_DeleteContainer", "SKF_EnumContainer", "SKF_OpenContainer",
	"SKF_CloseContainer", "SKF_GetContainerType", "SKF_ImportCertificate",
	"SKF_ExportCertificate", "SKF_GenRandom", "SKF_GenRSAKeyPair", "SKF_ImportRSAKeyPair",
	"SKF_RSASignData", "SKF_RSAVerify", "SKF_RSAExportSessionKey", "SKF_GenECCKeyPair",
	"SKF_ImportECCKeyPair", "SKF_ECCSignData", "SKF_ECCVerify", "SKF_ECCExportSessionKey",
	"SKF_ExtECCEncrypt", "SKF_GenerateAgreementDataWithECC",
	"SKF_GenerateAgreementDataAndKeyWithECC", "SKF_GenerateKeyWithECC", "SKF_ExportPublicKey",
	"SKF_ImportSessionKey", "SKF_EncryptInit", "SKF_Encrypt", "SKF_EncryptUpdate",
	"SKF_EncryptFinal", "SKF_DecryptInit", "SKF_Decrypt", "SKF_DecryptUpdate",
	"SKF_DecryptFinal", "SKF_DigestInit", "SKF_Digest", "SKF_DigestUpdate", "SKF_DigestFinal",
	"SKF_MacInit", "SKF_Mac", "SKF_MacUpdate", "SKF_MacFinal", "SKF_CloseHandle",
	"SKF_SetSymmKey", "SKF_ExtRSAPubKeyOperation", "SKF_ExtECCVerify", "SKF_ECCPrvKeyDecrypt",
	"SKF_RSAPrvKeyDecrypt" };

bool
fault_function_ok(const char *name)
{
	for (size_t i = 0; i < COUNT(functions); i++)
		if (strcmp(functions[i], name) == 0)
			return true;
	return false;
}

/* The next word of the line, in out; false: none, or too long. */
static bool
word(struct uk_span *line, char *out, size_t size)
{
	size_t n = 0;

	while (line->n != 0 && line->p[0] == ' ')
		*line = uk_span(line->p + 1, line->n - 1);
	while (n < line->n && line->p[n] != ' ')
		n++;
	if (n == 0 || n >= size)
		return false;
	memcpy(out, line->p, n);
	out[n] = '\0';
	*line = uk_span(line->p + n, line->n - n);
	return strlen(out) == n;
}

static bool
number(const char *text, int base, uint32_t *out)
{
	char *end;
	unsigned long v;

	if (!isxdigit((unsigned char)text[0]))
		return false;
	v = strtoul(text, &end, base);
	*out = (uint32_t)v;
	return *end == '\0' && v <= UINT32_MAX;
}

static enum fault_kind
kind_of(const char *name)
{
	for (int i = FAULT_ERROR; i < FAULT__MAX; i++)
		if (strcmp(kinds[i], name) == 0)
			return (enum fault_kind)i;
	return FAULT_NONE;
}

bool
fault_read(struct uk_span line, struct fault *f)
{
	char w[FAULT_NAME_MAX];

	*f = (struct fault){ 0 };
	if (!word(&line, f->function, sizeof(f->function)) || !fault_function_ok(f->function) ||
	    !word(&line, w, sizeof(w)) || !number(w, 10, &f->nth) || f->nth == 0 ||
	    !word(&line, w, sizeof(w)))
		return false;
	f->kind = kind_of(w);
	if (f->kind == FAULT_NONE)
		return false;
	if (f->kind != FAULT_CRASH &&
	    (!word(&line, w, sizeof(w)) || !number(w, f->kind == FAULT_ERROR ? 0 : 10, &f->value) ||
		f->value == 0))
		return false;
	return line.n == 0;
}

void
fault_print(const struct fault *f, struct uk_buf *out)
{
	uk_buf_printf(out, "%s %u %s", f->function, f->nth, kinds[f->kind]);
	if (f->kind == FAULT_ERROR)
		uk_buf_printf(out, " 0x%08X", f->value);
	else if (f->kind == FAULT_BLOCK)
		uk_buf_printf(out, " %u", f->value);
	uk_buf_put_str(out, "\n");
}

static void
read_lines(struct faults *f, struct uk_span text)
{
	while (text.n != 0 && f->n < FAULTS_MAX) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		const size_t len = end != NULL ? (size_t)(end - text.p) : text.n;

		if (fault_read(uk_span(text.p, len), &f->all[f->n]))
			f->n++;
		text = end != NULL ? uk_span(end + 1, text.n - len - 1) : uk_span(NULL, 0);
	}
}

/* Read again when the file is another one; counting starts anew then. */
static void
refresh(struct faults *f, const struct disk *d)
{
	struct stamp now = { 0 };
	struct uk_buf text;
	bool there = disk_stamp(d, FAULT_FILE, &now);

	if (stamp_same(&now, &f->stamp))
		return;
	*f = (struct faults){ .stamp = now };
	uk_buf_init(&text, FAULT_FILE_MAX + 8192);
	if (there && disk_read(d, FAULT_FILE, FAULT_FILE_MAX, &there, &text) == SAR_OK && there)
		read_lines(f, uk_buf_span(&text));
	uk_buf_fini(&text);
}

struct fault
fault_next(struct faults *f, const struct disk *d, const char *function)
{
	struct fault found = { 0 };

	refresh(f, d);
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->all[i].function, function) == 0 &&
		    ++f->all[i].seen == f->all[i].nth && found.kind == FAULT_NONE)
			found = f->all[i];
	return found;
}
