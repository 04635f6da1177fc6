#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>

#include "helper/pkcs11.h"
#include "uk/b64.h"
#include "uk/pubkey.h"

struct rv_row {
	CK_RV rv;
	enum uk_rc rc;
	enum message_reason reason;
};

/* What the caller can do about it; anything else is UK_E_INTERNAL. */
static const struct rv_row rvs[] = {
	{ CKR_PIN_INCORRECT, UK_E_PIN_WRONG, REASON_NONE },
	{ CKR_PIN_LOCKED, UK_E_PIN_LOCKED, REASON_NONE },
	{ CKR_PIN_LEN_RANGE, UK_E_INPUT, REASON_PIN_LENGTH },
	{ CKR_PIN_INVALID, UK_E_INPUT, REASON_PIN_LENGTH },
	{ CKR_ENCRYPTED_DATA_INVALID, UK_E_INTEGRITY, REASON_DECRYPTION },
	{ CKR_ENCRYPTED_DATA_LEN_RANGE, UK_E_INPUT, REASON_DECRYPTION },
	{ CKR_KEY_FUNCTION_NOT_PERMITTED, UK_E_UNSUPPORTED, REASON_ALGORITHM },
	{ CKR_PIN_EXPIRED, UK_E_CONFLICT, REASON_PIN_EXPIRED },
	{ CKR_USER_PIN_NOT_INITIALIZED, UK_E_CONFLICT, REASON_TOKEN_BLANK },
	{ CKR_USER_NOT_LOGGED_IN, UK_E_UNAUTHORIZED, REASON_NOT_LOGGED_IN },

	{ CKR_DEVICE_REMOVED, UK_E_TOKEN_REMOVED, REASON_NONE },
	{ CKR_TOKEN_NOT_PRESENT, UK_E_TOKEN_REMOVED, REASON_NONE },
	{ CKR_TOKEN_NOT_RECOGNIZED, UK_E_TOKEN_REMOVED, REASON_NONE },
	{ CKR_SESSION_HANDLE_INVALID, UK_E_TOKEN_REMOVED, REASON_NONE },
	{ CKR_SESSION_CLOSED, UK_E_TOKEN_REMOVED, REASON_NONE },
	{ CKR_SLOT_ID_INVALID, UK_E_TOKEN_REMOVED, REASON_NONE },
	{ CKR_DEVICE_ERROR, UK_E_UNAVAILABLE, REASON_NONE },
	{ CKR_CRYPTOKI_NOT_INITIALIZED, UK_E_UNAVAILABLE, REASON_NONE },
	{ CKR_SESSION_COUNT, UK_E_UNAVAILABLE, REASON_NONE },
	{ CKR_FUNCTION_CANCELED, UK_E_CANCELLED, REASON_NONE },

	{ CKR_OBJECT_HANDLE_INVALID, UK_E_NOT_FOUND, REASON_KEY_NOT_FOUND },
	{ CKR_KEY_HANDLE_INVALID, UK_E_NOT_FOUND, REASON_KEY_NOT_FOUND },
	{ CKR_DEVICE_MEMORY, UK_E_LIMIT, REASON_TOKEN_FULL },
	{ CKR_TOKEN_WRITE_PROTECTED, UK_E_CONFLICT, REASON_TOKEN_READ_ONLY },
	{ CKR_SESSION_READ_ONLY, UK_E_CONFLICT, REASON_TOKEN_READ_ONLY },
	{ CKR_MECHANISM_INVALID, UK_E_UNSUPPORTED, REASON_ALGORITHM },
	{ CKR_KEY_SIZE_RANGE, UK_E_UNSUPPORTED, REASON_ALGORITHM },
	{ CKR_CURVE_NOT_SUPPORTED, UK_E_UNSUPPORTED, REASON_ALGORITHM },
	{ CKR_FUNCTION_NOT_SUPPORTED, UK_E_UNSUPPORTED, REASON_NONE },
};

enum uk_rc
p11_fail(struct token_fault *f, CK_RV rv, const char *where)
{
	enum uk_rc rc = rv == CKR_OK ? UK_OK : UK_E_INTERNAL;
	enum message_reason reason = REASON_NONE;

	for (size_t i = 0; i < sizeof(rvs) / sizeof(rvs[0]); i++)
		if (rvs[i].rv == rv) {
			rc = rvs[i].rc;
			reason = rvs[i].reason;
		}
	(void)token_fail(f, rc, reason, where);
	f->native = (uint32_t)rv;
	return rc;
}

