#include <string.h>

#include "api/form.h"
#include "api/numbers.h"
#include "uk/clock.h"

/* Text is only checked; the consents are read. */
struct reading {
	const char *text;
	bool photo_consent;
	bool agreement;
};

#define STR(member, min_, max_)                                                                    \
	{                                                                                          \
		.name = (member), .type = UK_F_STR, .flags = UK_F_REQUIRED, .min = (min_),         \
		.max = (max_), .offset = offsetof(struct reading, text)                            \
	}
#define CONSENT(member, flags_, at)                                                                \
	{                                                                                          \
		.name = (member), .type = UK_F_BOOL, .flags = (flags_),                            \
		.offset = offsetof(struct reading, at)                                             \
	}

/* The ways to the customer are the same for all. */
#define COMMON                                                                                     \
	STR("recipient", 2, 90), STR("recipientPhone", 1, 20), STR("address", 5, 360),             \
	    { .name = "postcode",                                                                  \
		    .type = UK_F_STR,                                                              \
		    .flags = UK_F_NULLABLE,                                                        \
		    .max = 6,                                                                      \
		    .offset = offsetof(struct reading, text) },                                    \
	    STR("invoiceType", 1, 16), CONSENT("photoConsent", 0, photo_consent),                  \
	    CONSENT("agreement", UK_F_REQUIRED, agreement)

static const struct uk_field unit_fields[] = {
	STR("organisation", 2, 180),
	STR("creditCode", 1, 18),
	STR("legalPersonName", 2, 90),
	STR("legalPersonId", 1, 18),
	STR("agentName", 2, 90),
	STR("agentId", 1, 18),
	STR("agentPhone", 1, 20),
	STR("agentEmail", 1, 120),
	COMMON,
};

static const struct uk_field person_fields[] = {
	STR("name", 2, 90),
	STR("idNumber", 1, 18),
	STR("phone", 1, 20),
	STR("email", 1, 120),
	COMMON,
};

static bool
is_credit_code(const char *s, int64_t today)
{
	(void)today;
	return number_credit_code(s);
}

static bool
is_phone(const char *s, int64_t today)
{
	(void)today;
	return number_phone(s);
}

static bool
is_email(const char *s, int64_t today)
{
	(void)today;
	return number_email(s);
}

static bool
is_postcode(const char *s, int64_t today)
{
	(void)today;
	return *s == '\0' || number_postcode(s);
}

static bool
is_invoice(const char *s, int64_t today)
{
	(void)today;
	return strcmp(s, "general") == 0 || strcmp(s, "special") == 0;
}

static const struct {
	const char *field;
	bool (*valid)(const char *s, int64_t today);
	const char *reason;
} checks[] = {
	{ "creditCode", is_credit_code, "credit-code-invalid" },
	{ "legalPersonId", number_resident_id, "id-number-invalid" },
	{ "agentId", number_resident_id, "id-number-invalid" },
	{ "agentPhone", is_phone, "phone-invalid" },
	{ "agentEmail", is_email, "email-invalid" },
	{ "idNumber", number_resident_id, "id-number-invalid" },
	{ "phone", is_phone, "phone-invalid" },
	{ "email", is_email, "email-invalid" },
	{ "recipientPhone", is_phone, "phone-invalid" },
	{ "postcode", is_postcode, "postcode-invalid" },
	{ "invoiceType", is_invoice, NULL },
};

static char *
trimmed(const char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	n = strlen(s);
	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
		n--;
	return uk_xstrndup(s, n);
}

static void
upper(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'a' && *s <= 'z')
			*s = (char)(*s - 'a' + 'A');
}

static bool
is_code(const char *name)
{
	static const char *const codes[] = { "creditCode", "legalPersonId", "agentId", "idNumber" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i], name) == 0)
			return true;
	return false;
}

json_t *
form_clean(const json_t *form)
{
	json_t *copy = json_is_object(form) ? json_deep_copy(form) : NULL;
	const char *name;
	json_t *value;

	json_object_foreach(copy, name, value)
	{
		const char *s = json_string_value(value);
		char *t;

		if (s == NULL || strlen(s) != json_string_length(value))
			continue;
		t = trimmed(s);
		if (is_code(name))
			upper(t);
		(void)json_string_set(value, t);
		free(t);
	}
	return copy;
}

/* A line break or another control character has no place in a name that goes into a certificate,
 * a message and a label. */
static bool
plain_text(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

#define N_UNIT   (sizeof(unit_fields) / sizeof(unit_fields[0]))
#define N_PERSON (sizeof(person_fields) / sizeof(person_fields[0]))

static enum uk_rc
check_members(
    const struct order_kind_row *kind, const json_t *form, int64_t now, struct uk_err *err)
{
	const struct uk_field *fields = kind->unit ? unit_fields : person_fields;

	for (size_t i = 0; i < (kind->unit ? N_UNIT : N_PERSON); i++) {
		const char *s = json_string_value(json_object_get(form, fields[i].name));

		if (s != NULL && !plain_text(s))
			return uk_fail_field(err, fields[i].name, NULL);
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *s = json_string_value(json_object_get(form, checks[i].field));

		if (s != NULL && !checks[i].valid(s, uk_day_beijing(now)))
			return uk_fail_field(err, checks[i].field, checks[i].reason);
	}
	return UK_OK;
}

bool
form_photos(const json_t *form)
{
	return json_is_true(json_object_get(form, "photoConsent"));
}

enum uk_rc
form_read(enum order_kind kind, const json_t *form, int64_t now, struct uk_err *err)
{
	const struct order_kind_row *row = order_kind_get(kind);
	struct reading r = { 0 };
	enum uk_rc rc;

	if (form == NULL)
		return uk_fail_field(err, "form", NULL);
	rc = row->unit ? uk_fields_read(unit_fields, N_UNIT, form, &r, err)
		       : uk_fields_read(person_fields, N_PERSON, form, &r, err);
	if (rc != UK_OK || (rc = check_members(row, form, now, err)) != UK_OK)
		return rc;
	if ((row->needs & NEED_DOCUMENTS) != 0 && !r.photo_consent)
		return uk_fail_field(err, "photoConsent", "consent-missing");
	if (!r.agreement)
		return uk_fail_field(err, "agreement", "consent-missing");
	return UK_OK;
}

json_t *
form_warnings(const json_t *form)
{
	const char *code = json_string_value(json_object_get(form, "creditCode"));
	json_t *out = json_array();

	if (code != NULL && !number_credit_code_check(code))
		(void)json_array_append_new(out, json_string("credit-code-check-digit"));
	return out;
}
