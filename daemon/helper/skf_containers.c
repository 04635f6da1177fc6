#include <stdlib.h>
#include <string.h>

#include "helper/der.h"
#include "helper/skf_backend.h"
#include "token/text.h"
#include "uk/b64.h"
#include "uk/x509.h"

#define SPKI_MAX 2048

/* Public key blobs where ULONG has 64 bits. */
#define ECC_BLOB_WIDE (8 + 128)
#define RSA_BLOB_WIDE (16 + 260)

static BOOL
sign_flag(enum skf_use use)
{
	return use == SKF_SIGN ? TRUE : FALSE;
}

/* Of the application and the container, so that it is the same on every machine. */
void
skf_container_name(const struct skf_slot *s, struct skf_container *c)
{
	struct uk_buf both, hex;
	uint8_t hash[32];

	uk_buf_init(&both, 256);
	uk_buf_init(&hex, 32);
	uk_buf_put(&both, uk_span(s->app, strlen(s->app) + 1));
	uk_buf_put_str(&both, c->name);
	uk_sha256(uk_buf_span(&both), hash);
	uk_hex_put(&hex, uk_span(hash, 16));
	memcpy(c->id, uk_buf_str(&hex), 33);
	uk_buf_fini(&both);
	uk_buf_fini(&hex);
}

void
skf_key_id(const struct skf_container *c, enum skf_use use, char out[65])
{
	static const char *const ends[] = { [SKF_SIGN] = "01", [SKF_ENCRYPT] = "02" };

	memcpy(out, c->id, 32);
	memcpy(out + 32, ends[use], 3);
}

/* --- public keys --- */

struct uk_span
skf_number(const BYTE field[64])
{
	static const BYTE none[32] = { 0 };
	const bool left = memcmp(field + 32, none, 32) == 0;

	return uk_span(left ? field : field + 32, 32);
}

static void
spki_sm2(const ECCPUBLICKEYBLOB *b, struct uk_buf *spki)
{
	struct uk_buf point;

	uk_buf_init(&point, 65);
	uk_buf_put_u8(&point, 0x04);
	uk_buf_put(&point, skf_number(b->XCoordinate));
	uk_buf_put(&point, skf_number(b->YCoordinate));
	der_spki_ec(spki, der_curve(UK_KEY_SM2), uk_buf_span(&point));
	uk_buf_fini(&point);
}

/* 2048 bits fill the field, so there is no question of the side.  65537 can be told either way. */
static void
spki_rsa(const RSAPUBLICKEYBLOB *b, struct uk_buf *spki)
{
	static const BYTE reversed[] = { 0x01, 0x00, 0x01, 0x00 };
	struct uk_span e = uk_span(b->PublicExponent, sizeof(b->PublicExponent));

	if (memcmp(e.p, reversed, sizeof(reversed)) == 0)
		e.n = 3;
	der_spki_rsa(spki, uk_span(b->Modulus, sizeof(b->Modulus)), e);
}

/* A key that is none is as good as no key: never a point off its curve. */
static enum uk_keyalg
sound(struct skf_module *m, struct uk_span spki)
{
	struct uk_pubkey *k = NULL;
	enum uk_keyalg alg = UK_KEY_UNKNOWN;

	if (uk_pubkey_from_spki(spki, &k, NULL) == UK_OK && uk_pubkey_sound(k))
		alg = uk_pubkey_alg(k);
	else
		uk_log_plain(m->log, UK_LOG_WARN, "key.unsound");
	uk_pubkey_free(&k);
	return alg;
}

enum uk_keyalg
skf_spki(struct skf_module *m, const void *blob, struct uk_buf *spki)
{
	RSAPUBLICKEYBLOB rsa;
	ECCPUBLICKEYBLOB ecc;
	const size_t before = spki->n;

	memcpy(&ecc, blob, sizeof(ecc));
	memcpy(&rsa, blob, sizeof(rsa));
	if (ecc.BitLen == 256)
		spki_sm2(&ecc, spki);
	else if (rsa.BitLen == 2048)
		spki_rsa(&rsa, spki);
	else
		return UK_KEY_UNKNOWN;
	return sound(m, uk_span(spki->p + before, spki->n - before));
}

enum uk_keyalg
skf_public_key(
    struct skf_module *m, const struct skf_container *c, enum skf_use use, struct uk_buf *spki)
{
	const struct skf_lib *l = &m->lib;
	union skf_cell n = { 0 };
	uint8_t *blob;

