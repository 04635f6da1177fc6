/* Messages without a network: signatures against published vectors, templates, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "notify/acs3.h"
#include "notify/notify.h"
#include "notify/template.h"
#include "uk/b64.h"
#include "uk/hmac.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct net_pair ecs_headers[] = {
	{ "x-acs-version", "2014-05-26" },
	{ "host", "ecs.cn-shanghai.aliyuncs.com" },
	{ "x-acs-action", "RunInstances" },
	{ "x-acs-content-sha256", EMPTY },
	{ "x-acs-date", "2023-10-26T10:22:32Z" },
	{ "x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d" },
};

static const struct net_pair ecs_query[] = {
	{ "RegionId", "cn-shanghai" },
	{ "ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd" },
};

/* The example of Aliyun's own description of the signature. */
static void
acs3_published(void **state)
{
	const struct acs3_request r = { "POST", "/", ecs_query, 2, ecs_headers, 6, { NULL, 0 } };
	char got[ACS3_SIG_LEN];
	struct uk_buf names;

	(void)state;
	assert_true(acs3_signature(&r, uk_span_str("YourAccessKeySecret"), got));
	assert_string_equal(
	    got, "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
	uk_buf_init(&names, 512);
	acs3_signed_headers(&r, &names);
	assert_string_equal(uk_buf_str(&names),
	    "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;"
	    "x-acs-version");
	uk_buf_fini(&names);
}

static void
acs3_send_sms(void **state)
{
	static const struct net_pair headers[] = {
		{ "host", "dysmsapi.aliyuncs.com" },
		{ "x-acs-action", "SendSms" },
		{ "x-acs-version", "2017-05-25" },
		{ "x-acs-content-sha256", EMPTY },
		{ "x-acs-date", "2023-10-26T10:22:32Z" },
		{ "x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d" },
	};
	static const struct net_pair query[] = {
		{ "PhoneNumbers", "13900000000" },
		{ "SignName", "阿里云" },
		{ "TemplateCode", "SMS_15305" },
		{ "TemplateParam", "{\"code\":\"123456\"}" },
	};
	struct acs3_request r = { "POST", "/", query, 4, headers, 6, { NULL, 0 } };
	char got[ACS3_SIG_LEN];

	(void)state;
	assert_true(acs3_signature(&r, uk_span_str("YourAccessKeySecret"), got));
	assert_string_equal(
	    got, "6f04b93b27b8f12d4f517cc21aad1e917784812fc83bcb149810c569a55bff29");
	r.n_query = 3;
	assert_true(acs3_signature(&r, uk_span_str("YourAccessKeySecret"), got));
	assert_string_not_equal(
	    got, "6f04b93b27b8f12d4f517cc21aad1e917784812fc83bcb149810c569a55bff29");
}

static void
mac(struct uk_buf *b, const char *text)
{
	uint8_t tag[UK_HMAC_LEN];

	uk_hmac_sha256(uk_buf_span(b), uk_span_str(text), tag);
	uk_buf_reset(b);
	uk_buf_put(b, uk_span(tag, sizeof(tag)));
}

/* TC3 chains HMACs and hashes in the same way: published values prove the shared pieces. */
static void
tc3(const char *service, const char *host, const char *payload, const char *want)
{
	char hash[ACS3_SIG_LEN];
	struct uk_buf text, key, hex;

	uk_buf_init(&text, 4096);
	uk_buf_init(&key, 256);
	uk_buf_init(&hex, 128);
	acs3_hash(uk_span_str(payload), hash);
	uk_buf_printf(&text,
	    "POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:%s\n\n"
	    "content-type;host\n%s",
	    host, hash);
	acs3_hash(uk_buf_span(&text), hash);
	uk_buf_reset(&text);
	uk_buf_printf(
	    &text, "TC3-HMAC-SHA256\n1551113065\n2019-02-25/%s/tc3_request\n%s", service, hash);
	uk_buf_put_str(&key, "TC3Gu5t9xGARNpq86cd98joQYCN3EXAMPLE");
	mac(&key, "2019-02-25");
	mac(&key, service);
	mac(&key, "tc3_request");
	mac(&key, uk_buf_str(&text));
	uk_hex_put(&hex, uk_buf_span(&key));
	assert_string_equal(uk_buf_str(&hex), want);
	uk_buf_fini(&text);
	uk_buf_fini(&key);
	uk_buf_fini(&hex);
}

static void
tc3_vectors(void **state)
{
	(void)state;
	tc3("cvm", "cvm.tencentcloudapi.com",
	    "{\"Limit\": 1, \"Filters\": [{\"Values\": [\"\\u672a\\u547d\\u540d\"], \"Name\": "
	    "\"instance-name\"}]}",
	    "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168");
	tc3("sms", "sms.tencentcloudapi.com",
	    "{\"PhoneNumberSet\":[\"+8618511122266\"],\"SmsSdkAppId\":\"1400006666\","
	    "\"SignName\":\"腾讯云\",\"TemplateId\":\"1234\",\"TemplateParamSet\":[\"12345\"]}",
	    "a913aa604cf6f0a4da1bd60bf6b17add319f47f0b6922dc493d5d79e1c703615");
}

/* Every variable of a text is in its row, and every one of the row is in the text. */
static void
templates_whole(void **state)
{
	(void)state;
	for (unsigned t = 0; t < SMS_TEMPLATE__MAX; t++) {
		const struct sms_template_row *row = sms_template_row((enum sms_template)t);
		size_t vars = 0, used = 0;

		for (const char *p = row->text; (p = strstr(p, "${")) != NULL; p++)
			used++;
		for (; row->vars[vars] != NULL; vars++) {
			char name[40];

			(void)snprintf(name, sizeof(name), "${%s}", row->vars[vars]);
			assert_non_null(strstr(row->text, name));
		}
		assert_int_equal(vars, used);
		assert_ptr_equal(sms_template_by_code(row->code), row);
	}
	assert_null(sms_template_by_code("SMS_1"));
}

static void
input_refused(void **state)
{
	struct sms_setup s = { .url = "http://127.0.0.1:1/sms",
		.access_key = "k",
		.secret = "s",
		.sign = "电子认证",
		.clock = &uk_clock_system,
		.random = &uk_random_system };
	const struct sms_pair pair = { "password", "482913" };
	const struct sms_pair other = { "code", "482913" };
	struct sms_result r;
	struct sms *sms = NULL;
	struct uk_err err;

	(void)state;
	s.templates = "nosuch=SMS_1";
	assert_int_equal(sms_open("aliyun", &s, &sms, &err), UK_E_INPUT);
	assert_string_equal(err.field, "templates");
	s.templates = "code=SMS_1,password=SMS_2";
	assert_int_equal(sms_open("aliyun", &s, &sms, &err), UK_OK);
	assert_int_equal(
	    sms_send(sms, "1380000000", SMS_PASSWORD, &pair, 1, NULL, &r, &err), UK_E_INPUT);
	assert_string_equal(err.field, "phone");
	assert_int_equal(
	    sms_send(sms, "13800000001", SMS_PASSWORD, &other, 1, NULL, &r, &err), UK_E_INPUT);
	assert_string_equal(err.field, "pairs");
	assert_int_equal(
	    sms_send(sms, "13800000001", SMS_PASSWORD, NULL, 0, NULL, &r, &err), UK_E_INPUT);
	sms_close(&sms);
	s.sign = "";
	assert_int_equal(sms_open("aliyun", &s, &sms, &err), UK_E_INPUT);
	assert_string_equal(err.field, "sign");
	s.url = "dysmsapi";
	assert_int_equal(sms_open("aliyun", &s, &sms, &err), UK_E_INPUT);
	assert_string_equal(err.field, "url");
	assert_int_equal(sms_open("pigeon", &s, &sms, &err), UK_E_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acs3_published),
		cmocka_unit_test(acs3_send_sms),
		cmocka_unit_test(tc3_vectors),
		cmocka_unit_test(templates_whole),
		cmocka_unit_test(input_refused),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
