/* The outside world, played: what it answers is set, what it was asked is kept. */
#ifndef TESTS_JOBS_FAKES_H
#define TESTS_JOBS_FAKES_H

#include "identity/identity.h"
#include "notify/notify.h"
#include "pay/bank.h"
#include "pay/pay.h"

struct fake_pay {
	struct pay base;
	enum uk_rc rc; /* of every call */
	enum pay_status status;
	bool known;
	int64_t amount;
	enum uk_rc refund_rc;
	bool refund_done;
	int queries;
	int closes;
	int refunds;
	char refund_no[PAY_NO_LEN];
	int64_t refund_amount;
};

struct fake_sms {
	struct sms base;
	enum sms_outcome outcome;
	const char *error;
	void (*before)(struct fake_sms *); /* as the provider takes it */
	int sent;
	char phone[16];
	char text[256];    /* name=value;... */
	char password[16]; /* of the last SMS_PASSWORD */
	char to[16];       /* its phone */
	char seen[1024];   /* the templates, in order */
};

struct fake_bank {
	struct bank base;
	enum bank_status status;
	const char *reason;
	bool known;
	int transfers;
	int queries;
	char id[BANK_ID_LEN];
	char account[40];
	char holder[128];
	char remark[16];
	int64_t amount;
};

struct fake_ident {
	struct ident base;
	enum ident_outcome outcome;
	enum uk_rc rc;
	int checks;
	char card[32];
	char phone[16];
};

void fake_pay_init(struct fake_pay *p);
void fake_sms_init(struct fake_sms *s);
void fake_bank_init(struct fake_bank *b);
void fake_ident_init(struct fake_ident *i);

#endif
