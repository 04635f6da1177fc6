/* Payment without a network: money, signatures, answers and notifications taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "net/client.h"
#include "pay/alipay_wire.h"
#include "pay/bank.h"
#include "pay/bank_sign.h"
#include "pay/money.h"
#include "pay/pay.h"
#include "pay/records.h"
#include "uk/b64.h"
#include "uk/hmac.h"

#define NOW INT64_C(1795329000)

static int64_t
now(void *ctx)
{
	(void)ctx;
	return NOW;
}

static const struct uk_clock clock_fixed = { .now = now };

struct keys {
	struct uk_buf ours, our_public, alipays, alipay_public;
	struct rsa2_key *alipay;
};

static int
setup(void **state)
{
	struct keys *k = uk_xalloc(sizeof(*k));

	uk_buf_init(&k->ours, 8192);
	uk_buf_init(&k->our_public, 8192);
	uk_buf_init(&k->alipays, 8192);
	uk_buf_init(&k->alipay_public, 8192);
	assert_int_equal(rsa2_generate(&k->ours, &k->our_public, NULL), UK_OK);
	assert_int_equal(rsa2_generate(&k->alipays, &k->alipay_public, NULL), UK_OK);
	assert_int_equal(rsa2_key_new(uk_buf_str(&k->alipays), &k->alipay, NULL), UK_OK);
	*state = k;
	return 0;
}

static int
teardown(void **state)
{
	struct keys *k = *state;

	rsa2_key_free(&k->alipay);
	uk_buf_fini(&k->ours);
	uk_buf_fini(&k->our_public);
	uk_buf_fini(&k->alipays);
	uk_buf_fini(&k->alipay_public);
	free(k);
	return 0;
}

static struct pay *
open_pay(struct keys *k)
{
	const struct pay_setup s = {
		.gateway = "https://openapi.alipay.com/gateway.do",
		.app_id = "2021000000000001",
		.seller_id = "2088000000000001",
		.private_key = uk_buf_str(&k->ours),
		.public_key = uk_buf_str(&k->alipay_public),
		.clock = &clock_fixed,
	};
	struct pay *p = NULL;

	assert_int_equal(pay_open("alipay", &s, &p, NULL), UK_OK);
	return p;
}

static void
money_exact(void **state)
{
	static const struct {
		const char *text;
		int64_t fen;
	} good[] = {
		{ "0.01", 1 },
		{ "0", 0 },
		{ "0.1", 10 },
		{ "1", 100 },
		{ "200.00", 20000 },
		{ "1.10", 110 },
		{ "19.99", 1999 },
		{ "0.29", 29 },
		{ "99999999.99", 9999999999 },
		{ "100000000.00", 10000000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t fen = -1;

		assert_int_equal(money_parse(good[i].text, &fen), UK_OK);
		assert_int_equal(fen, good[i].fen);
	}
}

static void
money_refused(void **state)
{
	static const char *const bad[] = { "", ".", ".5", "1.", "1.234", "-1", "+1", " 1", "1 ",
		"1e2", "01", "00.01", "1,00", "0x1", "100000000.01", "100000001",
		"99999999999999999999", "1.2.3", "NaN" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t fen = 7;

		assert_int_equal(money_parse(bad[i], &fen), UK_E_INPUT);
		assert_int_equal(fen, 7);
	}
}

static void
money_printed(void **state)
{
	static const int64_t amounts[] = { 0, 1, 9, 10, 99, 100, 20000, MONEY_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		struct uk_buf b;
		int64_t back = -1;

		uk_buf_init(&b, 32);
		money_put(&b, amounts[i]);
		assert_int_equal(money_parse(uk_buf_str(&b), &back), UK_OK);
		assert_int_equal(back, amounts[i]);
		uk_buf_fini(&b);
	}
}

/* Sorted, raw, empty values dropped; sign_type stays in a request and leaves a notification. */
static void
joined(void **state)
{
	static const struct net_pair v[] = {
		{ "version", "1.0" },
		{ "sign", "xx" },
		{ "sign_type", "RSA2" },
		{ "app_id", "1" },
		{ "empty", "" },
		{ "biz_content", "{\"a\":\"中 &=\"}" },
	};
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 1024);
	alipay_join(v, 6, ALIPAY_REQUEST, &b);
	assert_string_equal(
	    uk_buf_str(&b), "app_id=1&biz_content={\"a\":\"中 &=\"}&sign_type=RSA2&version=1.0");
	uk_buf_reset(&b);
	alipay_join(v, 6, ALIPAY_NOTICE, &b);
	assert_string_equal(uk_buf_str(&b), "app_id=1&biz_content={\"a\":\"中 &=\"}&version=1.0");
	uk_buf_fini(&b);
}

