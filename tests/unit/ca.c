/* The parts of a certificate: DER, names, profiles, and the request it is asked with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ca/der.h"
#include "ca/name.h"
#include "ca/profile.h"
#include "ca/request.h"
#include "ca/tbs.h"

static bool
holds(struct uk_buf *b, const void *want, size_t n)
{
	const bool ok = !uk_buf_failed(b) && uk_span_eq(uk_buf_span(b), uk_span(want, n));

	uk_buf_fini(b);
	return ok;
}

static void
der_lengths(void **state)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 100000 };
	struct uk_buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *bytes = uk_xalloc(sizes[i] + 1);
		ASN1_OCTET_STRING *s;
		const unsigned char *p;

		memset(bytes, 0x5a, sizes[i]);
		uk_buf_init(&b, 200000);
		der_put(&b, DER_OCTETS, uk_span(bytes, sizes[i]));
		p = b.p;
		s = d2i_ASN1_OCTET_STRING(NULL, &p, (long)b.n);
		assert_non_null(s);
		assert_true(p == b.p + b.n);
		assert_int_equal(ASN1_STRING_length(s), sizes[i]);
		ASN1_OCTET_STRING_free(s);
		uk_buf_fini(&b);
		free(bytes);
	}
}

static void
der_nesting_and_failure(void **state)
{
	struct uk_buf b;
	size_t outer, inner;

	(void)state;
	uk_buf_init(&b, 7);
	outer = der_begin(&b, DER_SEQUENCE);
	inner = der_begin(&b, DER_SET);
	der_put_true(&b);
	der_end(&b, inner);
	der_end(&b, outer);
	assert_true(holds(&b, "\x30\x05\x31\x03\x01\x01\xff", 7));
	uk_buf_init(&b, 6);
	outer = der_begin(&b, DER_SEQUENCE);
	inner = der_begin(&b, DER_SET);
	der_put_true(&b);
	der_end(&b, inner);
	der_end(&b, outer);
	assert_true(uk_buf_failed(&b));
	uk_buf_fini(&b);
	/* content fits, its longer length does not */
	uk_buf_init(&b, 130);
	outer = der_begin(&b, DER_OCTETS);
	for (size_t i = 0; i < 128; i++)
		uk_buf_put_u8(&b, 0);
	assert_false(uk_buf_failed(&b));
	der_end(&b, outer);
	assert_true(uk_buf_failed(&b));
	uk_buf_fini(&b);
}

static void
der_integers(void **state)
{
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 32);
	der_put_uint(&b, DER_INTEGER, 0);
	assert_true(holds(&b, "\x02\x01\x00", 3));
	der_put_uint(&b, DER_INTEGER, 127);
	assert_true(holds(&b, "\x02\x01\x7f", 3));
	der_put_uint(&b, DER_INTEGER, 128);
	assert_true(holds(&b, "\x02\x02\x00\x80", 4));
	der_put_uint(&b, DER_ENUM, 256);
	assert_true(holds(&b, "\x0a\x02\x01\x00", 4));
	der_put_uint(&b, DER_INTEGER, UINT64_MAX);
	assert_true(holds(&b, "\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff", 11));
	der_put_integer(&b, uk_span("\x00\x00\x80", 3));
	assert_true(holds(&b, "\x02\x02\x00\x80", 4));
	der_put_integer(&b, uk_span(NULL, 0));
	assert_true(holds(&b, "\x02\x01\x00", 3));
}

static void
der_oids_as_openssl_writes_them(void **state)
{
	static const char *const good[] = { "2.5.4.3", "1.2.156.10260.4.4", "1.2.156.10260.4.1.1.1",
		"1.2.840.113549.1.1.11", "0.0", "1.39.1", "2.40.1", "2.999.1", "2.5.29.32.0",
		"1.3.6.1.4.1.4294967295.1" };
	static const char *const bad[] = { "", "1", "1.", ".1", "3.1", "1.40", "0.40.1", "1.2..3",
		"1.2.", "1.2.x", "1.2.3 ", "-1.2", "1.2.99999999999" };
	struct uk_buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ASN1_OBJECT *o = OBJ_txt2obj(good[i], 1);
		unsigned char *der = NULL;
		const int n = i2d_ASN1_OBJECT(o, &der);

		assert_true(n > 0);
		uk_buf_init(&b, 64);
		der_put_oid(&b, good[i]);
		assert_true(holds(&b, der, (size_t)n));
		OPENSSL_free(der);
		ASN1_OBJECT_free(o);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uk_buf_init(&b, 64);
		der_put_oid(&b, bad[i]);
		assert_true(uk_buf_failed(&b));
		uk_buf_fini(&b);
	}
}

