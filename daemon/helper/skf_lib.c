#include <dlfcn.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/skf_lib.h"
#include "token/text.h"

#define POISON 0xEEEEEEEEEEEEEEEEull

/* A vendor's library brings its own OpenSSL and means that one; the sanitizers can't have it. */
#ifdef UK_SANITIZED
#define OWN_SYMBOLS 0
#else
#define OWN_SYMBOLS RTLD_DEEPBIND
#endif

static const struct skf_quirk quirks[] = {
	/* Longmai: a first PIN is right, and refused until it is changed. */
	{ "libgm3000*", { SGD_SM2_1, 0x00020200 }, { UK_SM2_FIELD_RIGHT, UK_SM2_FIELD_LEFT }, 16,
	    true },
	/* Feitian: algorithm numbers as in GB/T 33560. */
	{ "libes_3000gm*", { 0x00020200, SGD_SM2_1 }, { UK_SM2_FIELD_RIGHT, UK_SM2_FIELD_LEFT }, 16,
	    false },
	{ NULL, { SGD_SM2_1, 0x00020200 }, { UK_SM2_FIELD_RIGHT, UK_SM2_FIELD_LEFT }, 16, false },
};

struct name_row {
	const char *name;
	size_t at;
	bool needed;
};

#define FN(f) offsetof(struct skf_fn, f)
static const struct name_row names[] = {
	{ "SKF_EnumDev", FN(EnumDev), true }, { "SKF_ConnectDev", FN(ConnectDev), true },
	{ "SKF_DisConnectDev", FN(DisConnectDev), true },
	{ "SKF_GetDevInfo", FN(GetDevInfo), true },
	{ "SKF_EnumApplication", FN(EnumApplication), true },
	{ "SKF_OpenApplication", FN(OpenApplication), true },
	{ "SKF_CloseApplication", FN(CloseApplication), true },
	{ "SKF_GetPINInfo", FN(GetPINInfo), true }, { "SKF_VerifyPIN", FN(VerifyPIN), true },
	{ "SKF_EnumContainer", FN(EnumContainer), true },
	{ "SKF_OpenContainer", FN(OpenContainer), true },
	{ "SKF_CloseContainer", FN(CloseContainer), true },
	{ "SKF_ExportPublicKey", FN(ExportPublicKey), true },
	{ "SKF_ExportCertificate", FN(ExportCertificate), true },
	{ "SKF_ClearSecureState", FN(ClearSecureState), false },
	{ "SKF_ChangePIN", FN(ChangePIN), false }, { "SKF_UnblockPIN", FN(UnblockPIN), false },
	{ "SKF_GetContainerType", FN(GetContainerType), false },
	{ "SKF_CreateContainer", FN(CreateContainer), false },
	{ "SKF_DeleteContainer", FN(DeleteContainer), false },
	{ "SKF_ImportCertificate", FN(ImportCertificate), false },
	{ "SKF_GenECCKeyPair", FN(GenECCKeyPair), false },
	{ "SKF_ECCSignData", FN(ECCSignData), false },
	{ "SKF_ImportECCKeyPair", FN(ImportECCKeyPair), false },
	{ "SKF_GenRSAKeyPair", FN(GenRSAKeyPair), false },
	{ "SKF_RSASignData", FN(RSASignData), false },
	{ "SKF_ImportSessionKey", FN(ImportSessionKey), false },
	{ "SKF_DecryptInit", FN(DecryptInit), false }, { "SKF_Decrypt", FN(Decrypt), false },
	{ "SKF_CloseHandle", FN(CloseHandle), false }, { "SKF_GenRandom", FN(GenRandom), false },
	{ "SKF_DevAuth", FN(DevAuth), false }, { "SKF_SetLabel", FN(SetLabel), false },
	{ "SKF_CreateApplication", FN(CreateApplication), false },
	{ "SKF_ECCPrvKeyDecrypt", FN(ECCPrvKeyDecrypt), false }, /* Longmai */
	{ "SKF_ECCDecrypt", FN(ECCPrvKeyDecrypt), false },       /* Haitai: the same by its name */
	{ "SKF_RSAPrvKeyDecrypt", FN(RSAPrvKeyDecrypt), false },
	{ "SKF_RSADecrypt", FN(RSAPrvKeyDecrypt), false },
	{ "V_ECCPrvKeyDecrypt", FN(V_ECCPrvKeyDecrypt), false }, /* C*Core */
};
#undef FN

