#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "store/crypt.h"
#include "uk/hmac.h"

#define FORMAT  1
#define IV_LEN  12
#define TAG_LEN 16
static_assert(CRYPT_OVERHEAD == 1 + IV_LEN + TAG_LEN, "what crypt.h says");

#define PLAIN_MAX (64u * 1024u * 1024u)
#define AAD_MAX   1024u

static const char *const purposes[] = {
	[CRYPT_PERSONAL] = "ukey-ca 1 personal",
	[CRYPT_PHOTO] = "ukey-ca 1 photo",
	[CRYPT_PIN] = "ukey-ca 1 pin",
	[CRYPT_SO_PIN] = "ukey-ca 1 so-pin",
	[CRYPT_KM] = "ukey-ca 1 km",
};
static_assert(sizeof(purposes) / sizeof(purposes[0]) == CRYPT_PURPOSE__MAX, "a label each");

static const char *const indexes[] = {
	[CRYPT_INDEX_NUMBER] = "ukey-ca 1 index number",
	[CRYPT_INDEX_PHONE] = "ukey-ca 1 index phone",
	[CRYPT_INDEX_IDENTITY] = "ukey-ca 1 index identity",
	[CRYPT_INDEX_CODE] = "ukey-ca 1 index code",
	[CRYPT_INDEX_SESSION] = "ukey-ca 1 index session",
};
static_assert(sizeof(indexes) / sizeof(indexes[0]) == CRYPT_INDEX__MAX, "a label each");

struct crypt {
	const struct uk_random *random;
	struct uk_secret *purpose[CRYPT_PURPOSE__MAX];
	struct uk_secret *index[CRYPT_INDEX__MAX];
};

/* HKDF-SHA256 (RFC 5869) without salt: the master key is uniform. */
static enum uk_rc
derive(struct uk_span master, const char *label, struct uk_secret **out, struct uk_err *err)
{
	/* OSSL_PARAM wants mutable pointers and changes nothing. */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)master.p, master.n),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)label, strlen(label)),
		OSSL_PARAM_construct_end(),
	};
	uint8_t key[CRYPT_KEY_LEN];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	enum uk_rc rc = UK_E_INTERNAL;

	if (ctx == NULL || EVP_KDF_derive(ctx, key, sizeof(key), params) != 1) {
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "crypt.derive", 0);
		goto out;
	}
	*out = uk_secret_new(uk_span(key, sizeof(key)));
	rc = UK_OK;
out:
	explicit_bzero(key, sizeof(key));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

enum uk_rc
crypt_new(const struct uk_secret *master, const struct uk_random *random, struct crypt **out,
    struct uk_err *err)
{
	const struct uk_span key = uk_secret_lend(master);
	struct crypt *c = NULL;
	enum uk_rc rc = UK_OK;

	if (key.n != CRYPT_KEY_LEN)
		return uk_fail(err, UK_E_INPUT, "master-key-length", "crypt", (long)key.n);
	c = uk_xalloc(sizeof(*c));
	c->random = random;
	for (size_t i = 0; i < CRYPT_PURPOSE__MAX && rc == UK_OK; i++)
		rc = derive(key, purposes[i], &c->purpose[i], err);
	for (size_t i = 0; i < CRYPT_INDEX__MAX && rc == UK_OK; i++)
		rc = derive(key, indexes[i], &c->index[i], err);
	if (rc != UK_OK)
		crypt_free(&c);
	else
		*out = c;
	return rc;
}

enum uk_rc
crypt_open(const char *path, const struct uk_random *random, struct crypt **out, struct uk_err *err)
{
	uint8_t key[CRYPT_KEY_LEN + 1];
	struct uk_secret *master = NULL;
	struct stat st;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum uk_rc rc = UK_E_INTERNAL;
	ssize_t n;

	if (fd < 0)
		return uk_fail(err, errno == ENOENT ? UK_E_NOT_FOUND : UK_E_UNAVAILABLE,
		    "master-key-unreadable", "crypt.open", errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) != 0) {
		rc = uk_fail(err, UK_E_DENIED, "master-key-not-private", "crypt.open", 0);
		goto out;
	}
	n = read(fd, key, sizeof(key));
	if (n != CRYPT_KEY_LEN) {
		rc = uk_fail(err, UK_E_INPUT, "master-key-length", "crypt.open", (long)n);
		goto out;
	}
	master = uk_secret_new(uk_span(key, CRYPT_KEY_LEN));
	rc = crypt_new(master, random, out, err);
out:
	explicit_bzero(key, sizeof(key));
	uk_secret_free(&master);
	(void)close(fd);
	return rc;
}

void
crypt_free(struct crypt **c)
{
	if (*c == NULL)
		return;
	for (size_t i = 0; i < CRYPT_PURPOSE__MAX; i++)
		uk_secret_free(&(*c)->purpose[i]);
	for (size_t i = 0; i < CRYPT_INDEX__MAX; i++)
		uk_secret_free(&(*c)->index[i]);
	free(*c);
	*c = NULL;
}

static void
put_part(struct uk_buf *b, struct uk_span s)
{
	uk_buf_put_u32(b, (uint32_t)s.n);
	uk_buf_put(b, s);
}

