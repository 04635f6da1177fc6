/* MACs: the last block of SM4-CBC over whole blocks; nothing is padded (section 7.6). */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "soft/session.h"

#define CHUNK 1024

struct mac {
	struct cipher *cbc;
	bool any;
	bool over;
	uint8_t last[BLOCK];
};

static void
mac_free(void *p)
{
	struct mac *m = p;

	cipher_free(m->cbc);
	OPENSSL_cleanse(m, sizeof(*m));
	free(m);
}

/* Without an IV it is zeroes. */
static ULONG
mac_new(const struct cipher *key, const BLOCKCIPHERPARAM *p, struct mac **out)
{
	BLOCKCIPHERPARAM cbc = { .IVLen = BLOCK, .PaddingType = PADDING_NONE };
	struct mac *m;
	ULONG rv;

	if (p->PaddingType != PADDING_NONE || (p->IVLen != BLOCK && p->IVLen != 0))
		return SAR_INVALIDPARAMERR;
	memcpy(cbc.IV, p->IV, p->IVLen);
	m = uk_xalloc(sizeof(*m));
	rv = cipher_new(SGD_SM4_CBC, cipher_key(key), &m->cbc);
	if (rv == SAR_OK)
		rv = cipher_init(m->cbc, true, &cbc);
	if (rv == SAR_OK)
		*out = m;
	else
		mac_free(m);
	return rv;
}

static ULONG
mac_add(struct mac *m, struct uk_span in)
{
	uint8_t out[CHUNK + BLOCK];

	if (m->over)
		return SAR_NOTINITIALIZEERR;
	while (in.n != 0) {
		const size_t n = in.n < CHUNK ? in.n : CHUNK;
		ULONG len = sizeof(out);
		const ULONG rv = cipher_update(m->cbc, true, uk_span(in.p, n), out, &len);

		if (rv != SAR_OK)
			return rv;
		if (len != 0)
			memcpy(m->last, out + len - BLOCK, BLOCK);
		m->any |= len != 0;
		in = uk_span(in.p + n, in.n - n);
	}
	return SAR_OK;
}

static ULONG
mac_end(struct mac *m, BYTE *out, ULONG *n)
{
	uint8_t none[BLOCK];
	ULONG len = sizeof(none), rv;

	if (m->over)
		return SAR_NOTINITIALIZEERR;
	if (out == NULL || *n < BLOCK)
		return give(uk_span(m->last, BLOCK), NULL, n) == SAR_OK && out == NULL
			   ? SAR_OK
			   : SAR_BUFFER_TOO_SMALL;
	m->over = true;
	rv = m->any ? cipher_final(m->cbc, true, none, &len) : SAR_INDATALENERR;
	return rv == SAR_OK ? give(uk_span(m->last, BLOCK), out, n) : rv;
}

ULONG DEVAPI
SKF_MacInit(HANDLE hKey, BLOCKCIPHERPARAM *pMacParam, HANDLE *phMac)
{
	struct mac *m = NULL;
	struct object *o;
	struct call c;
	ULONG rv;

	if (pMacParam == NULL || phMac == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hKey, KIND_KEY, CALL_MEMORY);
	if (rv != SAR_OK)
		return rv;
	rv = mac_new(session_get(&c), pMacParam, &m);
	if (rv == SAR_OK)
		rv = call_new(&c, KIND_MAC, c.o->connection, &o);
	if (rv == SAR_OK) {
		o->data = m;
		o->free_data = mac_free;
		*phMac = object_handle(o);
	} else if (m != NULL) {
		mac_free(m);
	}
	return call_end(&c, rv);
}

/* With data, without an end, or both. */
static ULONG
run(const char *function, HANDLE h, struct uk_span in, bool end, BYTE *out, ULONG *n)
{
	struct call c;
	ULONG rv = call_begin(&c, function, h, KIND_MAC, CALL_MEMORY);
	const bool asks = end && out == NULL;

	if (rv != SAR_OK)
		return rv;
	if (end && out != NULL && *n < BLOCK)
		rv = mac_end(c.o->data, out, n);
	else if (!asks)
		rv = mac_add(c.o->data, in);
	if (rv == SAR_OK && end)
		rv = mac_end(c.o->data, out, n);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_Mac(HANDLE hMac, BYTE *pbData, ULONG ulDataLen, BYTE *pbMacData, ULONG *pulMacLen)
{
	if (pbData == NULL || pulMacLen == NULL)
		return SAR_INVALIDPARAMERR;
	return run(__func__, hMac, uk_span(pbData, ulDataLen), true, pbMacData, pulMacLen);
}

ULONG DEVAPI
SKF_MacUpdate(HANDLE hMac, BYTE *pbData, ULONG ulDataLen)
{
	if (pbData == NULL)
		return SAR_INVALIDPARAMERR;
	return run(__func__, hMac, uk_span(pbData, ulDataLen), false, NULL, NULL);
}

ULONG DEVAPI
SKF_MacFinal(HANDLE hMac, BYTE *pbMacData, ULONG *pulMacDataLen)
{
	if (pulMacDataLen == NULL)
		return SAR_INVALIDPARAMERR;
	return run(__func__, hMac, uk_span(NULL, 0), true, pbMacData, pulMacDataLen);
}
