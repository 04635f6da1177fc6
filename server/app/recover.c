/*
 * ukey-ca km recover: two administrators, each with the key of their own, have signed the
 * statement that `km ask` wrote.  It is spent, and the recovery is in the book, before the key
 * leaves.
 */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "app/commands.h"
#include "app/statement.h"
#include "km/km.h"

#define APPROVALS     2
#define SIGNATURE_MAX 1024u

struct recover_options {
	const char *dir;
	const char *statement;
	const char *to;
	const char *approval[APPROVALS];
	const char *format;
	const char *out;
};

static const struct uk_opt table[] = {
	{ "dir", "DIR", offsetof(struct recover_options, dir), "the CA's folder" },
	{ "statement", "FILE", offsetof(struct recover_options, statement),
	    "what `ukey-ca km ask` wrote" },
	{ "approval", "FILE", offsetof(struct recover_options, approval[0]),
	    "an administrator's raw signature over it" },
	{ "second", "FILE", offsetof(struct recover_options, approval[1]),
	    "that of another administrator" },
	{ "to", "FILE", offsetof(struct recover_options, to),
	    "the SM2 signing certificate that it names" },
	{ "format", "gbt35276|skf", offsetof(struct recover_options, format),
	    "of the enveloped key [gbt35276]" },
	{ "out", "FILE", offsetof(struct recover_options, out), "where the enveloped key goes" },
};

struct recovery {
	const struct base *b;
	const struct km *km;
	struct statement s;
	struct uk_cert *to;
	struct uk_buf text;
	struct uk_buf signature[APPROVALS];
	char by[APPROVALS][ORDER_ACTOR_LEN];
	struct uk_buf key[APPROVALS]; /* whose signature it is, SubjectPublicKeyInfo */
	struct uk_buf enveloped;
};

/* May the holder of this certificate approve, now? */
static enum uk_rc
check_administrator(struct store_tx *tx, const struct recovery *r, const struct uk_cert *cert,
    bool *may, struct uk_err *err)
{
	struct certificate c;
	const enum uk_rc rc = certificate_by_fingerprint(tx, uk_cert_fingerprint(cert), &c, err);

	*may = rc == UK_OK && certificate_status(&c, uk_now(&r->b->clock)) == CERTIFICATE_VALID &&
	       uk_cert_may_sign(cert) &&
	       uk_cert_verify(cert, authority_issuer(r->b->authority), NULL) == UK_OK;
	return rc == UK_E_NOT_FOUND ? UK_OK : rc;
}

/* Is the n-th signature this member's? */
static enum uk_rc
try_member(struct store_tx *tx, struct recovery *r, int n, const struct store_rows *row,
    struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	unsigned who = 0;
	bool may = false;
	enum uk_rc rc = UK_OK;

	if (api_roles_read(store_text(row, 1), &who) != UK_OK || (who & WHO_ADMINISTRATOR) == 0 ||
	    uk_cert_parse(store_blob(row, 2), &cert, NULL) != UK_OK)
		return UK_OK;
	if (uk_verify(uk_cert_pubkey(cert), uk_buf_span(&r->text), uk_buf_span(&r->signature[n]),
		NULL) == UK_OK)
		rc = check_administrator(tx, r, cert, &may, err);
	if (may) {
		(void)snprintf(r->by[n], sizeof(r->by[n]), "%s", store_text(row, 0));
		rc = uk_pubkey_spki(uk_cert_pubkey(cert), &r->key[n]);
	}
	uk_cert_free(&cert);
	return rc;
}

static enum uk_rc
find_approver(struct store_tx *tx, struct recovery *r, int n, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_STAFF_ENABLED, STORE_NO_ARGS);
	enum uk_rc rc = UK_OK, ended;

	r->by[n][0] = '\0';
	uk_buf_reset(&r->key[n]);
	while (rc == UK_OK && r->by[n][0] == '\0' && store_next(rows))
		rc = try_member(tx, r, n, rows, err);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	if ((rc = rc != UK_OK ? rc : ended) == UK_OK && r->by[n][0] == '\0')
		rc = uk_fail(err, UK_E_DENIED, "approval-refused", "km", n + 1);
	return rc;
}

/* Two people, and two keys. */
static enum uk_rc
check_approvals(struct store_tx *tx, struct recovery *r, struct uk_err *err)
{
	enum uk_rc rc = UK_OK;

	for (int n = 0; rc == UK_OK && n < APPROVALS; n++)
		rc = find_approver(tx, r, n, err);
	if (rc == UK_OK && (strcmp(r->by[0], r->by[1]) == 0 ||
			       uk_span_eq(uk_buf_span(&r->key[0]), uk_buf_span(&r->key[1]))))
		rc = uk_fail(err, UK_E_DENIED, "same-person", "km", 0);
	return rc;
}

static enum uk_rc
wrap(struct store_tx *tx, struct recovery *r, struct uk_err *err)
{
	struct km_pair pair = { 0 };
	struct uk_cert *cert = NULL;
	struct uk_buf spki;
	enum uk_rc rc;

	uk_buf_init(&spki, KM_SPKI_MAX);
	uk_buf_reset(&r->enveloped);
	if ((rc = certificate_cert(tx, r->b->crypt, r->s.serial, &cert, err)) == UK_OK &&
	    (rc = uk_pubkey_spki(uk_cert_pubkey(cert), &spki)) == UK_OK &&
	    (rc = uk_pubkey_from_spki(uk_buf_span(&spki), &pair.public, err)) == UK_OK &&
	    (rc = km_recover(r->km, tx, r->s.serial, &pair.private, err)) == UK_OK)
		rc = km_wrap(r->km, &pair, uk_cert_pubkey(r->to), &r->enveloped, err);
	km_pair_fini(&pair);
	uk_cert_free(&cert);
	uk_buf_fini(&spki);
	return rc;
}

