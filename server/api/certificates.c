/* Certificates before the staff: finding them, and their status [C14] [M2]. */
#include <stdlib.h>
#include <string.h>

#include "api/about.h"
#include "api/handlers.h"
#include "workflow/certificate.h"

static void
set_str(json_t *o, const char *key, const char *v)
{
	if (*v != '\0')
		(void)json_object_set_new(o, key, json_string(v));
}

static void
set_int(json_t *o, const char *key, int64_t v)
{
	if (v != 0)
		(void)json_object_set_new(o, key, json_integer(v));
}

static json_t *
certificate_json(const struct certificate *c, const struct uk_cert *cert, int64_t now)
{
	json_t *v = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "serial", c->serial,
	    "subject", uk_cert_subject(cert), "profile", c->profile, "usage",
	    certificate_usage_name(c->usage), "algorithm", uk_keyalg_name(uk_cert_alg(cert)),
	    "notBefore", (json_int_t)c->not_before, "notAfter", (json_int_t)c->not_after, "status",
	    certificate_status_name(certificate_status(c, now)));

	set_str(v, "pair", c->pair);
	set_str(v, "order", c->order);
	set_str(v, "token", c->token);
	set_int(v, "suspendedAt", c->suspended_at);
	set_int(v, "revokedAt", c->revoked_at);
	set_str(v, "reason", c->revoked_why);
	return v;
}

static enum uk_rc
add(const struct api *a, struct store_tx *tx, const struct certificate *c, json_t *list,
    struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	const enum uk_rc rc = certificate_cert(tx, a->crypt, c->serial, &cert, err);

	if (rc == UK_OK)
		(void)json_array_append_new(list, certificate_json(c, cert, api_now(a)));
	uk_cert_free(&cert);
	return rc;
}

/* What to look for: exactly one of these. */
struct finding {
	const struct api *a;
	const char *serial;
	const char *order;
	const char *token;
	const char *holder;
	json_t *list;
};

static enum uk_rc
find(struct store_tx *tx, const struct finding *f, struct certificate_list *l, struct uk_err *err)
{
	enum uk_rc rc;

	if (f->order != NULL)
		return certificates_of_order(tx, f->order, l, err);
	if (f->token != NULL)
		return certificates_of_token(tx, f->token, l, err);
	if (f->holder != NULL)
		return certificates_of_holder(tx, f->holder, l, err);
	l->v = uk_xalloc(sizeof(*l->v));
	rc = certificate_get(tx, f->serial, l->v, err);
	l->n = rc == UK_OK ? 1 : 0;
	return rc == UK_E_NOT_FOUND ? UK_OK : rc;
}

static enum uk_rc
read_found(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct finding *f = ctx;
	struct certificate_list l = { 0 };
	enum uk_rc rc = find(tx, f, &l, err);

	json_array_clear(f->list);
	for (size_t i = 0; rc == UK_OK && i < l.n; i++)
		rc = add(f->a, tx, &l.v[i], f->list, err);
	certificate_list_fini(&l);
	return rc;
}

static enum uk_rc
answer_found(struct finding *f, struct http_request *rq, struct uk_err *err)
{
	json_t *answer;
	enum uk_rc rc;

	f->list = json_array();
	rc = store_read(f->a->store, read_found, f, err);
	answer = json_pack("{s:o}", "certificates", f->list);
	if (rc == UK_OK)
		http_answer_json(rq, 200, answer);
	json_decref(answer);
	return rc;
}

enum uk_rc
certificates_find(void *app, struct http_request *rq, struct uk_err *err)
{
	struct finding f = { .a = app,
		.serial = http_query(rq, "serial"),
		.order = http_query(rq, "order"),
		.token = http_query(rq, "token") };

	if ((f.serial != NULL) + (f.order != NULL) + (f.token != NULL) != 1)
		return uk_fail_field(err, "serial", NULL);
	return answer_found(&f, rq, err);
}

/* By POST, because a document number has no place in an address. */
enum uk_rc
certificates_search(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct number_body *body = http_fields(rq);
	char holder[CRYPT_INDEX_LEN];
	struct finding f = { .a = a, .holder = holder };

	crypt_index_str(a->crypt, CRYPT_INDEX_NUMBER, body->number, holder);
	return answer_found(&f, rq, err);
}

struct looking {
	const struct api *a;
	const char *serial;
	json_t *value;
};