struct sar_row {
	ULONG sar;
	enum uk_rc rc;
	enum message_reason reason;
};

/* What the caller can do about it; anything else is UK_E_INTERNAL. */
static const struct sar_row sars[] = {
	{ SAR_OK, UK_OK, REASON_NONE },
	{ SAR_PIN_INCORRECT, UK_E_PIN_WRONG, REASON_NONE },
	{ SAR_PIN_LOCKED, UK_E_PIN_LOCKED, REASON_NONE },
	{ SAR_PIN_LEN_RANGE, UK_E_INPUT, REASON_PIN_LENGTH },
	{ SAR_PIN_INVALID, UK_E_INPUT, REASON_PIN_REFUSED },
	{ SAR_USER_PIN_NOT_INITIALIZED, UK_E_CONFLICT, REASON_TOKEN_BLANK },
	{ SAR_APPLICATION_NOT_EXISTS, UK_E_CONFLICT, REASON_TOKEN_BLANK },
	{ SAR_APPLICATION_EXISTS, UK_E_CONFLICT, REASON_TOKEN_NOT_BLANK },
	{ SAR_USER_ALREADY_LOGGED_IN, UK_E_CONFLICT, REASON_NONE },
	{ SAR_USER_NOT_LOGGED_IN, UK_E_UNAUTHORIZED, REASON_NOT_LOGGED_IN },
	{ SAR_DEVICE_REMOVED, UK_E_TOKEN_REMOVED, REASON_NONE },
	{ SAR_INVALIDHANDLEERR, UK_E_TOKEN_REMOVED, REASON_NONE },
	{ SAR_TIMEOUTERR, UK_E_TIMEOUT, REASON_NONE },
	{ SAR_NOTINITIALIZEERR, UK_E_UNAVAILABLE, REASON_NONE },
	{ SAR_KEYNOTFOUNTERR, UK_E_NOT_FOUND, REASON_KEY_NOT_FOUND },
	{ SAR_CERTNOTFOUNTERR, UK_E_NOT_FOUND, REASON_CERTIFICATE_NOT_FOUND },
	{ SAR_NO_ROOM, UK_E_LIMIT, REASON_TOKEN_FULL },
	{ SAR_REACH_MAX_CONTAINER_COUNT, UK_E_LIMIT, REASON_TOKEN_FULL },
	{ SAR_KEYUSAGEERR, UK_E_UNSUPPORTED, REASON_ALGORITHM },
	{ SAR_RSAMODULUSLENERR, UK_E_UNSUPPORTED, REASON_ALGORITHM },
	{ SAR_NOTSUPPORTYETERR, UK_E_UNSUPPORTED, REASON_NONE },
};

enum uk_rc
skf_fail(struct token_fault *f, ULONG sar, const char *where)
{
	enum uk_rc rc = UK_E_INTERNAL;
	enum message_reason reason = REASON_NONE;

	for (size_t i = 0; i < sizeof(sars) / sizeof(sars[0]); i++)
		if (sars[i].sar == sar) {
			rc = sars[i].rc;
			reason = sars[i].reason;
		}
	(void)token_fail(f, rc, reason, where);
	f->native = sar;
	return rc;
}

bool
skf_is_gone(ULONG sar)
{
	return sar == SAR_DEVICE_REMOVED || sar == SAR_INVALIDHANDLEERR;
}

