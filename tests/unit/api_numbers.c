#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/form.h"
#include "api/numbers.h"

#define TODAY 20779 /* 2026-11-22 */
#define NOW   ((int64_t)TODAY * 86400)

static const char form_json[] =
    "{\"organisation\":\" 福州市鼓楼区测试有限公司 \",\"creditCode\":\"91350100m000100y43\","
    "\"legalPersonName\":\"张三\",\"legalPersonId\":\"11010519491231002x\","
    "\"agentName\":\"李四\",\"agentId\":\"34052419800101001X\",\"agentPhone\":\"13800000001\","
    "\"agentEmail\":\"li.si@example.com\",\"recipient\":\"李四\","
    "\"recipientPhone\":\"13800000001\",\"address\":\"福建省福州市鼓楼区一号\","
    "\"postcode\":\"350001\",\"invoiceType\":\"general\",\"photoConsent\":true,"
    "\"agreement\":true}";

static void
credit_code(void **state)
{
	(void)state;
	assert_true(number_credit_code_check("91350100M000100Y43"));
	assert_true(number_credit_code_check("91110108722619411A"));
	assert_true(number_credit_code_check("9144030071526726XG"));
	assert_false(number_credit_code_check("91350100M000100Y44"));
	/* registered, in use, and its check character is wrong */
	assert_true(number_credit_code("91350211M0000XUF46"));
	assert_false(number_credit_code_check("91350211M0000XUF46"));
	assert_false(number_credit_code("9135010OM000100Y43"));
	assert_false(number_credit_code("91350100M000100I43"));
	assert_false(number_credit_code("91350100M000100Y4"));
	assert_false(number_credit_code("91350100M000100Y433"));
	assert_false(number_credit_code(""));
}

/* The check value 0 is where a missing final "mod 31" shows. */
static void
credit_code_zero(void **state)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	char code[] = "91350100M000000000";
	int zeros = 0;

	(void)state;
	for (size_t i = 0; i < 31; i++) {
		int right = 0;

		code[16] = alphabet[i];
		for (size_t j = 0; j < 31; j++) {
			code[17] = alphabet[j];
			right += number_credit_code_check(code) ? 1 : 0;
		}
		assert_int_equal(right, 1);
		code[17] = '0';
		zeros += number_credit_code_check(code) ? 1 : 0;
	}
	assert_int_equal(zeros, 1);
}

static void
resident_id(void **state)
{
	(void)state;
	assert_true(number_resident_id("11010519491231002X", TODAY));
	assert_true(number_resident_id("34052419800101001X", TODAY));
	assert_false(number_resident_id("11010519491231002x", TODAY));
	assert_false(number_resident_id("110105194912310021", TODAY));
	assert_false(number_resident_id("34052419800101002X", TODAY));
	assert_false(number_resident_id("34052419800101001", TODAY));
	assert_false(number_resident_id("", TODAY));
}

