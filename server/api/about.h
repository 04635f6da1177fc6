/* The certificate that an order is about: what is known of it, and what may become of it. */
#ifndef API_ABOUT_H
#define API_ABOUT_H

#include "api/api.h"
#include "workflow/change.h"
#include "workflow/renewal.h"

struct about {
	struct certificate cert;
	struct order order; /* that it was issued by */
	json_t *form;       /* of that order */
	struct renewal_facts facts;
};

/*
 * In a transaction: a customer's signing certificate by its serial.  UK_E_NOT_FOUND; then nothing
 * is left to free, else about_fini().
 */
UK_CHECK enum uk_rc about_load(const struct api *a, struct store_tx *tx, const char *serial,
    struct about *out, struct uk_err *err);
void about_fini(struct about *ab);

/* The holder's name, lent by the form. */
const char *about_name(const struct about *ab);

bool about_unit(const struct about *ab);

/* "valid", "suspended", "revoked", "expired" */
const char *about_status(const struct api *a, const struct about *ab);

/*
 * An order of this flow with this form: what it needs beyond its kind ([V4], [R8]).  UK_E_CONFLICT
 * with the rule's reason ("too-early", …) when there can be none, "nothing-changed" for a change
 * that changes nothing.  `again`: the order is there already, its own is not in its way.
 */
UK_CHECK enum uk_rc about_needs(const struct api *a, const struct about *ab, enum order_flow flow,
    const json_t *form, bool again, int64_t *needs, struct uk_err *err);

/* RULE of openapi.yaml; new reference. */
json_t *about_rule_json(const struct api *a, const struct about *ab, enum order_flow flow);

/* {serial, name, kind, notBefore, notAfter, status}; new reference. */
json_t *about_json(const struct api *a, const struct about *ab);

/* The holder's agent gets the message "suspended" or "resumed", whoever asked for it. */
UK_CHECK enum uk_rc about_tell(struct store_tx *tx, const char *template,
    const struct certificate *c, int64_t now, struct uk_err *err);

#endif
