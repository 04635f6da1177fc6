#include <assert.h>
#include <string.h>

#include "workflow/actions.h"
#include "workflow/guards.h"

struct by_row {
	enum order_by by;
	const char *name;
};

static const struct by_row bys[] = {
	{ BY_APPLICANT, "applicant" },
	{ BY_REVIEWER, "reviewer" },
	{ BY_PRODUCER, "producer" },
	{ BY_FINANCE, "finance" },
	{ BY_ADMINISTRATOR, "administrator" },
	{ BY_SYSTEM, "system" },
};
static_assert(1 << (sizeof(bys) / sizeof(bys[0])) == BY__END, "one row per sender");

#define BYS (sizeof(bys) / sizeof(bys[0]))

const char *
order_by_name(enum order_by by)
{
	for (size_t i = 0; i < BYS; i++)
		if (bys[i].by == by)
			return bys[i].name;
	return "";
}

enum order_by
order_by_from_role(const char *role)
{
	for (size_t i = 0; i < BYS; i++)
		if (strcmp(bys[i].name, role) == 0 && bys[i].by != BY_APPLICANT &&
		    bys[i].by != BY_SYSTEM)
			return bys[i].by;
	return (enum order_by)0;
}

const char *
order_event_name(enum order_event e)
{
	return event_row(e)->name;
}

enum uk_rc
order_event_from_name(const char *name, enum order_event *out)
{
	for (unsigned i = 0; i < EV__MAX; i++)
		if (strcmp(event_row((enum order_event)i)->name, name) == 0) {
			*out = (enum order_event)i;
			return UK_OK;
		}
	return UK_E_INPUT;
}

static unsigned
lowest_bit(int64_t set)
{
	return (unsigned)__builtin_ctzll((unsigned long long)set);
}

/* The event with arguments that speak for it, as far as there are any. */
bool
workflow_allows(
    const struct order *o, enum order_event on, enum order_by by, const char *actor, int64_t now)
{
	const struct order_kind_row *kind = order_kind_get(o->kind);
	const unsigned method = lowest_bit(kind->methods);
	const int64_t documents = order_documents_needed(o);
	const unsigned document = documents != 0 ? lowest_bit(documents) : DOC_BUSINESS_LICENCE;
	const struct event ev = {
		.on = on,
		.by = by,
		.actor = actor,
		.now = now,
		.method = (enum identity_method)method,
		.document = (enum document_type)document,
		.identity_digest = o->identity_digest,
		.payment = o->payment,
		.amount = o->amount_due,
	};
	const char *reason;
	enum uk_rc rc;

	return table_match(o, &ev, &rc, &reason) != NULL;
}

int
workflow_actions(const struct order *o, int64_t now, const char *names[WORKFLOW_ACTIONS_MAX])
{
	int n = 0;

	for (unsigned i = 0; i < EV__MAX && n < WORKFLOW_ACTIONS_MAX; i++) {
		const struct event_row *row = event_row((enum order_event)i);

		if (row->action != NULL &&
		    workflow_allows(o, (enum order_event)i, BY_APPLICANT, "", now))
			names[n++] = row->action;
	}
	return n;
}

static void
put_states(struct uk_buf *out)
{
	static const char *const colours[] = {
		[WAITS_NONE] = "#dddddd",
		[WAITS_APPLICANT] = "#cfe3ff",
		[WAITS_STAFF] = "#ffe3c2",
		[WAITS_SYSTEM] = "#d9f2d9",
	};

	for (unsigned i = 0; i < ST__MAX; i++) {
		const struct state_row *s = state_row((enum order_state)i);

		uk_buf_printf(out, "\t\"%s\" [fillcolor=\"%s\"%s];\n", s->name, colours[s->waits],
		    s->waits == WAITS_NONE ? ", peripheries=2" : "");
	}
}

static void
put_senders(struct uk_buf *out, unsigned by)
{
	const char *comma = "";

	for (size_t i = 0; i < BYS; i++)
		if ((by & (unsigned)bys[i].by) != 0) {
			uk_buf_printf(out, "%s%s", comma, bys[i].name);
			comma = ", ";
		}
}

/* What leaves an order where it is would hide the rest. */
static void
put_edge(struct uk_buf *out, const struct step *s, enum order_state from)
{
	const struct guard_row *guard = guard_row(s->only_if);

	if (s->to == ST_SAME || s->to == from)
		return;
	uk_buf_printf(out, "\t\"%s\" -> \"%s\" [label=\"%s", state_row(from)->name,
	    state_row(s->to)->name, event_row(s->on)->name);
	if (s->only_if != IF_ALWAYS)
		uk_buf_printf(out, "\\n[%s]", guard->name);
	uk_buf_put_str(out, "\\n");
	put_senders(out, s->by);
	uk_buf_put_str(out, "\"];\n");
}

void
workflow_dot(struct uk_buf *out)
{
	uk_buf_put_str(out, "digraph order {\n\trankdir=LR;\n"
			    "\tnode [shape=box, style=\"rounded,filled\"];\n"
			    "\tedge [fontsize=9];\n");
	put_states(out);
	for (size_t i = 0; i < steps_n; i++)
		for (unsigned from = 0; from < ST__MAX; from++)
			if ((steps[i].from & (UINT32_C(1) << from)) != 0)
				put_edge(out, &steps[i], (enum order_state)from);
	uk_buf_put_str(out, "}\n");
}
