#include <assert.h>
#include <string.h>

#include "token/message.h"
#include "token/text.h"
#include "uk/x509.h"

#define OBJECTS_MAX 512u
#define TEXT_MAX    96
#define ID_MAX      64

enum field_type {
	F_TEXT,  /* const char *, lent; the NUL travels with it */
	F_CHARS, /* char[max + 1], copied */
	F_BYTES, /* struct uk_span, lent */
	F_U32,   /* uint32_t or enum */
	F_I32,   /* int */
	F_BOOL,
};
static_assert(sizeof(enum uk_keyalg) == 4 && sizeof(enum token_state) == 4 &&
		  sizeof(enum token_kind) == 4 && sizeof(enum token_scheme) == 4 &&
		  sizeof(enum token_so) == 4 && sizeof(enum uk_rc) == 4 &&
		  sizeof(enum message_reason) == 4 && sizeof(int) == 4,
    "F_U32 and F_I32 copy four bytes");

/* A row's place in its table is the field's tag on the wire.  min and max: bytes, or values. */
struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	int64_t min;
	int64_t max;
	bool (*valid)(struct uk_span s);
};

struct shape {
	const char *name;
	uint32_t needs; /* bit per tag */
	uint32_t may;
};

static bool
is_hex(struct uk_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') && (s.p[i] < 'a' || s.p[i] > 'f'))
			return false;
	return s.n % 2 == 0;
}

static bool tokens_ok(struct uk_span records);
static bool objects_ok(struct uk_span records);

enum tag {
	T_TOKEN,
	T_KEY_ID,
	T_LABEL,
	T_TOKEN_ID,
	T_DATA,
	T_PIN,
	T_SO_PIN,
	T_ALG,
	T_OBJECT,
	T_TOKENS,
	T_OBJECTS,
	T_RC,
	T_REASON,
	T_TRIES,
	T_NATIVE,
	T_VERSION,
	T_NEW_PIN,
	T_SO_PIN_OLD,
	T_SO_PIN_NEXT,
	T_AUTH_KEY,
	T_ADMIN,
	T_SCHEME,
	T_SO_NOW,
	T_IV,
	T_CONTENT,
	T_READERS,
	T__MAX
};

#define AT(m) offsetof(struct message, m)
static const struct field fields[] = {
	[T_TOKEN] = { "token", F_TEXT, AT(token), 1, ID_MAX, text_ok },
	[T_KEY_ID] = { "key-id", F_TEXT, AT(key_id), 2, ID_MAX, is_hex },
	[T_LABEL] = { "label", F_TEXT, AT(label), 0, TEXT_MAX, text_ok },
	[T_TOKEN_ID] = { "token-id", F_TEXT, AT(token_id), 1, ID_MAX, text_ok },
	[T_DATA] = { "data", F_BYTES, AT(data), 1, UK_CERT_MAX, NULL },
	[T_PIN] = { "pin", F_BYTES, AT(pin), 1, MESSAGE_PIN_MAX, NULL },
	[T_SO_PIN] = { "so-pin", F_BYTES, AT(so_pin), 1, MESSAGE_PIN_MAX, NULL },
	[T_ALG] = { "alg", F_U32, AT(alg), 1, UK_KEY__MAX - 1, NULL },
	[T_OBJECT] = { "object", F_U32, AT(object), TOKEN_CERT, TOKEN_KEY, NULL },
	[T_TOKENS] = { "tokens", F_BYTES, AT(tokens), 0, MESSAGE_MAX, tokens_ok },
	[T_OBJECTS] = { "objects", F_BYTES, AT(objects), 0, MESSAGE_MAX, objects_ok },
	[T_RC] = { "rc", F_U32, AT(rc), UK_OK + 1, UK_RC__MAX - 1, NULL },
	[T_REASON] = { "reason", F_U32, AT(reason), 0, REASON__MAX - 1, NULL },
	[T_TRIES] = { "tries", F_I32, AT(tries), TOKEN_TRIES_LOW, 255, NULL },
	[T_NATIVE] = { "native", F_U32, AT(native), 0, UINT32_MAX, NULL },
	[T_VERSION] = { "version", F_U32, AT(version), 1, 255, NULL },
	[T_NEW_PIN] = { "new-pin", F_BYTES, AT(new_pin), 1, MESSAGE_PIN_MAX, NULL },
	[T_SO_PIN_OLD] = { "so-pin-old", F_BYTES, AT(so_pin_old), 1, MESSAGE_PIN_MAX, NULL },
	[T_SO_PIN_NEXT] = { "so-pin-next", F_BYTES, AT(so_pin_next), 1, MESSAGE_PIN_MAX, NULL },
	[T_AUTH_KEY] = { "auth-key", F_BYTES, AT(auth_key), 1, MESSAGE_KEY_MAX, NULL },
	[T_ADMIN] = { "admin", F_BOOL, AT(admin), 0, 1, NULL },
	[T_SCHEME] = { "scheme", F_U32, AT(scheme), 0, TOKEN_SCHEME__MAX - 1, NULL },
	[T_SO_NOW] = { "so-now", F_U32, AT(so_now), 0, TOKEN_SO__MAX - 1, NULL },
	[T_IV] = { "iv", F_BYTES, AT(iv), 16, 16, NULL },
	[T_CONTENT] = { "content", F_BYTES, AT(content), 0, MESSAGE_TEXT_MAX, NULL },
	[T_READERS] = { "readers", F_BOOL, AT(readers), 0, 1, NULL },
};
#undef AT
static_assert(sizeof(fields) / sizeof(fields[0]) == T__MAX, "one row per tag");

