/* DER that tokens and certificates ask for (X.690, RFC 5280). */
#ifndef HELPER_DER_H
#define HELPER_DER_H

#include "uk/buf.h"
#include "uk/pubkey.h"

/* SubjectPublicKeyInfo (RFC 3279) of an RSA key: n and e are unsigned, big-endian. */
void der_spki_rsa(struct uk_buf *out, struct uk_span n, struct uk_span e);

/* The same of an EC key: curve is the DER of its OID, point is uncompressed, 04 X Y. */
void der_spki_ec(struct uk_buf *out, struct uk_span curve, struct uk_span point);

/* The curve's OID, DER; the empty span for other algorithms. */
struct uk_span der_curve(enum uk_keyalg a);

/* What RFC 8017 section 9.2 puts before a SHA-256 digest. */
struct uk_span der_digest_info_sha256(void);

struct der_cert {
	struct uk_buf subject;
	struct uk_buf issuer;
	struct uk_buf serial; /* an INTEGER with its head, as CKA_SERIAL_NUMBER wants it */
};

/* UK_E_INPUT: not exactly one certificate.  der_cert_fini() in any case. */
UK_CHECK enum uk_rc der_cert_read(struct uk_span der, struct der_cert *out);
void der_cert_fini(struct der_cert *c);

#endif
