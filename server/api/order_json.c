#include <string.h>

#include "api/about.h"
#include "api/agent.h"
#include "api/answer.h"
#include "api/form.h"
#include "api/numbers.h"
#include "workflow/audit.h"

static void
set_int(json_t *o, const char *key, int64_t v)
{
	if (v != 0)
		(void)json_object_set_new(o, key, json_integer(v));
}

static void
set_str(json_t *o, const char *key, const char *v)
{
	if (v != NULL && *v != '\0')
		(void)json_object_set_new(o, key, json_string(v));
}

static json_t *
identity_json(const struct order *o, int64_t now)
{
	json_t *v = json_pack("{s:s, s:i}", "status", identity_status_name(o->identity_status),
	    "attemptsLeft", order_identity_attempts_left(o, now));

	set_str(v, "method", identity_method_name(o->identity_method));
	if (o->identity_status == IDENTITY_FAILED)
		set_str(v, "reason", o->identity_reason);
	return v;
}

static enum uk_rc
documents_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_DOCUMENTS_OF_ORDER, STORE_ARGS(DB_T(o->id)));
	json_t *v = json_object();
	enum uk_rc rc;

	(void)a;
	while (store_next(rows))
		(void)json_object_set_new(v, store_text(rows, 0),
		    json_pack("{s:I, s:I, s:I, s:I}", "width", (json_int_t)store_int(rows, 1),
			"height", (json_int_t)store_int(rows, 2), "bytes",
			(json_int_t)store_int(rows, 3), "uploadedAt",
			(json_int_t)store_int(rows, 4)));
	if ((rc = store_end(rows, err)) == UK_OK)
		*out = v;
	else
		json_decref(v);
	return rc;
}

static json_t *
needed_json(const struct order *o)
{
	const int64_t bits = order_documents_needed(o);
	json_t *v = json_array();

	for (int t = 0; t < DOC__MAX; t++)
		if ((bits & (INT64_C(1) << t)) != 0)
			(void)json_array_append_new(
			    v, json_string(document_type_name((enum document_type)t)));
	return v;
}

static enum uk_rc
signature_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	char phone[AGENT_PHONE_LEN] = "";
	char masked[NUMBER_MASK_LEN];
	json_t *form = NULL;
	json_t *v;
	enum uk_rc rc = order_form_load(tx, a->crypt, o->id, &form, err);

	if (rc == UK_OK)
		rc = agent_signer(a, tx, o, form, phone, err);
	json_decref(form);
	if (rc != UK_OK)
		return rc;
	number_phone_mask(phone, masked);
	v = json_pack("{s:s, s:b}", "phone", masked, "holder", agent_holder_signs(o) ? 1 : 0);
	set_int(v, "signedAt", o->signed_at);
	*out = v;
	return UK_OK;
}

static enum uk_rc
payment_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_PAYMENT_GET, STORE_ARGS(DB_T(o->payment)));
	const bool remittance = order_kind_get(o->kind)->remittance;
	json_t *v = json_pack("{s:I, s:s, s:s}", "amount", (json_int_t)o->amount_due, "status",
	    payment_status_name(order_payment_status(o)), "method",
	    o->amount_due == 0 ? "none"
	    : remittance       ? "remittance"
			       : "alipay");
	enum uk_rc rc;

	if (remittance)
		(void)json_object_set_new(v, "remittance",
		    json_pack("{s:s, s:s, s:s, s:I, s:s}", "account", a->remittance_account, "bank",
			a->remittance_bank, "name", a->remittance_name, "amount",
			(json_int_t)o->amount_due, "remark", o->id));
	set_int(v, "paidAt", o->paid_at);
	if (store_next(rows))
		set_str(v, "tradeNo", store_text(rows, 5));
	if ((rc = store_end(rows, err)) == UK_OK)
		*out = v;
	else
		json_decref(v);
	return rc;
}

static enum uk_rc
add_rejection(
    const struct api *a, struct store_tx *tx, const struct order *o, json_t *v, struct uk_err *err)
{
	struct store_rows *rows = store_query(
	    tx, SQL_EVENT_LAST_NOTE, STORE_ARGS(DB_T(o->id), DB_T(order_event_name(EV_REJECT))));
	struct uk_buf note;
	enum uk_rc rc = UK_OK, ended;

	uk_buf_init(&note, AUDIT_NOTE_MAX);
	if (store_next(rows))
		rc = audit_note(a->crypt, o->id, store_int(rows, 0), store_text(rows, 1),
		    store_blob(rows, 2), &note, err);
	if (rc == UK_OK)
		set_str(v, "note", uk_buf_str(&note));
	uk_buf_fini(&note);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

/* The applicant reads a rejection's note; what staff note on an approval stays with them. */
static enum uk_rc
review_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	json_t *v = json_object();
	enum uk_rc rc = UK_OK;

	set_int(v, "dueAt", o->review_due);
	set_int(v, "decidedAt", o->reviewed_at);
	set_str(v, "result", review_result_name(o->review_result));
	if (o->review_result == REVIEW_REJECTED) {
		set_str(v, "reason", o->review_reason);
		rc = add_rejection(a, tx, o, v, err);
	}
	if (rc == UK_OK)
		*out = v;
	else
		json_decref(v);
	return rc;
}

