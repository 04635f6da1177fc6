/* The key files of a CA's folder: master.key and km.key (32 bytes), ticket.jwk; all mode 0600. */
#ifndef APP_KEYS_H
#define APP_KEYS_H

#include "uk/config.h"
#include "uk/random.h"
#include "uk/secret.h"
#include "uk/ticket.h"

/* dir "/" name; the caller frees. */
char *keys_path(const char *dir, const char *name);

/* UK_E_CONFLICT when it is there already. */
UK_CHECK enum uk_rc keys_master_make(
    const char *dir, const struct uk_random *random, struct uk_err *err);
UK_CHECK enum uk_rc keys_km_make(
    const char *path, const struct uk_random *random, struct uk_err *err);
UK_CHECK enum uk_rc keys_master_read(const char *dir, struct uk_secret **out, struct uk_err *err);

/* ticket.jwk and, for the stations' policy files, ticket-public.jwk. */
UK_CHECK enum uk_rc keys_ticket_make(const char *dir, struct uk_err *err);
UK_CHECK enum uk_rc keys_ticket_read(const char *dir, struct uk_jwk **out, struct uk_err *err);

/* UK_E_DENIED "reason" when the file has one of the mode's bits in `others`; UK_OK when it is not
 * there. */
UK_CHECK enum uk_rc keys_private(
    const char *path, unsigned others, const char *reason, struct uk_err *err);

/* A JSON object in a file of at most 64 KiB. */
UK_CHECK enum uk_rc keys_json_read(const char *path, json_t **out, struct uk_err *err);

#endif