enum uk_rc
skf_unfit(struct skf_lib *l, struct token_fault *f, enum message_reason why, const char *where)
{
	l->unfit = why;
	return token_fail(f, UK_E_UNSUPPORTED, why, where);
}

/* The first name of a member that is there counts. */
static bool
resolve(struct skf_lib *l, const struct uk_log *log)
{
	bool whole = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *to = (char *)&l->fn + names[i].at;
		void *fn = NULL;

		memcpy(&fn, to, sizeof(fn));
		if (fn != NULL || (fn = dlsym(l->handle, names[i].name)) != NULL)
			memcpy(to, &fn, sizeof(fn));
		else if (names[i].needed) {
			uk_log(log, UK_LOG_ERROR, "module.incomplete",
			    UK_LS("function", names[i].name));
			whole = false;
		}
	}
	return whole;
}

static const struct skf_quirk *
quirk_of(const char *path)
{
	const char *file = strrchr(path, '/');
	const struct skf_quirk *q = quirks;

	file = file != NULL ? file + 1 : path;
	while (q->file != NULL && fnmatch(q->file, file, 0) != 0)
		q++;
	return q;
}

static uint8_t *
make_room(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p =
	    mmap(NULL, SKF_ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect((char *)p + SKF_ROOM, page, PROT_NONE) != 0)
		abort();
	return p;
}

enum uk_rc
skf_lib_open(const char *path, const struct uk_log *log, struct skf_lib *out, struct token_fault *f)
{
	*out = (struct skf_lib){ .quirk = quirk_of(path) };
	out->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | OWN_SYMBOLS);
	if (out->handle == NULL) {
		const char *why = dlerror();

		uk_log(log, UK_LOG_ERROR, "module.load", UK_LS("module", path), UK_LS("why", why));
		return token_fail(f, UK_E_UNAVAILABLE, REASON_MODULE_LOAD, "dlopen");
	}
	if (!resolve(out, log)) {
		skf_lib_close(out);
		return token_fail(f, UK_E_UNSUPPORTED, REASON_MODULE_INCOMPLETE, "dlsym");
	}
	out->room = make_room();
	return UK_OK;
}

/* Some libraries leave threads behind that would run on in unmapped code. */
void
skf_lib_close(struct skf_lib *l)
{
	if (l->room != NULL)
		(void)munmap(l->room, SKF_ROOM + (size_t)sysconf(_SC_PAGESIZE));
	*l = (struct skf_lib){ 0 };
}

uint8_t *
skf_room(struct skf_lib *l, size_t n)
{
	explicit_bzero(l->room, n < SKF_ROOM ? n : SKF_ROOM);
	return l->room;
}

static ULONG
call_list(struct skf_lib *l, enum skf_list what, HANDLE handle, char *out, ULONG *n)
{
	switch (what) {
	case SKF_DEVICES:
		return l->fn.EnumDev(TRUE, out, n);
	case SKF_APPLICATIONS:
		return l->fn.EnumApplication(handle, out, n);
	case SKF_CONTAINERS:
		return l->fn.EnumContainer(handle, out, n);
	}
	return SAR_INVALIDPARAMERR;
}

/* The asking for the size shows how much of the cell a ULONG is. */
enum uk_rc
skf_names(
    struct skf_lib *l, enum skf_list what, HANDLE handle, struct uk_buf *out, struct token_fault *f)
{
	static const char *const where[] = { [SKF_DEVICES] = "SKF_EnumDev",
		[SKF_APPLICATIONS] = "SKF_EnumApplication",
		[SKF_CONTAINERS] = "SKF_EnumContainer" };
	union skf_cell n = { .wide = POISON };
	struct uk_span list;
	const char *name;
	ULONG sar;