	if (l->fn.ExportPublicKey(c->handle, sign_flag(use), NULL, &n.v) != SAR_OK)
		return UK_KEY_UNKNOWN;
	if (n.v == ECC_BLOB_WIDE || n.v == RSA_BLOB_WIDE) {
		m->lib.unfit = REASON_MODULE_ABI;
		return UK_KEY_UNKNOWN;
	}
	blob = skf_room(&m->lib, 1024);
	n.wide = 1024;
	if (l->fn.ExportPublicKey(c->handle, sign_flag(use), blob, &n.v) != SAR_OK)
		return UK_KEY_UNKNOWN;
	return skf_spki(m, blob, spki);
}

/* --- containers --- */

void
skf_containers_forget(struct skf_module *m, struct skf_slot *s)
{
	for (size_t i = 0; i < s->n_containers; i++)
		if (s->containers[i].handle != NULL)
			(void)m->lib.fn.CloseContainer(s->containers[i].handle);
	s->n_containers = 0;
	s->read = false;
}

static ULONG
container_add(struct skf_module *m, struct skf_slot *s, const char *name)
{
	struct skf_container *c = &s->containers[s->n_containers];
	struct uk_buf spki;
	ULONG sar;

	if (s->n_containers == SKF_CONTAINERS_MAX || strlen(name) >= sizeof(c->name))
		return SAR_OK;
	*c = (struct skf_container){ 0 };
	memcpy(c->name, name, strlen(name) + 1);
	skf_container_name(s, c);
	sar = m->lib.fn.OpenContainer(s->handle, c->name, &c->handle);
	if (sar != SAR_OK)
		return skf_is_gone(sar) ? sar : SAR_OK; /* one of many */
	s->n_containers++;
	uk_buf_init(&spki, SPKI_MAX);
	for (unsigned use = 0; use < SKF_USE__MAX; use++) {
		uk_buf_reset(&spki);
		c->algs[use] = skf_public_key(m, c, (enum skf_use)use, &spki);
	}
	uk_buf_fini(&spki);
	return SAR_OK;
}

enum uk_rc
skf_containers_read(struct skf_module *m, struct skf_slot *s, struct token_fault *f)
{
	struct uk_span left;
	struct uk_buf names;
	const char *name;
	ULONG sar = SAR_OK;
	enum uk_rc rc;

	if (s->read)
		return UK_OK;
	if (s->handle == NULL)
		return token_fail(f, UK_E_CONFLICT, REASON_TOKEN_BLANK, "containers");
	skf_containers_forget(m, s);
	uk_buf_init(&names, SKF_NAMES_MAX);
	rc = skf_names(&m->lib, SKF_CONTAINERS, s->handle, &names, f);
	if (rc != UK_OK && skf_is_gone(f->native)) {
		rc = skf_slot_fail(m, s, f, f->native, f->where);
		goto out;
	}
	left = uk_buf_span(&names);
	while (rc == UK_OK && sar == SAR_OK && (name = skf_next(&left)) != NULL)
		sar = container_add(m, s, name);
	if (sar != SAR_OK)
		rc = skf_slot_fail(m, s, f, sar, "SKF_OpenContainer");
	else if (m->lib.unfit != REASON_NONE)
		rc = token_fail(f, UK_E_UNSUPPORTED, m->lib.unfit, "SKF_ExportPublicKey");
	else
		s->read = rc == UK_OK;
out:
	uk_buf_fini(&names);
	return rc;
}

enum uk_rc
skf_key_find(struct skf_module *m, struct skf_slot *s, const char *key_id, struct skf_container **c,
    enum skf_use *use, struct token_fault *f)
{
	enum uk_rc rc = skf_containers_read(m, s, f);
	char id[65];

	for (size_t i = 0; rc == UK_OK && i < s->n_containers; i++)
		for (unsigned u = 0; u < SKF_USE__MAX; u++) {
			skf_key_id(&s->containers[i], (enum skf_use)u, id);
			if (strcmp(id, key_id) != 0 || s->containers[i].algs[u] == UK_KEY_UNKNOWN)
				continue;
			*c = &s->containers[i];
			*use = (enum skf_use)u;
			return UK_OK;
		}
	return rc != UK_OK ? rc : token_fail(f, UK_E_NOT_FOUND, REASON_KEY_NOT_FOUND, "key");
}

/* --- certificates --- */

/* Some lengths are those of the file that it lies in: its own head says where it ends. */
static size_t
der_length(const uint8_t *p, size_t n)
{
	if (n >= 4 && p[0] == 0x30 && p[1] == 0x82)
		return 4 + ((size_t)p[2] << 8 | p[3]);
	if (n >= 3 && p[0] == 0x30 && p[1] == 0x81)
		return 3 + (size_t)p[2];
	return n;
}

