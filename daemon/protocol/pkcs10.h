/* PKCS#10 (RFC 2986) around a signature that comes from elsewhere, later. */
#ifndef PROTOCOL_PKCS10_H
#define PROTOCOL_PKCS10_H

#include "uk/buf.h"
#include "uk/pubkey.h"

struct pkcs10;

struct pkcs10_subject {
	const char *common_name;
	const char *organization; /* NULL: none */
	const char *country;      /* NULL: none */
};

/* *tbs: the DER of CertificationRequestInfo, appended. */
UK_CHECK enum uk_rc pkcs10_new(const struct uk_pubkey *key, const struct pkcs10_subject *subject,
    struct pkcs10 **out, struct uk_buf *tbs, struct uk_err *err);
void pkcs10_free(struct pkcs10 **r);

/* The signature: PKCS#1 v1.5, or r||s.  The whole request is appended, and holds. */
UK_CHECK enum uk_rc pkcs10_finish(
    struct pkcs10 *r, struct uk_span signature, struct uk_buf *out, struct uk_err *err);

#endif
