/* What a question about a certificate's status may look like, and the DER it is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "ca/der_read.h"
#include "ca/ocsp.h"
#include "ca_place.h"

/* --- DER --- */

static void
der_reads(void **state)
{
	static const uint8_t bytes[] = { 0x30, 0x0b, 0x02, 0x02, 0x00, 0x80, 0x03, 0x02, 0x00, 0xff,
		0x06, 0x01, 0x2a, 0x05, 0x00 };
	struct der_in all = der_in(uk_span(bytes, sizeof(bytes)));
	struct der_in seq = der_enter(&all, DER_SEQUENCE);

	(void)state;
	assert_true(uk_span_eq(der_take_positive(&seq), uk_span("\x80", 1)));
	assert_true(uk_span_eq(der_take_bits(&seq), uk_span("\xff", 1)));
	assert_true(der_oid_is(der_take(&seq, DER_OID), "1.2"));
	assert_true(der_ended(&seq));
	assert_false(der_ended(&all));
	assert_true(der_is(&all, DER_NULL));
	assert_int_equal(der_take_whole(&all, DER_NULL).n, 2);
	assert_true(der_ended(&all));
	(void)der_take(&all, DER_NULL);
	assert_true(all.failed && !der_ended(&all));
}

struct bad_row {
	const char *bytes;
	size_t n;
};

static void
der_refuses(void **state)
{
	static const struct bad_row lengths[] = {
		{ "", 0 }, { "\x04", 1 }, { "\x04\x01", 2 }, /* cut off */
		{ "\x04\x80\x00\x00", 4 },                   /* indefinite */
		{ "\x04\x81\x01\xff", 4 },                   /* long form of a short one */
		{ "\x04\x82\x00\x80", 4 },                   /* leading zero */
		{ "\x04\x85\x01\x00\x00\x00\x00", 7 },       /* longer than we read */
		{ "\x04\x84\xff\xff\xff\xff", 6 },           /* longer than there is */
		{ "\x05\x00", 2 },                           /* another tag */
	};
	static const struct bad_row integers[] = {
		{ "\x02\x00", 2 }, { "\x02\x01\x00", 3 }, /* zero is not positive */
		{ "\x02\x01\x80", 3 },                    /* negative */
		{ "\x02\x02\x00\x7f", 4 },                /* not minimal */
	};
	static const struct bad_row times[] = {
		{ "\x17\x0d"
		  "261332063000Z",
		    15 }, /* no such month */
		{ "\x17\x0d"
		  "260230063000Z",
		    15 }, /* no such day */
		{ "\x17\x0d"
		  "261122246000Z",
		    15 },
		{ "\x17\x0b"
		  "2611220630Z",
		    13 }, /* without seconds */
		{ "\x17\x0d"
		  "26112206300aZ",
		    15 },
		{ "\x18\x0d"
		  "261122063000Z",
		    15 },
		{ "\x17\x0d"
		  "2611220630000",
		    15 }, /* without Z */
	};
	int64_t t;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct der_in in = der_in(uk_span(lengths[i].bytes, lengths[i].n));

		assert_int_equal(der_take(&in, DER_OCTETS).n, 0);
		assert_true(in.failed);
	}
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		struct der_in in = der_in(uk_span(integers[i].bytes, integers[i].n));

		assert_int_equal(der_take_positive(&in).n, 0);
		assert_true(in.failed);
	}
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct der_in in = der_in(uk_span(times[i].bytes, times[i].n));

		assert_false(der_take_time(&in, &t));
	}
}

static void
der_times_come_back(void **state)
{
	static const int64_t all[] = { 0, 951782400, 1795329000, 2524607999, 2524608000,
		4102444800 };
	struct uk_buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (int generalized = 0; generalized < 2; generalized++) {
			struct der_in in;
			int64_t t = -1;

			uk_buf_init(&b, 32);
			if (generalized)
				der_put_generalized(&b, all[i]);
			else
				der_put_time(&b, all[i]);
			in = der_in(uk_buf_span(&b));
			assert_true(der_take_time(&in, &t) && der_ended(&in));
			assert_int_equal(t, all[i]);
			uk_buf_fini(&b);
		}
}

