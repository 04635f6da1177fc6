#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "soft/keys.h"
#include "soft/sm2.h"
#include "soft/vault.h"

#define ABOUT_LEN (3 * ID_LEN + 1)

/* Whose private key it is: it can't be moved to another place. */
static struct uk_span
about(const struct app *a, const struct container *c, enum use use, uint8_t b[ABOUT_LEN])
{
	memcpy(b, a->id, ID_LEN);
	memcpy(b + ID_LEN, c->id, ID_LEN);
	memcpy(b + 2 * ID_LEN, c->pairs[use].id, ID_LEN);
	b[3 * ID_LEN] = (uint8_t)use;
	return uk_span(b, ABOUT_LEN);
}

void
key_free(struct key **k)
{
	if (k == NULL || *k == NULL)
		return;
	EVP_PKEY_CTX_free((*k)->sign);
	EVP_PKEY_free((*k)->pkey);
	uk_secret_free(&(*k)->d);
	free(*k);
	*k = NULL;
}

static bool
key_load(struct key *k, const struct pair *pair, struct uk_span plain)
{
	const uint8_t *p = plain.p;

	if (k->type == CONTAINER_ECC && plain.n == SM2_LEN) {
		k->d = uk_secret_new(plain);
		k->pkey = sm2_key(plain.p, pair->public.p);
	} else if (k->type == CONTAINER_RSA) {
		k->pkey = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, (long)plain.n);
	}
	k->sign = k->pkey != NULL ? EVP_PKEY_CTX_new(k->pkey, NULL) : NULL;
	return k->sign != NULL && EVP_PKEY_sign_init(k->sign) == 1 &&
	       (k->type != CONTAINER_RSA ||
		   EVP_PKEY_CTX_set_rsa_padding(k->sign, RSA_PKCS1_PADDING) == 1);
}

ULONG
key_open(const struct app *a, const struct container *c, enum use use,
    const struct uk_secret *master, struct key **out)
{
	const struct pair *pair = &c->pairs[use];
	uint8_t b[ABOUT_LEN];
	struct uk_buf plain;
	struct key *k;
	ULONG rv;

	if (!pair_there(pair))
		return SAR_KEYNOTFOUNTERR;
	uk_buf_init(&plain, PRIVATE_MAX);
	k = uk_xalloc(sizeof(*k));
	memcpy(k->id, pair->id, ID_LEN);
	k->type = c->type;
	rv = vault_open(master, about(a, c, use, b), uk_buf_span(&pair->private), &plain);
	if (rv == SAR_OK && !key_load(k, pair, uk_buf_span(&plain)))
		rv = SAR_FILEERR;
	uk_buf_fini(&plain);
	if (rv == SAR_OK)
		*out = k;
	else
		key_free(&k);
	return rv;
}

ULONG
key_put(const struct app *a, struct container *c, enum use use, const struct uk_secret *master,
    struct uk_span public, struct uk_span private)
{
	struct pair *p = &c->pairs[use];
	uint8_t b[ABOUT_LEN];

	pair_fini(p);
	if (RAND_bytes(p->id, ID_LEN) != 1)
		return SAR_GENRANDERR;
	uk_buf_put(&p->public, public);
	if (uk_buf_failed(&p->public))
		return SAR_NO_ROOM;
	return vault_seal(master, about(a, c, use, b), private, &p->private);
}