bool
p11_is_gone(CK_RV rv)
{
	struct token_fault f;

	return p11_fail(&f, rv, NULL) == UK_E_TOKEN_REMOVED;
}

/* A module that brought pcsc-lite along finds its tokens by it; we don't link it ourselves. */
static bool
has_readers(void)
{
	void *lib = dlopen("libpcsclite.so.1", RTLD_LAZY | RTLD_NOLOAD);

	if (lib != NULL)
		(void)dlclose(lib);
	return lib != NULL;
}

enum uk_rc
p11_start(struct p11_module *m, struct token_fault *f)
{
	CK_RV rv;

	if (m->up)
		return UK_OK;
	rv = m->fn->C_Initialize(NULL);
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return p11_fail(f, rv, "C_Initialize");
	m->up = true;
	m->readers = has_readers();
	return UK_OK;
}

void
p11_stop(struct p11_module *m)
{
	if (m->up)
		(void)m->fn->C_Finalize(NULL);
	m->up = false;
	for (size_t i = 0; i < m->n_slots; i++) {
		struct p11_slot *s = &m->slots[i];

		s->session = CK_INVALID_HANDLE;
		s->info.logged_in = false;
		s->n_keys = 0;
	}
}

/* Measured on SoftHSM 2.6.1; a smart card's module would pay for it with seconds. */
static bool
is_forgetful(struct p11_module *m)
{
	static const char name[] = "SoftHSM";
	CK_INFO info = { 0 };

	return m->fn->C_GetInfo(&info) == CKR_OK &&
	       memcmp(info.manufacturerID, name, sizeof(name) - 1) == 0;
}

static void
tag_of(const char *path, char out[9])
{
	uint8_t hash[32];
	struct uk_buf hex;

	uk_buf_init(&hex, 8);
	uk_sha256(uk_span_str(path), hash);
	uk_hex_put(&hex, uk_span(hash, 4));
	memcpy(out, uk_buf_str(&hex), 9);
	uk_buf_fini(&hex);
}

static void
p11_close(struct token_store *b)
{
	struct p11_module *m = p11_cast(b);

	p11_stop(m);
	p11_kit_module_release(m->fn);
	free(m);
}

static enum uk_rc
p11_open(
    const char *path, const struct uk_log *log, struct token_store **out, struct token_fault *f)
{
	struct p11_module *m;
	CK_FUNCTION_LIST *fn;

	/* Unmanaged: our C_Finalize must reach the module. */
	fn = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED);
	if (fn == NULL) {
		uk_log(log, UK_LOG_ERROR, "module.load", UK_LS("module", path),
		    UK_LS("why", p11_kit_message()));
		return token_fail(f, UK_E_UNAVAILABLE, REASON_NONE, "p11_kit_module_load");
	}
	m = uk_xalloc(sizeof(*m));
	m->base.ops = &pkcs11_ops;
	m->log = log;
	m->fn = fn;
	tag_of(path, m->tag);
	if (p11_start(m, f) != UK_OK) {
		p11_close(&m->base);
		return f->rc;
	}
	m->forgetful = is_forgetful(m);
	*out = &m->base;
	return UK_OK;
}

static enum uk_rc
p11_list(struct token_store *b, struct token_list *out, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	const enum uk_rc rc = p11_slots_refresh(m, f);

	out->readers = m->readers;
	if (rc != UK_OK)
		return rc;
	out->n = m->n_slots;
	for (size_t i = 0; i < m->n_slots; i++)
		out->tokens[i] = m->slots[i].info;
	return UK_OK;
}

const struct token_ops pkcs11_ops = {
	.name = "pkcs11",
	.open = p11_open,
	.close = p11_close,
	.list = p11_list,
	.objects = p11_objects,
	.login = p11_login,
	.logout = p11_logout,
	.sign = p11_sign,
	.keygen = p11_keygen,
	.put_cert = p11_put_cert,
	.del_cert = p11_del_cert,
	.del_key = p11_del_key,
	.prepare = p11_prepare,
	.change_pin = p11_change_pin,
	.unblock = p11_unblock,
	.decrypt = p11_decrypt,
};
