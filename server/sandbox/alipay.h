/* Alipay's side: the gateway, the cashier's desk, and the notifications. */
#ifndef SANDBOX_ALIPAY_H
#define SANDBOX_ALIPAY_H

#include "sandbox/state.h"

http_handler alipay_page_pay; /* GET /alipay/gateway.do: the buyer's browser */
http_handler alipay_gateway;  /* POST /alipay/gateway.do: the merchant's server */
http_handler alipay_cashier;  /* GET /alipay/cashier?id= */
http_handler alipay_decide;   /* POST /alipay/cashier: pay or cancel */

/* The lock is held for all of these.  NULL: there is none. */
struct trade *trade_find(struct sandbox *s, const char *out_trade_no);
struct trade *trade_by_id(struct sandbox *s, const char *id);

/* Closes what is out of time; asked before anything else is done with a trade. */
void trade_age(struct trade *t, int64_t now);
int64_t trade_refunded(const struct trade *t);

/* Signed forms, appended to out. */
void alipay_put_return(struct sandbox *s, const struct trade *t, struct uk_buf *out);
void alipay_notify_paid(struct sandbox *s, const struct trade *t);

#endif
