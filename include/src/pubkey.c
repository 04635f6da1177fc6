#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "pubkey_evp.h"
#include "uk/sm2.h"

#define SPKI_MAX 2048

struct uk_pubkey {
	EVP_PKEY *pkey;
	enum uk_keyalg alg;
};

struct alg_row {
	const char *name;
	const char *signature;
	bool ec;
	size_t digest;
	size_t sig_max;
	const EVP_MD *(*md)(void);
};

static const struct alg_row algs[] = {
	[UK_KEY_UNKNOWN] = { "unknown", "", false, 0, 0, EVP_sha256 },
	[UK_KEY_RSA_2048] = { "rsa-2048", "RS256", false, 32, 256, EVP_sha256 },
	[UK_KEY_RSA_3072] = { "rsa-3072", "RS256", false, 32, 384, EVP_sha256 },
	[UK_KEY_RSA_4096] = { "rsa-4096", "RS256", false, 32, 512, EVP_sha256 },
	[UK_KEY_P256] = { "p-256", "ES256", true, 32, 64, EVP_sha256 },
	[UK_KEY_P384] = { "p-384", "ES384", true, 48, 96, EVP_sha384 },
	[UK_KEY_SM2] = { "sm2", "SM2-SM3", true, 32, 64, EVP_sm3 },
};
static_assert(sizeof(algs) / sizeof(algs[0]) == UK_KEY__MAX, "one row per key algorithm");

static const struct alg_row *
row(enum uk_keyalg a)
{
	return (unsigned)a < UK_KEY__MAX ? &algs[a] : &algs[UK_KEY_UNKNOWN];
}

const char *
uk_keyalg_name(enum uk_keyalg a)
{
	return row(a)->name;
}

const char *
uk_keyalg_signature(enum uk_keyalg a)
{
	return row(a)->signature;
}

enum uk_keyalg
uk_keyalg_from_name(const char *name)
{
	for (unsigned i = 1; i < UK_KEY__MAX; i++)
		if (strcmp(algs[i].name, name) == 0)
			return (enum uk_keyalg)i;
	return UK_KEY_UNKNOWN;
}

bool
uk_keyalg_is_ec(enum uk_keyalg a)
{
	return row(a)->ec;
}

size_t
uk_keyalg_digest_len(enum uk_keyalg a)
{
	return row(a)->digest;
}

size_t
uk_keyalg_sig_max(enum uk_keyalg a)
{
	return row(a)->sig_max;
}

static enum uk_keyalg
alg_of(EVP_PKEY *pkey)
{
	char group[32] = "";
	size_t n = 0;

	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA) {
		switch (EVP_PKEY_get_bits(pkey)) {
		case 2048:
			return UK_KEY_RSA_2048;
		case 3072:
			return UK_KEY_RSA_3072;
		case 4096:
			return UK_KEY_RSA_4096;
		default:
			return UK_KEY_UNKNOWN;
		}
	}
	/* By the type, not the curve: ECDSA on that curve is no SM2. */
	if (EVP_PKEY_is_a(pkey, "SM2") == 1)
		return UK_KEY_SM2;
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_EC ||
	    EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) != 1)
		return UK_KEY_UNKNOWN;
	switch (OBJ_sn2nid(group)) {
	case NID_X9_62_prime256v1:
		return UK_KEY_P256;
	case NID_secp384r1:
		return UK_KEY_P384;
	default:
		return UK_KEY_UNKNOWN;
	}
}

struct uk_pubkey *
uk_pubkey_from_evp(EVP_PKEY *pkey)
{
	struct uk_pubkey *k = uk_xalloc(sizeof(*k));

	if (EVP_PKEY_up_ref(pkey) != 1)
		abort();
	k->pkey = pkey;
	k->alg = alg_of(pkey);
	return k;
}

/*
 * The one usual way to write a key on these curves (RFC 5480: named curve, uncompressed point), for
 * which OpenSSL's decoder, that tries whatever it knows, takes five times as long.
 */
static const struct usual_row {
	const char *type;
	const char *group;
	const char *head;
	size_t head_n;
	size_t n;
} usual[] = {
	{ "EC", "prime256v1",
	    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d"
	    "\x03\x01\x07\x03\x42\x00\x04",
	    27, 91 },
	{ "EC", "secp384r1",
	    "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
	    "\x03\x62\x00\x04",
	    24, 120 },
	{ "SM2", "SM2",
	    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55"
	    "\x01\x82\x2d\x03\x42\x00\x04",
	    27, 91 },
};