static void
beijing_time(void **state)
{
	(void)state;
	assert_int_equal(alipay_time_parse("2026-11-22 14:30:00"), NOW);
	assert_int_equal(alipay_time_parse("2026-11-22 14:30:00.123"), NOW);
	assert_int_equal(alipay_time_parse("2026-11-22"), 0);
	assert_int_equal(alipay_time_parse("2026-11-22 14:30:00x"), 0);
	assert_int_equal(alipay_time_parse(""), 0);
}

static enum uk_rc
split(const char *s, struct alipay_answer *a)
{
	return alipay_answer_split(uk_span_str(s), "q_response", a);
}

static void
answer_split(void **state)
{
	struct alipay_answer a;

	(void)state;
	assert_int_equal(
	    split("{\"q_response\":{\"a\":\"}\\\"{\", \"b\":[{}]},\"sign\":\"QUJD\"}", &a), UK_OK);
	assert_true(uk_span_eq(a.node, uk_span_str("{\"a\":\"}\\\"{\", \"b\":[{}]}")));
	assert_true(uk_span_eq(a.sign, uk_span_str("QUJD")));
	assert_false(a.error);
	assert_int_equal(
	    split(" { \"sign\" : \"QQ==\" , \"alipay_cert_sn\":\"1\", \"q_response\" : {} } ", &a),
	    UK_OK);
	assert_true(uk_span_eq(a.node, uk_span_str("{}")));
	assert_int_equal(split("{\"error_response\":{\"code\":\"40002\"}}", &a), UK_OK);
	assert_true(a.error);
	assert_int_equal(a.sign.n, 0);
}

static void
answer_split_refused(void **state)
{
	static const char *const bad[] = { "", "{", "{}", "[]", "null", "{\"sign\":\"a\"}",
		"{\"q_response\":{}", "{\"q_response\":{},}", "{\"q_response\":{}}x",
		"{\"q_response\":[]}", "{\"q_response\":1}", "{\"other\":{}}",
		"{\"q_response\":{},\"q_response\":{}}",
		"{\"q_response\":{},\"error_response\":{}}",
		"{\"q_response\":{},\"sign\":\"a\",\"sign\":\"b\"}", "{\"q_response\":{\"a\":\"}",
		"{\"q_response\":{\"a\":\"\\", "{q_response:{}}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct alipay_answer a;

		assert_int_equal(split(bad[i], &a), UK_E_INPUT);
	}
}

/* The page's address: every parameter once, the signature holds over them, the amount is exact. */
static void
page_pay_url(void **state)
{
	struct keys *k = *state;
	struct pay *p = open_pay(k);
	const struct pay_order o = {
		.out_trade_no = "UK261122ABCDEFGH_1",
		.subject = "单位证书 & 新办",
		.amount = 20000,
		.expires = NOW + 1800,
		.notify_url = "https://ca.example/notify/alipay",
		.return_url = "https://ca.example/orders/UK1?paid=1",
	};
	struct uk_pubkey *ours = NULL;
	struct net_pairs pairs;
	struct uk_buf url, text;

	uk_buf_init(&url, 8192);
	uk_buf_init(&text, 8192);
	assert_int_equal(pay_create(p, &o, &url, NULL), UK_OK);
	assert_ptr_equal(strstr(uk_buf_str(&url), "https://openapi.alipay.com/gateway.do?"), url.p);
	assert_int_equal(
	    net_pairs_parse(uk_span_str(strchr(uk_buf_str(&url), '?') + 1), &pairs), UK_OK);
	assert_string_equal(net_pairs_get(&pairs, "method"), "alipay.trade.page.pay");
	assert_string_equal(net_pairs_get(&pairs, "timestamp"), "2026-11-22 14:30:00");
	assert_string_equal(net_pairs_get(&pairs, "notify_url"), o.notify_url);
	assert_non_null(strstr(net_pairs_get(&pairs, "biz_content"), "\"200.00\""));
	assert_non_null(strstr(
	    net_pairs_get(&pairs, "biz_content"), "\"time_expire\":\"2026-11-22 15:00:00\""));
	assert_int_equal(rsa2_pubkey_new(uk_buf_str(&k->our_public), &ours, NULL), UK_OK);
	alipay_join(pairs.v, pairs.n, ALIPAY_REQUEST, &text);
	assert_int_equal(
	    rsa2_verify(ours, uk_buf_span(&text), net_pairs_get(&pairs, "sign"), NULL), UK_OK);
	uk_pubkey_free(&ours);
	net_pairs_fini(&pairs);
	uk_buf_fini(&url);
	uk_buf_fini(&text);
	pay_close(&p);
}

