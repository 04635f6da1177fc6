#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "km/km.h"

#define PRIVATE_LEN 32

static bool
read_public(EVP_PKEY *key, struct uk_pubkey **out)
{
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(key, &der);
	const bool ok = n > 0 && uk_pubkey_from_spki(uk_span(der, (size_t)n), out, NULL) == UK_OK;

	OPENSSL_free(der);
	return ok;
}

static bool
read_private(EVP_PKEY *key, struct uk_secret **out)
{
	uint8_t bytes[PRIVATE_LEN];
	BIGNUM *d = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
		  BN_bn2binpad(d, bytes, sizeof(bytes)) == PRIVATE_LEN;

	if (ok)
		*out = uk_secret_new(uk_span(bytes, sizeof(bytes)));
	OPENSSL_cleanse(bytes, sizeof(bytes));
	BN_clear_free(d);
	return ok;
}

enum uk_rc
km_pair_make(struct km_pair *out, struct uk_err *err)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	struct km_pair p = { 0 };
	const bool ok = key != NULL && read_public(key, &p.public) && read_private(key, &p.private);

	EVP_PKEY_free(key);
	ERR_clear_error();
	if (!ok) {
		km_pair_fini(&p);
		return uk_fail(err, UK_E_INTERNAL, NULL, "km-pair", 0);
	}
	*out = p;
	return UK_OK;
}

void
km_pair_fini(struct km_pair *p)
{
	uk_pubkey_free(&p->public);
	uk_secret_free(&p->private);
}
