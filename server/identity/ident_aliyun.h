/* Aliyun's identity checks (cloudauth); the corporate account is the bank's question. */
#ifndef IDENTITY_IDENT_ALIYUN_H
#define IDENTITY_IDENT_ALIYUN_H

#include "identity/identity.h"

extern const struct ident_ops ident_aliyun_ops;

#endif