static void
order_refused(void **state)
{
	struct pay *p = open_pay(*state);
	const struct pay_order good = { .out_trade_no = "UK1", .subject = "s", .amount = 1 };
	struct pay_order o;
	struct uk_err err;
	struct uk_buf url;

	uk_buf_init(&url, 8192);
	o = good;
	o.amount = 0;
	assert_int_equal(pay_create(p, &o, &url, &err), UK_E_INPUT);
	assert_string_equal(err.field, "amount");
	o = good;
	o.out_trade_no = "UK-1";
	assert_int_equal(pay_create(p, &o, &url, &err), UK_E_INPUT);
	assert_string_equal(err.field, "out_trade_no");
	o = good;
	o.subject = "";
	assert_int_equal(pay_create(p, &o, &url, &err), UK_E_INPUT);
	assert_string_equal(err.field, "subject");
	assert_int_equal(url.n, 0);
	uk_buf_fini(&url);
	pay_close(&p);
}

static void
setup_refused(void **state)
{
	struct keys *k = *state;
	const struct pay_setup good = {
		.gateway = "https://g",
		.app_id = "1",
		.seller_id = "2",
		.private_key = uk_buf_str(&k->ours),
		.public_key = uk_buf_str(&k->alipay_public),
	};
	struct pay_setup s = good;
	struct pay *p = NULL;
	struct uk_err err;

	s.private_key = "garbage";
	assert_int_equal(pay_open("alipay", &s, &p, &err), UK_E_INPUT);
	assert_string_equal(err.field, "private_key");
	s = good;
	s.public_key = uk_buf_str(&k->ours);
	assert_int_equal(pay_open("alipay", &s, &p, &err), UK_E_INPUT);
	assert_string_equal(err.field, "public_key");
	s = good;
	s.app_id = "";
	assert_int_equal(pay_open("alipay", &s, &p, &err), UK_E_INPUT);
	assert_string_equal(err.field, "app_id");
	assert_int_equal(pay_open("cash", &good, &p, &err), UK_E_NOT_FOUND);
	assert_null(p);
}

static void
pem_keys(void **state)
{
	struct keys *k = *state;
	struct uk_pubkey *pub = NULL;
	struct uk_buf pem;

	uk_buf_init(&pem, 8192);
	uk_buf_put_str(&pem, "-----BEGIN PUBLIC KEY-----\r\n");
	for (size_t i = 0; i < k->alipay_public.n; i += 64)
		uk_buf_printf(&pem, "%.*s\n",
		    (int)(k->alipay_public.n - i < 64 ? k->alipay_public.n - i : 64),
		    (const char *)k->alipay_public.p + i);
	uk_buf_put_str(&pem, "-----END PUBLIC KEY-----\n");
	assert_int_equal(rsa2_pubkey_new(uk_buf_str(&pem), &pub, NULL), UK_OK);
	uk_pubkey_free(&pub);
	uk_buf_fini(&pem);
}

#define NOTICE_MAX 16

struct notice {
	struct net_pair v[NOTICE_MAX];
	size_t n;
};

static const struct notice paid = {
	{ { "app_id", "2021000000000001" }, { "seller_id", "2088000000000001" },
	    { "notify_id", "n1" }, { "out_trade_no", "UK1" }, { "trade_no", "2026112222001" },
	    { "trade_status", "TRADE_SUCCESS" }, { "total_amount", "200.00" },
	    { "gmt_payment", "2026-11-22 14:30:00" }, { "subject", "单位证书 a+b" },
	    { "charset", "utf-8" }, { "sign_type", "RSA2" } },
	11,
};

static void
set(struct notice *n, const char *name, const char *value)
{
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->v[i].name, name) == 0)
			n->v[i].value = value;
}

