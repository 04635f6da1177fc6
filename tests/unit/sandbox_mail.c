/* E-mail to the sandbox's mail server, over SMTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "notify/mail.h"
#include "sandbox_fixture.h"

#define TO "zhang@company.example"

static struct mail_setup
setup_of(struct world *w)
{
	return (struct mail_setup){ .smtp = { .url = world_config(w, "mail-url") },
		.from = world_config(w, "mail-from"),
		.name = "某某数字证书认证中心有限公司（电子认证服务机构）",
		.clock = &w->clock };
}

static const struct sms_pair replaced[] = { { "order", "UK261122ABCDEFGH" },
	{ "site", "https://ca.example/query" } };

static void
a_mail_is_read(void **state)
{
	const struct sms_pair rejected[] = { { "order", "UK1" }, { "reason", "照片 <不清>" },
		{ "site", "https://ca.example/query" } };
	struct world *w = *state;
	const struct mail_setup m = setup_of(w);
	struct sms_result r;
	char *page;

	assert_int_equal(mail_check(&m, NULL), UK_OK);
	assert_int_equal(
	    mail_send(&m, TO, "UK1.replaced", MAIL_REPLACED, replaced, 2, &r, NULL), 0);
	assert_int_equal(r.outcome, SMS_SENT);
	assert_int_equal(
	    mail_send(&m, TO, "UK1.rejected", MAIL_REJECTED, rejected, 3, &r, NULL), 0);
	assert_int_equal(r.outcome, SMS_SENT);
	page = world_page(w, "/mail?to=" TO, 200);
	assert_non_null(strstr(page, "补办订单UK261122ABCDEFGH已审核通过"));
	assert_non_null(strstr(page, "原因：照片 &lt;不清&gt;。"));
	assert_non_null(strstr(page, "https://ca.example/query"));
	assert_true(strstr(page, "订单UK1未通过审核") < strstr(page, "订单UK261122ABCDEFGH"));
	free(page);
	page = world_page(w, "/mail?to=other@company.example", 200);
	assert_non_null(strstr(page, "还没有邮件"));
	free(page);
}

static void
servers_that_say_no(void **state)
{
	static const struct {
		const char *fault;
		enum sms_outcome outcome;
		const char *error;
	} rows[] = {
		{ "{\"mailCode\":550}", SMS_REFUSED, "refused" },
		{ "{\"mailCode\":451}", SMS_RETRY, "unavailable" },
	};
	struct world *w = *state;
	struct mail_setup m = setup_of(w);
	struct sms_result r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world_control(w, rows[i].fault);
		assert_int_equal(mail_send(&m, TO, "x", MAIL_REPLACED, replaced, 2, &r, NULL), 0);
		assert_int_equal(r.outcome, rows[i].outcome);
		assert_string_equal(r.error, rows[i].error);
	}
	m.smtp.url = "smtp://127.0.0.1:1";
	assert_int_equal(mail_send(&m, TO, "x", MAIL_REPLACED, replaced, 2, &r, NULL), UK_OK);
	assert_int_equal(r.outcome, SMS_RETRY);
}

/* One that speaks no TLS is not told anything, were it even on this machine. */
static void
no_tls_no_mail(void **state)
{
	struct world *w = *state;
	struct mail_setup m = setup_of(w);
	struct sms_result r;
	char url[64];

	(void)snprintf(url, sizeof(url), "smtps%s", strchr(m.smtp.url, ':'));
	m.smtp.url = url;
	assert_int_equal(mail_send(&m, TO, "x", MAIL_REPLACED, replaced, 2, &r, NULL), UK_OK);
	assert_int_not_equal(r.outcome, SMS_SENT);
}

static void
what_is_no_mail(void **state)
{
	static const char *const bad[] = { "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nX: y",
		"<a@b>", "\"a\"@b", "-oX@b", "中@b" };
	const struct sms_pair evil[] = { { "order", "UK1\r\nBcc: x@y" }, { "site", "s" } };
	struct world *w = *state;
	struct mail_setup m = setup_of(w);
	struct sms_result r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    mail_send(&m, bad[i], "x", MAIL_REPLACED, replaced, 2, &r, NULL), UK_E_INPUT);
	assert_int_equal(
	    mail_send(&m, TO, "x y", MAIL_REPLACED, replaced, 2, &r, NULL), UK_E_INPUT);
	assert_int_equal(mail_send(&m, TO, "x", MAIL_REPLACED, replaced, 1, &r, NULL), UK_E_INPUT);
	assert_int_equal(mail_send(&m, TO, "x", MAIL_REPLACED, evil, 2, &r, NULL), UK_E_INPUT);
	m.smtp.url = "http://127.0.0.1/";
	assert_int_equal(mail_check(&m, NULL), UK_E_INPUT);
}

/* Lines no longer than 78, only ASCII, and an encoded word never cuts a character. */
static void
the_message_is_rfc_5322(void **state)
{
	struct world *w = *state;
	const struct mail_setup m = setup_of(w);
	struct uk_buf b;
	size_t line = 0;
	const char *s;

	uk_buf_init(&b, 16384);
	assert_int_equal(
	    mail_compose(&m, TO, "UK1.replaced", MAIL_REPLACED, replaced, 2, &b, NULL), UK_OK);
	s = uk_buf_str(&b);
	assert_non_null(strstr(s, "\r\nMessage-ID: <UK1.replaced@ca.example>\r\n"));
	assert_non_null(strstr(s, "\r\nTo: <" TO ">\r\n"));
	for (; *s != '\0'; s++) {
		assert_true((unsigned char)*s < 0x7f);
		line = *s == '\n' ? 0 : line + 1;
		assert_true(line <= 79);
	}
	uk_buf_fini(&b);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		TEST(a_mail_is_read),
		TEST(servers_that_say_no),
		TEST(no_tls_no_mail),
		TEST(what_is_no_mail),
		TEST(the_message_is_rfc_5322),
	};

	return cmocka_run_group_tests(tests, world_folder, world_folder_gone);
}
