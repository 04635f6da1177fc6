/* Aliyun's short message service: SendSms of dysmsapi, version 2017-05-25. */
#ifndef NOTIFY_SMS_ALIYUN_H
#define NOTIFY_SMS_ALIYUN_H

#include "notify/notify.h"

extern const struct sms_ops sms_aliyun_ops;

#endif
