#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_sm2.h"

/* DER of the identifiers, as the standards' numbers come out by hand. */
#define GM_DATA   "\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x01"
#define GM_SIGNED "\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x02"
#define DATA      "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define SIGNED    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define SM3       "\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x11"
#define OID_301_1 "\x06\x09\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x01"
#define OID_501   "\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75"
#define ATTR_TYPE "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"
#define ATTR_SUM  "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"
#define ATTR_TIME "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"
#define ATTR_CERT "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f"

/* Where a reader is: the rest of what it is in. */
struct at {
	const uint8_t *p;
	const uint8_t *end;
};

static size_t
length(struct at *a)
{
	size_t n = *a->p++;

	if (n < 0x80)
		return n;
	assert_in_range(n, 0x81, 0x83);
	for (unsigned k = (unsigned)n & 0x7f, first = 1; k > 0; k--, first = 0) {
		n = first ? 0 : n << 8;
		n |= *a->p++;
	}
	assert_true(n >= 0x80);
	return n;
}

/* The element's contents; *whole: with its header. */
static struct at
next(struct at *a, uint8_t tag, struct uk_span *whole)
{
	const uint8_t *from = a->p;
	struct at in;
	size_t n;

	assert_true(a->p + 2 <= a->end);
	assert_int_equal(*a->p, tag);
	a->p++;
	n = length(a);
	in = (struct at){ a->p, a->p + n };
	assert_true(in.end <= a->end);
	a->p = in.end;
	if (whole != NULL)
		*whole = uk_span(from, (size_t)(in.end - from));
	return in;
}

static void
is(struct at *a, const char *der, size_t n)
{
	assert_true((size_t)(a->end - a->p) >= n);
	assert_memory_equal(a->p, der, n);
	a->p += n;
}
#define IS(a, oid) is(a, oid, sizeof(oid) - 1)

static void
ends(const struct at *a)
{
	assert_ptr_equal(a->p, a->end);
}

/* --- EVP --- */

bool
sm2_holds(EVP_PKEY *key, struct uk_span data, struct uk_span signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool ok;

	assert_int_equal(EVP_DigestVerifyInit(ctx, &pctx, EVP_sm3(), NULL, key), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_id(pctx, "1234567812345678", 16), 1);
	ok = EVP_DigestVerify(ctx, signature.p, signature.n, data.p, data.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* --- the parts --- */

static void
attribute(struct at *a, const struct sm2_signed *want, struct uk_span content, unsigned *seen)
{
	struct at in = next(a, 0x30, NULL), values, v;
	uint8_t sum[32];

	if (memcmp(in.p, ATTR_TYPE, 11) == 0) {
		IS(&in, ATTR_TYPE);
		values = next(&in, 0x31, NULL);
		is(&values, strcmp(want->arc, "gm") == 0 ? GM_DATA : DATA,
		    strcmp(want->arc, "gm") == 0 ? 12 : 11);
		*seen |= 1;
	} else if (memcmp(in.p, ATTR_SUM, 11) == 0) {
		IS(&in, ATTR_SUM);
		values = next(&in, 0x31, NULL);
		v = next(&values, 0x04, NULL);
		assert_int_equal(EVP_Digest(content.p, content.n, sum, NULL, EVP_sm3(), NULL), 1);
		assert_int_equal(v.end - v.p, 32);
		assert_memory_equal(v.p, sum, 32);
		*seen |= 2;
	} else if (memcmp(in.p, ATTR_TIME, 11) == 0) {
		IS(&in, ATTR_TIME);
		values = next(&in, 0x31, NULL);
		(void)next(&values, 0x17, NULL);
		*seen |= 4;
	} else {
		IS(&in, ATTR_CERT);
		values = next(&in, 0x31, NULL);
		(void)next(&values, 0x30, NULL);
		*seen |= 8;
	}
	ends(&values);
	ends(&in);
}

/* What the signature is over: the content, or the attributes as a SET OF. */
static struct uk_buf
signed_bytes(struct at *signer, const struct sm2_signed *want, struct uk_span content)
{
	struct uk_buf tbs;
	struct uk_span whole;
	unsigned seen = 0;
	struct at in;

	uk_buf_init(&tbs, 65536);
	if (!want->attributes) {
		uk_buf_put(&tbs, content);
		return tbs;
	}
	in = next(signer, 0xa0, &whole);
	uk_buf_put_u8(&tbs, 0x31);
	uk_buf_put(&tbs, uk_span(whole.p + 1, whole.n - 1));
	while (in.p < in.end)
		attribute(&in, want, content, &seen);
	assert_int_equal(seen, 15);
	return tbs;
}

static void
signer_holds(struct at *in, const struct sm2_signed *want, struct uk_span content, EVP_PKEY *key)
{
	struct at alg, sig;
	struct uk_buf tbs;

	is(in, "\x02\x01\x01", 3);
	(void)next(in, 0x30, NULL); /* issuer and serial */
	alg = next(in, 0x30, NULL);
	IS(&alg, SM3);
	tbs = signed_bytes(in, want, content);
	alg = next(in, 0x30, NULL);
	if (strcmp(want->signature_oid, "501") == 0)
		IS(&alg, OID_501);
	else
		IS(&alg, OID_301_1);
	ends(&alg);
	sig = next(in, 0x04, NULL);
	ends(in);
	assert_true(sm2_holds(key, uk_buf_span(&tbs), uk_span(sig.p, (size_t)(sig.end - sig.p))));
	tbs.p[0] ^= 1;
	assert_false(sm2_holds(key, uk_buf_span(&tbs), uk_span(sig.p, (size_t)(sig.end - sig.p))));
	uk_buf_fini(&tbs);
}

static void
content_is(struct at *data, const struct sm2_signed *want, struct uk_span content)
{
	struct at in = next(data, 0x30, NULL), octets;

	if (strcmp(want->arc, "gm") == 0)
		IS(&in, GM_DATA);
	else
		IS(&in, DATA);
	if (want->attached) {
		octets = next(&in, 0xa0, NULL);
		octets = next(&octets, 0x04, NULL);
		assert_int_equal(octets.end - octets.p, content.n);
		assert_memory_equal(octets.p, content.p, content.n);
	}
	ends(&in);
}

void
sm2_signed_holds(struct uk_span der, const struct sm2_signed *want, struct uk_span content,
    struct uk_span certificate, EVP_PKEY *key)
{
	struct at all = { der.p, der.p + der.n }, message = next(&all, 0x30, NULL), data, in;

	ends(&all);
	if (strcmp(want->arc, "gm") == 0)
		IS(&message, GM_SIGNED);
	else
		IS(&message, SIGNED);
	in = next(&message, 0xa0, NULL);
	ends(&message);
	data = next(&in, 0x30, NULL);
	ends(&in);
	is(&data, "\x02\x01\x01", 3);
	in = next(&data, 0x31, NULL);
	in = next(&in, 0x30, NULL);
	IS(&in, SM3);
	content_is(&data, want, content);
	in = next(&data, 0xa0, NULL);
	assert_int_equal(in.end - in.p, certificate.n);
	assert_memory_equal(in.p, certificate.p, certificate.n);
	in = next(&data, 0x31, NULL);
	ends(&data);
	data = next(&in, 0x30, NULL);
	ends(&in);
	signer_holds(&data, want, content, key);
}
