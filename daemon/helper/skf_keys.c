#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "helper/der.h"
#include "helper/skf_backend.h"
#include "uk/b64.h"
#include "uk/random.h"

#define CAP_SM2    0x00020000u /* of every SM2 number, in both of the tables there are */
#define BLOB_ROOM  1024
#define RSA_BITS   2048
#define RSA_LEN    (RSA_BITS / 8)
#define NAME_BYTES 8

/* Some say nothing useful of themselves; then what functions they have is what they can. */
uint32_t
skf_algs(const struct skf_module *m, const struct skf_devinfo *info)
{
	const struct skf_fn *fn = &m->lib.fn;
	const bool rsa = (info->asym & SGD_RSA) != 0;
	uint32_t set = 0;

	if (fn->CreateContainer == NULL)
		return 0;
	if (fn->GenECCKeyPair != NULL && fn->ECCSignData != NULL &&
	    (!rsa || (info->asym & CAP_SM2) != 0))
		set |= 1u << UK_KEY_SM2;
	if (fn->GenRSAKeyPair != NULL && fn->RSASignData != NULL && rsa)
		set |= 1u << UK_KEY_RSA_2048;
	return set;
}

/* --- sign --- */

/* `digest` is e = SM3(Z, data), which GM/T 0016 takes for the data. */
static ULONG
sign_sm2(
    struct skf_module *m, const struct skf_container *c, struct uk_span digest, struct uk_buf *sig)
{
	ECCSIGNATUREBLOB *b = (ECCSIGNATUREBLOB *)(void *)skf_room(&m->lib, BLOB_ROOM);
	ULONG sar;

	if (m->lib.fn.ECCSignData == NULL)
		return SAR_NOTSUPPORTYETERR;
	sar = m->lib.fn.ECCSignData(c->handle, skf_bytes(digest), (ULONG)digest.n, b);
	if (sar == SAR_OK) {
		uk_buf_put(sig, skf_number(b->r));
		uk_buf_put(sig, skf_number(b->s));
	}
	return sar;
}

/* The standard calls it the data; tokens take a DigestInfo and put PKCS#1 v1.5 around it. */
static ULONG
sign_rsa(
    struct skf_module *m, const struct skf_container *c, struct uk_span digest, struct uk_buf *sig)
{
	uint8_t *room = skf_room(&m->lib, BLOB_ROOM);
	union skf_cell n = { .wide = BLOB_ROOM };
	struct uk_buf info;
	ULONG sar = SAR_NOTSUPPORTYETERR;

	uk_buf_init(&info, 128);
	uk_buf_put(&info, der_digest_info_sha256());
	uk_buf_put(&info, digest);
	if (m->lib.fn.RSASignData != NULL)
		sar = m->lib.fn.RSASignData(c->handle, info.p, (ULONG)info.n, room, &n.v);
	uk_buf_fini(&info);
	if (sar == SAR_OK && n.v != RSA_LEN)
		return SAR_FAIL;
	if (sar == SAR_OK)
		uk_buf_put(sig, uk_span(room, RSA_LEN));
	return sar;
}

static ULONG
sign_once(
    struct skf_module *m, const struct skf_container *c, struct uk_span digest, struct uk_buf *sig)
{
	return c->algs[SKF_SIGN] == UK_KEY_SM2 ? sign_sm2(m, c, digest, sig)
					       : sign_rsa(m, c, digest, sig);
}

/* A token that wants its PIN each time is closed again by the signature. */
static enum uk_rc
signed_once(struct skf_module *m, struct skf_slot *s)
{
	s->used = true;
	if (s->each_use && s->pin == NULL) {
		skf_slot_out(s);
		m->base.changed = true;
	}
	return UK_OK;
}

/*
 * Not verified here: whatever this process holds, the vendor's code in it can change.  ukeyd
 * verifies each signature, with the key that the certificate names, before it leaves.
 */
enum uk_rc
skf_sign(struct token_store *b, const char *id, const char *key_id, struct uk_span digest,
    struct uk_buf *sig, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_container *c = NULL;
	struct skf_slot *s = NULL;
	enum skf_use use = SKF_SIGN;
	bool used;
	enum uk_rc rc;
	ULONG sar;

	if ((rc = skf_slot_open(m, id, &s, f)) != UK_OK ||
	    (rc = skf_key_find(m, s, key_id, &c, &use, f)) != UK_OK)
		return rc;
	if (use != SKF_SIGN)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "sign");
	if (digest.n != uk_keyalg_digest_len(c->algs[use]))
		return token_fail(f, UK_E_INPUT, REASON_DIGEST_LENGTH, "sign");
	sar = sign_once(m, c, digest, sig);
	if (sar == SAR_USER_NOT_LOGGED_IN && skf_pin_again(m, s))
		sar = sign_once(m, c, digest, sig);
	if (sar == SAR_OK)
		return signed_once(m, s);
	used = s->used;
	s->each_use = s->each_use || (sar == SAR_USER_NOT_LOGGED_IN && used);
	rc = skf_slot_fail(m, s, f, sar, "SKF_ECCSignData");
	if (sar == SAR_USER_NOT_LOGGED_IN && used)
		f->reason = REASON_PIN_EACH_USE;
	return rc;
}

