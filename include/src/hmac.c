#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "uk/hmac.h"

void
uk_hmac_sha256(struct uk_span key, struct uk_span data, uint8_t out[UK_HMAC_LEN])
{
	unsigned n = 0;

	/* A NULL key means "the one from before" to OpenSSL. */
	if (HMAC(EVP_sha256(), key.p != NULL ? (const void *)key.p : "", (int)key.n, data.p, data.n,
		out, &n) == NULL ||
	    n != UK_HMAC_LEN)
		abort();
}

bool
uk_const_eq(struct uk_span a, struct uk_span b)
{
	return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}