static enum uk_rc
shipping_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_SHIPMENT_GET, STORE_ARGS(DB_T(o->id)));
	json_t *v = json_object();
	enum uk_rc rc;

	(void)a;
	if (store_next(rows)) {
		set_str(v, "carrier", store_text(rows, 0));
		set_str(v, "tracking", store_text(rows, 1));
		set_int(v, "postedAt", store_int(rows, 2));
	}
	if ((rc = store_end(rows, err)) == UK_OK)
		*out = v;
	else
		json_decref(v);
	return rc;
}

/* The newest that is not revoked: a revoked one was of a key that was made again. */
static enum uk_rc
certificate_json(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	struct certificate_list l = { 0 };
	const struct certificate *c;
	struct uk_cert *cert = NULL;
	json_t *v = json_object();
	enum uk_rc rc = certificates_of_order(tx, o->id, &l, err);

	if (rc == UK_OK && (c = certificate_current(&l)) != NULL &&
	    (rc = certificate_cert(tx, a->crypt, c->serial, &cert, err)) == UK_OK) {
		set_str(v, "serial", c->serial);
		set_str(v, "subject", uk_cert_subject(cert));
		set_int(v, "notBefore", c->not_before);
		set_int(v, "notAfter", c->not_after);
		set_str(v, "status", certificate_status_name(certificate_status(c, api_now(a))));
	}
	uk_cert_free(&cert);
	certificate_list_fini(&l);
	if (rc == UK_OK)
		*out = v;
	else
		json_decref(v);
	return rc;
}

static json_t *
actions_json(const struct order *o, int64_t now)
{
	const char *names[WORKFLOW_ACTIONS_MAX];
	const int n = workflow_actions(o, now, names);
	json_t *v = json_array();

	for (int i = 0; i < n; i++)
		(void)json_array_append_new(v, json_string(names[i]));
	if (unlock_by_sms(o))
		(void)json_array_append_new(v, json_string("code"));
	return v;
}

/* The kinds of steps that are still before the applicant and the staff. */
static json_t *
needs_json(const struct order *o)
{
	const struct {
		int64_t need;
		const char *name;
		bool met;
	} all[] = {
		{ NEED_IDENTITY, "identity", o->identity_status == IDENTITY_PASSED },
		{ NEED_DOCUMENTS, "documents",
		    o->signed_at != 0 ||
			(o->documents & order_documents_needed(o)) == order_documents_needed(o) },
		{ NEED_SIGNATURE, "signature", o->signed_at != 0 },
		{ NEED_PAYMENT, "payment", o->amount_paid >= o->amount_due },
		{ NEED_REVIEW, "review", o->review_result == REVIEW_APPROVED },
	};
	json_t *v = json_array();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((o->needs & all[i].need) != 0 && !all[i].met)
			(void)json_array_append_new(v, json_string(all[i].name));
	return v;
}

/* Who starts an unlock has shown nothing but a certificate, so he sees no more than it says. */
static json_t *
form_json(const struct order *o, json_t *form)
{
	const char *holder = order_kind_get(o->kind)->holder;

	if (order_kind_get(o->kind)->flow != FLOW_UNLOCK)
		return json_incref(form);
	return json_pack("{s:O*}", holder, json_object_get(form, holder));
}

/* What comes from the order's own row and form. */
static json_t *
head_json(const struct api *a, const struct order *o, json_t *form)
{
	const int64_t now = api_now(a);

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
	    o->id, "kind", order_kind_name(o->kind), "state", order_state_name(o->state), "version",
	    (json_int_t)o->version, "createdAt", (json_int_t)o->created_at, "updatedAt",
	    (json_int_t)o->updated_at, "form", form_json(o, form), "warnings", form_warnings(form),
	    "identity", identity_json(o, now), "documentsNeeded", needed_json(o), "needs",
	    needs_json(o), "actions", actions_json(o, now));
}

static enum uk_rc
about_part(const struct api *a, struct store_tx *tx, const struct order *o, json_t **out,
    struct uk_err *err)
{
	struct about ab;
	enum uk_rc rc;

	if (o->about[0] == '\0')
		return UK_OK;
	if ((rc = about_load(a, tx, o->about, &ab, err)) == UK_OK) {
		*out = about_json(a, &ab);
		about_fini(&ab);
	}
	return rc;
}

/* Each part has tables of its own; what an order has not is left out. */
static const struct {
	const char *name;
	enum uk_rc (*read)(const struct api *, struct store_tx *, const struct order *, json_t **,
	    struct uk_err *);
} parts[] = {
	{ "documents", documents_json },
	{ "signature", signature_json },
	{ "payment", payment_json },
	{ "review", review_json },
	{ "shipping", shipping_json },
	{ "certificate", certificate_json },
	{ "password", password_json },
	{ "about", about_part },
	{ "download", download_json },
	{ "unlock", unlock_json },
};

enum uk_rc
order_json(
    const struct api *a, struct store_tx *tx, const char *id, json_t **out, struct uk_err *err)
{
	struct order o;
	json_t *form = NULL;
	json_t *v = NULL;
	enum uk_rc rc;

	if ((rc = order_load(tx, id, &o, err)) != UK_OK ||
	    (rc = order_form_load(tx, a->crypt, id, &form, err)) != UK_OK)
		return rc;
	v = head_json(a, &o, form);
	json_decref(form);
	for (size_t i = 0; rc == UK_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		json_t *part = NULL;

		if ((rc = parts[i].read(a, tx, &o, &part, err)) == UK_OK && part != NULL)
			(void)json_object_set_new(v, parts[i].name, part);
	}
	if (rc == UK_OK)
		*out = v;
	else
		json_decref(v);
	return rc;
}
