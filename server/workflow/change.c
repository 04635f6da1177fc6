#include <string.h>

#include "workflow/change.h"

/*
 * A proofing that matches, or a review; a proofing in any case; a code to the agent's phone, which
 * is the old one as long as the phone itself is not changed.
 */
#define MATCH (NEED_IDENTITY | NEED_MATCH | NEED_SIGNATURE)
#define PROOF (NEED_IDENTITY | NEED_PROOF | NEED_SIGNATURE)
#define SMS   NEED_SIGNATURE

/* For who has the key, and for who has lost it: then it goes by post to where the form says. */
static const struct row {
	const char *member;
	bool certificate;
	int64_t on_key;
	int64_t lost;
} rows[] = {
	/* clang-format off */
	/* unit */
	{ "organisation",    true,  MATCH, MATCH },
	{ "creditCode",      true,  MATCH, MATCH },
	{ "legalPersonName", false, MATCH | NEED_PROOF, MATCH | NEED_PROOF }, /* who the next proofing will be about */
	{ "legalPersonId",   false, MATCH | NEED_PROOF, MATCH | NEED_PROOF },
	{ "agentName",       false, SMS,   SMS },
	{ "agentId",         false, SMS,   SMS },
	{ "agentPhone",      false, PROOF, PROOF },
	{ "agentEmail",      false, SMS,   SMS },
	/* person */
	{ "name",            true,  MATCH, MATCH },
	{ "idNumber",        true,  MATCH, MATCH },
	{ "phone",           false, PROOF, PROOF },
	{ "email",           false, SMS,   SMS },
	/* both */
	{ "recipient",       false, SMS,   PROOF },
	{ "recipientPhone",  false, SMS,   PROOF },
	{ "address",         false, SMS,   PROOF },
	{ "postcode",        false, SMS,   PROOF },
	{ "invoiceType",     false, SMS,   SMS },
	/* clang-format on */
};

static const char *
member(const json_t *form, const char *name)
{
	const char *s = json_string_value(json_object_get(form, name));

	return s != NULL ? s : "";
}

void
change_explain(enum order_kind kind, const json_t *was, const json_t *is, struct change *out)
{
	const bool lost = order_kind_get(kind)->flow == FLOW_REPLACEMENT;

	*out = (struct change){ 0 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(member(was, rows[i].member), member(is, rows[i].member)) == 0)
			continue;
		out->anything = true;
		out->certificate = out->certificate || rows[i].certificate;
		out->needs |= lost ? rows[i].lost : rows[i].on_key;
	}
}
