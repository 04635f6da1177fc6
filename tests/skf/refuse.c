/* Each function refuses what is no handle, or another's, and NULL where something is needed. */
#include "calls.h"

struct handles {
	HANDLE of[IS__MAX];
	HANDLE closed;
};

static void
make(struct handles *h)
{
	static uint8_t id[] = "someone";
	const struct skf *m = &place()->m;
	ECCPUBLICKEYBLOB sign, enc, temp;
	BLOCKCIPHERPARAM none = { .IVLen = 16 };
	uint8_t key[16] = { 1 }, wrapped[CIPHER_LEN(16)];

	h->of[IS_DEVICE] = connected();
	h->of[IS_APP] = application(h->of[IS_DEVICE]);
	log_in(h->of[IS_APP]);
	h->of[IS_CONTAINER] = dual_container(h->of[IS_APP], "c", &sign, &enc);
	encrypt_for(&enc, key, 16, (ECCCIPHERBLOB *)(void *)wrapped);
	ok(m->ImportSessionKey(
	    h->of[IS_CONTAINER], SGD_SM4_CBC, wrapped, sizeof(wrapped), &h->of[IS_KEY]));
	ok(m->DigestInit(h->of[IS_DEVICE], SGD_SM3, NULL, NULL, 0, &h->of[IS_HASH]));
	ok(m->MacInit(h->of[IS_KEY], &none, &h->of[IS_MAC]));
	ok(m->GenerateAgreementDataWithECC(
	    h->of[IS_CONTAINER], SGD_SM4_ECB, &temp, id, sizeof(id), &h->of[IS_AGREEMENT]));
	ok(m->DigestInit(h->of[IS_DEVICE], SGD_SM3, NULL, NULL, 0, &h->closed));
	ok(m->CloseHandle(h->closed));
}

/* CloseHandle takes several kinds. */
static bool
fits(enum is wanted, int kind)
{
	return wanted == IS_ANY ? kind >= IS_KEY : (int)wanted == kind;
}

static void
refuses(enum function f, HANDLE h, const char *which)
{
	const ULONG rv = call(f, h, -1);

	if (rv != SAR_INVALIDHANDLEERR && rv != ABSENT)
		fail_msg("SKF_%s with %s: 0x%08X", rows[f].name, which, rv);
}

static void
wrong_handles(void **state)
{
	static const char *const kinds[] = { "none", "a UKEY", "an application", "a container",
		"a key", "a hash", "a MAC", "an agreement", "any" };
	struct handles h = { 0 };
	int near;

	(void)state;
	make(&h);
	for (enum function f = 0; f < F__MAX; f++) {
		if (rows[f].handle == IS_NONE)
			continue;
		refuses(f, NULL, "NULL");
		refuses(f, &near, "an address");
		refuses(f, (HANDLE)UINTPTR_MAX, "all ones");
		refuses(f, h.closed, "what was closed");
		for (int k = IS_DEVICE; k < IS_ANY; k++)
			if (!fits(rows[f].handle, k))
				refuses(f, h.of[k], kinds[k]);
	}
	done(h.of[IS_DEVICE]);
}

static void
nulls(void **state)
{
	struct handles h = { 0 };

	(void)state;
	make(&h);
	for (enum function f = 0; f < F__MAX; f++)
		for (unsigned i = 0; i < rows[f].pointers; i++) {
			const ULONG rv = call(f, h.of[rows[f].handle], (int)i);

			if (rv != SAR_INVALIDPARAMERR && rv != ABSENT)
				fail_msg("SKF_%s without pointer %u: 0x%08X", rows[f].name, i, rv);
		}
	done(h.of[IS_DEVICE]);
}

/* Not in the standard: either done, or said to be not supported. */
static void
outside(void **state)
{
	static const enum function some[] = { F_GenExtRSAKey, F_ExtRSAPriKeyOperation,
		F_ExtECCDecrypt, F_ExtECCSign };
	DEVHANDLE h = connected();

	(void)state;
	for (size_t i = 0; place()->software && i < sizeof(some) / sizeof(some[0]); i++)
		assert_int_equal(call(some[i], h, -1), SAR_NOTSUPPORTYETERR);
	ok(place()->m.DisConnectDev(h));
}

/* Handles run out, and come back. */
static void
many_handles(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HANDLE *all = calloc(10000, sizeof(*all));
	size_t n = 0;

	(void)state;
	assert_non_null(all);
	while (n < 10000 && m->DigestInit(h, SGD_SM3, NULL, NULL, 0, &all[n]) == SAR_OK)
		n++;
	assert_true(n > 16);
	for (size_t i = 1; i < n; i++)
		assert_ptr_not_equal(all[i], all[i - 1]);
	ok(m->CloseHandle(all[0]));
	ok(m->DigestInit(h, SGD_SM3, NULL, NULL, 0, &all[1]));
	assert_ptr_not_equal(all[0], all[1]); /* its place, not its handle */
	assert_int_equal(m->CloseHandle(all[0]), SAR_INVALIDHANDLEERR);
	ok(m->DisConnectDev(h));
	assert_int_equal(m->CloseHandle(all[1]), SAR_INVALIDHANDLEERR);
	free(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_handles),
		cmocka_unit_test(nulls),
		cmocka_unit_test(outside),
		cmocka_unit_test(many_handles),
	};

	return cmocka_run_group_tests(tests, place_open, place_close);
}
