#include <stdlib.h>
#include <string.h>

#include <jose/jwk.h>
#include <jose/openssl.h>
#include <openssl/err.h>

#include "jwk.h"
#include "uk/b64.h"

#define COORDINATE      32 /* bytes of a P-256 coordinate */
#define COORDINATE_TEXT 43 /* the same in base64url */

struct key_fields {
	const char *kty, *crv, *x, *y, *d;
};

static bool
is_ec(const char *s)
{
	return strcmp(s, "EC") == 0;
}

static bool
is_p256(const char *s)
{
	return strcmp(s, "P-256") == 0;
}

static bool
is_32_bytes(const char *s)
{
	struct uk_buf b;
	bool ok;

	uk_buf_init(&b, COORDINATE);
	ok = uk_b64url_get(&b, s) == UK_OK && b.n == COORDINATE;
	uk_buf_fini(&b);
	return ok;
}

static const struct uk_field key_table[] = {
	{ "kty", UK_F_STR, UK_F_REQUIRED, 1, 8, offsetof(struct key_fields, kty), is_ec },
	{ "crv", UK_F_STR, UK_F_REQUIRED, 1, 8, offsetof(struct key_fields, crv), is_p256 },
	{ "x", UK_F_STR, UK_F_REQUIRED, COORDINATE_TEXT, COORDINATE_TEXT,
	    offsetof(struct key_fields, x), is_32_bytes },
	{ "y", UK_F_STR, UK_F_REQUIRED, COORDINATE_TEXT, COORDINATE_TEXT,
	    offsetof(struct key_fields, y), is_32_bytes },
	{ "d", UK_F_STR, 0, COORDINATE_TEXT, COORDINATE_TEXT, offsetof(struct key_fields, d),
	    is_32_bytes },
};

#define KEY_FIELDS (sizeof(key_table) / sizeof(key_table[0]))

/* Takes json. */
static enum uk_rc
key_new(json_t *json, struct uk_jwk **out, struct uk_err *err)
{
	uint8_t sum[32];
	struct uk_jwk *k;
	struct uk_buf b;

	if (jose_jwk_thp_buf(NULL, json, "S256", sum, sizeof(sum)) != sizeof(sum)) {
		uk_json_wipe(json);
		json_decref(json);
		return uk_fail(err, UK_E_INTERNAL, NULL, "jose_jwk_thp_buf", 0);
	}
	k = uk_xalloc(sizeof(*k));
	k->json = json;
	uk_buf_init(&b, UK_THUMB_LEN - 1);
	uk_b64url_put(&b, uk_span(sum, sizeof(sum)));
	memcpy(k->thumbprint, uk_buf_str(&b), UK_THUMB_LEN);
	uk_buf_fini(&b);
	*out = k;
	return UK_OK;
}

enum uk_rc
uk_jwk_new(struct uk_jwk **out, struct uk_err *err)
{
	json_t *json = json_pack("{s:s, s:s}", "kty", "EC", "crv", "P-256");

	if (json == NULL || !jose_jwk_gen(NULL, json)) {
		json_decref(json);
		return uk_fail(err, UK_E_INTERNAL, NULL, "jose_jwk_gen", 0);
	}
	return key_new(json, out, err);
}

/* A point off the curve gives the private key away (RFC 7518 section 4.6, invalid-curve attack). */
static bool
is_a_point(const json_t *jwk)
{
	EVP_PKEY *pkey = jose_openssl_jwk_to_EVP_PKEY(NULL, jwk);
	EVP_PKEY_CTX *ctx = pkey != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
	bool ok;

	ok = ctx != NULL && EVP_PKEY_public_check(ctx) == 1 &&
	     (json_object_get(jwk, "d") == NULL || EVP_PKEY_pairwise_check(ctx) == 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return ok;
}

bool
uk_jwk_sound(const json_t *jwk)
{
	struct key_fields f = { 0 };

	return jwk != NULL && uk_fields_read(key_table, KEY_FIELDS, jwk, &f, NULL) == UK_OK &&
	       is_a_point(jwk);
}

enum uk_rc
uk_jwk_from_json(const json_t *jwk, struct uk_jwk **out, struct uk_err *err)
{
	if (!uk_jwk_sound(jwk))
		return uk_fail(err, UK_E_INPUT, "jwk-malformed", "jwk", 0);
	return key_new(json_deep_copy(jwk), out, err);
}

void
uk_jwk_free(struct uk_jwk **k)
{
	if (k == NULL || *k == NULL)
		return;
	uk_json_wipe((*k)->json);
	json_decref((*k)->json);
	free(*k);
	*k = NULL;
}

json_t *
uk_jwk_public(const struct uk_jwk *k)
{
	json_t *json = json_deep_copy(k->json);

	(void)json_object_del(json, "d");
	return json;
}

json_t *
uk_jwk_private(const struct uk_jwk *k)
{
	return json_deep_copy(k->json);
}

void
uk_jwk_thumbprint(const struct uk_jwk *k, char out[UK_THUMB_LEN])
{
	memcpy(out, k->thumbprint, UK_THUMB_LEN);
}
