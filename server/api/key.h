/* Who has the customer's key in: a session that a signature over a fresh challenge began ([R6]). */
#ifndef API_KEY_H
#define API_KEY_H

#include "api/api.h"
#include "workflow/certificate.h"

/* The certificate of the request's key session; UK_E_UNAUTHORIZED without one. */
UK_CHECK enum uk_rc key_session(const struct api *a, const struct http_request *rq,
    char serial[SERIAL_LEN], struct uk_err *err);

#endif
