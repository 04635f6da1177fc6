#include <string.h>

#include <openssl/evp.h>

#include "helper/skf_backend.h"
#include "uk/random.h"

#define KEY       16 /* of SM4 */
#define BLOCK     16
#define PLAIN_MAX 1024

/* The standard's way: the key stays in the token, which deciphers piece by piece. */
static ULONG
decipher(struct skf_module *m, HANDLE key, const struct token_envelope *e, struct uk_buf *out,
    size_t piece)
{
	BLOCKCIPHERPARAM how = { .IVLen = BLOCK, .PaddingType = PADDING_NONE };
	struct uk_span left = e->content, iv = e->iv;
	ULONG sar;

	while (left.n != 0) {
		const size_t take = left.n < piece ? left.n : piece;
		uint8_t *room = skf_room(&m->lib, take + 64);
		union skf_cell n = { .wide = take + 64 };

		memcpy(how.IV, iv.p, BLOCK);
		sar = m->lib.fn.DecryptInit(key, how);
		if (sar == SAR_OK)
			sar = m->lib.fn.Decrypt(key, skf_bytes(left), (ULONG)take, room, &n.v);
		if (sar == SAR_OK && n.v != take)
			sar = SAR_DECRYPTPADERR;
		if (sar != SAR_OK)
			return sar;
		uk_buf_put(out, uk_span(room, take));
		iv = uk_span(left.p + take - BLOCK, BLOCK);
		left = uk_span(left.p + take, left.n - take);
	}
	return SAR_OK;
}

static ULONG
open_inside(struct skf_module *m, const struct skf_slot *s, const struct skf_container *c,
    struct uk_span wrapped, const struct token_envelope *e, struct uk_buf *out)
{
	const struct skf_fn *fn = &m->lib.fn;
	HANDLE key = NULL;
	ULONG sar;

	if (fn->ImportSessionKey == NULL || fn->DecryptInit == NULL || fn->Decrypt == NULL)
		return SAR_NOTSUPPORTYETERR;
	sar = fn->ImportSessionKey(
	    c->handle, SGD_SM4_CBC, skf_bytes(wrapped), (ULONG)wrapped.n, &key);
	if (sar != SAR_OK)
		return sar;
	sar = decipher(m, key, e, out, s->device->info.max_data / BLOCK * BLOCK);
	if (fn->CloseHandle != NULL)
		(void)fn->CloseHandle(key);
	return sar;
}

/* With a function of the vendor's own, where there is one. */
static ULONG
decrypt_sm2(
    struct skf_module *m, const struct skf_container *c, struct uk_span wrapped, struct uk_buf *out)
{
	uint8_t *room = skf_room(&m->lib, PLAIN_MAX);
	union skf_cell n = { .wide = PLAIN_MAX };
	ECCCIPHERBLOB *blob = (ECCCIPHERBLOB *)(void *)skf_bytes(wrapped);
	ULONG sar = SAR_NOTSUPPORTYETERR;

	if (m->lib.fn.ECCPrvKeyDecrypt != NULL)
		sar = m->lib.fn.ECCPrvKeyDecrypt(c->handle, blob, room, &n.v);
	else if (m->lib.fn.V_ECCPrvKeyDecrypt != NULL)
		sar = m->lib.fn.V_ECCPrvKeyDecrypt(c->handle, 1, blob, room, &n.v);
	if (sar == SAR_OK && n.v > PLAIN_MAX)
		sar = SAR_FAIL;
	if (sar == SAR_OK)
		uk_buf_put(out, uk_span(room, n.v));
	explicit_bzero(room, PLAIN_MAX);
	return sar;
}

