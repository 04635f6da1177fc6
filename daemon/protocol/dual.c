#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "protocol/dual.h"
#include "protocol/params.h"
#include "uk/sm2.h"

#define DER_MAX 1024
#define KEY     16 /* of SM4 */
#define BLOCK   16

/* Either form becomes the one that the token's helper takes. */
static enum uk_rc
read_key(const struct encryption_params *p, const struct uk_pubkey *owner, struct uk_buf *out,
    struct uk_err *err)
{
	const struct uk_span in = uk_buf_span(&p->enveloped_key);
	struct uk_sm2_enveloped e;
	uint8_t point[UK_SM2_POINT];
	enum uk_rc rc;

	memset(&e, 0, sizeof(e));
	rc = strcmp(p->format, "skf") == 0 ? uk_sm2_enveloped_get_blob(in, &e, err)
					   : uk_sm2_enveloped_get(in, &e, err);
	if (rc != UK_OK)
		return rc;
	if (uk_sm2_point(owner, point) != UK_OK || memcmp(point, e.point, sizeof(point)) != 0)
		return uk_fail(err, UK_E_CONFLICT, "envelope-mismatch", "dual", 0);
	rc = uk_sm2_enveloped_put(&e, out);
	return rc == UK_OK ? UK_OK : uk_fail(err, rc, NULL, "dual", 0);
}

enum uk_rc
dual_read(const json_t *encryption, struct dual *out, struct uk_err *err)
{
	struct encryption_params p = { 0 };
	enum uk_rc rc;

	*out = (struct dual){ 0 };
	uk_buf_init(&out->key, DER_MAX);
	rc = uk_fields_read(params_encryption.fields, params_encryption.n, encryption, &p, err);
	if (rc != UK_OK)
		return rc;
	rc = uk_cert_parse(uk_buf_span(&p.certificate), &out->cert, err);
	if (rc == UK_OK && uk_cert_alg(out->cert) != UK_KEY_SM2)
		rc = uk_fail(err, UK_E_UNSUPPORTED, "algorithm-unsupported", "dual", 0);
	if (rc == UK_OK && !uk_cert_may_encrypt(out->cert))
		rc = uk_fail(err, UK_E_CONFLICT, "certificate-not-for-encryption", "dual", 0);
	if (rc == UK_OK)
		rc = read_key(&p, uk_cert_pubkey(out->cert), &out->key, err);
	uk_fields_fini(params_encryption.fields, params_encryption.n, &p);
	return rc;
}

void
dual_fini(struct dual *d)
{
	uk_cert_free(&d->cert);
	uk_buf_fini(&d->key);
}

/* With PKCS#7 padding, as EVP does it. */
static bool
sm4_cbc(const uint8_t key[KEY], const uint8_t iv[BLOCK], struct uk_span text, struct uk_buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *room = uk_buf_room(out, text.n + BLOCK);
	int n = 0, rest = 0;
	const bool ok = ctx != NULL && room != NULL &&
			EVP_EncryptInit_ex(ctx, EVP_sm4_cbc(), NULL, key, iv) == 1 &&
			EVP_EncryptUpdate(ctx, room, &n, text.p, (int)text.n) == 1 &&
			EVP_EncryptFinal_ex(ctx, room + n, &rest) == 1;

	if (ok)
		uk_buf_add(out, (size_t)(n + rest));
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

enum uk_rc
dual_proof_make(const struct uk_cert *cert, const struct uk_random *random, struct dual_proof *out,
    struct uk_err *err)
{
	struct uk_sm2_cipher wrapped;
	uint8_t key[KEY];
	enum uk_rc rc;

	*out = (struct dual_proof){ 0 };
	uk_buf_init(&out->key, DER_MAX);
	uk_buf_init(&out->content, 2 * sizeof(out->text));
	random->bytes(random->ctx, key, sizeof(key));
	random->bytes(random->ctx, out->iv, sizeof(out->iv));
	random->bytes(random->ctx, out->text, sizeof(out->text));
	rc = uk_sm2_encrypt(uk_cert_pubkey(cert), uk_span(key, sizeof(key)), &wrapped, err);
	if (rc == UK_OK && (rc = uk_sm2_cipher_put(&wrapped, &out->key)) != UK_OK)
		rc = uk_fail(err, rc, NULL, "dual", 0);
	if (rc == UK_OK &&
	    !sm4_cbc(key, out->iv, uk_span(out->text, sizeof(out->text)), &out->content))
		rc = uk_fail(err, UK_E_INTERNAL, NULL, "EVP_sm4_cbc", 0);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

bool
dual_proof_holds(const struct dual_proof *p, struct uk_span opened)
{
	return uk_span_eq(opened, uk_span(p->text, sizeof(p->text)));
}

void
dual_proof_fini(struct dual_proof *p)
{
	uk_buf_fini(&p->key);
	uk_buf_fini(&p->content);
}
