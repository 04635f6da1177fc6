#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "ca/authority.h"
#include "ca/signer.h"
#include "uk/config.h"

#define NAME_MAX_BYTES 1024u
#define ANY_POLICY     "2.5.29.32.0"

struct authority {
	struct signer *signer;
	struct uk_cert *root;
	struct uk_cert *issuer;
	struct uk_buf name;
	struct uk_buf key_id;
	char *origin;
	char *policy;
	char *cps;
};

char *
authority_path(const char *dir, const char *file)
{
	struct uk_buf b;

	uk_buf_init(&b, strlen(dir) + strlen(file) + 1);
	uk_buf_printf(&b, "%s/%s", dir, file);
	return uk_buf_steal_str(&b);
}

static enum uk_rc
read_certificate(const char *dir, const char *file, struct uk_cert **out, struct uk_err *err)
{
	char *path = authority_path(dir, file);
	struct uk_buf der;
	enum uk_rc rc;

	uk_buf_init(&der, UK_CERT_MAX + 4096);
	rc = uk_file_read(path, UK_CERT_MAX, &der, err);
	if (rc == UK_OK && uk_cert_parse(uk_buf_span(&der), out, err) != UK_OK)
		rc = UK_E_INTEGRITY;
	uk_buf_fini(&der);
	free(path);
	return rc;
}

/* The issuer's Name and key identifier, byte for byte as they must appear in what it signs. */
static bool
read_names(struct authority *a)
{
	const struct uk_span der = uk_cert_der(a->issuer);
	const unsigned char *p = der.p;
	X509 *x509 = d2i_X509(NULL, &p, (long)der.n);
	const ASN1_OCTET_STRING *id;
	unsigned char *name = NULL;
	bool ok = false;
	int n;

	if (x509 == NULL)
		return false;
	id = X509_get0_subject_key_id(x509);
	n = i2d_X509_NAME(X509_get_subject_name(x509), &name);
	if (id != NULL && n > 0) {
		uk_buf_put(&a->name, uk_span(name, (size_t)n));
		uk_buf_put(
		    &a->key_id, uk_span(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)));
		ok = !uk_buf_failed(&a->name) && !uk_buf_failed(&a->key_id);
	}
	OPENSSL_free(name);
	X509_free(x509);
	return ok;
}

static bool
key_fits(const struct signer *s, const struct uk_cert *c)
{
	struct uk_buf mine, its;
	bool ok;

	uk_buf_init(&mine, 1024);
	uk_buf_init(&its, 1024);
	ok = signer_put_spki(s, &mine) == UK_OK &&
	     uk_pubkey_spki(uk_cert_pubkey(c), &its) == UK_OK &&
	     uk_span_eq(uk_buf_span(&mine), uk_buf_span(&its));
	uk_buf_fini(&mine);
	uk_buf_fini(&its);
	return ok;
}

static enum uk_rc
load(struct authority *a, const struct authority_settings *s, struct uk_err *err)
{
	char *key = authority_path(s->dir, AUTHORITY_ISSUER_KEY);
	enum uk_rc rc;

	if ((rc = read_certificate(s->dir, AUTHORITY_ROOT_CER, &a->root, err)) != UK_OK ||
	    (rc = read_certificate(s->dir, AUTHORITY_ISSUER_CER, &a->issuer, err)) != UK_OK ||
	    (rc = signer_open(key, s->master, &a->signer, err)) != UK_OK)
		goto out;
	if (uk_cert_verify(a->root, a->root, NULL) != UK_OK ||
	    uk_cert_verify(a->issuer, a->root, NULL) != UK_OK || !read_names(a))
		rc = uk_fail(err, UK_E_INTEGRITY, "certificate-untrusted", "authority", 0);
	else if (!key_fits(a->signer, a->issuer))
		rc = uk_fail(err, UK_E_INTEGRITY, "key-file-wrong", "authority", 0);
out:
	free(key);
	return rc;
}

enum uk_rc
authority_open(const struct authority_settings *s, struct authority **out, struct uk_err *err)
{
	struct authority *a = uk_xalloc(sizeof(*a));
	enum uk_rc rc;

	uk_buf_init(&a->name, NAME_MAX_BYTES);
	uk_buf_init(&a->key_id, 64);
	a->origin = uk_xstrdup(s->origin);
	a->policy = uk_xstrdup(s->policy != NULL ? s->policy : ANY_POLICY);
	a->cps = s->cps != NULL ? uk_xstrdup(s->cps) : NULL;
	rc = load(a, s, err);
	ERR_clear_error();
	if (rc != UK_OK)
		authority_close(&a);
	else
		*out = a;
	return rc;
}

void
authority_close(struct authority **a)
{
	if (a == NULL || *a == NULL)
		return;
	signer_free(&(*a)->signer);
	uk_cert_free(&(*a)->root);
	uk_cert_free(&(*a)->issuer);
	uk_buf_fini(&(*a)->name);
	uk_buf_fini(&(*a)->key_id);
	free((*a)->origin);
	free((*a)->policy);
	free((*a)->cps);
	free(*a);
	*a = NULL;
}

const struct uk_cert *
authority_root(const struct authority *a)
{
	return a->root;
}

const struct uk_cert *
authority_issuer(const struct authority *a)
{
	return a->issuer;
}

struct uk_span
authority_name(const struct authority *a)
{
	return uk_buf_span(&a->name);
}

struct uk_span
authority_key_id(const struct authority *a)
{
	return uk_buf_span(&a->key_id);
}

const char *
authority_origin(const struct authority *a)
{
	return a->origin;
}

const char *
authority_policy(const struct authority *a)
{
	return a->policy;
}

const char *
authority_cps(const struct authority *a)
{
	return a->cps;
}

const char *
authority_kind(const struct authority *a)
{
	return signer_name(a->signer);
}

struct uk_span
authority_algorithm(const struct authority *a)
{
	return signer_algorithm(a->signer);
}

enum uk_rc
authority_sign(
    const struct authority *a, struct uk_span tbs, struct uk_buf *out, struct uk_err *err)
{
	return signer_sign(a->signer, tbs, out, err);
}
