#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/statement.h"

#define NONCE_KEY "\nnonce: "

static void
put_text(const struct base *b, const struct statement *s, const struct uk_cert *of,
    const struct uk_cert *to, struct uk_buf *out)
{
	uk_buf_printf(
	    out, "ukey-km-recover-1\nca: %s\norigin: %s\n", b->settings.name, b->settings.origin);
	uk_buf_printf(out, "serial: %s\nholder: %s\n", s->serial, uk_cert_subject(of));
	uk_buf_printf(
	    out, "recipient: %s\nrecipient-holder: %s\n", s->recipient, uk_cert_subject(to));
	uk_buf_printf(out, "nonce: %s\nexpires: %" PRId64 "\n", s->nonce, s->expires);
}

enum uk_rc
statement_put(const struct base *b, struct store_tx *tx, const struct statement *s,
    struct uk_buf *out, struct uk_err *err)
{
	struct uk_cert *of = NULL, *to = NULL;
	struct certificate key, recipient;
	enum uk_rc rc;

	if ((rc = certificate_get(tx, s->serial, &key, err)) != UK_OK ||
	    (rc = certificate_by_fingerprint(tx, s->recipient, &recipient, err)) != UK_OK)
		return rc;
	if (key.usage != CERTIFICATE_ENCRYPT)
		return uk_fail_field(err, "serial", "key-not-kept");
	if ((rc = certificate_cert(tx, b->crypt, key.serial, &of, err)) == UK_OK &&
	    (rc = certificate_cert(tx, b->crypt, recipient.serial, &to, err)) == UK_OK) {
		put_text(b, s, of, to, out);
		if (uk_buf_failed(out))
			rc = uk_fail(err, UK_E_LIMIT, NULL, "statement", 0);
	}
	uk_cert_free(&of);
	uk_cert_free(&to);
	return rc;
}

static bool
read_nonce(struct uk_span text, char nonce[STATEMENT_NONCE_LEN])
{
	const char *at = memmem(text.p, text.n, NONCE_KEY, strlen(NONCE_KEY));
	size_t left;

	if (at == NULL)
		return false;
	at += strlen(NONCE_KEY);
	left = text.n - (size_t)(at - (const char *)text.p);
	if (left < STATEMENT_NONCE_LEN || at[STATEMENT_NONCE_LEN - 1] != '\n')
		return false;
	memcpy(nonce, at, STATEMENT_NONCE_LEN - 1);
	nonce[STATEMENT_NONCE_LEN - 1] = '\0';
	return strspn(nonce, "0123456789abcdef") == STATEMENT_NONCE_LEN - 1;
}

static enum uk_rc
load(struct store_tx *tx, struct statement *s, int64_t now, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_KM_RECOVERY_GET, STORE_ARGS(DB_T(s->nonce)));
	const bool there = store_next(rows);
	int64_t used_at = 0;
	enum uk_rc rc;

	if (there) {
		(void)snprintf(s->serial, sizeof(s->serial), "%s", store_text(rows, 0));
		(void)snprintf(s->recipient, sizeof(s->recipient), "%s", store_text(rows, 1));
		s->expires = store_int(rows, 2);
		used_at = store_int(rows, 3);
	}
	if ((rc = store_end(rows, err)) != UK_OK)
		return rc;
	if (!there)
		return uk_fail(err, UK_E_DENIED, "statement-unknown", "km", 0);
	if (used_at != 0)
		return uk_fail(err, UK_E_DENIED, "statement-used", "km", 0);
	if (s->expires <= now)
		return uk_fail(err, UK_E_DENIED, "statement-expired", "km", 0);
	return UK_OK;
}

/* What is signed has to be, byte for byte, what we would write now. */
enum uk_rc
statement_get(const struct base *b, struct store_tx *tx, struct uk_span text, struct statement *out,
    struct uk_err *err)
{
	struct statement s = { .nonce = "" };
	struct uk_buf again;
	enum uk_rc rc;

	if (!read_nonce(text, s.nonce))
		return uk_fail(err, UK_E_INPUT, "statement-malformed", "km", 0);
	if ((rc = load(tx, &s, uk_now(&b->clock), err)) != UK_OK)
		return rc;
	uk_buf_init(&again, STATEMENT_MAX);
	rc = statement_put(b, tx, &s, &again, err);
	if (rc == UK_OK && !uk_span_eq(uk_buf_span(&again), text))
		rc = uk_fail(err, UK_E_DENIED, "statement-changed", "km", 0);
	uk_buf_fini(&again);
	if (rc == UK_OK)
		*out = s;
	return rc;
}
