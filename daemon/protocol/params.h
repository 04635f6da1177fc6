/* What each method takes: the structs, and the field tables that fill them. */
#ifndef PROTOCOL_PARAMS_H
#define PROTOCOL_PARAMS_H

#include "uk/frame.h"
#include "uk/json.h"
#include "uk/ticket.h"
#include "uk/x509.h"

/* What is signed at once; base64 of it, and of a CMS around it, fit into a message. */
#define PARAMS_DATA_MAX  (256u * 1024u)
#define PARAMS_CHAIN_MAX 4
#define PARAMS_ITEMS_MAX 1000

struct site_params {
	const char *origin;
};

struct token_params {
	const char *token;
};

struct certificates_params {
	const char *token;
};

struct data_put_params {
	const char *data;
	const char *certificate;
	struct uk_buf chunk;
	bool last;
};

struct data_get_params {
	const char *data;
	int64_t offset;
	int64_t length;
};

/* What one signature is of: either. */
struct item_params {
	struct uk_buf data;
	const char *data_id;
};

/* How a CMS with SM2 is made. */
struct profile_params {
	const char *arc;
	const char *signature_oid;
	bool attributes;
};

struct batch_params {
	const char *certificate;
	json_t *items;
	const char *format;
	json_t *profile;
	const char *title;
};

struct signature_params {
	const char *certificate;
	struct item_params of;
	const char *format;
	json_t *profile;
	const char *title;
};

struct envelope_params {
	const char *certificate;
	struct uk_buf envelope;
};

struct login_params {
	const char *certificate;
	const char *audience;
	const char *nonce;
	int64_t expires;
};

struct key_params {
	const char *token;
	const char *algorithm;
	const char *label;
};

struct request_params {
	const char *token;
	const char *key;
	json_t *subject;
};

struct subject_params {
	const char *common_name;
	const char *organization;
	const char *country;
};

struct install_params {
	const char *token;
	const char *key;
	struct uk_buf certificate;
	json_t *chain;
	const char *replaces;
	json_t *encryption;
};

struct encryption_params {
	struct uk_buf certificate;
	struct uk_buf enveloped_key;
	const char *format;
};

struct channel_params {
	const char *purpose;
};

struct ticket_params {
	const char *token;
	const char *ticket;
};

struct params {
	const struct uk_field *fields;
	size_t n;
	size_t size;
};

extern const struct params params_none;
extern const struct params params_site;
extern const struct params params_token;
extern const struct params params_certificates;
extern const struct params params_data_put;
extern const struct params params_data_get;
extern const struct params params_item;
extern const struct params params_profile;
extern const struct params params_batch;
extern const struct params params_signature;
extern const struct params params_envelope;
extern const struct params params_login;
extern const struct params params_key;
extern const struct params params_request;
extern const struct params params_subject;
extern const struct params params_install;
extern const struct params params_encryption;
extern const struct params params_channel;
extern const struct params params_ticket;

#endif
