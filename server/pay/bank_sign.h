/*
 * How the bank gateway's messages are signed (PROTOCOL.md section 2).  Both ends use it: the
 * connector, and the sandbox that plays the gateway.
 */
#ifndef PAY_BANK_SIGN_H
#define PAY_BANK_SIGN_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/rc.h"

#define BANK_NONCE_LEN 33  /* 16 bytes in hex, and NUL */
#define BANK_SKEW      300 /* seconds that two clocks may differ */

struct bank_stamp {
	const char *role;   /* "request", "answer", "notice": one can't be passed off as another */
	const char *target; /* request: "POST /bank/transfers"; answer: the HTTP status; "" */
	const char *key_id;
	int64_t time;
	char nonce[BANK_NONCE_LEN]; /* an answer repeats its request's */
};

/* The header's value: "v1 key=...,time=...,nonce=...,mac=...". */
void bank_sign(
    const struct bank_stamp *s, struct uk_span key, struct uk_span body, struct uk_buf *out);

/*
 * role, target and key_id are what the caller expects, and so is the nonce unless it is "".  On
 * success time and nonce are the message's.  UK_E_INTEGRITY.
 */
UK_CHECK enum uk_rc bank_sign_check(const char *header, struct bank_stamp *s, struct uk_span key,
    struct uk_span body, int64_t now, struct uk_err *err);

#endif
