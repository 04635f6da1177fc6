/*
 * Alipay's wire, apart from any call: what is signed, how an answer is taken apart, how a
 * notification is proved.  Pure functions; the sandbox uses them from the other side.
 */
#ifndef PAY_ALIPAY_WIRE_H
#define PAY_ALIPAY_WIRE_H

#include "net/form.h"
#include "pay/pay.h"
#include "pay/rsa2.h"
#include "uk/buf.h"
#include "uk/rc.h"

#define ALIPAY_ANSWER_MAX (64u * 1024u)

/*
 * "k=v" joined by "&", sorted by k, values raw; empty values and `sign` are left out.  A request's
 * sign_type is part of it; a notification's and a return's is not.
 */
enum alipay_signed {
	ALIPAY_REQUEST,
	ALIPAY_NOTICE,
};
void alipay_join(
    const struct net_pair *pairs, size_t n, enum alipay_signed kind, struct uk_buf *out);

struct alipay_answer {
	struct uk_span node; /* the raw bytes of the answer's object: what is signed */
	struct uk_span sign; /* base64, as it stands between the quotes; empty without */
	bool error;          /* it is "error_response" */
};

/*
 * {"alipay_trade_query_response":{...},"sign":"..."}: finds the node without decoding anything.
 * `node` is the name that is expected; "error_response" is found as well.  Lent from body.
 * UK_E_INPUT for what is not one JSON object with exactly one of them.
 */
UK_CHECK enum uk_rc alipay_answer_split(
    struct uk_span body, const char *node, struct alipay_answer *out);

/*
 * A notification's body: form decoded, RSA2 and nothing else, signature verified.  On success the
 * caller frees the pairs with net_pairs_fini().
 */
UK_CHECK enum uk_rc alipay_notice_open(
    const struct uk_pubkey *alipay, struct uk_span body, struct net_pairs *out, struct uk_err *err);

/* "TRADE_SUCCESS" and so on; PAY_STATUS__MAX for an unknown one. */
enum pay_status alipay_status_from_name(const char *name);
const char *alipay_status_name(enum pay_status s);

/* "2026-11-22 14:30:00", Beijing time; 0 when it is none.  A fraction may follow. */
int64_t alipay_time_parse(const char *s);

#endif
