/* Hands one message to a mail server (RFC 5321), by libcurl.  Blocks; for job workers. */
#ifndef NET_SMTP_H
#define NET_SMTP_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/rc.h"

struct smtp_setup {
	/* "smtps://mail.example.cn", or "smtp://mail.example.cn:587", which must offer STARTTLS
	 * unless it is this machine */
	const char *url;
	const char *user; /* NULL or "": none */
	const char *password;
	const char *ca_file; /* trusted roots (PEM); NULL: the system's */
};

/* UK_E_INPUT unless it is such a URL. */
UK_CHECK enum uk_rc smtp_check(const struct smtp_setup *s, struct uk_err *err);

/*
 * message: RFC 5322, lines ended by CR LF.  Addresses without < and >.
 * UK_E_DENIED: the server will not take it as it is (5yz; native is the code), or
 * TLS did not prove the server.  UK_E_UNAVAILABLE, UK_E_TIMEOUT: later; it may have been taken.
 */
UK_CHECK enum uk_rc smtp_send(const struct smtp_setup *s, const char *from, const char *to,
    struct uk_span message, int64_t timeout_ms, struct uk_err *err);

#endif
