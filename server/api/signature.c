#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/agent.h"
#include "api/answer.h"
#include "api/code.h"
#include "api/handlers.h"
#include "api/place.h"
#include "uk/b64.h"
#include "uk/pubkey.h"

#define PURPOSE       "signature"
#define STATEMENT_MAX (64u * 1024)
#define SALT_LEN      16

/* [N6, C7] */
enum uk_rc
signature_code(void *app, struct http_request *rq, struct uk_err *err)
{
	return agent_code_answer(
	    app, rq, &(struct agent_code){ PURPOSE, SMS_CODE, EV_SIGN, NULL }, err);
}

struct signing {
	const struct api *a;
	struct event ev;
	const char *code;
	enum code_verdict verdict;
	int64_t left;
};

/* Type and digest of each photo, in the order of their names. */
static enum uk_rc
attachments(struct store_tx *tx, const char *order, json_t **out, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_DOCUMENTS_OF_ORDER, STORE_ARGS(DB_T(order)));
	json_t *list = json_array();
	struct uk_buf hex;
	enum uk_rc rc;

	uk_buf_init(&hex, 128);
	while (store_next(rows)) {
		uk_buf_reset(&hex);
		uk_hex_put(&hex, store_blob(rows, 5));
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s}", "type", store_text(rows, 0), "sha256",
			      uk_buf_str(&hex)));
	}
	uk_buf_fini(&hex);
	rc = store_end(rows, err);
	if (rc == UK_OK)
		*out = list;
	else
		json_decref(list);
	return rc;
}

/*
 * What is signed: the application with its attachments' digests, by whom, when, how.  The salt
 * keeps the digest, which is shown to staff and kept longer, from being a way to guess the form.
 */
static enum uk_rc
statement(const struct signing *s, struct store_tx *tx, const struct order *o, const json_t *form,
    const char *phone, int64_t now, struct uk_buf *out, struct uk_err *err)
{
	char salt[2 * SALT_LEN + 1];
	json_t *list = NULL;
	json_t *value;
	char *text;
	enum uk_rc rc;

	if ((rc = attachments(tx, o->id, &list, err)) != UK_OK)
		return rc;
	uk_random_hex(s->a->random, salt, SALT_LEN);
	value = json_pack("{s:s, s:s, s:O, s:o, s:s, s:s, s:I, s:s}", "order", o->id, "kind",
	    order_kind_name(o->kind), "form", form, "documents", list, "phone", phone, "method",
	    "sms-code", "at", (json_int_t)now, "salt", salt);
	text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
	uk_buf_put_str(out, text != NULL ? text : "");
	if (text == NULL || uk_buf_failed(out))
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "statement", 0);
	free(text);
	json_decref(value);
	return rc;
}

static enum uk_rc
store_signature(const struct api *a, struct store_tx *tx, const char *order, const char *phone,
    struct uk_span said, int64_t now, struct uk_err *err)
{
	uint8_t digest[32];
	char row[PLACE_ROW_LEN];
	struct crypt_place at;
	struct uk_buf hex, sealed_phone, sealed;
	enum uk_rc rc;

	uk_sha256(said, digest);
	uk_buf_init(&hex, 128);
	uk_buf_init(&sealed_phone, 256);
	uk_buf_init(&sealed, STATEMENT_MAX + CRYPT_OVERHEAD);
	uk_hex_put(&hex, uk_span(digest, sizeof(digest)));
	at = place("signatures", order, uk_buf_str(&hex), "phone", row);
	rc = crypt_seal(a->crypt, CRYPT_PERSONAL, &at, uk_span_str(phone), &sealed_phone, err);
	at.column = "statement";
	if (rc == UK_OK)
		rc = crypt_seal(a->crypt, CRYPT_PERSONAL, &at, said, &sealed, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_SIGNATURE_PUT,
		    STORE_ARGS(DB_T(order), DB_B(uk_buf_span(&sealed_phone)),
			DB_B(uk_span(digest, sizeof(digest))), DB_B(uk_buf_span(&sealed)),
			DB_T("sms-code"), DB_I(now)),
		    NULL, err);
	uk_buf_fini(&hex);
	uk_buf_fini(&sealed_phone);
	uk_buf_fini(&sealed);
	return rc;
}

static enum uk_rc
keep_evidence(
    const struct signing *s, struct store_tx *tx, const struct order *o, struct uk_err *err)
{
	const int64_t now = api_now(s->a);
	struct uk_buf said;
	json_t *form = NULL;
	char phone[12];
	enum uk_rc rc;

	uk_buf_init(&said, STATEMENT_MAX);
	if ((rc = order_form_load(tx, s->a->crypt, o->id, &form, err)) != UK_OK ||
	    (rc = agent_signer(s->a, tx, o, form, phone, err)) != UK_OK ||
	    (rc = statement(s, tx, o, form, phone, now, &said, err)) != UK_OK)
		goto out;
	rc = store_signature(s->a, tx, o->id, phone, uk_buf_span(&said), now, err);
out:
	uk_buf_fini(&said);
	json_decref(form);
	return rc;
}

/* The phone may have been changed since the code was sent. */
static enum uk_rc
drop_foreign_code(
    const struct signing *s, struct store_tx *tx, const struct order *o, struct uk_err *err)
{
	char sent_to[CRYPT_INDEX_LEN];
	char index[CRYPT_INDEX_LEN];
	json_t *form = NULL;
	char phone[12];
	enum uk_rc rc;

	if ((rc = code_phone(tx, PURPOSE, o->id, sent_to, err)) != UK_OK ||
	    (rc = order_form_load(tx, s->a->crypt, o->id, &form, err)) != UK_OK)
		return rc;
	rc = agent_signer(s->a, tx, o, form, phone, err);
	json_decref(form);
	if (rc != UK_OK)
		return rc;
	crypt_index_str(s->a->crypt, CRYPT_INDEX_PHONE, phone, index);
	if (strcmp(sent_to, index) == 0)
		return UK_OK;
	return code_drop(tx, PURPOSE, o->id, err);
}

/* A wrong code is counted, so it is no failure of the transaction. */
static enum uk_rc
sign(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct signing *s = ctx;
	struct workflow_result result;
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, s->ev.order, &o, err)) != UK_OK)
		return rc;
	if (!workflow_allows(&o, EV_SIGN, s->ev.by, s->ev.actor, api_now(s->a)))
		return uk_fail(err, UK_E_CONFLICT, NULL, "signature", 0);
	if ((rc = drop_foreign_code(s, tx, &o, err)) != UK_OK)
		return rc;
	rc = code_try(s->a, tx, PURPOSE, o.id, s->code, &s->verdict, &s->left, err);
	if (rc != UK_OK || s->verdict != CODE_RIGHT)
		return rc;
	if ((rc = workflow_apply(s->a->workflow, tx, &s->ev, &result, err)) != UK_OK)
		return rc;
	return keep_evidence(s, tx, &result.order, err);
}

/* [N6] */
enum uk_rc
signature_create(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct code_body *body = http_fields(rq);
	struct signing s = { .a = a, .ev = { .on = EV_SIGN }, .code = body->code };
	enum uk_rc rc;

	if (!code_plausible(body->code))
		return uk_fail_field(err, "code", NULL);
	event_from(rq, &s.ev);
	if ((rc = store_write_wait(a->store, sign, &s, err)) != UK_OK)
		return rc;
	if ((rc = code_verdict_answer(rq, s.verdict, s.left, err)) != UK_OK)
		return rc;
	return answer_order(a, rq, 200, s.ev.order, err);
}
