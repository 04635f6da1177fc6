#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "api/about.h"
#include "api/answer.h"
#include "api/code.h"
#include "api/handlers.h"
#include "api/numbers.h"
#include "api/query.h"
#include "api/sender.h"
#include "api/session.h"

#define PURPOSE     "query"
#define ORDERS_MAX  200
#define NUMBER_MAX  32
#define DECOY_BYTES 1024

struct holder {
	const struct api *a;
	bool unit;
	char number[NUMBER_MAX + 1];
	char subject[CRYPT_INDEX_LEN]; /* the number's keyed hash */
};

/* As form_clean() leaves a number. */
static enum uk_rc
holder_read(
    const struct api *a, const struct query_body *body, struct holder *h, struct uk_err *err)
{
	size_t n = 0;

	*h = (struct holder){ .a = a, .unit = strcmp(body->kind, "unit") == 0 };
	if (!h->unit && strcmp(body->kind, "person") != 0)
		return uk_fail_field(err, "kind", NULL);
	for (const char *s = body->number; *s != '\0'; s++) {
		const bool lower = *s >= 'a' && *s <= 'z';

		if (*s != ' ')
			h->number[n++] = (char)(lower ? *s - 'a' + 'A' : *s);
	}
	h->number[n] = '\0';
	crypt_index_str(a->crypt, CRYPT_INDEX_NUMBER, h->number, h->subject);
	return UK_OK;
}

struct found {
	char ids[ORDERS_MAX][ORDER_ID_LEN];
	size_t n;
	char best[ORDER_ID_LEN]; /* whose phone is asked; "" when there is no order */
};

/*
 * The newest order whose agent has proved the phone by a signature; an unsigned one, which anybody
 * can begin for any number, counts only while there is no other.
 */
static enum uk_rc
find_orders(struct store_tx *tx, const struct holder *h, struct found *f, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_ORDERS_BY_NUMBER, STORE_ARGS(DB_T(h->subject)));
	bool signed_one = false;
	enum uk_rc rc = UK_OK, ended;

	f->n = 0;
	f->best[0] = '\0';
	while (rc == UK_OK && f->n < ORDERS_MAX && store_next(rows)) {
		struct order o;

		if ((rc = order_read(rows, &o, err)) != UK_OK)
			break;
		if (order_kind_get(o.kind)->unit != h->unit)
			continue;
		memcpy(f->ids[f->n++], o.id, ORDER_ID_LEN);
		if (f->best[0] == '\0' || (!signed_one && o.signed_at != 0))
			memcpy(f->best, o.id, ORDER_ID_LEN);
		signed_one = signed_one || o.signed_at != 0;
	}
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

/* Opening a form costs about what sealing costs, so nobody's form is as much work. */
static enum uk_rc
decoy(const struct api *a, struct uk_err *err)
{
	static const uint8_t zeros[DECOY_BYTES];
	const struct crypt_place at = { "query", "decoy", "form" };
	struct uk_buf out;
	enum uk_rc rc;

	uk_buf_init(&out, 2 * DECOY_BYTES);
	rc = crypt_seal(a->crypt, CRYPT_PERSONAL, &at, uk_span(zeros, sizeof(zeros)), &out, err);
	uk_buf_fini(&out);
	return rc;
}

/* The phone in the form, with the session's subject it makes; "" when there is none. */
static enum uk_rc
phone_of(struct store_tx *tx, const struct holder *h, const char *id, char phone[12],
    char subject[SESSION_SUBJECT_LEN], struct uk_err *err)
{
	json_t *form = NULL;
	struct order o;
	const char *s;
	enum uk_rc rc;

	phone[0] = '\0';
	subject[0] = '\0';
	if (id[0] == '\0') {
		rc = order_form_load(tx, h->a->crypt, id, &form, NULL);
		return rc == UK_E_NOT_FOUND ? decoy(h->a, err) : uk_fail(err, rc, NULL, "query", 0);
	}
	if ((rc = order_load(tx, id, &o, err)) != UK_OK ||
	    (rc = order_form_load(tx, h->a->crypt, id, &form, err)) != UK_OK)
		return rc;
	s = json_string_value(json_object_get(form, order_kind_get(o.kind)->phone));
	if (s != NULL && number_phone(s)) {
		(void)snprintf(phone, 12, "%s", s);
		session_query_subject(h->a, h->number, phone, subject);
	}
	json_decref(form);
	return UK_OK;
}

struct asking {
	struct holder h;
	const char *address;
	struct found found;
	char phone[12];
	char code[CODE_LEN + 1];
	int64_t retry_after;
};

