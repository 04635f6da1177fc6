/* Suspension, resumption and revocation of a certificate by its holder [C14]. */
#include <string.h>

#include "api/about.h"
#include "api/answer.h"
#include "api/handlers.h"
#include "api/key.h"
#include "api/query.h"
#include "api/session.h"

#define HOLDER "holder"

enum wish {
	WISH_SUSPEND,
	WISH_RESUME,
	WISH_REVOKE,
};

struct wishing {
	const struct api *a;
	const char *serial;
	enum wish wish;
	const char *reason;
	char key[SERIAL_LEN];            /* of the key session; "" */
	char query[SESSION_SUBJECT_LEN]; /* of the query session; "" */
	json_t *answer;
};

/* To suspend, a code to the phone is enough: a lost key has to be stopped at once.  To resume and
 * to revoke, the key itself is asked for. */
static bool
may(const struct wishing *w, const struct about *ab)
{
	if (strcmp(w->key, ab->cert.serial) == 0)
		return true;
	return w->wish == WISH_SUSPEND && w->query[0] != '\0' && ab->order.state == ST_DONE &&
	       query_owns(w->a, w->query, ab->order.kind, ab->form);
}

static enum uk_rc
grant(struct wishing *w, struct store_tx *tx, const struct about *ab, struct uk_err *err)
{
	const int64_t now = api_now(w->a);
	enum uk_rc rc = UK_OK;

	switch (w->wish) {
	case WISH_SUSPEND:
		rc = certificate_suspend(tx, w->serial, HOLDER, now, err);
		if (rc == UK_OK && ab->cert.suspended_at == 0)
			rc = about_tell(tx, "suspended", &ab->cert, now, err);
		break;
	case WISH_RESUME:
		rc = certificate_resume(tx, w->serial, HOLDER, now, err);
		if (rc == UK_OK && ab->cert.suspended_at != 0)
			rc = about_tell(tx, "resumed", &ab->cert, now, err);
		break;
	case WISH_REVOKE:
		rc = certificate_revoke(tx, w->serial, w->reason, HOLDER, now, err);
		break;
	}
	return rc;
}

/* Somebody else's certificate is as unknown as one that does not exist. */
static enum uk_rc
change(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct wishing *w = ctx;
	struct about ab;
	enum uk_rc rc;

	if ((rc = about_load(w->a, tx, w->serial, &ab, err)) != UK_OK)
		return rc;
	rc = may(w, &ab) ? grant(w, tx, &ab, err)
			 : uk_fail(err, UK_E_NOT_FOUND, "certificate-not-found", "status", 0);
	about_fini(&ab);
	if (rc != UK_OK || (rc = about_load(w->a, tx, w->serial, &ab, err)) != UK_OK)
		return rc;
	json_decref(w->answer);
	w->answer = about_json(w->a, &ab);
	about_fini(&ab);
	return UK_OK;
}

static enum uk_rc
answer_change(struct wishing *w, struct http_request *rq, struct uk_err *err)
{
	enum uk_rc rc;

	w->serial = http_param(rq, "serial");
	if ((rc = store_write_wait(w->a->store, change, w, err)) == UK_OK)
		http_answer_json(rq, 200, w->answer);
	json_decref(w->answer);
	return rc;
}

static enum uk_rc
by_holder(const struct api *a, struct http_request *rq, enum wish wish, const char *reason,
    struct uk_err *err)
{
	struct wishing w = { .a = a, .wish = wish, .reason = reason };
	enum uk_rc key = key_session(a, rq, w.key, err);
	enum uk_rc query = session_find(
	    a, SESSION_QUERY, http_cookie(rq, session_cookie(SESSION_QUERY)), w.query, err);

	if (key == UK_E_UNAUTHORIZED && query == UK_E_UNAUTHORIZED)
		return key;
	if (key != UK_OK && key != UK_E_UNAUTHORIZED)
		return key;
	if (query != UK_OK && query != UK_E_UNAUTHORIZED)
		return query;
	return answer_change(&w, rq, err);
}

static const char *
reason_of(const struct http_request *rq)
{
	const struct reason_body *body = http_fields(rq);

	return body->reason;
}

enum uk_rc
status_suspend(void *app, struct http_request *rq, struct uk_err *err)
{
	return by_holder(app, rq, WISH_SUSPEND, "", err);
}

enum uk_rc
status_resume(void *app, struct http_request *rq, struct uk_err *err)
{
	return by_holder(app, rq, WISH_RESUME, "", err);
}

enum uk_rc
status_revoke(void *app, struct http_request *rq, struct uk_err *err)
{
	return by_holder(app, rq, WISH_REVOKE, reason_of(rq), err);
}
