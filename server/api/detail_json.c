#include <stdio.h>
#include <string.h>

#include "api/about.h"
#include "api/answer.h"
#include "api/encryption.h"
#include "api/numbers.h"
#include "api/place.h"
#include "api/proof.h"
#include "uk/b64.h"
#include "workflow/audit.h"
#include "workflow/certificate.h"

static void
set_str(json_t *o, const char *key, const char *v)
{
	if (v != NULL && *v != '\0')
		(void)json_object_set_new(o, key, json_string(v));
}

/* The name of a member of the staff; the id itself when there is none. */
static enum uk_rc
staff_name(struct store_tx *tx, const char *id, char out[128], struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_STAFF_GET, STORE_ARGS(DB_T(id)));

	(void)snprintf(out, 128, "%s", id);
	if (store_next(rows))
		(void)snprintf(out, 128, "%s", store_text(rows, 0));
	return store_end(rows, err);
}

/* By whom, for people; a staff member's name, or "system". */
static enum uk_rc
actor_name(struct store_tx *tx, const struct store_rows *rows, char out[128], struct uk_err *err)
{
	const char *actor = store_text(rows, 3);

	if (*actor != '\0')
		return staff_name(tx, actor, out, err);
	(void)snprintf(out, 128, "%s", store_text(rows, 2));
	return UK_OK;
}

static enum uk_rc
add_event(const struct api *a, const struct order *o, const struct store_rows *rows, const char *by,
    json_t *list, struct uk_err *err)
{
	json_t *v = json_pack("{s:I, s:s, s:s, s:s, s:s}", "at", (json_int_t)store_int(rows, 0),
	    "event", store_text(rows, 1), "by", by, "from", store_text(rows, 4), "to",
	    store_text(rows, 5));
	struct uk_buf note;
	enum uk_rc rc;

	uk_buf_init(&note, AUDIT_NOTE_MAX);
	rc = audit_note(a->crypt, o->id, store_int(rows, 6), store_text(rows, 7),
	    store_blob(rows, 8), &note, err);
	if (rc == UK_OK)
		set_str(v, "note", uk_buf_str(&note));
	uk_buf_fini(&note);
	(void)json_array_append_new(list, v);
	return rc;
}

/* What has become of the order, and beside it who has looked at which photo. */
static enum uk_rc
add_history(
    const struct api *a, struct store_tx *tx, const struct order *o, json_t *v, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_EVENTS_OF_ORDER, STORE_ARGS(DB_T(o->id)));
	json_t *history = json_array();
	json_t *looks = json_array();
	enum uk_rc rc = UK_OK, ended;

	while (rc == UK_OK && store_next(rows)) {
		char name[128];

		if ((rc = actor_name(tx, rows, name, err)) != UK_OK)
			break;
		if (strcmp(store_text(rows, 1), AUDIT_LOOK) == 0)
			(void)json_array_append_new(looks,
			    json_pack("{s:I, s:s, s:s}", "at", (json_int_t)store_int(rows, 0), "by",
				name, "document", store_text(rows, 9)));
		else
			rc = add_event(a, o, rows, name, history, err);
	}
	(void)json_object_set_new(v, "history", history);
	(void)json_object_set_new(v, "looks", looks);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

/* The provider's word: the last check, and how many there were. */
static enum uk_rc
identity_evidence(struct store_tx *tx, const struct order *o, json_t *evidence, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_CHECKS_OF_ORDER, STORE_ARGS(DB_T(o->id)));
	json_t *checks = json_array();
	json_t *last = NULL;

	while (store_next(rows)) {
		last = json_pack("{s:s, s:s, s:s, s:I, s:I}", "method", store_text(rows, 1),
		    "outcome", store_text(rows, 2), "evidence", store_text(rows, 3), "startedAt",
		    (json_int_t)store_int(rows, 4), "endedAt", (json_int_t)store_int(rows, 5));
		(void)json_array_append_new(checks, last);
	}
	if (last != NULL) {
		json_t *v = json_copy(last);

		(void)json_object_set(v, "checks", checks);
		(void)json_object_set_new(evidence, "identity", v);
	}
	json_decref(checks);
	return store_end(rows, err);
}

/* [C7] What was signed, by whom, when, how. */
static enum uk_rc
signature_evidence(const struct api *a, struct store_tx *tx, const struct order *o,
    json_t *evidence, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_SIGNATURES_OF_ORDER, STORE_ARGS(DB_T(o->id)));
	char row[PLACE_ROW_LEN];
	char masked[NUMBER_MASK_LEN];
	struct crypt_place at;
	struct uk_buf hex, phone;
	enum uk_rc rc = UK_OK, ended;

	uk_buf_init(&hex, 128);
	uk_buf_init(&phone, 64);
	if (store_next(rows)) {
		uk_hex_put(&hex, store_blob(rows, 2));
		at = place("signatures", o->id, uk_buf_str(&hex), "phone", row);
		rc = crypt_unseal(a->crypt, CRYPT_PERSONAL, &at, store_blob(rows, 1), &phone, err);
		if (rc == UK_OK) {
			number_phone_mask(uk_buf_str(&phone), masked);
			(void)json_object_set_new(evidence, "signature",
			    json_pack("{s:s, s:s, s:s, s:I}", "phone", masked, "sha256",
				uk_buf_str(&hex), "method", store_text(rows, 4), "signedAt",
				(json_int_t)store_int(rows, 5)));
		}
	}
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	uk_buf_fini(&hex);
	uk_buf_fini(&phone);
	return rc != UK_OK ? rc : ended;
}

