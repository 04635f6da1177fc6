/*
 * Key agreement with SM2 (GB/T 32918.3).  The static keys are the encryption pairs, which GM/T 0018
 * names for it, too.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "soft/limits.h"
#include "soft/session.h"
#include "soft/store.h"

/* What the sponsor keeps until the other side has answered. */
struct agreement {
	ULONG id; /* of the session key's cipher */
	uint8_t r[SM2_LEN];
	uint8_t r_xy[SM2_XY_LEN];
	uint8_t z[SM2_LEN];
};

static void
agreement_free(void *p)
{
	OPENSSL_cleanse(p, sizeof(struct agreement));
	free(p);
}

static ULONG
id_ok(const BYTE *id, ULONG n)
{
	if (id == NULL)
		return SAR_INVALIDPARAMERR;
	return n != 0 && n <= ID_MAX ? SAR_OK : SAR_INDATALENERR;
}

/* A public key of the other side. */
static ULONG
peer(const ECCPUBLICKEYBLOB *b, uint8_t xy[SM2_XY_LEN])
{
	return blob_sm2_public_get(b, xy) && sm2_public_ok(xy) ? SAR_OK : SAR_INDATAERR;
}

static ULONG
agreement_new(struct call *c, ULONG id, struct uk_span name, struct agreement **out)
{
	const struct pair *mine = &c->container->pairs[USE_ENCRYPT];
	struct agreement *a;
	struct key *k = NULL;
	ULONG rv = store_key(c, CONTAINER_ECC, USE_ENCRYPT, &k);

	if (rv != SAR_OK)
		return rv;
	a = uk_xalloc(sizeof(*a));
	a->id = id;
	if (sm2_generate(a->r, a->r_xy) && sm2_z(mine->public.p, name, a->z)) {
		*out = a;
		return SAR_OK;
	}
	agreement_free(a);
	return SAR_FAIL;
}

/* The session key of both; z are those of the sponsor and the responder. */
static ULONG
agree(struct call *c, const struct agreement *a, const uint8_t peer_xy[SM2_XY_LEN],
    const uint8_t peer_r[SM2_XY_LEN], const uint8_t *sponsor, const uint8_t *responder, HANDLE *out)
{
	struct sm2_side s = { .r = a->r, .r_xy = a->r_xy, .peer_xy = peer_xy, .peer_r_xy = peer_r };
	struct cipher *k = NULL;
	uint8_t key[BLOCK];
	struct key *own = NULL;
	ULONG rv = store_key(c, CONTAINER_ECC, USE_ENCRYPT, &own);

	if (rv != SAR_OK)
		return rv;
	s.d = uk_secret_lend(own->d).p;
	memcpy(s.z, sponsor, SM2_LEN);
	memcpy(s.z + SM2_LEN, responder, SM2_LEN);
	rv = sm2_agree(&s, key, sizeof(key)) ? cipher_new(a->id, key, &k) : SAR_FAIL;
	if (rv == SAR_OK)
		rv = session_new(c, &k, out);
	OPENSSL_cleanse(key, sizeof(key));
	return rv;
}

ULONG DEVAPI
SKF_GenerateAgreementDataWithECC(HCONTAINER hContainer, ULONG ulAlgId,
    ECCPUBLICKEYBLOB *pTempECCPubKeyBlob, BYTE *pbID, ULONG ulIDLen, HANDLE *phAgreementHandle)
{
	struct agreement *a = NULL;
	struct object *o = NULL;
	struct call c;
	ULONG rv;

	if (pTempECCPubKeyBlob == NULL || phAgreementHandle == NULL)
		return SAR_INVALIDPARAMERR;
	if ((rv = id_ok(pbID, ulIDLen)) != SAR_OK || (rv = cipher_known(ulAlgId)) != SAR_OK)
		return rv;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER);
	if (rv != SAR_OK)
		return rv;
	rv = agreement_new(&c, ulAlgId, uk_span(pbID, ulIDLen), &a);
	if (rv == SAR_OK)
		rv = call_new(&c, KIND_AGREEMENT, c.o, &o);
	if (rv == SAR_OK) {
		o->data = a;
		o->free_data = agreement_free;
		blob_sm2_public_put(a->r_xy, pTempECCPubKeyBlob);
		*phAgreementHandle = object_handle(o);
	} else if (a != NULL) {
		agreement_free(a);
	}
	return call_end(&c, rv);
}