static bool
sm4_cbc(bool encrypt, const uint8_t key[KEY], const struct token_envelope *e, struct uk_buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *room = uk_buf_room(out, e->content.n + BLOCK);
	int n = 0;
	const bool ok = ctx != NULL && room != NULL &&
			EVP_CipherInit_ex(ctx, EVP_sm4_cbc(), NULL, key, e->iv.p, encrypt) == 1 &&
			EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
			EVP_CipherUpdate(ctx, room, &n, e->content.p, (int)e->content.n) == 1 &&
			(size_t)n == e->content.n;

	if (ok)
		uk_buf_add(out, e->content.n);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static ULONG
open_outside(struct skf_module *m, const struct skf_container *c, struct uk_span wrapped,
    const struct token_envelope *e, struct uk_buf *out)
{
	struct uk_buf key;
	ULONG sar;

	uk_buf_init(&key, PLAIN_MAX);
	sar = decrypt_sm2(m, c, wrapped, &key);
	if (sar == SAR_OK && (key.n != KEY || !sm4_cbc(false, key.p, e, out)))
		sar = SAR_DECRYPTPADERR;
	uk_buf_fini(&key);
	return sar;
}

static ULONG
open_once(struct skf_module *m, struct skf_slot *s, const struct skf_container *c,
    struct uk_span wrapped, const struct token_envelope *e, struct uk_buf *out)
{
	ULONG sar = open_inside(m, s, c, wrapped, e, out);

	if (sar == SAR_NOTSUPPORTYETERR)
		sar = open_outside(m, c, wrapped, e, out);
	return sar;
}

/* PKCS#7 (RFC 5652 section 6.3), taken off. */
static bool
unpad(struct uk_buf *out, size_t from)
{
	const uint8_t pad = out->n > from ? out->p[out->n - 1] : 0;

	if (pad == 0 || pad > BLOCK || pad > out->n - from)
		return false;
	for (size_t i = 1; i <= pad; i++)
		if (out->p[out->n - i] != pad)
			return false;
	out->n -= pad;
	return true;
}

static enum uk_rc
not_opened(
    struct skf_module *m, struct skf_slot *s, ULONG sar, const char *where, struct token_fault *f)
{
	(void)skf_slot_fail(m, s, f, sar, where);
	/* There are many codes for what does not decrypt. */
	if (f->rc == UK_E_INTERNAL) {
		f->rc = UK_E_INTEGRITY;
		f->reason = REASON_DECRYPTION;
	}
	return f->rc;
}

static enum uk_rc
unseal(struct skf_module *m, struct skf_slot *s, const struct skf_container *c,
    const struct uk_sm2_cipher *key, const struct token_envelope *e, struct uk_buf *out,
    struct token_fault *f)
{
	const size_t from = out->n;
	struct uk_buf wrapped;
	ULONG sar;

	uk_buf_init(&wrapped, 1024);
	uk_sm2_cipher_put_blob(key, &wrapped);
	sar = open_once(m, s, c, uk_buf_span(&wrapped), e, out);
	if (sar == SAR_USER_NOT_LOGGED_IN && skf_pin_again(m, s))
		sar = open_once(m, s, c, uk_buf_span(&wrapped), e, out);
	uk_buf_fini(&wrapped);
	if (sar != SAR_OK)
		return not_opened(m, s, sar, "SKF_ImportSessionKey", f);
	return unpad(out, from) ? UK_OK
				: token_fail(f, UK_E_INTEGRITY, REASON_DECRYPTION, "unseal");
}

static enum uk_rc
find_pair(struct skf_module *m, const char *id, const char *key_id, struct skf_slot **s,
    struct skf_container **c, enum skf_use want, struct token_fault *f)
{
	enum skf_use use = SKF_SIGN;
	enum uk_rc rc;

	if ((rc = skf_slot_open(m, id, s, f)) != UK_OK ||
	    (rc = skf_key_find(m, *s, key_id, c, &use, f)) != UK_OK)
		return rc;
	return use == want ? UK_OK : token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "pair");
}

enum uk_rc
skf_unseal(struct token_store *b, const char *id, const char *key_id,
    const struct token_envelope *e, struct uk_buf *out, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_container *c = NULL;
	struct uk_sm2_cipher key;
	struct skf_slot *s = NULL;
	enum uk_rc rc;

	if ((rc = find_pair(m, id, key_id, &s, &c, SKF_ENCRYPT, f)) != UK_OK)
		return rc;
	if (c->algs[SKF_ENCRYPT] != UK_KEY_SM2)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "unseal");
	if (uk_sm2_cipher_get(e->key, &key, NULL) != UK_OK || key.n != KEY)
		return token_fail(f, UK_E_INPUT, REASON_ENVELOPE_MALFORMED, "unseal");
	return unseal(m, s, c, &key, e, out, f);
}

