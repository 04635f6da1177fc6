#include <assert.h>
#include <string.h>

#include "ca/der.h"
#include "ca/name.h"
#include "ca/profile.h"

/* RFC 5280 section 4.2.1.3, bit 0 the highest. */
#define KU_SIGN       0x8000
#define KU_COMMITMENT 0x4000 /* nonRepudiation, as it was called */

#define OID_CONSTRAINTS "2.5.29.19"
#define OID_KEY_USAGE   "2.5.29.15"
#define OID_EXT_USAGE   "2.5.29.37"
#define OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define OID_EMAIL       "1.3.6.1.5.5.7.3.4"
/* GM/T 0015-2023: a PrintableString directly inside extnValue. */
#define OID_CREDIT_CODE "1.2.156.10260.4.4"
#define OID_RESIDENT_ID "1.2.156.10260.4.1.1.1"

#define RDN_MAX   4
#define USAGE_MAX 2

/* One attribute of the name, from a member of the subject. */
struct rdn {
	const char *oid;
	const char *field; /* NULL ends the list */
	size_t offset;
};

struct profile {
	const char *name;
	struct rdn rdns[RDN_MAX];
	uint16_t key_usage;
	const char *usages[USAGE_MAX];
	const char *id_oid; /* NULL: no identity extension */
	const char *id_field;
	size_t id_offset;
};

#define AT(member) offsetof(struct profile_subject, member)

static const struct profile profiles[] = {
	[PROFILE_ORGANISATION] = {
		.name = "organisation",
		.rdns = { { NAME_O, "organisation", AT(organisation) },
		    { NAME_CN, "organisation", AT(organisation) } },
		.key_usage = KU_SIGN | KU_COMMITMENT,
		.usages = { OID_CLIENT_AUTH, OID_EMAIL },
		.id_oid = OID_CREDIT_CODE,
		.id_field = "creditCode",
		.id_offset = AT(credit_code),
	},
	[PROFILE_PERSON] = {
		.name = "person",
		.rdns = { { NAME_CN, "name", AT(name) } },
		.key_usage = KU_SIGN | KU_COMMITMENT,
		.usages = { OID_CLIENT_AUTH, OID_EMAIL },
		.id_oid = OID_RESIDENT_ID,
		.id_field = "idNumber",
		.id_offset = AT(id_number),
	},
	[PROFILE_STAFF] = {
		.name = "staff",
		.rdns = { { NAME_O, "organisation", AT(organisation) }, { NAME_OU, "role", AT(role) },
		    { NAME_CN, "name", AT(name) } },
		.key_usage = KU_SIGN | KU_COMMITMENT,
		.usages = { OID_CLIENT_AUTH },
	},
};
static_assert(sizeof(profiles) / sizeof(profiles[0]) == PROFILE__MAX, "one row per profile");

static const struct profile *
row(enum profile_id id)
{
	assert((unsigned)id < PROFILE__MAX);
	return &profiles[id];
}

static const char *
member(const struct profile_subject *s, size_t offset)
{
	const char *value;

	memcpy(&value, (const char *)s + offset, sizeof(value));
	return value;
}

const char *
profile_name(enum profile_id id)
{
	return row(id)->name;
}

enum uk_rc
profile_from_name(const char *name, enum profile_id *out)
{
	for (unsigned i = 0; i < PROFILE__MAX; i++)
		if (strcmp(profiles[i].name, name) == 0) {
			*out = (enum profile_id)i;
			return UK_OK;
		}
	return UK_E_NOT_FOUND;
}

/* Check digits are the form's business; here it must only be what the extension can hold. */
static enum uk_rc
check_id(const char *value, const char *field, struct uk_err *err)
{
	if (value == NULL || *value == '\0')
		return uk_fail_field(err, field, "missing");
	if (strlen(value) != 18)
		return uk_fail_field(err, field, "wrong-length");
	if (strspn(value, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 18)
		return uk_fail_field(err, field, NULL);
	return UK_OK;
}

enum uk_rc
profile_check(enum profile_id id, const struct profile_subject *s, struct uk_err *err)
{
	const struct profile *p = row(id);
	enum uk_rc rc = UK_OK;

	for (size_t i = 0; rc == UK_OK && i < RDN_MAX && p->rdns[i].field != NULL; i++)
		rc =
		    name_check(member(s, p->rdns[i].offset), NAME_CHARS_MAX, p->rdns[i].field, err);
	if (rc == UK_OK && p->id_oid != NULL)
		rc = check_id(member(s, p->id_offset), p->id_field, err);
	return rc;
}

void
profile_put_name(enum profile_id id, const struct profile_subject *s, struct uk_buf *out)
{
	const struct profile *p = row(id);
	struct name_part parts[RDN_MAX];
	size_t n = 0;

	for (; n < RDN_MAX && p->rdns[n].field != NULL; n++)
		parts[n] = (struct name_part){ p->rdns[n].oid, member(s, p->rdns[n].offset) };
	name_put(parts, n, out);
}

static void
put_usages(struct uk_buf *out, const struct profile *p)
{
	struct der_extension e = der_extension_begin(out, OID_EXT_USAGE, false);
	const size_t at = der_begin(out, DER_SEQUENCE);

	for (size_t i = 0; i < USAGE_MAX && p->usages[i] != NULL; i++)
		der_put_oid(out, p->usages[i]);
	der_end(out, at);
	der_extension_end(out, e);
}

void
profile_put_extensions(enum profile_id id, const struct profile_subject *s, struct uk_buf *out)
{
	const struct profile *p = row(id);
	struct der_extension e;

	e = der_extension_begin(out, OID_CONSTRAINTS, true);
	der_end(out, der_begin(out, DER_SEQUENCE)); /* cA FALSE is the default, so left out */
	der_extension_end(out, e);
	e = der_extension_begin(out, OID_KEY_USAGE, true);
	der_put_named_bits(out, p->key_usage);
	der_extension_end(out, e);
	put_usages(out, p);
	if (p->id_oid == NULL)
		return;
	e = der_extension_begin(out, p->id_oid, false);
	der_put_str(out, DER_PRINTABLE, member(s, p->id_offset));
	der_extension_end(out, e);
}