/* --- requests --- */

/* What is put into one; a member that is NULL or 0 is left out, or as usual. */
struct wish {
	const char *digest; /* the CertIDs' */
	size_t n;           /* CertIDs; 0: one */
	struct uk_span serial;
	const char *version;  /* one byte */
	const char *critical; /* OID of an extension */
	struct uk_span nonce; /* the extension's value */
	bool single;          /* the extension is the CertID's */
	bool requestor;
	bool is_signed;
	bool trailing;
};

static void
put_cert_id(struct uk_buf *b, const struct place *p, const struct wish *w)
{
	const char *oid = w->digest != NULL ? w->digest : "2.16.840.1.101.3.4.2.1";
	const size_t at = der_begin(b, DER_SEQUENCE), alg = der_begin(b, DER_SEQUENCE);
	struct uk_buf spki;
	uint8_t sum[32];

	der_put_oid(b, oid);
	der_put(b, DER_NULL, uk_span(NULL, 0));
	der_end(b, alg);
	uk_buf_init(&spki, 1024);
	assert_int_equal(uk_pubkey_spki(uk_cert_pubkey(authority_issuer(p->a)), &spki), UK_OK);
	uk_sha256(authority_name(p->a), sum);
	der_put(b, DER_OCTETS, uk_span(sum, sizeof(sum)));
	uk_sha256(uk_span(spki.p + 26, 65), sum);
	der_put(b, DER_OCTETS, uk_span(sum, sizeof(sum)));
	if (w->serial.p != NULL)
		der_put(b, DER_INTEGER, w->serial);
	else
		der_put(b, DER_INTEGER, uk_span("\x00\xff", 2));
	der_end(b, at);
	uk_buf_fini(&spki);
}

static void
put_extension(struct uk_buf *b, uint8_t tag, const struct wish *w)
{
	const size_t at = der_begin(b, tag), list = der_begin(b, DER_SEQUENCE);
	struct der_extension e;

	if (w->critical != NULL)
		e = der_extension_begin(b, w->critical, true);
	else
		e = der_extension_begin(b, "1.3.6.1.5.5.7.48.1.2", false);
	uk_buf_put(b, w->critical != NULL ? uk_span("\x05\x00", 2) : w->nonce);
	der_extension_end(b, e);
	der_end(b, list);
	der_end(b, at);
}

static enum uk_rc
ask(const struct place *p, const struct wish *w, struct uk_buf *b, struct ocsp_request *out)
{
	const bool extension = w->critical != NULL || w->nonce.p != NULL;
	size_t whole, tbs, list, at;

	uk_buf_init(b, 65536);
	whole = der_begin(b, DER_SEQUENCE);
	tbs = der_begin(b, DER_SEQUENCE);
	if (w->version != NULL) {
		at = der_begin(b, DER_EXPLICIT(0));
		der_put(b, DER_INTEGER, uk_span(w->version, 1));
		der_end(b, at);
	}
	if (w->requestor)
		der_put(b, DER_EXPLICIT(1), uk_span("\x86\x01x", 3));
	list = der_begin(b, DER_SEQUENCE);
	for (size_t i = 0; i < (w->n != 0 ? w->n : 1); i++) {
		at = der_begin(b, DER_SEQUENCE);
		put_cert_id(b, p, w);
		if (extension && w->single)
			put_extension(b, DER_EXPLICIT(0), w);
		der_end(b, at);
	}
	der_end(b, list);
	if (extension && !w->single)
		put_extension(b, DER_EXPLICIT(2), w);
	der_end(b, tbs);
	if (w->is_signed)
		der_put(b, DER_EXPLICIT(0), uk_span("\x30\x00", 2));
	der_end(b, whole);
	if (w->trailing)
		uk_buf_put_u8(b, 0);
	return ocsp_request_read(authority_issuer(p->a), uk_buf_span(b), out, NULL);
}