enum uk_rc
skf_certificate(struct skf_module *m, struct skf_slot *s, const struct skf_container *c,
    enum skf_use use, struct uk_buf *der, struct token_fault *f)
{
	union skf_cell n = { 0 };
	size_t length;
	ULONG sar;

	sar = m->lib.fn.ExportCertificate(c->handle, sign_flag(use), NULL, &n.v);
	if (sar == SAR_OK && n.v != 0 && n.v <= SKF_ROOM / 2) {
		(void)skf_room(&m->lib, n.v);
		n.wide = n.v;
		sar = m->lib.fn.ExportCertificate(c->handle, sign_flag(use), m->lib.room, &n.v);
	}
	if (skf_is_gone(sar))
		return skf_slot_fail(m, s, f, sar, "SKF_ExportCertificate");
	length = sar == SAR_OK && n.v <= SKF_ROOM ? der_length(m->lib.room, n.v) : 0;
	if (length == 0 || length > n.v || length > UK_CERT_MAX)
		return token_fail(f, UK_E_NOT_FOUND, REASON_CERTIFICATE_NOT_FOUND, "certificate");
	uk_buf_put(der, uk_span(m->lib.room, length));
	return UK_OK;
}

static bool
is_of(const struct uk_cert *cert, struct uk_span spki)
{
	struct uk_buf own;
	bool same;

	uk_buf_init(&own, SPKI_MAX);
	same = uk_pubkey_spki(uk_cert_pubkey(cert), &own) == UK_OK &&
	       uk_span_eq(uk_buf_span(&own), spki);
	uk_buf_fini(&own);
	return same;
}

/* What does not parse is left out. */
static enum uk_rc
put_cert(struct uk_buf *records, struct token_object *o, struct uk_span der, struct uk_span spki)
{
	struct uk_cert *cert = NULL;
	enum uk_rc rc;

	if (uk_cert_parse(der, &cert, NULL) != UK_OK)
		return UK_OK;
	o->kind = TOKEN_CERT;
	o->alg = uk_cert_alg(cert);
	o->has_key = is_of(cert, spki);
	o->data = der;
	rc = message_put_object(records, o);
	uk_cert_free(&cert);
	return rc;
}

static enum uk_rc
put_pair(struct skf_module *m, struct skf_slot *s, const struct skf_container *c, enum skf_use use,
    struct uk_buf *records, struct token_fault *f)
{
	struct token_object o = { .kind = TOKEN_KEY, .has_key = true };
	enum uk_rc rc = UK_OK, found;
	struct uk_buf spki, der;

	uk_buf_init(&spki, SPKI_MAX);
	uk_buf_init(&der, UK_CERT_MAX);
	skf_key_id(c, use, o.key_id);
	text_copy(o.label, sizeof(o.label), uk_span_str(c->name));
	o.alg = skf_public_key(m, c, use, &spki);
	o.data = uk_buf_span(&spki);
	if (o.alg != UK_KEY_UNKNOWN)
		rc = message_put_object(records, &o);
	else
		uk_buf_reset(&spki);
	found = skf_certificate(m, s, c, use, &der, f);
	if (found == UK_OK && rc == UK_OK)
		rc = put_cert(records, &o, uk_buf_span(&der), uk_buf_span(&spki));
	if (rc != UK_OK)
		(void)token_fail(f, rc, REASON_NONE, "objects");
	else if (found != UK_E_NOT_FOUND)
		rc = found;
	uk_buf_fini(&spki);
	uk_buf_fini(&der);
	return rc;
}

/* Another process may have made some since. */
enum uk_rc
skf_objects(struct token_store *b, const char *id, struct uk_buf *records, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_slot *s = NULL;
	enum uk_rc rc = skf_slot_find(m, id, &s, f);

	if (rc != UK_OK)
		return rc;
	skf_containers_forget(m, s);
	rc = skf_containers_read(m, s, f);
	for (size_t i = 0; rc == UK_OK && i < s->n_containers; i++)
		for (unsigned u = 0; rc == UK_OK && u < SKF_USE__MAX; u++)
			rc = put_pair(m, s, &s->containers[i], (enum skf_use)u, records, f);
	return rc;
}

