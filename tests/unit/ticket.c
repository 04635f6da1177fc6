/* Sealed tickets and station vouches: what opens, and everything that must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jose/jwe.h>
#include <jose/jwk.h>
#include <jose/jws.h>

#include "uk/b64.h"
#include "uk/pubkey.h"
#include "uk/ticket.h"

#define NOW    1795329000
#define ORIGIN "https://ca.example"

struct keys {
	struct uk_jwk *ca, *old_ca, *channel, *other, *station;
	char ca_kid[UK_THUMB_LEN];
	char channel_kid[UK_THUMB_LEN];
	struct uk_secret *so_pin, *pin;
};

static int
setup(void **state)
{
	struct keys *k = calloc(1, sizeof(*k));

	if (uk_jwk_new(&k->ca, NULL) != UK_OK || uk_jwk_new(&k->old_ca, NULL) != UK_OK ||
	    uk_jwk_new(&k->channel, NULL) != UK_OK || uk_jwk_new(&k->other, NULL) != UK_OK ||
	    uk_jwk_new(&k->station, NULL) != UK_OK)
		return -1;
	uk_jwk_thumbprint(k->ca, k->ca_kid);
	uk_jwk_thumbprint(k->channel, k->channel_kid);
	k->so_pin = uk_secret_new(uk_span_str("so-0123456789abcdef"));
	k->pin = uk_secret_new(uk_span_str("583920"));
	*state = k;
	return 0;
}

static int
teardown(void **state)
{
	struct keys *k = *state;

	uk_jwk_free(&k->ca);
	uk_jwk_free(&k->old_ca);
	uk_jwk_free(&k->channel);
	uk_jwk_free(&k->other);
	uk_jwk_free(&k->station);
	uk_secret_free(&k->so_pin);
	uk_secret_free(&k->pin);
	free(k);
	return 0;
}

static struct uk_ticket
sample(const struct keys *k)
{
	return (struct uk_ticket){ .jti = "t-1",
		.purpose = "production",
		.order = "UK26112212345678",
		.token = "",
		.certificate = "",
		.origin = ORIGIN,
		.label = "\xe7\xa4\xba\xe8\x8c\x83\xe5\x85\xac\xe5\x8f\xb8",
		.expires = NOW + 90,
		.so_pin = k->so_pin,
		.pin = k->pin };
}

static char *
seal(const struct keys *k)
{
	const struct uk_ticket t = sample(k);
	struct uk_buf b;

	uk_buf_init(&b, UK_TICKET_MAX);
	assert_int_equal(uk_ticket_seal(&t, k->ca, k->channel, &b, NULL), UK_OK);
	return uk_buf_steal_str(&b);
}

static enum uk_rc
try_open(const struct keys *k, const char *jwe, int64_t now, struct uk_err *err)
{
	struct uk_jwk *const trusted[] = { k->ca };
	struct uk_ticket t = { 0 };
	const enum uk_rc rc = uk_ticket_open(jwe, k->channel, trusted, 1, now, &t, err);

	if (rc != UK_OK)
		assert_null(t.claims);
	uk_ticket_fini(&t);
	return rc;
}

static void
refused(const struct keys *k, char *jwe, enum uk_rc rc, const char *reason)
{
	struct uk_err err = { 0 };

	assert_int_equal(try_open(k, jwe, NOW, &err), rc);
	assert_string_equal(uk_err_reason(&err), reason);
	free(jwe);
}

static void
opens(void **state)
{
	const struct keys *k = *state;
	struct uk_jwk *const trusted[] = { k->old_ca, k->ca }; /* two at a time, for rotation */
	struct uk_ticket t = { 0 };
	char *jwe = seal(k);

	assert_int_equal(uk_ticket_open(jwe, k->channel, trusted, 2, NOW, &t, NULL), UK_OK);
	assert_string_equal(t.jti, "t-1");
	assert_string_equal(t.purpose, "production");
	assert_string_equal(t.order, "UK26112212345678");
	assert_string_equal(t.token, "");
	assert_string_equal(t.certificate, "");
	assert_string_equal(t.origin, ORIGIN);
	assert_string_equal(t.channel, k->channel_kid);
	assert_string_equal(t.label, sample(k).label);
	assert_int_equal(t.expires, NOW + 90);
	assert_true(uk_secret_eq(t.so_pin, k->so_pin));
	assert_true(uk_secret_eq(t.pin, k->pin));
	assert_null(json_object_get(t.claims, "so_pin"));
	assert_null(json_object_get(t.claims, "pin"));
	uk_ticket_fini(&t);
	assert_null(t.so_pin);
	free(jwe);
}

