#include <stdio.h>
#include <string.h>

#include "api/about.h"
#include "api/answer.h"
#include "api/challenge.h"
#include "api/handlers.h"
#include "api/key.h"
#include "api/session.h"
#include "ca/login.h"

#define AUDIENCE "ukey-key"

enum uk_rc
key_session(
    const struct api *a, const struct http_request *rq, char serial[SERIAL_LEN], struct uk_err *err)
{
	char subject[SESSION_SUBJECT_LEN];
	enum uk_rc rc;

	rc = session_find(
	    a, SESSION_KEY, http_cookie(rq, session_cookie(SESSION_KEY)), subject, err);
	if (rc == UK_OK)
		(void)snprintf(serial, SERIAL_LEN, "%.*s", SERIAL_LEN - 1, subject);
	return rc;
}

/* [R6, V1] */
enum uk_rc
key_challenge(void *app, struct http_request *rq, struct uk_err *err)
{
	return challenge_answer(app, rq, AUDIENCE, "key", err);
}

struct listing {
	const struct api *a;
	const char *serial;
	json_t *key;
};

/* Whoever has the key then need not be its owner, and sees nothing of his. */
static bool
stopped(const struct about *ab)
{
	return ab->cert.revoked_at != 0 || ab->cert.suspended_at != 0;
}

/* The old data, without the consents, which are given anew. */
static json_t *
prefill(const struct about *ab)
{
	json_t *form;

	if (stopped(ab))
		return json_object();
	form = json_copy(ab->form);
	(void)json_object_del(form, "photoConsent");
	(void)json_object_del(form, "agreement");
	return form;
}

static enum uk_rc
add_order(
    const struct listing *l, struct store_tx *tx, const char *id, json_t *list, struct uk_err *err)
{
	json_t *order = NULL;
	const enum uk_rc rc = order_json(l->a, tx, id, &order, err);

	if (rc == UK_OK)
		(void)json_array_append_new(list, order);
	return rc;
}

#define ORDERS_MAX 16

/* The unfinished ones about this certificate, and the one that has made it and waits for its
 * proof. */
static enum uk_rc
find_orders(const struct listing *l, struct store_tx *tx, const struct about *ab,
    char ids[ORDERS_MAX][ORDER_ID_LEN], size_t *n, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_ORDERS_ABOUT, STORE_ARGS(DB_T(l->serial)));
	enum uk_rc rc = UK_OK, ended;

	*n = 0;
	while (rc == UK_OK && *n < ORDERS_MAX && store_next(rows)) {
		struct order o;

		rc = order_read(rows, &o, err);
		if (rc == UK_OK && order_is_open(&o))
			memcpy(ids[(*n)++], o.id, ORDER_ID_LEN);
	}
	if (rc == UK_OK && *n < ORDERS_MAX && ab->order.state == ST_INSTALLING)
		memcpy(ids[(*n)++], ab->order.id, ORDER_ID_LEN);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

static enum uk_rc
orders_json(const struct listing *l, struct store_tx *tx, const struct about *ab, json_t *list,
    struct uk_err *err)
{
	char ids[ORDERS_MAX][ORDER_ID_LEN];
	size_t n;
	enum uk_rc rc = find_orders(l, tx, ab, ids, &n, err);

	for (size_t i = 0; rc == UK_OK && i < n; i++)
		rc = add_order(l, tx, ids[i], list, err);
	return rc;
}

static enum uk_rc
add_subject(const struct listing *l, struct store_tx *tx, json_t *v, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	const enum uk_rc rc = certificate_cert(tx, l->a->crypt, l->serial, &cert, err);

	if (rc == UK_OK)
		(void)json_object_set_new(v, "subject", json_string(uk_cert_subject(cert)));
	uk_cert_free(&cert);
	return rc;
}

static enum uk_rc
read_key(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct listing *l = ctx;
	json_t *certificate, *orders;
	struct about ab;
	enum uk_rc rc;

	json_decref(l->key);
	l->key = NULL;
	if ((rc = about_load(l->a, tx, l->serial, &ab, err)) != UK_OK)
		return rc;
	certificate = about_json(l->a, &ab);
	orders = json_array();
	l->key = json_pack("{s:o, s:o, s:o, s:o, s:o}", "certificate", certificate, "renewal",
	    about_rule_json(l->a, &ab, FLOW_RENEWAL), "change",
	    about_rule_json(l->a, &ab, FLOW_CHANGE), "form", prefill(&ab), "orders", orders);
	rc = add_subject(l, tx, certificate, err);
	if (rc == UK_OK && !stopped(&ab))
		rc = orders_json(l, tx, &ab, orders, err);
	about_fini(&ab);
	return rc;
}

static enum uk_rc
answer_key(const struct api *a, struct http_request *rq, const char *serial, struct uk_err *err)
{
	struct listing l = { .a = a, .serial = serial };
	const enum uk_rc rc = store_read(a->store, read_key, &l, err);

	if (rc == UK_OK)
		http_answer_json(rq, 200, l.key);
	json_decref(l.key);
	return rc;
}

struct entry {
	const struct api *a;
	const char *fingerprint;
	struct certificate cert;
	char token[SESSION_TOKEN_LEN];
};

/* A customer's, whatever its status: the page says what is wrong with it. */
static enum uk_rc
enter(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct entry *e = ctx;
	enum uk_rc rc = certificate_by_fingerprint(tx, e->fingerprint, &e->cert, err);

	if (rc == UK_OK && (e->cert.order[0] == '\0' || e->cert.usage == CERTIFICATE_ENCRYPT))
		rc = uk_fail(err, UK_E_DENIED, "certificate-wrong-usage", "key-login", 0);
	return rc != UK_OK ? rc : session_new(e->a, tx, SESSION_KEY, e->cert.serial, e->token, err);
}

static enum uk_rc
log_in(const struct api *a, const struct login_body *body, struct entry *e, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	enum uk_rc rc =
	    challenge_certificate(a, "key", AUDIENCE, body, login_check_expired_too, &cert, err);

	if (rc != UK_OK)
		return rc;
	e->fingerprint = uk_cert_fingerprint(cert);
	rc = store_write_wait(a->store, enter, e, err);
	e->fingerprint = NULL;
	uk_cert_free(&cert);
	return rc;
}

/* What is wrong is for the log; outside it is one answer. */
enum uk_rc
key_login(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct entry e = { .a = a };
	struct uk_err why = { 0 };
	enum uk_rc rc = log_in(a, http_fields(rq), &e, &why);

	if (rc == UK_E_INTERNAL || rc == UK_E_UNAVAILABLE) {
		*err = why;
		return rc;
	}
	if (rc != UK_OK) {
		uk_log(a->log, UK_LOG_WARN, "key.login-refused", UK_LS("request", http_id(rq)),
		    UK_LS("reason", uk_err_reason(&why)));
		return uk_fail(err, UK_E_UNAUTHORIZED, "login-refused", "key-login", 0);
	}
	uk_log(a->log, UK_LOG_INFO, "key.login", UK_LS("certificate", e.cert.serial));
	session_answer(a, rq, SESSION_KEY, e.token);
	return answer_key(a, rq, e.cert.serial, err);
}

enum uk_rc
key_get(void *app, struct http_request *rq, struct uk_err *err)
{
	char serial[SERIAL_LEN];
	const enum uk_rc rc = key_session(app, rq, serial, err);

	return rc == UK_OK ? answer_key(app, rq, serial, err) : rc;
}

enum uk_rc
key_logout(void *app, struct http_request *rq, struct uk_err *err)
{
	return session_end(app, rq, SESSION_KEY, err);
}
