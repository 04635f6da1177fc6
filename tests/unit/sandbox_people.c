/* Messages and identity checks against the sandbox, over HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "identity/identity.h"
#include "notify/notify.h"
#include "sandbox_fixture.h"

#define PHONE "13800000001"

static struct sms *
open_sms(struct world *w, const char *secret, const char *sign)
{
	const struct sms_setup s = { .url = world_config(w, "sms-url"),
		.access_key = world_config(w, "sms-access-key"),
		.secret = secret != NULL ? secret : world_config(w, "sms-secret"),
		.sign = sign != NULL ? sign : world_config(w, "sms-sign"),
		.http = w->http,
		.clock = &w->clock,
		.random = &uk_random_system };
	struct sms *sms = NULL;

	assert_int_equal(sms_open("aliyun", &s, &sms, NULL), UK_OK);
	return sms;
}

static const struct sms_pair code[] = { { "code", "482913" }, { "minutes", "5" } };

static void
send(struct sms *sms, struct sms_result *r)
{
	assert_int_equal(sms_send(sms, PHONE, SMS_CODE, code, 2, "job-1", r, NULL), UK_OK);
}

/* [C7] the code arrives and can be read as a person would; newest first. */
static void
message_read(void **state)
{
	const struct sms_pair reason[] = { { "order", "UK1" }, { "reason", "照片 <不清>" } };
	struct world *w = *state;
	struct sms *sms = open_sms(w, NULL, NULL);
	struct sms_result r;
	char *page;

	page = world_page(w, "/inbox?phone=" PHONE, 200);
	assert_non_null(strstr(page, "还没有短信"));
	free(page);
	send(sms, &r);
	assert_int_equal(r.outcome, SMS_SENT);
	assert_string_equal(r.error, "");
	assert_string_not_equal(r.reference, "");
	assert_int_equal(sms_send(sms, PHONE, SMS_REJECTED, reason, 2, NULL, &r, NULL), UK_OK);
	assert_int_equal(r.outcome, SMS_SENT);
	page = world_page(w, "/inbox?phone=" PHONE, 200);
	assert_non_null(strstr(page, "签名验证码为482913，5分钟内有效"));
	assert_non_null(strstr(page, "照片 &lt;不清&gt;"));
	assert_true(strstr(page, "照片") < strstr(page, "482913"));
	free(page);
	page = world_page(w, "/inbox", 200);
	assert_non_null(strstr(page, "/inbox?phone=" PHONE));
	free(page);
	free(world_page(w, "/inbox?phone=1", 400));
	sms_close(&sms);
}

static void
message_refused(void **state)
{
	static const struct {
		const char *control;
		enum sms_outcome outcome;
		const char *error;
	} rows[] = {
		{ "{\"smsError\":\"isv.BUSINESS_LIMIT_CONTROL\"}", SMS_RETRY, "rate-limited" },
		{ "{\"smsError\":\"isp.SYSTEM_ERROR\"}", SMS_RETRY, "unavailable" },
		{ "{\"smsError\":\"isv.AMOUNT_NOT_ENOUGH\"}", SMS_RETRY, "balance" },
		{ "{\"smsError\":\"isv.MOBILE_NUMBER_ILLEGAL\"}", SMS_REFUSED, "number" },
		{ "{\"smsError\":\"isv.BLACK_KEY_CONTROL_LIMIT\"}", SMS_REFUSED, "blocked" },
		{ "{\"smsError\":\"isv.SOMETHING_NEW\"}", SMS_REFUSED, "other" },
	};
	struct world *w = *state;
	struct sms *sms = open_sms(w, NULL, NULL);
	struct sms_result r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world_control(w, rows[i].control);
		send(sms, &r);
		assert_int_equal(r.outcome, rows[i].outcome);
		assert_string_equal(r.error, rows[i].error);
	}
	send(sms, &r);
	assert_int_equal(r.outcome, SMS_SENT);
	sms_close(&sms);
}

