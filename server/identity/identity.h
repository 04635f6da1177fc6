/*
 * Is this person, or this unit, who it says it is?  Calls block; an opened checker may be used by
 * several threads at a time.  Nothing of the subject is logged.
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/clock.h"
#include "uk/random.h"
#include "uk/rc.h"

struct http_client;
struct bank;
struct ident;

enum ident_method {
	IDENT_MOBILE,    /* name, id number and phone belong together */
	IDENT_BANK_CARD, /* name, id number, phone and card belong together */
	IDENT_ACCOUNT,   /* the corporate account is the unit's; units only */
	IDENT_METHOD__MAX
};

/* "mobile", "bank-card", "account"; IDENT_METHOD__MAX for an unknown name. */
const char *ident_method_name(enum ident_method m);
enum ident_method ident_method_from_name(const char *name);

/* All strings are borrowed for the call.  What a method does not use may be NULL. */
struct ident_subject {
	bool unit;
	const char *organisation; /* unit */
	const char *credit_code;  /* unit */
	const char *name;         /* legal person's, or the person's own */
	const char *id_number;
	const char *phone;
	const char *card;
	const char *account;
	const char *bank; /* the account's bank; may be "" */
};

enum ident_outcome {
	IDENT_MATCH,
	IDENT_MISMATCH,
	IDENT_NO_RECORD,
	IDENT_UNAVAILABLE, /* nobody could tell; does not count as an attempt */
	IDENT_OUTCOME__MAX
};

/* "match", "mismatch", "no-record", "service-unavailable" */
const char *ident_outcome_name(enum ident_outcome o);

struct ident_result {
	enum ident_outcome outcome;
	const char *part;   /* which question decided: "unit", "person", "account" */
	char evidence[256]; /* "CALL=provider's reference", one per question, ", " between */
	struct uk_err err;  /* IDENT_UNAVAILABLE: the cause, for the log */
};

struct ident_setup {
	const char *url; /* "https://cloudauth.aliyuncs.com" */
	const char *access_key;
	const char *secret;
	struct bank *bank; /* for IDENT_ACCOUNT; lent; NULL: that method is UK_E_UNSUPPORTED */
	struct http_client *http;
	const struct uk_clock *clock;
	const struct uk_random *random;
	int64_t deadline_ms; /* per question; 0: 10000 */
};

struct ident_ops {
	const char *name;
	enum uk_rc (*open)(const struct ident_setup *, struct ident **, struct uk_err *);
	void (*close)(struct ident *);
	enum uk_rc (*check)(struct ident *, enum ident_method, const struct ident_subject *,
	    struct ident_result *, struct uk_err *);
};

struct ident {
	const struct ident_ops *ops;
};

/* By name: "aliyun". */
UK_CHECK enum uk_rc ident_open(
    const char *name, const struct ident_setup *setup, struct ident **out, struct uk_err *err);
void ident_close(struct ident **i);

/*
 * For a unit with IDENT_MOBILE or IDENT_BANK_CARD the registry is asked first (organisation, credit
 * code, legal person's name and id number belong together), then the person's own factor; both must
 * match.  UK_OK: *out says what came of it.  UK_E_INPUT with err->field: the subject lacks
 * something.  UK_E_UNSUPPORTED: not with this method.
 */
UK_CHECK enum uk_rc ident_check(struct ident *i, enum ident_method method,
    const struct ident_subject *subject, struct ident_result *out, struct uk_err *err);

#endif
