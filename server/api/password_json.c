#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/numbers.h"
#include "api/place.h"

#define SUBJECT_MAX 4096
#define MASK_LEN    16

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

/* What the last identity check was about; *out stays NULL when there is none. */
static enum uk_rc
subject_load(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	char row[PLACE_ROW_LEN];
	const struct crypt_place at =
	    place_n("identity_checks", o->id, o->identity_checks, "subject", row);
	struct store_rows *rows =
	    store_query(tx, SQL_CHECK_GET, STORE_ARGS(DB_T(o->id), DB_I(o->identity_checks)));
	struct uk_buf text;
	enum uk_rc rc = UK_OK, ended;

	uk_buf_init(&text, SUBJECT_MAX);
	if (store_next(rows))
		rc = crypt_unseal(a->crypt, CRYPT_PERSONAL, &at, store_blob(rows, 1), &text, err);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	rc = rc != UK_OK ? rc : ended;
	if (rc == UK_OK && text.n > 0)
		rc = uk_json_parse(uk_buf_span(&text), SUBJECT_MAX, out, err);
	uk_buf_fini(&text);
	return rc;
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
	if ((rc = subject_load(a, tx, o, &subject, err)) != UK_OK)
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
