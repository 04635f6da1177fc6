#include <stdlib.h>
#include <string.h>

#include <jose/jwe.h>
#include <jose/jws.h>
#include <openssl/err.h>

#include "jwk.h"
#include "uk/b64.h"

#define THUMB_TEXT (UK_THUMB_LEN - 1)
#define JWS_MAX    4096u
#define HEADER_MAX 1024u
#define VOUCH_LIFE 300 /* seconds, either way: the station's clock may differ */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void
wipe_free(json_t *json)
{
	uk_json_wipe(json);
	json_decref(json);
}

/* Members of a JOSE object, in the order of its compact form (RFC 7515 and 7516 section 3.1). */
static const char *const jws_parts[] = { "protected", "payload", "signature" };
static const char *const jwe_parts[] = { "protected", "encrypted_key", "iv", "ciphertext", "tag" };

static void
put_compact(struct uk_buf *out, const json_t *object, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(object, names[i]);

		if (i > 0)
			uk_buf_put_u8(out, '.');
		uk_buf_put(out, uk_span(json_string_value(v), json_string_length(v)));
	}
}

static bool
is_b64url(const char *s)
{
	struct uk_buf b;
	bool ok;

	uk_buf_init(&b, UK_TICKET_MAX);
	ok = uk_b64url_get(&b, s) == UK_OK;
	uk_buf_fini(&b);
	return ok;
}

/* The JOSE object of a compact form of exactly n parts, each in canonical base64url; or NULL. */
static json_t *
get_compact(struct uk_span s, const char *const *names, size_t n)
{
	json_t *object = json_object();

	for (size_t i = 0; i < n; i++) {
		const uint8_t *dot = s.n > 0 ? memchr(s.p, '.', s.n) : NULL;
		const size_t len = dot != NULL ? (size_t)(dot - s.p) : s.n;
		json_t *v;

		v = (dot == NULL) == (i == n - 1) ? json_stringn((const char *)s.p, len) : NULL;
		if (v == NULL || json_object_set_new(object, names[i], v) != 0 ||
		    !is_b64url(json_string_value(v))) {
			wipe_free(object);
			return NULL;
		}
		s = dot != NULL ? uk_span(dot + 1, s.n - len - 1) : uk_span(NULL, 0);
	}
	return object;
}

struct header {
	const char *alg, *kid, *typ, *enc;
	json_t *epk;
};

static bool
is_es256(const char *s)
{
	return strcmp(s, "ES256") == 0;
}

static bool
is_ecdh_es(const char *s)
{
	return strcmp(s, "ECDH-ES") == 0;
}

static bool
is_a256gcm(const char *s)
{
	return strcmp(s, "A256GCM") == 0;
}

/* One algorithm each, whatever the header says: nothing else is even looked up in libjose. */
static const struct uk_field jws_header[] = {
	{ "alg", UK_F_STR, UK_F_REQUIRED, 1, 16, offsetof(struct header, alg), is_es256 },
	{ "kid", UK_F_STR, UK_F_REQUIRED, THUMB_TEXT, THUMB_TEXT, offsetof(struct header, kid),
	    NULL },
	{ "typ", UK_F_STR, UK_F_REQUIRED, 1, 32, offsetof(struct header, typ), NULL },
};
static const struct uk_field jwe_header[] = {
	{ "alg", UK_F_STR, UK_F_REQUIRED, 1, 16, offsetof(struct header, alg), is_ecdh_es },
	{ "enc", UK_F_STR, UK_F_REQUIRED, 1, 16, offsetof(struct header, enc), is_a256gcm },
	{ "kid", UK_F_STR, UK_F_REQUIRED, THUMB_TEXT, THUMB_TEXT, offsetof(struct header, kid),
	    NULL },
	{ "epk", UK_F_JSON, UK_F_REQUIRED, 0, 0, offsetof(struct header, epk), NULL },
};

/* A base64url member that holds a JSON object; NULL when it does not. */
static json_t *
get_json(const json_t *object, const char *member, size_t max)
{
	const char *text = json_string_value(json_object_get(object, member));
	struct uk_buf b;
	json_t *json = NULL;

	uk_buf_init(&b, max);
	if (uk_b64url_get(&b, text) != UK_OK ||
	    uk_json_parse(uk_buf_span(&b), max, &json, NULL) != UK_OK)
		json = NULL;
	uk_buf_fini(&b);
	return json;
}

