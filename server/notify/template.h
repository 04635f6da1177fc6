/*
 * The messages there are: what each is for, its variables, and the text to register with the
 * provider, who fills in the variables and gives each text a code.
 */
#ifndef NOTIFY_TEMPLATE_H
#define NOTIFY_TEMPLATE_H

#include "notify/notify.h"

#define SMS_VARS_MAX 3

struct sms_template_row {
	const char *name;
	const char *code; /* where no other is configured; the sandbox knows it */
	const char *vars[SMS_VARS_MAX + 1];
	const char *text; /* ${name} is a variable */
};

const struct sms_template_row *sms_template_row(enum sms_template t);

/* By the provider's code, of the built-in ones; NULL for an unknown one. */
const struct sms_template_row *sms_template_by_code(const char *code);

#endif
