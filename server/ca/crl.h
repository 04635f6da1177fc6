/* Certificate revocation lists (RFC 5280 section 5). */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "ca/authority.h"

/* The values of CRLReason that apply to a key holder's certificate. */
enum crl_reason {
	CRL_UNSPECIFIED = 0,
	CRL_KEY_COMPROMISE = 1,
	CRL_AFFILIATION_CHANGED = 3,
	CRL_SUPERSEDED = 4,
	CRL_CESSATION = 5,
	CRL_HOLD = 6,
	CRL_PRIVILEGE_WITHDRAWN = 9,
};

struct crl_entry {
	const char *serial; /* hex, as uk_cert_serial() says it */
	int64_t revoked_at;
	enum crl_reason reason;
};

/* "key-compromise" ...; NULL for a value that is none. */
const char *crl_reason_name(enum crl_reason reason);

/* UK_E_INPUT */
UK_CHECK enum uk_rc crl_reason_from_name(const char *name, enum crl_reason *out);

struct crl_plan {
	const struct crl_entry *entries;
	size_t n;
	uint64_t number; /* cRLNumber: larger than every one before */
	int64_t this_update;
	int64_t next_update;
};

/*
 * Append the list, DER, read back and verified.  About 35 bytes an entry: bound out accordingly,
 * UK_E_LIMIT otherwise.  UK_E_INPUT for a serial that is no hex, a reason that is none, or a
 * next_update that is not after this_update.
 */
UK_CHECK enum uk_rc crl_build(
    const struct authority *a, const struct crl_plan *plan, struct uk_buf *out, struct uk_err *err);

#endif
