#include <limits.h>

#include "uk/clock.h"
#include "workflow/renewal.h"

#define DAY     86400
#define BEIJING (8 * 3600)

/* From which to which day, counted from the day the old certificate ends; what the rule is. */
static const struct row {
	enum order_flow flow;
	int first;
	int last;
	bool expired; /* on the last day both happen: this row is for after the last second */
	const char *basis;
	const char *reason; /* NULL: possible */
	bool review;
} rows[] = {
	/* clang-format off */
	{ FLOW_RENEWAL, INT_MIN, -RENEWAL_DAYS_BEFORE,     false, "R1", "too-early", false },
	{ FLOW_RENEWAL, 1 - RENEWAL_DAYS_BEFORE, 0,        false, "R2", NULL,        false },
	{ FLOW_RENEWAL, 0, RENEWAL_DAYS_AFTER,             true,  "R3", NULL,        false },
	{ FLOW_RENEWAL, RENEWAL_DAYS_AFTER + 1, INT_MAX,   true,  "R8", NULL,        true },
	{ FLOW_CHANGE, INT_MIN, 0,                         false, "V3", NULL,        false },
	{ FLOW_CHANGE, 0, INT_MAX,                         true,  "V3", "expired",   false },
	{ FLOW_REPLACEMENT, INT_MIN, 0,                    false, "L10", NULL,       true },
	{ FLOW_REPLACEMENT, 0, INT_MAX,                    true,  "L10", "expired",  false },
	/* clang-format on */
};

static const struct row *
find(enum order_flow flow, int64_t day, bool expired)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].flow == flow && rows[i].expired == expired && day >= rows[i].first &&
		    day <= rows[i].last)
			return &rows[i];
	return NULL;
}

/* What no date changes. */
static const char *
barred(const struct renewal_facts *f, enum order_flow flow)
{
	if (f->revoked)
		return "revoked";
	/* Suspended because it is lost is just what is replaced. */
	if (f->suspended && flow != FLOW_REPLACEMENT)
		return "suspended";
	if (f->renewed)
		return "renewed";
	return f->order_open ? "order-open" : NULL;
}

static int64_t
day_begins(int64_t day)
{
	return day * DAY - BEIJING;
}

/* By the Beijing calendar: one that ends on 1 March at 00:30 there has its 29 February in UTC. */
static int64_t
a_year_after(int64_t t)
{
	return uk_year_after(t + BEIJING) - BEIJING;
}

int64_t
renewal_end(enum order_flow flow, int64_t old, int64_t now)
{
	switch (flow) {
	case FLOW_RENEWAL:
		return a_year_after(now <= old ? old : now);
	case FLOW_CHANGE:
	case FLOW_REPLACEMENT:
		return old;
	case FLOW_NEW:
	case FLOW_UNLOCK:
	case FLOW__MAX:
		break;
	}
	return a_year_after(now);
}

void
renewal_explain(
    const struct renewal_facts *f, enum order_flow flow, int64_t now, struct renewal_rule *out)
{
	const bool expired = now > f->not_after;
	const int64_t ends = uk_day_beijing(f->not_after);
	const struct row *row = find(flow, uk_day_beijing(now) - ends, expired);
	const char *bar = barred(f, flow);

	*out = (struct renewal_rule){ .reason = "unknown", .basis = "R1" };
	if (row == NULL)
		return;
	out->basis = row->basis;
	out->reason = bar != NULL ? bar : row->reason;
	out->possible = out->reason == NULL;
	if (out->reason == row->reason && row->reason != NULL && !expired)
		out->from = day_begins(ends - RENEWAL_DAYS_BEFORE + 1);
	if (!out->possible)
		return;
	out->review = row->review;
	if (flow == FLOW_RENEWAL && expired)
		return;
	out->not_before = now;
	out->not_after = renewal_end(flow, f->not_after, now);
}
