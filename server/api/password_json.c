#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/numbers.h"

#define MASK_LEN 16

/* "****1234" */
static void
mask_account(const char *s, char out[MASK_LEN])
{
	const size_t n = strlen(s);

	(void)snprintf(out, MASK_LEN, "****%s", n > 4 ? s + n - 4 : "");
}

static void
mask(const char *channel, const json_t *subject, char out[MASK_LEN])
{
	const char *phone = json_string_value(json_object_get(subject, "phone"));
	const char *account = json_string_value(json_object_get(subject, "account"));

	out[0] = '\0';
	if (strcmp(channel, "sms") == 0 && phone != NULL)
		number_phone_mask(phone, out);
	else if (account != NULL)
		mask_account(account, out);
}

/* [C3, Q3] Once the identity is proved it is known where the password will go. */
enum uk_rc
password_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	const char *channel = order_password_channel(o);
	json_t *subject = NULL;
	char masked[MASK_LEN];
	json_t *v;
	enum uk_rc rc;

	if (*channel == '\0' || o->identity_status != IDENTITY_PASSED) {
		*out = json_object();
		return UK_OK;
	}
	if ((rc = order_check_load(tx, a->crypt, o->id, o->identity_checks, &subject, err)) !=
	    UK_OK)
		return rc;
	mask(channel, subject, masked);
	v = json_pack("{s:s}", "channel", channel);
	if (masked[0] != '\0')
		(void)json_object_set_new(v, "sentTo", json_string(masked));
	if (o->password_sent_at != 0)
		(void)json_object_set_new(v, "sentAt", json_integer(o->password_sent_at));
	json_decref(subject);
	*out = v;
	return UK_OK;
}
