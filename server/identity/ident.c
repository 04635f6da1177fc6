#include <assert.h>
#include <string.h>

#include "identity/ident_aliyun.h"
#include "identity/identity.h"

#define NAME_BYTES_MAX 256

static const struct ident_ops *const providers[] = { &ident_aliyun_ops, NULL };

static const char *const method_names[] = {
	[IDENT_MOBILE] = "mobile",
	[IDENT_BANK_CARD] = "bank-card",
	[IDENT_ACCOUNT] = "account",
};
static_assert(sizeof(method_names) / sizeof(method_names[0]) == IDENT_METHOD__MAX, "names");

static const char *const outcome_names[] = {
	[IDENT_MATCH] = "match",
	[IDENT_MISMATCH] = "mismatch",
	[IDENT_NO_RECORD] = "no-record",
	[IDENT_UNAVAILABLE] = "service-unavailable",
};
static_assert(sizeof(outcome_names) / sizeof(outcome_names[0]) == IDENT_OUTCOME__MAX, "names");

const char *
ident_method_name(enum ident_method m)
{
	return (unsigned)m < IDENT_METHOD__MAX ? method_names[m] : "";
}

enum ident_method
ident_method_from_name(const char *name)
{
	unsigned i = 0;

	while (i < IDENT_METHOD__MAX && strcmp(method_names[i], name) != 0)
		i++;
	return (enum ident_method)i;
}

const char *
ident_outcome_name(enum ident_outcome o)
{
	return (unsigned)o < IDENT_OUTCOME__MAX ? outcome_names[o] : "";
}

enum uk_rc
ident_open(
    const char *name, const struct ident_setup *setup, struct ident **out, struct uk_err *err)
{
	for (size_t i = 0; providers[i] != NULL; i++)
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i]->open(setup, out, err);
	return uk_fail(err, UK_E_NOT_FOUND, "no-such-provider", "identity", 0);
}

void
ident_close(struct ident **i)
{
	if (i == NULL || *i == NULL)
		return;
	(*i)->ops->close(*i);
	*i = NULL;
}

static bool
digits(const char *s, size_t min, size_t max)
{
	const size_t n = s != NULL ? strlen(s) : 0;

	return n >= min && n <= max && strspn(s, "0123456789") == n;
}

static bool
name_ok(const char *s)
{
	return s != NULL && *s != '\0' && strlen(s) <= NAME_BYTES_MAX;
}

/* GB 11643: 17 digits and a digit or X; its check digit is the form's business. */
static bool
id_ok(const char *s)
{
	return s != NULL && strlen(s) == 18 && strspn(s, "0123456789") >= 17 &&
	       strspn(s + 17, "0123456789Xx") == 1;
}

static bool
credit_code_ok(const char *s)
{
	return s != NULL && strlen(s) == 18 && strspn(s, "0123456789ABCDEFGHJKLMNPQRTUWXY") == 18;
}

static enum uk_rc
check_person(enum ident_method m, const struct ident_subject *s, struct uk_err *err)
{
	if (!name_ok(s->name))
		return uk_fail_field(err, "name", NULL);
	if (!id_ok(s->id_number))
		return uk_fail_field(err, "id_number", "id-number-invalid");
	if (!digits(s->phone, 11, 11))
		return uk_fail_field(err, "phone", "phone-invalid");
	if (m == IDENT_BANK_CARD && !digits(s->card, 12, 19))
		return uk_fail_field(err, "card", NULL);
	return UK_OK;
}

static enum uk_rc
check_subject(enum ident_method m, const struct ident_subject *s, struct uk_err *err)
{
	if ((unsigned)m >= IDENT_METHOD__MAX || (m == IDENT_ACCOUNT && !s->unit))
		return uk_fail(err, UK_E_UNSUPPORTED, NULL, "identity", 0);
	if (s->unit && !name_ok(s->organisation))
		return uk_fail_field(err, "organisation", NULL);
	if (m == IDENT_ACCOUNT)
		return digits(s->account, 6, 34) ? UK_OK : uk_fail_field(err, "account", NULL);
	if (s->unit && !credit_code_ok(s->credit_code))
		return uk_fail_field(err, "credit_code", NULL);
	return check_person(m, s, err);
}

enum uk_rc
ident_check(struct ident *i, enum ident_method method, const struct ident_subject *subject,
    struct ident_result *out, struct uk_err *err)
{
	const enum uk_rc rc = check_subject(method, subject, err);

	if (rc != UK_OK)
		return rc;
	*out = (struct ident_result){ .outcome = IDENT_UNAVAILABLE, .part = "" };
	return i->ops->check(i, method, subject, out, err);
}
