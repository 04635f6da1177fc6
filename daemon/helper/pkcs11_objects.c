#include <stdlib.h>
#include <string.h>

#include "helper/der.h"
#include "helper/pkcs11.h"
#include "uk/b64.h"
#include "uk/x509.h"

#define OBJECTS_MAX 256u
#define SPKI_MAX    2048

struct ids {
	size_t n;
	char id[OBJECTS_MAX][65];
};

struct listing {
	struct p11_module *m;
	struct p11_slot *s;
	struct ids keys; /* of the private keys; unseen before log-in, then of the public ones */
	struct ids shown;
	CK_OBJECT_HANDLE handles[OBJECTS_MAX];
	size_t n;
	struct uk_buf *out;
};

static bool
ids_have(const struct ids *ids, const char *id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (strcmp(ids->id[i], id) == 0)
			return true;
	return false;
}

static void
ids_add(struct ids *ids, const char *id)
{
	if (id[0] != '\0' && ids->n < OBJECTS_MAX && !ids_have(ids, id))
		memcpy(ids->id[ids->n++], id, strlen(id) + 1);
}

static enum uk_rc
find_class(struct listing *l, CK_OBJECT_CLASS class, struct token_fault *f)
{
	CK_ATTRIBUTE t[] = { { CKA_CLASS, &class, sizeof(class) } };

	return p11_find(l->m, l->s, t, 1, l->handles, OBJECTS_MAX, &l->n, f);
}

static enum uk_rc
collect_keys(struct listing *l, struct token_fault *f)
{
	const enum uk_rc rc =
	    find_class(l, l->s->info.logged_in ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY, f);

	for (size_t i = 0; rc == UK_OK && i < l->n; i++) {
		char id[65];

		p11_attr_id(l->m, l->s, l->handles[i], id);
		ids_add(&l->keys, id);
	}
	return rc;
}

static enum uk_rc
put_cert(struct listing *l, CK_OBJECT_HANDLE h)
{
	struct token_object o = { .kind = TOKEN_CERT };
	struct uk_cert *cert = NULL;
	enum uk_rc rc = UK_OK;
	struct uk_buf der;

	uk_buf_init(&der, UK_CERT_MAX);
	if (p11_attr(l->m, l->s, h, CKA_VALUE, UK_CERT_MAX, &der) == CKR_OK &&
	    uk_cert_parse(uk_buf_span(&der), &cert, NULL) == UK_OK) {
		p11_attr_id(l->m, l->s, h, o.key_id);
		p11_attr_label(l->m, l->s, h, o.label);
		o.alg = uk_cert_alg(cert);
		o.has_key = ids_have(&l->keys, o.key_id);
		o.data = uk_buf_span(&der);
		rc = message_put_object(l->out, &o);
	}
	uk_cert_free(&cert);
	uk_buf_fini(&der);
	return rc;
}

/* A key pair is told by its public half; an RSA private key will do where that is missing. */
static enum uk_rc
put_key(struct listing *l, CK_OBJECT_HANDLE h)
{
	struct token_object o = { .kind = TOKEN_KEY, .has_key = true };
	enum uk_rc rc = UK_OK;
	struct uk_buf spki;

	p11_attr_id(l->m, l->s, h, o.key_id);
	if (!ids_have(&l->keys, o.key_id) || ids_have(&l->shown, o.key_id))
		return UK_OK;
	uk_buf_init(&spki, SPKI_MAX);
	o.alg = p11_attr_spki(l->m, l->s, h, &spki);
	if (o.alg != UK_KEY_UNKNOWN) {
		ids_add(&l->shown, o.key_id);
		p11_attr_label(l->m, l->s, h, o.label);
		o.data = uk_buf_span(&spki);
		rc = message_put_object(l->out, &o);
	}
	uk_buf_fini(&spki);
	return rc;
}

static enum uk_rc
put_class(struct listing *l, CK_OBJECT_CLASS class,
    enum uk_rc (*put)(struct listing *, CK_OBJECT_HANDLE), struct token_fault *f)
{
	enum uk_rc rc = find_class(l, class, f);

	if (rc != UK_OK)
		return rc;
	for (size_t i = 0; i < l->n; i++)
		if ((rc = put(l, l->handles[i])) != UK_OK)
			return token_fail(f, rc, REASON_NONE, "objects");
	return UK_OK;
}

enum uk_rc
p11_objects(struct token_store *b, const char *id, struct uk_buf *records, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct listing *l = NULL;
	struct p11_slot *s = NULL;
	enum uk_rc rc;

	if ((rc = p11_slot_find(m, id, &s, f)) != UK_OK)
		return rc;
	if (s->info.state == TOKEN_BLANK)
		return token_fail(f, UK_E_CONFLICT, REASON_TOKEN_BLANK, "objects");
	if ((rc = p11_session(m, s, f)) != UK_OK)
		return rc;
	l = uk_xalloc(sizeof(*l));
	l->m = m;
	l->s = s;
	l->out = records;
	if ((rc = collect_keys(l, f)) != UK_OK ||
	    (rc = put_class(l, CKO_CERTIFICATE, put_cert, f)) != UK_OK ||
	    (rc = put_class(l, CKO_PUBLIC_KEY, put_key, f)) != UK_OK)
		goto out;
	if (s->info.logged_in)
		rc = put_class(l, CKO_PRIVATE_KEY, put_key, f);
out:
	free(l);
	return rc;
}

