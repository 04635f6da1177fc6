/* Base64 (RFC 4648), standard alphabet with padding, and base64url without; and hexadecimal. */
#ifndef UK_B64_H
#define UK_B64_H

#include "uk/buf.h"

void uk_b64_put(struct uk_buf *out, struct uk_span s);
void uk_b64url_put(struct uk_buf *out, struct uk_span s);
char *uk_b64_dup(struct uk_span s);

/* Strict: no white space, canonical padding.  UK_E_INPUT, or UK_E_LIMIT when `out` is too small. */
UK_CHECK enum uk_rc uk_b64_get(struct uk_buf *out, const char *s);
UK_CHECK enum uk_rc uk_b64url_get(struct uk_buf *out, const char *s);

void uk_hex_put(struct uk_buf *out, struct uk_span s); /* lower case */
UK_CHECK enum uk_rc uk_hex_get(struct uk_buf *out, const char *s);

#endif
