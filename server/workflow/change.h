/*
 * Which changed data needs what ([V4], [L10]): one table for renewal, change and replacement alike.
 */
#ifndef WORKFLOW_CHANGE_H
#define WORKFLOW_CHANGE_H

#include "workflow/order.h"

struct change {
	int64_t needs;    /* bits of enum order_need, beyond what the kind always needs */
	bool anything;    /* is anything but consent another than it was? */
	bool certificate; /* is it something that stands in the certificate? */
};

/* From the form the old certificate was issued by to the one of this order.  Pure. */
void change_explain(enum order_kind kind, const json_t *was, const json_t *is, struct change *out);

#endif
