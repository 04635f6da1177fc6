/* The bank-enterprise gateway of PROTOCOL.md. */
#ifndef PAY_BANK_GATEWAY_H
#define PAY_BANK_GATEWAY_H

#include "pay/bank.h"

extern const struct bank_ops bank_gateway_ops;

#endif
