/* Between sm2.c and sm2_envelope.c: the shapes that one is made of and the other contains. */
#ifndef UK_SM2_CIPHER_H
#define UK_SM2_CIPHER_H

#include <openssl/asn1t.h>

#include "uk/sm2.h"

typedef struct sm2_cipher_st {
	ASN1_INTEGER *x;
	ASN1_INTEGER *y;
	ASN1_OCTET_STRING *hash;
	ASN1_OCTET_STRING *text;
} SM2_CIPHER;

DECLARE_ASN1_ITEM(SM2_CIPHER)

bool sm2_cipher_fill(SM2_CIPHER *to, const struct uk_sm2_cipher *from);
bool sm2_cipher_read(const SM2_CIPHER *from, struct uk_sm2_cipher *to);

/* 32 bytes at the right end of 64. */
void sm2_put_number(struct uk_buf *out, const uint8_t number[32]);
bool sm2_get_number(const uint8_t field[64], uint8_t number[32]);

#endif