static enum uk_rc
history(struct store_tx *tx, const char *serial, json_t *v, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_CERTIFICATE_EVENTS, STORE_ARGS(DB_T(serial)));
	json_t *list = json_array();

	while (store_next(rows)) {
		json_t *e = json_pack("{s:I, s:s, s:s}", "at", (json_int_t)store_int(rows, 0),
		    "event", store_text(rows, 1), "by", store_text(rows, 3));

		set_str(e, "reason", store_text(rows, 2));
		(void)json_array_append_new(list, e);
	}
	(void)json_object_set_new(v, "history", list);
	return store_end(rows, err);
}

static enum uk_rc
read_one(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct looking *l = ctx;
	struct certificate c;
	struct uk_cert *cert = NULL;
	enum uk_rc rc;

	json_decref(l->value);
	l->value = NULL;
	if ((rc = certificate_get(tx, l->serial, &c, err)) != UK_OK ||
	    (rc = certificate_cert(tx, l->a->crypt, l->serial, &cert, err)) != UK_OK)
		return rc;
	l->value = certificate_json(&c, cert, api_now(l->a));
	uk_cert_free(&cert);
	return history(tx, l->serial, l->value, err);
}

enum uk_rc
certificates_get(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct looking l = { .a = a, .serial = http_param(rq, "serial") };
	const enum uk_rc rc = store_read(a->store, read_one, &l, err);

	if (rc == UK_OK)
		http_answer_json(rq, 200, l.value);
	json_decref(l.value);
	return rc;
}

/* One of the three changes. */
struct changing {
	const struct api *a;
	enum uk_rc (*change)(struct store_tx *, const struct changing *, struct uk_err *);
	const char *serial;
	const char *reason;
	const char *by;
	bool administrator;
};

/* Colleagues' certificates, and the server's own, are an administrator's business. */
static enum uk_rc
run_change(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct changing *c = ctx;
	struct certificate cert;
	const enum uk_rc rc = certificate_get(tx, c->serial, &cert, err);

	if (rc != UK_OK)
		return rc;
	if (cert.order[0] == '\0' && !c->administrator)
		return uk_fail(err, UK_E_DENIED, "role-missing", "certificates", 0);
	return c->change(tx, c, err);
}

static enum uk_rc
change(struct changing *c, const char *what, struct http_request *rq, struct uk_err *err)
{
	enum uk_rc rc;

	c->serial = http_param(rq, "serial");
	c->by = api_user(rq)->staff;
	c->administrator = (api_user(rq)->who & WHO_ADMINISTRATOR) != 0;
	if ((rc = store_write_wait(c->a->store, run_change, c, err)) != UK_OK)
		return rc;
	uk_log(c->a->log, UK_LOG_INFO, "certificate.status", UK_LS("serial", c->serial),
	    UK_LS("change", what), UK_LS("staff", c->by));
	return certificates_get((void *)(uintptr_t)c->a, rq, err);
}

static enum uk_rc
suspend(struct store_tx *tx, const struct changing *c, struct uk_err *err)
{
	const int64_t now = api_now(c->a);
	struct certificate was;
	enum uk_rc rc = certificate_get(tx, c->serial, &was, err);

	if (rc == UK_OK)
		rc = certificate_suspend(tx, c->serial, c->by, now, err);
	if (rc == UK_OK && was.suspended_at == 0 && was.order[0] != '\0')
		rc = about_tell(tx, "suspended", &was, now, err);
	return rc;
}

static enum uk_rc
resume(struct store_tx *tx, const struct changing *c, struct uk_err *err)
{
	const int64_t now = api_now(c->a);
	struct certificate was;
	enum uk_rc rc = certificate_get(tx, c->serial, &was, err);

	if (rc == UK_OK)
		rc = certificate_resume(tx, c->serial, c->by, now, err);
	if (rc == UK_OK && was.suspended_at != 0 && was.order[0] != '\0')
		rc = about_tell(tx, "resumed", &was, now, err);
	return rc;
}

static enum uk_rc
revoke(struct store_tx *tx, const struct changing *c, struct uk_err *err)
{
	return certificate_revoke(tx, c->serial, c->reason, c->by, api_now(c->a), err);
}

enum uk_rc
certificates_suspend(void *app, struct http_request *rq, struct uk_err *err)
{
	return change(&(struct changing){ .a = app, .change = suspend }, "suspend", rq, err);
}

enum uk_rc
certificates_resume(void *app, struct http_request *rq, struct uk_err *err)
{
	return change(&(struct changing){ .a = app, .change = resume }, "resume", rq, err);
}

enum uk_rc
certificates_revoke(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct reason_body *body = http_fields(rq);

	return change(&(struct changing){ .a = app, .change = revoke, .reason = body->reason },
	    "revoke", rq, err);
}
