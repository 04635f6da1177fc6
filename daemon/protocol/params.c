#include <string.h>

#include "policy/origin.h"
#include "protocol/params.h"
#include "protocol/signing.h"

#define ID_MAX       64
#define LABEL_MAX    64
#define NAME_MAX     256
#define TITLE_MAX    320 /* bytes of 80 characters */
#define DATA_ID_MAX  16
#define ENVELOPE_MAX 1024

static bool
hex_valid(const char *s)
{
	const size_t n = strlen(s);

	return n % 2 == 0 && strspn(s, "0123456789abcdef") == n;
}

static bool
fingerprint_valid(const char *s)
{
	return strlen(s) == 64 && hex_valid(s);
}

static bool
format_valid(const char *s)
{
	return signing_form_of(s) != SIGNING__MAX;
}

static bool
arc_valid(const char *s)
{
	return strcmp(s, "gm") == 0 || strcmp(s, "rfc") == 0;
}

static bool
signature_oid_valid(const char *s)
{
	return strcmp(s, "301.1") == 0 || strcmp(s, "501") == 0;
}

static bool
algorithm_valid(const char *s)
{
	return uk_keyalg_from_name(s) != UK_KEY_UNKNOWN;
}

static bool
purpose_valid(const char *s)
{
	return strcmp(s, "production") == 0 || strcmp(s, "unlock") == 0;
}

static bool
envelope_valid(const char *s)
{
	return strcmp(s, "gbt35276") == 0 || strcmp(s, "skf") == 0;
}

static bool
country_valid(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
}

static bool
site_valid(const char *s)
{
	return origin_valid(s, true);
}

/* Characters, not bytes. */
static bool
title_valid(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n <= 80;
}

#define AT(s, m) offsetof(struct s, m)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct uk_field site[] = {
	{ "origin", UK_F_STR, UK_F_REQUIRED, 1, ORIGIN_MAX, AT(site_params, origin), site_valid },
};

static const struct uk_field token[] = {
	{ "token", UK_F_STR, UK_F_REQUIRED, 1, ID_MAX, AT(token_params, token), NULL },
};

static const struct uk_field certificates[] = {
	{ "token", UK_F_STR, 0, 1, ID_MAX, AT(certificates_params, token), NULL },
};

static const struct uk_field data_put_fields[] = {
	{ "data", UK_F_STR, 0, 1, DATA_ID_MAX, AT(data_put_params, data), NULL },
	{ "certificate", UK_F_STR, 0, 64, 64, AT(data_put_params, certificate), fingerprint_valid },
	{ "chunk", UK_F_B64, UK_F_REQUIRED, 0, PARAMS_DATA_MAX, AT(data_put_params, chunk), NULL },
	{ "last", UK_F_BOOL, 0, 0, 0, AT(data_put_params, last), NULL },
};

static const struct uk_field data_get_fields[] = {
	{ "data", UK_F_STR, UK_F_REQUIRED, 1, DATA_ID_MAX, AT(data_get_params, data), NULL },
	{ "offset", UK_F_INT, UK_F_REQUIRED, 0, INT32_MAX, AT(data_get_params, offset), NULL },
	{ "length", UK_F_INT, UK_F_REQUIRED, 1, PARAMS_DATA_MAX, AT(data_get_params, length),
	    NULL },
};

static const struct uk_field item[] = {
	{ "data", UK_F_B64, 0, 0, PARAMS_DATA_MAX, AT(item_params, data), NULL },
	{ "dataId", UK_F_STR, 0, 1, DATA_ID_MAX, AT(item_params, data_id), NULL },
};

static const struct uk_field profile[] = {
	{ "arc", UK_F_STR, 0, 1, 8, AT(profile_params, arc), arc_valid },
	{ "signatureOid", UK_F_STR, 0, 1, 8, AT(profile_params, signature_oid),
	    signature_oid_valid },
	{ "attributes", UK_F_BOOL, 0, 0, 0, AT(profile_params, attributes), NULL },
};

static const struct uk_field batch[] = {
	{ "certificate", UK_F_STR, UK_F_REQUIRED, 64, 64, AT(batch_params, certificate),
	    fingerprint_valid },
	{ "items", UK_F_LIST, UK_F_REQUIRED, 1, PARAMS_ITEMS_MAX, AT(batch_params, items), NULL },
	{ "format", UK_F_STR, UK_F_REQUIRED, 1, 16, AT(batch_params, format), format_valid },
	{ "profile", UK_F_JSON, 0, 0, 0, AT(batch_params, profile), NULL },
	{ "title", UK_F_STR, 0, 1, TITLE_MAX, AT(batch_params, title), title_valid },
};

static const struct uk_field signature[] = {
	{ "certificate", UK_F_STR, UK_F_REQUIRED, 64, 64, AT(signature_params, certificate),
	    fingerprint_valid },
	{ "data", UK_F_B64, 0, 0, PARAMS_DATA_MAX, AT(signature_params, of.data), NULL },
	{ "dataId", UK_F_STR, 0, 1, DATA_ID_MAX, AT(signature_params, of.data_id), NULL },
	{ "format", UK_F_STR, UK_F_REQUIRED, 1, 16, AT(signature_params, format), format_valid },
	{ "profile", UK_F_JSON, 0, 0, 0, AT(signature_params, profile), NULL },
	{ "title", UK_F_STR, 0, 1, TITLE_MAX, AT(signature_params, title), title_valid },
};