static void
der_bits_and_times(void **state)
{
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 32);
	der_put_named_bits(&b, 0x8000);
	assert_true(holds(&b, "\x03\x02\x07\x80", 4));
	der_put_named_bits(&b, 0xc000);
	assert_true(holds(&b, "\x03\x02\x06\xc0", 4));
	der_put_named_bits(&b, 0x0600);
	assert_true(holds(&b, "\x03\x02\x01\x06", 4));
	der_put_named_bits(&b, 0x0100);
	assert_true(holds(&b, "\x03\x02\x00\x01", 4));
	der_put_named_bits(&b, 0x8080);
	assert_true(holds(&b, "\x03\x03\x07\x80\x80", 5));
	der_put_named_bits(&b, 0);
	assert_true(holds(&b, "\x03\x01\x00", 3));
	der_put_bits(&b, uk_span("\xab", 1));
	assert_true(holds(&b, "\x03\x02\x00\xab", 4));
	der_put_time(&b, 1795329000);
	assert_true(holds(&b,
	    "\x17\x0d"
	    "261122063000Z",
	    15));
	der_put_time(&b, 2524607999); /* the last second of 2049 */
	assert_true(holds(&b,
	    "\x17\x0d"
	    "491231235959Z",
	    15));
	der_put_time(&b, 2524608000);
	assert_true(holds(&b,
	    "\x18\x0f"
	    "20500101000000Z",
	    17));
	der_put_time(&b, INT64_MAX);
	assert_true(uk_buf_failed(&b));
	uk_buf_fini(&b);
	der_put_time(&b, -2000000000); /* 1906: UTCTime would mean 2006 */
	assert_true(uk_buf_failed(&b));
	uk_buf_fini(&b);
}

