#include <openssl/crypto.h>

#include "workflow/so_pin.h"

#define PIN_LEN    16
#define PIN_MAX    64
#define SEALED_MAX (PIN_MAX + CRYPT_OVERHEAD)

#define NEXT   "next"
#define PROVED "proved"

/* Not bound to the state: a next one that is proved is the same value. */
static struct crypt_place
place(const char *token)
{
	return (struct crypt_place){ .table = "token_pins", .row = token, .column = "sealed" };
}

/* *out stays as it is when there is none. */
static enum uk_rc
load(struct store_tx *tx, const struct crypt *crypt, const char *token, const char *state,
    struct uk_secret **out, struct uk_err *err)
{
	const struct crypt_place at = place(token);
	struct store_rows *rows =
	    store_query(tx, SQL_TOKEN_PIN_GET, STORE_ARGS(DB_T(token), DB_T(state)));
	enum uk_rc rc = UK_OK, ended;
	struct uk_buf plain;

	uk_buf_init(&plain, PIN_MAX);
	if (store_next(rows)) {
		rc = crypt_unseal(crypt, CRYPT_SO_PIN, &at, store_blob(rows, 0), &plain, err);
		if (rc == UK_OK)
			*out = uk_secret_new(uk_buf_span(&plain));
	}
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	uk_buf_fini(&plain);
	return rc != UK_OK ? rc : ended;
}

enum uk_rc
so_pins_for(struct store_tx *tx, const struct crypt *crypt, const char *token, struct so_pins *out,
    struct uk_err *err)
{
	struct so_pins p = { 0 };
	enum uk_rc rc;

	if ((rc = load(tx, crypt, token, NEXT, &p.next, err)) == UK_OK &&
	    (rc = load(tx, crypt, token, PROVED, &p.proved, err)) == UK_OK && p.next == NULL &&
	    p.proved == NULL)
		rc = uk_fail(err, UK_E_NOT_FOUND, "token-unknown", "so-pin", 0);
	if (rc == UK_OK)
		*out = p;
	else
		so_pins_fini(&p);
	return rc;
}

void
so_pins_fini(struct so_pins *p)
{
	uk_secret_free(&p->next);
	uk_secret_free(&p->proved);
}

enum uk_rc
so_pin_put(struct store_tx *tx, const struct crypt *crypt, const char *token,
    const struct uk_secret *pin, int64_t now, struct uk_err *err)
{
	const struct crypt_place at = place(token);
	struct uk_buf sealed;
	enum uk_rc rc;

	uk_buf_init(&sealed, SEALED_MAX);
	rc = crypt_seal(crypt, CRYPT_SO_PIN, &at, uk_secret_lend(pin), &sealed, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_TOKEN_PIN_PUT,
		    STORE_ARGS(DB_T(token), DB_T(NEXT), DB_B(uk_buf_span(&sealed)), DB_I(now)),
		    NULL, err);
	uk_buf_fini(&sealed);
	return rc;
}

enum uk_rc
so_pin_next(struct store_tx *tx, const struct crypt *crypt, const struct uk_random *random,
    const char *token, int64_t now, struct so_pins *out, struct uk_err *err)
{
	struct so_pins p = { 0 };
	enum uk_rc rc = so_pins_for(tx, crypt, token, &p, err);

	if (rc == UK_OK && p.next == NULL) {
		p.next = so_pin_make(random);
		rc = so_pin_put(tx, crypt, token, p.next, now, err);
	}
	if (rc == UK_OK)
		*out = p;
	else
		so_pins_fini(&p);
	return rc;
}

enum uk_rc
so_pin_proved(struct store_tx *tx, const char *token, int64_t now, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_TOKEN_PIN_GET, STORE_ARGS(DB_T(token), DB_T(NEXT)));
	struct uk_buf sealed;
	enum uk_rc rc;

	uk_buf_init(&sealed, SEALED_MAX);
	if (store_next(rows))
		uk_buf_put(&sealed, store_blob(rows, 0));
	rc = store_end(rows, err);
	if (rc == UK_OK && sealed.n != 0)
		rc = store_run(tx, SQL_TOKEN_PIN_PUT,
		    STORE_ARGS(DB_T(token), DB_T(PROVED), DB_B(uk_buf_span(&sealed)), DB_I(now)),
		    NULL, err);
	if (rc == UK_OK && sealed.n != 0)
		rc = store_run(
		    tx, SQL_TOKEN_PIN_DROP, STORE_ARGS(DB_T(token), DB_T(NEXT)), NULL, err);
	uk_buf_fini(&sealed);
	return rc;
}

struct uk_secret *
so_pin_make(const struct uk_random *random)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct uk_secret *pin;
	char text[PIN_LEN];

	for (size_t i = 0; i < PIN_LEN; i++)
		text[i] = alphabet[uk_random_below(random, sizeof(alphabet) - 1)];
	pin = uk_secret_new(uk_span(text, sizeof(text)));
	OPENSSL_cleanse(text, sizeof(text));
	return pin;
}