enum uk_rc
skf_put_cert(struct token_store *b, const char *id, const char *key_id, const char *label,
    struct uk_span der, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_container *c = NULL;
	struct skf_slot *s = NULL;
	enum skf_use use = SKF_SIGN;
	struct uk_buf old;
	bool there;
	enum uk_rc rc;
	ULONG sar;

	(void)label; /* a container's name is all there is */
	if ((rc = skf_slot_open(m, id, &s, f)) != UK_OK ||
	    (rc = skf_key_find(m, s, key_id, &c, &use, f)) != UK_OK)
		return rc;
	if (m->lib.fn.ImportCertificate == NULL)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_NONE, "SKF_ImportCertificate");
	uk_buf_init(&old, UK_CERT_MAX);
	rc = skf_certificate(m, s, c, use, &old, f);
	there = rc == UK_OK && uk_span_eq(uk_buf_span(&old), der);
	uk_buf_fini(&old);
	if (there || (rc != UK_OK && rc != UK_E_NOT_FOUND))
		return rc;
	sar = m->lib.fn.ImportCertificate(c->handle, sign_flag(use), skf_bytes(der), (ULONG)der.n);
	return sar == SAR_OK ? UK_OK : skf_slot_fail(m, s, f, sar, "SKF_ImportCertificate");
}

/* --- deleting: GM/T 0016 has it for whole containers only --- */

/* Old envelopes open with the old encryption key: it stays, and with it all of its container. */
static enum uk_rc
check_empty(struct skf_module *m, struct skf_slot *s, const struct skf_container *c,
    enum skf_use use, struct token_fault *f)
{
	struct uk_buf der;
	enum uk_rc rc = UK_OK;

	uk_buf_init(&der, UK_CERT_MAX);
	if (c->algs[use] == UK_KEY_UNKNOWN)
		rc = skf_certificate(m, s, c, use, &der, f);
	uk_buf_fini(&der);
	if (rc == UK_E_NOT_FOUND)
		return UK_OK;
	return rc != UK_OK ? rc
			   : token_fail(f, UK_E_UNSUPPORTED, REASON_CERTIFICATE_STAYS, "delete");
}

static enum uk_rc
delete_container(struct skf_module *m, struct skf_slot *s, struct skf_container *c,
    enum skf_use use, struct token_fault *f)
{
	char name[sizeof(c->name)];
	enum uk_rc rc;
	ULONG sar;

	if (m->lib.fn.DeleteContainer == NULL)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_NONE, "SKF_DeleteContainer");
	rc = check_empty(m, s, c, use == SKF_SIGN ? SKF_ENCRYPT : SKF_SIGN, f);
	if (rc != UK_OK)
		return rc;
	memcpy(name, c->name, sizeof(name));
	skf_containers_forget(m, s);
	sar = m->lib.fn.DeleteContainer(s->handle, name);
	return sar == SAR_OK ? UK_OK : skf_slot_fail(m, s, f, sar, "SKF_DeleteContainer");
}

enum uk_rc
skf_del_cert(struct token_store *b, const char *id, struct uk_span der, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_slot *s = NULL;
	struct uk_buf have;
	enum uk_rc rc;

	if ((rc = skf_slot_open(m, id, &s, f)) != UK_OK ||
	    (rc = skf_containers_read(m, s, f)) != UK_OK)
		return rc;
	uk_buf_init(&have, UK_CERT_MAX);
	for (size_t i = 0; i < s->n_containers; i++)
		for (unsigned u = 0; u < SKF_USE__MAX; u++) {
			struct skf_container *c = &s->containers[i];

			uk_buf_reset(&have);
			rc = skf_certificate(m, s, c, (enum skf_use)u, &have, f);
			if (rc != UK_OK && rc != UK_E_NOT_FOUND)
				goto out;
			if (rc != UK_OK || !uk_span_eq(uk_buf_span(&have), der))
				continue;
			rc = delete_container(m, s, c, (enum skf_use)u, f);
			goto out;
		}
	rc = token_fail(f, UK_E_NOT_FOUND, REASON_CERTIFICATE_NOT_FOUND, "delete");
out:
	uk_buf_fini(&have);
	return rc;
}

enum uk_rc
skf_del_key(struct token_store *b, const char *id, const char *key_id, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_container *c = NULL;
	struct skf_slot *s = NULL;
	enum skf_use use = SKF_SIGN;
	enum uk_rc rc;

	if ((rc = skf_slot_open(m, id, &s, f)) != UK_OK ||
	    (rc = skf_key_find(m, s, key_id, &c, &use, f)) != UK_OK)
		return rc;
	return delete_container(m, s, c, use, f);
}
