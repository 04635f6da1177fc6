/* authority_init(): the one time that both CAs are made. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ca/authority.h"
#include "ca/der.h"
#include "ca/name.h"
#include "ca/signer.h"
#include "ca/tbs.h"
#include "uk/config.h"

#define ROOT_YEARS   10
#define ISSUER_YEARS 5 /* at least four of them can be used for certificates of one year */
#define CERT_MAX     4096u
#define PART_MAX     1024u

#define OID_CONSTRAINTS "2.5.29.19"
#define OID_KEY_USAGE   "2.5.29.15"
#define OID_ANY_POLICY  "2.5.29.32.0"
#define KU_CERT_SIGN    0x0400
#define KU_CRL_SIGN     0x0200

/* Who signs and what is signed; a root is its own parent. */
struct founding {
	const char *suffix; /* of the common name */
	const struct signer *key;
	const struct founding *parent; /* NULL: itself */
	int path_len;
	int years;
};

static int64_t
add_years(int64_t t, int years)
{
	const time_t tt = (time_t)t;
	struct tm tm;

	if (gmtime_r(&tt, &tm) == NULL)
		return t;
	tm.tm_year += years;
	return (int64_t)timegm(&tm);
}

static void
put_name(struct uk_buf *out, const char *name, const char *suffix)
{
	struct uk_buf cn;

	uk_buf_init(&cn, PART_MAX);
	uk_buf_put_str(&cn, name);
	uk_buf_put_str(&cn, suffix);
	name_put(
	    (const struct name_part[]){ { NAME_O, name }, { NAME_CN, uk_buf_str(&cn) } }, 2, out);
	uk_buf_fini(&cn);
}

static void
put_key_id(struct uk_buf *out, const struct signer *key, void put(struct uk_buf *, struct uk_span))
{
	uint8_t id[TBS_KEY_ID];
	struct uk_buf spki;

	uk_buf_init(&spki, PART_MAX);
	if (signer_put_spki(key, &spki) != UK_OK)
		out->failed = true;
	tbs_key_id(uk_buf_span(&spki), id);
	put(out, uk_span(id, sizeof(id)));
	uk_buf_fini(&spki);
}

static void
put_extensions(struct uk_buf *out, const struct founding *f, const char *origin)
{
	struct der_extension e = der_extension_begin(out, OID_CONSTRAINTS, true);
	const size_t at = der_begin(out, DER_SEQUENCE);

	der_put_true(out);
	der_put_uint(out, DER_INTEGER, (uint64_t)f->path_len);
	der_end(out, at);
	der_extension_end(out, e);
	e = der_extension_begin(out, OID_KEY_USAGE, true);
	der_put_named_bits(out, KU_CERT_SIGN | KU_CRL_SIGN);
	der_extension_end(out, e);
	put_key_id(out, f->key, tbs_put_key_id);
	if (f->parent == NULL)
		return;
	put_key_id(out, f->parent->key, tbs_put_authority_key_id);
	tbs_put_policy(out, OID_ANY_POLICY, NULL);
	tbs_put_access(out, origin, AUTHORITY_ROOT_CER, NULL);
}

/* The certificate of one of the two, appended to out. */
static enum uk_rc
certify(const struct founding *f, const struct authority_settings *s, const char *name, int64_t now,
    const struct uk_random *random, struct uk_buf *out, struct uk_err *err)
{
	const struct founding *by = f->parent != NULL ? f->parent : f;
	struct uk_buf issuer, subject, spki, extensions, tbs;
	uint8_t serial[TBS_SERIAL];
	enum uk_rc rc;

	uk_buf_init(&issuer, PART_MAX);
	uk_buf_init(&subject, PART_MAX);
	uk_buf_init(&spki, PART_MAX);
	uk_buf_init(&extensions, PART_MAX);
	uk_buf_init(&tbs, CERT_MAX);
	tbs_serial(random, serial);
	put_name(&issuer, name, by->suffix);
	put_name(&subject, name, f->suffix);
	put_extensions(&extensions, f, s->origin);
	rc = signer_put_spki(f->key, &spki);
	tbs_put(&tbs, &(const struct tbs){ .serial = uk_span(serial, sizeof(serial)),
			  .algorithm = signer_algorithm(by->key),
			  .issuer = uk_buf_span(&issuer),
			  .subject = uk_buf_span(&subject),
			  .spki = uk_buf_span(&spki),
			  .extensions = uk_buf_span(&extensions),
			  .not_before = now,
			  .not_after = add_years(now, f->years) });
	if (rc != UK_OK || uk_buf_failed(&issuer) || uk_buf_failed(&subject) ||
	    uk_buf_failed(&extensions) || uk_buf_failed(&tbs))
		rc = uk_fail(err, UK_E_INPUT, NULL, "founding", 0);
	else
		rc = signer_sign(by->key, uk_buf_span(&tbs), out, err);
	uk_buf_fini(&issuer);
	uk_buf_fini(&subject);
	uk_buf_fini(&spki);
	uk_buf_fini(&extensions);
	uk_buf_fini(&tbs);
	return rc;
}

