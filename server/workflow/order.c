#include <assert.h>
#include <string.h>

#include "workflow/table.h"

#define BIT(n) (INT64_C(1) << (n))

#define UNIT_PROVED   "organisation", "creditCode", "legalPersonName", "legalPersonId"
#define PERSON_PROVED "name", "idNumber"
#define MAILED        "recipient", "recipientPhone", "address", "postcode"

/* With the certificate at stake, a proof stands for the phone it was given for, too; with a key
 * that is to be posted, for where it goes ([L10], [V4]). */
static const char *const unit_proved[] = { UNIT_PROVED, NULL };
static const char *const person_proved[] = { PERSON_PROVED, NULL };
static const char *const unit_kept[] = { UNIT_PROVED, "agentPhone", NULL };
static const char *const person_kept[] = { PERSON_PROVED, "phone", NULL };
static const char *const unit_lost[] = { UNIT_PROVED, "agentPhone", MAILED, NULL };
static const char *const person_lost[] = { PERSON_PROVED, "phone", MAILED, NULL };

#define UNIT_PAPERS                                                                                \
	(BIT(DOC_BUSINESS_LICENCE) | BIT(DOC_LEGAL_PERSON_FRONT) | BIT(DOC_LEGAL_PERSON_BACK) |    \
	    BIT(DOC_AGENT_FRONT) | BIT(DOC_AGENT_BACK))
#define PERSON_PAPERS (BIT(DOC_HOLDER_FRONT) | BIT(DOC_HOLDER_BACK))

#define UNIT                                                                                       \
	.unit = true, .methods = BIT(METHOD_MOBILE) | BIT(METHOD_BANK_CARD) | BIT(METHOD_ACCOUNT), \
	.phone = "agentPhone", .email = "agentEmail", .number = "creditCode",                      \
	.holder = "organisation"
#define PERSON                                                                                     \
	.methods = BIT(METHOD_MOBILE) | BIT(METHOD_BANK_CARD), .phone = "phone", .email = "email", \
	.number = "idNumber", .holder = "name"

#define WHOLE (NEED_IDENTITY | NEED_DOCUMENTS | NEED_SIGNATURE | NEED_PAYMENT | NEED_REVIEW)

static const struct order_kind_row kinds[] = {
	[KIND_UNIT_NEW] = { "unit-new", FLOW_NEW, UNIT, .review_days = 3, .needs = WHOLE,
	    .documents = UNIT_PAPERS, .proved = unit_proved },
	[KIND_PERSON_NEW] = { "person-new", FLOW_NEW, PERSON, .review_days = 3, .needs = WHOLE,
	    .documents = PERSON_PAPERS, .proved = person_proved },
	[KIND_UNIT_RENEWAL] = { "unit-renewal", FLOW_RENEWAL, UNIT, .review_days = 3,
	    .needs = NEED_PAYMENT, .documents = UNIT_PAPERS, .proved = unit_kept },
	[KIND_PERSON_RENEWAL] = { "person-renewal", FLOW_RENEWAL, PERSON, .review_days = 3,
	    .needs = NEED_PAYMENT, .documents = PERSON_PAPERS, .proved = person_kept },
	[KIND_UNIT_UNLOCK] = { "unit-unlock", FLOW_UNLOCK, UNIT, .proved = unit_proved },
	[KIND_PERSON_UNLOCK] = { "person-unlock", FLOW_UNLOCK, PERSON, .proved = person_proved },
	[KIND_UNIT_REPLACEMENT] = { "unit-replacement", FLOW_REPLACEMENT, UNIT, .remittance = true,
	    .review_days = 5, .needs = WHOLE, .documents = UNIT_PAPERS | BIT(DOC_PAYMENT_PROOF),
	    .proved = unit_lost },
	[KIND_PERSON_REPLACEMENT] = { "person-replacement", FLOW_REPLACEMENT, PERSON,
	    .review_days = 3, .needs = WHOLE & ~NEED_IDENTITY, .documents = PERSON_PAPERS,
	    .proved = person_lost },
	[KIND_UNIT_CHANGE] = { "unit-change", FLOW_CHANGE, UNIT, .review_days = 3,
	    .needs = NEED_SIGNATURE, .documents = UNIT_PAPERS, .proved = unit_kept },
	[KIND_PERSON_CHANGE] = { "person-change", FLOW_CHANGE, PERSON, .review_days = 3,
	    .needs = NEED_SIGNATURE, .documents = PERSON_PAPERS, .proved = person_kept },
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == KIND__MAX, "one row per kind");

static const char *const identity_statuses[] = {
	[IDENTITY_NONE] = "none",
	[IDENTITY_CHECKING] = "checking",
	[IDENTITY_PASSED] = "passed",
	[IDENTITY_FAILED] = "failed",
};
static_assert(sizeof(identity_statuses) / sizeof(char *) == IDENTITY_STATUS__MAX, "a name each");

static const char *const methods[] = {
	[METHOD_NONE] = "",
	[METHOD_MOBILE] = "mobile",
	[METHOD_BANK_CARD] = "bank-card",
	[METHOD_ACCOUNT] = "account",
};
static_assert(sizeof(methods) / sizeof(char *) == METHOD__MAX, "a name each");

static const char *const review_results[] = {
	[REVIEW_NONE] = "",
	[REVIEW_APPROVED] = "approved",
	[REVIEW_REJECTED] = "rejected",
};
static_assert(sizeof(review_results) / sizeof(char *) == REVIEW_RESULT__MAX, "a name each");