static enum uk_rc
put_json(json_t *object, const char *member, const json_t *value, size_t max)
{
	struct uk_buf plain, text;
	enum uk_rc rc;

	uk_buf_init(&plain, max);
	uk_buf_init(&text, 2 * max);
	rc = uk_json_put(&plain, value);
	if (rc == UK_OK) {
		uk_b64url_put(&text, uk_buf_span(&plain));
		if (json_object_set_new(
			object, member, json_stringn((const char *)text.p, text.n)) != 0)
			rc = UK_E_INTERNAL;
	}
	uk_buf_fini(&plain);
	uk_buf_fini(&text);
	return rc;
}

/* A compact JWS over claims; typ keeps a ticket from passing as a vouch and the other way. */
static enum uk_rc
sign(struct uk_buf *out, const json_t *claims, const struct uk_jwk *key, const char *typ,
    struct uk_err *err)
{
	json_t *jws = json_object();
	json_t *sig = json_pack(
	    "{s:{s:s, s:s, s:s}}", "protected", "alg", "ES256", "kid", key->thumbprint, "typ", typ);
	enum uk_rc rc;

	rc = put_json(jws, "payload", claims, JWS_MAX / 2);
	if (rc == UK_OK && !jose_jws_sig(NULL, jws, sig, key->json))
		rc = UK_E_INTERNAL;
	if (rc == UK_OK) {
		put_compact(out, jws, jws_parts, COUNT(jws_parts));
		if (uk_buf_failed(out))
			rc = UK_E_LIMIT;
	}
	wipe_free(jws);
	json_decref(sig);
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, "jose_jws_sig", 0);
}

/* How a JWS fails, in the words of what it is. */
struct words {
	const char *typ, *malformed, *untrusted;
};

static const struct words ticket_words = { "ukey-ticket", "ticket-malformed", "ticket-untrusted" };
static const struct words vouch_words = { "ukey-vouch", "vouch-malformed", "vouch-untrusted" };

static const struct uk_jwk *
find_key(struct uk_jwk *const *keys, size_t n, const char *kid)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i]->thumbprint, kid) == 0)
			return keys[i];
	return NULL;
}

/* The claims of a compact JWS signed by the one of keys that its kid names. */
static enum uk_rc
verify(struct uk_span s, struct uk_jwk *const *keys, size_t n, const struct words *w, json_t **out,
    struct uk_err *err)
{
	json_t *jws = s.n <= JWS_MAX ? get_compact(s, jws_parts, COUNT(jws_parts)) : NULL;
	json_t *head = jws != NULL ? get_json(jws, "protected", HEADER_MAX) : NULL;
	enum uk_rc rc = UK_E_INPUT;
	const char *reason = w->malformed;
	const struct uk_jwk *key;
	struct header h = { 0 };

	if (head == NULL ||
	    uk_fields_read(jws_header, COUNT(jws_header), head, &h, NULL) != UK_OK ||
	    strcmp(h.typ, w->typ) != 0)
		goto out;
	reason = w->untrusted;
	key = find_key(keys, n, h.kid);
	rc = key == NULL ? UK_E_DENIED : UK_E_INTEGRITY;
	if (key == NULL || !jose_jws_ver(NULL, jws, NULL, key->json, false))
		goto out;
	reason = w->malformed;
	rc = UK_E_INPUT;
	*out = get_json(jws, "payload", JWS_MAX);
	if (*out != NULL)
		rc = UK_OK;
out:
	json_decref(head);
	wipe_free(jws);
	ERR_clear_error();
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, reason, "jws", 0);
}

struct claims {
	const char *jti, *purpose, *order, *token, *certificate, *origin, *channel, *label;
	const char *nonce, *so_pin, *pin, *auth_key, *so_pin_old, *so_pin_next;
	int64_t exp;
};

static bool
is_purpose(const char *s)
{
	return strcmp(s, "production") == 0 || strcmp(s, "unlock") == 0;
}

static bool
is_hash(const char *s)
{
	return *s == '\0' || (strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64);
}