static enum uk_rc
make_code(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct asking *q = ctx;
	const struct api *a = q->h.a;
	char subject[SESSION_SUBJECT_LEN];
	char index[CRYPT_INDEX_LEN];
	enum uk_rc rc;

	if ((rc = find_orders(tx, &q->h, &q->found, err)) != UK_OK ||
	    (rc = phone_of(tx, &q->h, q->found.best, q->phone, subject, err)) != UK_OK)
		return rc;
	crypt_index_str(a->crypt, CRYPT_INDEX_PHONE, q->phone, index);
	return code_make(a, tx,
	    &(struct code_slot){ .purpose = PURPOSE,
		.subject = q->h.subject,
		.phone_index = q->phone[0] != '\0' ? index : "",
		.address = q->address,
		.silent = true },
	    q->code, &q->retry_after, err);
}

/* [Q1] The same answer, after the same work, whether the number is known or not. */
enum uk_rc
query_code(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct asking *q = uk_xalloc(sizeof(*q));
	json_t *answer;
	enum uk_rc rc;

	q->address = http_remote(rq);
	if ((rc = holder_read(a, http_fields(rq), &q->h, err)) != UK_OK)
		goto out;
	rc = store_write_wait(a->store, make_code, q, err);
	if (rc == UK_E_RATE)
		http_retry_after(rq, (unsigned)q->retry_after);
	if (rc != UK_OK)
		goto out;
	if (q->phone[0] != '\0' && q->code[0] != '\0' && a->sender != NULL)
		sender_put(a->sender, q->phone, SMS_QUERY, q->code, CODE_LIFE / 60);
	answer = json_pack("{s:b}", "sent", 1);
	http_answer_json(rq, 200, answer);
	json_decref(answer);
out:
	OPENSSL_cleanse(q, sizeof(*q));
	free(q);
	return rc;
}

struct opening {
	struct holder h;
	const char *code;
	enum code_verdict verdict;
	int64_t left;
	char token[SESSION_TOKEN_LEN];
	char subject[SESSION_SUBJECT_LEN];
};

static enum uk_rc
open_query(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct opening *q = ctx;
	const struct api *a = q->h.a;
	char phone[CRYPT_INDEX_LEN];
	enum uk_rc rc;

	if ((rc = code_phone(tx, PURPOSE, q->h.subject, phone, err)) != UK_OK ||
	    (rc = code_try(a, tx, PURPOSE, q->h.subject, q->code, &q->verdict, &q->left, err)) !=
		UK_OK)
		return rc;
	if (q->verdict == CODE_RIGHT && phone[0] == '\0')
		q->verdict = CODE_EXPIRED; /* guessed, for a number that nobody has */
	if (q->verdict != CODE_RIGHT)
		return UK_OK;
	(void)snprintf(q->subject, sizeof(q->subject), "%s:%s", q->h.subject, phone);
	return session_new(a, tx, SESSION_QUERY, q->subject, q->token, err);
}

struct list {
	const struct api *a;
	const char *subject; /* of the session */
	struct found found;
	json_t *orders;
	json_t *certificates;
};

/* The number's keyed hash is the first half of the subject, the phone's the second. */
bool
query_owns(const struct api *a, const char *subject, enum order_kind kind, const json_t *form)
{
	const struct order_kind_row *row = order_kind_get(kind);
	const char *number = json_string_value(json_object_get(form, row->number));
	const char *phone = json_string_value(json_object_get(form, row->phone));
	char is[SESSION_SUBJECT_LEN];

	if (number == NULL || phone == NULL)
		return false;
	session_query_subject(a, number, phone, is);
	return strcmp(is, subject) == 0;
}

/* The form may have been changed since: who asks sees what has his number and his phone now. */
static enum uk_rc
mine(struct store_tx *tx, const struct list *l, const char *id, bool *out, struct uk_err *err)
{
	json_t *form = NULL;
	struct order o;
	enum uk_rc rc;

	*out = false;
	if ((rc = order_load(tx, id, &o, err)) != UK_OK ||
	    (rc = order_form_load(tx, l->a->crypt, id, &form, err)) != UK_OK)
		return rc;
	*out = query_owns(l->a, l->subject, o.kind, form);
	json_decref(form);
	return UK_OK;
}

static enum uk_rc
add_mine(struct store_tx *tx, struct list *l, const char *id, struct uk_err *err)
{
	json_t *order = NULL;
	bool is_mine;
	enum uk_rc rc;

	if ((rc = mine(tx, l, id, &is_mine, err)) != UK_OK || !is_mine)
		return rc;
	if ((rc = order_json(l->a, tx, id, &order, err)) == UK_OK)
		(void)json_array_append_new(l->orders, order);
	return rc;
}