static bool
put_aad(struct uk_buf *b, const struct crypt_place *at)
{
	uk_buf_init(b, AAD_MAX);
	uk_buf_put_u8(b, FORMAT);
	put_part(b, uk_span_str(at->table));
	put_part(b, uk_span_str(at->row));
	put_part(b, uk_span_str(at->column));
	return !uk_buf_failed(b);
}

static bool
encrypt(struct uk_span key, const uint8_t *iv, struct uk_span aad, struct uk_span plain,
    uint8_t *ct, uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	const bool ok =
	    ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key.p, iv) == 1 &&
	    EVP_EncryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n) == 1 &&
	    (plain.n == 0 || EVP_EncryptUpdate(ctx, ct, &n, plain.p, (int)plain.n) == 1) &&
	    EVP_EncryptFinal_ex(ctx, tag, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static bool
decrypt(struct uk_span key, const uint8_t *iv, struct uk_span aad, struct uk_span ct, uint8_t *tag,
    uint8_t *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t none[1];
	int n = 0;
	const bool ok = ctx != NULL &&
			EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key.p, iv) == 1 &&
			EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1 &&
			EVP_DecryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n) == 1 &&
			(ct.n == 0 || EVP_DecryptUpdate(ctx, plain, &n, ct.p, (int)ct.n) == 1) &&
			EVP_DecryptFinal_ex(ctx, none, &n) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

enum uk_rc
crypt_seal(const struct crypt *c, enum crypt_purpose purpose, const struct crypt_place *at,
    struct uk_span plain, struct uk_buf *out, struct uk_err *err)
{
	struct uk_buf aad;
	uint8_t *room;
	enum uk_rc rc = UK_E_INTERNAL;

	if (plain.n > PLAIN_MAX || !put_aad(&aad, at))
		return uk_fail(err, UK_E_LIMIT, NULL, "crypt.seal", 0);
	room = uk_buf_room(out, plain.n + CRYPT_OVERHEAD);
	if (room == NULL) {
		rc = uk_fail(err, UK_E_LIMIT, NULL, "crypt.seal", 0);
		goto out;
	}
	room[0] = FORMAT;
	c->random->bytes(c->random->ctx, room + 1, IV_LEN);
	if (!encrypt(uk_secret_lend(c->purpose[purpose]), room + 1, uk_buf_span(&aad), plain,
		room + 1 + IV_LEN, room + 1 + IV_LEN + plain.n)) {
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "crypt.seal", 0);
		goto out;
	}
	uk_buf_add(out, plain.n + CRYPT_OVERHEAD);
	rc = UK_OK;
out:
	uk_buf_fini(&aad);
	return rc;
}

enum uk_rc
crypt_unseal(const struct crypt *c, enum crypt_purpose purpose, const struct crypt_place *at,
    struct uk_span sealed, struct uk_buf *out, struct uk_err *err)
{
	struct uk_span ct;
	struct uk_buf aad;
	uint8_t tag[TAG_LEN];
	uint8_t *room;
	enum uk_rc rc = UK_E_INTERNAL;

	if (sealed.n < CRYPT_OVERHEAD || sealed.n > PLAIN_MAX || sealed.p[0] != FORMAT)
		return uk_fail(err, UK_E_INTEGRITY, NULL, "crypt.unseal", 0);
	if (!put_aad(&aad, at))
		return uk_fail(err, UK_E_LIMIT, NULL, "crypt.unseal", 0);
	ct = uk_span(sealed.p + 1 + IV_LEN, sealed.n - CRYPT_OVERHEAD);
	memcpy(tag, ct.p + ct.n, TAG_LEN);
	room = uk_buf_room(out, ct.n);
	if (room == NULL) {
		rc = uk_fail(err, UK_E_LIMIT, NULL, "crypt.unseal", 0);
		goto out;
	}
	if (!decrypt(uk_secret_lend(c->purpose[purpose]), sealed.p + 1, uk_buf_span(&aad), ct, tag,
		room)) {
		explicit_bzero(room, ct.n);
		rc = uk_fail(err, UK_E_INTEGRITY, NULL, "crypt.unseal", 0);
		goto out;
	}
	uk_buf_add(out, ct.n);
	rc = UK_OK;
out:
	uk_buf_fini(&aad);
	return rc;
}

void
crypt_index(const struct crypt *c, enum crypt_index which, const struct uk_span *parts, size_t n,
    char out[CRYPT_INDEX_LEN])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t mac[UK_HMAC_LEN];
	struct uk_buf b;

	uk_buf_init(&b, SIZE_MAX / 4);
	for (size_t i = 0; i < n; i++)
		put_part(&b, parts[i]);
	uk_hmac_sha256(uk_secret_lend(c->index[which]), uk_buf_span(&b), mac);
	for (size_t i = 0; i < sizeof(mac); i++) {
		out[2 * i] = digits[mac[i] >> 4];
		out[2 * i + 1] = digits[mac[i] & 15];
	}
	out[CRYPT_INDEX_LEN - 1] = '\0';
	uk_buf_fini(&b);
}

void
crypt_index_str(
    const struct crypt *c, enum crypt_index which, const char *s, char out[CRYPT_INDEX_LEN])
{
	const struct uk_span part = uk_span_str(s);

	crypt_index(c, which, &part, 1, out);
}
