#include <string.h>

#include "soft/store.h"

#define FAMILY 0xFFFFFF00u
#define MODE   0x000000FFu
#define SM1    0x00000100u
#define SSF33  0x00000200u
#define SM4    0x00000400u
#define ZUC    0x00000800u

ULONG
store_signing(struct call *c, uint32_t type, struct uk_span public, struct uk_span private)
{
	struct container *con = c->container;
	ULONG rv;

	if (con->type != CONTAINER_EMPTY && con->type != type)
		return SAR_KEYINFOTYPEERR;
	con->type = type;
	uk_buf_reset(&con->certificates[USE_SIGN]);
	rv = key_put(c->app, con, USE_SIGN, c->login->master, public, private);
	return rv == SAR_OK ? call_save(c) : rv;
}

ULONG
store_encryption(struct call *c, struct uk_span public, struct uk_span private)
{
	const ULONG rv =
	    key_put(c->app, c->container, USE_ENCRYPT, c->login->master, public, private);

	return rv == SAR_OK ? call_save(c) : rv;
}

ULONG
store_key(struct call *c, uint32_t type, enum use use, struct key **out)
{
	if (c->container->type == CONTAINER_EMPTY)
		return SAR_KEYNOTFOUNTERR;
	if (c->container->type != type)
		return SAR_KEYINFOTYPEERR;
	return call_key(c, use, out);
}

ULONG
store_decrypt(const struct key *k, ECCCIPHERBLOB *blob, uint8_t *plain)
{
	const struct uk_span d = uk_secret_lend(k->d);
	uint8_t c1[SM2_XY_LEN];

	if (!blob_sm2_c1_get(blob, c1) ||
	    !sm2_decrypt(d.p, c1, blob->HASH, uk_span(blob_cipher(blob), blob->CipherLen), plain))
		return SAR_INDATAERR;
	return SAR_OK;
}

ULONG
store_encrypt(const ECCPUBLICKEYBLOB *to, struct uk_span plain, ECCCIPHERBLOB *blob)
{
	uint8_t xy[SM2_XY_LEN], c1[SM2_XY_LEN], c3[SM2_LEN];

	if (!blob_sm2_public_get(to, xy) || !sm2_public_ok(xy))
		return SAR_INDATAERR;
	if (!sm2_encrypt(xy, plain, c1, c3, blob_cipher(blob)))
		return SAR_FAIL;
	blob_sm2_c1_put(c1, blob);
	memcpy(blob->HASH, c3, sizeof(c3));
	blob->CipherLen = (ULONG)plain.n;
	return SAR_OK;
}

ULONG
cipher_known(ULONG id)
{
	const ULONG mode = id & MODE;
	const bool one = mode != 0 && (mode & (mode - 1)) == 0 && mode <= 0x10;

	switch (id & FAMILY) {
	case SM4:
		return one ? SAR_OK : SAR_INVALIDPARAMERR;
	case SM1:
	case SSF33:
		return one ? SAR_NOTSUPPORTYETERR : SAR_INVALIDPARAMERR;
	case ZUC:
		return mode == 1 || mode == 2 ? SAR_NOTSUPPORTYETERR : SAR_INVALIDPARAMERR;
	default:
		return SAR_INVALIDPARAMERR;
	}
}
