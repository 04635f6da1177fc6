#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/form.h"
#include "api/handlers.h"
#include "api/place.h"
#include "api/rate.h"
#include "documents/photo.h"
#include "uk/pubkey.h"

#define HOUR                 3600
#define MOST_PHOTOS_PER_HOUR 60

struct upload {
	const struct api *a;
	struct event ev;
	struct photo_info info;
	struct uk_buf jpeg;
	struct uk_buf sealed;
	uint8_t digest[32];
	int64_t retry_after;
};

/* [C6] */
static enum uk_rc
consented(const struct upload *u, struct store_tx *tx, struct uk_err *err)
{
	json_t *form = NULL;
	enum uk_rc rc = order_form_load(tx, u->a->crypt, u->ev.order, &form, err);

	if (rc == UK_OK && !form_photos(form))
		rc = uk_fail(err, UK_E_CONFLICT, "consent-missing", "document", 0);
	json_decref(form);
	return rc;
}

/* Before the work of decoding: may this photo come at all, and not too many of them. */
static enum uk_rc
admit(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct upload *u = ctx;
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, u->ev.order, &o, err)) != UK_OK)
		return rc;
	if (!workflow_allows(&o, EV_DOCUMENT, u->ev.by, u->ev.actor, api_now(u->a)))
		return uk_fail(err, UK_E_CONFLICT, NULL, "document", 0);
	if ((order_documents_needed(&o) & (INT64_C(1) << u->ev.document)) == 0)
		return uk_fail(err, UK_E_NOT_FOUND, NULL, "document", 0);
	if ((rc = consented(u, tx, err)) != UK_OK)
		return rc;
	return rate_hit(u->a, tx, "documents", u->ev.order, MOST_PHOTOS_PER_HOUR, HOUR,
	    "too-many-photos", &u->retry_after, err);
}

static enum uk_rc
seal(struct upload *u, struct uk_err *err)
{
	char row[PLACE_ROW_LEN];
	const struct crypt_place at =
	    place("documents", u->ev.order, document_type_name(u->ev.document), "photo", row);

	uk_sha256(uk_buf_span(&u->jpeg), u->digest);
	return crypt_seal(u->a->crypt, CRYPT_PHOTO, &at, uk_buf_span(&u->jpeg), &u->sealed, err);
}

static enum uk_rc
store_photo(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct upload *u = ctx;
	enum uk_rc rc;

	rc = workflow_apply(u->a->workflow, tx, &u->ev, &(struct workflow_result){ 0 }, err);
	if (rc != UK_OK)
		return rc;
	return store_run(tx, SQL_DOCUMENT_PUT,
	    STORE_ARGS(DB_T(u->ev.order), DB_T(document_type_name(u->ev.document)),
		DB_I(u->info.width), DB_I(u->info.height), DB_I(u->jpeg.n),
		DB_B(uk_span(u->digest, sizeof(u->digest))), DB_B(uk_buf_span(&u->sealed)),
		DB_I(api_now(u->a))),
	    NULL, err);
}

/* [N5] */
enum uk_rc
document_put(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct upload u = { .a = a, .ev = { .on = EV_DOCUMENT } };
	enum uk_rc rc;

	uk_buf_init(&u.jpeg, PHOTO_JPEG_MAX);
	uk_buf_init(&u.sealed, PHOTO_JPEG_MAX + CRYPT_OVERHEAD);
	event_from(rq, &u.ev);
	if (document_type_from_name(http_param(rq, "type"), &u.ev.document) != UK_OK) {
		rc = uk_fail(err, UK_E_NOT_FOUND, NULL, "document", 0);
		goto out;
	}
	rc = store_write_wait(a->store, admit, &u, err);
	if (rc == UK_E_RATE)
		http_retry_after(rq, (unsigned)u.retry_after);
	if (rc != UK_OK ||
	    (rc = photo_check(a->photo, http_body(rq), &u.info, &u.jpeg, err)) != UK_OK ||
	    (rc = seal(&u, err)) != UK_OK ||
	    (rc = store_write_wait(a->store, store_photo, &u, err)) != UK_OK)
		goto out;
	rc = answer_order(a, rq, 200, u.ev.order, err);
out:
	uk_buf_fini(&u.jpeg);
	uk_buf_fini(&u.sealed);
	return rc;
}

struct view {
	const struct api *a;
	const char *order;
	const char *type;
	struct uk_buf jpeg;
};

static enum uk_rc
read_photo(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct view *v = ctx;
	char row[PLACE_ROW_LEN];
	const struct crypt_place at = place("documents", v->order, v->type, "photo", row);
	struct store_rows *rows =
	    store_query(tx, SQL_DOCUMENT_GET, STORE_ARGS(DB_T(v->order), DB_T(v->type)));
	enum uk_rc rc, ended;

	uk_buf_reset(&v->jpeg);
	if (store_next(rows))
		rc =
		    crypt_unseal(v->a->crypt, CRYPT_PHOTO, &at, store_blob(rows, 0), &v->jpeg, err);
	else
		rc = uk_fail(err, UK_E_NOT_FOUND, NULL, "document", 0);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

enum uk_rc
document_get(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct view v = { .a = a, .order = http_param(rq, "id"), .type = http_param(rq, "type") };
	enum uk_rc rc;

	uk_buf_init(&v.jpeg, PHOTO_JPEG_MAX);
	rc = store_read(a->store, read_photo, &v, err);
	if (rc == UK_OK)
		http_answer_bytes(rq, 200, "image/jpeg", &v.jpeg);
	uk_buf_fini(&v.jpeg);
	return rc;
}

struct looking {
	const struct api *a;
	const char *order;
	const struct user *user;
	enum document_type what;
};

static enum uk_rc
write_look(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct looking *l = ctx;

	return workflow_look(
	    l->a->workflow, tx, l->order, api_by(l->user), l->user->staff, l->what, err);
}

/* [A2, A5] Who looked at whose papers is in the order's book before the photo is shown. */
enum uk_rc
staff_document(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct looking l = { .a = a, .order = http_param(rq, "id"), .user = api_user(rq) };
	struct view v = { .a = a, .order = l.order, .type = http_param(rq, "type") };
	enum uk_rc rc;

	if (document_type_from_name(v.type, &l.what) != UK_OK)
		return uk_fail(err, UK_E_NOT_FOUND, NULL, "document", 0);
	uk_buf_init(&v.jpeg, PHOTO_JPEG_MAX);
	if ((rc = store_read(a->store, read_photo, &v, err)) == UK_OK &&
	    (rc = store_write_wait(a->store, write_look, &l, err)) == UK_OK)
		http_answer_bytes(rq, 200, "image/jpeg", &v.jpeg);
	uk_buf_fini(&v.jpeg);
	return rc;
}
