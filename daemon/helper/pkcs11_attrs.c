#include <string.h>

#include "helper/der.h"
#include "helper/pkcs11.h"
#include "token/text.h"
#include "uk/b64.h"

#define MODULUS_MAX 512
#define ID_MAX      32

CK_RV
p11_attr(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, CK_ATTRIBUTE_TYPE t,
    size_t max, struct uk_buf *out)
{
	CK_ATTRIBUTE a = { t, NULL, max };
	CK_RV rv;

	a.pValue = uk_buf_room(out, max);
	if (a.pValue == NULL)
		return CKR_HOST_MEMORY;
	rv = m->fn->C_GetAttributeValue(s->session, h, &a, 1);
	if (rv != CKR_OK)
		return rv;
	/* CK_UNAVAILABLE_INFORMATION is the largest of all lengths. */
	if (a.ulValueLen > max)
		return CKR_GENERAL_ERROR;
	uk_buf_add(out, a.ulValueLen);
	return CKR_OK;
}

CK_RV
p11_attr_ulong(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, CK_ATTRIBUTE_TYPE t,
    CK_ULONG *out)
{
	CK_ULONG v = 0;
	CK_ATTRIBUTE a = { t, &v, sizeof(v) };
	const CK_RV rv = m->fn->C_GetAttributeValue(s->session, h, &a, 1);

	if (rv != CKR_OK)
		return rv;
	if (a.ulValueLen != sizeof(v))
		return CKR_GENERAL_ERROR;
	*out = v;
	return CKR_OK;
}

void
p11_attr_id(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, char out[65])
{
	struct uk_buf id, hex;

	uk_buf_init(&id, ID_MAX);
	uk_buf_init(&hex, 2 * ID_MAX);
	out[0] = '\0';
	if (p11_attr(m, s, h, CKA_ID, ID_MAX, &id) == CKR_OK) {
		uk_hex_put(&hex, uk_buf_span(&id));
		memcpy(out, uk_buf_str(&hex), hex.n + 1);
	}
	uk_buf_fini(&id);
	uk_buf_fini(&hex);
}

void
p11_attr_label(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, char out[97])
{
	struct uk_buf label;

	uk_buf_init(&label, 1024);
	(void)p11_attr(m, s, h, CKA_LABEL, 1024, &label);
	text_copy(out, 97, uk_buf_span(&label));
	uk_buf_fini(&label);
}

static bool
rsa_spki(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, struct uk_buf *out)
{
	struct uk_buf n, e;
	bool ok;

	uk_buf_init(&n, MODULUS_MAX + 1);
	uk_buf_init(&e, 8);
	ok = p11_attr(m, s, h, CKA_MODULUS, MODULUS_MAX + 1, &n) == CKR_OK &&
	     p11_attr(m, s, h, CKA_PUBLIC_EXPONENT, 8, &e) == CKR_OK;
	if (ok)
		der_spki_rsa(out, uk_buf_span(&n), uk_buf_span(&e));
	uk_buf_fini(&n);
	uk_buf_fini(&e);
	return ok;
}

/* CKA_EC_POINT is an OCTET STRING around the point (PKCS #11 v2.40 section 2.3.3); some modules
 * leave it bare.  Both begin with 04, so only the length tells. */
static bool
ec_spki(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, struct uk_buf *out)
{
	struct uk_buf curve, point;
	struct uk_span p;
	bool ok;

	uk_buf_init(&curve, 64);
	uk_buf_init(&point, 160);
	ok = p11_attr(m, s, h, CKA_EC_PARAMS, 64, &curve) == CKR_OK &&
	     p11_attr(m, s, h, CKA_EC_POINT, 160, &point) == CKR_OK;
	p = uk_buf_span(&point);
	if (ok && (p.n == 67 || p.n == 99))
		p = uk_span(p.p + 2, p.n - 2);
	if (ok)
		der_spki_ec(out, uk_buf_span(&curve), p);
	uk_buf_fini(&curve);
	uk_buf_fini(&point);
	return ok;
}

enum uk_keyalg
p11_attr_spki(struct p11_module *m, struct p11_slot *s, CK_OBJECT_HANDLE h, struct uk_buf *out)
{
	enum uk_keyalg alg = UK_KEY_UNKNOWN;
	struct uk_pubkey *k = NULL;
	const size_t from = out->n;
	CK_ULONG type;
	bool ok = false;

	if (p11_attr_ulong(m, s, h, CKA_KEY_TYPE, &type) != CKR_OK)
		return UK_KEY_UNKNOWN;
	if (type == CKK_RSA)
		ok = rsa_spki(m, s, h, out);
	else if (type == CKK_EC)
		ok = ec_spki(m, s, h, out);
	if (ok && !uk_buf_failed(out) &&
	    uk_pubkey_from_spki(uk_span(out->p + from, out->n - from), &k, NULL) == UK_OK)
		alg = uk_pubkey_alg(k);
	uk_pubkey_free(&k);
	return alg;
}

static CK_RV
find_init(struct p11_module *m, struct p11_slot *s, CK_ATTRIBUTE *t, CK_ULONG n)
{
	CK_RV rv = m->fn->C_FindObjectsInit(s->session, t, n);

	if (rv == CKR_OPERATION_ACTIVE) {
		(void)m->fn->C_FindObjectsFinal(s->session);
		rv = m->fn->C_FindObjectsInit(s->session, t, n);
	}
	return rv;
}

enum uk_rc
p11_find(struct p11_module *m, struct p11_slot *s, CK_ATTRIBUTE *t, CK_ULONG n,
    CK_OBJECT_HANDLE *out, size_t max, size_t *count, struct token_fault *f)
{
	CK_RV rv = find_init(m, s, t, n);
	CK_OBJECT_HANDLE extra;
	CK_ULONG got = 1;
	size_t at = 0;

	if (rv != CKR_OK)
		return p11_slot_fail(m, s, f, rv, "C_FindObjectsInit");
	while (rv == CKR_OK && got != 0 && at <= max) {
		const CK_ULONG room = at < max ? max - at : 1;

		got = 0;
		rv = m->fn->C_FindObjects(s->session, at < max ? out + at : &extra, room, &got);
		if (got > room)
			rv = CKR_GENERAL_ERROR;
		at += got;
	}
	(void)m->fn->C_FindObjectsFinal(s->session);
	if (rv != CKR_OK)
		return p11_slot_fail(m, s, f, rv, "C_FindObjects");
	if (at > max)
		return token_fail(f, UK_E_LIMIT, REASON_NONE, "C_FindObjects");
	*count = at;
	return UK_OK;
}

enum uk_rc
p11_find_id(struct p11_module *m, struct p11_slot *s, CK_OBJECT_CLASS class, const char *key_id,
    CK_OBJECT_HANDLE *out, size_t max, size_t *count, struct token_fault *f)
{
	enum uk_rc rc = UK_E_INTERNAL;
	struct uk_buf id;

	uk_buf_init(&id, ID_MAX);
	if (uk_hex_get(&id, key_id) != UK_OK) {
		rc = token_fail(f, UK_E_NOT_FOUND, REASON_KEY_NOT_FOUND, "key-id");
	} else {
		CK_ATTRIBUTE t[] = {
			{ CKA_CLASS, &class, sizeof(class) },
			{ CKA_ID, id.p, id.n },
		};

		rc = p11_find(m, s, t, 2, out, max, count, f);
	}
	uk_buf_fini(&id);
	return rc;
}