static const char *const payment_statuses[] = {
	[PAYMENT_NONE] = "none",
	[PAYMENT_WAITING] = "waiting",
	[PAYMENT_PAID] = "paid",
	[PAYMENT_REFUNDING] = "refunding",
	[PAYMENT_REFUNDED] = "refunded",
};
static_assert(sizeof(payment_statuses) / sizeof(char *) == PAYMENT_STATUS__MAX, "a name each");

static const char *const documents[] = {
	[DOC_BUSINESS_LICENCE] = "business-licence",
	[DOC_LEGAL_PERSON_FRONT] = "legal-person-front",
	[DOC_LEGAL_PERSON_BACK] = "legal-person-back",
	[DOC_AGENT_FRONT] = "agent-front",
	[DOC_AGENT_BACK] = "agent-back",
	[DOC_HOLDER_FRONT] = "holder-front",
	[DOC_HOLDER_BACK] = "holder-back",
	[DOC_PAYMENT_PROOF] = "payment-proof",
};
static_assert(sizeof(documents) / sizeof(char *) == DOC__MAX, "a name each");

/* -1 when it is not there. */
static int
find(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const struct order_kind_row *
order_kind_get(enum order_kind k)
{
	return &kinds[k];
}

enum order_kind
order_kind_of(enum order_flow flow, bool unit)
{
	unsigned i = 0;

	while (kinds[i].flow != flow || kinds[i].unit != unit)
		i++;
	return (enum order_kind)i;
}

int64_t
order_documents_needed(const struct order *o)
{
	return (o->needs & NEED_DOCUMENTS) != 0 ? kinds[o->kind].documents : 0;
}

bool
order_is_open(const struct order *o)
{
	return state_row(o->state)->waits != WAITS_NONE;
}

enum order_state
order_start(enum order_kind kind, int64_t needs)
{
	if ((needs & NEED_IDENTITY) != 0)
		return ST_IDENTITY;
	return kinds[kind].flow == FLOW_UNLOCK ? ST_CODE : ST_CONFIRM;
}

const char *
order_kind_name(enum order_kind k)
{
	return kinds[k].name;
}

enum uk_rc
order_kind_from_name(const char *name, enum order_kind *out)
{
	for (unsigned i = 0; i < KIND__MAX; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*out = (enum order_kind)i;
			return UK_OK;
		}
	return UK_E_INPUT;
}

const char *
order_state_name(enum order_state s)
{
	return state_row(s)->name;
}

enum uk_rc
order_state_from_name(const char *name, enum order_state *out)
{
	for (unsigned i = 0; i < ST__MAX; i++)
		if (strcmp(state_row((enum order_state)i)->name, name) == 0) {
			*out = (enum order_state)i;
			return UK_OK;
		}
	return UK_E_INPUT;
}

const char *
identity_status_name(enum identity_status s)
{
	return identity_statuses[s];
}

enum uk_rc
identity_status_from_name(const char *name, enum identity_status *out)
{
	const int i = find(identity_statuses, IDENTITY_STATUS__MAX, name);

	if (i < 0)
		return UK_E_INPUT;
	*out = (enum identity_status)i;
	return UK_OK;
}

const char *
identity_method_name(enum identity_method m)
{
	return methods[m];
}

enum uk_rc
identity_method_from_name(const char *name, enum identity_method *out)
{
	const int i = find(methods, METHOD__MAX, name);

	if (i < 0)
		return UK_E_INPUT;
	*out = (enum identity_method)i;
	return UK_OK;
}

const char *
review_result_name(enum review_result r)
{
	return review_results[r];
}

enum uk_rc
review_result_from_name(const char *name, enum review_result *out)
{
	const int i = find(review_results, REVIEW_RESULT__MAX, name);

	if (i < 0)
		return UK_E_INPUT;
	*out = (enum review_result)i;
	return UK_OK;
}

const char *
payment_status_name(enum payment_status s)
{
	return payment_statuses[s];
}

const char *
document_type_name(enum document_type t)
{
	return documents[t];
}

enum uk_rc
document_type_from_name(const char *name, enum document_type *out)
{
	const int i = find(documents, DOC__MAX, name);

	if (i < 0)
		return UK_E_INPUT;
	*out = (enum document_type)i;
	return UK_OK;
}

int
order_identity_attempts_left(const struct order *o, int64_t now)
{
	if (o->identity_day != uk_day_beijing(now))
		return ORDER_IDENTITY_ATTEMPTS;
	if (o->identity_attempts >= ORDER_IDENTITY_ATTEMPTS)
		return 0;
	return ORDER_IDENTITY_ATTEMPTS - (int)o->identity_attempts;
}

enum payment_status
order_payment_status(const struct order *o)
{
	if (o->amount_paid > 0)
		return PAYMENT_PAID;
	if (o->state == ST_PAYMENT && o->payment[0] != '\0')
		return PAYMENT_WAITING;
	if (o->refunds_open > 0 || o->refunds_by_hand > 0)
		return PAYMENT_REFUNDING;
	return o->paid_at > 0 ? PAYMENT_REFUNDED : PAYMENT_NONE;
}

const char *
order_password_channel(const struct order *o)
{
	switch (o->identity_method) {
	case METHOD_MOBILE:
	case METHOD_BANK_CARD:
		return "sms";
	case METHOD_ACCOUNT:
		return "remark";
	case METHOD_NONE:
	case METHOD__MAX:
		break;
	}
	/* [M3, M6] Nothing that was proved has changed: to the phone the number was asked by. */
	if (kinds[o->kind].flow == FLOW_REPLACEMENT && (o->needs & NEED_IDENTITY) == 0)
		return "sms";
	return "";
}