static const struct uk_field envelope[] = {
	{ "certificate", UK_F_STR, UK_F_REQUIRED, 64, 64, AT(envelope_params, certificate),
	    fingerprint_valid },
	{ "envelope", UK_F_B64, UK_F_REQUIRED, 1, PARAMS_DATA_MAX, AT(envelope_params, envelope),
	    NULL },
};

static const struct uk_field login[] = {
	{ "certificate", UK_F_STR, UK_F_REQUIRED, 64, 64, AT(login_params, certificate),
	    fingerprint_valid },
	{ "audience", UK_F_STR, UK_F_REQUIRED, 1, NAME_MAX, AT(login_params, audience), NULL },
	{ "nonce", UK_F_STR, UK_F_REQUIRED, 16, 256, AT(login_params, nonce), NULL },
	{ "expires", UK_F_INT, UK_F_REQUIRED, 1, INT64_MAX, AT(login_params, expires), NULL },
};

static const struct uk_field key[] = {
	{ "token", UK_F_STR, UK_F_REQUIRED, 1, ID_MAX, AT(key_params, token), NULL },
	{ "algorithm", UK_F_STR, UK_F_REQUIRED, 1, 16, AT(key_params, algorithm), algorithm_valid },
	{ "label", UK_F_STR, 0, 1, LABEL_MAX, AT(key_params, label), NULL },
};

static const struct uk_field request[] = {
	{ "token", UK_F_STR, UK_F_REQUIRED, 1, ID_MAX, AT(request_params, token), NULL },
	{ "key", UK_F_STR, UK_F_REQUIRED, 2, ID_MAX, AT(request_params, key), hex_valid },
	{ "subject", UK_F_JSON, UK_F_REQUIRED, 0, 0, AT(request_params, subject), NULL },
};

static const struct uk_field subject[] = {
	{ "commonName", UK_F_STR, UK_F_REQUIRED, 1, NAME_MAX, AT(subject_params, common_name),
	    NULL },
	{ "organization", UK_F_STR, 0, 1, NAME_MAX, AT(subject_params, organization), NULL },
	{ "country", UK_F_STR, 0, 2, 2, AT(subject_params, country), country_valid },
};

static const struct uk_field install[] = {
	{ "token", UK_F_STR, UK_F_REQUIRED, 1, ID_MAX, AT(install_params, token), NULL },
	{ "key", UK_F_STR, 0, 2, ID_MAX, AT(install_params, key), hex_valid },
	{ "certificate", UK_F_B64, UK_F_REQUIRED, 1, UK_CERT_MAX, AT(install_params, certificate),
	    NULL },
	{ "chain", UK_F_LIST, 0, 0, PARAMS_CHAIN_MAX, AT(install_params, chain), NULL },
	{ "replaces", UK_F_STR, 0, 64, 64, AT(install_params, replaces), fingerprint_valid },
	{ "encryption", UK_F_JSON, 0, 0, 0, AT(install_params, encryption), NULL },
};

static const struct uk_field encryption[] = {
	{ "certificate", UK_F_B64, UK_F_REQUIRED, 1, UK_CERT_MAX,
	    AT(encryption_params, certificate), NULL },
	{ "envelopedKey", UK_F_B64, UK_F_REQUIRED, 1, ENVELOPE_MAX,
	    AT(encryption_params, enveloped_key), NULL },
	{ "format", UK_F_STR, UK_F_REQUIRED, 1, 16, AT(encryption_params, format), envelope_valid },
};

static const struct uk_field channel[] = {
	{ "purpose", UK_F_STR, UK_F_REQUIRED, 1, 16, AT(channel_params, purpose), purpose_valid },
};

static const struct uk_field ticket[] = {
	{ "token", UK_F_STR, UK_F_REQUIRED, 1, ID_MAX, AT(ticket_params, token), NULL },
	{ "ticket", UK_F_STR, UK_F_REQUIRED, 1, UK_TICKET_MAX, AT(ticket_params, ticket), NULL },
};

const struct params params_none = { NULL, 0, 0 };
const struct params params_site = { site, COUNT(site), sizeof(struct site_params) };
const struct params params_token = { token, COUNT(token), sizeof(struct token_params) };
const struct params params_certificates = { certificates, COUNT(certificates),
	sizeof(struct certificates_params) };
const struct params params_data_put = { data_put_fields, COUNT(data_put_fields),
	sizeof(struct data_put_params) };
const struct params params_data_get = { data_get_fields, COUNT(data_get_fields),
	sizeof(struct data_get_params) };
const struct params params_item = { item, COUNT(item), sizeof(struct item_params) };
const struct params params_profile = { profile, COUNT(profile), sizeof(struct profile_params) };
const struct params params_batch = { batch, COUNT(batch), sizeof(struct batch_params) };
const struct params params_signature = { signature, COUNT(signature),
	sizeof(struct signature_params) };
const struct params params_envelope = { envelope, COUNT(envelope), sizeof(struct envelope_params) };
const struct params params_login = { login, COUNT(login), sizeof(struct login_params) };
const struct params params_key = { key, COUNT(key), sizeof(struct key_params) };
const struct params params_request = { request, COUNT(request), sizeof(struct request_params) };
const struct params params_subject = { subject, COUNT(subject), sizeof(struct subject_params) };
const struct params params_install = { install, COUNT(install), sizeof(struct install_params) };
const struct params params_encryption = { encryption, COUNT(encryption),
	sizeof(struct encryption_params) };
const struct params params_channel = { channel, COUNT(channel), sizeof(struct channel_params) };
const struct params params_ticket = { ticket, COUNT(ticket), sizeof(struct ticket_params) };
