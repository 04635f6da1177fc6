/* The order's row. */
#ifndef WORKFLOW_FACTS_H
#define WORKFLOW_FACTS_H

#include "workflow/order.h"

/* How many columns an order has, and their names in the order SQL_ORDER_* has them. */
int facts_count(void);
const char *facts_name(int i);

UK_CHECK enum uk_rc facts_insert(struct store_tx *tx, const struct order *o, struct uk_err *err);

/* UK_E_CONFLICT unless the row still is as `was` says. */
UK_CHECK enum uk_rc facts_replace(
    struct store_tx *tx, const struct order *was, const struct order *now, struct uk_err *err);

#endif
