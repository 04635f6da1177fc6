#include <stdlib.h>

#include "api/answer.h"
#include "api/handlers.h"
#include "api/papers.h"
#include "api/place.h"
#include "uk/b64.h"

#define STATEMENT_MAX (64u * 1024)

struct reading {
	const struct api *a;
	const char *order;
	json_t *json;      /* ORDER */
	json_t *statement; /* what was signed last; NULL: nothing */
	struct uk_buf digest;
};

static enum uk_rc
open_statement(struct reading *r, struct uk_span sealed, struct uk_err *err)
{
	char row[PLACE_ROW_LEN];
	const struct crypt_place at =
	    place("signatures", r->order, uk_buf_str(&r->digest), "statement", row);
	struct uk_buf said;
	enum uk_rc rc;

	uk_buf_init(&said, STATEMENT_MAX);
	rc = crypt_unseal(r->a->crypt, CRYPT_PERSONAL, &at, sealed, &said, err);
	if (rc == UK_OK)
		rc = uk_json_parse(uk_buf_span(&said), STATEMENT_MAX, &r->statement, err);
	uk_buf_fini(&said);
	return rc;
}

static enum uk_rc
read_all(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct reading *r = ctx;
	struct store_rows *rows;
	enum uk_rc rc, ended;

	if ((rc = order_json(r->a, tx, r->order, &r->json, err)) != UK_OK)
		return rc;
	rows = store_query(tx, SQL_SIGNATURES_OF_ORDER, STORE_ARGS(DB_T(r->order)));
	if (store_next(rows)) {
		uk_hex_put(&r->digest, store_blob(rows, 2));
		rc = open_statement(r, store_blob(rows, 3), err);
	}
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

static enum uk_rc
answer(struct http_request *rq, const struct reading *r, const char *digest, struct uk_err *err)
{
	const struct paper_facts facts = { .order = r->json,
		.statement = r->statement,
		.digest = digest,
		.name = r->a->name,
		.now = api_now(r->a) };
	struct paper *paper = NULL;
	struct uk_buf pdf;
	enum uk_rc rc;

	uk_buf_init(&pdf, PAPER_MAX);
	if ((rc = papers_make(http_param(rq, "paper"), &facts, &paper, err)) == UK_OK &&
	    (rc = paper_write(paper, &pdf, err)) == UK_OK)
		http_answer_bytes(rq, 200, "application/pdf", &pdf);
	paper_free(&paper);
	uk_buf_fini(&pdf);
	return rc;
}

/* [C7, Q3] */
enum uk_rc
paper_get(void *app, struct http_request *rq, struct uk_err *err)
{
	struct reading r = { .a = app, .order = http_param(rq, "id") };
	enum uk_rc rc;

	uk_buf_init(&r.digest, 128);
	rc = store_read(r.a->store, read_all, &r, err);
	if (rc == UK_OK)
		rc = answer(rq, &r, r.statement != NULL ? uk_buf_str(&r.digest) : NULL, err);
	uk_json_wipe(r.statement);
	json_decref(r.statement);
	uk_json_wipe(r.json);
	json_decref(r.json);
	uk_buf_fini(&r.digest);
	return rc;
}