static const struct uk_field claim_table[] = {
	{ "jti", UK_F_STR, UK_F_REQUIRED, 1, 64, offsetof(struct claims, jti), NULL },
	{ "purpose", UK_F_STR, UK_F_REQUIRED, 1, 16, offsetof(struct claims, purpose), is_purpose },
	{ "order", UK_F_STR, UK_F_REQUIRED, 1, 64, offsetof(struct claims, order), NULL },
	{ "token", UK_F_STR, UK_F_REQUIRED, 0, 64, offsetof(struct claims, token), NULL },
	{ "certificate", UK_F_STR, UK_F_REQUIRED, 0, 64, offsetof(struct claims, certificate),
	    is_hash },
	{ "origin", UK_F_STR, UK_F_REQUIRED, 1, 256, offsetof(struct claims, origin), NULL },
	{ "channel", UK_F_STR, UK_F_REQUIRED, THUMB_TEXT, THUMB_TEXT,
	    offsetof(struct claims, channel), NULL },
	{ "label", UK_F_STR, UK_F_REQUIRED, 0, 128, offsetof(struct claims, label), NULL },
	{ "so_pin", UK_F_STR, UK_F_REQUIRED, 1, 64, offsetof(struct claims, so_pin), NULL },
	{ "pin", UK_F_STR, 0, 1, 64, offsetof(struct claims, pin), NULL },
	{ "auth_key", UK_F_STR, 0, 1, 64, offsetof(struct claims, auth_key), NULL },
	{ "so_pin_old", UK_F_STR, 0, 1, 64, offsetof(struct claims, so_pin_old), NULL },
	{ "so_pin_next", UK_F_STR, 0, 1, 64, offsetof(struct claims, so_pin_next), NULL },
	{ "nonce", UK_F_STR, 0, 16, 128, offsetof(struct claims, nonce), NULL },
	{ "exp", UK_F_INT, UK_F_REQUIRED, 1, INT64_MAX, offsetof(struct claims, exp), NULL },
};

/* What a purpose has to have, and what it has no use for. */
static bool
fits_purpose(const struct claims *c)
{
	if (strcmp(c->purpose, "unlock") != 0)
		return c->so_pin_old == NULL && c->so_pin_next == NULL && c->nonce == NULL;
	return c->token[0] != '\0' && c->certificate[0] != '\0' && c->nonce != NULL &&
	       c->so_pin_next != NULL && c->pin == NULL && c->auth_key == NULL;
}

static enum uk_rc
read_claims(const json_t *claims, struct claims *out, struct uk_err *err)
{
	const enum uk_rc rc = uk_fields_read(claim_table, COUNT(claim_table), claims, out, err);

	if (rc == UK_OK && !fits_purpose(out))
		return uk_fail(err, UK_E_INPUT, "ticket-malformed", "claims", 0);
	return rc;
}

static json_t *
secret_json(const struct uk_secret *s)
{
	const struct uk_span b = uk_secret_lend(s);

	return s != NULL ? json_stringn((const char *)b.p, b.n) : NULL;
}

static bool
put_secret(json_t *claims, const char *name, const struct uk_secret *s)
{
	return s == NULL || json_object_set_new(claims, name, secret_json(s)) == 0;
}

/* `channel` is said by the key it is sealed to, so a caller can't get it wrong. */
static json_t *
put_claims(const struct uk_ticket *t, const struct uk_jwk *channel)
{
	json_t *c = json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:s?, s:I, s:o?}", "jti",
	    t->jti, "purpose", t->purpose, "order", t->order, "token", t->token, "certificate",
	    t->certificate, "origin", t->origin, "channel", channel->thumbprint, "label", t->label,
	    "exp", (json_int_t)t->expires, "so_pin", secret_json(t->so_pin));

	if (put_secret(c, "pin", t->pin) && put_secret(c, "auth_key", t->auth_key) &&
	    put_secret(c, "so_pin_old", t->so_pin_old) &&
	    put_secret(c, "so_pin_next", t->so_pin_next) &&
	    (t->nonce == NULL || json_object_set_new(c, "nonce", json_string(t->nonce)) == 0))
		return c;
	wipe_free(c);
	return NULL;
}

/*
 * RFC 7518 section 4.6, direct key agreement.  libjose puts epk into the unprotected header, which
 * a compact form does not have: it moves to the protected one before that is authenticated.
 */
static enum uk_rc
encrypt(struct uk_span plain, const struct uk_jwk *to, struct uk_buf *out, struct uk_err *err)
{
	json_t *jwe = json_pack("{s:{s:s, s:s, s:s}}", "protected", "alg", "ECDH-ES", "enc",
	    "A256GCM", "kid", to->thumbprint);
	json_t *public = uk_jwk_public(to);
	json_t *cek = json_object();
	json_t *epk;
	enum uk_rc rc = UK_E_INTERNAL;

	if (!jose_jwe_enc_jwk(NULL, jwe, NULL, public, cek))
		goto out;
	epk = json_object_get(json_object_get(jwe, "header"), "epk");
	if (epk == NULL || json_object_set(json_object_get(jwe, "protected"), "epk", epk) != 0 ||
	    json_object_del(jwe, "header") != 0 ||
	    !jose_jwe_enc_cek(NULL, jwe, cek, plain.p, plain.n))
		goto out;
	put_compact(out, jwe, jwe_parts, COUNT(jwe_parts));
	rc = uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
out:
	wipe_free(cek);
	json_decref(public);
	json_decref(jwe);
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, "jose_jwe_enc", 0);
}

