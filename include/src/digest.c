#include <stdlib.h>
#include <string.h>

#include "pubkey_evp.h"
#include "uk/digest.h"

enum lane {
	LANE_SHA256,
	LANE_SHA384,
	LANE_SM3,
	LANE_E,
	LANE__MAX
};

struct uk_digests {
	EVP_MD_CTX *lane[LANE__MAX]; /* NULL: LANE_E without a key */
	uint8_t z[UK_SM2_Z];
};

struct uk_span
uk_sums_plain(const struct uk_sums *s, enum uk_keyalg a)
{
	const size_t n = uk_keyalg_digest_len(a);

	if (a == UK_KEY_SM2)
		return uk_span(s->sm3, n);
	return n == sizeof(s->sha384) ? uk_span(s->sha384, n) : uk_span(s->sha256, n);
}

struct uk_span
uk_sums_signed(const struct uk_sums *s, const struct uk_pubkey *k)
{
	uint8_t z[UK_SM2_Z];

	if (uk_pubkey_alg(k) != UK_KEY_SM2)
		return uk_sums_plain(s, uk_pubkey_alg(k));
	if (!s->has_e || uk_sm2_z(k, z) != UK_OK || memcmp(z, s->z, sizeof(z)) != 0)
		return uk_span(NULL, 0);
	return uk_span(s->e, sizeof(s->e));
}

enum uk_rc
uk_sums_of(struct uk_span data, const struct uk_pubkey *k, struct uk_sums *out)
{
	struct uk_digests *d = uk_digests_new(k);
	enum uk_rc rc = UK_E_INTERNAL;

	if (d != NULL && (rc = uk_digests_put(d, data)) == UK_OK)
		rc = uk_digests_end(d, out);
	uk_digests_free(&d);
	return rc;
}

static bool
begin(struct uk_digests *d, enum lane at, const EVP_MD *md)
{
	d->lane[at] = EVP_MD_CTX_new();
	return d->lane[at] != NULL && EVP_DigestInit_ex(d->lane[at], md, NULL) == 1;
}

static bool
begin_e(struct uk_digests *d, const struct uk_pubkey *k)
{
	return begin(d, LANE_E, EVP_sm3()) && uk_sm2_z(k, d->z) == UK_OK &&
	       EVP_DigestUpdate(d->lane[LANE_E], d->z, sizeof(d->z)) == 1;
}

struct uk_digests *
uk_digests_new(const struct uk_pubkey *k)
{
	struct uk_digests *d = uk_xalloc(sizeof(*d));

	if (!begin(d, LANE_SHA256, EVP_sha256()) || !begin(d, LANE_SHA384, EVP_sha384()) ||
	    !begin(d, LANE_SM3, EVP_sm3()) ||
	    (k != NULL && uk_pubkey_alg(k) == UK_KEY_SM2 && !begin_e(d, k)))
		uk_digests_free(&d);
	return d;
}

void
uk_digests_free(struct uk_digests **d)
{
	if (*d == NULL)
		return;
	for (size_t i = 0; i < LANE__MAX; i++)
		EVP_MD_CTX_free((*d)->lane[i]);
	free(*d);
	*d = NULL;
}

enum uk_rc
uk_digests_put(struct uk_digests *d, struct uk_span data)
{
	for (size_t i = 0; i < LANE__MAX; i++)
		if (d->lane[i] != NULL && EVP_DigestUpdate(d->lane[i], data.p, data.n) != 1)
			return UK_E_INTERNAL;
	return UK_OK;
}

enum uk_rc
uk_digests_end(struct uk_digests *d, struct uk_sums *out)
{
	uint8_t *const to[LANE__MAX] = {
		[LANE_SHA256] = out->sha256,
		[LANE_SHA384] = out->sha384,
		[LANE_SM3] = out->sm3,
		[LANE_E] = out->e,
	};

	for (size_t i = 0; i < LANE__MAX; i++)
		if (d->lane[i] != NULL && EVP_DigestFinal_ex(d->lane[i], to[i], NULL) != 1)
			return UK_E_INTERNAL;
	out->has_e = d->lane[LANE_E] != NULL;
	memcpy(out->z, d->z, sizeof(out->z));
	return UK_OK;
}