/* The point has to be on the curve. */
static EVP_PKEY *
from_point(const struct usual_row *row, struct uk_span der)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, row->type, NULL);
	/* OSSL_PARAM wants mutable pointers and changes nothing. */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)row->group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
		    (void *)(uintptr_t)(der.p + row->head_n - 1), der.n - row->head_n + 1),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *
decode(struct uk_span der)
{
	const unsigned char *p = der.p;
	EVP_PKEY *pkey;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (der.n == usual[i].n && memcmp(der.p, usual[i].head, usual[i].head_n) == 0)
			return from_point(&usual[i], der);
	pkey = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (pkey != NULL && p == der.p + der.n)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

enum uk_rc
uk_pubkey_from_spki(struct uk_span der, struct uk_pubkey **out, struct uk_err *err)
{
	EVP_PKEY *pkey;

	if (der.n == 0 || der.n > SPKI_MAX)
		return uk_fail(err, UK_E_INPUT, "public-key-malformed", "spki", 0);
	pkey = decode(der);
	if (pkey == NULL) {
		ERR_clear_error();
		return uk_fail(err, UK_E_INPUT, "public-key-malformed", "d2i_PUBKEY", 0);
	}
	*out = uk_pubkey_from_evp(pkey);
	EVP_PKEY_free(pkey);
	return UK_OK;
}

void
uk_pubkey_free(struct uk_pubkey **k)
{
	if (k == NULL || *k == NULL)
		return;
	EVP_PKEY_free((*k)->pkey);
	free(*k);
	*k = NULL;
}

enum uk_keyalg
uk_pubkey_alg(const struct uk_pubkey *k)
{
	return k->alg;
}

enum uk_rc
uk_pubkey_spki(const struct uk_pubkey *k, struct uk_buf *out)
{
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(k->pkey, &der);

	if (n <= 0)
		return UK_E_INTERNAL;
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	return uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
}

/* OpenSSL checks the exponent in FIPS mode only. */
static bool
exponent_sound(EVP_PKEY *pkey)
{
	BIGNUM *e = NULL;
	const bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
			BN_is_odd(e) && BN_num_bits(e) > 16 && BN_num_bits(e) <= 256;

	BN_free(e);
	return ok;
}

/* The orders of these curves are prime and their cofactors 1, so a point on one, which is not at
 * infinity, is of its order: the quick check leaves out a multiplication that says the same. */
bool
uk_pubkey_sound(const struct uk_pubkey *k)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	bool ok = k->alg != UK_KEY_UNKNOWN && ctx != NULL;

	if (ok && row(k->alg)->ec)
		ok = EVP_PKEY_public_check_quick(ctx) == 1;
	else if (ok)
		ok = EVP_PKEY_public_check(ctx) == 1 && exponent_sound(k->pkey);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

const EVP_MD *
uk_keyalg_md(enum uk_keyalg a)
{
	return row(a)->md();
}

EVP_PKEY *
uk_pubkey_evp(const struct uk_pubkey *k)
{
	return k->pkey;
}

static bool
digest(const struct uk_pubkey *k, struct uk_span data, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t z[UK_SM2_Z];
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, uk_keyalg_md(k->alg), NULL) == 1;

	if (ok && k->alg == UK_KEY_SM2)
		ok = uk_sm2_z(k, z) == UK_OK && EVP_DigestUpdate(ctx, z, sizeof(z)) == 1;
	ok = ok && EVP_DigestUpdate(ctx, data.p, data.n) == 1 &&
	     EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

enum uk_rc
uk_digest(const struct uk_pubkey *k, struct uk_span data, struct uk_buf *out)
{
	const size_t n = row(k->alg)->digest;
	uint8_t *p = n != 0 ? uk_buf_room(out, n) : NULL;

	if (p == NULL)
		return n != 0 ? UK_E_LIMIT : UK_E_UNSUPPORTED;
	if (!digest(k, data, p))
		return UK_E_INTERNAL;
	uk_buf_add(out, n);
	return UK_OK;
}

void
uk_sha256(struct uk_span data, uint8_t out[32])
{
	(void)SHA256(data.p, data.n, out);
}

enum uk_rc
uk_ecdsa_to_der(struct uk_span raw, struct uk_buf *out)
{
	const size_t half = raw.n / 2;
	enum uk_rc rc = UK_E_INTERNAL;
	unsigned char *der = NULL;
	ECDSA_SIG *sig = NULL;
	BIGNUM *r = NULL, *s = NULL;
	int n;

	if (raw.n == 0 || raw.n % 2 != 0 || raw.n > 256)
		return UK_E_INPUT;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(raw.p, (int)half, NULL);
	s = BN_bin2bn(raw.p + half, (int)half, NULL);
	if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1)
		goto out;
	r = s = NULL;
	n = i2d_ECDSA_SIG(sig, &der);
	if (n <= 0)
		goto out;
	uk_buf_put(out, uk_span(der, (size_t)n));
	rc = uk_buf_failed(out) ? UK_E_LIMIT : UK_OK;
out:
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	BN_free(r);
	BN_free(s);
	return rc;
}