enum uk_rc
uk_ticket_seal(const struct uk_ticket *t, const struct uk_jwk *ca, const struct uk_jwk *channel,
    struct uk_buf *out, struct uk_err *err)
{
	json_t *claims = put_claims(t, channel);
	struct claims check = { 0 };
	struct uk_buf jws;
	enum uk_rc rc;

	uk_buf_init(&jws, JWS_MAX);
	/* The reader's own table: what is sealed can be opened. */
	rc = claims != NULL ? read_claims(claims, &check, err)
			    : uk_fail(err, UK_E_INPUT, "ticket-malformed", "claims", 0);
	if (rc == UK_OK)
		rc = sign(&jws, claims, ca, ticket_words.typ, err);
	if (rc == UK_OK)
		rc = encrypt(uk_buf_span(&jws), channel, out, err);
	uk_buf_fini(&jws);
	wipe_free(claims);
	return rc;
}

/* The header first: what it does not allow never reaches the cipher. */
static enum uk_rc
check_jwe(const json_t *jwe, const struct uk_jwk *channel, struct uk_err *err)
{
	json_t *head = get_json(jwe, "protected", HEADER_MAX);
	struct header h = { 0 };
	enum uk_rc rc = UK_OK;

	if (head == NULL || json_string_length(json_object_get(jwe, "encrypted_key")) != 0 ||
	    uk_fields_read(jwe_header, COUNT(jwe_header), head, &h, NULL) != UK_OK ||
	    !uk_jwk_sound(h.epk) || json_object_get(h.epk, "d") != NULL)
		rc = uk_fail(err, UK_E_INPUT, "ticket-malformed", "jwe", 0);
	else if (strcmp(h.kid, channel->thumbprint) != 0)
		rc = uk_fail(err, UK_E_DENIED, "ticket-other-channel", "jwe", 0);
	json_decref(head);
	return rc;
}

static enum uk_rc
decrypt(const char *text, const struct uk_jwk *channel, struct uk_buf *out, struct uk_err *err)
{
	const size_t n = strnlen(text, UK_TICKET_MAX + 1);
	json_t *jwe =
	    n <= UK_TICKET_MAX ? get_compact(uk_span(text, n), jwe_parts, COUNT(jwe_parts)) : NULL;
	enum uk_rc rc;
	size_t len = 0;
	void *plain;

	if (jwe == NULL)
		return uk_fail(err, UK_E_INPUT, "ticket-malformed", "jwe", 0);
	rc = check_jwe(jwe, channel, err);
	if (rc != UK_OK)
		goto out;
	/* libjose takes an empty member for a wrapped key. */
	(void)json_object_del(jwe, "encrypted_key");
	plain = jose_jwe_dec(NULL, jwe, NULL, channel->json, &len);
	if (plain == NULL) {
		rc = uk_fail(err, UK_E_INTEGRITY, "ticket-malformed", "jose_jwe_dec", 0);
		goto out;
	}
	uk_buf_put(out, uk_span(plain, len));
	explicit_bzero(plain, len);
	free(plain);
	rc = uk_buf_failed(out) ? uk_fail(err, UK_E_INPUT, "ticket-malformed", "jwe", 0) : UK_OK;
out:
	json_decref(jwe);
	ERR_clear_error();
	return rc;
}

static enum uk_rc
check_claims(const struct claims *c, const struct uk_jwk *channel, int64_t now, struct uk_err *err)
{
	if (strcmp(c->channel, channel->thumbprint) != 0)
		return uk_fail(err, UK_E_DENIED, "ticket-other-channel", "ticket", 0);
	if (c->exp <= now || c->exp - now > UK_TICKET_LIFE_MAX)
		return uk_fail(err, UK_E_DENIED, "ticket-expired", "ticket", 0);
	return UK_OK;
}

/* The secret's only copy is the struct uk_secret afterwards. */
static struct uk_secret *
take_secret(json_t *claims, const char *member)
{
	json_t *v = json_object_get(claims, member);
	struct uk_secret *s;

	if (v == NULL)
		return NULL;
	s = uk_secret_new(uk_span(json_string_value(v), json_string_length(v)));
	uk_json_wipe(v);
	(void)json_object_del(claims, member);
	return s;
}

