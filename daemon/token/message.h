/*
 * The wire between ukeyd and ukey-token (PROTOCOL.md).  One table says which fields each message
 * has; the encoder and the decoder both read it.  The decoder takes a span and touches nothing
 * else.
 */
#ifndef TOKEN_MESSAGE_H
#define TOKEN_MESSAGE_H

#include "token/client.h"
#include "uk/buf.h"

#define MESSAGE_VERSION    3u
#define MESSAGE_MAX        (1024u * 1024u) /* of one body */
#define MESSAGE_TOKENS_MAX 32u             /* of one helper */
#define MESSAGE_PIN_MAX    255u
#define MESSAGE_KEY_MAX    64u            /* of a device's authentication key */
#define MESSAGE_TEXT_MAX   (512u * 1024u) /* of an envelope's content */

/* A call's kind is its enum token_op; its answer's is MESSAGE_REPLY + that. */
enum {
	MESSAGE_REPLY = TOKEN_OP__MAX,
	MESSAGE_ERROR = 2 * TOKEN_OP__MAX, /* the answer to any call */
	MESSAGE_TOKENS,                    /* unasked: what is in now; a helper's first message */
	MESSAGE__MAX
};

/* Reasons cross the wire as numbers, so that the daemon's struct uk_err holds literals. */
enum message_reason {
	REASON_NONE, /* the name of the result code says it all */
	REASON_TOKEN_NOT_FOUND,
	REASON_KEY_NOT_FOUND,
	REASON_CERTIFICATE_NOT_FOUND,
	REASON_NOT_LOGGED_IN,
	REASON_TOKEN_NOT_BLANK,
	REASON_TOKEN_BLANK,
	REASON_TOKEN_FULL,
	REASON_TOKEN_READ_ONLY,
	REASON_PIN_LENGTH,
	REASON_PIN_EXPIRED,
	REASON_SO_PIN_WRONG,
	REASON_SO_PIN_LOCKED,
	REASON_LABEL_LENGTH,
	REASON_DIGEST_LENGTH,
	REASON_ALGORITHM,
	REASON_CERTIFICATE_MALFORMED,
	REASON_PIN_REFUSED,        /* the token does not take this one as a new PIN */
	REASON_SO_PIN_LAST,        /* one try is left: it is not spent */
	REASON_ENVELOPE_MALFORMED, /* the enveloped key does not read, or is not for this key */
	REASON_DECRYPTION,
	REASON_PIN_EACH_USE,      /* the token wants its PIN again before each use */
	REASON_AUTH_KEY,          /* the device's authentication key is missing or not this one */
	REASON_CERTIFICATE_STAYS, /* it can't leave without an encryption key that shall stay */
	REASON_KEY_WRONG,         /* the module's public key is no point of its curve, … */
	REASON_KEY_TAKEN,         /* there is an encryption key, which would be lost */
	REASON_MODULE_LOAD,
	REASON_MODULE_INCOMPLETE, /* it lacks a function that nothing can be done without */
	REASON_MODULE_ABI,        /* its ULONG has 64 bits */
	REASON__MAX
};

/* Strings and spans point into the body that was read, or to what is to be sent. */
struct message {
	uint32_t id; /* of the call; 0 in MESSAGE_TOKENS */
	uint8_t kind;
	const char *token;
	const char *key_id;
	const char *label;
	const char *token_id;
	struct uk_span data;
	struct uk_span iv;
	struct uk_span content;
	struct uk_span pin;
	struct uk_span so_pin;
	struct uk_span new_pin;
	struct uk_span so_pin_old;
	struct uk_span so_pin_next;
	struct uk_span auth_key;
	struct uk_span tokens;  /* records, see below */
	struct uk_span objects; /* records */
	enum uk_keyalg alg;
	enum token_kind object;
	enum token_scheme scheme;
	enum token_so so_now;
	bool admin;
	enum uk_rc rc;
	enum message_reason reason;
	int tries;
	uint32_t native; /* CKR_*, SAR_* */
	uint32_t version;
	bool readers; /* MESSAGE_TOKENS: who listens tells when to look (client.h) */
};

/* Append the body.  UK_E_INPUT: a field is missing or out of bounds; UK_E_LIMIT: no room. */
UK_CHECK enum uk_rc message_put(struct uk_buf *out, const struct message *m);

/*
 * UK_E_INPUT: unknown kind, unknown, duplicate, missing or malformed field, a record that does not
 * read.  UK_E_LIMIT: too many records.
 */
UK_CHECK enum uk_rc message_read(struct uk_span body, struct message *out);

/* One record each, appended. */
UK_CHECK enum uk_rc message_put_token(struct uk_buf *records, const struct token_info *t);
UK_CHECK enum uk_rc message_put_object(struct uk_buf *records, const struct token_object *o);

/* Take the next record off the front; false at the end.  message_read() has checked them all. */
bool message_next_token(struct uk_span *records, struct token_info *out);
bool message_next_object(struct uk_span *records, struct token_object *out);

/* "login", "tokens"; for logs. */
const char *message_name(uint8_t kind);

/* The stable name and the field at fault, literals; NULL where there is none. */
const char *message_reason_name(enum message_reason r);
const char *message_reason_field(enum message_reason r);

#endif
