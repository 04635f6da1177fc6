/* One signature in the making: a digest for the token, then what comes back, checked and dressed.
 */
#ifndef PROTOCOL_SIGNING_H
#define PROTOCOL_SIGNING_H

#include "protocol/cms.h"
#include "uk/digest.h"

enum signing_form {
	SIGNING_RAW,
	SIGNING_DER,
	SIGNING_ATTACHED,
	SIGNING_DETACHED,
	SIGNING__MAX
};

/* "raw", "der", "cms-attached", "cms-detached"; SIGNING__MAX: none of them. */
enum signing_form signing_form_of(const char *name);

/* What is to come out. */
struct signing_how {
	enum signing_form form;
	bool profiled;              /* the profile was asked for: of SM2 keys only */
	struct cms_profile profile; /* for SM2 keys */
};

/* What is to be signed: all of it, or only its digests. */
struct signing_data {
	struct uk_sums sums;
	struct uk_span content; /* lent */
	bool here;
};

/* Can such a signature be made with this key?  UK_E_UNSUPPORTED "profile-unsupported",
 * "format-unsupported"; UK_E_CONFLICT "data-for-other-key": of data that is not here, the digest
 * that this key signs was not made. */
UK_CHECK enum uk_rc signing_fits(const struct uk_cert *cert, const struct signing_how *how,
    const struct signing_data *data, struct uk_err *err);

struct signing {
	enum signing_form form;
	struct cms *cms; /* NULL: no CMS */
	uint8_t digest[48];
	size_t n;
};

/* What fits.  SIGNING_ATTACHED needs the content. */
UK_CHECK enum uk_rc signing_begin(struct signing *s, const struct uk_cert *cert,
    const struct signing_how *how, const struct signing_data *data, int64_t now,
    struct uk_err *err);
struct uk_span signing_digest(const struct signing *s); /* lent */

/* The token's signature goes in; what is to be handed out is appended.  UK_E_INTEGRITY: it does not
 * hold. */
UK_CHECK enum uk_rc signing_end(struct signing *s, const struct uk_cert *cert,
    struct uk_span signature, struct uk_buf *out, struct uk_err *err);
void signing_fini(struct signing *s);

#endif