static void
requests_are_read(void **state)
{
	static const struct wish rows[] = {
		{ 0 },
		{ .version = "\x00" },
		{ .requestor = true, .is_signed = true },
		{ .n = OCSP_ASKED_MAX },
		{ .nonce = { (const uint8_t *)"\x04\x01n", 3 } },
		{ .nonce = { (const uint8_t *)"whatever", 8 }, .single = true },
	};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ocsp_request rq;
		struct uk_buf b;

		assert_int_equal(ask(p, &rows[i], &b, &rq), UK_OK);
		assert_int_equal(rq.n, rows[i].n != 0 ? rows[i].n : 1);
		assert_string_equal(rq.asked[rq.n - 1].serial, "ff");
		assert_true(rq.asked[rq.n - 1].ours);
		assert_int_equal(rq.nonce.n, rows[i].single ? 0 : rows[i].nonce.n);
		uk_buf_fini(&b);
	}
}

/* Of another CA, or named by a digest that is not the one, or that nobody should use. */
static void
others_are_not_ours(void **state)
{
	static const struct wish md5 = { .digest = "1.2.840.113549.2.5" };
	static const struct wish sm3 = { .digest = "1.2.156.10197.1.401" };
	static const struct wish usual = { 0 };
	const struct place *p = *state;
	struct ocsp_request rq;
	struct place other;
	struct uk_buf b;

	assert_int_equal(ask(p, &md5, &b, &rq), UK_OK);
	assert_false(rq.asked[0].ours);
	uk_buf_fini(&b);
	assert_int_equal(ask(p, &sm3, &b, &rq), UK_OK);
	assert_false(rq.asked[0].ours);
	uk_buf_fini(&b);
	place_init(&other, "p256", PLACE_NOW);
	assert_int_equal(ask(&other, &usual, &b, &rq), UK_OK);
	assert_true(rq.asked[0].ours);
	assert_int_equal(
	    ocsp_request_read(authority_issuer(p->a), uk_buf_span(&b), &rq, NULL), UK_OK);
	assert_false(rq.asked[0].ours);
	uk_buf_fini(&b);
	place_fini(&other);
}

static void
requests_are_refused(void **state)
{
	static const uint8_t long_nonce[3 + 129] = { 0x04, 0x81, 129 };
	static const struct wish rows[] = {
		{ .trailing = true },
		{ .version = "\x01" },
		{ .n = OCSP_ASKED_MAX + 1 },
		{ .critical = "1.2.3.4" },
		{ .critical = "1.2.3.4", .single = true },
		{ .nonce = { (const uint8_t *)"nonce", 5 } },
		{ .nonce = { (const uint8_t *)"\x04\x00", 2 } },
		{ .nonce = { long_nonce, sizeof(long_nonce) } },
		{ .serial = { (const uint8_t *)"\x00", 1 } },
		{ .serial = { (const uint8_t *)"\xff", 1 } },
		{ .serial = { (const uint8_t
				      *)"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e"
					"\x0f\x10\x11\x12\x13\x14\x15",
		      21 } },
	};
	const struct place *p = *state;
	struct ocsp_request rq;
	struct uk_buf b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_not_equal(ask(p, &rows[i], &b, &rq), UK_OK);
		uk_buf_fini(&b);
	}
	assert_int_equal(
	    ocsp_request_read(authority_issuer(p->a), uk_span("\x30\x00", 2), &rq, NULL),
	    UK_E_INPUT);
	/* cut off anywhere */
	assert_int_equal(ask(p, &rows[0], &b, &rq), UK_E_INPUT);
	for (size_t n = 0; n + 1 < b.n; n++)
		assert_int_equal(
		    ocsp_request_read(authority_issuer(p->a), uk_span(b.p, n), &rq, NULL),
		    UK_E_INPUT);
	uk_buf_fini(&b);
}

static int
setup(void **state)
{
	struct place *p = uk_xalloc(sizeof(*p));

	place_init(p, "p256", PLACE_NOW);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	place_fini(*state);
	free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(der_reads),
		cmocka_unit_test(der_refuses),
		cmocka_unit_test(der_times_come_back),
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(others_are_not_ours),
		cmocka_unit_test(requests_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
