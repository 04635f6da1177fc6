/*
 * Text messages by a provider.  Never free text: a template and pairs for its variables.  Calls
 * block; an opened provider may be used by several threads at a time.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/clock.h"
#include "uk/random.h"
#include "uk/rc.h"

struct http_client;
struct sms;

enum sms_template {
	SMS_CODE,          /* code, minutes */
	SMS_PASSWORD,      /* password */
	SMS_APPROVED,      /* order */
	SMS_REJECTED,      /* order, reason */
	SMS_POSTED,        /* order, carrier, tracking */
	SMS_FAILED,        /* order: something the applicant must mend */
	SMS_REFUNDED,      /* order, amount */
	SMS_QUERY,         /* code, minutes */
	SMS_ACCOUNT,       /* order: look for the password in the account's records */
	SMS_DOWNLOAD,      /* order: approved, to be downloaded to the key */
	SMS_RENEWED,       /* order */
	SMS_CHANGED,       /* order */
	SMS_REPLACED,      /* order: approved, the old certificate is revoked */
	SMS_UNLOCK,        /* code, minutes */
	SMS_AUTHORISATION, /* code: of an unlock, by the proofing's channel */
	SMS_AUTHORISED,    /* order: look for that code in the account's records */
	SMS_UNLOCKED,      /* order */
	SMS_SUSPENDED,     /* order: by which the certificate was issued */
	SMS_RESUMED,       /* order: by which the certificate was issued */
	SMS_EXPIRING,      /* order, day, days */
	SMS_TEMPLATE__MAX
};

/* "code", "password", ... */
const char *sms_template_name(enum sms_template t);

struct sms_setup {
	const char *url; /* "https://dysmsapi.aliyuncs.com" */
	const char *access_key;
	const char *secret;
	const char *sign; /* the sender's name in front of every message */
	const char
	    *templates; /* the provider's codes: "code=SMS_1,password=SMS_2"; those not named,
			   and NULL: the ones of template.c, which the sandbox knows */
	struct http_client *http;
	const struct uk_clock *clock;
	const struct uk_random *random;
	int64_t deadline_ms; /* per call; 0: 5000 */
};

struct sms_pair {
	const char *name;
	const char *value; /* may be a secret's bytes: wiped after the call, never logged */
};

enum sms_outcome {
	SMS_SENT,    /* the provider took it */
	SMS_RETRY,   /* later, as it is */
	SMS_REFUSED, /* it will never be taken as it is */
	SMS_OUTCOME__MAX
};

struct sms_result {
	enum sms_outcome outcome;
	/*
	 * A stable name, "" when sent: retry "no-answer" (it may have gone out: the provider is not
	 * idempotent), "rate-limited", "unavailable", "balance"; refused "number", "template",
	 * "sender", "content", "blocked", "credentials", "other".
	 */
	const char *error;
	char reference[65]; /* the provider's; "" when there is none */
	struct uk_err err;  /* for the log */
};

struct sms_ops {
	const char *name;
	enum uk_rc (*open)(const struct sms_setup *, struct sms **, struct uk_err *);
	void (*close)(struct sms *);
	enum uk_rc (*send)(struct sms *, const char *phone, enum sms_template,
	    const struct sms_pair *, size_t n, const char *out_id, struct sms_result *,
	    struct uk_err *);
};

struct sms {
	const struct sms_ops *ops;
};

/* By name: "aliyun". */
UK_CHECK enum uk_rc sms_open(
    const char *name, const struct sms_setup *setup, struct sms **out, struct uk_err *err);
void sms_close(struct sms **s);

/*
 * To one mainland phone (11 digits).  out_id is ours and comes back in the provider's receipt; may
 * be NULL.  UK_OK: *out says what became of it.  UK_E_INPUT: phone, or pairs that are not the
 * template's (a programmer's error).
 */
UK_CHECK enum uk_rc sms_send(struct sms *s, const char *phone, enum sms_template template,
    const struct sms_pair *pairs, size_t n, const char *out_id, struct sms_result *out,
    struct uk_err *err);

#endif