#define B(tag) (1u << (T_##tag))
static const struct shape shapes[] = {
	[TOKEN_LIST] = { "list", 0, 0 },
	[TOKEN_OBJECTS] = { "objects", B(TOKEN), 0 },
	[TOKEN_LOGIN] = { "login", B(TOKEN) | B(PIN), 0 },
	[TOKEN_LOGOUT] = { "logout", B(TOKEN), 0 },
	[TOKEN_SIGN] = { "sign", B(TOKEN) | B(KEY_ID) | B(DATA), 0 },
	[TOKEN_KEYGEN] = { "keygen", B(TOKEN) | B(ALG), B(LABEL) },
	[TOKEN_PUT_CERT] = { "put-cert", B(TOKEN) | B(DATA), B(KEY_ID) | B(LABEL) },
	[TOKEN_DELETE] = { "delete", B(TOKEN) | B(OBJECT), B(KEY_ID) | B(DATA) },
	[TOKEN_PREPARE] = { "prepare", B(TOKEN) | B(SO_PIN) | B(PIN) | B(LABEL), B(AUTH_KEY) },
	[TOKEN_CHANGE_PIN] = { "change-pin", B(TOKEN) | B(PIN) | B(NEW_PIN) | B(ADMIN), 0 },
	[TOKEN_UNBLOCK] = { "unblock", B(TOKEN) | B(SO_PIN) | B(NEW_PIN),
	    B(SO_PIN_OLD) | B(SO_PIN_NEXT) },
	[TOKEN_DECRYPT] = { "decrypt", B(TOKEN) | B(KEY_ID) | B(SCHEME) | B(DATA),
	    B(IV) | B(CONTENT) },
	[TOKEN_PUT_KEY] = { "put-key", B(TOKEN) | B(KEY_ID) | B(DATA), 0 },

	[MESSAGE_REPLY + TOKEN_LIST] = { "list-reply", 0, 0 },
	[MESSAGE_REPLY + TOKEN_OBJECTS] = { "objects-reply", B(OBJECTS), 0 },
	[MESSAGE_REPLY + TOKEN_LOGIN] = { "login-reply", 0, 0 },
	[MESSAGE_REPLY + TOKEN_LOGOUT] = { "logout-reply", 0, 0 },
	[MESSAGE_REPLY + TOKEN_SIGN] = { "sign-reply", B(DATA), 0 },
	[MESSAGE_REPLY + TOKEN_KEYGEN] = { "keygen-reply", B(KEY_ID) | B(DATA), 0 },
	[MESSAGE_REPLY + TOKEN_PUT_CERT] = { "put-cert-reply", 0, 0 },
	[MESSAGE_REPLY + TOKEN_DELETE] = { "delete-reply", 0, 0 },
	[MESSAGE_REPLY + TOKEN_PREPARE] = { "prepare-reply", B(TOKEN_ID), 0 },
	[MESSAGE_REPLY + TOKEN_CHANGE_PIN] = { "change-pin-reply", 0, 0 },
	[MESSAGE_REPLY + TOKEN_UNBLOCK] = { "unblock-reply", B(SO_NOW), 0 },
	[MESSAGE_REPLY + TOKEN_DECRYPT] = { "decrypt-reply", B(CONTENT), 0 },
	[MESSAGE_REPLY + TOKEN_PUT_KEY] = { "put-key-reply", B(KEY_ID), 0 },

	[MESSAGE_ERROR] = { "error", B(RC) | B(REASON) | B(TRIES) | B(NATIVE) | B(SO_NOW), 0 },
	[MESSAGE_TOKENS] = { "tokens", B(VERSION) | B(READERS) | B(TOKENS) | B(REASON), 0 },
};
#undef B
static_assert(sizeof(shapes) / sizeof(shapes[0]) == MESSAGE__MAX, "one row per kind");

