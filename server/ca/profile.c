#include <assert.h>
#include <string.h>

#include "ca/der.h"
#include "ca/profile.h"

/* RFC 5280 section 4.2.1.3, bit 0 the highest. */
#define KU_SIGN       0x8000
#define KU_COMMITMENT 0x4000 /* nonRepudiation, as it was called */

#define OID_C           "2.5.4.6"
#define OID_O           "2.5.4.10"
#define OID_OU          "2.5.4.11"
#define OID_CN          "2.5.4.3"
#define OID_CONSTRAINTS "2.5.29.19"
#define OID_KEY_USAGE   "2.5.29.15"
#define OID_EXT_USAGE   "2.5.29.37"
#define OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define OID_EMAIL       "1.3.6.1.5.5.7.3.4"
/* GM/T 0015-2023: a PrintableString directly inside extnValue. */
#define OID_CREDIT_CODE "1.2.156.10260.4.4"
#define OID_RESIDENT_ID "1.2.156.10260.4.1.1.1"

#define RDN_MAX    4
#define USAGE_MAX  2
#define NAME_CHARS 64 /* ub-common-name and its like, X.520 */

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
		.rdns = { { OID_O, "organisation", AT(organisation) },
		    { OID_CN, "organisation", AT(organisation) } },
		.key_usage = KU_SIGN | KU_COMMITMENT,
		.usages = { OID_CLIENT_AUTH, OID_EMAIL },
		.id_oid = OID_CREDIT_CODE,
		.id_field = "creditCode",
		.id_offset = AT(credit_code),
	},
	[PROFILE_PERSON] = {
		.name = "person",
		.rdns = { { OID_CN, "name", AT(name) } },
		.key_usage = KU_SIGN | KU_COMMITMENT,
		.usages = { OID_CLIENT_AUTH, OID_EMAIL },
		.id_oid = OID_RESIDENT_ID,
		.id_field = "idNumber",
		.id_offset = AT(id_number),
	},
	[PROFILE_STAFF] = {
		.name = "staff",
		.rdns = { { OID_O, "organisation", AT(organisation) }, { OID_OU, "role", AT(role) },
		    { OID_CN, "name", AT(name) } },
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

/* The length of the UTF-8 sequence at s (RFC 3629), 0 when it is none or a control character. */
static size_t
utf8_step(const unsigned char *s)
{
	size_t n;

	if (s[0] < 0x80)
		return s[0] >= ' ' && s[0] != 0x7f ? 1 : 0;
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* overlong, surrogates, C1 controls, beyond U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) ||
	    (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	return n;
}

static enum uk_rc
check_text(const char *value, const char *field, struct uk_err *err)
{
	const unsigned char *p = (const unsigned char *)value;
	size_t chars = 0, n;

	if (value == NULL || *value == '\0')
		return uk_fail_field(err, field, "missing");
	for (; *p != '\0'; p += n, chars++) {
		n = utf8_step(p);
		if (n == 0)
			return uk_fail_field(err, field, NULL);
	}
	return chars <= NAME_CHARS ? UK_OK : uk_fail_field(err, field, "wrong-length");
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
		rc = check_text(member(s, p->rdns[i].offset), p->rdns[i].field, err);
	if (rc == UK_OK && p->id_oid != NULL)
		rc = check_id(member(s, p->id_offset), p->id_field, err);
	return rc;
}

static void
put_rdn(struct uk_buf *out, const char *oid, uint8_t tag, const char *value)
{
	const size_t set = der_begin(out, DER_SET);
	const size_t pair = der_begin(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	der_put_str(out, tag, value);
	der_end(out, pair);
	der_end(out, set);
}

void
profile_put_name(enum profile_id id, const struct profile_subject *s, struct uk_buf *out)
{
	const struct profile *p = row(id);
	const size_t at = der_begin(out, DER_SEQUENCE);

	put_rdn(out, OID_C, DER_PRINTABLE, "CN");
	for (size_t i = 0; i < RDN_MAX && p->rdns[i].field != NULL; i++)
		put_rdn(out, p->rdns[i].oid, DER_UTF8, member(s, p->rdns[i].offset));
	der_end(out, at);
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
