/* What certificates there are: names, key usage and identity extensions, one table row each. */
#ifndef CA_PROFILE_H
#define CA_PROFILE_H

#include "uk/buf.h"

enum profile_id {
	PROFILE_ORGANISATION, /* C=CN, O=organisation, CN=organisation */
	PROFILE_PERSON,       /* C=CN, CN=name */
	PROFILE_STAFF,        /* C=CN, O=organisation (the CA's), OU=role, CN=name */
	PROFILE_RESPONDER,    /* of OCSP: C=CN, O=organisation (the CA's), CN=name */
	PROFILE__MAX
};

/* Which of a key holder's two certificates it is. */
enum profile_use {
	PROFILE_SIGN,
	PROFILE_ENCRYPT,
	PROFILE_USE__MAX
};

/* Strings of the caller, UTF-8; what a profile does not use is ignored. */
struct profile_subject {
	const char *organisation; /* organisation, staff, responder */
	const char *name;         /* person, staff, responder */
	const char *role;         /* staff */
	const char *credit_code;  /* organisation: 18 characters (GB 32100) */
	const char *id_number;    /* person: 18 characters (GB 11643) */
};

const char *profile_name(enum profile_id id);

/* UK_E_NOT_FOUND */
UK_CHECK enum uk_rc profile_from_name(const char *name, enum profile_id *out);

/* Is everything there that the profile needs?  UK_E_INPUT with err->field, "missing",
 * "wrong-length" or none; "use" for an encryption certificate of what has none. */
UK_CHECK enum uk_rc profile_check(
    enum profile_id id, enum profile_use use, const struct profile_subject *s, struct uk_err *err);

/* Nobody asks for the status of such a certificate: it lives shortly and says so. */
bool profile_unchecked(enum profile_id id);

/* The subject Name, DER. */
void profile_put_name(enum profile_id id, const struct profile_subject *s, struct uk_buf *out);

/* The profile's own extensions, each a SEQUENCE: basicConstraints, keyUsage, extKeyUsage, and the
 * identity extension of GM/T 0015-2023. */
void profile_put_extensions(
    enum profile_id id, enum profile_use use, const struct profile_subject *s, struct uk_buf *out);

#endif
