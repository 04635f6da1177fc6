/* Aliyun's SendSms, and the page on which a person reads what came. */
#ifndef SANDBOX_INBOX_H
#define SANDBOX_INBOX_H

#include "http/route.h"

http_handler inbox_send; /* POST /sms */
http_handler inbox_page; /* GET /inbox, GET /inbox?phone= */

#endif
