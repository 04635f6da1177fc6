/* A CA's private key: made, kept encrypted in a file, and used.  The one place for a key in an HSM
 * to come in. */
#ifndef CA_SIGNER_H
#define CA_SIGNER_H

#include "uk/buf.h"
#include "uk/secret.h"

struct signer;

/* algorithm: "sm2", "p256" or "rsa" (3072 bits); UK_E_INPUT for another. */
UK_CHECK enum uk_rc signer_new(const char *algorithm, struct signer **out, struct uk_err *err);

/* PKCS#8 PEM, AES-256 under a key derived from the master key; mode 0600. */
UK_CHECK enum uk_rc signer_write(
    const struct signer *s, const char *path, const struct uk_secret *master, struct uk_err *err);

/* UK_E_INTEGRITY when it is no such file, or of another master key. */
UK_CHECK enum uk_rc signer_open(
    const char *path, const struct uk_secret *master, struct signer **out, struct uk_err *err);
void signer_free(struct signer **s);

UK_CHECK enum uk_rc signer_put_spki(const struct signer *s, struct uk_buf *out);

const char *signer_name(const struct signer *s); /* "sm2" ... */

/* The AlgorithmIdentifier of its signatures, DER, lent. */
struct uk_span signer_algorithm(const struct signer *s);

/* Append SEQUENCE { tbs, algorithm, signature }.  Several threads may sign at once. */
UK_CHECK enum uk_rc signer_sign(
    const struct signer *s, struct uk_span tbs, struct uk_buf *out, struct uk_err *err);

#endif
