/*
 * Transfers from the CA's own bank account, and the question whose an account is, through a
 * bank-enterprise gateway.  The wire is in PROTOCOL.md.  Calls block; an opened bank may be used by
 * several threads at a time.
 */
#ifndef PAY_BANK_H
#define PAY_BANK_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/clock.h"
#include "uk/random.h"
#include "uk/rc.h"
#include "uk/secret.h"

struct http_client;
struct bank;

#define BANK_ID_LEN     65
#define BANK_REF_LEN    65
#define BANK_REASON_LEN 33

struct bank_setup {
	const char *url;          /* "https://bank.example/bank": the calls are below it */
	const char *key_id;       /* names the key to the gateway; NULL: "ukey-ca" */
	const char *key;          /* HMAC-SHA256 key, hex, 32 bytes or more */
	struct http_client *http; /* lent for as long as the bank is open */
	const struct uk_clock *clock;
	const struct uk_random *random;
	int64_t deadline_ms; /* per call; 0: 10000 */
};

/* id is ours, one per transfer for ever: the same one again never pays twice. */
struct bank_transfer {
	const char *id;
	const char *account; /* 6 to 34 digits */
	const char *holder;  /* whose account it is */
	const char *bank;    /* its bank's name; may be "" */
	int64_t amount;      /* fen */
	const struct uk_secret *remark;
	const char *notify_url; /* where the result is posted */
};

enum bank_status {
	BANK_ACCEPTED, /* on its way */
	BANK_PAID,
	BANK_BOUNCED,
	BANK_STATUS__MAX
};

/* "accepted", "paid", "bounced" */
const char *bank_status_name(enum bank_status s);

struct bank_result {
	char id[BANK_ID_LEN];
	char reference[BANK_REF_LEN]; /* the bank's */
	enum bank_status status;
	char reason[BANK_REASON_LEN]; /* why it bounced: "account-closed", ...; "" otherwise */
	int64_t at;                   /* Unix time */
};

enum bank_owner {
	BANK_OWNER_SAME,
	BANK_OWNER_OTHER,
	BANK_OWNER_NO_ACCOUNT,
	BANK_OWNER__MAX
};

struct bank_ops {
	const char *name;
	enum uk_rc (*open)(const struct bank_setup *, struct bank **, struct uk_err *);
	void (*close)(struct bank *);
	enum uk_rc (*transfer)(
	    struct bank *, const struct bank_transfer *, struct bank_result *, struct uk_err *);
	enum uk_rc (*query)(struct bank *, const char *id, struct bank_result *, struct uk_err *);
	enum uk_rc (*owner)(struct bank *, const char *account, const char *bank,
	    const char *holder, enum bank_owner *, char reference[BANK_REF_LEN], struct uk_err *);
	enum uk_rc (*notify)(struct bank *, const char *signature, struct uk_span body,
	    struct bank_result *, struct uk_err *);
};

struct bank {
	const struct bank_ops *ops;
};

/* By name: "gateway". */
UK_CHECK enum uk_rc bank_open(
    const char *name, const struct bank_setup *setup, struct bank **out, struct uk_err *err);
void bank_close(struct bank **b);

/*
 * Usually BANK_ACCEPTED; the result comes by notification or is queried.  UK_E_CONFLICT: the id was
 * used for another transfer.  UK_E_TIMEOUT, UK_E_UNAVAILABLE: send the same again.
 */
UK_CHECK enum uk_rc bank_transfer(struct bank *b, const struct bank_transfer *transfer,
    struct bank_result *out, struct uk_err *err);

/* UK_E_NOT_FOUND: the bank never got it. */
UK_CHECK enum uk_rc bank_query(
    struct bank *b, const char *id, struct bank_result *out, struct uk_err *err);

/* Is the account the holder's?  `bank` may be "". */
UK_CHECK enum uk_rc bank_owner(struct bank *b, const char *account, const char *bank,
    const char *holder, enum bank_owner *out, char reference[BANK_REF_LEN], struct uk_err *err);

/*
 * A POST to notify_url: `signature` is its BANK_SIGNATURE_HEADER (NULL when it had none).
 * UK_E_INTEGRITY: not the bank's, or too old.  Answer 200 once the result is stored; it may come
 * more than once.
 */
#define BANK_SIGNATURE_HEADER "X-Bank-Signature"
#define BANK_NOTIFY_MAX       (8u * 1024u)
UK_CHECK enum uk_rc bank_notify(struct bank *b, const char *signature, struct uk_span body,
    struct bank_result *out, struct uk_err *err);

#endif