#define AT(m) offsetof(struct token_info, m)
static const struct field token_fields[] = {
	{ "id", F_CHARS, AT(id), 1, ID_MAX, text_ok },
	{ "serial", F_CHARS, AT(serial), 0, ID_MAX, text_ok },
	{ "label", F_CHARS, AT(label), 0, TEXT_MAX, text_ok },
	{ "model", F_CHARS, AT(model), 0, ID_MAX, text_ok },
	{ "manufacturer", F_CHARS, AT(manufacturer), 0, TEXT_MAX, text_ok },
	{ "reader", F_CHARS, AT(reader), 0, ID_MAX, text_ok },
	{ "state", F_U32, AT(state), 0, TOKEN_STATE__MAX - 1, NULL },
	{ "tries", F_I32, AT(tries), TOKEN_TRIES_LOW, 255, NULL },
	{ "logged-in", F_BOOL, AT(logged_in), 0, 1, NULL },
	{ "algs", F_U32, AT(algs), 0, (1 << UK_KEY__MAX) - 1, NULL },
	{ "so-tries", F_I32, AT(so_tries), TOKEN_TRIES_LOW, 255, NULL },
	{ "pin-initial", F_BOOL, AT(pin_initial), 0, 1, NULL },
	{ "software", F_BOOL, AT(software), 0, 1, NULL },
	{ "pin-min", F_I32, AT(pin_min), 0, MESSAGE_PIN_MAX, NULL },
	{ "pin-max", F_I32, AT(pin_max), 0, MESSAGE_PIN_MAX, NULL },
};
#undef AT
#define TOKEN_FIELDS (sizeof(token_fields) / sizeof(token_fields[0]))
static const struct shape token_shape = { "token", (1u << TOKEN_FIELDS) - 1, 0 };

#define AT(m) offsetof(struct token_object, m)
static const struct field object_fields[] = {
	{ "kind", F_U32, AT(kind), TOKEN_CERT, TOKEN_KEY, NULL },
	{ "key-id", F_CHARS, AT(key_id), 0, ID_MAX, is_hex },
	{ "label", F_CHARS, AT(label), 0, TEXT_MAX, text_ok },
	{ "alg", F_U32, AT(alg), 0, UK_KEY__MAX - 1, NULL },
	{ "has-key", F_BOOL, AT(has_key), 0, 1, NULL },
	{ "data", F_BYTES, AT(data), 1, UK_CERT_MAX, NULL },
};
#undef AT
#define OBJECT_FIELDS (sizeof(object_fields) / sizeof(object_fields[0]))
static const struct shape object_shape = { "object", (1u << OBJECT_FIELDS) - 1, 0 };

struct reason_row {
	const char *name;
	const char *field;
};

static const struct reason_row reasons[] = {
	[REASON_NONE] = { NULL, NULL },
	[REASON_TOKEN_NOT_FOUND] = { "token-not-found", "token" },
	[REASON_KEY_NOT_FOUND] = { "key-not-found", "key" },
	[REASON_CERTIFICATE_NOT_FOUND] = { "certificate-not-found", "certificate" },
	[REASON_NOT_LOGGED_IN] = { "not-logged-in", NULL },
	[REASON_TOKEN_NOT_BLANK] = { "token-not-blank", "token" },
	[REASON_TOKEN_BLANK] = { "token-blank", "token" },
	[REASON_TOKEN_FULL] = { "token-full", NULL },
	[REASON_TOKEN_READ_ONLY] = { "token-read-only", NULL },
	[REASON_PIN_LENGTH] = { "pin-length", NULL },
	[REASON_PIN_EXPIRED] = { "pin-expired", NULL },
	[REASON_SO_PIN_WRONG] = { "so-pin-wrong", NULL },
	[REASON_SO_PIN_LOCKED] = { "so-pin-locked", NULL },
	[REASON_LABEL_LENGTH] = { "label-length", "label" },
	[REASON_DIGEST_LENGTH] = { "digest-length", NULL },
	[REASON_ALGORITHM] = { "algorithm-unsupported", "algorithm" },
	[REASON_CERTIFICATE_MALFORMED] = { "certificate-malformed", "certificate" },
	[REASON_PIN_REFUSED] = { "pin-refused", NULL },
	[REASON_SO_PIN_LAST] = { "so-pin-last-try", NULL },
	[REASON_ENVELOPE_MALFORMED] = { "envelope-malformed", "envelopedKey" },
	[REASON_DECRYPTION] = { "decryption-failed", NULL },
	[REASON_PIN_EACH_USE] = { "pin-each-use", NULL },
	[REASON_AUTH_KEY] = { "auth-key-wrong", NULL },
	[REASON_CERTIFICATE_STAYS] = { "certificate-stays", "certificate" },
	[REASON_KEY_WRONG] = { "key-wrong", NULL },
	[REASON_KEY_TAKEN] = { "encryption-key-exists", NULL },
	[REASON_MODULE_LOAD] = { "module-unloadable", NULL },
	[REASON_MODULE_INCOMPLETE] = { "module-incomplete", NULL },
	[REASON_MODULE_ABI] = { "module-abi-64bit", NULL },
};
static_assert(sizeof(reasons) / sizeof(reasons[0]) == REASON__MAX, "one row per reason");

