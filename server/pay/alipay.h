/* Alipay's open platform, computer web site payment (alipay.trade.page.pay), signed with RSA2. */
#ifndef PAY_ALIPAY_H
#define PAY_ALIPAY_H

#include "pay/pay.h"

extern const struct pay_ops alipay_ops;

#endif
