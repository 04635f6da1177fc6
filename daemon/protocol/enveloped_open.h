/* Between enveloped.c, which decides what an envelope asks for, and enveloped_open.c, which does it
 * once the token has answered. */
#ifndef PROTOCOL_ENVELOPED_OPEN_H
#define PROTOCOL_ENVELOPED_OPEN_H

#include "protocol/enveloped.h"
#include "protocol/enveloped_asn1.h"

#define ENVELOPED_KEY_MAX 512 /* RSA of 4096 bits; an SM2Cipher is at most 384 */

struct enveloped {
	ENV_MESSAGE *message;
	enum token_scheme scheme;
	struct uk_buf data;
	const ENV_AGREEMENT *agreement; /* lent by message; TOKEN_ECDH */
	const ENV_AGREED *agreed;
	const struct cipher_row *cipher;
	struct uk_span iv;
	uint8_t iv_bytes[16];
};

/* The content's cipher, and its initialisation vector. */
UK_CHECK enum uk_rc enveloped_cipher_read(struct enveloped *e, bool aead, struct uk_err *err);

/* SM4-CBC, and whole blocks of it that a token's helper takes? */
bool enveloped_is_sm4(const struct enveloped *e);

/* dhSinglePass-stdDH with a digest and a key wrap that we know. */
bool enveloped_wrap_known(const X509_ALGOR *a);

#endif
