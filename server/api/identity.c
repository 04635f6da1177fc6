#include <string.h>

#include "api/answer.h"
#include "api/handlers.h"
#include "api/numbers.h"
#include "api/rate.h"

#define DAY                 86400
#define MOST_PER_NUMBER_DAY 20

static bool
digits(const char *s, size_t min, size_t max)
{
	const size_t n = strlen(s);

	return n >= min && n <= max && strspn(s, "0123456789") == n;
}

static bool
is_card(const char *s)
{
	return digits(s, 12, 19);
}

static bool
is_account(const char *s)
{
	return digits(s, 8, 32);
}

static bool
is_bank(const char *s)
{
	return strlen(s) >= 2;
}

/* What each way asks for; the rest has to stay away. */
static const struct {
	const char *field;
	size_t offset;
	unsigned methods; /* 1 << enum identity_method */
	bool (*valid)(const char *s);
	const char *reason;
} inputs[] = {
	{ "phone", offsetof(struct identity_body, phone),
	    1u << METHOD_MOBILE | 1u << METHOD_BANK_CARD, number_phone, "phone-invalid" },
	{ "card", offsetof(struct identity_body, card), 1u << METHOD_BANK_CARD, is_card,
	    "card-invalid" },
	{ "account", offsetof(struct identity_body, account), 1u << METHOD_ACCOUNT, is_account,
	    "account-invalid" },
	{ "bank", offsetof(struct identity_body, bank), 1u << METHOD_ACCOUNT, is_bank, NULL },
};

#define N_INPUTS (sizeof(inputs) / sizeof(inputs[0]))

static const char *
input(const struct identity_body *body, size_t i)
{
	const char *s;

	memcpy(&s, (const char *)body + inputs[i].offset, sizeof(s));
	return s;
}

static enum uk_rc
check_inputs(const struct identity_body *body, enum identity_method method, struct uk_err *err)
{
	for (size_t i = 0; i < N_INPUTS; i++) {
		const char *s = input(body, i);
		const bool wanted = (inputs[i].methods & (1u << method)) != 0;

		if (!wanted && s != NULL)
			return uk_fail_field(err, inputs[i].field, "unknown-member");
		if (wanted && (s == NULL || *s == '\0'))
			return uk_fail_field(err, inputs[i].field, "missing");
		if (wanted && !inputs[i].valid(s))
			return uk_fail_field(err, inputs[i].field, inputs[i].reason);
	}
	return UK_OK;
}

/* Members of the form that the subject takes over, by what they are called in a check. */
static const struct {
	const char *subject;
	const char *form;
} taken[] = {
	{ "organisation", "organisation" },
	{ "creditCode", "creditCode" },
	{ "name", "legalPersonName" },
	{ "idNumber", "legalPersonId" },
	/* a person's form has no other */
	{ "name", "name" },
	{ "idNumber", "idNumber" },
};

static json_t *
subject_json(const json_t *form, const struct identity_body *body)
{
	json_t *v = json_object();

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		(void)json_object_set(v, taken[i].subject, json_object_get(form, taken[i].form));
	for (size_t i = 0; i < N_INPUTS; i++)
		if (input(body, i) != NULL)
			(void)json_object_set_new(v, inputs[i].field, json_string(input(body, i)));
	return v;
}

struct checking {
	const struct api *a;
	struct event ev;
	const struct identity_body *body;
	int64_t retry_after;
};

/* [C4] Three a day of an order, and not endlessly many orders about one number: whoever guesses
 * another's phone or card is stopped. */
static enum uk_rc
count_number(struct checking *c, struct store_tx *tx, const json_t *subject, struct uk_err *err)
{
	const char *member = c->ev.method == METHOD_ACCOUNT ? "creditCode" : "idNumber";
	const char *number = json_string_value(json_object_get(subject, member));
	char index[CRYPT_INDEX_LEN];

	crypt_index_str(c->a->crypt, CRYPT_INDEX_NUMBER, number != NULL ? number : "", index);
	return rate_hit(c->a, tx, "identity-number", index, MOST_PER_NUMBER_DAY, DAY,
	    "too-many-attempts", &c->retry_after, err);
}

static enum uk_rc
store_subject(struct checking *c, struct store_tx *tx, const struct order *o, struct uk_err *err)
{
	json_t *form = NULL;
	json_t *subject;
	enum uk_rc rc;

	if ((rc = order_form_load(tx, c->a->crypt, o->id, &form, err)) != UK_OK)
		return rc;
	subject = subject_json(form, c->body);
	if ((rc = count_number(c, tx, subject, err)) == UK_OK)
		rc = order_check_store(tx, c->a->crypt, o, subject, api_now(c->a), err);
	json_decref(subject);
	json_decref(form);
	return rc;
}

/* The event first: it says whether there may be a check, and gives it its number. */
static enum uk_rc
start_check(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct checking *c = ctx;
	struct workflow_result result;
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, c->ev.order, &o, err)) != UK_OK)
		return rc;
	if ((order_kind_get(o.kind)->methods & (INT64_C(1) << c->ev.method)) == 0)
		return uk_fail_field(err, "method", NULL);
	if ((rc = workflow_apply(c->a->workflow, tx, &c->ev, &result, err)) != UK_OK)
		return rc;
	return store_subject(c, tx, &result.order, err);
}

/* [N3, C1, C4] */
enum uk_rc
identity_check(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct identity_body *body = http_fields(rq);
	struct checking c = { .a = a, .ev = { .on = EV_IDENTITY }, .body = body };
	enum uk_rc rc;

	if (identity_method_from_name(body->method, &c.ev.method) != UK_OK ||
	    c.ev.method == METHOD_NONE)
		return uk_fail_field(err, "method", NULL);
	if ((rc = check_inputs(body, c.ev.method, err)) != UK_OK)
		return rc;
	event_from(rq, &c.ev);
	rc = store_write_wait(a->store, start_check, &c, err);
	if (rc == UK_E_RATE)
		http_attempts_left(rq, 0);
	if (rc == UK_E_RATE && c.retry_after > 0)
		http_retry_after(rq, (unsigned)c.retry_after);
	return rc == UK_OK ? answer_order(a, rq, 200, c.ev.order, err) : rc;
}
