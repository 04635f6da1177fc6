#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/facts.h"

enum fact_type {
	FACT_INT,
	FACT_TEXT,
	FACT_KIND,
	FACT_STATE,
	FACT_STATUS,
	FACT_METHOD,
	FACT_RESULT,
};

struct fact {
	const char *name;
	enum fact_type type;
	size_t offset;
	size_t size; /* FACT_TEXT */
};

#define INT(f)                                                                                     \
	{                                                                                          \
#f, FACT_INT, offsetof(struct order, f), 0                                         \
	}
#define TEXT(f)                                                                                    \
	{                                                                                          \
#f, FACT_TEXT, offsetof(struct order, f), sizeof(((struct order *)0)->f)           \
	}

static const struct fact facts[] = {
	TEXT(id),
	{ "kind", FACT_KIND, offsetof(struct order, kind), 0 },
	{ "state", FACT_STATE, offsetof(struct order, state), 0 },
	INT(version),
	INT(created_at),
	INT(updated_at),
	INT(state_since),
	INT(timeout_at),
	{ "identity_method", FACT_METHOD, offsetof(struct order, identity_method), 0 },
	{ "identity_status", FACT_STATUS, offsetof(struct order, identity_status), 0 },
	TEXT(identity_reason),
	INT(identity_day),
	INT(identity_attempts),
	INT(identity_checks),
	TEXT(identity_digest),
	INT(documents),
	INT(signed_at),
	INT(amount_due),
	INT(amount_paid),
	TEXT(payment),
	INT(payments),
	INT(paid_at),
	INT(refunds_open),
	INT(refunds_by_hand),
	INT(review_due),
	TEXT(reviewer),
	TEXT(reviewers),
	INT(reviewed_at),
	{ "review_result", FACT_RESULT, offsetof(struct order, review_result), 0 },
	TEXT(review_reason),
	TEXT(producer),
	INT(tickets),
	INT(requests),
	INT(passwords),
	INT(password_tickets),
	INT(password_sent_at),
	INT(issued_at),
	INT(proved_at),
	INT(posted_at),
	TEXT(about),
	INT(needs),
	INT(code_tries),
	INT(looks),
};
#define FACTS (sizeof(facts) / sizeof(facts[0]))

int
facts_count(void)
{
	return (int)FACTS;
}

const char *
facts_name(int i)
{
	return facts[i].name;
}

/* The enums are stored by name, so that a number never changes its meaning. */
static const char *
enum_name(const struct fact *f, const char *at)
{
	int v;

	memcpy(&v, at, sizeof(v));
	switch (f->type) {
	case FACT_KIND:
		return order_kind_name((enum order_kind)v);
	case FACT_STATE:
		return order_state_name((enum order_state)v);
	case FACT_STATUS:
		return identity_status_name((enum identity_status)v);
	case FACT_METHOD:
		return identity_method_name((enum identity_method)v);
	case FACT_RESULT:
		return review_result_name((enum review_result)v);
	case FACT_INT:
	case FACT_TEXT:
		break;
	}
	abort();
}

static enum uk_rc
enum_read(const struct fact *f, const char *name, char *at)
{
	switch (f->type) {
	case FACT_KIND:
		return order_kind_from_name(name, (enum order_kind *)(void *)at);
	case FACT_STATE:
		return order_state_from_name(name, (enum order_state *)(void *)at);
	case FACT_STATUS:
		return identity_status_from_name(name, (enum identity_status *)(void *)at);
	case FACT_METHOD:
		return identity_method_from_name(name, (enum identity_method *)(void *)at);
	case FACT_RESULT:
		return review_result_from_name(name, (enum review_result *)(void *)at);
	case FACT_INT:
	case FACT_TEXT:
		break;
	}
	abort();
}

static enum uk_rc
read_fact(const struct fact *f, const struct store_rows *rows, int col, char *at)
{
	const char *s;
	int64_t i;

	if (f->type == FACT_INT) {
		i = store_int(rows, col);
		memcpy(at, &i, sizeof(i));
		return UK_OK;
	}
	s = store_text(rows, col);
	if (f->type != FACT_TEXT)
		return enum_read(f, s, at);
	if (strlen(s) >= f->size)
		return UK_E_INTEGRITY;
	memcpy(at, s, strlen(s) + 1);
	return UK_OK;
}

enum uk_rc
order_read(struct store_rows *rows, struct order *out, struct uk_err *err)
{
	struct order o = { 0 };

	for (size_t i = 0; i < FACTS; i++)
		if (read_fact(&facts[i], rows, (int)i, (char *)&o + facts[i].offset) != UK_OK)
			return uk_fail(err, UK_E_INTEGRITY, NULL, "order.read", (long)i);
	*out = o;
	return UK_OK;
}

enum uk_rc
order_load(struct store_tx *tx, const char *id, struct order *out, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_ORDER_GET, STORE_ARGS(DB_T(id)));
	enum uk_rc rc = UK_E_NOT_FOUND;
	enum uk_rc end;

	if (store_next(rows))
		rc = order_read(rows, out, err);
	else
		(void)uk_fail(err, UK_E_NOT_FOUND, "order-not-found", "order.load", 0);
	end = store_end(rows, err);
	return end != UK_OK ? end : rc;
}

static void
bind_all(const struct order *o, struct db_value *values)
{
	for (size_t i = 0; i < FACTS; i++) {
		const char *at = (const char *)o + facts[i].offset;
		int64_t n;

		if (facts[i].type == FACT_INT) {
			memcpy(&n, at, sizeof(n));
			values[i] = DB_I(n);
		} else {
			values[i] =
			    DB_T(facts[i].type == FACT_TEXT ? at : enum_name(&facts[i], at));
		}
	}
}

enum uk_rc
facts_insert(struct store_tx *tx, const struct order *o, struct uk_err *err)
{
	struct db_value values[FACTS];

	bind_all(o, values);
	return store_run(tx, SQL_ORDER_PUT, values, FACTS, NULL, err);
}

enum uk_rc
facts_replace(
    struct store_tx *tx, const struct order *was, const struct order *now, struct uk_err *err)
{
	struct db_value values[FACTS + 2];
	int64_t changed = 0;
	enum uk_rc rc;

	bind_all(now, values);
	values[FACTS] = DB_I(was->version);
	values[FACTS + 1] = DB_T(order_state_name(was->state));
	rc = store_run(tx, SQL_ORDER_CAS, values, FACTS + 2, &changed, err);
	if (rc == UK_OK && changed != 1)
		rc = uk_fail(err, UK_E_CONFLICT, "version", "facts.replace", (long)changed);
	return rc;
}
