/*
 * A DER reader (X.690) for what comes from outside: definite, minimal lengths, tags of one byte,
 * nothing copied.  A reader that has met something else has failed, and stays so: every call after
 * that says no, and the caller asks once at the end.
 *
 *	struct der_in in = der_in(der), seq = der_enter(&in, DER_SEQUENCE);
 *	oid = der_take(&seq, DER_OID);
 *	if (!der_ended(&seq) || !der_ended(&in))
 *		refuse
 */
#ifndef CA_DER_READ_H
#define CA_DER_READ_H

#include "ca/der.h"

struct der_in {
	struct uk_span left;
	bool failed;
};

struct der_in der_in(struct uk_span der);

/* Is the next value of this tag? */
bool der_is(const struct der_in *in, uint8_t tag);

/* The content of the next value, which has this tag; empty when it has not. */
struct uk_span der_take(struct der_in *in, uint8_t tag);

/* The whole of the next value, head included. */
struct uk_span der_take_whole(struct der_in *in, uint8_t tag);

/* A reader of the next value's content; failed when it is not of this tag. */
struct der_in der_enter(struct der_in *in, uint8_t tag);

/* All read, and nothing was wrong. */
bool der_ended(const struct der_in *in);

/* The magnitude of an INTEGER that is positive and written as DER wants; empty when it is not. */
struct uk_span der_take_positive(struct der_in *in);

/* The BIT STRING's bytes, of which no bit is unused. */
struct uk_span der_take_bits(struct der_in *in);

/* UTCTime or GeneralizedTime in seconds and Z (RFC 5280 section 4.1.2.5). */
bool der_take_time(struct der_in *in, int64_t *t);

/* Is this the content of that OID, dotted? */
bool der_oid_is(struct uk_span content, const char *dotted);

#endif