/* [M2, L4] What could be replaced, and what could not and why. */
static enum uk_rc
add_certificate(
    struct store_tx *tx, struct list *l, const struct certificate *c, struct uk_err *err)
{
	struct about ab;
	json_t *v;
	enum uk_rc rc;

	if (c->order[0] == '\0' || c->usage == CERTIFICATE_ENCRYPT)
		return UK_OK;
	if ((rc = about_load(l->a, tx, c->serial, &ab, err)) != UK_OK)
		return rc;
	if (ab.order.state == ST_DONE && query_owns(l->a, l->subject, ab.order.kind, ab.form)) {
		v = about_json(l->a, &ab);
		(void)json_object_set_new(
		    v, "replacement", about_rule_json(l->a, &ab, FLOW_REPLACEMENT));
		(void)json_array_append_new(l->certificates, v);
	}
	about_fini(&ab);
	return UK_OK;
}

static enum uk_rc
list_certificates(struct store_tx *tx, struct list *l, struct uk_err *err)
{
	char holder[CRYPT_INDEX_LEN];
	struct certificate_list list = { 0 };
	enum uk_rc rc;

	(void)snprintf(holder, sizeof(holder), "%.*s", (int)strcspn(l->subject, ":"), l->subject);
	rc = certificates_of_holder(tx, holder, &list, err);
	for (size_t i = 0; rc == UK_OK && i < list.n; i++)
		rc = add_certificate(tx, l, &list.v[i], err);
	certificate_list_fini(&list);
	return rc;
}

static enum uk_rc
list_orders(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct list *l = ctx;
	enum uk_rc rc = UK_OK;

	json_array_clear(l->orders);
	json_array_clear(l->certificates);
	for (int unit = 0; unit < 2; unit++) {
		struct holder h = { .a = l->a, .unit = unit == 1 };

		(void)snprintf(h.subject, sizeof(h.subject), "%.*s", (int)strcspn(l->subject, ":"),
		    l->subject);
		if ((rc = find_orders(tx, &h, &l->found, err)) != UK_OK)
			return rc;
		for (size_t i = 0; i < l->found.n; i++)
			if ((rc = add_mine(tx, l, l->found.ids[i], err)) != UK_OK)
				return rc;
	}
	return list_certificates(tx, l, err);
}

/* [Q2] `subject` NULL: nobody's list. */
static enum uk_rc
answer_list(const struct api *a, struct http_request *rq, const char *subject, struct uk_err *err)
{
	struct list *l = uk_xalloc(sizeof(*l));
	json_t *answer;
	enum uk_rc rc = UK_OK;

	l->a = a;
	l->subject = subject;
	l->orders = json_array();
	l->certificates = json_array();
	if (subject != NULL)
		rc = store_read(a->store, list_orders, l, err);
	if (rc == UK_OK) {
		answer =
		    json_pack("{s:O, s:O}", "orders", l->orders, "certificates", l->certificates);
		http_answer_json(rq, 200, answer);
		json_decref(answer);
	}
	json_decref(l->orders);
	json_decref(l->certificates);
	free(l);
	return rc;
}

enum uk_rc
query_start(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct query_body *body = http_fields(rq);
	struct opening q = { 0 };
	enum uk_rc rc;

	if ((rc = holder_read(a, body, &q.h, err)) != UK_OK)
		return rc;
	if (!code_plausible(body->code))
		return uk_fail_field(err, "code", NULL);
	q.code = body->code;
	if ((rc = store_write_wait(a->store, open_query, &q, err)) != UK_OK)
		return rc;
	if (q.verdict == CODE_WRONG || q.verdict == CODE_EXHAUSTED)
		http_attempts_left(rq, (unsigned)q.left);
	if ((rc = code_verdict_rc(q.verdict, err)) != UK_OK)
		return rc;
	session_answer(a, rq, SESSION_QUERY, q.token);
	return answer_list(a, rq, q.subject, err);
}

enum uk_rc
query_get(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	char subject[SESSION_SUBJECT_LEN];
	enum uk_rc rc;

	rc = session_find(
	    a, SESSION_QUERY, http_cookie(rq, session_cookie(SESSION_QUERY)), subject, err);
	if (rc != UK_OK && rc != UK_E_UNAUTHORIZED)
		return rc;
	return answer_list(a, rq, rc == UK_OK ? subject : NULL, err);
}
