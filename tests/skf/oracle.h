/* What OpenSSL says of it: keys, envelopes and texts made without the module. */
#ifndef TESTS_SKF_ORACLE_H
#define TESTS_SKF_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "skf.h"

#define ENVELOPE_LEN  (sizeof(ENVELOPEDKEYBLOB) - 1 + 16)
#define CIPHER_LEN(n) (sizeof(ECCCIPHERBLOB) - 1 + (n))

/* Where the encrypted private key stands in its 64 bytes. */
enum layout {
	LAYOUT_RIGHT,
	LAYOUT_LEFT,
	LAYOUT_WHOLE, /* all of the field was encrypted */
};

void key_pair(uint8_t d[32], ECCPUBLICKEYBLOB *key);
void public_put(const uint8_t xy[64], ECCPUBLICKEYBLOB *key);

/* d, for key, wrapped for `to`. */
void envelope(const ECCPUBLICKEYBLOB *to, const uint8_t d[32], const ECCPUBLICKEYBLOB *key,
    enum layout layout, uint8_t out[ENVELOPE_LEN]);

/* Over e as it is. */
bool signature_ok(
    const ECCPUBLICKEYBLOB *key, const uint8_t e[32], const ECCSIGNATUREBLOB *signature);

/* out has CIPHER_LEN(n) bytes. */
void encrypt_for(const ECCPUBLICKEYBLOB *to, const uint8_t *text, size_t n, ECCCIPHERBLOB *out);
bool decrypt_with(const uint8_t d[32], const ECCPUBLICKEYBLOB *key, const ECCCIPHERBLOB *in,
    uint8_t *text, size_t n);

/* Bytes from hex digits. */
void hex(const char *digits, uint8_t *out, size_t n);

#endif
