/*
 * The issuing CA with its books: certificates and revocation lists, the intent stored before the
 * signature is made (ca/issuer.h).
 */
#ifndef APP_ISSUING_H
#define APP_ISSUING_H

#include "ca/crl.h"
#include "ca/issuer.h"
#include "jobs/jobs.h"
#include "store/store.h"
#include "uk/clock.h"
#include "uk/log.h"
#include "uk/random.h"

struct issuing {
	struct store *store;
	const struct authority *authority;
	const struct uk_clock *clock;
	const struct uk_random *random;
	const struct uk_log *log;
	int64_t crl_every; /* seconds */
};

struct issuing_wish {
	const char *intent; /* one certificate per intent for ever */
	const char *order;  /* "" for staff */
	enum profile_id profile;
	struct profile_subject subject;
	struct uk_span request; /* PKCS#10 */
};

/* The certificate of that intent, valid for a year, appended to der. */
UK_CHECK enum uk_rc issuing_certificate(const struct issuing *i, const struct issuing_wish *wish,
    struct uk_buf *der, struct uk_err *err);

/* UK_E_NOT_FOUND; twice is once. */
UK_CHECK enum uk_rc issuing_revoke(
    const struct issuing *i, const char *serial, enum crl_reason why, struct uk_err *err);

/* A new list, now. */
UK_CHECK enum uk_rc issuing_crl(const struct issuing *i, struct uk_err *err);

/* For jobs/jobs.h; ctx is the struct issuing. */
struct jobs_issuer issuing_jobs(struct issuing *i);

/* The same time of day a year later, in Beijing; 29 February becomes 28. */
int64_t issuing_year_later(int64_t t);

#endif
