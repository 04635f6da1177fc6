#include <stdio.h>
#include <string.h>

#include "api/about.h"
#include "workflow/job.h"

/* Nothing will come of it but money, and that may take days. */
static bool
returning(const struct order *o)
{
	return o->state == ST_REFUNDING || o->state == ST_REFUND_BY_HAND;
}

/* [R1] One at a time, and a certificate that has been renewed is not renewed again. */
static enum uk_rc
read_orders(struct store_tx *tx, struct about *ab, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_ORDERS_ABOUT, STORE_ARGS(DB_T(ab->cert.serial)));
	enum uk_rc rc = UK_OK, ended;

	while (rc == UK_OK && store_next(rows)) {
		struct order o;

		if ((rc = order_read(rows, &o, err)) != UK_OK ||
		    order_kind_get(o.kind)->flow == FLOW_UNLOCK)
			continue;
		ab->facts.order_open =
		    ab->facts.order_open || (order_is_open(&o) && !returning(&o));
		ab->facts.renewed = ab->facts.renewed || o.state == ST_DONE;
	}
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

enum uk_rc
about_load(const struct api *a, struct store_tx *tx, const char *serial, struct about *out,
    struct uk_err *err)
{
	struct about ab = { .form = NULL };
	enum uk_rc rc;

	if ((rc = certificate_get(tx, serial, &ab.cert, err)) != UK_OK)
		return rc;
	if (ab.cert.order[0] == '\0' || ab.cert.usage == CERTIFICATE_ENCRYPT)
		return uk_fail(err, UK_E_NOT_FOUND, "certificate-not-found", "about", 0);
	ab.facts = (struct renewal_facts){ .not_before = ab.cert.not_before,
		.not_after = ab.cert.not_after,
		.suspended = ab.cert.suspended_at != 0,
		.revoked = ab.cert.revoked_at != 0 };
	if ((rc = order_load(tx, ab.cert.order, &ab.order, err)) != UK_OK ||
	    (rc = read_orders(tx, &ab, err)) != UK_OK ||
	    (rc = order_form_load(tx, a->crypt, ab.cert.order, &ab.form, err)) != UK_OK)
		return rc;
	*out = ab;
	return UK_OK;
}

void
about_fini(struct about *ab)
{
	json_decref(ab->form);
	ab->form = NULL;
}

const char *
about_name(const struct about *ab)
{
	const char *s =
	    json_string_value(json_object_get(ab->form, order_kind_get(ab->order.kind)->holder));

	return s != NULL ? s : "";
}

bool
about_unit(const struct about *ab)
{
	return order_kind_get(ab->order.kind)->unit;
}

const char *
about_status(const struct api *a, const struct about *ab)
{
	return certificate_status_name(certificate_status(&ab->cert, api_now(a)));
}

enum uk_rc
about_needs(const struct api *a, const struct about *ab, enum order_flow flow, const json_t *form,
    bool again, int64_t *needs, struct uk_err *err)
{
	const enum order_kind kind = order_kind_of(flow, about_unit(ab));
	struct renewal_facts facts = ab->facts;
	struct renewal_rule rule;
	struct change change;

	if (again)
		facts.order_open = false;
	renewal_explain(&facts, flow, api_now(a), &rule);
	if (!rule.possible)
		return uk_fail(err, UK_E_CONFLICT, rule.reason, "about", 0);
	change_explain(kind, ab->form, form, &change);
	if (flow == FLOW_CHANGE && !change.anything)
		return uk_fail(err, UK_E_CONFLICT, "nothing-changed", "about", 0);
	*needs = change.needs;
	if (rule.review)
		*needs |=
		    NEED_IDENTITY | NEED_PROOF | NEED_DOCUMENTS | NEED_SIGNATURE | NEED_REVIEW;
	/* A person's loss has a review and a signature in any case, a proofing only for what has
	 * changed ([M3], [L10]). */
	if (flow == FLOW_REPLACEMENT && (change.needs & NEED_IDENTITY) == 0)
		*needs &= ~(int64_t)(NEED_IDENTITY | NEED_PROOF);
	return UK_OK;
}

static void
set_time(json_t *o, const char *key, int64_t t)
{
	(void)json_object_set_new(o, key, t != 0 ? json_integer(t) : json_null());
}

json_t *
about_rule_json(const struct api *a, const struct about *ab, enum order_flow flow)
{
	const enum order_kind kind = order_kind_of(flow, about_unit(ab));
	struct renewal_rule rule;
	json_t *v;

	renewal_explain(&ab->facts, flow, api_now(a), &rule);
	v = json_pack("{s:b, s:s}", "possible", rule.possible ? 1 : 0, "basis", rule.basis);
	if (!rule.possible) {
		(void)json_object_set_new(v, "reason", json_string(rule.reason));
		if (rule.from != 0)
			(void)json_object_set_new(v, "from", json_integer(rule.from));
		return v;
	}
	(void)json_object_set_new(v, "review", json_boolean(rule.review));
	set_time(v, "notBefore", rule.not_before);
	set_time(v, "notAfter", rule.not_after);
	(void)json_object_set_new(v, "payment", json_integer(a->prices[kind]));
	return v;
}

json_t *
about_json(const struct api *a, const struct about *ab)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "serial", ab->cert.serial, "name",
	    about_name(ab), "kind", about_unit(ab) ? "unit" : "person", "notBefore",
	    (json_int_t)ab->cert.not_before, "notAfter", (json_int_t)ab->cert.not_after, "status",
	    about_status(a, ab));
}

enum uk_rc
about_tell(struct store_tx *tx, const char *template, const struct certificate *c, int64_t now,
    struct uk_err *err)
{
	char key[128];
	char args[64];

	(void)snprintf(
	    key, sizeof(key), "sms-send/%s/%s/%lld", template, c->serial, (long long)now);
	(void)snprintf(args, sizeof(args), "{\"template\":\"%s\"}", template);
	return job_put(tx,
	    &(struct job_new){ .kind = "sms-send", .key = key, .order = c->order, .args = args },
	    now, err);
}
