#include <string.h>

#include <openssl/evp.h>

#include "helper/skf_backend.h"
#include "uk/b64.h"

#define LABEL_LEN 31 /* SKF_SetLabel: less than 32 bytes */
#define CHALLENGE 8
#define BLOCK     16

/* One block of SM4-ECB. */
static bool
sm4_block(struct uk_span key, const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	const bool ok = ctx != NULL &&
			EVP_EncryptInit_ex(ctx, EVP_sm4_ecb(), NULL, key.p, NULL) == 1 &&
			EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
			EVP_EncryptUpdate(ctx, out, &n, in, BLOCK) == 1 && n == BLOCK;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* GM/T 0016 section 8.2: its eight random bytes, padded with zeroes, encrypted with its key. */
static enum uk_rc
authenticate(struct skf_module *m, struct skf_device *d, struct uk_span key, struct token_fault *f)
{
	uint8_t *challenge = skf_room(&m->lib, 64), answer[BLOCK];
	ULONG sar;

	if (m->lib.fn.GenRandom == NULL || m->lib.fn.DevAuth == NULL)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_NONE, "SKF_DevAuth");
	if (d->info.auth_alg != SGD_SM4_ECB)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "SKF_DevAuth");
	if (key.n != BLOCK)
		return token_fail(f, UK_E_DENIED, REASON_AUTH_KEY, "SKF_DevAuth");
	sar = m->lib.fn.GenRandom(d->handle, challenge, CHALLENGE);
	if (sar != SAR_OK)
		return skf_fail(f, sar, "SKF_GenRandom");
	memset(challenge + CHALLENGE, 0, BLOCK - CHALLENGE);
	if (!sm4_block(key, challenge, answer))
		return token_fail(f, UK_E_INTERNAL, REASON_NONE, "sm4");
	sar = m->lib.fn.DevAuth(d->handle, answer, BLOCK);
	if (sar == SAR_OK || skf_is_gone(sar))
		return sar == SAR_OK ? UK_OK : skf_fail(f, sar, "SKF_DevAuth");
	(void)token_fail(f, UK_E_DENIED, REASON_AUTH_KEY, "SKF_DevAuth");
	f->native = sar;
	return f->rc;
}

/* 16 bytes, or their 32 hex digits, as a ticket can carry any key. */
static enum uk_rc
authenticate_with(
    struct skf_module *m, struct skf_device *d, struct uk_span key, struct token_fault *f)
{
	char text[2 * BLOCK + 1] = "";
	struct uk_buf raw;
	enum uk_rc rc;

	if (key.n != sizeof(text) - 1)
		return authenticate(m, d, key, f);
	memcpy(text, key.p, key.n);
	uk_buf_init(&raw, BLOCK);
	rc = uk_hex_get(&raw, text) == UK_OK
		 ? authenticate(m, d, uk_buf_span(&raw), f)
		 : token_fail(f, UK_E_DENIED, REASON_AUTH_KEY, "SKF_DevAuth");
	explicit_bzero(text, sizeof(text));
	uk_buf_fini(&raw);
	return rc;
}

static enum uk_rc
create(struct skf_module *m, struct skf_device *d, const struct token_prepare *p,
    struct token_fault *f)
{
	struct uk_secret *so = uk_secret_new(p->so_pin), *user = uk_secret_new(p->pin);
	HAPPLICATION app = NULL;
	ULONG sar = SAR_OK;

	if (m->lib.fn.SetLabel != NULL && p->label[0] != '\0')
		sar = m->lib.fn.SetLabel(d->handle, skf_text(p->label));
	if (sar == SAR_OK)
		sar = m->lib.fn.CreateApplication(d->handle, skf_text(SKF_APPLICATION),
		    (LPSTR)skf_bytes(uk_secret_lend(so)), SKF_TRIES,
		    (LPSTR)skf_bytes(uk_secret_lend(user)), SKF_TRIES, SECURE_USER_ACCOUNT, &app);
	uk_secret_free(&so);
	uk_secret_free(&user);
	if (sar == SAR_OK) {
		(void)m->lib.fn.CloseApplication(app);
		return UK_OK;
	}
	(void)skf_fail(f, sar, "SKF_CreateApplication");
	/* Its only log-in here is the device's. */
	if (f->rc == UK_E_UNAUTHORIZED) {
		f->rc = UK_E_DENIED;
		f->reason = REASON_AUTH_KEY;
	}
	return f->rc;
}

static bool
fits(const struct skf_slot *s, struct uk_span pin)
{
	return pin.n >= (size_t)s->info.pin_min && pin.n <= (size_t)s->info.pin_max &&
	       memchr(pin.p, '\0', pin.n) == NULL;
}

/* Whatever is on a token stays there: only a device without any application is blank. */
static enum uk_rc
find_blank(struct skf_module *m, const char *id, const struct token_prepare *p,
    struct skf_slot **out, struct token_fault *f)
{
	enum uk_rc rc;

	if (strlen(p->label) > LABEL_LEN)
		return token_fail(f, UK_E_INPUT, REASON_LABEL_LENGTH, "prepare");
	if (m->lib.fn.CreateApplication == NULL)
		return token_fail(f, UK_E_UNSUPPORTED, REASON_NONE, "SKF_CreateApplication");
	if ((rc = skf_slots_refresh(m, f)) != UK_OK || (rc = skf_slot_find(m, id, out, f)) != UK_OK)
		return rc;
	if ((*out)->handle != NULL)
		return token_fail(f, UK_E_CONFLICT, REASON_TOKEN_NOT_BLANK, "prepare");
	if (!fits(*out, p->so_pin) || !fits(*out, p->pin))
		return token_fail(f, UK_E_INPUT, REASON_PIN_LENGTH, "prepare");
	return UK_OK;
}

static struct skf_slot *
made_on(struct skf_module *m, const struct skf_device *d)
{
	for (size_t i = 0; i < m->n_slots; i++)
		if (m->slots[i]->device == d && strcmp(m->slots[i]->app, SKF_APPLICATION) == 0)
			return m->slots[i];
	return NULL;
}

enum uk_rc
skf_prepare(struct token_store *b, const char *id, const struct token_prepare *p, char token_id[65],
    struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	struct skf_device *d;
	struct skf_slot *s = NULL;
	enum uk_rc rc;

	if ((rc = find_blank(m, id, p, &s, f)) != UK_OK)
		return rc;
	d = s->device;
	if (p->auth_key.n != 0)
		rc = authenticate_with(m, d, p->auth_key, f);
	/* The label is read anew with the list of applications. */
	if (rc != UK_OK || (rc = create(m, d, p, f)) != UK_OK ||
	    (rc = skf_devinfo_read(&m->lib, d->handle, &d->info, f)) != UK_OK ||
	    (rc = skf_slots_refresh(m, f)) != UK_OK)
		return rc;
	s = made_on(m, d);
	if (s == NULL)
		return token_fail(f, UK_E_TOKEN_REMOVED, REASON_NONE, "prepare");
	if ((rc = skf_pin_verify(m, s, p->pin, f)) == UK_OK)
		memcpy(token_id, s->info.id, sizeof(s->info.id));
	return rc;
}
