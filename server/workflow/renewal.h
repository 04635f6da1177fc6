/*
 * What may become of a certificate, and what would come out: one table (renewal.c) of days before
 * and after its end, by the Beijing calendar.
 */
#ifndef WORKFLOW_RENEWAL_H
#define WORKFLOW_RENEWAL_H

#include "workflow/certificate.h"

/* Less than so many days left: 90 exactly is too early ([R1]). */
#define RENEWAL_DAYS_BEFORE 90
/* So many days after the end it still goes without a review; the last included ([R1], [R8]). */
#define RENEWAL_DAYS_AFTER 365

struct renewal_facts {
	int64_t not_before;
	int64_t not_after; /* the last second it is valid */
	bool suspended;
	bool revoked;
	bool order_open; /* a renewal, change or replacement of it is under way */
	bool renewed;    /* another has followed it */
};

struct renewal_rule {
	bool possible;
	const char *reason; /* why not; NULL when possible: "too-early", "revoked", "suspended",
			     * "order-open", "renewed", "expired" */
	const char *basis;  /* the rule that decides: "R1", "R2", "R3", "R8", "V3", "L10" */
	int64_t from;       /* "too-early": from when it is possible; 0 otherwise */
	bool review;        /* only after a review */
	int64_t not_before; /* of the new certificate; 0: when it is downloaded */
	int64_t not_after;  /* ...; 0: a year after it is downloaded */
};

/* FLOW_RENEWAL, FLOW_CHANGE or FLOW_REPLACEMENT at `now`.  Pure. */
void renewal_explain(
    const struct renewal_facts *facts, enum order_flow flow, int64_t now, struct renewal_rule *out);

/*
 * The last second of a certificate of that flow that is issued at `now` ([R2], [R3], [V3], [L10]):
 * `old` is that of the old one, 0 for a new certificate.  Not after `now` when the old one has
 * ended and a new end is not given.
 */
int64_t renewal_end(enum order_flow flow, int64_t old, int64_t now);

#endif
