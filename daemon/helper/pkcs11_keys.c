#include <assert.h>
#include <string.h>

#include "helper/der.h"
#include "helper/pkcs11.h"
#include "uk/b64.h"
#include "uk/random.h"

#define KEY_ID_LEN 16
#define SIG_MAX    512

/* What we make and use, and what a token must be able to do for it. */
struct alg_row {
	bool made;
	CK_MECHANISM_TYPE make;
	CK_MECHANISM_TYPE use;
	CK_ULONG bits;
};

static const struct alg_row algs[] = {
	[UK_KEY_UNKNOWN] = { false, 0, 0, 0 },
	[UK_KEY_RSA_2048] = { true, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, 2048 },
	[UK_KEY_RSA_3072] = { true, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, 3072 },
	/* A token takes minutes to make one. */
	[UK_KEY_RSA_4096] = { false, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, 4096 },
	[UK_KEY_P256] = { true, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 256 },
	[UK_KEY_P384] = { true, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 384 },
	/* PKCS#11 has no mechanism for it; vendors' own differ. */
	[UK_KEY_SM2] = { false, 0, 0, 256 },
};
static_assert(sizeof(algs) / sizeof(algs[0]) == UK_KEY__MAX, "one row per key algorithm");

static bool
can(struct p11_module *m, CK_SLOT_ID slot, CK_MECHANISM_TYPE t, CK_FLAGS flag, CK_ULONG bits)
{
	CK_MECHANISM_INFO info = { 0 };

	return m->fn->C_GetMechanismInfo(slot, t, &info) == CKR_OK && (info.flags & flag) != 0 &&
	       bits >= info.ulMinKeySize && bits <= info.ulMaxKeySize;
}

uint32_t
p11_algs(struct p11_module *m, CK_SLOT_ID slot)
{
	uint32_t set = 0;

	for (unsigned a = 0; a < UK_KEY__MAX; a++)
		if (algs[a].made &&
		    can(m, slot, algs[a].make, CKF_GENERATE_KEY_PAIR, algs[a].bits) &&
		    can(m, slot, algs[a].use, CKF_SIGN, algs[a].bits))
			set |= 1u << a;
	return set;
}

static enum uk_keyalg
rsa_alg(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h)
{
	enum uk_keyalg alg = UK_KEY_UNKNOWN;
	struct uk_buf n;
	size_t zeros = 0;

	uk_buf_init(&n, SIG_MAX + 1);
	if (p11_attr(m, s, h, CKA_MODULUS, SIG_MAX + 1, &n) == CKR_OK) {
		while (zeros < n.n && n.p[zeros] == 0)
			zeros++;
		for (unsigned a = UK_KEY_RSA_2048; a <= UK_KEY_RSA_4096; a++)
			if (algs[a].bits == 8 * (n.n - zeros))
				alg = (enum uk_keyalg)a;
	}
	uk_buf_fini(&n);
	return alg;
}

static enum uk_keyalg
ec_alg(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h)
{
	enum uk_keyalg alg = UK_KEY_UNKNOWN;
	struct uk_buf curve;

	uk_buf_init(&curve, 64);
	if (p11_attr(m, s, h, CKA_EC_PARAMS, 64, &curve) == CKR_OK)
		for (unsigned a = UK_KEY_P256; a <= UK_KEY_P384; a++)
			if (uk_span_eq(der_curve((enum uk_keyalg)a), uk_buf_span(&curve)))
				alg = (enum uk_keyalg)a;
	uk_buf_fini(&curve);
	return alg;
}

static enum uk_keyalg
private_alg(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h)
{
	CK_ULONG type;

	if (p11_attr_ulong(m, s, h, CKA_KEY_TYPE, &type) != CKR_OK)
		return UK_KEY_UNKNOWN;
	if (type == CKK_RSA)
		return rsa_alg(m, s, h);
	return type == CKK_EC ? ec_alg(m, s, h) : UK_KEY_UNKNOWN;
}

enum uk_rc
p11_key_find(struct p11_module *m, struct p11_slot *s, const char *key_id, struct p11_key *out,
    struct token_fault *f)
{
	CK_OBJECT_HANDLE h = CK_INVALID_HANDLE;
	size_t n = 0;
	enum uk_rc rc;

	for (size_t i = 0; i < s->n_keys; i++)
		if (strcmp(s->keys[i].id, key_id) == 0) {
			*out = s->keys[i];
			return UK_OK;
		}
	if ((rc = p11_find_id(m, s, CKO_PRIVATE_KEY, key_id, &h, 1, &n, f)) != UK_OK)
		return rc;
	if (n == 0)
		return token_fail(f, UK_E_NOT_FOUND, REASON_KEY_NOT_FOUND, "sign");
	*out = (struct p11_key){ .alg = private_alg(m, s, h), .handle = h };
	memcpy(out->id, key_id, strlen(key_id) + 1);
	if (out->alg == UK_KEY_UNKNOWN)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "sign");
	if (s->n_keys == P11_KEYS_MAX)
		s->n_keys = 0;
	s->keys[s->n_keys++] = *out;
	return UK_OK;
}

/* Exactly what the algorithm makes, or nothing. */
static CK_RV
sign_once(struct p11_module *m, struct p11_slot *s, const struct p11_key *k, struct uk_span digest,
    struct uk_buf *sig)
{
	CK_MECHANISM how = { algs[k->alg].use, NULL, 0 };
	const size_t want = uk_keyalg_sig_max(k->alg);
	CK_ULONG n = SIG_MAX;
	uint8_t out[SIG_MAX];
	struct uk_buf in;
	CK_RV rv;

