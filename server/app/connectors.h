/* The outside world: payment, bank, messages, identity checks (one that is not configured is NULL),
 * and the program that decodes photos. */
#ifndef APP_CONNECTORS_H
#define APP_CONNECTORS_H

#include "app/base.h"
#include "notify/mail.h"

struct bank;
struct http_client;
struct ident;
struct pay;
struct sms;

struct connectors {
	struct http_client *http;
	struct pay *pay;
	struct bank *bank;
	struct sms *sms;
	struct mail_setup mail_setup;
	const struct mail_setup *mail; /* NULL without a mail server */
	struct ident *ident;
	char *photo_program;
};

/* On failure nothing is left open. */
UK_CHECK enum uk_rc connectors_open(struct connectors *c, const struct base *b, struct uk_err *err);
void connectors_close(struct connectors *c);

#endif