/* --- decrypt --- */

/* RFC 8017 section 7.2.2; the padding is ours to take off. */
static ULONG
decrypt_rsa(
    struct skf_module *m, const struct skf_container *c, struct uk_span data, struct uk_buf *out)
{
	uint8_t *room = skf_room(&m->lib, PLAIN_MAX);
	union skf_cell n = { .wide = PLAIN_MAX };
	size_t at = 2;
	ULONG sar;

	if (m->lib.fn.RSAPrvKeyDecrypt == NULL)
		return SAR_NOTSUPPORTYETERR;
	sar = m->lib.fn.RSAPrvKeyDecrypt(c->handle, skf_bytes(data), (ULONG)data.n, room, &n.v);
	while (sar == SAR_OK && at < n.v && at < PLAIN_MAX && room[at] != 0)
		at++;
	if (sar == SAR_OK &&
	    (n.v > PLAIN_MAX || at >= n.v || at < 10 || room[0] != 0 || room[1] != 2))
		sar = SAR_DECRYPTPADERR;
	if (sar == SAR_OK)
		uk_buf_put(out, uk_span(room + at + 1, n.v - at - 1));
	explicit_bzero(room, PLAIN_MAX);
	return sar;
}

static ULONG
decrypt_sm2_der(
    struct skf_module *m, const struct skf_container *c, struct uk_span der, struct uk_buf *out)
{
	struct uk_sm2_cipher cipher;
	struct uk_buf blob;
	ULONG sar;

	if (uk_sm2_cipher_get(der, &cipher, NULL) != UK_OK)
		return SAR_INDATAERR;
	uk_buf_init(&blob, 1024);
	uk_sm2_cipher_put_blob(&cipher, &blob);
	sar = decrypt_sm2(m, c, uk_buf_span(&blob), out);
	uk_buf_fini(&blob);
	return sar;
}

enum uk_rc
skf_decrypt(struct token_store *b, const char *id, const char *key_id, enum token_scheme scheme,
    struct uk_span data, struct uk_buf *out, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_container *c = NULL;
	struct skf_slot *s = NULL;
	bool sm2;
	enum uk_rc rc;
	ULONG sar;

	if ((rc = find_pair(m, id, key_id, &s, &c, SKF_ENCRYPT, f)) != UK_OK)
		return rc;
	sm2 = c->algs[SKF_ENCRYPT] == UK_KEY_SM2;
	if (scheme != (sm2 ? TOKEN_SM2 : TOKEN_RSA_PKCS1))
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "decrypt");
	sar = sm2 ? decrypt_sm2_der(m, c, data, out) : decrypt_rsa(m, c, data, out);
	return sar == SAR_OK ? UK_OK : not_opened(m, s, sar, "SKF_ECCPrvKeyDecrypt", f);
}

/* --- put-key --- */

static bool
has_point(struct skf_module *m, const struct skf_container *c, const struct uk_pubkey *want)
{
	struct uk_buf have, spki;
	bool same;

	uk_buf_init(&have, 2048);
	uk_buf_init(&spki, 2048);
	same = skf_public_key(m, c, SKF_ENCRYPT, &have) == UK_KEY_SM2 &&
	       uk_pubkey_spki(want, &spki) == UK_OK &&
	       uk_span_eq(uk_buf_span(&have), uk_buf_span(&spki));
	uk_buf_fini(&have);
	uk_buf_fini(&spki);
	return same;
}

/*
 * Does the token's private key belong to its public key?  Not every module asks itself.  An
 * envelope for it tells; a module that opens none is believed.
 */
