/*
 * What two administrators sign before an encryption key is recovered: a text they can read, of
 * which the server keeps the nonce.  It is good for one recovery, for a day, of one key, for one
 * recipient.
 */
#ifndef APP_STATEMENT_H
#define APP_STATEMENT_H

#include "app/base.h"
#include "workflow/certificate.h"

#define STATEMENT_MAX       8192u
#define STATEMENT_LIFE      86400 /* seconds */
#define STATEMENT_NONCE_LEN 65

struct statement {
	char nonce[STATEMENT_NONCE_LEN];
	char serial[SERIAL_LEN];         /* of the encryption certificate */
	char recipient[CRYPT_INDEX_LEN]; /* fingerprint of the certificate it is wrapped to */
	int64_t expires;
};

/* Inside a transaction: the text, appended.  UK_E_NOT_FOUND "certificate-not-found" when one of
 * the two certificates is not ours; UK_E_INPUT "serial" when the first is not for encryption. */
UK_CHECK enum uk_rc statement_put(const struct base *b, struct store_tx *tx,
    const struct statement *s, struct uk_buf *out, struct uk_err *err);

/*
 * Inside a write: the statement that this text is.  UK_E_INPUT "statement-malformed", UK_E_DENIED
 * "statement-unknown", "statement-changed", "statement-expired", "statement-used".
 */
UK_CHECK enum uk_rc statement_get(const struct base *b, struct store_tx *tx, struct uk_span text,
    struct statement *out, struct uk_err *err);

#endif
