#include <stdio.h>
#include <string.h>

#include "api/code.h"
#include "api/rate.h"
#include "uk/hmac.h"

#define HOUR 3600
#define DAY  86400

/* Beyond these a person makes no sense; see the limits of providers in the facts. */
#define MOST_PER_SUBJECT_HOUR 5
#define MOST_PER_SUBJECT_DAY  10
#define MOST_PER_ADDRESS_HOUR 30

static void
hash(const struct api *a, const char *purpose, const char *subject, const char *code,
    char out[CRYPT_INDEX_LEN])
{
	const struct uk_span parts[] = { uk_span_str(purpose), uk_span_str(subject),
		uk_span_str(code) };

	crypt_index(a->crypt, CRYPT_INDEX_CODE, parts, 3, out);
}

bool
code_plausible(const char *s)
{
	return strlen(s) == CODE_LEN && strspn(s, "0123456789") == CODE_LEN;
}

static enum uk_rc
too_early(const struct api *a, struct store_tx *tx, const struct code_slot *slot,
    int64_t *retry_after, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_CODE_GET, STORE_ARGS(DB_T(slot->purpose), DB_T(slot->subject)));
	int64_t wait = 0;
	enum uk_rc rc;

	if (store_next(rows))
		wait = store_int(rows, 2) + CODE_RESEND_AFTER - api_now(a);
	rc = store_end(rows, err);
	if (rc != UK_OK || wait <= 0)
		return rc;
	*retry_after = wait;
	return uk_fail(err, UK_E_RATE, "code-too-early", "code", 0);
}

static enum uk_rc
limits(const struct api *a, struct store_tx *tx, const struct code_slot *slot, int64_t *retry_after,
    struct uk_err *err)
{
	const struct {
		const char *what;
		const char *who;
		int64_t most;
		int64_t window;
	} all[] = {
		{ "code-subject-hour", slot->subject, MOST_PER_SUBJECT_HOUR, HOUR },
		{ "code-subject-day", slot->subject, MOST_PER_SUBJECT_DAY, DAY },
		{ "code-address-hour", slot->address, MOST_PER_ADDRESS_HOUR, HOUR },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		enum uk_rc rc;

		rc = rate_hit(a, tx, all[i].what, all[i].who, all[i].most, all[i].window,
		    "too-many-codes", retry_after, err);
		if (rc != UK_OK)
			return rc;
	}
	return UK_OK;
}

/* The phone has a limit of its own: many subjects may lead to one.  Nobody's phone is counted too,
 * so that it costs the same, but never refused. */
static enum uk_rc
phone_limit(const struct api *a, struct store_tx *tx, const struct code_slot *slot, bool *held,
    int64_t *retry_after, struct uk_err *err)
{
	const bool nobody = *slot->phone_index == '\0';
	const enum uk_rc rc = rate_hit(a, tx, "code-phone-day", slot->phone_index,
	    nobody ? INT64_MAX : MOST_PER_SUBJECT_DAY, DAY, "too-many-codes", retry_after, err);

	*held = rc == UK_E_RATE && slot->silent;
	return *held ? UK_OK : rc;
}

enum uk_rc
code_make(const struct api *a, struct store_tx *tx, const struct code_slot *slot,
    char code[CODE_LEN + 1], int64_t *retry_after, struct uk_err *err)
{
	const int64_t now = api_now(a);
	char hashed[CRYPT_INDEX_LEN];
	bool held;
	enum uk_rc rc;

	if ((rc = too_early(a, tx, slot, retry_after, err)) != UK_OK ||
	    (rc = limits(a, tx, slot, retry_after, err)) != UK_OK ||
	    (rc = phone_limit(a, tx, slot, &held, retry_after, err)) != UK_OK)
		return rc;
	(void)snprintf(
	    code, CODE_LEN + 1, "%06u", (unsigned)(uk_random_below(a->random, 1000000) % 1000000));
	hash(a, slot->purpose, slot->subject, code, hashed);
	if (held)
		explicit_bzero(code, CODE_LEN + 1);
	return store_run(tx, SQL_CODE_PUT,
	    STORE_ARGS(DB_T(slot->purpose), DB_T(slot->subject), DB_T(hashed),
		DB_T(slot->phone_index), DB_I(now), DB_I(now + CODE_LIFE), DB_I(CODE_TRIES)),
	    NULL, err);
}

enum uk_rc
code_drop(struct store_tx *tx, const char *purpose, const char *subject, struct uk_err *err)
{
	return store_run(tx, SQL_CODE_DROP, STORE_ARGS(DB_T(purpose), DB_T(subject)), NULL, err);
}

struct stored {
	bool there;
	char hash[CRYPT_INDEX_LEN];
	char phone[CRYPT_INDEX_LEN];
	int64_t expires;
	int64_t left;
};

static enum uk_rc
load(struct store_tx *tx, const char *purpose, const char *subject, struct stored *out,
    struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_CODE_GET, STORE_ARGS(DB_T(purpose), DB_T(subject)));

	*out = (struct stored){ 0 };
	if (store_next(rows)) {
		out->there = true;
		(void)snprintf(out->hash, sizeof(out->hash), "%s", store_text(rows, 0));
		(void)snprintf(out->phone, sizeof(out->phone), "%s", store_text(rows, 1));
		out->expires = store_int(rows, 3);
		out->left = store_int(rows, 4);
	}
	return store_end(rows, err);
}

enum uk_rc
code_phone(struct store_tx *tx, const char *purpose, const char *subject, char out[CRYPT_INDEX_LEN],
    struct uk_err *err)
{
	struct stored s;
	enum uk_rc rc = load(tx, purpose, subject, &s, err);

	memcpy(out, s.phone, CRYPT_INDEX_LEN);
	return rc;
}

enum uk_rc
code_try(const struct api *a, struct store_tx *tx, const char *purpose, const char *subject,
    const char *code, enum code_verdict *verdict, int64_t *left, struct uk_err *err)
{
	char hashed[CRYPT_INDEX_LEN];
	struct stored s;
	enum uk_rc rc;

	if ((rc = load(tx, purpose, subject, &s, err)) != UK_OK)
		return rc;
	hash(a, purpose, subject, code, hashed);
	*left = 0;
	if (!s.there || s.expires <= api_now(a)) {
		*verdict = CODE_EXPIRED;
		return UK_OK;
	}
	if (s.left <= 0) {
		*verdict = CODE_EXHAUSTED;
		return UK_OK;
	}
	if (uk_const_eq(uk_span_str(s.hash), uk_span_str(hashed))) {
		*verdict = CODE_RIGHT;
		return code_drop(tx, purpose, subject, err);
	}
	*left = s.left - 1;
	*verdict = *left > 0 ? CODE_WRONG : CODE_EXHAUSTED;
	return store_run(tx, SQL_CODE_TRY, STORE_ARGS(DB_T(purpose), DB_T(subject)), NULL, err);
}

enum uk_rc
code_verdict_rc(enum code_verdict v, struct uk_err *err)
{
	static const char *const reasons[] = {
		[CODE_WRONG] = "code-wrong",
		[CODE_EXPIRED] = "code-expired",
		[CODE_EXHAUSTED] = "code-exhausted",
	};

	return v == CODE_RIGHT ? UK_OK : uk_fail_field(err, "code", reasons[v]);
}

enum uk_rc
code_verdict_answer(struct http_request *rq, enum code_verdict v, int64_t left, struct uk_err *err)
{
	if (v == CODE_WRONG || v == CODE_EXHAUSTED)
		http_attempts_left(rq, (unsigned)left);
	return code_verdict_rc(v, err);
}