static enum uk_rc
try_pair(struct skf_module *m, struct skf_slot *s, const struct skf_container *c,
    const struct uk_pubkey *pair, struct token_fault *f)
{
	uint8_t key[KEY], iv[BLOCK], text[BLOCK];
	struct uk_sm2_cipher wrapped;
	struct uk_buf sealed, out;
	enum uk_rc rc;

	memset(text, BLOCK, sizeof(text)); /* nothing but padding */
	uk_random_system.bytes(uk_random_system.ctx, key, sizeof(key));
	uk_random_system.bytes(uk_random_system.ctx, iv, sizeof(iv));
	uk_buf_init(&sealed, 64);
	uk_buf_init(&out, 64);
	if (!sm4_cbc(true, key,
		&(struct token_envelope){
		    .iv = { iv, BLOCK }, .content = uk_span(text, sizeof(text)) },
		&sealed) ||
	    uk_sm2_encrypt(pair, uk_span(key, KEY), &wrapped, NULL) != UK_OK)
		rc = token_fail(f, UK_E_INTERNAL, REASON_NONE, "try-pair");
	else
		rc = unseal(m, s, c, &wrapped,
		    &(struct token_envelope){
			.iv = { iv, BLOCK }, .content = uk_buf_span(&sealed) },
		    &out, f);
	uk_buf_fini(&sealed);
	uk_buf_fini(&out);
	return rc == UK_E_UNSUPPORTED ? UK_OK : rc;
}

static enum uk_rc
import(struct skf_module *m, struct skf_slot *s, struct skf_container *c,
    const struct uk_sm2_enveloped *e, enum uk_sm2_field field, struct token_fault *f)
{
	struct uk_buf blob;
	ULONG sar;

	uk_buf_init(&blob, 1024);
	uk_sm2_enveloped_put_blob(e, field, &blob);
	sar = m->lib.fn.ImportECCKeyPair(c->handle, (ENVELOPEDKEYBLOB *)(void *)blob.p);
	uk_buf_fini(&blob);
	return sar == SAR_OK ? UK_OK : skf_slot_fail(m, s, f, sar, "SKF_ImportECCKeyPair");
}

/* May another form of the same help?  What the token does not take, or takes for another key. */
static bool
other_form(const struct token_fault *f)
{
	return f->rc == UK_E_INTERNAL || f->rc == UK_E_INTEGRITY;
}

static enum uk_rc
import_either(struct skf_module *m, struct skf_slot *s, struct skf_container *c,
    const struct uk_sm2_enveloped *e, const struct uk_pubkey *pair, struct token_fault *f)
{
	enum uk_rc rc = UK_E_INTERNAL;

	if (m->lib.fn.ImportECCKeyPair == NULL)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_NONE, "SKF_ImportECCKeyPair");
	for (size_t i = 0; i < UK_SM2_FIELD__MAX; i++) {
		rc = import(m, s, c, e, m->lib.quirk->fields[i], f);
		if (rc == UK_OK && !has_point(m, c, pair))
			rc = token_fail(f, UK_E_INTEGRITY, REASON_KEY_WRONG, "put-key");
		if (rc == UK_OK)
			rc = try_pair(m, s, c, pair, f);
		if (rc == UK_OK || !other_form(f))
			return rc;
	}
	f->rc = UK_E_INTEGRITY;
	f->reason = REASON_ENVELOPE_MALFORMED;
	return f->rc;
}

enum uk_rc
skf_put_key(struct token_store *b, const char *id, const char *key_id, struct uk_span enveloped,
    char enc_key_id[65], struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct uk_sm2_enveloped e;
	struct uk_pubkey *pair = NULL;
	struct skf_container *c = NULL;
	struct skf_slot *s = NULL;
	enum uk_rc rc;

	if ((rc = find_pair(m, id, key_id, &s, &c, SKF_SIGN, f)) != UK_OK)
		return rc;
	if (uk_sm2_enveloped_get(enveloped, &e, NULL) != UK_OK ||
	    uk_sm2_from_point(e.point, &pair, NULL) != UK_OK)
		return token_fail(f, UK_E_INPUT, REASON_ENVELOPE_MALFORMED, "put-key");
	/* An old one is not written over: envelopes need it. */
	if (c->algs[SKF_ENCRYPT] == UK_KEY_UNKNOWN)
		rc = import_either(m, s, c, &e, pair, f);
	else if (!has_point(m, c, pair))
		rc = token_fail(f, UK_E_CONFLICT, REASON_KEY_TAKEN, "put-key");
	if (rc == UK_OK) {
		c->algs[SKF_ENCRYPT] = UK_KEY_SM2;
		skf_key_id(c, SKF_ENCRYPT, enc_key_id);
	}
	uk_pubkey_free(&pair);
	return rc;
}