static ULONG
respond(struct call *c, ULONG id, const ECCPUBLICKEYBLOB *sponsor,
    const ECCPUBLICKEYBLOB *sponsor_temp, ECCPUBLICKEYBLOB *temp, struct uk_span own_id,
    struct uk_span sponsor_id, HANDLE *out)
{
	uint8_t xy[SM2_XY_LEN], r[SM2_XY_LEN], z[SM2_LEN];
	struct agreement *a = NULL;
	ULONG rv;

	if ((rv = peer(sponsor, xy)) != SAR_OK || (rv = peer(sponsor_temp, r)) != SAR_OK)
		return rv;
	if (!sm2_z(xy, sponsor_id, z))
		return SAR_FAIL;
	rv = agreement_new(c, id, own_id, &a);
	if (rv != SAR_OK)
		return rv;
	rv = agree(c, a, xy, r, z, a->z, out);
	if (rv == SAR_OK)
		blob_sm2_public_put(a->r_xy, temp);
	agreement_free(a);
	return rv;
}

ULONG DEVAPI
SKF_GenerateAgreementDataAndKeyWithECC(HANDLE hContainer, ULONG ulAlgId,
    ECCPUBLICKEYBLOB *pSponsorECCPubKeyBlob, ECCPUBLICKEYBLOB *pSponsorTempECCPubKeyBlob,
    ECCPUBLICKEYBLOB *pTempECCPubKeyBlob, BYTE *pbID, ULONG ulIDLen, BYTE *pbSponsorID,
    ULONG ulSponsorIDLen, HANDLE *phKeyHandle)
{
	struct call c;
	ULONG rv;

	if (pSponsorECCPubKeyBlob == NULL || pSponsorTempECCPubKeyBlob == NULL ||
	    pTempECCPubKeyBlob == NULL || phKeyHandle == NULL)
		return SAR_INVALIDPARAMERR;
	if ((rv = id_ok(pbID, ulIDLen)) != SAR_OK ||
	    (rv = id_ok(pbSponsorID, ulSponsorIDLen)) != SAR_OK ||
	    (rv = cipher_known(ulAlgId)) != SAR_OK)
		return rv;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER);
	if (rv != SAR_OK)
		return rv;
	rv = respond(&c, ulAlgId, pSponsorECCPubKeyBlob, pSponsorTempECCPubKeyBlob,
	    pTempECCPubKeyBlob, uk_span(pbID, ulIDLen), uk_span(pbSponsorID, ulSponsorIDLen),
	    phKeyHandle);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_GenerateKeyWithECC(HANDLE hAgreementHandle, ECCPUBLICKEYBLOB *pECCPubKeyBlob,
    ECCPUBLICKEYBLOB *pTempECCPubKeyBlob, BYTE *pbID, ULONG ulIDLen, HANDLE *phKeyHandle)
{
	uint8_t xy[SM2_XY_LEN], r[SM2_XY_LEN], z[SM2_LEN];
	const struct agreement *a;
	struct call c;
	ULONG rv;

	if (pECCPubKeyBlob == NULL || pTempECCPubKeyBlob == NULL || phKeyHandle == NULL)
		return SAR_INVALIDPARAMERR;
	if ((rv = id_ok(pbID, ulIDLen)) != SAR_OK)
		return rv;
	rv = call_begin(&c, __func__, hAgreementHandle, KIND_AGREEMENT, CALL_USER);
	if (rv != SAR_OK)
		return rv;
	a = c.o->data;
	if ((rv = peer(pECCPubKeyBlob, xy)) == SAR_OK &&
	    (rv = peer(pTempECCPubKeyBlob, r)) == SAR_OK)
		rv = sm2_z(xy, uk_span(pbID, ulIDLen), z)
			 ? agree(&c, a, xy, r, a->z, z, phKeyHandle)
			 : SAR_FAIL;
	return call_end(&c, rv);
}