static void
opens_without_a_pin(void **state)
{
	const struct keys *k = *state;
	struct uk_jwk *const trusted[] = { k->ca };
	struct uk_ticket t = sample(k);
	struct uk_buf b;

	t.token = "0A1B2C";
	t.pin = NULL;
	uk_buf_init(&b, UK_TICKET_MAX);
	assert_int_equal(uk_ticket_seal(&t, k->ca, k->channel, &b, NULL), UK_OK);
	assert_int_equal(
	    uk_ticket_open(uk_buf_str(&b), k->channel, trusted, 1, NOW, &t, NULL), UK_OK);
	assert_null(t.pin);
	assert_string_equal(t.token, "0A1B2C");
	uk_ticket_fini(&t);
	uk_buf_fini(&b);
}

static struct uk_ticket
unlock_sample(const struct keys *k)
{
	struct uk_ticket t = sample(k);

	t.purpose = "unlock";
	t.token = "0A1B2C";
	t.certificate = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	t.pin = NULL;
	t.so_pin_old = k->pin;
	t.so_pin_next = k->so_pin;
	t.nonce = "0123456789abcdef";
	return t;
}

static void
opens_an_unlock_ticket(void **state)
{
	const struct keys *k = *state;
	struct uk_jwk *const trusted[] = { k->ca };
	struct uk_ticket t = unlock_sample(k);
	struct uk_buf b;

	uk_buf_init(&b, UK_TICKET_MAX);
	assert_int_equal(uk_ticket_seal(&t, k->ca, k->channel, &b, NULL), UK_OK);
	assert_int_equal(
	    uk_ticket_open(uk_buf_str(&b), k->channel, trusted, 1, NOW, &t, NULL), UK_OK);
	assert_string_equal(t.nonce, "0123456789abcdef");
	assert_true(uk_secret_eq(t.so_pin_old, k->pin));
	assert_true(uk_secret_eq(t.so_pin_next, k->so_pin));
	assert_null(json_object_get(t.claims, "so_pin_old"));
	assert_null(json_object_get(t.claims, "so_pin_next"));
	assert_null(t.pin);
	uk_ticket_fini(&t);
	assert_null(t.so_pin_next);
	uk_buf_fini(&b);
}

static void
seal_keeps_purposes_apart(void **state)
{
	const struct keys *k = *state;
	struct uk_ticket bad[8];
	struct uk_err err = { 0 };
	struct uk_buf b;

	for (size_t i = 0; i < 6; i++)
		bad[i] = unlock_sample(k);
	bad[0].token = "";
	bad[1].certificate = "";
	bad[2].nonce = NULL;
	bad[3].so_pin_next = NULL;
	bad[4].pin = k->pin;
	bad[5].auth_key = k->pin;
	bad[6] = bad[7] = sample(k);
	bad[6].so_pin_next = k->so_pin;
	bad[7].nonce = "0123456789abcdef";
	uk_buf_init(&b, UK_TICKET_MAX);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(uk_ticket_seal(&bad[i], k->ca, k->channel, &b, &err), UK_E_INPUT);
		assert_string_equal(err.reason, "ticket-malformed");
	}
	uk_buf_fini(&b);
}

/* Nothing of a ticket can be read by who only sees it pass. */
static void
hides_everything(void **state)
{
	const struct keys *k = *state;
	char *a = seal(k), *b = seal(k);

	assert_null(strstr(a, "583920"));
	assert_string_not_equal(a, b);
	free(a);
	free(b);
}

static void
every_changed_character_is_refused(void **state)
{
	const struct keys *k = *state;
	char *jwe = seal(k);

	for (size_t i = 0; jwe[i] != '\0'; i++) {
		const char was = jwe[i];
		struct uk_err err = { 0 };

		jwe[i] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(try_open(k, jwe, NOW, &err), UK_OK);
		assert_true(strncmp(uk_err_reason(&err), "ticket-", 7) == 0);
		jwe[i] = was;
	}
	assert_int_equal(try_open(k, jwe, NOW, NULL), UK_OK);
	free(jwe);
}

