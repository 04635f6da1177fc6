/* Digests of GM/T 0016-2012 section 7.6. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "soft/blob.h"
#include "soft/call.h"
#include "soft/limits.h"

struct hash {
	EVP_MD_CTX *ctx;
	bool over;
};

static void
hash_free(void *p)
{
	struct hash *h = p;

	EVP_MD_CTX_free(h->ctx);
	free(h);
}

static const EVP_MD *
algorithm(ULONG id)
{
	switch (id) {
	case SGD_SM3:
		return EVP_sm3();
	case SGD_SHA1:
		return EVP_sha1();
	case SGD_SHA256:
		return EVP_sha256();
	default:
		return NULL;
	}
}

/* Z of the key and the ID, as signatures begin (GM/T 0009). */
static ULONG
add_z(struct hash *h, const ECCPUBLICKEYBLOB *key, struct uk_span id)
{
	uint8_t xy[SM2_XY_LEN], z[SM2_LEN];

	if (!blob_sm2_public_get(key, xy) || !sm2_public_ok(xy))
		return SAR_INDATAERR;
	return sm2_z(xy, id, z) && EVP_DigestUpdate(h->ctx, z, sizeof(z)) == 1 ? SAR_OK
									       : SAR_HASHERR;
}

static ULONG
hash_new(ULONG id, const ECCPUBLICKEYBLOB *key, struct uk_span name, struct hash **out)
{
	struct hash *h = uk_xalloc(sizeof(*h));
	ULONG rv = SAR_HASHERR;

	h->ctx = EVP_MD_CTX_new();
	if (h->ctx != NULL && EVP_DigestInit_ex(h->ctx, algorithm(id), NULL) == 1)
		rv = id == SGD_SM3 && name.n != 0 ? add_z(h, key, name) : SAR_OK;
	if (rv == SAR_OK)
		*out = h;
	else
		hash_free(h);
	return rv;
}

ULONG DEVAPI
SKF_DigestInit(DEVHANDLE hDev, ULONG ulAlgID, ECCPUBLICKEYBLOB *pPubKey, BYTE *pucID, ULONG ulIDLen,
    HANDLE *phHash)
{
	struct hash *h = NULL;
	struct object *o;
	struct call c;
	ULONG rv;

	if (phHash == NULL || algorithm(ulAlgID) == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulAlgID == SGD_SM3 && ulIDLen != 0 && (pPubKey == NULL || pucID == NULL))
		return SAR_INVALIDPARAMERR;
	if (ulIDLen > ID_MAX)
		return SAR_INDATALENERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_MEMORY);
	if (rv != SAR_OK)
		return rv;
	rv = hash_new(ulAlgID, pPubKey, uk_span(pucID, ulIDLen), &h);
	if (rv == SAR_OK)
		rv = call_new(&c, KIND_HASH, c.o, &o);
	if (rv == SAR_OK) {
		o->data = h;
		o->free_data = hash_free;
		*phHash = object_handle(o);
	} else if (h != NULL) {
		hash_free(h);
	}
	return call_end(&c, rv);
}

/* After the end there is nothing to add, nor to ask. */
static ULONG
hash_run(struct hash *h, struct uk_span in, bool end, BYTE *out, ULONG *n)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	const ULONG size = (ULONG)EVP_MD_CTX_get_size(h->ctx);

	if (h->over)
		return SAR_HASHOBJERR;
	if (end && (out == NULL || *n < size)) {
		*n = size;
		return out == NULL ? SAR_OK : SAR_BUFFER_TOO_SMALL;
	}
	if (in.n != 0 && EVP_DigestUpdate(h->ctx, in.p, in.n) != 1)
		return SAR_HASHERR;
	if (!end)
		return SAR_OK;
	h->over = true;
	if (EVP_DigestFinal_ex(h->ctx, digest, NULL) != 1)
		return SAR_HASHERR;
	return give(uk_span(digest, size), out, n);
}

static ULONG
run(const char *function, HANDLE h, struct uk_span in, bool end, BYTE *out, ULONG *n)
{
	struct call c;
	const ULONG rv = call_begin(&c, function, h, KIND_HASH, CALL_MEMORY);

	return rv == SAR_OK ? call_end(&c, hash_run(c.o->data, in, end, out, n)) : rv;
}

ULONG DEVAPI
SKF_Digest(HANDLE hHash, BYTE *pbData, ULONG ulDataLen, BYTE *pbHashData, ULONG *pulHashLen)
{
	if (pbData == NULL || pulHashLen == NULL)
		return SAR_INVALIDPARAMERR;
	return run(__func__, hHash, uk_span(pbData, ulDataLen), true, pbHashData, pulHashLen);
}

ULONG DEVAPI
SKF_DigestUpdate(HANDLE hHash, BYTE *pbData, ULONG ulDataLen)
{
	if (pbData == NULL)
		return SAR_INVALIDPARAMERR;
	return run(__func__, hHash, uk_span(pbData, ulDataLen), false, NULL, NULL);
}

ULONG DEVAPI
SKF_DigestFinal(HANDLE hHash, BYTE *pHashData, ULONG *pulHashLen)
{
	if (pulHashLen == NULL)
		return SAR_INVALIDPARAMERR;
	return run(__func__, hHash, uk_span(NULL, 0), true, pHashData, pulHashLen);
}
