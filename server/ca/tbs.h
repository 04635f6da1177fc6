/* The to-be-signed part of a certificate (RFC 5280 section 4.1), assembled as DER: OpenSSL's own
 * building costs five to ten times the signature. */
#ifndef CA_TBS_H
#define CA_TBS_H

#include "uk/buf.h"
#include "uk/random.h"

#define TBS_SERIAL 16 /* bytes */
#define TBS_KEY_ID 20

struct tbs {
	struct uk_span serial;    /* big-endian, positive */
	struct uk_span algorithm; /* AlgorithmIdentifier, DER, as are the next four */
	struct uk_span issuer;
	struct uk_span subject;
	struct uk_span spki;
	struct uk_span extensions; /* one after the other */
	int64_t not_before;
	int64_t not_after;
};

void tbs_put(struct uk_buf *out, const struct tbs *t);

/* 126 random bits, always 16 bytes, always positive. */
void tbs_serial(const struct uk_random *random, uint8_t serial[TBS_SERIAL]);

/* What the key is called in subject- and authorityKeyIdentifier. */
void tbs_key_id(struct uk_span spki, uint8_t id[TBS_KEY_ID]);

/* Extensions that every certificate here has. */
void tbs_put_key_id(struct uk_buf *out, struct uk_span id);
void tbs_put_authority_key_id(struct uk_buf *out, struct uk_span id);
void tbs_put_policy(struct uk_buf *out, const char *oid, const char *cps); /* cps may be NULL */
/* ocsp: where status is answered, below the origin; NULL: nowhere. */
void tbs_put_access(struct uk_buf *out, const char *origin, const char *file, const char *ocsp);
void tbs_put_crl_address(struct uk_buf *out, const char *origin, const char *file);

#endif
