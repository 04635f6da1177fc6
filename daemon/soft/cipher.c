#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "soft/cipher.h"
#include "soft/limits.h"
#include "soft/store.h"

struct cipher {
	ULONG id;
	uint8_t key[BLOCK];
	EVP_CIPHER_CTX *ecb; /* of this key, for the direction */
	bool ready;
	bool encrypt;
	bool padded;
	size_t unit;           /* CFB, OFB: bytes of feedback */
	uint8_t reg[BLOCK];    /* IV, or what came last */
	uint8_t stream[BLOCK]; /* CFB, OFB: the register, encrypted */
	uint8_t back[BLOCK];   /* CFB, OFB: what of this unit goes back into the register */
	size_t at;             /* bytes of the unit that are used up */
	uint8_t held[BLOCK];   /* not yet processed (ECB, CBC), or decrypted and perhaps padding */
	size_t n_held;
	size_t total; /* CFB, OFB: how much there was, modulo BLOCK */
};

ULONG
cipher_new(ULONG id, const uint8_t *key, struct cipher **out)
{
	const ULONG rv = cipher_known(id);
	struct cipher *c;

	if (rv != SAR_OK)
		return rv;
	c = uk_xalloc(sizeof(*c));
	c->id = id;
	c->ecb = EVP_CIPHER_CTX_new();
	if (key != NULL)
		memcpy(c->key, key, BLOCK);
	if (c->ecb == NULL || (key == NULL && RAND_priv_bytes(c->key, BLOCK) != 1)) {
		cipher_free(c);
		return SAR_GENRANDERR;
	}
	*out = c;
	return SAR_OK;
}