static void
names_refused(void **state)
{
	struct uk_err err = { 0 };

	(void)state;
	assert_int_equal(name_check("\xe5\xbc\xa0\xe4\xb8\x89", 2, "name", &err), UK_OK);
	assert_int_equal(name_check("\xe5\xbc\xa0\xe4\xb8\x89", 1, "name", &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "wrong-length");
	assert_string_equal(err.field, "name");
	assert_int_equal(name_check("", 2, "name", &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "missing");
	assert_int_equal(name_check(NULL, 2, "name", &err), UK_E_INPUT);
	assert_int_equal(name_check("a\nb", 9, "name", &err), UK_E_INPUT);
	assert_int_equal(name_check("\xff", 9, "name", &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "invalid-input");
}

#define ORGANISATION "\xe5\x8c\x97\xe4\xba\xac\xe7\xa4\xba\xe8\x8c\x83\xe6\x9c\x89\xe9\x99\x90"
#define PERSON       "\xe5\xbc\xa0\xe4\xb8\x89"

struct refusal {
	enum profile_id profile;
	struct profile_subject subject;
	const char *field, *reason; /* NULL: accepted */
};

static void
profiles_say_what_they_need(void **state)
{
	static const struct refusal rows[] = {
		{ PROFILE_ORGANISATION,
		    { .organisation = ORGANISATION, .credit_code = "91110108722619411A" }, NULL,
		    NULL },
		{ PROFILE_ORGANISATION, { .credit_code = "91110108722619411A" }, "organisation",
		    "missing" },
		{ PROFILE_ORGANISATION, { .organisation = ORGANISATION }, "creditCode", "missing" },
		{ PROFILE_ORGANISATION,
		    { .organisation = ORGANISATION, .credit_code = "9111010872261941" },
		    "creditCode", "wrong-length" },
		{ PROFILE_ORGANISATION,
		    { .organisation = ORGANISATION, .credit_code = "91110108722619411a" },
		    "creditCode", "invalid-input" },
		{ PROFILE_PERSON, { .name = PERSON, .id_number = "11010519491231002X" }, NULL,
		    NULL },
		{ PROFILE_PERSON, { .id_number = "11010519491231002X" }, "name", "missing" },
		{ PROFILE_PERSON, { .name = PERSON }, "idNumber", "missing" },
		{ PROFILE_PERSON, { .name = PERSON, .id_number = "11010519491231002*" }, "idNumber",
		    "invalid-input" },
		{ PROFILE_STAFF, { .organisation = "CA", .role = "reviewer", .name = PERSON }, NULL,
		    NULL },
		{ PROFILE_STAFF, { .organisation = "CA", .name = PERSON }, "role", "missing" },
		{ PROFILE_STAFF, { .role = "reviewer", .name = PERSON }, "organisation",
		    "missing" },
		{ PROFILE_STAFF, { .organisation = "CA", .role = "reviewer", .name = "a\x01" },
		    "name", "invalid-input" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct uk_err err = { 0 };
		const enum uk_rc rc =
		    profile_check(rows[i].profile, PROFILE_SIGN, &rows[i].subject, &err);

		assert_int_equal(rc, rows[i].field == NULL ? UK_OK : UK_E_INPUT);
		if (rows[i].field == NULL)
			continue;
		assert_string_equal(err.field, rows[i].field);
		assert_string_equal(uk_err_reason(&err), rows[i].reason);
	}
}

static void
profiles_have_names(void **state)
{
	enum profile_id id = PROFILE__MAX;

	(void)state;
	for (unsigned i = 0; i < PROFILE__MAX; i++) {
		assert_int_equal(profile_from_name(profile_name((enum profile_id)i), &id), UK_OK);
		assert_int_equal(id, i);
	}
	assert_int_equal(profile_from_name("root", &id), UK_E_NOT_FOUND);
}

static void
serials_are_positive_and_differ(void **state)
{
	enum {
		COUNT = 2000
	};
	uint8_t(*all)[TBS_SERIAL] = uk_xalloc((size_t)COUNT * TBS_SERIAL);

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		tbs_serial(&uk_random_system, all[i]);
		assert_in_range(all[i][0], 0x40, 0x7f);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(all[i], all[k], TBS_SERIAL);
	}
	free(all);
}

/* --- requests -------------------------------------------------------------------------------- */

static void
request_of(EVP_PKEY *key, const EVP_MD *md, struct uk_buf *out)
{
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	int n;

	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN",
			     MBSTRING_ASC, (const uint8_t *)"anything", -1, -1, 0),
	    1);
	assert_true(X509_REQ_sign(req, key, md) > 0);
	n = i2d_X509_REQ(req, &der);
	assert_true(n > 0);
	uk_buf_init(out, 2 * REQUEST_MAX);
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	X509_REQ_free(req);
}

static EVP_PKEY *
rsa_key(unsigned bits, unsigned long exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	assert_int_equal(BN_set_word(e, exponent), 1);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* The same P-256 key, written in another way. */
static EVP_PKEY *
written(const char *param, const char *value)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, param, value), 1);
	return key;
}

static void
request_is(EVP_PKEY *key, const EVP_MD *md, enum uk_rc rc, const char *reason)
{
	struct uk_err err = { 0 };
	struct uk_buf der, spki;
	unsigned char *want = NULL;
	int n;

	request_of(key, md, &der);
	uk_buf_init(&spki, SPKI_MAX);
	assert_int_equal(request_read(uk_buf_span(&der), &spki, &err), rc);
	if (rc == UK_OK) {
		n = i2d_PUBKEY(key, &want);
		assert_true(uk_span_eq(uk_buf_span(&spki), uk_span(want, (size_t)n)));
		OPENSSL_free(want);
	} else {
		assert_string_equal(uk_err_reason(&err), reason);
		assert_int_equal(spki.n, 0);
	}
	uk_buf_fini(&spki);
	uk_buf_fini(&der);
	EVP_PKEY_free(key);
}