	uk_buf_init(&in, 128);
	if (!uk_keyalg_is_ec(k->alg))
		uk_buf_put(&in, der_digest_info_sha256());
	uk_buf_put(&in, digest);
	rv = m->fn->C_SignInit(s->session, &how, k->handle);
	if (rv == CKR_OK)
		rv = m->fn->C_Sign(s->session, in.p, in.n, out, &n);
	if (rv == CKR_OK && n != want)
		rv = CKR_GENERAL_ERROR;
	if (rv == CKR_OK)
		uk_buf_put(sig, uk_span(out, want));
	uk_buf_fini(&in);
	return rv;
}

enum uk_rc
p11_sign(struct token_store *b, const char *id, const char *key_id, struct uk_span digest,
    struct uk_buf *sig, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	CK_RV rv = CKR_OK;
	struct p11_key k;
	enum uk_rc rc;

	if ((rc = p11_slot_open(m, id, &s, f)) != UK_OK)
		return rc;
	for (int tries = 0; tries < 2; tries++) {
		if ((rc = p11_key_find(m, s, key_id, &k, f)) != UK_OK)
			return rc;
		if (digest.n != uk_keyalg_digest_len(k.alg))
			return token_fail(f, UK_E_INPUT, REASON_DIGEST_LENGTH, "sign");
		rv = sign_once(m, s, &k, digest, sig);
		if (rv == CKR_OK)
			return UK_OK;
		/* An operation that an earlier fault left behind, or a handle that has aged. */
		if (rv == CKR_OPERATION_ACTIVE && (rc = p11_session_renew(m, s, f)) != UK_OK)
			return rc;
		if (rv != CKR_OPERATION_ACTIVE && rv != CKR_KEY_HANDLE_INVALID &&
		    rv != CKR_OBJECT_HANDLE_INVALID)
			break;
		s->n_keys = 0;
	}
	return p11_slot_fail(m, s, f, rv, "C_Sign");
}

/* PKCS #11 v2.40 sections 2.1.4 and 2.3.5: the private key never leaves the token. */
static CK_RV
generate(struct p11_module *m, struct p11_slot *s, enum uk_keyalg alg, struct uk_span id,
    struct uk_span label, CK_OBJECT_HANDLE pair[2])
{
	CK_MECHANISM how = { algs[alg].make, NULL, 0 };
	CK_BYTE exponent[] = { 0x01, 0x00, 0x01 };
	CK_ULONG bits = algs[alg].bits;
	const struct uk_span curve = der_curve(alg);
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	const bool ec = uk_keyalg_is_ec(alg);
	CK_ATTRIBUTE public[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) }, { CKA_PRIVATE, &no, sizeof(no) },
		{ CKA_VERIFY, &yes, sizeof(yes) }, { CKA_ID, p11_bytes(id), id.n },
		{ CKA_LABEL, p11_bytes(label), label.n },
		{ ec ? CKA_EC_PARAMS : CKA_MODULUS_BITS, ec ? (void *)p11_bytes(curve) : &bits,
		    ec ? curve.n : sizeof(bits) },
		{ CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent) }, /* RSA only, so the last */
	};
	CK_ATTRIBUTE private[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SENSITIVE, &yes, sizeof(yes) },
		{ CKA_EXTRACTABLE, &no, sizeof(no) },
		{ CKA_SIGN, &yes, sizeof(yes) },
		{ CKA_ID, p11_bytes(id), id.n },
		{ CKA_LABEL, p11_bytes(label), label.n },
	};

	return m->fn->C_GenerateKeyPair(s->session, &how, public, ec ? 6 : 7, private,
	    sizeof(private) / sizeof(private[0]), &pair[0], &pair[1]);
}

enum uk_rc
p11_keygen(struct token_store *b, const char *id, enum uk_keyalg alg, const char *label,
    char key_id[65], struct uk_buf *spki, struct token_fault *f)
{
	CK_OBJECT_HANDLE pair[2] = { CK_INVALID_HANDLE, CK_INVALID_HANDLE };
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	uint8_t raw[KEY_ID_LEN];
	struct uk_buf hex;
	enum uk_rc rc;
	CK_RV rv;

	if (!algs[alg].made)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "keygen");
	if ((rc = p11_slot_open(m, id, &s, f)) != UK_OK)
		return rc;
	uk_random_system.bytes(uk_random_system.ctx, raw, sizeof(raw));
	rv = generate(m, s, alg, uk_span(raw, sizeof(raw)), uk_span_str(label), pair);
	if (rv != CKR_OK)
		return p11_slot_fail(m, s, f, rv, "C_GenerateKeyPair");
	if (p11_attr_spki(m, s, pair[0], spki) != alg) {
		(void)m->fn->C_DestroyObject(s->session, pair[1]);
		(void)m->fn->C_DestroyObject(s->session, pair[0]);
		return token_fail(f, UK_E_INTEGRITY, REASON_NONE, "keygen");
	}
	uk_buf_init(&hex, 2 * KEY_ID_LEN);
	uk_hex_put(&hex, uk_span(raw, sizeof(raw)));
	memcpy(key_id, uk_buf_str(&hex), 2 * KEY_ID_LEN + 1);
	uk_buf_fini(&hex);
	return UK_OK;
}
