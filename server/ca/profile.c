#include <assert.h>
#include <string.h>

#include "ca/der.h"
#include "ca/name.h"
#include "ca/profile.h"

/* RFC 5280 section 4.2.1.3, bit 0 the highest. */
#define KU_SIGN       0x8000
#define KU_COMMITMENT 0x4000 /* nonRepudiation, as it was called */
#define KU_KEY        0x2000 /* keyEncipherment */
#define KU_DATA       0x1000
#define KU_AGREEMENT  0x0800

#define OID_CONSTRAINTS "2.5.29.19"
#define OID_KEY_USAGE   "2.5.29.15"
#define OID_EXT_USAGE   "2.5.29.37"
#define OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define OID_EMAIL       "1.3.6.1.5.5.7.3.4"
#define OID_OCSP_SIGN   "1.3.6.1.5.5.7.3.9"
#define OID_NO_CHECK    "1.3.6.1.5.5.7.48.1.5" /* RFC 6960 section 4.2.2.2.1 */
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
	struct {
		uint16_t key; /* keyUsage; 0: there is no such certificate */
		const char *ext[USAGE_MAX];
	} uses[PROFILE_USE__MAX];
	bool unchecked;
	const char *id_oid; /* NULL: no identity extension */
	const char *id_field;
	size_t id_offset;
};

#define SIGN       (KU_SIGN | KU_COMMITMENT)
#define ENCRYPT    (KU_KEY | KU_DATA | KU_AGREEMENT)
#define AT(member) offsetof(struct profile_subject, member)

static const struct profile profiles[] = {
	[PROFILE_ORGANISATION] = {
		.name = "organisation",
		.rdns = { { NAME_O, "organisation", AT(organisation) },
		    { NAME_CN, "organisation", AT(organisation) } },
		.uses = { [PROFILE_SIGN] = { SIGN, { OID_CLIENT_AUTH, OID_EMAIL } },
		    [PROFILE_ENCRYPT] = { ENCRYPT, { OID_EMAIL } } },
		.id_oid = OID_CREDIT_CODE,
		.id_field = "creditCode",
		.id_offset = AT(credit_code),
	},
	[PROFILE_PERSON] = {
		.name = "person",
		.rdns = { { NAME_CN, "name", AT(name) } },
		.uses = { [PROFILE_SIGN] = { SIGN, { OID_CLIENT_AUTH, OID_EMAIL } },
		    [PROFILE_ENCRYPT] = { ENCRYPT, { OID_EMAIL } } },
		.id_oid = OID_RESIDENT_ID,
		.id_field = "idNumber",
		.id_offset = AT(id_number),
	},
	[PROFILE_STAFF] = {
		.name = "staff",
		.rdns = { { NAME_O, "organisation", AT(organisation) }, { NAME_OU, "role", AT(role) },
		    { NAME_CN, "name", AT(name) } },
		.uses = { [PROFILE_SIGN] = { SIGN, { OID_CLIENT_AUTH } } },
	},
	[PROFILE_RESPONDER] = {
		.name = "responder",
		.rdns = { { NAME_O, "organisation", AT(organisation) },
		    { NAME_CN, "name", AT(name) } },
		.uses = { [PROFILE_SIGN] = { KU_SIGN, { OID_OCSP_SIGN } } },
		.unchecked = true,
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
profile_check(
    enum profile_id id, enum profile_use use, const struct profile_subject *s, struct uk_err *err)
{
	const struct profile *p = row(id);
	enum uk_rc rc = UK_OK;

	if (p->uses[use].key == 0)
		return uk_fail_field(err, "use", NULL);

	for (size_t i = 0; rc == UK_OK && i < RDN_MAX && p->rdns[i].field != NULL; i++)
		rc =
		    name_check(member(s, p->rdns[i].offset), NAME_CHARS_MAX, p->rdns[i].field, err);
	if (rc == UK_OK && p->id_oid != NULL)
		rc = check_id(member(s, p->id_offset), p->id_field, err);
	return rc;
}

bool
profile_unchecked(enum profile_id id)
{
	return row(id)->unchecked;
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
put_usages(struct uk_buf *out, const char *const ext[USAGE_MAX])
{
	struct der_extension e = der_extension_begin(out, OID_EXT_USAGE, false);
	const size_t at = der_begin(out, DER_SEQUENCE);

	for (size_t i = 0; i < USAGE_MAX && ext[i] != NULL; i++)
		der_put_oid(out, ext[i]);
	der_end(out, at);
	der_extension_end(out, e);
}

void
profile_put_extensions(
    enum profile_id id, enum profile_use use, const struct profile_subject *s, struct uk_buf *out)
{
	const struct profile *p = row(id);
	struct der_extension e;

	e = der_extension_begin(out, OID_CONSTRAINTS, true);
	der_end(out, der_begin(out, DER_SEQUENCE)); /* cA FALSE is the default, so left out */
	der_extension_end(out, e);
	e = der_extension_begin(out, OID_KEY_USAGE, true);
	der_put_named_bits(out, p->uses[use].key);
	der_extension_end(out, e);
	put_usages(out, p->uses[use].ext);
	if (p->unchecked) {
		e = der_extension_begin(out, OID_NO_CHECK, false);
		der_put(out, DER_NULL, uk_span(NULL, 0));
		der_extension_end(out, e);
	}
	if (p->id_oid == NULL)
		return;
	e = der_extension_begin(out, p->id_oid, false);
	der_put_str(out, DER_PRINTABLE, member(s, p->id_offset));
	der_extension_end(out, e);
}