static void
requests_accepted(void **state)
{
	(void)state;
	request_is(EVP_EC_gen("P-256"), EVP_sha256(), UK_OK, NULL);
	request_is(EVP_EC_gen("P-384"), EVP_sha384(), UK_OK, NULL);
	request_is(rsa_key(2048, 65537), EVP_sha256(), UK_OK, NULL);
	request_is(rsa_key(3072, 65537), EVP_sha512(), UK_OK, NULL);
}

static void
requests_with_keys_not_allowed(void **state)
{
	(void)state;
	request_is(rsa_key(1024, 65537), EVP_sha256(), UK_E_INPUT, "key-not-allowed");
	request_is(rsa_key(2056, 65537), EVP_sha256(), UK_E_INPUT, "key-not-allowed");
	request_is(rsa_key(4096, 65537), EVP_sha256(), UK_E_INPUT, "key-not-allowed");
	request_is(rsa_key(2048, 3), EVP_sha256(), UK_E_INPUT, "key-not-allowed");
	request_is(EVP_EC_gen("P-521"), EVP_sha256(), UK_E_INPUT, "key-not-allowed");
	request_is(EVP_EC_gen("secp256k1"), EVP_sha256(), UK_E_INPUT, "key-not-allowed");
	request_is(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, UK_E_INPUT, "key-not-allowed");
	request_is(written(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"), EVP_sha256(),
	    UK_E_INPUT, "key-not-allowed");
	request_is(written(OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT),
	    EVP_sha256(), UK_E_INPUT, "key-not-allowed");
	request_is(EVP_EC_gen("P-256"), EVP_sha1(), UK_E_INPUT, "digest-not-allowed");
	request_is(rsa_key(2048, 65537), EVP_md5(), UK_E_INPUT, "digest-not-allowed");
}

static void
requests_malformed(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct uk_err err = { 0 };
	struct uk_buf der, spki;

	(void)state;
	request_of(key, EVP_sha256(), &der);
	uk_buf_init(&spki, SPKI_MAX);
	for (size_t i = 0; i < der.n; i++) {
		assert_int_equal(request_read(uk_span(der.p, i), &spki, &err), UK_E_INPUT);
		assert_string_equal(uk_err_reason(&err), "request-malformed");
	}
	for (size_t i = 0; i < der.n; i++) {
		der.p[i] ^= 1;
		assert_int_not_equal(request_read(uk_buf_span(&der), &spki, &err), UK_OK);
		der.p[i] ^= 1;
	}
	der.p[der.n - 1] ^= 1;
	assert_int_equal(request_read(uk_buf_span(&der), &spki, &err), UK_E_INTEGRITY);
	assert_string_equal(uk_err_reason(&err), "request-signature-wrong");
	der.p[der.n - 1] ^= 1;
	uk_buf_fini(&spki);
	uk_buf_init(&spki, 90);
	assert_int_equal(request_read(uk_buf_span(&der), &spki, &err), UK_E_LIMIT);
	uk_buf_put_u8(&der, 0);
	assert_int_equal(request_read(uk_buf_span(&der), &spki, &err), UK_E_INPUT);
	while (der.n <= REQUEST_MAX)
		uk_buf_put_u8(&der, 0);
	assert_int_equal(request_read(uk_buf_span(&der), &spki, &err), UK_E_INPUT);
	uk_buf_fini(&spki);
	uk_buf_fini(&der);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(der_lengths),
		cmocka_unit_test(der_nesting_and_failure),
		cmocka_unit_test(der_integers),
		cmocka_unit_test(der_oids_as_openssl_writes_them),
		cmocka_unit_test(der_bits_and_times),
		cmocka_unit_test(names_refused),
		cmocka_unit_test(profiles_say_what_they_need),
		cmocka_unit_test(profiles_have_names),
		cmocka_unit_test(serials_are_positive_and_differ),
		cmocka_unit_test(requests_accepted),
		cmocka_unit_test(requests_with_keys_not_allowed),
		cmocka_unit_test(requests_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
