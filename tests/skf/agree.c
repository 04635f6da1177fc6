/* Key agreement: both sides come to the same key. */
#include "place.h"

static uint8_t alice[] = "alice@example.com", bob[] = "bob@example.org";

static void
same_key(HANDLE a, HANDLE b, bool same)
{
	const struct skf *m = &place()->m;
	BLOCKCIPHERPARAM none = { 0 };
	uint8_t in[16] = { 1, 2, 3 }, one[16], two[16];
	ULONG n = 16;

	ok(m->EncryptInit(a, none));
	ok(m->Encrypt(a, in, 16, one, &n));
	ok(m->EncryptInit(b, none));
	ok(m->Encrypt(b, in, 16, two, &n));
	assert_int_equal(memcmp(one, two, 16) == 0, same);
}

static void
both_sides(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	ECCPUBLICKEYBLOB sign, key_a, key_b, temp_a, temp_b, off;
	HCONTAINER a, b, only;
	HANDLE agreement, k_a, k_b;

	(void)state;
	log_in(app);
	a = dual_container(app, "a", &sign, &key_a);
	b = dual_container(app, "b", &sign, &key_b);
	only = signing_container(app, "signs", &sign);
	ok(m->GenerateAgreementDataWithECC(
	    a, SGD_SM4_ECB, &temp_a, alice, sizeof(alice), &agreement));
	ok(m->GenerateAgreementDataAndKeyWithECC(b, SGD_SM4_ECB, &key_a, &temp_a, &temp_b, bob,
	    sizeof(bob), alice, sizeof(alice), &k_b));
	ok(m->GenerateKeyWithECC(agreement, &key_b, &temp_b, bob, sizeof(bob), &k_a));
	same_key(k_a, k_b, true);
	ok(m->CloseHandle(k_a));
	/* another ID is another key */
	ok(m->GenerateKeyWithECC(agreement, &key_b, &temp_b, alice, sizeof(alice), &k_a));
	same_key(k_a, k_b, false);
	off = temp_b;
	off.XCoordinate[63] ^= 1;
	assert_int_not_equal(
	    m->GenerateKeyWithECC(agreement, &key_b, &off, bob, sizeof(bob), &k_a), SAR_OK);
	assert_int_not_equal(
	    m->GenerateKeyWithECC(agreement, &off, &temp_b, bob, sizeof(bob), &k_a), SAR_OK);
	assert_int_equal(m->GenerateKeyWithECC(k_b, &key_b, &temp_b, bob, sizeof(bob), &k_a),
	    SAR_INVALIDHANDLEERR);
	assert_int_equal(
	    m->GenerateKeyWithECC(agreement, &key_b, &temp_b, bob, 0, &k_a), SAR_INDATALENERR);
	assert_int_equal(m->GenerateAgreementDataWithECC(
			     only, SGD_SM4_ECB, &temp_a, alice, sizeof(alice), &agreement),
	    SAR_KEYNOTFOUNTERR);
	assert_int_equal(m->GenerateAgreementDataWithECC(
			     a, SGD_SM1_ECB, &temp_a, alice, sizeof(alice), &agreement),
	    SAR_NOTSUPPORTYETERR);
	ok(m->CloseHandle(agreement));
	assert_int_equal(m->GenerateKeyWithECC(agreement, &key_b, &temp_b, bob, sizeof(bob), &k_a),
	    SAR_INVALIDHANDLEERR);
	ok(m->ClearSecureState(app));
	assert_int_equal(m->GenerateAgreementDataWithECC(
			     a, SGD_SM4_ECB, &temp_a, alice, sizeof(alice), &agreement),
	    SAR_USER_NOT_LOGGED_IN);
	done(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(both_sides) };

	return cmocka_run_group_tests(tests, place_open, place_close);
}
