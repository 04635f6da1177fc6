/* C_SignInit and C_Sign of a module, by itself or with `p11-kit server` behind it. */
#include <string.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include "bench.h"

#define WARM_UP 50

/* RFC 8017 section 9.2, note 1. */
static const uint8_t digest_info[19] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
	0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };

static void
must(CK_RV rv, const char *what)
{
	if (rv != CKR_OK)
		bench_fail(what, (long)rv);
}

/* The slot with a token that is initialised. */
static CK_SLOT_ID
find_slot(CK_FUNCTION_LIST *m)
{
	CK_SLOT_ID slots[16];
	CK_TOKEN_INFO info;
	CK_ULONG n = 16;

	must(m->C_GetSlotList(CK_TRUE, slots, &n), "C_GetSlotList");
	for (CK_ULONG i = 0; i < n; i++)
		if (m->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
		    (info.flags & CKF_TOKEN_INITIALIZED) != 0)
			return slots[i];
	bench_fail("no token", 0);
}

static CK_OBJECT_HANDLE
find_key(CK_FUNCTION_LIST *m, CK_SESSION_HANDLE s, bool ec)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = ec ? CKK_EC : CKK_RSA;
	CK_ATTRIBUTE t[] = { { CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) } };
	CK_OBJECT_HANDLE h = CK_INVALID_HANDLE;
	CK_ULONG n = 0;

	must(m->C_FindObjectsInit(s, t, 2), "C_FindObjectsInit");
	must(m->C_FindObjects(s, &h, 1, &n), "C_FindObjects");
	must(m->C_FindObjectsFinal(s), "C_FindObjectsFinal");
	if (n != 1)
		bench_fail("no key", 0);
	return h;
}

static void
sign_one(CK_FUNCTION_LIST *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key, bool ec, uint8_t seed)
{
	CK_MECHANISM how = { ec ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0 };
	CK_BYTE in[sizeof(digest_info) + 32], out[512];
	CK_ULONG n = sizeof(out), head = ec ? 0 : sizeof(digest_info);

	memcpy(in, digest_info, head);
	memset(in + head, seed, 32);
	must(m->C_SignInit(s, &how, key), "C_SignInit");
	must(m->C_Sign(s, in, head + 32, out, &n), "C_Sign");
}

void
bench_pkcs11(const char *module, const char *pin, bool ec, size_t n)
{
	CK_FUNCTION_LIST *m = p11_kit_module_load(module, P11_KIT_MODULE_UNMANAGED);
	CK_SESSION_HANDLE s = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE key;
	struct bench b;

	if (m == NULL)
		bench_fail(p11_kit_message(), 0);
	must(m->C_Initialize(NULL), "C_Initialize");
	must(m->C_OpenSession(find_slot(m), CKF_SERIAL_SESSION, NULL, NULL, &s), "C_OpenSession");
	must(m->C_Login(s, CKU_USER, (CK_BYTE *)(uintptr_t)pin, strlen(pin)), "C_Login");
	key = find_key(m, s, ec);
	for (int i = 0; i < WARM_UP; i++)
		sign_one(m, s, key, ec, (uint8_t)i);
	bench_init(&b, "pkcs11", n);
	for (size_t i = 0; i < n; i++) {
		const double from = bench_now();

		sign_one(m, s, key, ec, (uint8_t)i);
		bench_add(&b, bench_now() - from);
	}
	bench_end(&b);
	(void)m->C_Finalize(NULL);
}
