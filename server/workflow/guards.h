/* Pure questions about an order and an event. */
#ifndef WORKFLOW_GUARDS_H
#define WORKFLOW_GUARDS_H

#include "workflow/table.h"

struct guard_row {
	const char *name;
	bool (*holds)(const struct order *, const struct event *);
	enum uk_rc rc;      /* when this is why there is no row */
	const char *reason; /* NULL: the name of rc */
};
const struct guard_row *guard_row(enum guard g);

#endif
