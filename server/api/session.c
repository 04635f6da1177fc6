#include <stdio.h>
#include <string.h>

#include "api/session.h"
#include "uk/b64.h"

#define TOKEN_BYTES 32
#define HOUR        3600
#define DAY         86400

/* A use is noted no more often than this: reading stays reading. */
#define NOTE_EVERY 60

static const struct {
	const char *name;
	const char *cookie;
	const char *path;
	int64_t idle; /* 0: the configuration's */
	int64_t life;
} kinds[] = {
	[SESSION_ORDER] = { "order", "ukey_order", "/api/", DAY, 7 * DAY },
	[SESSION_QUERY] = { "query", "ukey_query", "/api/", HOUR, DAY },
	[SESSION_STAFF] = { "staff", "ukey_staff", "/api/staff", 0, 0 },
	[SESSION_KEY] = { "key", "ukey_key", "/api/", HOUR / 2, 8 * HOUR },
};

const char *
session_cookie(enum session_kind kind)
{
	return kinds[kind].cookie;
}

const char *
session_path(enum session_kind kind)
{
	return kinds[kind].path;
}

static int64_t
idle_of(const struct api *a, enum session_kind kind)
{
	return kinds[kind].idle != 0 ? kinds[kind].idle : a->staff_idle;
}

static int64_t
life_of(const struct api *a, enum session_kind kind)
{
	return kinds[kind].life != 0 ? kinds[kind].life : a->staff_session;
}

static int64_t
earlier(int64_t x, int64_t y)
{
	return x < y ? x : y;
}

enum uk_rc
session_new(const struct api *a, struct store_tx *tx, enum session_kind kind, const char *subject,
    char token[SESSION_TOKEN_LEN], struct uk_err *err)
{
	const int64_t now = api_now(a);
	const int64_t ends = now + earlier(idle_of(a, kind), life_of(a, kind));
	uint8_t bytes[TOKEN_BYTES];
	char hashed[CRYPT_INDEX_LEN];
	struct uk_buf text;

	a->random->bytes(a->random->ctx, bytes, sizeof(bytes));
	uk_buf_init(&text, 64);
	uk_b64url_put(&text, uk_span(bytes, sizeof(bytes)));
	(void)snprintf(token, SESSION_TOKEN_LEN, "%s", uk_buf_str(&text));
	uk_buf_fini(&text);
	crypt_index_str(a->crypt, CRYPT_INDEX_SESSION, token, hashed);
	return store_run(tx, SQL_SESSION_PUT,
	    STORE_ARGS(DB_T(hashed), DB_T(kinds[kind].name), DB_T(subject), DB_I(now), DB_I(ends)),
	    NULL, err);
}

struct find {
	const struct api *a;
	enum session_kind kind;
	char hashed[CRYPT_INDEX_LEN];
	bool there;
	char subject[SESSION_SUBJECT_LEN];
	int64_t created;
	int64_t used;
};

static enum uk_rc
read_session(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct find *f = ctx;
	struct store_rows *rows =
	    store_query(tx, SQL_SESSION_GET, STORE_ARGS(DB_T(f->hashed), DB_I(api_now(f->a))));

	f->there = false;
	if (store_next(rows) && strcmp(store_text(rows, 0), kinds[f->kind].name) == 0) {
		f->there = true;
		(void)snprintf(f->subject, sizeof(f->subject), "%s", store_text(rows, 1));
		f->created = store_int(rows, 2);
		f->used = store_int(rows, 3);
	}
	return store_end(rows, err);
}

static enum uk_rc
note_use(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct find *f = ctx;
	const int64_t now = api_now(f->a);
	const int64_t ends =
	    earlier(now + idle_of(f->a, f->kind), f->created + life_of(f->a, f->kind));

	return store_run(
	    tx, SQL_SESSION_USED, STORE_ARGS(DB_T(f->hashed), DB_I(now), DB_I(ends)), NULL, err);
}

enum uk_rc
session_find(const struct api *a, enum session_kind kind, const char *token,
    char subject[SESSION_SUBJECT_LEN], struct uk_err *err)
{
	struct find f = { .a = a, .kind = kind };
	enum uk_rc rc;

	if (token == NULL || strlen(token) != SESSION_TOKEN_LEN - 1)
		return uk_fail(err, UK_E_UNAUTHORIZED, NULL, "session", 0);
	crypt_index_str(a->crypt, CRYPT_INDEX_SESSION, token, f.hashed);
	if ((rc = store_read(a->store, read_session, &f, err)) != UK_OK)
		return rc;
	if (!f.there)
		return uk_fail(err, UK_E_UNAUTHORIZED, NULL, "session", 0);
	if (api_now(a) - f.used >= NOTE_EVERY &&
	    (rc = store_write_wait(a->store, note_use, &f, err)) != UK_OK)
		return rc;
	memcpy(subject, f.subject, sizeof(f.subject));
	return UK_OK;
}

enum uk_rc
session_drop(const struct api *a, struct store_tx *tx, const char *token, struct uk_err *err)
{
	char hashed[CRYPT_INDEX_LEN];

	crypt_index_str(a->crypt, CRYPT_INDEX_SESSION, token, hashed);
	return store_run(tx, SQL_SESSION_DROP, STORE_ARGS(DB_T(hashed)), NULL, err);
}

void
session_answer(
    const struct api *a, struct http_request *rq, enum session_kind kind, const char *token)
{
	(void)a;
	http_add_cookie(rq, kinds[kind].cookie, token, kinds[kind].path, -1);
}

struct leaving {
	const struct api *a;
	const char *token;
};

static enum uk_rc
leave(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct leaving *l = ctx;

	return l->token != NULL ? session_drop(l->a, tx, l->token, err) : UK_OK;
}

enum uk_rc
session_end(
    const struct api *a, struct http_request *rq, enum session_kind kind, struct uk_err *err)
{
	struct leaving l = { .a = a, .token = http_cookie(rq, session_cookie(kind)) };
	json_t *answer;
	enum uk_rc rc;

	if ((rc = store_write_wait(a->store, leave, &l, err)) != UK_OK)
		return rc;
	http_add_cookie(rq, session_cookie(kind), "", session_path(kind), 0);
	answer = json_object();
	http_answer_json(rq, 200, answer);
	json_decref(answer);
	return UK_OK;
}

void
session_query_subject(
    const struct api *a, const char *number, const char *phone, char out[SESSION_SUBJECT_LEN])
{
	char n[CRYPT_INDEX_LEN];
	char p[CRYPT_INDEX_LEN];

	crypt_index_str(a->crypt, CRYPT_INDEX_NUMBER, number, n);
	crypt_index_str(a->crypt, CRYPT_INDEX_PHONE, phone, p);
	(void)snprintf(out, SESSION_SUBJECT_LEN, "%s:%s", n, p);
}
