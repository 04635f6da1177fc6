/* A CA for the test: answers a PKCS#10 with a certificate. */
#ifndef TESTS_DAEMON_ISSUE_H
#define TESTS_DAEMON_ISSUE_H

#include <stdbool.h>

#include "uk/buf.h"

struct issuer;

struct issuer *issuer_new(void);
void issuer_free(struct issuer **i);
struct uk_span issuer_der(const struct issuer *i);

/* False: the request's own signature does not hold. */
bool issuer_issue(struct issuer *i, struct uk_span request, struct uk_buf *out);

/* An encryption certificate for a key (SubjectPublicKeyInfo) that nobody has to prove. */
void issuer_issue_encryption(struct issuer *i, struct uk_span spki, struct uk_buf *out);

/* As a relying party judges a CMS. */
bool issuer_verify_cms(struct issuer *i, struct uk_span cms, struct uk_span data);

#endif