/* The keys first: certificates that are there mean that the CAs are complete. */
static enum uk_rc
write_all(const struct authority_settings *s, const struct signer *root,
    const struct signer *issuer, struct uk_span root_cer, struct uk_span issuer_cer,
    struct uk_err *err)
{
	char *root_key = authority_path(s->dir, AUTHORITY_ROOT_KEY);
	char *issuer_key = authority_path(s->dir, AUTHORITY_ISSUER_KEY);
	char *root_path = authority_path(s->dir, AUTHORITY_ROOT_CER);
	char *issuer_path = authority_path(s->dir, AUTHORITY_ISSUER_CER);
	enum uk_rc rc;

	if ((rc = signer_write(root, root_key, s->master, err)) == UK_OK &&
	    (rc = signer_write(issuer, issuer_key, s->master, err)) == UK_OK &&
	    (rc = uk_file_write(root_path, 0644, root_cer, err)) == UK_OK)
		rc = uk_file_write(issuer_path, 0644, issuer_cer, err);
	free(root_key);
	free(issuer_key);
	free(root_path);
	free(issuer_path);
	return rc;
}

static enum uk_rc
found(const struct authority_settings *s, const char *algorithm, const char *name, int64_t now,
    const struct uk_random *random, struct uk_err *err)
{
	struct signer *keys[2] = { NULL, NULL };
	struct founding root = { .suffix = " Root CA", .path_len = 1, .years = ROOT_YEARS };
	struct founding issuer = {
		.suffix = " Issuing CA", .parent = &root, .years = ISSUER_YEARS
	};
	struct uk_buf root_cer, issuer_cer;
	enum uk_rc rc;

	uk_buf_init(&root_cer, CERT_MAX);
	uk_buf_init(&issuer_cer, CERT_MAX);
	if ((rc = signer_new(algorithm, &keys[0], err)) != UK_OK ||
	    (rc = signer_new(algorithm, &keys[1], err)) != UK_OK)
		goto out;
	root.key = keys[0];
	issuer.key = keys[1];
	if ((rc = certify(&root, s, name, now, random, &root_cer, err)) != UK_OK ||
	    (rc = certify(&issuer, s, name, now, random, &issuer_cer, err)) != UK_OK)
		goto out;
	rc = write_all(s, keys[0], keys[1], uk_buf_span(&root_cer), uk_buf_span(&issuer_cer), err);
out:
	signer_free(&keys[0]);
	signer_free(&keys[1]);
	uk_buf_fini(&root_cer);
	uk_buf_fini(&issuer_cer);
	return rc;
}

static bool
there(const char *dir, const char *file)
{
	char *path = authority_path(dir, file);
	const bool yes = access(path, F_OK) == 0;

	free(path);
	return yes;
}

enum uk_rc
authority_init(const struct authority_settings *s, const char *algorithm, const char *name,
    int64_t now, const struct uk_random *random, struct uk_err *err)
{
	struct authority *a = NULL;
	enum uk_rc rc = name_check(name, AUTHORITY_NAME_MAX, "name", err);

	if (rc != UK_OK)
		return rc;
	if (there(s->dir, AUTHORITY_ROOT_CER) || there(s->dir, AUTHORITY_ISSUER_CER))
		return uk_fail(err, UK_E_CONFLICT, "authority-exists", "founding", 0);
	if ((rc = found(s, algorithm, name, now, random, err)) != UK_OK ||
	    (rc = authority_open(s, &a, err)) != UK_OK)
		return rc;
	authority_close(&a);
	return UK_OK;
}
