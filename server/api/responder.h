/*
 * The key that OCSP answers are signed with.  It is made when it is first needed and lives in
 * memory only; its certificate is in the books like all others, is valid for a week, and is
 * replaced by one for a fresh key after half of it.
 */
#ifndef API_RESPONDER_H
#define API_RESPONDER_H

#include "ca/ocsp.h"
#include "store/crypt.h"
#include "store/store.h"
#include "uk/random.h"

struct responders;

/* All lent, for as long as it lives. */
struct responders_setup {
	struct store *store;
	const struct crypt *crypt;
	const struct authority *authority;
	const struct uk_random *random;
	const char *name; /* the CA's */
};

struct responders *responders_new(const struct responders_setup *setup);
void responders_free(struct responders **r);

/*
 * Of any thread, blocking: the one that is good now, until responders_put().  Never from inside a
 * transaction.
 */
UK_CHECK enum uk_rc responders_get(
    struct responders *r, int64_t now, const struct responder **out, struct uk_err *err);
void responders_put(struct responders *r, const struct responder *one);

#endif