static char
id_check(const char *s)
{
	static const int weight[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;

	for (size_t i = 0; i < 17; i++)
		sum += (s[i] - '0') * weight[i];
	return "10X98765432"[sum % 11];
}

static bool
with_date(const char *region, const char *date)
{
	char id[19] = { 0 };

	memcpy(id, region, 6);
	memcpy(id + 6, date, 8);
	memcpy(id + 14, "001", 3);
	id[17] = id_check(id);
	return number_resident_id(id, TODAY);
}

static void
resident_id_date(void **state)
{
	(void)state;
	assert_true(with_date("110105", "20000229"));
	assert_false(with_date("110105", "19000229"));
	assert_false(with_date("110105", "20010229"));
	assert_false(with_date("110105", "19800431"));
	assert_false(with_date("110105", "19801301"));
	assert_false(with_date("110105", "19800100"));
	assert_true(with_date("110105", "20261122"));
	assert_false(with_date("110105", "20261123"));
	assert_false(with_date("990105", "19800101"));
	assert_false(with_date("000105", "19800101"));
}

static void
phone_and_email(void **state)
{
	char mask[NUMBER_MASK_LEN];

	(void)state;
	assert_true(number_phone("13800000001"));
	assert_false(number_phone("12800000001"));
	assert_false(number_phone("1380000000"));
	assert_false(number_phone("+8613800000001"));
	assert_false(number_phone("1380000000a"));
	number_phone_mask("13800000001", mask);
	assert_string_equal(mask, "138****0001");
	number_phone_mask("12", mask);
	assert_string_equal(mask, "");
	assert_true(number_email("li.si+ca@mail.example.com"));
	assert_false(number_email("li.si"));
	assert_false(number_email("@example.com"));
	assert_false(number_email("a@b"));
	assert_false(number_email("a..b@example.com"));
	assert_false(number_email("a@-b.com"));
	assert_false(number_email("a@b..com"));
	assert_false(number_email("a b@example.com"));
	assert_false(number_email("a@b@example.com"));
	assert_false(number_email("a@example.c"));
	assert_true(number_postcode("350001"));
	assert_false(number_postcode("35000"));
}

static json_t *
form_with(const char *member, json_t *value)
{
	json_t *raw = json_loads(form_json, 0, NULL);
	json_t *clean;

	assert_non_null(raw);
	if (member != NULL && value != NULL)
		json_object_set_new(raw, member, value);
	else if (member != NULL)
		json_object_del(raw, member);
	clean = form_clean(raw);
	json_decref(raw);
	return clean;
}

static void
form_right(void **state)
{
	json_t *form = form_with(NULL, NULL);
	json_t *warnings;
	struct uk_err err = { 0 };

	(void)state; /* [N2] */
	assert_int_equal(form_read(KIND_UNIT_NEW, form, NOW, &err), UK_OK);
	assert_true(form_photos(form));
	assert_string_equal(
	    json_string_value(json_object_get(form, "legalPersonId")), "11010519491231002X");
	warnings = form_warnings(form);
	assert_int_equal(json_array_size(warnings), 0);
	json_decref(warnings);
	json_decref(form);

	form = form_with("creditCode", json_string("91350211M0000XUF46"));
	assert_int_equal(form_read(KIND_UNIT_NEW, form, NOW, &err), UK_OK);
	warnings = form_warnings(form);
	assert_string_equal(
	    json_string_value(json_array_get(warnings, 0)), "credit-code-check-digit");
	json_decref(form);
	json_decref(warnings);
}

static void
refused(const char *member, json_t *value, const char *reason)
{
	json_t *form = form_with(member, value);
	struct uk_err err = { 0 };

	assert_int_equal(form_read(KIND_UNIT_NEW, form, NOW, &err), UK_E_INPUT);
	assert_non_null(err.field);
	assert_string_equal(err.field, member);
	assert_string_equal(uk_err_reason(&err), reason);
	json_decref(form);
}

static void
form_wrong(void **state)
{
	struct uk_err err = { 0 };
	json_t *form;

	(void)state;
	refused("organisation", NULL, "missing");
	refused("organisation", json_string("  "), "missing");
	refused("organisation", json_string("公司\n有限"), "invalid-input");
	refused("creditCode", json_string("91350100M000100"), "credit-code-invalid");
	refused("legalPersonId", json_string("110105194912310021"), "id-number-invalid");
	refused("agentId", json_string("34052419800231001X"), "id-number-invalid");
	refused("agentPhone", json_string("12345678901"), "phone-invalid");
	refused("agentEmail", json_string("nobody"), "email-invalid");
	refused("recipientPhone", json_string("010-1234567"), "phone-invalid");
	refused("postcode", json_string("35"), "postcode-invalid");
	refused("invoiceType", json_string("none"), "invalid-input");
	refused("photoConsent", json_false(), "consent-missing");
	refused("agreement", json_false(), "consent-missing");
	refused("agreement", json_integer(1), "invalid-input");

	form = form_with("bonus", json_true());
	assert_int_equal(form_read(KIND_UNIT_NEW, form, NOW, &err), UK_E_INPUT);
	assert_int_equal(form_read(KIND_PERSON_NEW, form, NOW, &err), UK_E_INPUT);
	assert_int_equal(form_read(KIND_UNIT_NEW, NULL, NOW, &err), UK_E_INPUT);
	json_decref(form);
	assert_null(form_clean(NULL));
}

/* [P2] a person's form; photos need not be consented to where none may be asked for ([R7], [V2]) */
static void
form_of_a_person(void **state)
{
	static const struct {
		const char *member;
		const char *value;
		const char *reason;
	} wrong[] = {
		{ "name", NULL, "missing" },
		{ "idNumber", "110105194912310021", "id-number-invalid" },
		{ "phone", "12345678901", "phone-invalid" },
		{ "email", "nobody", "email-invalid" },
	};
	const struct uk_err none = { 0 };
	struct uk_err err;
	json_t *form;

	(void)state;
	for (size_t i = 0; i <= sizeof(wrong) / sizeof(wrong[0]); i++) {
		form = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b}", "name", "张三",
		    "idNumber", "11010519491231002X", "phone", "13800000001", "email",
		    "zhang.san@example.com", "recipient", "张三", "recipientPhone", "13800000001",
		    "address", "福建省福州市鼓楼区一号", "invoiceType", "general", "photoConsent",
		    1, "agreement", 1);
		err = none;
		if (i == sizeof(wrong) / sizeof(wrong[0])) {
			assert_int_equal(form_read(KIND_PERSON_NEW, form, NOW, &err), UK_OK);
			(void)json_object_del(form, "photoConsent");
			assert_int_equal(form_read(KIND_PERSON_RENEWAL, form, NOW, &err), UK_OK);
			assert_int_equal(form_read(KIND_PERSON_NEW, form, NOW, &err), UK_E_INPUT);
			assert_string_equal(uk_err_reason(&err), "consent-missing");
		} else {
			if (wrong[i].value != NULL)
				(void)json_object_set_new(
				    form, wrong[i].member, json_string(wrong[i].value));
			else
				(void)json_object_del(form, wrong[i].member);
			assert_int_equal(form_read(KIND_PERSON_NEW, form, NOW, &err), UK_E_INPUT);
			assert_string_equal(err.field, wrong[i].member);
			assert_string_equal(uk_err_reason(&err), wrong[i].reason);
		}
		json_decref(form);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credit_code),
		cmocka_unit_test(credit_code_zero),
		cmocka_unit_test(resident_id),
		cmocka_unit_test(resident_id_date),
		cmocka_unit_test(phone_and_email),
		cmocka_unit_test(form_right),
		cmocka_unit_test(form_wrong),
		cmocka_unit_test(form_of_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
