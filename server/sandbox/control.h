/* Faults on demand, and the start page that says what there is. */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "http/route.h"
#include "uk/json.h"

struct control_body {
	bool reset;
	int64_t notify_duplicates;
	int64_t notify_delay;
	bool notify_bad_signature;
	bool notify_wrong_amount;
	bool notify_foreign_app;
	bool notify_sha1;
	const char *alipay_error;
	bool alipay_tampered;
	const char *sms_error;
	int64_t mail_code;
	const char *identity_next;
	const char *bank_bounce;
	bool bank_down;
};

#define CONTROL_FIELDS 14
extern const struct uk_field control_fields[CONTROL_FIELDS];

http_handler control_set;  /* POST /control */
http_handler control_get;  /* GET /control */
http_handler control_home; /* GET / */

#endif
