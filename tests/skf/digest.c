/* SM3, with and without Z, SHA-1, SHA-256. */
#include "place.h"

static const char sm3_abc[] = "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0";
static const char sm3_64[] = "DEBE9FF92275B8A138604889C18E5A4D6FDB70E5387E5765293DCBA39C0C5732";
static const char sha1_abc[] = "A9993E364706816ABA3E25717850C26C9CD0D89D";
static const char sha256_abc[] = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";

static void
digest_is(DEVHANDLE h, ULONG id, const char *text, const char *right)
{
	const struct skf *m = &place()->m;
	const ULONG len = (ULONG)strlen(right) / 2;
	uint8_t want[32], out[32];
	HANDLE d;
	ULONG n = 0;

	hex(right, want, len);
	ok(m->DigestInit(h, id, NULL, NULL, 0, &d));
	ok(m->Digest(d, (BYTE *)S(text), (ULONG)strlen(text), NULL, &n));
	assert_int_equal(n, len);
	n--;
	assert_int_equal(
	    m->Digest(d, (BYTE *)S(text), (ULONG)strlen(text), out, &n), SAR_BUFFER_TOO_SMALL);
	ok(m->Digest(d, (BYTE *)S(text), (ULONG)strlen(text), out, &n));
	assert_memory_equal(out, want, len);
	ok(m->CloseHandle(d));
	ok(m->DigestInit(h, id, NULL, NULL, 0, &d));
	for (const char *p = text; *p != '\0'; p++)
		ok(m->DigestUpdate(d, (BYTE *)S(p), 1));
	memset(out, 0, sizeof(out));
	n = sizeof(out);
	ok(m->DigestFinal(d, out, &n));
	assert_memory_equal(out, want, len);
	assert_int_not_equal(m->DigestUpdate(d, (BYTE *)S(text), 1), SAR_OK);
	assert_int_not_equal(m->DigestFinal(d, out, &n), SAR_OK);
	ok(m->CloseHandle(d));
}

static void
vectors(void **state)
{
	DEVHANDLE h = connected();

	(void)state;
	digest_is(h, SGD_SM3, "abc", sm3_abc);
	digest_is(
	    h, SGD_SM3, "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd", sm3_64);
	digest_is(h, SGD_SHA1, "abc", sha1_abc);
	digest_is(h, SGD_SHA256, "abc", sha256_abc);
	ok(place()->m.DisConnectDev(h));
}

/* GB/T 32918.5: e of "message digest". */
static void
with_z(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	ECCPUBLICKEYBLOB key;
	uint8_t xy[64], e[32], out[32];
	HANDLE d;
	ULONG n = 32;

	(void)state;
	hex("09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
	    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13",
	    xy, 64);
	hex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640", e, 32);
	public_put(xy, &key);
	ok(m->DigestInit(h, SGD_SM3, &key, (BYTE *)S("1234567812345678"), 16, &d));
	ok(m->Digest(d, (BYTE *)S("message digest"), 14, out, &n));
	assert_memory_equal(out, e, 32);
	ok(m->CloseHandle(d));
	assert_int_equal(m->DigestInit(h, SGD_SM3, NULL, (BYTE *)S("1234567812345678"), 16, &d),
	    SAR_INVALIDPARAMERR);
	assert_int_equal(m->DigestInit(h, SGD_SM3, &key, NULL, 16, &d), SAR_INVALIDPARAMERR);
	assert_int_equal(m->DigestInit(h, 3, NULL, NULL, 0, &d), SAR_INVALIDPARAMERR);
	assert_int_equal(
	    m->DigestInit(h, SGD_SM3, &key, (BYTE *)S("x"), 8192, &d), SAR_INDATALENERR);
	key.YCoordinate[63] ^= 1;
	assert_int_not_equal(m->DigestInit(h, SGD_SM3, &key, (BYTE *)S("x"), 1, &d), SAR_OK);
	ok(m->DisConnectDev(h));
}

static void
random_bytes(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	uint8_t a[64] = { 0 }, b[64] = { 0 };

	(void)state;
	ok(m->GenRandom(h, a, sizeof(a)));
	ok(m->GenRandom(h, b, sizeof(b)));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(m->GenRandom(h, NULL, 8), SAR_INVALIDPARAMERR);
	assert_int_not_equal(m->GenRandom(h, a, 0), SAR_OK);
	ok(m->DisConnectDev(h));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(with_z),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, place_open, place_close);
}