static enum uk_rc
write_down(struct store_tx *tx, const struct recovery *r, struct uk_err *err)
{
	const int64_t now = uk_now(&r->b->clock);
	char by[APPROVALS * ORDER_ACTOR_LEN];
	enum uk_rc rc;

	(void)snprintf(by, sizeof(by), "%s,%s", r->by[0], r->by[1]);
	rc = store_run(
	    tx, SQL_KM_RECOVERY_USE, STORE_ARGS(DB_T(r->s.nonce), DB_I(now), DB_T(by)), NULL, err);
	return rc == UK_OK ? certificate_event(
				 tx, r->s.serial, "key-recovered", r->s.recipient, by, now, err)
			   : rc;
}

static enum uk_rc
recover(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct recovery *r = ctx;
	struct certificate to;
	enum uk_rc rc;

	if ((rc = statement_get(r->b, tx, uk_buf_span(&r->text), &r->s, err)) != UK_OK)
		return rc;
	if (strcmp(r->s.recipient, uk_cert_fingerprint(r->to)) != 0)
		return uk_fail_field(err, "to", "statement-changed");
	if ((rc = certificate_by_fingerprint(tx, r->s.recipient, &to, err)) != UK_OK)
		return rc;
	if (certificate_status(&to, uk_now(&r->b->clock)) != CERTIFICATE_VALID)
		return uk_fail_field(err, "to", "certificate-revoked");
	if ((rc = check_approvals(tx, r, err)) != UK_OK || (rc = wrap(tx, r, err)) != UK_OK)
		return rc;
	return write_down(tx, r, err);
}

static enum uk_rc
read_files(const struct recover_options *o, struct recovery *r, struct uk_err *err)
{
	struct uk_buf der;
	enum uk_rc rc;

	uk_buf_init(&der, UK_CERT_MAX + 4096);
	if ((rc = uk_file_read(o->statement, STATEMENT_MAX, &r->text, err)) == UK_OK &&
	    (rc = uk_file_read(o->to, UK_CERT_MAX, &der, err)) == UK_OK)
		rc = uk_cert_parse(uk_buf_span(&der), &r->to, err);
	for (int n = 0; rc == UK_OK && n < APPROVALS; n++)
		rc = uk_file_read(o->approval[n], SIGNATURE_MAX, &r->signature[n], err);
	uk_buf_fini(&der);
	return rc;
}

static enum uk_rc
write_key(const struct recover_options *o, const struct recovery *r, struct uk_err *err)
{
	struct uk_sm2_enveloped e;
	struct uk_buf out;
	enum uk_rc rc;

	uk_buf_init(&out, KM_ENVELOPE_MAX);
	rc = uk_sm2_enveloped_get(uk_buf_span(&r->enveloped), &e, err);
	if (rc == UK_OK && strcmp(o->format, "skf") == 0)
		uk_sm2_enveloped_put_blob(&e, UK_SM2_FIELD_RIGHT, &out);
	else
		uk_buf_put(&out, uk_buf_span(&r->enveloped));
	if (rc == UK_OK)
		rc = uk_file_write(o->out, 0600, uk_buf_span(&out), err);
	uk_buf_fini(&out);
	return rc;
}

static enum uk_rc
run(const struct base *b, const struct recover_options *o, struct uk_err *err)
{
	struct recovery r = { .b = b };
	struct km *km = NULL;
	enum uk_rc rc;

	uk_buf_init(&r.text, STATEMENT_MAX + 4096);
	uk_buf_init(&r.enveloped, KM_ENVELOPE_MAX);
	for (int n = 0; n < APPROVALS; n++) {
		uk_buf_init(&r.signature[n], SIGNATURE_MAX + 4096);
		uk_buf_init(&r.key[n], 1024);
	}
	if ((rc = km_open(b->settings.km_key, &b->random, &km, err)) == UK_OK &&
	    (rc = read_files(o, &r, err)) == UK_OK) {
		r.km = km;
		if ((rc = store_write_wait(b->store, recover, &r, err)) == UK_OK)
			rc = write_key(o, &r, err);
	}
	if (rc == UK_OK)
		(void)printf("%s, by %s and %s\n", r.s.serial, r.by[0], r.by[1]);
	km_close(&km);
	uk_cert_free(&r.to);
	uk_buf_fini(&r.text);
	uk_buf_fini(&r.enveloped);
	for (int n = 0; n < APPROVALS; n++) {
		uk_buf_fini(&r.signature[n]);
		uk_buf_fini(&r.key[n]);
	}
	return rc;
}

int
command_km_recover(int argc, char **argv)
{
	struct recover_options o = { .format = "gbt35276" };
	struct uk_err err = { 0 };
	struct base b;
	enum uk_rc rc;
	int status;

	status = command_options(table, sizeof(table) / sizeof(table[0]), argc, argv,
	    "ukey-ca km recover --dir DIR --statement FILE --to CERT --approval A.sig --second "
	    "B.sig"
	    " --out FILE [--format FORMAT]",
	    &o);
	if (status >= 0)
		return status;
	if (o.dir == NULL || o.statement == NULL || o.to == NULL || o.approval[0] == NULL ||
	    o.approval[1] == NULL || o.out == NULL ||
	    (strcmp(o.format, "gbt35276") != 0 && strcmp(o.format, "skf") != 0)) {
		(void)fprintf(stderr, "ukey-ca km recover: see --help\n");
		return 2;
	}
	if ((rc = base_open_dir(&b, o.dir, &err)) == UK_OK) {
		rc = run(&b, &o, &err);
		base_close(&b);
	}
	return rc == UK_OK ? 0 : command_failed("km recover", &err);
}
