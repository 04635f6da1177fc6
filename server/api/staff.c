#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/challenge.h"
#include "api/handlers.h"
#include "api/session.h"
#include "ca/login.h"
#include "workflow/certificate.h"

#define AUDIENCE "ukey-staff"

/* [A1] */
enum uk_rc
staff_challenge(void *app, struct http_request *rq, struct uk_err *err)
{
	return challenge_answer(app, rq, AUDIENCE, "staff", err);
}

struct entry {
	const struct api *a;
	const char *fingerprint;
	struct user user;
	char token[SESSION_TOKEN_LEN];
};

static enum uk_rc
not_revoked(const struct entry *e, struct store_tx *tx, struct uk_err *err)
{
	struct certificate cert;
	const enum uk_rc rc = certificate_by_fingerprint(tx, e->fingerprint, &cert, err);

	if (rc == UK_E_NOT_FOUND ||
	    (rc == UK_OK && certificate_status(&cert, api_now(e->a)) != CERTIFICATE_VALID))
		return uk_fail(err, UK_E_DENIED, "certificate-revoked", "staff-login", 0);
	return rc;
}

static enum uk_rc
enter(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct entry *e = ctx;
	struct store_rows *rows =
	    store_query(tx, SQL_STAFF_BY_FINGERPRINT, STORE_ARGS(DB_T(e->fingerprint)));
	bool there = false;
	enum uk_rc rc;

	e->user = (struct user){ 0 };
	if (store_next(rows) && store_int(rows, 4) == 0) {
		(void)snprintf(e->user.staff, sizeof(e->user.staff), "%s", store_text(rows, 0));
		(void)snprintf(e->user.name, sizeof(e->user.name), "%s", store_text(rows, 1));
		(void)snprintf(e->user.roles, sizeof(e->user.roles), "%s", store_text(rows, 2));
		there = true;
	}
	if ((rc = store_end(rows, err)) != UK_OK)
		return rc;
	if (!there)
		return uk_fail(err, UK_E_DENIED, "not-staff", "staff-login", 0);
	if ((rc = not_revoked(e, tx, err)) != UK_OK)
		return rc;
	return session_new(e->a, tx, SESSION_STAFF, e->user.staff, e->token, err);
}

static enum uk_rc
log_in(const struct api *a, const struct login_body *body, struct entry *e, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	enum uk_rc rc = challenge_certificate(a, "staff", AUDIENCE, body, login_check, &cert, err);

	if (rc != UK_OK)
		return rc;
	e->fingerprint = uk_cert_fingerprint(cert);
	rc = store_write_wait(a->store, enter, e, err);
	e->fingerprint = NULL;
	uk_cert_free(&cert);
	return rc;
}

static json_t *
user_json(const struct user *u)
{
	json_t *roles = json_array();

	for (const char *s = u->roles; *s != '\0';) {
		const size_t n = strcspn(s, ",");

		(void)json_array_append_new(roles, json_stringn(s, n));
		s += n + (s[n] == ',' ? 1 : 0);
	}
	return json_pack("{s:s, s:o}", "name", u->name, "roles", roles);
}

static void
answer_user(struct http_request *rq, const struct user *u)
{
	json_t *answer = user_json(u);

	http_answer_json(rq, 200, answer);
	json_decref(answer);
}

/* What is wrong is for the log; outside it is one answer. */
enum uk_rc
staff_login(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct login_body *body = http_fields(rq);
	struct entry e = { .a = a };
	struct uk_err why = { 0 };
	enum uk_rc rc;

	rc = log_in(a, body, &e, &why);
	if (rc == UK_E_INTERNAL || rc == UK_E_UNAVAILABLE) {
		*err = why;
		return rc;
	}
	if (rc != UK_OK) {
		uk_log(a->log, UK_LOG_WARN, "staff.login-refused", UK_LS("request", http_id(rq)),
		    UK_LS("address", http_remote(rq)), UK_LS("reason", uk_err_reason(&why)));
		return uk_fail(err, UK_E_UNAUTHORIZED, "login-refused", "staff-login", 0);
	}
	uk_log(a->log, UK_LOG_INFO, "staff.login", UK_LS("staff", e.user.staff),
	    UK_LS("address", http_remote(rq)));
	session_answer(a, rq, SESSION_STAFF, e.token);
	answer_user(rq, &e.user);
	return UK_OK;
}

enum uk_rc
staff_me(void *app, struct http_request *rq, struct uk_err *err)
{
	(void)app;
	(void)err;
	answer_user(rq, api_user(rq));
	return UK_OK;
}

enum uk_rc
staff_logout(void *app, struct http_request *rq, struct uk_err *err)
{
	return session_end(app, rq, SESSION_STAFF, err);
}

enum uk_rc
staff_order(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_detail(app, rq, http_param(rq, "id"), err);
}
