#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/key.h"
#include "api/query.h"
#include "api/session.h"
#include "workflow/certificate.h"

#define WHO_ROLES (WHO_REVIEWER | WHO_PRODUCER | WHO_FINANCE | WHO_AUDITOR | WHO_ADMINISTRATOR)

struct owned {
	const struct api *a;
	const char *order;
	const char *subject; /* of a query session */
	bool mine;
};

/* A query session opens the orders that have its number and its phone now. */
static enum uk_rc
compare_form(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct owned *o = ctx;
	struct order order;
	json_t *form = NULL;
	enum uk_rc rc;

	o->mine = false;
	if ((rc = order_load(tx, o->order, &order, err)) != UK_OK ||
	    (rc = order_form_load(tx, o->a->crypt, o->order, &form, err)) != UK_OK)
		return rc;
	o->mine = query_owns(o->a, o->subject, order.kind, form);
	json_decref(form);
	return UK_OK;
}

static enum uk_rc
by_query(const struct api *a, struct http_request *rq, const char *order, struct uk_err *err)
{
	char subject[SESSION_SUBJECT_LEN];
	struct owned o = { .a = a, .order = order, .subject = subject };
	enum uk_rc rc;

	rc = session_find(
	    a, SESSION_QUERY, http_cookie(rq, session_cookie(SESSION_QUERY)), subject, err);
	if (rc == UK_OK)
		rc = store_read(a->store, compare_form, &o, err);
	if (rc == UK_OK && !o.mine)
		rc = uk_fail(err, UK_E_NOT_FOUND, NULL, "gate", 0);
	return rc;
}

static enum uk_rc
compare_certificate(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct owned *o = ctx;
	struct certificate cert;
	struct order order;
	enum uk_rc rc;

	o->mine = false;
	if ((rc = order_load(tx, o->order, &order, err)) != UK_OK ||
	    (rc = certificate_get(tx, o->subject, &cert, err)) != UK_OK)
		return rc;
	o->mine = cert.revoked_at == 0 && cert.suspended_at == 0 &&
		  (strcmp(order.about, cert.serial) == 0 || strcmp(order.id, cert.order) == 0);
	return UK_OK;
}

/* A key session opens the orders about its certificate, and the one that has made it. */
static enum uk_rc
by_key(const struct api *a, struct http_request *rq, const char *order, struct uk_err *err)
{
	char serial[SERIAL_LEN];
	struct owned o = { .a = a, .order = order, .subject = serial };
	enum uk_rc rc = key_session(a, rq, serial, err);

	if (rc == UK_OK)
		rc = store_read(a->store, compare_certificate, &o, err);
	if (rc == UK_OK && !o.mine)
		rc = uk_fail(err, UK_E_NOT_FOUND, NULL, "gate", 0);
	return rc;
}

static enum uk_rc
by_order(const struct api *a, struct http_request *rq, const char *order, struct uk_err *err)
{
	char subject[SESSION_SUBJECT_LEN];
	enum uk_rc rc;

	rc = session_find(
	    a, SESSION_ORDER, http_cookie(rq, session_cookie(SESSION_ORDER)), subject, err);
	if (rc == UK_OK && strcmp(subject, order) != 0)
		rc = uk_fail(err, UK_E_NOT_FOUND, NULL, "gate", 0);
	return rc;
}

typedef enum uk_rc way(
    const struct api *, struct http_request *, const char *order, struct uk_err *);

/* Somebody else's order is as unknown as one that does not exist; who has no session at all is
 * asked for one. */
static enum uk_rc
owner(const struct api *a, struct http_request *rq, struct uk_err *err)
{
	static way *const ways[] = { by_order, by_query, by_key };
	const char *order = http_param(rq, "id");
	bool known = false;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const enum uk_rc rc = ways[i](a, rq, order, err);

		if (rc == UK_OK) {
			http_user_take(rq, uk_xalloc(sizeof(struct user)), free);
			return UK_OK;
		}
		if (rc != UK_E_UNAUTHORIZED && rc != UK_E_NOT_FOUND)
			return rc;
		known = known || rc == UK_E_NOT_FOUND;
	}
	return uk_fail(err, known ? UK_E_NOT_FOUND : UK_E_UNAUTHORIZED, NULL, "gate", 0);
}

struct member {
	const struct api *a;
	const char *id;
	bool there;
	struct user user;
};

static enum uk_rc
read_member(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct member *m = ctx;
	struct store_rows *rows = store_query(tx, SQL_STAFF_GET, STORE_ARGS(DB_T(m->id)));
	char fingerprint[CRYPT_INDEX_LEN] = "";
	struct certificate cert;
	enum uk_rc rc;

	m->there = false;
	m->user = (struct user){ 0 };
	if (store_next(rows) && store_int(rows, 4) == 0) {
		(void)snprintf(m->user.staff, sizeof(m->user.staff), "%s", m->id);
		(void)snprintf(m->user.name, sizeof(m->user.name), "%s", store_text(rows, 0));
		(void)snprintf(m->user.roles, sizeof(m->user.roles), "%s", store_text(rows, 1));
		(void)snprintf(fingerprint, sizeof(fingerprint), "%s", store_text(rows, 2));
		m->there = api_roles_read(m->user.roles, &m->user.who) == UK_OK;
	}
	if ((rc = store_end(rows, err)) != UK_OK || !m->there)
		return rc;
	rc = certificate_by_fingerprint(tx, fingerprint, &cert, err);
	m->there = rc == UK_OK && certificate_status(&cert, api_now(m->a)) == CERTIFICATE_VALID;
	return rc == UK_E_NOT_FOUND ? UK_OK : rc;
}

/* Read at each request: a role taken away or a certificate revoked counts at once. */
static enum uk_rc
staff(const struct api *a, struct http_request *rq, unsigned who, struct uk_err *err)
{
	char subject[SESSION_SUBJECT_LEN];
	struct member m = { .a = a, .id = subject };
	struct user *user;
	enum uk_rc rc;

	rc = session_find(
	    a, SESSION_STAFF, http_cookie(rq, session_cookie(SESSION_STAFF)), subject, err);
	if (rc == UK_OK)
		rc = store_read(a->store, read_member, &m, err);
	if (rc != UK_OK)
		return rc;
	if (!m.there)
		return uk_fail(err, UK_E_UNAUTHORIZED, NULL, "gate", 0);
	if ((who & WHO_ROLES) != 0 && (who & m.user.who) == 0)
		return uk_fail(err, UK_E_DENIED, "role-missing", "gate", 0);
	user = uk_xalloc(sizeof(*user));
	*user = m.user;
	http_user_take(rq, user, free);
	return UK_OK;
}

enum uk_rc
api_gate(void *app, struct http_request *rq, unsigned who, struct uk_err *err)
{
	if (who == 0)
		return UK_OK;
	return (who & WHO_OWNER) != 0 ? owner(app, rq, err) : staff(app, rq, who, err);
}
