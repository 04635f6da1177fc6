/* ukey-ca km init, km ask */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/keys.h"
#include "app/statement.h"

struct km_options {
	const char *dir;
	const char *serial;
	const char *to;
	const char *statement;
};

#define DIR_OPTION                                                                                 \
	{                                                                                          \
		"dir", "DIR", offsetof(struct km_options, dir), "the CA's folder"                  \
	}

static const struct uk_opt init_table[] = { DIR_OPTION };

int
command_km_init(int argc, char **argv)
{
	struct km_options o = { 0 };
	struct uk_err err = { 0 };
	struct base b;
	enum uk_rc rc;
	int status;

	status = command_options(init_table, 1, argc, argv, "ukey-ca km init --dir DIR", &o);
	if (status >= 0)
		return status;
	if (o.dir == NULL) {
		(void)fprintf(stderr, "ukey-ca km init: --dir is needed\n");
		return 2;
	}
	if ((rc = base_open_dir(&b, o.dir, &err)) == UK_OK) {
		rc = keys_km_make(b.settings.km_key, &b.random, &err);
		base_close(&b);
	}
	return rc == UK_OK ? 0 : command_failed("km init", &err);
}

static const struct uk_opt ask_table[] = {
	DIR_OPTION,
	{ "serial", "HEX", offsetof(struct km_options, serial), "of the encryption certificate" },
	{ "to", "FILE", offsetof(struct km_options, to),
	    "the SM2 signing certificate that the key will be wrapped to" },
	{ "statement", "FILE", offsetof(struct km_options, statement),
	    "where what two administrators have to sign goes" },
};

struct asking {
	const struct base *b;
	struct statement s;
	struct uk_buf *text;
};

static enum uk_rc
store_wish(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct asking *a = ctx;
	enum uk_rc rc;

	uk_buf_reset(a->text);
	if ((rc = statement_put(a->b, tx, &a->s, a->text, err)) != UK_OK)
		return rc;
	return store_run(tx, SQL_KM_RECOVERY_PUT,
	    STORE_ARGS(
		DB_T(a->s.nonce), DB_T(a->s.serial), DB_T(a->s.recipient), DB_I(a->s.expires)),
	    NULL, err);
}

static enum uk_rc
ask(const struct base *b, const struct km_options *o, struct uk_err *err)
{
	struct asking a = { .b = b };
	struct uk_cert *to = NULL;
	struct uk_buf der, text;
	enum uk_rc rc;

	uk_buf_init(&der, UK_CERT_MAX + 4096);
	uk_buf_init(&text, STATEMENT_MAX);
	a.text = &text;
	if ((rc = uk_file_read(o->to, UK_CERT_MAX, &der, err)) != UK_OK ||
	    (rc = uk_cert_parse(uk_buf_span(&der), &to, err)) != UK_OK)
		goto out;
	if (uk_cert_alg(to) != UK_KEY_SM2 || !uk_cert_may_sign(to)) {
		rc = uk_fail_field(err, "to", "algorithm-unsupported");
		goto out;
	}
	uk_random_hex(&b->random, a.s.nonce, (STATEMENT_NONCE_LEN - 1) / 2);
	(void)snprintf(a.s.serial, sizeof(a.s.serial), "%s", o->serial);
	(void)snprintf(a.s.recipient, sizeof(a.s.recipient), "%s", uk_cert_fingerprint(to));
	a.s.expires = uk_now(&b->clock) + STATEMENT_LIFE;
	if ((rc = store_write_wait(b->store, store_wish, &a, err)) == UK_OK)
		rc = uk_file_write(o->statement, 0600, uk_buf_span(&text), err);
out:
	uk_cert_free(&to);
	uk_buf_fini(&der);
	uk_buf_fini(&text);
	return rc;
}

int
command_km_ask(int argc, char **argv)
{
	struct km_options o = { 0 };
	struct uk_err err = { 0 };
	struct base b;
	enum uk_rc rc;
	int status;

	status = command_options(ask_table, sizeof(ask_table) / sizeof(ask_table[0]), argc, argv,
	    "ukey-ca km ask --dir DIR --serial HEX --to CERT --statement OUT", &o);
	if (status >= 0)
		return status;
	if (o.dir == NULL || o.serial == NULL || o.to == NULL || o.statement == NULL) {
		(void)fprintf(stderr, "ukey-ca km ask: see --help\n");
		return 2;
	}
	if ((rc = base_open_dir(&b, o.dir, &err)) == UK_OK) {
		rc = ask(&b, &o, &err);
		base_close(&b);
	}
	if (rc != UK_OK)
		return command_failed("km ask", &err);
	(void)printf("Two administrators sign it within a day, each with:\n"
		     "  ukey sign --format raw --certificate ID --in %s --out NAME.sig\n",
	    o.statement);
	return 0;
}
