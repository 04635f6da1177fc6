/*
 * What a step does beside changing the state: it sets facts of the order, and writes rows.  It asks
 * no one outside.
 */
#ifndef WORKFLOW_ACTIONS_H
#define WORKFLOW_ACTIONS_H

#include "workflow/table.h"

/* Where the rows go; as store_run(), which is what is behind it but for the test of the table. */
struct act_sink {
	enum uk_rc (*run)(void *ctx, enum sql_id id, const struct db_value *args, size_t n,
	    int64_t *changed, struct uk_err *err);
	void *ctx;
};

struct act {
	const struct act_sink *sink;
	struct order *o;
	const struct event *ev;
};

struct action_row {
	const char *name;
	enum uk_rc (*run)(const struct act *, struct uk_err *);
};
const struct action_row *action_row(enum action a);

/*
 * Everything a step does to an order's facts and rows but the audit: the action, then state,
 * version and time-out.
 */
UK_CHECK enum uk_rc step_take(const struct act_sink *sink, const struct step *step,
    const struct event *ev, struct order *o, struct uk_err *err);

#endif
