/* GB/T 32918 and GB/T 32907: the standards' own examples, where a random number is fixed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "soft/cipher.h"
#include "soft/sm2.h"
#include "soft/sm2_curve.h"

static void
hex(const char *digits, uint8_t *out, size_t n)
{
	unsigned v;

	assert_int_equal(strlen(digits), 2 * n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sscanf(digits + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
}

#define D "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
#define P                                                                                          \
	"09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"                         \
	"CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"

/* GB/T 32918.5 annex A */
static void
signature(void **state)
{
	uint8_t d[32], xy[64], z[32] = { 0 }, e[32], rs[64], right[32], e_right[32];
	const struct uk_span parts[2] = { uk_span(z, 32), uk_span("message digest", 14) };
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key;

	(void)state;
	hex(D, d, 32);
	hex(P, xy, 64);
	assert_true(sm2_matches(d, xy));
	hex("B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3", right, 32);
	assert_true(sm2_z(xy, uk_span_str(SM2_ID), z));
	assert_memory_equal(z, right, 32);
	hex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640", e_right, 32);
	assert_true(sm2_sm3(parts, 2, e));
	assert_memory_equal(e, e_right, 32);
	hex("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
	    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA",
	    rs, 64);
	assert_true(sm2_verify(xy, e, rs));
	rs[63] ^= 1;
	assert_false(sm2_verify(xy, e, rs));
	key = sm2_key(d, xy);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_true(sm2_sign(ctx, e, rs));
	assert_true(sm2_verify(xy, e, rs));
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

/* GB/T 32918.5 annex C */
static void
encryption(void **state)
{
	uint8_t d[32], c1[64], c2[19], c3[32], plain[19];

	(void)state;
	hex(D, d, 32);
	hex("04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73"
	    "E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0",
	    c1, 64);
	hex("21886CA989CA9C7D58087307CA93092D651EFA", c2, 19);
	hex("59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766", c3, 32);
	assert_true(sm2_decrypt(d, c1, c3, uk_span(c2, sizeof(c2)), plain));
	assert_memory_equal(plain, "encryption standard", 19);
	c3[0] ^= 1;
	assert_false(sm2_decrypt(d, c1, c3, uk_span(c2, sizeof(c2)), plain));
	c3[0] ^= 1;
	c1[63] ^= 1;
	assert_false(sm2_decrypt(d, c1, c3, uk_span(c2, sizeof(c2)), plain));
}

/* A single byte: a mask of zero comes up often, and must not be used. */
static void
short_texts(void **state)
{
	uint8_t d[32], xy[64], c1[64], c3[32], c2[3], plain[3];

	(void)state;
	assert_true(sm2_generate(d, xy));
	for (int i = 0; i < 300; i++) {
		const size_t n = 1 + (size_t)i % 3;

		assert_true(sm2_encrypt(xy, uk_span("abc", n), c1, c3, c2));
		assert_memory_not_equal(c2, "abc", n);
		assert_true(sm2_decrypt(d, c1, c3, uk_span(c2, n), plain));
		assert_memory_equal(plain, "abc", n);
	}
	assert_false(sm2_encrypt(xy, uk_span("", 0), c1, c3, c2));
}

/* GB/T 32918.5 annex B: both sides, and the key of the example. */
static void
agreement(void **state)
{
	uint8_t a[32], pa[64], ra[32], ra_xy[64], b[32], pb[64], rb[32], rb_xy[64], key[16],
	    right[16];
	struct sm2_side s;

	(void)state;
	hex("81EB26E941BB5AF16DF116495F90695272AE2CD63D6C4AE1678418BE48230029", a, 32);
	hex("160E12897DF4EDB61DD812FEB96748FBD3CCF4FFE26AA6F6DB9540AF49C94232"
	    "4A7DAD08BB9A459531694BEB20AA489D6649975E1BFCF8C4741B78B4B223007F",
	    pa, 64);
	hex("D4DE15474DB74D06491C440D305E012400990F3E390C7E87153C12DB2EA60BB3", ra, 32);
	hex("785129917D45A9EA5437A59356B82338EAADDA6CEB199088F14AE10DEFA229B5", b, 32);
	hex("7E07124814B309489125EAED101113164EBF0F3458C5BD88335C1F9D596243D6", rb, 32);
	hex("6C89347354DE2484C60B4AB1FDE4C6E5", right, 16);
	assert_true(sm2_matches(a, pa));
	{
		BIGNUM *n[3] = { sm2_private(b), sm2_private(ra), sm2_private(rb) };
		uint8_t *const out[3] = { pb, ra_xy, rb_xy };
		EC_POINT *p = EC_POINT_new(sm2_group());

		for (int i = 0; i < 3; i++) {
			assert_int_equal(EC_POINT_mul(sm2_group(), p, n[i], NULL, NULL, NULL), 1);
			assert_true(sm2_point_get(p, out[i]));
			BN_clear_free(n[i]);
		}
		EC_POINT_free(p);
	}
	s = (struct sm2_side){ .d = a, .r = ra, .r_xy = ra_xy, .peer_xy = pb, .peer_r_xy = rb_xy };
	assert_true(sm2_z(pa, uk_span_str(SM2_ID), s.z));
	assert_true(sm2_z(pb, uk_span_str(SM2_ID), s.z + 32));
	assert_true(sm2_agree(&s, key, sizeof(key)));
	assert_memory_equal(key, right, 16);
	s.d = b;
	s.r = rb;
	s.r_xy = rb_xy;
	s.peer_xy = pa;
	s.peer_r_xy = ra_xy;
	assert_true(sm2_agree(&s, key, sizeof(key)));
	assert_memory_equal(key, right, 16);
}

static void
ranges(void **state)
{
	uint8_t n[32], zero[32] = { 0 };

	(void)state;
	hex("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54122", n, 32);
	assert_null(sm2_private(zero));
	assert_null(sm2_private(n)); /* n - 1 */
	n[31]--;
	BN_clear_free(sm2_private(n));
	n[31] += 2;
	assert_null(sm2_private(n)); /* n */
}

/* GB/T 32907 A.2: a million times. */
static void
sm4(void **state)
{
	const BLOCKCIPHERPARAM none = { 0 };
	uint8_t key[16], text[16], right[16];
	struct cipher *c = NULL;
	ULONG n;

	(void)state;
	hex("0123456789ABCDEFFEDCBA9876543210", key, 16);
	hex("595298C7C6FD271F0402F804C33D3F66", right, 16);
	memcpy(text, key, 16);
	assert_int_equal(cipher_new(SGD_SM4_ECB, key, &c), SAR_OK);
	assert_int_equal(cipher_init(c, true, &none), SAR_OK);
	for (int i = 0; i < 1000000; i++) {
		n = 16;
		assert_int_equal(cipher_update(c, true, uk_span(text, 16), text, &n), SAR_OK);
	}
	assert_memory_equal(text, right, 16);
	cipher_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature),
		cmocka_unit_test(encryption),
		cmocka_unit_test(short_texts),
		cmocka_unit_test(agreement),
		cmocka_unit_test(ranges),
		cmocka_unit_test(sm4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
