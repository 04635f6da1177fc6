#include <stdlib.h>

#include <openssl/evp.h>

#include "uk/digest.h"

struct uk_digests {
	EVP_MD_CTX *sha256;
	EVP_MD_CTX *sha384;
};

struct uk_span
uk_sums_for(const struct uk_sums *s, enum uk_keyalg a)
{
	const size_t n = uk_keyalg_digest_len(a);

	return n == sizeof(s->sha384) ? uk_span(s->sha384, n) : uk_span(s->sha256, n);
}

enum uk_rc
uk_sums_of(struct uk_span data, struct uk_sums *out)
{
	if (EVP_Digest(data.p, data.n, out->sha256, NULL, EVP_sha256(), NULL) != 1 ||
	    EVP_Digest(data.p, data.n, out->sha384, NULL, EVP_sha384(), NULL) != 1)
		return UK_E_INTERNAL;
	return UK_OK;
}

struct uk_digests *
uk_digests_new(void)
{
	struct uk_digests *d = uk_xalloc(sizeof(*d));

	d->sha256 = EVP_MD_CTX_new();
	d->sha384 = EVP_MD_CTX_new();
	if (d->sha256 == NULL || d->sha384 == NULL ||
	    EVP_DigestInit_ex(d->sha256, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestInit_ex(d->sha384, EVP_sha384(), NULL) != 1)
		uk_digests_free(&d);
	return d;
}

void
uk_digests_free(struct uk_digests **d)
{
	if (*d == NULL)
		return;
	EVP_MD_CTX_free((*d)->sha256);
	EVP_MD_CTX_free((*d)->sha384);
	free(*d);
	*d = NULL;
}

enum uk_rc
uk_digests_put(struct uk_digests *d, struct uk_span data)
{
	if (EVP_DigestUpdate(d->sha256, data.p, data.n) != 1 ||
	    EVP_DigestUpdate(d->sha384, data.p, data.n) != 1)
		return UK_E_INTERNAL;
	return UK_OK;
}

enum uk_rc
uk_digests_end(struct uk_digests *d, struct uk_sums *out)
{
	if (EVP_DigestFinal_ex(d->sha256, out->sha256, NULL) != 1 ||
	    EVP_DigestFinal_ex(d->sha384, out->sha384, NULL) != 1)
		return UK_E_INTERNAL;
	return UK_OK;
}
