/* SM2Cipher and SM2EnvelopedKey, as DER and as the structures of an SKF module: what reads is
 * written, and reads again, the same. */
#include <stdlib.h>
#include <string.h>

#include "uk/sm2.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool
same_cipher(const struct uk_sm2_cipher *a, const struct uk_sm2_cipher *b)
{
	return a->n == b->n && memcmp(a->point, b->point, sizeof(a->point)) == 0 &&
	       memcmp(a->hash, b->hash, sizeof(a->hash)) == 0 &&
	       memcmp(a->text, b->text, a->n) == 0;
}

static void
cipher_again(const struct uk_sm2_cipher *c)
{
	struct uk_sm2_cipher der, blob;
	struct uk_buf out;

	uk_buf_init(&out, 1024);
	if (uk_sm2_cipher_put(c, &out) != UK_OK ||
	    uk_sm2_cipher_get(uk_buf_span(&out), &der, NULL) != UK_OK || !same_cipher(c, &der))
		abort();
	uk_buf_reset(&out);
	uk_sm2_cipher_put_blob(c, &out);
	if (uk_sm2_cipher_get_blob(uk_buf_span(&out), &blob, NULL) != UK_OK ||
	    !same_cipher(c, &blob))
		abort();
	uk_buf_fini(&out);
}

static void
enveloped_again(const struct uk_sm2_enveloped *e)
{
	struct uk_sm2_enveloped again;
	struct uk_buf out;

	uk_buf_init(&out, 1024);
	if (uk_sm2_enveloped_put(e, &out) != UK_OK ||
	    uk_sm2_enveloped_get(uk_buf_span(&out), &again, NULL) != UK_OK ||
	    memcmp(e->private, again.private, sizeof(e->private)) != 0 ||
	    memcmp(e->point, again.point, sizeof(e->point)) != 0)
		abort();
	cipher_again(&again.kek);
	uk_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct uk_span in = uk_span(p, n);
	struct uk_sm2_enveloped e;
	struct uk_sm2_cipher c;

	if (uk_sm2_cipher_get(in, &c, NULL) == UK_OK)
		cipher_again(&c);
	if (uk_sm2_cipher_get_blob(in, &c, NULL) == UK_OK)
		cipher_again(&c);
	if (uk_sm2_enveloped_get(in, &e, NULL) == UK_OK)
		enveloped_again(&e);
	if (uk_sm2_enveloped_get_blob(in, &e, NULL) == UK_OK)
		enveloped_again(&e);
	return 0;
}
