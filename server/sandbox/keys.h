/* sandbox.json: every key and credential, made at the first start. */
#ifndef SANDBOX_KEYS_H
#define SANDBOX_KEYS_H

#include "sandbox/state.h"

/* Read DIR/sandbox.json, or make it. */
UK_CHECK enum uk_rc keys_open(
    struct keys *k, const char *dir, const struct uk_random *random, struct uk_err *err);

/* Its "config" is what ukey-ca's configuration needs: the URLs below `base` are written there. */
UK_CHECK enum uk_rc keys_publish(
    const char *dir, const char *base, int mail_port, struct uk_err *err);
void keys_fini(struct keys *k);

#endif
