#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "soft/vault.h"

#define KEY_LEN    32
#define NONCE_LEN  12
#define TAG_LEN    16
#define SCRYPT_R   8
#define SCRYPT_MEM (256u * 1024u * 1024u)

static_assert(NONCE_LEN + TAG_LEN == SEALED_MORE, "what sealing adds");

/* Nonce, ciphertext, tag. */
static bool
gcm_seal(const uint8_t key[KEY_LEN], struct uk_span about, struct uk_span plain, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *ct = out + NONCE_LEN, *tag = ct + plain.n;
	int n = 0;
	bool ok = ctx != NULL && RAND_bytes(out, NONCE_LEN) == 1 &&
		  EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
		  EVP_EncryptUpdate(ctx, NULL, &n, about.p, (int)about.n) == 1;

	if (ok && plain.n != 0)
		ok = EVP_EncryptUpdate(ctx, ct, &n, plain.p, (int)plain.n) == 1;
	ok = ok && EVP_EncryptFinal_ex(ctx, tag, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* plain has sealed.n - SEALED_MORE bytes. */
static bool
gcm_open(const uint8_t key[KEY_LEN], struct uk_span about, struct uk_span sealed, uint8_t *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const size_t len = sealed.n - SEALED_MORE;
	uint8_t tag[TAG_LEN], none[1];
	int n = 0;
	bool ok = ctx != NULL &&
		  EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, sealed.p) == 1 &&
		  EVP_DecryptUpdate(ctx, NULL, &n, about.p, (int)about.n) == 1;

	memcpy(tag, sealed.p + NONCE_LEN + len, TAG_LEN);
	if (ok && len != 0)
		ok = EVP_DecryptUpdate(ctx, plain, &n, sealed.p + NONCE_LEN, (int)len) == 1;
	ok = ok && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, none, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

struct uk_secret *
vault_master_new(void)
{
	uint8_t key[MASTER_LEN];
	struct uk_secret *s = NULL;

	if (RAND_priv_bytes(key, sizeof(key)) == 1)
		s = uk_secret_new(uk_span(key, sizeof(key)));
	OPENSSL_cleanse(key, sizeof(key));
	return s;
}

static bool
derive(const struct pin *p, const char *pin, uint8_t key[KEY_LEN])
{
	return EVP_PBE_scrypt(pin, strlen(pin), p->salt, SALT_LEN, (uint64_t)1 << p->log_n,
		   SCRYPT_R, 1, SCRYPT_MEM, key, KEY_LEN) == 1;
}

/* Whose master key, and under which PIN. */
static struct uk_span
pin_about(const struct app *a, uint32_t type, uint8_t about[ID_LEN + 1])
{
	memcpy(about, a->id, ID_LEN);
	about[ID_LEN] = (uint8_t)type;
	return uk_span(about, ID_LEN + 1);
}

ULONG
vault_wrap(struct app *a, uint32_t type, const char *pin, const struct uk_secret *master)
{
	struct pin *p = &a->pins[type];
	uint8_t key[KEY_LEN], about[ID_LEN + 1];
	bool ok;

	if (p->log_n == 0)
		p->log_n = SCRYPT_LOG_N;
	ok = RAND_bytes(p->salt, SALT_LEN) == 1 && derive(p, pin, key) &&
	     gcm_seal(key, pin_about(a, type, about), uk_secret_lend(master), p->wrapped);
	OPENSSL_cleanse(key, sizeof(key));
	return ok ? SAR_OK : SAR_FAIL;
}

ULONG
vault_unwrap(const struct app *a, uint32_t type, const char *pin, struct uk_secret **master)
{
	const struct pin *p = &a->pins[type];
	uint8_t key[KEY_LEN], about[ID_LEN + 1], plain[MASTER_LEN];
	ULONG rv = SAR_FAIL;

	if (derive(p, pin, key)) {
		rv = SAR_PIN_INCORRECT;
		if (gcm_open(key, pin_about(a, type, about),
			uk_span(p->wrapped, sizeof(p->wrapped)), plain)) {
			*master = uk_secret_new(uk_span(plain, sizeof(plain)));
			rv = SAR_OK;
		}
	}
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(plain, sizeof(plain));
	return rv;
}

/* A key of its own for each purpose. */
static bool
purpose_key(const struct uk_secret *master, const char *purpose, uint8_t key[KEY_LEN])
{
	const struct uk_span m = uk_secret_lend(master);
	unsigned n = KEY_LEN;

	return HMAC(EVP_sha256(), m.p, (int)m.n, (const uint8_t *)purpose, strlen(purpose), key,
		   &n) != NULL;
}

ULONG
vault_seal(
    const struct uk_secret *master, struct uk_span about, struct uk_span plain, struct uk_buf *out)
{
	uint8_t key[KEY_LEN], *p;
	ULONG rv = SAR_FAIL;

	uk_buf_reset(out);
	p = uk_buf_room(out, plain.n + SEALED_MORE);
	if (p == NULL) {
		rv = SAR_NO_ROOM;
	} else if (purpose_key(master, "seal", key) && gcm_seal(key, about, plain, p)) {
		uk_buf_add(out, plain.n + SEALED_MORE);
		rv = SAR_OK;
	}
	OPENSSL_cleanse(key, sizeof(key));
	return rv;
}

ULONG
vault_open(const struct uk_secret *master, struct uk_span about, struct uk_span sealed,
    struct uk_buf *plain)
{
	uint8_t key[KEY_LEN], *p;
	ULONG rv = SAR_FILEERR;

	uk_buf_reset(plain);
	if (sealed.n < SEALED_MORE)
		return rv;
	p = uk_buf_room(plain, sealed.n - SEALED_MORE);
	if (p == NULL) {
		rv = SAR_MEMORYERR;
	} else if (purpose_key(master, "seal", key) && gcm_open(key, about, sealed, p)) {
		uk_buf_add(plain, sealed.n - SEALED_MORE);
		rv = SAR_OK;
	}
	OPENSSL_cleanse(key, sizeof(key));
	return rv;
}

static ULONG
app_mac(struct app *a, const struct uk_secret *master, uint8_t mac[32])
{
	uint8_t key[KEY_LEN];
	struct uk_buf text;
	unsigned n = 32;
	ULONG rv;

	uk_buf_init(&text, STATE_MAX);
	rv = app_put_protected(a, &text);
	if (rv == SAR_OK && (!purpose_key(master, "mac", key) ||
				HMAC(EVP_sha256(), key, KEY_LEN, text.p, text.n, mac, &n) == NULL))
		rv = SAR_FAIL;
	OPENSSL_cleanse(key, sizeof(key));
	uk_buf_fini(&text);
	return rv;
}

ULONG
vault_protect(struct app *a, const struct uk_secret *master)
{
	return app_mac(a, master, a->mac);
}

ULONG
vault_check(struct app *a, const struct uk_secret *master)
{
	uint8_t mac[32];
	const ULONG rv = app_mac(a, master, mac);

	if (rv != SAR_OK)
		return rv;
	return CRYPTO_memcmp(mac, a->mac, sizeof(mac)) == 0 ? SAR_OK : SAR_FILEERR;
}
