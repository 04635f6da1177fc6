#include <stddef.h>
#include <string.h>

#include "helper/token.h"

static const struct token_ops *const kinds[] = { &pkcs11_ops, &skf_ops, NULL };

enum uk_rc
token_fail(struct token_fault *f, enum uk_rc rc, enum message_reason reason, const char *where)
{
	*f = (struct token_fault){
		.rc = rc, .reason = reason, .tries = TOKEN_TRIES_UNKNOWN, .where = where
	};
	return rc;
}

static enum uk_rc
unsupported(struct token_fault *f)
{
	return token_fail(f, UK_E_UNSUPPORTED, REASON_NONE, "backend");
}

enum uk_rc
token_open(const char *kind, const char *path, const struct uk_log *log, struct token_store **out,
    struct token_fault *f)
{
	for (size_t i = 0; kinds[i] != NULL; i++)
		if (strcmp(kinds[i]->name, kind) == 0)
			return kinds[i]->open(path, log, out, f);
	return unsupported(f);
}

void
token_close(struct token_store **m)
{
	if (*m != NULL)
		(*m)->ops->close(*m);
	*m = NULL;
}

enum uk_rc
token_list(struct token_store *m, struct token_list *out, struct token_fault *f)
{
	return m->ops->list(m, out, f);
}

enum uk_rc
token_objects(struct token_store *m, const char *id, struct uk_buf *records, struct token_fault *f)
{
	if (m->ops->objects == NULL)
		return unsupported(f);
	return m->ops->objects(m, id, records, f);
}

enum uk_rc
token_login(struct token_store *m, const char *id, struct uk_span pin, struct token_fault *f)
{
	if (m->ops->login == NULL)
		return unsupported(f);
	return m->ops->login(m, id, pin, f);
}

enum uk_rc
token_logout(struct token_store *m, const char *id, struct token_fault *f)
{
	if (m->ops->logout == NULL)
		return unsupported(f);
	return m->ops->logout(m, id, f);
}

enum uk_rc
token_sign(struct token_store *m, const char *id, const char *key_id, struct uk_span digest,
    struct uk_buf *sig, struct token_fault *f)
{
	if (m->ops->sign == NULL)
		return unsupported(f);
	if (digest.n != 32 && digest.n != 48)
		return token_fail(f, UK_E_INPUT, REASON_DIGEST_LENGTH, "sign");
	return m->ops->sign(m, id, key_id, digest, sig, f);
}

enum uk_rc
token_keygen(struct token_store *m, const char *id, enum uk_keyalg alg, const char *label,
    char key_id[65], struct uk_buf *spki, struct token_fault *f)
{
	if (m->ops->keygen == NULL)
		return unsupported(f);
	return m->ops->keygen(m, id, alg, label != NULL ? label : "", key_id, spki, f);
}

enum uk_rc
token_put_cert(struct token_store *m, const char *id, const char *key_id, const char *label,
    struct uk_span der, struct token_fault *f)
{
	if (m->ops->put_cert == NULL)
		return unsupported(f);
	return m->ops->put_cert(
	    m, id, key_id != NULL ? key_id : "", label != NULL ? label : "", der, f);
}

enum uk_rc
token_del_cert(struct token_store *m, const char *id, struct uk_span der, struct token_fault *f)
{
	if (m->ops->del_cert == NULL)
		return unsupported(f);
	return m->ops->del_cert(m, id, der, f);
}

enum uk_rc
token_del_key(struct token_store *m, const char *id, const char *key_id, struct token_fault *f)
{
	if (m->ops->del_key == NULL)
		return unsupported(f);
	return m->ops->del_key(m, id, key_id, f);
}

enum uk_rc
token_prepare(struct token_store *m, const char *id, const struct token_prepare *p,
    char token_id[65], struct token_fault *f)
{
	if (m->ops->prepare == NULL)
		return unsupported(f);
	return m->ops->prepare(m, id, p, token_id, f);
}

enum uk_rc
token_change_pin(struct token_store *m, const char *id, bool admin, struct uk_span pin,
    struct uk_span new_pin, struct token_fault *f)
{
	if (m->ops->change_pin == NULL)
		return unsupported(f);
	return m->ops->change_pin(m, id, admin, pin, new_pin, f);
}

enum uk_rc
token_unblock(struct token_store *m, const char *id, const struct token_unblock *u,
    enum token_so *now, struct token_fault *f)
{
	if (m->ops->unblock == NULL)
		return unsupported(f);
	return m->ops->unblock(m, id, u, now, f);
}

enum uk_rc
token_decrypt(struct token_store *m, const char *id, const char *key_id, enum token_scheme scheme,
    struct uk_span data, struct uk_buf *out, struct token_fault *f)
{
	if (m->ops->decrypt == NULL)
		return unsupported(f);
	return m->ops->decrypt(m, id, key_id, scheme, data, out, f);
}

enum uk_rc
token_unseal(struct token_store *m, const char *id, const char *key_id,
    const struct token_envelope *e, struct uk_buf *out, struct token_fault *f)
{
	if (m->ops->unseal == NULL)
		return unsupported(f);
	if (e->iv.n != 16 || e->content.n == 0 || e->content.n % 16 != 0)
		return token_fail(f, UK_E_INPUT, REASON_ENVELOPE_MALFORMED, "unseal");
	return m->ops->unseal(m, id, key_id, e, out, f);
}

enum uk_rc
token_put_key(struct token_store *m, const char *id, const char *key_id, struct uk_span enveloped,
    char enc_key_id[65], struct token_fault *f)
{
	if (m->ops->put_key == NULL)
		return unsupported(f);
	return m->ops->put_key(m, id, key_id, enveloped, enc_key_id, f);
}
