/*
 * ACS3-HMAC-SHA256, how Aliyun's calls are signed.  Pure functions; the sandbox checks with them
 * what the connectors sign with them.
 */
#ifndef NOTIFY_ACS3_H
#define NOTIFY_ACS3_H

#include "net/form.h"
#include "uk/buf.h"

#define ACS3_ALGORITHM "ACS3-HMAC-SHA256"
#define ACS3_SIG_LEN   65 /* hex, and NUL */

struct acs3_request {
	const char *method;
	const char *path; /* "/" */
	const struct net_pair *query;
	size_t n_query;
	const struct net_pair *headers; /* lower-case names; all of them are signed */
	size_t n_headers;
	struct uk_span body;
};

/* Hex SHA-256 of body: the header x-acs-content-sha256. */
void acs3_hash(struct uk_span body, char out[ACS3_SIG_LEN]);

/* "host;x-acs-action;...": the names, sorted. */
void acs3_signed_headers(const struct acs3_request *r, struct uk_buf *out);

/* False when the request does not fit (64 KiB). */
bool acs3_signature(const struct acs3_request *r, struct uk_span secret, char out[ACS3_SIG_LEN]);

#endif
