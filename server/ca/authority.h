/*
 * The two CAs of this server, a root and an issuing CA under it, in the files root.cer, root.key,
 * issuer.cer and issuer.key (certificates DER, keys PKCS#8 PEM encrypted under the master key).
 * Only authority_init() uses the root's key: root.key may be taken away afterwards.
 */
#ifndef CA_AUTHORITY_H
#define CA_AUTHORITY_H

#include "uk/pubkey.h"
#include "uk/random.h"
#include "uk/secret.h"
#include "uk/x509.h"

#define AUTHORITY_NAME_MAX 48 /* characters: its common names append to it */

#define AUTHORITY_ROOT_CER   "root.cer"
#define AUTHORITY_ROOT_KEY   "root.key"
#define AUTHORITY_ISSUER_CER "issuer.cer"
#define AUTHORITY_ISSUER_KEY "issuer.key"
/* Not files: for their addresses. */
#define AUTHORITY_CRL  "crl.crl"
#define AUTHORITY_OCSP "ocsp"
#define AUTHORITY_CPS  "cps"

struct authority;

struct authority_settings {
	const char *dir;
	const char *origin; /* "https://ca.example": serves issuer.cer, root.cer, crl.crl in /ca/ */
	const char *policy; /* certificate policy, dotted OID; NULL: anyPolicy */
	const char *cps;    /* practice statement, URI; NULL: none */
	const struct uk_secret *master; /* 32 bytes or more */
};

/*
 * Make both CAs: root for ten years, issuing CA for five.  algorithm: "sm2", "p256" or "rsa"
 * (3072 bits).
 * UK_E_CONFLICT when dir already has one, UK_E_INPUT for a name or algorithm that will not do.
 */
UK_CHECK enum uk_rc authority_init(const struct authority_settings *s, const char *algorithm,
    const char *name, int64_t now, const struct uk_random *random, struct uk_err *err);

/*
 * Open the issuing CA; the settings are copied.  UK_E_INTEGRITY when a key can't be decrypted with
 * this master key, does not belong to its certificate, or the chain does not hold.  May be used by
 * several threads at once.
 */
UK_CHECK enum uk_rc authority_open(
    const struct authority_settings *s, struct authority **out, struct uk_err *err);
void authority_close(struct authority **a);

const struct uk_cert *authority_root(const struct authority *a);   /* lent */
const struct uk_cert *authority_issuer(const struct authority *a); /* lent */

char *authority_path(const char *dir, const char *file); /* malloc'd */

/* What issuer.c and crl.c build with; all lent. */
struct uk_span authority_name(const struct authority *a);   /* the issuer's Name, DER */
struct uk_span authority_key_id(const struct authority *a); /* its subjectKeyIdentifier */
const char *authority_origin(const struct authority *a);
const char *authority_policy(const struct authority *a);
const char *authority_cps(const struct authority *a); /* or NULL */

const char *authority_kind(const struct authority *a); /* "sm2", "p256" or "rsa" */

/* The signature's AlgorithmIdentifier, DER. */
struct uk_span authority_algorithm(const struct authority *a);

/* Append SEQUENCE { tbs, algorithm, signature over tbs }. */
UK_CHECK enum uk_rc authority_sign(
    const struct authority *a, struct uk_span tbs, struct uk_buf *out, struct uk_err *err);

#endif
