/*
 * A DER writer (X.690) over struct uk_buf, whose sticky failure is the only error there is:
 * whatever can't be written fails the buffer, and the caller asks once at the end.
 *
 *	at = der_begin(b, DER_SEQUENCE);
 *	der_put_oid(b, "2.5.4.3");
 *	der_put_str(b, DER_UTF8, name);
 *	der_end(b, at);
 */
#ifndef CA_DER_H
#define CA_DER_H

#include "uk/buf.h"

#define DER_BOOLEAN     0x01
#define DER_INTEGER     0x02
#define DER_BITS        0x03
#define DER_OCTETS      0x04
#define DER_NULL        0x05
#define DER_OID         0x06
#define DER_ENUM        0x0a
#define DER_UTF8        0x0c
#define DER_PRINTABLE   0x13
#define DER_IA5         0x16
#define DER_UTC_TIME    0x17
#define DER_TIME        0x18
#define DER_SEQUENCE    0x30
#define DER_SET         0x31
#define DER_CONTEXT(n)  (0x80 | (n)) /* implicit, primitive */
#define DER_EXPLICIT(n) (0xa0 | (n))

/* Open a constructed (or wrapping) value; der_end() with what der_begin() gave writes its length.
 */
size_t der_begin(struct uk_buf *b, uint8_t tag);
void der_end(struct uk_buf *b, size_t at);

void der_put(struct uk_buf *b, uint8_t tag, struct uk_span content);
void der_put_str(struct uk_buf *b, uint8_t tag, const char *s);
void der_put_true(struct uk_buf *b);
void der_put_uint(struct uk_buf *b, uint8_t tag, uint64_t v); /* INTEGER or ENUMERATED */

/* A positive INTEGER from its big-endian magnitude. */
void der_put_integer(struct uk_buf *b, struct uk_span magnitude);

/* Dotted: "1.2.156.10260.4.4". */
void der_put_oid(struct uk_buf *b, const char *dotted);

/* A named bit list of at most 16 bits, bit 0 the highest, no trailing zero bits (X.690 11.2.2). */
void der_put_named_bits(struct uk_buf *b, uint16_t bits);

/* A BIT STRING of whole bytes. */
void der_put_bits(struct uk_buf *b, struct uk_span bytes);

/* UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
void der_put_time(struct uk_buf *b, int64_t t);

/* GeneralizedTime whatever the year is, as OCSP has it. */
void der_put_generalized(struct uk_buf *b, int64_t t);

/* An X.509 extension (RFC 5280 section 4.2); what is put between the two is its value. */
struct der_extension {
	size_t whole, value;
};

struct der_extension der_extension_begin(struct uk_buf *b, const char *oid, bool critical);
void der_extension_end(struct uk_buf *b, struct der_extension e);

#endif