/* --- keygen --- */

static ULONG
generate_sm2(struct skf_module *m, HCONTAINER h, uint8_t *blob)
{
	ULONG sar = SAR_NOTSUPPORTYETERR;

	for (size_t i = 0; i < 2; i++) {
		sar = m->lib.fn.GenECCKeyPair(
		    h, m->lib.quirk->sm2[i], (ECCPUBLICKEYBLOB *)(void *)blob);
		if (sar != SAR_FAIL && sar != SAR_NOTSUPPORTYETERR && sar != SAR_INVALIDPARAMERR)
			break;
	}
	return sar;
}

static ULONG
generate(struct skf_module *m, HCONTAINER h, enum uk_keyalg alg, uint8_t *blob)
{
	if (alg == UK_KEY_SM2)
		return generate_sm2(m, h, blob);
	return m->lib.fn.GenRSAKeyPair(h, RSA_BITS, (RSAPUBLICKEYBLOB *)(void *)blob);
}

static void
make_name(char out[MAX_CONTAINER_NAME_SIZE + 1])
{
	uint8_t raw[NAME_BYTES];
	struct uk_buf hex;

	uk_random_system.bytes(uk_random_system.ctx, raw, sizeof(raw));
	uk_buf_init(&hex, 64);
	uk_buf_put_str(&hex, "UKEY-");
	uk_hex_put(&hex, uk_span(raw, sizeof(raw)));
	memcpy(out, uk_buf_str(&hex), hex.n + 1);
	uk_buf_fini(&hex);
}

/* What the token returned has to be what it has, and a key at all. */
static bool
is_sound(
    struct skf_module *m, const struct skf_container *c, enum uk_keyalg alg, struct uk_span spki)
{
	struct uk_buf again;
	bool ok;

	uk_buf_init(&again, 2048);
	ok = skf_public_key(m, c, SKF_SIGN, &again) == alg && uk_span_eq(uk_buf_span(&again), spki);
	uk_buf_fini(&again);
	return ok;
}

/* In a container of its own; one that fails leaves none behind. */
static enum uk_rc
make_pair(struct skf_module *m, struct skf_slot *s, enum uk_keyalg alg, struct skf_container *c,
    struct uk_buf *spki, struct token_fault *f)
{
	uint8_t *blob;
	bool ok;
	ULONG sar;

	sar = m->lib.fn.CreateContainer(s->handle, c->name, &c->handle);
	if (sar != SAR_OK)
		return skf_slot_fail(m, s, f, sar, "SKF_CreateContainer");
	blob = skf_room(&m->lib, BLOB_ROOM);
	sar = generate(m, c->handle, alg, blob);
	ok = sar == SAR_OK && skf_spki(m, blob, spki) == alg &&
	     is_sound(m, c, alg, uk_buf_span(spki));
	(void)m->lib.fn.CloseContainer(c->handle);
	if (ok)
		return UK_OK;
	if (!skf_is_gone(sar) && m->lib.fn.DeleteContainer != NULL)
		(void)m->lib.fn.DeleteContainer(s->handle, c->name);
	if (m->lib.unfit != REASON_NONE)
		return token_fail(f, UK_E_UNSUPPORTED, m->lib.unfit, "SKF_ExportPublicKey");
	return sar != SAR_OK ? skf_slot_fail(m, s, f, sar, "SKF_GenKeyPair")
			     : token_fail(f, UK_E_INTEGRITY, REASON_KEY_WRONG, "keygen");
}

enum uk_rc
skf_keygen(struct token_store *b, const char *id, enum uk_keyalg alg, const char *label,
    char key_id[65], struct uk_buf *spki, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_container c = { 0 };
	struct skf_slot *s = NULL;
	enum uk_rc rc;

	(void)label; /* a container's name is all there is, and has to be unique */
	if ((rc = skf_slot_open(m, id, &s, f)) != UK_OK)
		return rc;
	if ((s->info.algs & 1u << alg) == 0)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "keygen");
	skf_containers_forget(m, s);
	make_name(c.name);
	skf_container_name(s, &c);
	if ((rc = make_pair(m, s, alg, &c, spki, f)) == UK_OK)
		skf_key_id(&c, SKF_SIGN, key_id);
	return rc;
}