void
cipher_free(void *p)
{
	struct cipher *c = p;

	if (c == NULL)
		return;
	EVP_CIPHER_CTX_free(c->ecb);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

const uint8_t *
cipher_key(const struct cipher *c)
{
	return c->key;
}

static bool
feeds_back(const struct cipher *c)
{
	return c->id == SGD_SM4_CFB || c->id == SGD_SM4_OFB;
}

ULONG
cipher_init(struct cipher *c, bool encrypt, const BLOCKCIPHERPARAM *p)
{
	/* CFB and OFB use the cipher in one direction only. */
	const bool forward = encrypt || feeds_back(c);

	if (c->id == SGD_SM4_MAC)
		return SAR_KEYUSAGEERR;
	if (p->PaddingType > PADDING_PKCS5 || (c->id != SGD_SM4_ECB && p->IVLen != BLOCK) ||
	    (feeds_back(c) && (p->FeedBitLen > 128 || p->FeedBitLen % 8 != 0)))
		return SAR_INVALIDPARAMERR;
	if (EVP_CipherInit_ex(c->ecb, EVP_sm4_ecb(), NULL, c->key, NULL, forward ? 1 : 0) != 1 ||
	    EVP_CIPHER_CTX_set_padding(c->ecb, 0) != 1)
		return SAR_FAIL;
	c->ready = true;
	c->encrypt = encrypt;
	c->padded = p->PaddingType == PADDING_PKCS5;
	c->unit = p->FeedBitLen != 0 ? p->FeedBitLen / 8 : BLOCK;
	c->at = c->n_held = c->total = 0;
	memcpy(c->reg, p->IV, BLOCK);
	return SAR_OK;
}

static bool
block(struct cipher *c, const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
	int n = 0;

	return EVP_CipherUpdate(c->ecb, out, &n, in, BLOCK) == 1 && n == BLOCK;
}

static void
mix(uint8_t a[BLOCK], const uint8_t b[BLOCK])
{
	for (int i = 0; i < BLOCK; i++)
		a[i] ^= b[i];
}

/* ECB and CBC; in and out may be the same. */
static bool
one_block(struct cipher *c, const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
	uint8_t text[BLOCK], last[BLOCK];
	bool ok;

	memcpy(text, in, BLOCK);
	if (c->id == SGD_SM4_ECB)
		return block(c, text, out);
	memcpy(last, text, BLOCK);
	if (c->encrypt) {
		mix(text, c->reg);
		ok = block(c, text, out);
		memcpy(c->reg, out, BLOCK);
	} else {
		ok = block(c, text, out);
		mix(out, c->reg);
		memcpy(c->reg, last, BLOCK);
	}
	OPENSSL_cleanse(text, sizeof(text));
	return ok;
}

/* CFB and OFB, a byte at a time: GB/T 17964 with a feedback of `unit` bytes. */
static bool
stream(struct cipher *c, struct uk_span in, uint8_t *out)
{
	for (size_t i = 0; i < in.n; i++) {
		const uint8_t was = in.p[i];

		if (c->at == 0 && !block(c, c->reg, c->stream))
			return false;
		out[i] = was ^ c->stream[c->at];
		if (c->id == SGD_SM4_OFB)
			c->back[c->at] = c->stream[c->at];
		else
			c->back[c->at] = c->encrypt ? out[i] : was;
		if (++c->at == c->unit) {
			memmove(c->reg, c->reg + c->unit, BLOCK - c->unit);
			memcpy(c->reg + BLOCK - c->unit, c->back, c->unit);
			c->at = 0;
		}
	}
	c->total = (c->total + in.n) % BLOCK;
	return true;
}

/* A padding may be in the last block: it waits. */
static bool
waits(const struct cipher *c)
{
	return c->padded && !c->encrypt;
}

/* How much comes out now. */
static size_t
ready_now(const struct cipher *c, size_t n)
{
	const size_t all = c->n_held + n;

	if (feeds_back(c))
		return !waits(c) ? n : all <= BLOCK ? 0 : all - BLOCK;
	if (waits(c) && all != 0)
		return (all - 1) / BLOCK * BLOCK;
	return all / BLOCK * BLOCK;
}

static bool
update_blocks(struct cipher *c, struct uk_span in, uint8_t *out, size_t n)
{
	bool ok = true;

	while (ok && n != 0) {
		const size_t fill = BLOCK - c->n_held;

		memcpy(c->held + c->n_held, in.p, fill);
		in = uk_span(in.p + fill, in.n - fill);
		ok = one_block(c, c->held, out);
		c->n_held = 0;
		out += BLOCK;
		n -= BLOCK;
	}
	if (ok) { /* less than a block is left, or one that waits */
		memcpy(c->held + c->n_held, in.p, in.n);
		c->n_held += in.n;
	}
	return ok;
}

/* The last BLOCK bytes are kept back. */
static bool
update_stream(struct cipher *c, struct uk_span in, uint8_t *out, size_t n)
{
	const size_t held = c->n_held;
	uint8_t *all;
	bool ok;

	if (!waits(c))
		return stream(c, in, out);
	all = uk_xalloc(held + in.n);
	memcpy(all, c->held, held);
	ok = stream(c, in, all + held);
	memcpy(out, all, n);
	c->n_held = held + in.n - n;
	memcpy(c->held, all + n, c->n_held);
	OPENSSL_cleanse(all, held + in.n);
	free(all);
	return ok;
}

ULONG
cipher_update(struct cipher *c, bool encrypt, struct uk_span in, uint8_t *out, ULONG *n)
{
	const ULONG room = *n;
	size_t now;

	if (!c->ready || c->encrypt != encrypt)
		return SAR_NOTINITIALIZEERR;
	if (in.n > BUFFER_MAX)
		return SAR_INDATALENERR;
	now = ready_now(c, in.n);
	*n = (ULONG)now;
	if (out == NULL || in.n == 0)
		return SAR_OK;
	if (room < now)
		return SAR_BUFFER_TOO_SMALL;
	return (feeds_back(c) ? update_stream : update_blocks)(c, in, out, now) ? SAR_OK : SAR_FAIL;
}

/* PKCS #5 in its form for blocks of 16; the number of bytes before it, or -1. */
static int
before_padding(const uint8_t last[BLOCK])
{
	const int pad = last[BLOCK - 1];
	bool ok = pad >= 1 && pad <= BLOCK;

	for (int i = 0; ok && i < pad; i++)
		ok = last[BLOCK - 1 - i] == pad;
	return ok ? BLOCK - pad : -1;
}

/* The last piece, *n bytes of at most BLOCK. */
static ULONG
last_piece(struct cipher *c, uint8_t out[BLOCK], size_t *n)
{
	const size_t there = feeds_back(c) ? c->total : c->n_held, pad = BLOCK - there;
	int before;

	*n = 0;
	if (!c->padded)
		return feeds_back(c) || there == 0 ? SAR_OK : SAR_INDATALENERR;
	if (c->encrypt) {
		memcpy(out, c->held, c->n_held);
		memset(out + c->n_held, (int)pad, pad);
		*n = c->n_held + pad;
		return (feeds_back(c) ? stream(c, uk_span(out, pad), out) : one_block(c, out, out))
			   ? SAR_OK
			   : SAR_FAIL;
	}
	if (c->n_held != BLOCK || (feeds_back(c) && c->total != 0))
		return SAR_INDATALENERR;
	memcpy(out, c->held, BLOCK);
	if (!feeds_back(c) && !one_block(c, out, out))
		return SAR_FAIL;
	before = before_padding(out);
	*n = before >= 0 ? (size_t)before : 0;
	return before >= 0 ? SAR_OK : SAR_DECRYPTPADERR;
}

/* A question for the length, or too little room for it, leaves the cipher as it was. */
static ULONG
give_or_undo(struct cipher *c, struct cipher *was, struct uk_span s, uint8_t *out, ULONG *n)
{
	const ULONG rv = give(s, out, n);

	if (out == NULL || rv != SAR_OK)
		*c = *was;
	return rv;
}

ULONG
cipher_final(struct cipher *c, bool encrypt, uint8_t *out, ULONG *n)
{
	struct cipher was;
	uint8_t last[BLOCK];
	size_t len = 0;
	ULONG rv;

	if (!c->ready || c->encrypt != encrypt)
		return SAR_NOTINITIALIZEERR;
	was = *c;
	rv = last_piece(c, last, &len);
	c->ready = false;
	if (rv == SAR_OK && (out != NULL || len != 0))
		rv = give_or_undo(c, &was, uk_span(last, len), out, n);
	else if (rv == SAR_OK)
		*n = 0;
	OPENSSL_cleanse(last, sizeof(last));
	OPENSSL_cleanse(&was, sizeof(was));
	return rv;
}

ULONG
cipher_once(struct cipher *c, bool encrypt, struct uk_span in, uint8_t *out, ULONG *n)
{
	struct cipher was;
	ULONG first = BUFFER_MAX + BLOCK, second;
	uint8_t *all;
	ULONG rv;

	if (!c->ready || c->encrypt != encrypt)
		return SAR_NOTINITIALIZEERR;
	if (in.n > BUFFER_MAX)
		return SAR_INDATALENERR;
	was = *c;
	all = uk_xalloc(in.n + 2 * (size_t)BLOCK);
	rv = cipher_update(c, encrypt, in, all, &first);
	second = BLOCK;
	if (rv == SAR_OK)
		rv = cipher_final(c, encrypt, all + first, &second);
	if (rv == SAR_OK)
		rv = give_or_undo(c, &was, uk_span(all, first + second), out, n);
	OPENSSL_cleanse(all, in.n + 2 * (size_t)BLOCK);
	free(all);
	OPENSSL_cleanse(&was, sizeof(was));
	return rv;
}