static void
credentials_checked(void **state)
{
	struct world *w = *state;
	struct sms *sms = open_sms(w, "wrong", NULL);
	struct sms_result r;

	send(sms, &r);
	assert_int_equal(r.outcome, SMS_REFUSED);
	assert_string_equal(r.error, "credentials");
	sms_close(&sms);
	sms = open_sms(w, NULL, "别人");
	send(sms, &r);
	assert_int_equal(r.outcome, SMS_REFUSED);
	assert_string_equal(r.error, "sender");
	sms_close(&sms);
}

static void
nobody_there(void **state)
{
	struct world *w = *state;
	struct sms *sms = open_sms(w, NULL, NULL);
	struct sms_result r;

	sandbox_close(&w->sandbox);
	send(sms, &r);
	assert_int_equal(r.outcome, SMS_RETRY);
	assert_string_equal(r.error, "unavailable");
	assert_int_equal(r.err.rc, UK_E_UNAVAILABLE);
	sms_close(&sms);
}

static const struct ident_subject good = {
	.unit = true,
	.organisation = "示例科技有限公司",
	.credit_code = "91350100M000100Y43",
	.name = "张三",
	.id_number = "11010519491231002X",
	.phone = PHONE,
	.card = "6222020000000001",
	.account = "110900000001",
	.bank = "示例银行",
};

static struct ident *
open_ident(struct world *w, const char *secret)
{
	const struct ident_setup s = { .url = world_config(w, "identity-url"),
		.access_key = world_config(w, "identity-access-key"),
		.secret = secret != NULL ? secret : world_config(w, "identity-secret"),
		.bank = w->bank,
		.http = w->http,
		.clock = &w->clock,
		.random = &uk_random_system };
	struct ident *i = NULL;

	assert_int_equal(ident_open("aliyun", &s, &i, NULL), UK_OK);
	return i;
}

static void
check(struct ident *i, enum ident_method m, const struct ident_subject *s, enum ident_outcome want,
    const char *part)
{
	struct ident_result r;

	assert_int_equal(ident_check(i, m, s, &r, NULL), UK_OK);
	assert_int_equal(r.outcome, want);
	assert_string_equal(r.part, part);
	assert_null(strstr(r.evidence, s->id_number));
	if (want == IDENT_UNAVAILABLE)
		assert_int_equal(r.err.rc, UK_E_UNAVAILABLE);
	else
		assert_string_not_equal(r.evidence, "");
}

/* [C1] the unit's registry entry and the person's own factor must both match. */
static void
units(void **state)
{
	struct ident *i = open_ident(*state, NULL);
	struct ident_subject s = good;
	struct ident_result r;

	check(i, IDENT_MOBILE, &s, IDENT_MATCH, "person");
	check(i, IDENT_BANK_CARD, &s, IDENT_MATCH, "person");
	check(i, IDENT_ACCOUNT, &s, IDENT_MATCH, "account");
	assert_int_equal(ident_check(i, IDENT_MOBILE, &s, &r, NULL), UK_OK);
	assert_non_null(strstr(r.evidence, "EntElementVerifyV2="));
	assert_non_null(strstr(r.evidence, ", Mobile3MetaDetailVerify="));
	s.organisation = "信息不一致公司";
	check(i, IDENT_MOBILE, &s, IDENT_MISMATCH, "unit");
	s.organisation = "查无此公司";
	check(i, IDENT_BANK_CARD, &s, IDENT_NO_RECORD, "unit");
	s.organisation = "故障公司";
	check(i, IDENT_MOBILE, &s, IDENT_UNAVAILABLE, "unit");
	s = good;
	s.phone = "13800000002";
	check(i, IDENT_MOBILE, &s, IDENT_MISMATCH, "person");
	s = good;
	s.account = "110900000002";
	check(i, IDENT_ACCOUNT, &s, IDENT_MISMATCH, "account");
	s.account = "110900000003";
	check(i, IDENT_ACCOUNT, &s, IDENT_NO_RECORD, "account");
	s.account = "110900000004";
	check(i, IDENT_ACCOUNT, &s, IDENT_UNAVAILABLE, "account");
	ident_close(&i);
}