static void
every_cut_is_refused(void **state)
{
	const struct keys *k = *state;
	char *jwe = seal(k);

	for (size_t n = strlen(jwe); n > 0; n--) {
		jwe[n - 1] = '\0';
		assert_int_not_equal(try_open(k, jwe, NOW, NULL), UK_OK);
	}
	free(jwe);
}

static void
malformed(void **state)
{
	static const char *const rows[] = { "", ".", "....", "a.b.c.d.e", "{}",
		"e30.e30.e30.e30.e30", "e30..e30.e30.e30", "bm90IGpzb24..e30.e30.e30", "....." };
	const struct keys *k = *state;
	char *jwe = seal(k);
	struct uk_buf b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(k, uk_xstrdup(rows[i]), UK_E_INPUT, "ticket-malformed");
	uk_buf_init(&b, 4 * UK_TICKET_MAX);
	uk_buf_printf(&b, "%s.e30", jwe);
	refused(k, uk_buf_steal_str(&b), UK_E_INPUT, "ticket-malformed");
	uk_buf_printf(&b, "%s\n", jwe);
	refused(k, uk_buf_steal_str(&b), UK_E_INPUT, "ticket-malformed");
	uk_buf_printf(&b, "%s", jwe);
	while (b.n <= UK_TICKET_MAX)
		uk_buf_put_u8(&b, 'A');
	refused(k, uk_buf_steal_str(&b), UK_E_INPUT, "ticket-malformed");
	free(jwe);
}

