/*
 * Certificates for the staff.  As for customers the intent is stored before the signature is made
 * (ca/issuer.h), so no certificate exists that the books don't know.
 */
#ifndef APP_ENROL_H
#define APP_ENROL_H

#include "app/base.h"
#include "ca/profile.h"

struct enrol_wish {
	const char *intent; /* not used before */
	struct profile_subject subject;
	struct uk_span request; /* PKCS#10 */
};

/* The certificate of that intent, valid for a year, appended to der. */
UK_CHECK enum uk_rc enrol_certificate(
    const struct base *b, const struct enrol_wish *wish, struct uk_buf *der, struct uk_err *err);

#endif