/* Takes claims. */
static void
set_ticket(struct uk_ticket *t, const struct claims *c, json_t *claims)
{
	*t = (struct uk_ticket){
		.jti = c->jti,
		.purpose = c->purpose,
		.order = c->order,
		.token = c->token,
		.certificate = c->certificate,
		.origin = c->origin,
		.channel = c->channel,
		.label = c->label,
		.expires = c->exp,
		.so_pin = take_secret(claims, "so_pin"),
		.pin = take_secret(claims, "pin"),
		.auth_key = take_secret(claims, "auth_key"),
		.so_pin_old = take_secret(claims, "so_pin_old"),
		.so_pin_next = take_secret(claims, "so_pin_next"),
		.nonce = c->nonce,
		.claims = claims,
	};
}

enum uk_rc
uk_ticket_open(const char *jwe, const struct uk_jwk *channel, struct uk_jwk *const *trusted,
    size_t n_trusted, int64_t now, struct uk_ticket *out, struct uk_err *err)
{
	struct claims c = { 0 };
	json_t *claims = NULL;
	struct uk_buf jws;
	enum uk_rc rc;

	uk_buf_init(&jws, JWS_MAX);
	rc = decrypt(jwe, channel, &jws, err);
	if (rc == UK_OK)
		rc = verify(uk_buf_span(&jws), trusted, n_trusted, &ticket_words, &claims, err);
	if (rc == UK_OK && read_claims(claims, &c, NULL) != UK_OK)
		rc = uk_fail(err, UK_E_INPUT, "ticket-malformed", "claims", 0);
	if (rc == UK_OK)
		rc = check_claims(&c, channel, now, err);
	uk_buf_fini(&jws);
	if (rc != UK_OK)
		wipe_free(claims);
	else
		set_ticket(out, &c, claims);
	return rc;
}

void
uk_ticket_fini(struct uk_ticket *t)
{
	uk_secret_free(&t->so_pin);
	uk_secret_free(&t->pin);
	uk_secret_free(&t->auth_key);
	uk_secret_free(&t->so_pin_old);
	uk_secret_free(&t->so_pin_next);
	json_decref(t->claims);
	*t = (struct uk_ticket){ 0 };
}

struct vouch {
	const char *channel, *origin;
	int64_t iat;
};

static const struct uk_field vouch_table[] = {
	{ "channel", UK_F_STR, UK_F_REQUIRED, THUMB_TEXT, THUMB_TEXT,
	    offsetof(struct vouch, channel), NULL },
	{ "origin", UK_F_STR, UK_F_REQUIRED, 1, 256, offsetof(struct vouch, origin), NULL },
	{ "iat", UK_F_INT, UK_F_REQUIRED, 1, INT64_MAX, offsetof(struct vouch, iat), NULL },
};

enum uk_rc
uk_station_vouch(const struct uk_jwk *station, const struct uk_jwk *channel, const char *origin,
    int64_t now, struct uk_buf *out, struct uk_err *err)
{
	json_t *claims = json_pack("{s:s, s:s, s:I}", "channel", channel->thumbprint, "origin",
	    origin, "iat", (json_int_t)now);
	struct vouch v = { 0 };
	enum uk_rc rc;

	rc = claims != NULL ? uk_fields_read(vouch_table, COUNT(vouch_table), claims, &v, err)
			    : uk_fail(err, UK_E_INPUT, "vouch-malformed", "claims", 0);
	if (rc == UK_OK)
		rc = sign(out, claims, station, vouch_words.typ, err);
	json_decref(claims);
	return rc;
}

enum uk_rc
uk_station_check(const char *jws, const struct uk_jwk *station, const struct uk_jwk *channel,
    const char *origin, int64_t now, struct uk_err *err)
{
	/* verify() only reads, but its list of keys is the one that callers hold. */
	struct uk_jwk *const keys[] = { (struct uk_jwk *)(uintptr_t)station };
	struct vouch v = { 0 };
	json_t *claims = NULL;
	enum uk_rc rc;

	rc = verify(uk_span(jws, strnlen(jws, JWS_MAX + 1)), keys, 1, &vouch_words, &claims, err);
	if (rc != UK_OK)
		return rc;
	if (uk_fields_read(vouch_table, COUNT(vouch_table), claims, &v, NULL) != UK_OK)
		rc = uk_fail(err, UK_E_INPUT, "vouch-malformed", "vouch", 0);
	else if (strcmp(v.channel, channel->thumbprint) != 0)
		rc = uk_fail(err, UK_E_DENIED, "vouch-other-channel", "vouch", 0);
	else if (strcmp(v.origin, origin) != 0)
		rc = uk_fail(err, UK_E_DENIED, "vouch-other-origin", "vouch", 0);
	else if (v.iat < now - VOUCH_LIFE || v.iat > now + VOUCH_LIFE)
		rc = uk_fail(err, UK_E_DENIED, "vouch-expired", "vouch", 0);
	json_decref(claims);
	return rc;
}
