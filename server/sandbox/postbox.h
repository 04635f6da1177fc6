/*
 * A mail server of the smallest kind (RFC 5321: HELO or EHLO, MAIL, RCPT, DATA, RSET, NOOP, QUIT)
 * on a port of its own, and the page on which a person reads what came.
 */
#ifndef SANDBOX_POSTBOX_H
#define SANDBOX_POSTBOX_H

#include "http/route.h"

struct postbox;
struct sandbox;

/* Its messages go to s->mails. */
UK_CHECK enum uk_rc postbox_open(struct sandbox *s, struct postbox **out, struct uk_err *err);
int postbox_port(const struct postbox *p);
void postbox_close(struct postbox **p);

http_handler postbox_page; /* GET /mail?to= */

#endif
