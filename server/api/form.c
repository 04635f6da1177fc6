#include <string.h>

#include "api/form.h"
#include "api/numbers.h"
#include "uk/clock.h"

#define STR(member, min_, max_)                                                                    \
	.type = UK_F_STR, .min = (min_), .max = (max_), .offset = offsetof(struct form, member)

static const struct uk_field unit_fields[] = {
	{ .name = "organisation", .flags = UK_F_REQUIRED, STR(organisation, 2, 180) },
	{ .name = "creditCode", .flags = UK_F_REQUIRED, STR(credit_code, 1, 18) },
	{ .name = "legalPersonName", .flags = UK_F_REQUIRED, STR(legal_person_name, 2, 90) },
	{ .name = "legalPersonId", .flags = UK_F_REQUIRED, STR(legal_person_id, 1, 18) },
	{ .name = "agentName", .flags = UK_F_REQUIRED, STR(agent_name, 2, 90) },
	{ .name = "agentId", .flags = UK_F_REQUIRED, STR(agent_id, 1, 18) },
	{ .name = "agentPhone", .flags = UK_F_REQUIRED, STR(agent_phone, 1, 20) },
	{ .name = "agentEmail", .flags = UK_F_REQUIRED, STR(agent_email, 1, 120) },
	{ .name = "recipient", .flags = UK_F_REQUIRED, STR(recipient, 2, 90) },
	{ .name = "recipientPhone", .flags = UK_F_REQUIRED, STR(recipient_phone, 1, 20) },
	{ .name = "address", .flags = UK_F_REQUIRED, STR(address, 5, 360) },
	{ .name = "postcode", .flags = UK_F_NULLABLE, STR(postcode, 0, 6) },
	{ .name = "invoiceType", .flags = UK_F_REQUIRED, STR(invoice_type, 1, 16) },
	{ .name = "photoConsent",
	    .type = UK_F_BOOL,
	    .flags = UK_F_REQUIRED,
	    .offset = offsetof(struct form, photo_consent) },
	{ .name = "agreement",
	    .type = UK_F_BOOL,
	    .flags = UK_F_REQUIRED,
	    .offset = offsetof(struct form, agreement) },
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
	return strcmp(name, "creditCode") == 0 || strcmp(name, "legalPersonId") == 0 ||
	       strcmp(name, "agentId") == 0;
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

static enum uk_rc
check_members(const json_t *form, int64_t now, struct uk_err *err)
{
	for (size_t i = 0; i < sizeof(unit_fields) / sizeof(unit_fields[0]); i++) {
		const char *s = json_string_value(json_object_get(form, unit_fields[i].name));

		if (s != NULL && !plain_text(s))
			return uk_fail_field(err, unit_fields[i].name, NULL);
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *s = json_string_value(json_object_get(form, checks[i].field));

		if (s != NULL && !checks[i].valid(s, uk_day_beijing(now)))
			return uk_fail_field(err, checks[i].field, checks[i].reason);
	}
	return UK_OK;
}

enum uk_rc
form_read(const char *kind, const json_t *form, int64_t now, struct form *out, struct uk_err *err)
{
	struct form f = { 0 };
	enum uk_rc rc;

	if (strcmp(kind, "unit-new") != 0)
		return uk_fail_field(err, "kind", "kind-unknown");
	if (form == NULL)
		return uk_fail_field(err, "form", NULL);
	rc = uk_fields_read(
	    unit_fields, sizeof(unit_fields) / sizeof(unit_fields[0]), form, &f, err);
	if (rc != UK_OK || (rc = check_members(form, now, err)) != UK_OK)
		return rc;
	if (!f.photo_consent)
		return uk_fail_field(err, "photoConsent", "consent-missing");
	if (!f.agreement)
		return uk_fail_field(err, "agreement", "consent-missing");
	*out = f;
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
