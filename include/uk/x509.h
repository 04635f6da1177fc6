/* The few questions that both ends ask of a certificate (RFC 5280). */
#ifndef UK_X509_H
#define UK_X509_H

#include "uk/buf.h"
#include "uk/pubkey.h"

#define UK_CERT_MAX (16u * 1024u)

struct uk_cert;

/* Exactly one DER certificate of at most UK_CERT_MAX bytes. */
UK_CHECK enum uk_rc uk_cert_parse(struct uk_span der, struct uk_cert **out, struct uk_err *err);
void uk_cert_free(struct uk_cert **c);

struct uk_span uk_cert_der(const struct uk_cert *c);      /* lent */
const char *uk_cert_subject(const struct uk_cert *c);     /* RFC 4514, UTF-8, lent */
const char *uk_cert_issuer(const struct uk_cert *c);      /* RFC 4514, UTF-8, lent */
const char *uk_cert_common_name(const struct uk_cert *c); /* UTF-8, lent; "" when there is none */
const char *uk_cert_serial(const struct uk_cert *c);      /* lower-case hex, lent */
const char *uk_cert_fingerprint(const struct uk_cert *c); /* SHA-256 of the DER, hex, lent */
int64_t uk_cert_not_before(const struct uk_cert *c);
int64_t uk_cert_not_after(const struct uk_cert *c);
enum uk_keyalg uk_cert_alg(const struct uk_cert *c);
const struct uk_pubkey *uk_cert_pubkey(const struct uk_cert *c); /* lent */
bool uk_cert_may_sign(const struct uk_cert *c);    /* digitalSignature or nonRepudiation */
bool uk_cert_may_encrypt(const struct uk_cert *c); /* keyEncipherment, data… or keyAgreement */
bool uk_cert_is_ca(const struct uk_cert *c);

/* No CA by its constraints, and keyUsage is there and lacks keyCertSign and cRLSign, which lax
 * readers take for one. */
bool uk_cert_is_end_entity(const struct uk_cert *c);

/* Signed by the issuer's key, names match, issuer is a CA.  UK_E_INTEGRITY when not. */
UK_CHECK enum uk_rc uk_cert_verify(
    const struct uk_cert *c, const struct uk_cert *issuer, struct uk_err *err);

#endif