static void
seal(struct keys *k, const struct notice *n, struct uk_buf *out)
{
	struct uk_buf text, sign;

	uk_buf_init(&text, 4096);
	uk_buf_init(&sign, 1024);
	alipay_join(n->v, n->n, ALIPAY_NOTICE, &text);
	assert_int_equal(rsa2_sign(k->alipay, uk_buf_span(&text), &sign, NULL), UK_OK);
	for (size_t i = 0; i < n->n; i++)
		net_form_put(out, n->v[i].name, n->v[i].value);
	net_form_put(out, "sign", uk_buf_str(&sign));
	uk_buf_fini(&text);
	uk_buf_fini(&sign);
}

static enum uk_rc
notify(struct keys *k, const struct notice *n, struct pay_event *e, struct uk_err *err)
{
	struct pay *p = open_pay(k);
	struct uk_buf body;
	enum uk_rc rc;

	uk_buf_init(&body, 8192);
	seal(k, n, &body);
	rc = pay_notify(p, uk_buf_span(&body), e, err);
	uk_buf_fini(&body);
	pay_close(&p);
	return rc;
}

static void
notice_accepted(void **state)
{
	struct pay_event e;

	assert_int_equal(notify(*state, &paid, &e, NULL), UK_OK);
	assert_string_equal(e.out_trade_no, "UK1");
	assert_string_equal(e.trade_no, "2026112222001");
	assert_string_equal(e.notify_id, "n1");
	assert_int_equal(e.amount, 20000);
	assert_int_equal(e.status, PAY_PAID);
	assert_int_equal(e.paid_at, NOW);
	assert_int_equal(e.refunded, 0);
}

