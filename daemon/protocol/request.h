/* PKCS#10 (RFC 2986) around a signature that comes from elsewhere, later. */
#ifndef PROTOCOL_REQUEST_H
#define PROTOCOL_REQUEST_H

#include "uk/buf.h"
#include "uk/pubkey.h"

struct request;

struct request_subject {
	const char *common_name;
	const char *organization; /* NULL: none */
	const char *country;      /* NULL: none */
};

/* *tbs: the DER of CertificationRequestInfo, appended. */
UK_CHECK enum uk_rc request_new(const struct uk_pubkey *key, const struct request_subject *subject,
    struct request **out, struct uk_buf *tbs, struct uk_err *err);
void request_free(struct request **r);

/* The signature: PKCS#1 v1.5, or r||s.  The whole request is appended, and holds. */
UK_CHECK enum uk_rc request_finish(
    struct request *r, struct uk_span signature, struct uk_buf *out, struct uk_err *err);

#endif
