/* What a query session, a document number and the phone that got the code, may see ([Q1]). */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "api/api.h"

/* Does this form have the session's number and phone? */
bool query_owns(const struct api *a, const char *subject, enum order_kind kind, const json_t *form);

#endif
