/*
 * Payment by a provider.  Calls block until the provider has answered or the deadline has passed,
 * so they belong on a worker; an opened provider may be used by several threads at a time.  Money
 * is int64_t fen.  `query` is the truth, `notify` a hint to query.
 */
#ifndef PAY_PAY_H
#define PAY_PAY_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/clock.h"
#include "uk/rc.h"

struct http_client;
struct pay;

#define PAY_NO_LEN 65 /* a provider's or our own number, and NUL */

enum pay_status {
	PAY_WAITING,
	PAY_PAID,
	PAY_FINISHED, /* paid, and too old to be refunded through the provider */
	PAY_CLOSED,   /* never paid in time, or refunded in full */
	PAY_STATUS__MAX
};

/* Keys are PEM, or the bare base64 of the DER as the provider's key tool writes it. */
struct pay_setup {
	const char *gateway;
	const char *app_id;
	const char *seller_id;
	const char *private_key;  /* ours: PKCS#8 or PKCS#1 */
	const char *public_key;   /* the provider's: SubjectPublicKeyInfo */
	struct http_client *http; /* lent for as long as the provider is open */
	const struct uk_clock *clock;
	int64_t deadline_ms; /* per call; 0: 5000 */
};

struct pay_order {
	const char *out_trade_no; /* ours; letters, digits, _ ; unique for ever; at most 64 */
	const char *subject;      /* UTF-8, at most 256 bytes */
	int64_t amount;
	int64_t expires; /* Unix time after which it can't be paid any more; 0: provider's default
			  */
	const char *notify_url;
	const char *return_url;
};

struct pay_trade {
	char out_trade_no[PAY_NO_LEN];
	char trade_no[PAY_NO_LEN]; /* the provider's */
	int64_t amount;
	enum pay_status status;
	int64_t paid_at; /* Unix time; 0: not paid, or not said */
};

/* refund_no is ours, one per refund for ever: the same one again never pays twice. */
struct pay_refund {
	const char *out_trade_no;
	const char *refund_no;
	int64_t amount;
	const char *reason; /* UTF-8, at most 256 bytes; may be NULL */
};

struct pay_refund_state {
	bool done;      /* the money has gone back */
	int64_t amount; /* of this refund; 0 when nothing has been done */
};

/* What a verified notification says. */
struct pay_event {
	char notify_id[129]; /* the same in every repetition: what to de-duplicate by */
	char out_trade_no[PAY_NO_LEN];
	char trade_no[PAY_NO_LEN];
	int64_t amount; /* of the trade */
	enum pay_status status;
	int64_t paid_at;     /* 0: not said */
	int64_t refunded;    /* refunded so far, when the event is about a refund; else 0 */
	char refund_no[129]; /* which refund; "" when it is about the payment */
};

/* Every member MUST be there.  Callers use the pay_*() functions below, never `ops`. */
struct pay_ops {
	const char *name;
	enum uk_rc (*open)(const struct pay_setup *, struct pay **, struct uk_err *);
	void (*close)(struct pay *);
	enum uk_rc (*create)(
	    struct pay *, const struct pay_order *, struct uk_buf *url, struct uk_err *);
	enum uk_rc (*query)(
	    struct pay *, const char *out_trade_no, struct pay_trade *, struct uk_err *);
	enum uk_rc (*close_trade)(struct pay *, const char *out_trade_no, struct uk_err *);
	enum uk_rc (*refund)(
	    struct pay *, const struct pay_refund *, struct pay_refund_state *, struct uk_err *);
	enum uk_rc (*refund_query)(
	    struct pay *, const struct pay_refund *, struct pay_refund_state *, struct uk_err *);
	enum uk_rc (*notify)(
	    struct pay *, struct uk_span body, struct pay_event *, struct uk_err *);
};

/* An implementation embeds this as its first member. */
struct pay {
	const struct pay_ops *ops;
};

/* By name: "alipay".  UK_E_NOT_FOUND, or UK_E_INPUT with err->field naming the member of setup. */
UK_CHECK enum uk_rc pay_open(
    const char *name, const struct pay_setup *setup, struct pay **out, struct uk_err *err);
void pay_close(struct pay **p);

/* The page the payer's browser goes to, appended to url.  Nothing is sent. */
UK_CHECK enum uk_rc pay_create(
    struct pay *p, const struct pay_order *order, struct uk_buf *url, struct uk_err *err);

/*
 * UK_E_NOT_FOUND "trade-not-found": the payer has not opened the page yet, so it can still be paid
 * until it expires.  UK_E_TIMEOUT, UK_E_UNAVAILABLE: ask again.  UK_E_INTEGRITY: the answer was not
 * the provider's.  UK_E_CONFLICT: the trade is not in that state.
 */
UK_CHECK enum uk_rc pay_query(
    struct pay *p, const char *out_trade_no, struct pay_trade *out, struct uk_err *err);

/* Unpaid trades only (else UK_E_CONFLICT); UK_E_NOT_FOUND as for pay_query(). */
UK_CHECK enum uk_rc pay_close_trade(struct pay *p, const char *out_trade_no, struct uk_err *err);

/* A failed one is repeated with the same refund_no.  UK_E_CONFLICT: it can't be refunded. */
UK_CHECK enum uk_rc pay_refund(struct pay *p, const struct pay_refund *refund,
    struct pay_refund_state *out, struct uk_err *err);
UK_CHECK enum uk_rc pay_refund_query(struct pay *p, const struct pay_refund *refund,
    struct pay_refund_state *out, struct uk_err *err);

/*
 * The body of a POST to notify_url.  The signature is verified before any field is read.
 * UK_E_INTEGRITY: not signed by the provider; UK_E_DENIED "foreign-app" / "foreign-seller": not for
 * us; UK_E_INPUT.  On UK_OK the caller compares amount and out_trade_no with its order, and answers
 * exactly "success" once the event is stored.
 */
#define PAY_NOTIFY_MAX (32u * 1024u)
UK_CHECK enum uk_rc pay_notify(
    struct pay *p, struct uk_span body, struct pay_event *out, struct uk_err *err);

#endif