enum uk_rc
uk_ecdsa_from_der(struct uk_span der, enum uk_keyalg a, struct uk_buf *out)
{
	const int half = (int)row(a)->sig_max / 2;
	const unsigned char *p = der.p;
	enum uk_rc rc = UK_E_INPUT;
	ECDSA_SIG *sig;
	uint8_t *to;

	if (!row(a)->ec || der.n > 256)
		return UK_E_INPUT;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	if (sig == NULL || p != der.p + der.n)
		goto out;
	to = uk_buf_room(out, 2 * (size_t)half);
	if (to == NULL) {
		rc = UK_E_LIMIT;
		goto out;
	}
	if (BN_bn2binpad(ECDSA_SIG_get0_r(sig), to, half) != half ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), to + half, half) != half)
		goto out;
	uk_buf_add(out, 2 * (size_t)half);
	rc = UK_OK;
out:
	ECDSA_SIG_free(sig);
	ERR_clear_error();
	return rc;
}

static bool
verify_init(EVP_PKEY_CTX *ctx, const struct uk_pubkey *k, const EVP_MD *md)
{
	if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1)
		return false;
	return row(k->alg)->ec || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
				      EVP_PKEY_CTX_set_signature_md(ctx, md) == 1);
}

static enum uk_rc
verify_sum(const struct uk_pubkey *k, const EVP_MD *md, struct uk_span sum, struct uk_span sig,
    struct uk_err *err)
{
	enum uk_rc rc = UK_E_INTEGRITY;
	EVP_PKEY_CTX *ctx = NULL;
	struct uk_buf der;

	uk_buf_init(&der, 256);
	if (k->alg == UK_KEY_UNKNOWN)
		return uk_fail(err, UK_E_UNSUPPORTED, NULL, "verify", 0);
	if (sum.n != (size_t)EVP_MD_get_size(md))
		goto out;
	if (row(k->alg)->ec) {
		if (sig.n != row(k->alg)->sig_max || uk_ecdsa_to_der(sig, &der) != UK_OK)
			goto out;
		sig = uk_buf_span(&der);
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (!verify_init(ctx, k, md))
		rc = UK_E_INTERNAL;
	else if (EVP_PKEY_verify(ctx, sig.p, sig.n, sum.p, sum.n) == 1)
		rc = UK_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	uk_buf_fini(&der);
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, "signature-wrong", "verify", 0);
}

enum uk_rc
uk_verify_digest(
    const struct uk_pubkey *k, struct uk_span digest, struct uk_span sig, struct uk_err *err)
{
	return verify_sum(k, uk_keyalg_md(k->alg), digest, sig, err);
}

enum uk_rc
uk_verify(const struct uk_pubkey *k, struct uk_span data, struct uk_span sig, struct uk_err *err)
{
	struct uk_buf sum;
	enum uk_rc rc;

	uk_buf_init(&sum, 64);
	rc = uk_digest(k, data, &sum);
	if (rc != UK_OK)
		rc = uk_fail(err, rc, NULL, "verify", 0);
	else
		rc = uk_verify_digest(k, uk_buf_span(&sum), sig, err);
	uk_buf_fini(&sum);
	return rc;
}

enum uk_rc
uk_verify_sha2(const struct uk_pubkey *k, unsigned bits, struct uk_span data, struct uk_span sig,
    struct uk_err *err)
{
	const EVP_MD *md = bits == 256   ? EVP_sha256()
			   : bits == 384 ? EVP_sha384()
			   : bits == 512 ? EVP_sha512()
					 : NULL;
	uint8_t sum[EVP_MAX_MD_SIZE];

	if (md == NULL || k->alg == UK_KEY_SM2)
		return uk_fail(err, UK_E_UNSUPPORTED, NULL, "verify", (long)bits);
	if (EVP_Digest(data.p, data.n, sum, NULL, md, NULL) != 1)
		return uk_fail(err, UK_E_INTERNAL, NULL, "verify", 0);
	return verify_sum(k, md, uk_span(sum, bits / 8), sig, err);
}