static void
lives_two_minutes_at_most(void **state)
{
	const struct keys *k = *state;
	struct uk_err err = { 0 };
	char *jwe = seal(k);

	assert_int_equal(try_open(k, jwe, NOW + 89, NULL), UK_OK);
	assert_int_equal(try_open(k, jwe, NOW + 90, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "ticket-expired");
	assert_int_equal(try_open(k, jwe, NOW + 100000, &err), UK_E_DENIED);
	assert_int_equal(try_open(k, jwe, NOW + 90 - UK_TICKET_LIFE_MAX, NULL), UK_OK);
	assert_int_equal(try_open(k, jwe, NOW + 89 - UK_TICKET_LIFE_MAX, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "ticket-expired");
	free(jwe);
}

static void
other_channel(void **state)
{
	const struct keys *k = *state;
	struct uk_jwk *const trusted[] = { k->ca };
	struct uk_err err = { 0 };
	struct uk_ticket t = { 0 };
	char *jwe = seal(k);

	assert_int_equal(uk_ticket_open(jwe, k->other, trusted, 1, NOW, &t, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "ticket-other-channel");
	free(jwe);
}

static void
untrusted(void **state)
{
	const struct keys *k = *state;
	struct uk_jwk *const wrong[] = { k->old_ca, k->other };
	struct uk_err err = { 0 };
	struct uk_ticket t = { 0 };
	char *jwe = seal(k);

	assert_int_equal(uk_ticket_open(jwe, k->channel, wrong, 2, NOW, &t, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "ticket-untrusted");
	assert_int_equal(uk_ticket_open(jwe, k->channel, NULL, 0, NOW, &t, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "ticket-untrusted");
	free(jwe);
}

/* --- forgeries: built with libjose directly, as an attacker would ---------------------------- */

static json_t *
claims_of(const struct keys *k)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "jti", "t-1",
	    "purpose", "production", "order", "UK1", "token", "", "certificate", "", "origin",
	    ORIGIN, "channel", k->channel_kid, "label", "", "so_pin", "so", "exp",
	    (json_int_t)NOW + 90);
}

static json_t *
jws_header(const char *alg, const char *kid, const char *typ)
{
	return json_pack("{s:s, s:s, s:s}", "alg", alg, "kid", kid, "typ", typ);
}

static void
put_part(struct uk_buf *out, const json_t *object, const char *name)
{
	uk_buf_put_str(out, json_string_value(json_object_get(object, name)));
}

/* Takes header and claims; key is a JWK, NULL for "alg":"none". */
static char *
jws_forge(json_t *header, json_t *claims, const json_t *key)
{
	char *text = json_dumps(claims, 0);
	char *head = json_dumps(header, 0);
	struct uk_buf out;
	json_t *jws, *sig;

	uk_buf_init(&out, 4096);
	if (key == NULL) {
		uk_b64url_put(&out, uk_span_str(head));
		uk_buf_put_u8(&out, '.');
		uk_b64url_put(&out, uk_span_str(text));
		uk_buf_put_u8(&out, '.');
	} else {
		uk_b64url_put(&out, uk_span_str(text));
		jws = json_pack("{s:s}", "payload", uk_buf_str(&out));
		sig = json_pack("{s:O}", "protected", header);
		assert_true(jose_jws_sig(NULL, jws, sig, key));
		uk_buf_reset(&out);
		put_part(&out, jws, "protected");
		uk_buf_put_u8(&out, '.');
		put_part(&out, jws, "payload");
		uk_buf_put_u8(&out, '.');
		put_part(&out, jws, "signature");
		json_decref(jws);
		json_decref(sig);
	}
	free(text);
	free(head);
	json_decref(header);
	json_decref(claims);
	return uk_buf_steal_str(&out);
}

/* Takes header and plain. */
static char *
jwe_forge(json_t *header, const struct uk_jwk *to, char *plain)
{
	static const char *const names[] = { "protected", "encrypted_key", "iv", "ciphertext",
		"tag" };
	json_t *jwe = json_pack("{s:o}", "protected", header);
	json_t *public = uk_jwk_public(to);
	json_t *cek = json_object(), *epk;
	struct uk_buf out;

	assert_true(jose_jwe_enc_jwk(NULL, jwe, NULL, public, cek));
	epk = json_object_get(json_object_get(jwe, "header"), "epk");
	(void)json_object_set(json_object_get(jwe, "protected"), "epk", epk);
	(void)json_object_del(jwe, "header");
	assert_true(jose_jwe_enc_cek(NULL, jwe, cek, plain, strlen(plain)));
	uk_buf_init(&out, UK_TICKET_MAX);
	for (size_t i = 0; i < 5; i++) {
		if (i > 0)
			uk_buf_put_u8(&out, '.');
		put_part(&out, jwe, names[i]);
	}
	json_decref(cek);
	json_decref(public);
	json_decref(jwe);
	free(plain);
	return uk_buf_steal_str(&out);
}

static char *
jwe_around(const struct keys *k, char *jws)
{
	return jwe_forge(
	    json_pack("{s:s, s:s, s:s}", "alg", "ECDH-ES", "enc", "A256GCM", "kid", k->channel_kid),
	    k->channel, jws);
}

static char *
signed_by_ca(const struct keys *k, json_t *header, json_t *claims)
{
	json_t *key = uk_jwk_private(k->ca);
	char *jws = jws_forge(header, claims, key);

	json_decref(key);
	return jws;
}

/* The forging tools make what opens, so the refusals below are for their reasons. */
static void
forge_control(void **state)
{
	const struct keys *k = *state;
	char *jwe = jwe_around(
	    k, signed_by_ca(k, jws_header("ES256", k->ca_kid, "ukey-ticket"), claims_of(k)));

	assert_int_equal(try_open(k, jwe, NOW, NULL), UK_OK);
	free(jwe);
}

static void
algorithm_none(void **state)
{
	const struct keys *k = *state;

	refused(k,
	    jwe_around(
		k, jws_forge(jws_header("none", k->ca_kid, "ukey-ticket"), claims_of(k), NULL)),
	    UK_E_INPUT, "ticket-malformed");
	refused(k,
	    jwe_around(
		k, jws_forge(jws_header("ES256", k->ca_kid, "ukey-ticket"), claims_of(k), NULL)),
	    UK_E_INTEGRITY, "ticket-untrusted");
}

/* HMAC with what everybody knows, the CA's public key, as its secret. */
static void
algorithm_confusion(void **state)
{
	const struct keys *k = *state;
	json_t *public = uk_jwk_public(k->ca);
	json_t *oct = json_pack("{s:s, s:O}", "kty", "oct", "k", json_object_get(public, "x"));

	refused(k,
	    jwe_around(
		k, jws_forge(jws_header("HS256", k->ca_kid, "ukey-ticket"), claims_of(k), oct)),
	    UK_E_INPUT, "ticket-malformed");
	json_decref(oct);
	json_decref(public);
}

/* Signed by somebody else under the CA's name. */
static void
kid_of_another(void **state)
{
	const struct keys *k = *state;
	json_t *key = uk_jwk_private(k->other);

	refused(k,
	    jwe_around(
		k, jws_forge(jws_header("ES256", k->ca_kid, "ukey-ticket"), claims_of(k), key)),
	    UK_E_INTEGRITY, "ticket-untrusted");
	json_decref(key);
}

/* The legitimate receiver of one ticket seals its inside anew for another channel. */
static void
sealed_again_for_another(void **state)
{
	const struct keys *k = *state;
	json_t *claims = claims_of(k);

	(void)json_object_set_new(claims, "channel", json_string(k->ca_kid));
	refused(k,
	    jwe_around(k, signed_by_ca(k, jws_header("ES256", k->ca_kid, "ukey-ticket"), claims)),
	    UK_E_DENIED, "ticket-other-channel");
}

static void
header_says_more(void **state)
{
	const struct keys *k = *state;
	json_t *crit = jws_header("ES256", k->ca_kid, "ukey-ticket");
	json_t *jwk = jws_header("ES256", k->ca_kid, "ukey-ticket");

	(void)json_object_set_new(crit, "crit", json_pack("[s]", "exp"));
	refused(
	    k, jwe_around(k, signed_by_ca(k, crit, claims_of(k))), UK_E_INPUT, "ticket-malformed");
	(void)json_object_set_new(jwk, "jwk", uk_jwk_public(k->other));
	refused(
	    k, jwe_around(k, signed_by_ca(k, jwk, claims_of(k))), UK_E_INPUT, "ticket-malformed");
	refused(k,
	    jwe_around(
		k, signed_by_ca(k, jws_header("ES256", k->ca_kid, "ukey-vouch"), claims_of(k))),
	    UK_E_INPUT, "ticket-malformed");
}

static void
claims_are_checked(void **state)
{
	static const char *const drop[] = { "jti", "purpose", "order", "token", "certificate",
		"origin", "channel", "label", "so_pin", "exp" };
	static const char *const wrong[][2] = { { "purpose", "\"format\"" },
		{ "certificate", "\"zz\"" }, { "pin", "\"\"" }, { "so_pin", "7" },
		{ "exp", "\"soon\"" }, { "admin", "true" }, { "jti", "\"\"" } };
	const struct keys *k = *state;
	json_t *c;

	for (size_t i = 0; i < sizeof(drop) / sizeof(drop[0]); i++) {
		c = claims_of(k);
		(void)json_object_del(c, drop[i]);
		refused(k,
		    jwe_around(
			k, signed_by_ca(k, jws_header("ES256", k->ca_kid, "ukey-ticket"), c)),
		    UK_E_INPUT, "ticket-malformed");
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		c = claims_of(k);
		(void)json_object_set_new(
		    c, wrong[i][0], json_loads(wrong[i][1], JSON_DECODE_ANY, NULL));
		refused(k,
		    jwe_around(
			k, signed_by_ca(k, jws_header("ES256", k->ca_kid, "ukey-ticket"), c)),
		    UK_E_INPUT, "ticket-malformed");
	}
}

static void
encryption_is_one_kind(void **state)
{
	static const char *const rows[][2] = { { "ECDH-ES+A256KW", "A256GCM" },
		{ "ECDH-ES", "A128GCM" }, { "ECDH-ES", "A256CBC-HS512" } };
	const struct keys *k = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(k,
		    jwe_forge(json_pack("{s:s, s:s, s:s}", "alg", rows[i][0], "enc", rows[i][1],
				  "kid", k->channel_kid),
			k->channel,
			signed_by_ca(
			    k, jws_header("ES256", k->ca_kid, "ukey-ticket"), claims_of(k))),
		    UK_E_INPUT, "ticket-malformed");
	/* compression: no decompression bomb comes this way */
	refused(k,
	    jwe_forge(json_pack("{s:s, s:s, s:s, s:s}", "alg", "ECDH-ES", "enc", "A256GCM", "kid",
			  k->channel_kid, "zip", "DEF"),
		k->channel,
		signed_by_ca(k, jws_header("ES256", k->ca_kid, "ukey-ticket"), claims_of(k))),
	    UK_E_INPUT, "ticket-malformed");
	refused(k, jwe_around(k, uk_xstrdup("not a jws")), UK_E_INPUT, "ticket-malformed");
}

static void
seal_refuses_what_would_not_open(void **state)
{
	const struct keys *k = *state;
	json_t *public_json = uk_jwk_public(k->ca);
	struct uk_jwk *public = NULL;
	struct uk_err err = { 0 };
	struct uk_ticket t = sample(k);
	struct uk_buf b;

	uk_buf_init(&b, UK_TICKET_MAX);
	t.so_pin = NULL;
	assert_int_equal(uk_ticket_seal(&t, k->ca, k->channel, &b, &err), UK_E_INPUT);
	t = sample(k);
	t.jti = NULL;
	assert_int_equal(uk_ticket_seal(&t, k->ca, k->channel, &b, &err), UK_E_INPUT);
	assert_string_equal(err.field, "jti");
	t = sample(k);
	t.purpose = "other";
	assert_int_equal(uk_ticket_seal(&t, k->ca, k->channel, &b, &err), UK_E_INPUT);
	t = sample(k);
	t.label = "\xff";
	assert_int_equal(uk_ticket_seal(&t, k->ca, k->channel, &b, &err), UK_E_INPUT);
	t = sample(k);
	assert_int_equal(uk_jwk_from_json(public_json, &public, NULL), UK_OK);
	assert_int_equal(uk_ticket_seal(&t, public, k->channel, &b, &err), UK_E_INTERNAL);
	assert_int_equal(b.n, 0);
	uk_buf_fini(&b);
	uk_buf_init(&b, 100);
	assert_int_equal(uk_ticket_seal(&t, k->ca, k->channel, &b, &err), UK_E_LIMIT);
	uk_buf_fini(&b);
	uk_jwk_free(&public);
	json_decref(public_json);
}

/* --- keys ------------------------------------------------------------------------------------ */

static void
jwk_there_and_back(void **state)
{
	const struct keys *k = *state;
	json_t *public = uk_jwk_public(k->ca), *private = uk_jwk_private(k->ca);
	struct uk_jwk *again = NULL;
	char kid[UK_THUMB_LEN];

	assert_int_equal(json_object_size(public), 4);
	assert_null(json_object_get(public, "d"));
	assert_int_equal(json_object_size(private), 5);
	assert_int_equal(uk_jwk_from_json(private, &again, NULL), UK_OK);
	uk_jwk_thumbprint(again, kid);
	assert_string_equal(kid, k->ca_kid);
	uk_jwk_free(&again);
	assert_null(again);
	assert_int_equal(uk_jwk_from_json(public, &again, NULL), UK_OK);
	uk_jwk_thumbprint(again, kid);
	assert_string_equal(kid, k->ca_kid);
	uk_jwk_free(&again);
	json_decref(public);
	json_decref(private);
}

/* RFC 7638 section 3: SHA-256 of the required members in order, without white space. */
static void
jwk_thumbprint(void **state)
{
	const struct keys *k = *state;
	json_t *public = uk_jwk_public(k->ca);
	uint8_t sum[32];
	struct uk_buf b;

	uk_buf_init(&b, 256);
	uk_buf_printf(&b, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
	    json_string_value(json_object_get(public, "x")),
	    json_string_value(json_object_get(public, "y")));
	uk_sha256(uk_buf_span(&b), sum);
	uk_buf_reset(&b);
	uk_b64url_put(&b, uk_span(sum, sizeof(sum)));
	assert_string_equal(uk_buf_str(&b), k->ca_kid);
	uk_buf_fini(&b);
	json_decref(public);
}

static void
jwk_refused(void **state)
{
	static const char zeros[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	const struct keys *k = *state;
	const char *const rows[][2] = { { "kty", "RSA" }, { "crv", "P-384" }, { "x", "" },
		{ "x", zeros }, { "y", zeros }, { "x", "short" }, { "use", "sig" }, { "d", zeros },
		{ "d", k->ca_kid } };
	struct uk_jwk *key = NULL;
	struct uk_err err = { 0 };
	json_t *v;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v = uk_jwk_public(k->ca);
		(void)json_object_set_new(v, rows[i][0], json_string(rows[i][1]));
		assert_int_equal(uk_jwk_from_json(v, &key, &err), UK_E_INPUT);
		assert_string_equal(uk_err_reason(&err), "jwk-malformed");
		json_decref(v);
	}
	assert_int_equal(uk_jwk_from_json(NULL, &key, &err), UK_E_INPUT);
	v = json_string("EC");
	assert_int_equal(uk_jwk_from_json(v, &key, &err), UK_E_INPUT);
	json_decref(v);
	assert_null(key);
}

/* --- stations -------------------------------------------------------------------------------- */

static char *
vouch(const struct keys *k)
{
	struct uk_buf b;

	uk_buf_init(&b, 4096);
	assert_int_equal(uk_station_vouch(k->station, k->channel, ORIGIN, NOW, &b, NULL), UK_OK);
	return uk_buf_steal_str(&b);
}

static void
vouch_holds_five_minutes(void **state)
{
	const struct keys *k = *state;
	struct uk_err err = { 0 };
	char *jws = vouch(k);

	assert_int_equal(
	    uk_station_check(jws, k->station, k->channel, ORIGIN, NOW + 300, NULL), UK_OK);
	assert_int_equal(
	    uk_station_check(jws, k->station, k->channel, ORIGIN, NOW - 300, NULL), UK_OK);
	assert_int_equal(
	    uk_station_check(jws, k->station, k->channel, ORIGIN, NOW + 301, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "vouch-expired");
	assert_int_equal(
	    uk_station_check(jws, k->station, k->channel, ORIGIN, NOW - 301, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "vouch-expired");
	free(jws);
}

static void
vouch_refused(void **state)
{
	const struct keys *k = *state;
	struct uk_err err = { 0 };
	char *jws = vouch(k), *ticket;

	assert_int_equal(
	    uk_station_check(jws, k->other, k->channel, ORIGIN, NOW, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "vouch-untrusted");
	assert_int_equal(
	    uk_station_check(jws, k->station, k->other, ORIGIN, NOW, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "vouch-other-channel");
	assert_int_equal(
	    uk_station_check(jws, k->station, k->channel, "https://b", NOW, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "vouch-other-origin");
	assert_int_equal(
	    uk_station_check("", k->station, k->channel, ORIGIN, NOW, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "vouch-malformed");
	for (size_t i = 0; jws[i] != '\0'; i++) {
		const char was = jws[i];

		jws[i] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(
		    uk_station_check(jws, k->station, k->channel, ORIGIN, NOW, &err), UK_OK);
		jws[i] = was;
	}
	free(jws);
	/* a ticket's inside is no vouch, even were the CA's key a station's */
	ticket = signed_by_ca(k, jws_header("ES256", k->ca_kid, "ukey-ticket"), claims_of(k));
	assert_int_equal(
	    uk_station_check(ticket, k->ca, k->channel, ORIGIN, NOW, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "vouch-malformed");
	free(ticket);
}

static void
vouch_bounds_its_origin(void **state)
{
	const struct keys *k = *state;
	struct uk_buf b;

	uk_buf_init(&b, 4096);
	assert_int_equal(uk_station_vouch(k->station, k->channel, "", NOW, &b, NULL), UK_E_INPUT);
	assert_int_equal(
	    uk_station_vouch(k->station, k->channel, "\xff", NOW, &b, NULL), UK_E_INPUT);
	assert_int_equal(b.n, 0);
	uk_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens),
		cmocka_unit_test(opens_without_a_pin),
		cmocka_unit_test(opens_an_unlock_ticket),
		cmocka_unit_test(seal_keeps_purposes_apart),
		cmocka_unit_test(hides_everything),
		cmocka_unit_test(every_changed_character_is_refused),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(malformed),
		cmocka_unit_test(lives_two_minutes_at_most),
		cmocka_unit_test(other_channel),
		cmocka_unit_test(untrusted),
		cmocka_unit_test(forge_control),
		cmocka_unit_test(algorithm_none),
		cmocka_unit_test(algorithm_confusion),
		cmocka_unit_test(kid_of_another),
		cmocka_unit_test(sealed_again_for_another),
		cmocka_unit_test(header_says_more),
		cmocka_unit_test(claims_are_checked),
		cmocka_unit_test(encryption_is_one_kind),
		cmocka_unit_test(seal_refuses_what_would_not_open),
		cmocka_unit_test(jwk_there_and_back),
		cmocka_unit_test(jwk_thumbprint),
		cmocka_unit_test(jwk_refused),
		cmocka_unit_test(vouch_holds_five_minutes),
		cmocka_unit_test(vouch_refused),
		cmocka_unit_test(vouch_bounds_its_origin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
