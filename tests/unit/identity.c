/* Identity checks: what is refused before anybody is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "identity/identity.h"

static const struct ident_subject good = {
	.unit = true,
	.organisation = "示例科技有限公司",
	.credit_code = "91350100M000100Y43",
	.name = "张三",
	.id_number = "11010519491231002X",
	.phone = "13800000001",
	.card = "6222020000000001",
	.account = "110900000001",
	.bank = "",
};

static struct ident *
open_ident(void)
{
	const struct ident_setup s = { .url = "http://127.0.0.1:1/identity",
		.access_key = "k",
		.secret = "s",
		.clock = &uk_clock_system,
		.random = &uk_random_system };
	struct ident *i = NULL;

	assert_int_equal(ident_open("aliyun", &s, &i, NULL), UK_OK);
	return i;
}

static void
refused(enum ident_method m, const struct ident_subject *s, const char *field)
{
	struct ident *i = open_ident();
	struct ident_result r;
	struct uk_err err = { 0 };

	assert_int_equal(ident_check(i, m, s, &r, &err), UK_E_INPUT);
	assert_string_equal(err.field, field);
	ident_close(&i);
}

static void
subject_refused(void **state)
{
	struct ident_subject s = good;

	(void)state;
	s.organisation = "";
	refused(IDENT_MOBILE, &s, "organisation");
	s = good;
	s.credit_code = "9135";
	refused(IDENT_MOBILE, &s, "credit_code");
	s = good;
	s.name = NULL;
	refused(IDENT_MOBILE, &s, "name");
	s = good;
	s.id_number = "11010519491231002Y";
	refused(IDENT_MOBILE, &s, "id_number");
	s = good;
	s.phone = "+8613800000001";
	refused(IDENT_BANK_CARD, &s, "phone");
	s = good;
	s.card = "62220200";
	refused(IDENT_BANK_CARD, &s, "card");
	s = good;
	s.account = NULL;
	refused(IDENT_ACCOUNT, &s, "account");
}

/* A person has no corporate account, and without a bank nobody can say whose one is. */
static void
method_unsupported(void **state)
{
	struct ident *i = open_ident();
	struct ident_subject s = good;
	struct ident_result r;

	(void)state;
	assert_int_equal(ident_check(i, IDENT_ACCOUNT, &s, &r, NULL), UK_E_UNSUPPORTED);
	s.unit = false;
	assert_int_equal(ident_check(i, IDENT_ACCOUNT, &s, &r, NULL), UK_E_UNSUPPORTED);
	assert_int_equal(ident_check(i, IDENT_METHOD__MAX, &s, &r, NULL), UK_E_UNSUPPORTED);
	ident_close(&i);
}

static void
names(void **state)
{
	(void)state;
	for (unsigned m = 0; m < IDENT_METHOD__MAX; m++)
		assert_int_equal(
		    ident_method_from_name(ident_method_name((enum ident_method)m)), m);
	assert_int_equal(ident_method_from_name("letter"), IDENT_METHOD__MAX);
	assert_string_equal(ident_outcome_name(IDENT_UNAVAILABLE), "service-unavailable");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subject_refused),
		cmocka_unit_test(method_unsupported),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("[C1] [C2] identity", tests, NULL, NULL);
}