static void
add_challenge(const struct api *a, const struct order *o, json_t *v)
{
	struct proof_challenge c;

	if (o->state != ST_PROVING)
		return;
	proof_challenge(a, o, 0, &c);
	(void)json_object_set_new(v, "challenge",
	    json_pack("{s:s, s:s, s:I}", "nonce", c.nonce, "audience", PROOF_AUDIENCE, "expires",
		(json_int_t)c.expires));
}

static enum uk_rc
set_der(const struct api *a, struct store_tx *tx, const char *serial, json_t *v, const char *key,
    struct uk_err *err)
{
	struct uk_buf der;
	char *text = NULL;
	enum uk_rc rc;

	uk_buf_init(&der, UK_CERT_MAX);
	if ((rc = certificate_der(tx, a->crypt, serial, &der, err)) == UK_OK) {
		text = uk_b64_dup(uk_buf_span(&der));
		set_str(v, key, text);
	}
	free(text);
	uk_buf_fini(&der);
	return rc;
}

static enum uk_rc
add_certificate(
    const struct api *a, struct store_tx *tx, const struct order *o, json_t *v, struct uk_err *err)
{
	struct certificate_list l = { 0 };
	const struct certificate *c;
	json_t *encryption = NULL;
	enum uk_rc rc;

	if (o->state != ST_PROVING && o->state != ST_SHIPPING && o->state != ST_DONE)
		return UK_OK;
	rc = certificates_of_order(tx, o->id, &l, err);
	if (rc == UK_OK && (c = certificate_current(&l)) != NULL &&
	    (rc = set_der(a, tx, c->serial, v, "certificateDer", err)) == UK_OK &&
	    o->state == ST_PROVING)
		rc = encryption_json(a, tx, c, "gbt35276", &encryption, err);
	if (encryption != NULL)
		(void)json_object_set_new(v, "encryption", encryption);
	certificate_list_fini(&l);
	return rc;
}

static enum uk_rc
add_producer(struct store_tx *tx, const struct order *o, json_t *v, struct uk_err *err)
{
	char name[128];
	enum uk_rc rc;

	if (o->producer[0] == '\0')
		return UK_OK;
	if ((rc = staff_name(tx, o->producer, name, err)) == UK_OK)
		set_str(v, "producer", name);
	return rc;
}

/* [A4] Every payment of the order, with its number: what a refund by hand is booked on. */
static enum uk_rc
add_payments(struct store_tx *tx, const struct order *o, json_t *v, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_PAYMENTS_OF_ORDER, STORE_ARGS(DB_T(o->id)));
	json_t *list = json_array();

	while (store_next(rows)) {
		json_t *p = json_pack("{s:s, s:I, s:s, s:s}", "id", store_text(rows, 0), "amount",
		    (json_int_t)store_int(rows, 1), "status", store_text(rows, 2), "method",
		    store_text(rows, 10));

		set_str(p, "tradeNo", store_text(rows, 5));
		if (store_int(rows, 7) != 0)
			(void)json_object_set_new(p, "paidAt", json_integer(store_int(rows, 7)));
		(void)json_array_append_new(list, p);
	}
	(void)json_object_set_new(v, "payments", list);
	return store_end(rows, err);
}

/* [V4] The data of the certificate that is renewed, changed or replaced. */
static enum uk_rc
add_before(
    const struct api *a, struct store_tx *tx, const struct order *o, json_t *v, struct uk_err *err)
{
	struct about ab;
	enum uk_rc rc;

	if (o->about[0] == '\0' || order_kind_get(o->kind)->flow == FLOW_UNLOCK)
		return UK_OK;
	if ((rc = about_load(a, tx, o->about, &ab, err)) == UK_OK) {
		(void)json_object_set_new(v, "before", json_copy(ab.form));
		about_fini(&ab);
	}
	return rc;
}

/* Who prints a label needs no identity numbers. */
static void
mask_form(json_t *form, unsigned who)
{
	static const char *const members[] = { "legalPersonId", "agentId", "idNumber" };

	if ((who & (WHO_REVIEWER | WHO_AUDITOR)) != 0)
		return;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *s = json_string_value(json_object_get(form, members[i]));
		char masked[32];

		if (s == NULL || strlen(s) != 18)
			continue;
		(void)snprintf(masked, sizeof(masked), "%.3s*************%s", s, s + 16);
		(void)json_object_set_new(form, members[i], json_string(masked));
	}
}

enum uk_rc
detail_json(const struct api *a, struct store_tx *tx, const char *id, unsigned who, json_t **out,
    struct uk_err *err)
{
	json_t *evidence = json_object();
	json_t *v = NULL;
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, id, &o, err)) != UK_OK ||
	    (rc = order_json(a, tx, id, &v, err)) != UK_OK ||
	    (rc = add_history(a, tx, &o, v, err)) != UK_OK ||
	    (rc = identity_evidence(tx, &o, evidence, err)) != UK_OK ||
	    (rc = signature_evidence(a, tx, &o, evidence, err)) != UK_OK ||
	    (rc = add_producer(tx, &o, v, err)) != UK_OK ||
	    (rc = add_payments(tx, &o, v, err)) != UK_OK ||
	    (rc = add_before(a, tx, &o, v, err)) != UK_OK ||
	    (rc = add_certificate(a, tx, &o, v, err)) != UK_OK)
		goto out;
	add_challenge(a, &o, v);
	mask_form(json_object_get(v, "form"), who);
	mask_form(json_object_get(v, "before"), who);
	(void)json_object_set(v, "evidence", evidence);
	*out = v;
	v = NULL;
out:
	json_decref(v);
	json_decref(evidence);
	return rc;
}
