/* Amounts as providers write them ("200.00"), exactly; never through floating point. */
#ifndef PAY_MONEY_H
#define PAY_MONEY_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/rc.h"

/* 100000000.00, the largest amount Alipay takes. */
#define MONEY_MAX INT64_C(10000000000)

/* Digits, at most two decimals, at most MONEY_MAX; no sign, space, exponent or leading zero. */
UK_CHECK enum uk_rc money_parse(const char *s, int64_t *fen);

/* 0 to MONEY_MAX, always with two decimals. */
void money_put(struct uk_buf *out, int64_t fen);

#endif
