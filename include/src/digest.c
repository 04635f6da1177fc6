#include <assert.h>
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

#define BIT(lane) (1u << (lane))

struct uk_digests {
	EVP_MD_CTX *lane[LANE__MAX]; /* NULL: not wanted */
	uint8_t z[UK_SM2_Z];
};

static const EVP_MD *(*const mds[])(void) = {
	[LANE_SHA256] = EVP_sha256,
	[LANE_SHA384] = EVP_sha384,
	[LANE_SM3] = EVP_sm3,
	[LANE_E] = EVP_sm3,
};
static_assert(sizeof(mds) / sizeof(mds[0]) == LANE__MAX, "one digest per lane");

static const unsigned wants[] = {
	[UK_KEY_UNKNOWN] = BIT(LANE_SHA256),
	[UK_KEY_RSA_2048] = BIT(LANE_SHA256),
	[UK_KEY_RSA_3072] = BIT(LANE_SHA256),
	[UK_KEY_RSA_4096] = BIT(LANE_SHA256),
	[UK_KEY_P256] = BIT(LANE_SHA256),
	[UK_KEY_P384] = BIT(LANE_SHA256) | BIT(LANE_SHA384),
	[UK_KEY_SM2] = BIT(LANE_SHA256) | BIT(LANE_SM3) | BIT(LANE_E),
};
static_assert(sizeof(wants) / sizeof(wants[0]) == UK_KEY__MAX, "one row per key algorithm");

static struct uk_span
have(const struct uk_sums *s, enum lane at, const uint8_t *sum, size_t n)
{
	return (s->have & BIT(at)) != 0 ? uk_span(sum, n) : uk_span(NULL, 0);
}

struct uk_span
uk_sums_plain(const struct uk_sums *s, enum uk_keyalg a)
{
	if (a == UK_KEY_UNKNOWN)
		return uk_span(NULL, 0);
	if (a == UK_KEY_SM2)
		return have(s, LANE_SM3, s->sm3, sizeof(s->sm3));
	if (a == UK_KEY_P384)
		return have(s, LANE_SHA384, s->sha384, sizeof(s->sha384));
	return have(s, LANE_SHA256, s->sha256, sizeof(s->sha256));
}

struct uk_span
uk_sums_signed(const struct uk_sums *s, const struct uk_pubkey *k)
{
	uint8_t z[UK_SM2_Z];

	if (uk_pubkey_alg(k) != UK_KEY_SM2)
		return uk_sums_plain(s, uk_pubkey_alg(k));
	if (uk_sm2_z(k, z) != UK_OK || memcmp(z, s->z, sizeof(z)) != 0)
		return uk_span(NULL, 0);
	return have(s, LANE_E, s->e, sizeof(s->e));
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
begin(struct uk_digests *d, enum lane at, const struct uk_pubkey *k)
{
	d->lane[at] = EVP_MD_CTX_new();
	if (d->lane[at] == NULL || EVP_DigestInit_ex(d->lane[at], mds[at](), NULL) != 1)
		return false;
	return at != LANE_E || (uk_sm2_z(k, d->z) == UK_OK &&
				   EVP_DigestUpdate(d->lane[at], d->z, sizeof(d->z)) == 1);
}

struct uk_digests *
uk_digests_new(const struct uk_pubkey *k)
{
	const unsigned want = k != NULL ? wants[uk_pubkey_alg(k)]
					: BIT(LANE_SHA256) | BIT(LANE_SHA384) | BIT(LANE_SM3);
	struct uk_digests *d = uk_xalloc(sizeof(*d));

	for (enum lane at = LANE_SHA256; at < LANE__MAX; at++)
		if ((want & BIT(at)) != 0 && !begin(d, at, k)) {
			uk_digests_free(&d);
			return NULL;
		}
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

	out->have = 0;
	for (enum lane at = LANE_SHA256; at < LANE__MAX; at++) {
		if (d->lane[at] == NULL)
			continue;
		if (EVP_DigestFinal_ex(d->lane[at], to[at], NULL) != 1)
			return UK_E_INTERNAL;
		out->have |= BIT(at);
	}
	memcpy(out->z, d->z, sizeof(out->z));
	return UK_OK;
}