const char *
message_reason_name(enum message_reason r)
{
	return (unsigned)r < REASON__MAX ? reasons[r].name : NULL;
}

const char *
message_reason_field(enum message_reason r)
{
	return (unsigned)r < REASON__MAX ? reasons[r].field : NULL;
}

const char *
message_name(uint8_t kind)
{
	return kind < MESSAGE__MAX ? shapes[kind].name : "unknown";
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A field's bytes on the wire, judged alike when they come and before they go. */
static bool
value_ok(const struct field *f, struct uk_span v)
{
	int64_t measure = (int64_t)v.n;

	switch (f->type) {
	case F_TEXT:
	case F_CHARS:
		if (v.n == 0 || memchr(v.p, '\0', v.n) != v.p + v.n - 1)
			return false;
		measure = (int64_t)--v.n;
		break;
	case F_BYTES:
		break;
	case F_U32:
		if (v.n != 4)
			return false;
		measure = get_u32(v.p);
		break;
	case F_I32:
		if (v.n != 4)
			return false;
		measure = (int32_t)get_u32(v.p);
		break;
	case F_BOOL:
		if (v.n != 1)
			return false;
		measure = v.p[0];
		break;
	}
	return measure >= f->min && measure <= f->max && (f->valid == NULL || f->valid(v));
}

static void
value_get(const struct field *f, struct uk_span v, void *out)
{
	char *to = (char *)out + f->offset;
	uint32_t u;

	switch (f->type) {
	case F_TEXT:
		memcpy(to, &v.p, sizeof(v.p));
		break;
	case F_CHARS:
		memcpy(to, v.p, v.n);
		break;
	case F_BYTES:
		memcpy(to, &v, sizeof(v));
		break;
	case F_U32:
	case F_I32:
		u = get_u32(v.p);
		memcpy(to, &u, sizeof(u));
		break;
	case F_BOOL:
		*(bool *)to = v.p[0] != 0;
		break;
	}
}

/* The wire's bytes of a member; p is NULL when an optional one is not set.  room: for numbers. */
static struct uk_span
value_of(const struct field *f, const void *in, uint8_t room[4])
{
	const char *from = (const char *)in + f->offset;
	struct uk_span v;
	const char *s;
	uint32_t u;

	switch (f->type) {
	case F_TEXT:
		memcpy(&s, from, sizeof(s));
		return uk_span(s, s != NULL ? strlen(s) + 1 : 0);
	case F_CHARS:
		return uk_span(from, strlen(from) + 1);
	case F_BYTES:
		memcpy(&v, from, sizeof(v));
		return v;
	case F_BOOL:
		room[0] = *(const bool *)from;
		return uk_span(room, 1);
	case F_U32:
	case F_I32:
		break;
	}
	memcpy(&u, from, sizeof(u));
	for (int i = 0; i < 4; i++)
		room[i] = (uint8_t)(u >> (24 - 8 * i));
	return uk_span(room, 4);
}

static enum uk_rc
put_fields(struct uk_buf *out, const struct field *table, size_t n, const struct shape *shape,
    const void *in)
{
	for (size_t tag = 0; tag < n; tag++) {
		const uint32_t bit = 1u << tag;
		uint8_t room[4];
		struct uk_span v;

		if (((shape->needs | shape->may) & bit) == 0)
			continue;
		v = value_of(&table[tag], in, room);
		if (v.p == NULL && (shape->needs & bit) == 0)
			continue;
		if (!value_ok(&table[tag], v))
			return UK_E_INPUT;
		uk_buf_put_u8(out, (uint8_t)tag);
		uk_buf_put_u32(out, (uint32_t)v.n);
		uk_buf_put(out, v);
	}
	return uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
}

static enum uk_rc
read_fields(
    struct uk_span s, const struct field *table, size_t n, const struct shape *shape, void *out)
{
	uint32_t seen = 0;

	while (s.n != 0) {
		struct uk_span v;
		uint8_t tag;

		if (s.n < 5)
			return UK_E_INPUT;
		tag = s.p[0];
		v = uk_span(s.p + 5, get_u32(s.p + 1));
		if (tag >= n || ((shape->needs | shape->may) & (1u << tag)) == 0 ||
		    (seen & (1u << tag)) != 0 || v.n > s.n - 5 || !value_ok(&table[tag], v))
			return UK_E_INPUT;
		seen |= 1u << tag;
		value_get(&table[tag], v, out);
		s = uk_span(s.p + 5 + v.n, s.n - 5 - v.n);
	}
	return (seen & shape->needs) == shape->needs ? UK_OK : UK_E_INPUT;
}

enum uk_rc
message_put(struct uk_buf *out, const struct message *m)
{
	if (m->kind >= MESSAGE__MAX)
		return UK_E_INPUT;
	uk_buf_put_u32(out, m->id);
	uk_buf_put_u8(out, m->kind);
	return put_fields(out, fields, T__MAX, &shapes[m->kind], m);
}

enum uk_rc
message_read(struct uk_span body, struct message *out)
{
	struct message m = { 0 };
	enum uk_rc rc;

	if (body.n < 5 || body.n > MESSAGE_MAX || body.p[4] >= MESSAGE__MAX)
		return UK_E_INPUT;
	m.id = get_u32(body.p);
	m.kind = body.p[4];
	rc = read_fields(uk_span(body.p + 5, body.n - 5), fields, T__MAX, &shapes[m.kind], &m);
	if (rc == UK_OK)
		*out = m;
	return rc;
}

/* A record is its length and its fields. */
static enum uk_rc
put_record(struct uk_buf *out, const struct field *table, size_t n, const struct shape *shape,
    const void *in)
{
	struct uk_buf one;
	enum uk_rc rc;

	uk_buf_init(&one, MESSAGE_MAX);
	rc = put_fields(&one, table, n, shape, in);
	if (rc == UK_OK) {
		uk_buf_put_u32(out, (uint32_t)one.n);
		uk_buf_put(out, uk_buf_span(&one));
		rc = uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
	}
	uk_buf_fini(&one);
	return rc;
}

static bool
next_record(struct uk_span *s, struct uk_span *record)
{
	if (s->n < 4 || get_u32(s->p) > s->n - 4)
		return false;
	*record = uk_span(s->p + 4, get_u32(s->p));
	*s = uk_span(record->p + record->n, s->n - 4 - record->n);
	return true;
}

enum uk_rc
message_put_token(struct uk_buf *records, const struct token_info *t)
{
	return put_record(records, token_fields, TOKEN_FIELDS, &token_shape, t);
}

enum uk_rc
message_put_object(struct uk_buf *records, const struct token_object *o)
{
	return put_record(records, object_fields, OBJECT_FIELDS, &object_shape, o);
}

bool
message_next_token(struct uk_span *records, struct token_info *out)
{
	struct token_info t = { 0 };
	struct uk_span record;

	if (!next_record(records, &record) ||
	    read_fields(record, token_fields, TOKEN_FIELDS, &token_shape, &t) != UK_OK)
		return false;
	*out = t;
	return true;
}

bool
message_next_object(struct uk_span *records, struct token_object *out)
{
	struct token_object o = { 0 };
	struct uk_span record;

	if (!next_record(records, &record) ||
	    read_fields(record, object_fields, OBJECT_FIELDS, &object_shape, &o) != UK_OK)
		return false;
	*out = o;
	return true;
}

static bool
tokens_ok(struct uk_span records)
{
	struct token_info t;
	unsigned n = 0;

	while (records.n != 0)
		if (++n > MESSAGE_TOKENS_MAX || !message_next_token(&records, &t))
			return false;
	return true;
}

static bool
objects_ok(struct uk_span records)
{
	struct token_object o;
	unsigned n = 0;

	while (records.n != 0)
		if (++n > OBJECTS_MAX || !message_next_object(&records, &o))
			return false;
	return true;
}