static enum uk_rc
find_cert(struct p11_module *m, struct p11_slot *s, struct uk_span der, CK_OBJECT_HANDLE *out,
    size_t *n, struct token_fault *f)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_ATTRIBUTE t[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_VALUE, p11_bytes(der), der.n },
	};

	return p11_find(m, s, t, 2, out, OBJECTS_MAX, n, f);
}

static enum uk_rc
create_cert(struct p11_module *m, struct p11_slot *s, struct uk_span id, struct uk_span label,
    struct uk_span der, const struct der_cert *c, struct token_fault *f)
{
	CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE t[] = {
		{ CKA_CLASS, &class, sizeof(class) }, { CKA_CERTIFICATE_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, sizeof(yes) }, { CKA_PRIVATE, &no, sizeof(no) },
		{ CKA_LABEL, p11_bytes(label), label.n },
		{ CKA_SUBJECT, c->subject.p, c->subject.n },
		{ CKA_ISSUER, c->issuer.p, c->issuer.n },
		{ CKA_SERIAL_NUMBER, c->serial.p, c->serial.n },
		{ CKA_VALUE, p11_bytes(der), der.n },
		{ CKA_ID, p11_bytes(id), id.n }, /* not for a CA's, so the last */
	};
	const CK_ULONG n = sizeof(t) / sizeof(t[0]) - (id.n == 0 ? 1 : 0);
	const CK_RV rv = m->fn->C_CreateObject(s->session, t, n, &made);

	return rv == CKR_OK ? UK_OK : p11_slot_fail(m, s, f, rv, "C_CreateObject");
}

/* The same certificate for the same key is there already: a repeated call has nothing to do. */
static enum uk_rc
is_there(struct p11_module *m, struct p11_slot *s, const char *key_id, struct uk_span der,
    bool *there, struct token_fault *f)
{
	CK_OBJECT_HANDLE found[OBJECTS_MAX];
	size_t n = 0;
	const enum uk_rc rc = find_cert(m, s, der, found, &n, f);

	*there = false;
	for (size_t i = 0; rc == UK_OK && i < n; i++) {
		char id[65];

		p11_attr_id(m, s, found[i], id);
		*there = *there || strcmp(id, key_id) == 0;
	}
	return rc;
}

enum uk_rc
p11_put_cert(struct token_store *b, const char *id, const char *key_id, const char *label,
    struct uk_span der, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	struct der_cert c = { 0 };
	struct uk_buf raw_id;
	bool there = false;
	enum uk_rc rc;

	uk_buf_init(&raw_id, 32);
	if ((rc = p11_slot_open(m, id, &s, f)) != UK_OK)
		goto out;
	if (der_cert_read(der, &c) != UK_OK) {
		rc = token_fail(f, UK_E_INPUT, REASON_CERTIFICATE_MALFORMED, "put-cert");
		goto out;
	}
	if (uk_hex_get(&raw_id, key_id) != UK_OK) {
		rc = token_fail(f, UK_E_INPUT, REASON_KEY_NOT_FOUND, "put-cert");
		goto out;
	}
	rc = is_there(m, s, key_id, der, &there, f);
	if (rc == UK_OK && !there)
		rc = create_cert(m, s, uk_buf_span(&raw_id), uk_span_str(label), der, &c, f);
out:
	der_cert_fini(&c);
	uk_buf_fini(&raw_id);
	return rc;
}

static enum uk_rc
destroy(struct p11_module *m, struct p11_slot *s, const CK_OBJECT_HANDLE *h, size_t n,
    struct token_fault *f)
{
	for (size_t i = 0; i < n; i++) {
		const CK_RV rv = m->fn->C_DestroyObject(s->session, h[i]);

		if (rv != CKR_OK)
			return p11_slot_fail(m, s, f, rv, "C_DestroyObject");
	}
	return UK_OK;
}

enum uk_rc
p11_del_cert(struct token_store *b, const char *id, struct uk_span der, struct token_fault *f)
{
	CK_OBJECT_HANDLE found[OBJECTS_MAX];
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	enum uk_rc rc;
	size_t n = 0;

	if ((rc = p11_slot_open(m, id, &s, f)) != UK_OK ||
	    (rc = find_cert(m, s, der, found, &n, f)) != UK_OK)
		return rc;
	if (n == 0)
		return token_fail(f, UK_E_NOT_FOUND, REASON_CERTIFICATE_NOT_FOUND, "delete");
	return destroy(m, s, found, n, f);
}

enum uk_rc
p11_del_key(struct token_store *b, const char *id, const char *key_id, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	CK_OBJECT_HANDLE private[8], public[8];
	struct p11_slot *s = NULL;
	size_t n_private = 0, n_public = 0;
	enum uk_rc rc;

	if ((rc = p11_slot_open(m, id, &s, f)) != UK_OK ||
	    (rc = p11_find_id(m, s, CKO_PRIVATE_KEY, key_id, private, 8, &n_private, f)) != UK_OK ||
	    (rc = p11_find_id(m, s, CKO_PUBLIC_KEY, key_id, public, 8, &n_public, f)) != UK_OK)
		return rc;
	if (n_private + n_public == 0)
		return token_fail(f, UK_E_NOT_FOUND, REASON_KEY_NOT_FOUND, "delete");
	s->n_keys = 0;
	rc = destroy(m, s, private, n_private, f);
	return rc == UK_OK ? destroy(m, s, public, n_public, f) : rc;
}
