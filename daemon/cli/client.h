/* One request to ukeyd over its unix socket, and its answer. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "uk/json.h"

struct client;

/* path NULL: the user's own.  UK_E_UNAVAILABLE: nobody is there. */
UK_CHECK enum uk_rc client_open(const char *path, struct client **out, struct uk_err *err);
void client_close(struct client **c);

/*
 * Takes params (NULL: none).  UK_OK: *result is the caller's.  UK_E_DENIED and *error, the
 * caller's, {code, message, data}: ukeyd refused.
 */
UK_CHECK enum uk_rc client_call(struct client *c, const char *method, json_t *params,
    json_t **result, json_t **error, struct uk_err *err);

#endif