/* [C2] nobody asks the registry about a person. */
static void
persons(void **state)
{
	struct ident *i = open_ident(*state, NULL);
	struct ident_subject s = good;
	struct ident_result r;

	s.unit = false;
	s.organisation = s.credit_code = NULL;
	assert_int_equal(ident_check(i, IDENT_MOBILE, &s, &r, NULL), UK_OK);
	assert_int_equal(r.outcome, IDENT_MATCH);
	assert_null(strstr(r.evidence, "EntElement"));
	check(i, IDENT_BANK_CARD, &s, IDENT_MATCH, "person");
	s.card = "6222020000000002";
	check(i, IDENT_BANK_CARD, &s, IDENT_MISMATCH, "person");
	s.card = "6222020000000003";
	check(i, IDENT_BANK_CARD, &s, IDENT_NO_RECORD, "person");
	s.card = "6222020000000004";
	check(i, IDENT_BANK_CARD, &s, IDENT_UNAVAILABLE, "person");
	s.name = "李查无";
	check(i, IDENT_MOBILE, &s, IDENT_NO_RECORD, "person");
	ident_close(&i);
}

static void
next_result(void **state)
{
	static const struct {
		const char *control;
		enum ident_outcome outcome;
	} rows[] = {
		{ "{\"identityNext\":\"mismatch\"}", IDENT_MISMATCH },
		{ "{\"identityNext\":\"no-record\"}", IDENT_NO_RECORD },
		{ "{\"identityNext\":\"unavailable\"}", IDENT_UNAVAILABLE },
	};
	struct ident *i = open_ident(*state, NULL);

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		world_control(*state, rows[r].control);
		check(i, IDENT_MOBILE, &good, rows[r].outcome, "unit");
	}
	check(i, IDENT_MOBILE, &good, IDENT_MATCH, "person");
	ident_close(&i);
}

static void
secret_checked(void **state)
{
	struct world *w = *state;
	struct ident *i = open_ident(w, "wrong");

	check(i, IDENT_MOBILE, &good, IDENT_UNAVAILABLE, "unit");
	ident_close(&i);
	i = open_ident(w, NULL);
	sandbox_close(&w->sandbox);
	check(i, IDENT_BANK_CARD, &good, IDENT_UNAVAILABLE, "unit");
	check(i, IDENT_ACCOUNT, &good, IDENT_UNAVAILABLE, "account");
	ident_close(&i);
}

static void
control_refuses(void **state)
{
	struct world *w = *state;
	struct http_reply reply = { 0 };
	char url[128];
	char *page;

	(void)snprintf(url, sizeof(url), "%s/control", sandbox_base(w->sandbox));
	assert_int_equal(http_post(w->http, url, "application/json",
			     uk_span_str("{\"nosuch\":true}"), 5000, 65536, &reply, NULL),
	    UK_OK);
	assert_int_equal(reply.status, 400);
	http_reply_fini(&reply);
	world_control(w, "{\"bankDown\":true,\"identityNext\":\"match\"}");
	world_control(w, "{\"reset\":true}");
	page = world_page(w, "/control", 200);
	assert_null(strstr(page, "true"));
	free(page);
	page = world_page(w, "/", 200);
	assert_non_null(strstr(page, "外部服务沙箱"));
	free(page);
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(message_read),
		IN_WORLD(message_refused),
		IN_WORLD(credentials_checked),
		IN_WORLD(nobody_there),
		IN_WORLD(units),
		IN_WORLD(persons),
		IN_WORLD(next_result),
		IN_WORLD(secret_checked),
		IN_WORLD(control_refuses),
	};

	return cmocka_run_group_tests_name(
	    "[C1] [C2] [C7] messages, identity", tests, world_folder, world_folder_gone);
}
