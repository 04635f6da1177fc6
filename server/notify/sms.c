#include <string.h>

#include "notify/notify.h"
#include "notify/sms_aliyun.h"
#include "notify/template.h"

static const struct sms_ops *const providers[] = { &sms_aliyun_ops, NULL };

enum uk_rc
sms_open(const char *name, const struct sms_setup *setup, struct sms **out, struct uk_err *err)
{
	for (size_t i = 0; providers[i] != NULL; i++)
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i]->open(setup, out, err);
	return uk_fail(err, UK_E_NOT_FOUND, "no-such-provider", "sms", 0);
}

void
sms_close(struct sms **s)
{
	if (s == NULL || *s == NULL)
		return;
	(*s)->ops->close(*s);
	*s = NULL;
}

static bool
phone_ok(const char *s)
{
	return s != NULL && strlen(s) == 11 && strspn(s, "0123456789") == 11 && s[0] == '1';
}

/* Exactly the template's variables, in any order. */
static bool
pairs_ok(const struct sms_template_row *row, const struct sms_pair *pairs, size_t n)
{
	size_t vars = 0;

	for (; row->vars[vars] != NULL; vars++) {
		size_t i = 0;

		while (i < n && strcmp(pairs[i].name, row->vars[vars]) != 0)
			i++;
		if (i == n || pairs[i].value == NULL || pairs[i].value[0] == '\0')
			return false;
	}
	return vars == n;
}

enum uk_rc
sms_send(struct sms *s, const char *phone, enum sms_template template, const struct sms_pair *pairs,
    size_t n, const char *out_id, struct sms_result *out, struct uk_err *err)
{
	const struct sms_template_row *row = sms_template_row(template);

	if (!phone_ok(phone))
		return uk_fail_field(err, "phone", NULL);
	if (row == NULL || !pairs_ok(row, pairs, n))
		return uk_fail_field(err, "pairs", NULL);
	*out = (struct sms_result){ .outcome = SMS_RETRY, .error = "unavailable" };
	return s->ops->send(s, phone, template, pairs, n, out_id, out, err);
}
