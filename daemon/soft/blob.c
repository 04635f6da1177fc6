#include <stddef.h>
#include <string.h>

#include "soft/blob.h"

#define FIELD 64
#define LEFT  (FIELD - SM2_LEN)

static bool
field_get(const uint8_t f[FIELD], uint8_t out[SM2_LEN])
{
	uint8_t left = 0;

	for (size_t i = 0; i < LEFT; i++)
		left |= f[i];
	memcpy(out, f + LEFT, SM2_LEN);
	return left == 0;
}

static void
field_put(const uint8_t in[SM2_LEN], uint8_t f[FIELD])
{
	memset(f, 0, LEFT);
	memcpy(f + LEFT, in, SM2_LEN);
}

static bool
two_get(const uint8_t a[FIELD], const uint8_t b[FIELD], uint8_t out[SM2_XY_LEN])
{
	const bool first = field_get(a, out);

	return field_get(b, out + SM2_LEN) && first;
}

bool
blob_sm2_public_get(const ECCPUBLICKEYBLOB *b, uint8_t xy[SM2_XY_LEN])
{
	return b->BitLen == 256 && two_get(b->XCoordinate, b->YCoordinate, xy);
}

void
blob_sm2_public_put(const uint8_t xy[SM2_XY_LEN], ECCPUBLICKEYBLOB *b)
{
	b->BitLen = 256;
	field_put(xy, b->XCoordinate);
	field_put(xy + SM2_LEN, b->YCoordinate);
}

bool
blob_sm2_signature_get(const ECCSIGNATUREBLOB *b, uint8_t rs[SM2_XY_LEN])
{
	return two_get(b->r, b->s, rs);
}

void
blob_sm2_signature_put(const uint8_t rs[SM2_XY_LEN], ECCSIGNATUREBLOB *b)
{
	field_put(rs, b->r);
	field_put(rs + SM2_LEN, b->s);
}

bool
blob_sm2_c1_get(const ECCCIPHERBLOB *b, uint8_t c1[SM2_XY_LEN])
{
	return two_get(b->XCoordinate, b->YCoordinate, c1);
}

void
blob_sm2_c1_put(const uint8_t c1[SM2_XY_LEN], ECCCIPHERBLOB *b)
{
	field_put(c1, b->XCoordinate);
	field_put(c1 + SM2_LEN, b->YCoordinate);
}

uint8_t *
blob_cipher(ECCCIPHERBLOB *b)
{
	return (uint8_t *)b + offsetof(ECCCIPHERBLOB, Cipher);
}

size_t
blob_cipher_size(size_t n)
{
	return offsetof(ECCCIPHERBLOB, Cipher) + n;
}

ULONG
blob_rsa_public_get(const RSAPUBLICKEYBLOB *b, struct uk_buf *public)
{
	const size_t n = b->BitLen / 8;

	if (b->BitLen != 1024 && b->BitLen != 2048)
		return SAR_RSAMODULUSLENERR;
	for (size_t i = 0; i < MAX_RSA_MODULUS_LEN - n; i++)
		if (b->Modulus[i] != 0)
			return SAR_INDATAERR;
	uk_buf_put(public, uk_span(b->Modulus + MAX_RSA_MODULUS_LEN - n, n));
	uk_buf_put(public, uk_span(b->PublicExponent, MAX_RSA_EXPONENT_LEN));
	return uk_buf_failed(public) ? SAR_MEMORYERR : SAR_OK;
}

void
blob_rsa_public_put(struct uk_span public, RSAPUBLICKEYBLOB *b)
{
	const size_t n = public.n - MAX_RSA_EXPONENT_LEN;

	memset(b, 0, sizeof(*b));
	b->AlgID = SGD_RSA;
	b->BitLen = (ULONG)n * 8;
	memcpy(b->Modulus + MAX_RSA_MODULUS_LEN - n, public.p, n);
	memcpy(b->PublicExponent, public.p + n, MAX_RSA_EXPONENT_LEN);
}
