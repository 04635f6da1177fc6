#include "api/challenge.h"
#include "api/handlers.h"
#include "api/rate.h"

#define CHALLENGE_LIFE         120
#define NONCE_BYTES            32
#define NONCE_LEN              (2 * NONCE_BYTES + 1)
#define MINUTE                 60
#define MOST_CHALLENGES_MINUTE 30

struct challenge {
	const struct api *a;
	const char *address;
	const char *purpose;
	char nonce[NONCE_LEN];
	int64_t expires;
	int64_t retry_after;
};

static enum uk_rc
make(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct challenge *c = ctx;
	enum uk_rc rc;

	rc = rate_hit(c->a, tx, "challenge", c->address, MOST_CHALLENGES_MINUTE, MINUTE, NULL,
	    &c->retry_after, err);
	if (rc != UK_OK)
		return rc;
	uk_random_hex(c->a->random, c->nonce, NONCE_BYTES);
	c->expires = api_now(c->a) + CHALLENGE_LIFE;
	return store_run(tx, SQL_CHALLENGE_PUT,
	    STORE_ARGS(DB_T(c->nonce), DB_T(c->purpose), DB_I(c->expires)), NULL, err);
}

enum uk_rc
challenge_answer(const struct api *a, struct http_request *rq, const char *audience,
    const char *purpose, struct uk_err *err)
{
	struct challenge c = { .a = a, .address = http_remote(rq), .purpose = purpose };
	json_t *answer;
	enum uk_rc rc;

	rc = store_write_wait(a->store, make, &c, err);
	if (rc == UK_E_RATE)
		http_retry_after(rq, (unsigned)c.retry_after);
	if (rc != UK_OK)
		return rc;
	answer = json_pack("{s:s, s:s, s:I}", "nonce", c.nonce, "audience", audience, "expires",
	    (json_int_t)c.expires);
	http_answer_json(rq, 200, answer);
	json_decref(answer);
	return UK_OK;
}

struct spending {
	const struct api *a;
	const char *purpose;
	const char *nonce;
	bool fresh;
	int64_t expires;
};

static enum uk_rc
spend(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct spending *s = ctx;
	struct store_rows *rows = store_query(tx, SQL_CHALLENGE_USE,
	    STORE_ARGS(DB_T(s->nonce), DB_T(s->purpose), DB_I(api_now(s->a))));

	if ((s->fresh = store_next(rows)))
		s->expires = store_int(rows, 0);
	return store_end(rows, err);
}

static enum uk_rc
spend_nonce(const struct api *a, const char *purpose, const char *nonce, int64_t *expires,
    struct uk_err *err)
{
	struct spending s = { .a = a, .purpose = purpose, .nonce = nonce };
	const enum uk_rc rc = store_write_wait(a->store, spend, &s, err);

	if (rc != UK_OK)
		return rc;
	*expires = s.expires;
	return s.fresh ? UK_OK : uk_fail(err, UK_E_DENIED, "nonce-unknown", "challenge", 0);
}

enum uk_rc
challenge_certificate(const struct api *a, const char *purpose, const char *audience,
    const struct login_body *body, challenge_check_fn *check, struct uk_cert **out,
    struct uk_err *err)
{
	int64_t expires = 0;
	enum uk_rc rc;

	if ((rc = spend_nonce(a, purpose, body->nonce, &expires, err)) != UK_OK ||
	    (rc = uk_cert_parse(uk_buf_span(&body->certificate), out, err)) != UK_OK)
		return rc;
	rc = check(*out, a->issuer,
	    &(struct uk_login){ .origin = a->origin,
		.audience = audience,
		.nonce = body->nonce,
		.expires = expires },
	    uk_buf_span(&body->signature), api_now(a), err);
	if (rc != UK_OK)
		uk_cert_free(out);
	return rc;
}