static void
notice_foreign(void **state)
{
	struct notice n = paid;
	struct pay_event e;
	struct uk_err err;

	set(&n, "app_id", "2021000000000002");
	assert_int_equal(notify(*state, &n, &e, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "foreign-app");
	n = paid;
	set(&n, "seller_id", "2088000000000002");
	assert_int_equal(notify(*state, &n, &e, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "foreign-seller");
}

static void
notice_malformed(void **state)
{
	static const struct net_pair bad[] = {
		{ "trade_status", "TRADE_MAYBE" },
		{ "total_amount", "200.001" },
		{ "total_amount", "-1" },
		{ "out_trade_no",
		    "12345678901234567890123456789012345678901234567890123456789012345" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct notice n = paid;
		struct pay_event e;
		struct uk_err err;

		set(&n, bad[i].name, bad[i].value);
		assert_int_equal(notify(*state, &n, &e, &err), UK_E_INPUT);
		assert_string_equal(err.field, bad[i].name);
	}
}

/* The message does not choose the algorithm, and a changed one does not hold. */
static void
notice_unsigned(void **state)
{
	struct keys *k = *state;
	struct pay *p = open_pay(k);
	struct notice n = paid;
	struct pay_event e;
	struct uk_err err;
	struct uk_buf body;
	char *at;

	set(&n, "sign_type", "RSA");
	assert_int_equal(notify(k, &n, &e, &err), UK_E_INTEGRITY);
	set(&n, "sign_type", "");
	assert_int_equal(notify(k, &n, &e, &err), UK_E_INTEGRITY);
	uk_buf_init(&body, 8192);
	seal(k, &paid, &body);
	at = (char *)body.p + (strstr(uk_buf_str(&body), "200.00") - uk_buf_str(&body));
	*at = '9';
	assert_int_equal(pay_notify(p, uk_buf_span(&body), &e, &err), UK_E_INTEGRITY);
	assert_string_equal(uk_err_reason(&err), "signature-wrong");
	/* One parameter more is one that was not signed. */
	*at = '2';
	assert_int_equal(pay_notify(p, uk_buf_span(&body), &e, &err), UK_OK);
	net_form_put(&body, "refund_fee", "1.00");
	assert_int_equal(pay_notify(p, uk_buf_span(&body), &e, &err), UK_E_INTEGRITY);
	assert_int_equal(pay_notify(p, uk_span_str("a=%zz"), &e, &err), UK_E_INPUT);
	assert_int_equal(pay_notify(p, uk_span_str("a=1"), &e, &err), UK_E_INTEGRITY);
	assert_int_equal(pay_notify(p, uk_span_str(""), &e, &err), UK_E_INTEGRITY);
	uk_buf_fini(&body);
	pay_close(&p);
}

static void
hmac_vectors(void **state)
{
	uint8_t key[20], tag[UK_HMAC_LEN];
	struct uk_buf hex;

	(void)state;
	memset(key, 0x0b, sizeof(key)); /* RFC 4231, test case 1 */
	uk_hmac_sha256(uk_span(key, sizeof(key)), uk_span_str("Hi There"), tag);
	uk_buf_init(&hex, 64);
	uk_hex_put(&hex, uk_span(tag, sizeof(tag)));
	assert_string_equal(
	    uk_buf_str(&hex), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	uk_buf_fini(&hex);
	assert_true(uk_const_eq(uk_span_str("abc"), uk_span_str("abc")));
	assert_false(uk_const_eq(uk_span_str("abc"), uk_span_str("abd")));
	assert_false(uk_const_eq(uk_span_str("abc"), uk_span_str("ab")));
}

static const char bank_key[] = "0123456789abcdef0123456789abcdef";

static enum uk_rc
check_stamp(const char *header, const char *role, const char *target, const char *key_id,
    const char *nonce, const char *body, int64_t at)
{
	struct bank_stamp s = { .role = role, .target = target, .key_id = key_id };

	(void)snprintf(s.nonce, sizeof(s.nonce), "%s", nonce);
	return bank_sign_check(header, &s, uk_span_str(bank_key), uk_span_str(body), at, NULL);
}

#define NONCE "00112233445566778899aabbccddeeff"

static void
bank_stamps(void **state)
{
	const struct bank_stamp s = { .role = "request",
		.target = "POST /bank/transfers",
		.key_id = "ukey-ca",
		.time = NOW,
		.nonce = NONCE };
	const char *const t = s.target;
	struct uk_buf h;
	const char *v;

	(void)state;
	uk_buf_init(&h, 512);
	bank_sign(&s, uk_span_str(bank_key), uk_span_str("{}"), &h);
	v = uk_buf_str(&h);
	assert_int_equal(check_stamp(v, "request", t, "ukey-ca", "", "{}", NOW + 300), UK_OK);
	assert_int_equal(check_stamp(v, "request", t, "ukey-ca", NONCE, "{}", NOW), UK_OK);
	assert_int_equal(
	    check_stamp(v, "request", t, "ukey-ca", "", "{}", NOW + 301), UK_E_INTEGRITY);
	assert_int_equal(check_stamp(v, "answer", t, "ukey-ca", "", "{}", NOW), UK_E_INTEGRITY);
	assert_int_equal(check_stamp(v, "request", "x", "ukey-ca", "", "{}", NOW), UK_E_INTEGRITY);
	assert_int_equal(check_stamp(v, "request", t, "other", "", "{}", NOW), UK_E_INTEGRITY);
	assert_int_equal(check_stamp(v, "request", t, "ukey-ca", "", "{ }", NOW), UK_E_INTEGRITY);
	assert_int_equal(
	    check_stamp(v, "request", t, "ukey-ca", "ff112233445566778899aabbccddeeff", "{}", NOW),
	    UK_E_INTEGRITY);
	assert_int_equal(check_stamp(NULL, "request", t, "ukey-ca", "", "{}", NOW), UK_E_INTEGRITY);
	assert_int_equal(
	    check_stamp("v1 key=a", "request", t, "ukey-ca", "", "{}", NOW), UK_E_INTEGRITY);
	uk_buf_put_str(&h, "0");
	assert_int_equal(
	    check_stamp(uk_buf_str(&h), "request", t, "ukey-ca", "", "{}", NOW), UK_E_INTEGRITY);
	uk_buf_fini(&h);
}

static void
bank_input_refused(void **state)
{
	const struct bank_setup setup = { .url = "http://127.0.0.1:1/bank",
		.key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		.clock = &clock_fixed,
		.random = &uk_random_system };
	struct bank_setup bad = setup;
	struct uk_secret *remark = uk_secret_new(uk_span_str("482913"));
	const struct bank_transfer good = { .id = "t1",
		.account = "6222000000000001",
		.holder = "某公司",
		.bank = "",
		.amount = 1,
		.remark = remark,
		.notify_url = "http://127.0.0.1:1/n" };
	struct bank_transfer t = good;
	struct bank_result r;
	struct bank *b = NULL;
	struct uk_err err;

	(void)state;
	bad.key = "0011";
	assert_int_equal(bank_open("gateway", &bad, &b, &err), UK_E_INPUT);
	assert_string_equal(err.field, "key");
	assert_int_equal(bank_open("gateway", &setup, &b, &err), UK_OK);
	t.account = "62220000X";
	assert_int_equal(bank_transfer(b, &t, &r, &err), UK_E_INPUT);
	assert_string_equal(err.field, "account");
	t = good;
	t.amount = 0;
	assert_int_equal(bank_transfer(b, &t, &r, &err), UK_E_INPUT);
	t = good;
	t.id = "a b";
	assert_int_equal(bank_transfer(b, &t, &r, &err), UK_E_INPUT);
	assert_int_equal(bank_notify(b, NULL, uk_span_str("{}"), &r, &err), UK_E_INTEGRITY);
	bank_close(&b);
	uk_secret_free(&remark);
}

struct counted {
	int n;
	int64_t sum;
	int64_t last;
	char payer[64];
};

static enum uk_rc
count_record(const struct record *r, void *ctx, struct uk_err *err)
{
	struct counted *c = ctx;

	(void)err;
	c->n++;
	c->sum += r->amount;
	c->last = r->at;
	(void)snprintf(c->payer, sizeof(c->payer), "%s", r->payer);
	return UK_OK;
}

static enum uk_rc
read_csv(const char *csv, struct counted *c, struct uk_err *err)
{
	*c = (struct counted){ 0 };
	*err = (struct uk_err){ 0 };
	return records_read(uk_span_str(csv), count_record, c, err);
}

/* [A4] a bank's records: quotes, line ends, columns in any order */
static void
records_right(void **state)
{
	struct counted c;
	struct uk_err err;

	(void)state;
	assert_int_equal(read_csv("time,amount,x,payer,reference\r\n"
				  "2026-11-22 14:30:00,200.00,,\"a, \"\"b\"\"\",R1\r\n\r\n"
				  "2028-02-29,0.01,,乙,R2",
			     &c, &err),
	    UK_OK);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.sum, 20001);
	assert_int_equal(c.last, INT64_C(1835366400)); /* 2028-02-29 00:00 in Beijing */
	assert_int_equal(
	    read_csv("time,amount,payer,reference\n2026-11-22 14:30:00,1,\"a\nb\",R", &c, &err),
	    UK_E_INPUT); /* a line break in a name */
	assert_int_equal(read_csv("reference,payer,amount,time\n", &c, &err), UK_OK);
	assert_int_equal(c.n, 0);
}

/* All or none, with the line and what is wrong in it. */
static void
records_refused(void **state)
{
	static const struct {
		const char *line;
		const char *field;
	} wrong[] = {
		{ ",a,1.00,2026-11-22", "reference" },
		{ "R,a,1.001,2026-11-22", "amount" },
		{ "R,a,0.00,2026-11-22", "amount" },
		{ "R,a,,2026-11-22", "amount" },
		{ "R,a,1.00,2027-02-29", "time" },
		{ "R,a,1.00,2026-11-22 24:00:00", "time" },
		{ "R,a,1.00,2026-11-22T10:00:00", "time" },
		{ "R,a,1.00,1969-12-31", "time" },
		{ "R,a", "amount" },
	};
	char csv[256];
	struct counted c;
	struct uk_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(csv, sizeof(csv),
		    "reference,payer,amount,time\nA,b,1.00,2026-11-22\n%s\n", wrong[i].line);
		assert_int_equal(read_csv(csv, &c, &err), UK_E_INPUT);
		assert_string_equal(err.field, wrong[i].field);
		assert_int_equal(err.native, 3);
		assert_int_equal(c.n, 0);
	}
	assert_int_equal(read_csv("", &c, &err), UK_E_INPUT);
	assert_int_equal(read_csv("reference,payer,amount\n", &c, &err), UK_E_INPUT);
	assert_int_equal(
	    read_csv("reference,payer,amount,time\nA,\"b,1,2026-11-22", &c, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "records-malformed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(money_exact),
		cmocka_unit_test(money_refused),
		cmocka_unit_test(money_printed),
		cmocka_unit_test(joined),
		cmocka_unit_test(beijing_time),
		cmocka_unit_test(answer_split),
		cmocka_unit_test(answer_split_refused),
		cmocka_unit_test(page_pay_url),
		cmocka_unit_test(order_refused),
		cmocka_unit_test(setup_refused),
		cmocka_unit_test(pem_keys),
		cmocka_unit_test(notice_accepted),
		cmocka_unit_test(notice_foreign),
		cmocka_unit_test(notice_malformed),
		cmocka_unit_test(notice_unsigned),
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(bank_stamps),
		cmocka_unit_test(bank_input_refused),
		cmocka_unit_test(records_right),
		cmocka_unit_test(records_refused),
	};

	return cmocka_run_group_tests_name("[C8] pay", tests, setup, teardown);
}