	n.v = 0;
	sar = call_list(l, what, handle, NULL, &n.v);
	if (n.wide >> 32 != POISON >> 32)
		return skf_unfit(l, f, REASON_MODULE_ABI, where[what]);
	if (sar != SAR_OK)
		return skf_fail(f, sar, where[what]);
	if (n.v > SKF_ROOM / 2)
		return token_fail(f, UK_E_LIMIT, REASON_NONE, where[what]);
	(void)skf_room(l, n.v + 1024);
	n.wide = n.v;
	if (n.v != 0 && (sar = call_list(l, what, handle, (char *)l->room, &n.v)) != SAR_OK)
		return skf_fail(f, sar, where[what]);
	/* The last NUL is missing with some, and with some all is when there is nothing. */
	l->room[SKF_ROOM - 1] = l->room[SKF_ROOM - 2] = '\0';
	list = uk_span(l->room, SKF_ROOM);
	while ((name = skf_next(&list)) != NULL)
		uk_buf_put(out, uk_span(name, strlen(name) + 1));
	uk_buf_put_u8(out, 0);
	return uk_buf_failed(out) ? token_fail(f, UK_E_LIMIT, REASON_NONE, where[what]) : UK_OK;
}

const char *
skf_next(struct uk_span *names_left)
{
	const char *name = (const char *)names_left->p;
	const uint8_t *end = names_left->n != 0 ? memchr(name, '\0', names_left->n) : NULL;
	size_t n;

	if (end == NULL || end == names_left->p)
		return NULL;
	n = (size_t)(end - names_left->p) + 1;
	*names_left = uk_span(names_left->p + n, names_left->n - n);
	return name;
}

static ULONG
ulong_at(const uint8_t *p)
{
	ULONG v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* --- DEVINFO: 294 bytes, 296 with padding, 286 of the draft; with 64-bit ULONG 326 or 328 --- */

#define INFO_ROOM 1024
#define INFO_CAPS 198 /* AlgSymCap, packed */
#define INFO_PAD  2
#define INFO_WIDE 300 /* more than any with 32-bit ULONG */

/* The draft has no MaxBufferSize, and some leave it at zero. */
#define DATA_LEAST 64
#define DATA_SAFE  1024

static size_t
written(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0xEE)
		n--;
	return n;
}

/* The compiler's padding is seldom written; where it is, the whole is two bytes longer. */
static bool
is_padded(const uint8_t *p, size_t n)
{
	return n == 296 || (p[INFO_CAPS] == 0xEE && p[INFO_CAPS + 1] == 0xEE);
}

enum uk_rc
skf_devinfo_read(struct skf_lib *l, DEVHANDLE dev, struct skf_devinfo *out, struct token_fault *f)
{
	uint8_t *p = l->room;
	const uint8_t *caps;
	ULONG sar;
	size_t n;

	memset(p, 0xEE, INFO_ROOM);
	sar = l->fn.GetDevInfo(dev, (DEVINFO *)(void *)p);
	if (sar != SAR_OK)
		return skf_fail(f, sar, "SKF_GetDevInfo");
	n = written(p, INFO_ROOM);
	if (n > INFO_WIDE)
		return skf_unfit(l, f, REASON_MODULE_ABI, "SKF_GetDevInfo");
	*out = (struct skf_devinfo){ 0 };
	text_copy(out->manufacturer, sizeof(out->manufacturer),
	    uk_span(p + 2, strnlen((const char *)p + 2, 64)));
	text_copy(
	    out->issuer, sizeof(out->issuer), uk_span(p + 66, strnlen((const char *)p + 66, 64)));
	text_copy(
	    out->label, sizeof(out->label), uk_span(p + 130, strnlen((const char *)p + 130, 32)));
	text_copy(
	    out->serial, sizeof(out->serial), uk_span(p + 162, strnlen((const char *)p + 162, 32)));
	caps = p + INFO_CAPS + (is_padded(p, n) ? INFO_PAD : 0);
	out->asym = ulong_at(caps + 4);
	out->auth_alg = ulong_at(caps + 12);
	out->max_data = ulong_at(caps + 28);
	if (out->max_data < DATA_LEAST || out->max_data > SKF_ROOM / 2)
		out->max_data = DATA_SAFE;
	return UK_OK;
}
