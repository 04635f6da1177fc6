/* What the sandbox knows, all of it in memory, behind one lock. */
#ifndef SANDBOX_STATE_H
#define SANDBOX_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/httpd.h"
#include "net/client.h"
#include "pay/bank.h"
#include "pay/pay.h"
#include "pay/rsa2.h"
#include "sandbox/outbox.h"
#include "sandbox/sandbox.h"
#include "uk/secret.h"

struct postbox;

struct refund {
	struct refund *next;
	char refund_no[PAY_NO_LEN];
	int64_t amount;
};

struct trade {
	struct trade *next;
	char id[33]; /* what the cashier page is asked for by */
	char out_trade_no[PAY_NO_LEN];
	char trade_no[PAY_NO_LEN];
	char subject[257];
	char notify_url[513];
	char return_url[513];
	int64_t amount;
	int64_t created_at;
	int64_t expires; /* 0: never */
	int64_t paid_at;
	bool opened; /* the buyer has seen the cashier: from then on Alipay knows the trade */
	enum pay_status status;
	struct refund *refunds;
};

struct message {
	struct message *next;
	char phone[12];
	char sign[65];
	char text[1025];
	int64_t at;
};

struct mail_kept {
	struct mail_kept *next;
	char to[256];
	char subject[513];
	char text[4097];
	int64_t at;
};

struct transfer {
	struct transfer *next;
	char id[65];
	char reference[33];
	char account[35];
	char holder[257];
	char remark[129];
	char reason[33];
	char notify_url[513];
	int64_t amount;
	int64_t at;
	int64_t settles_ms; /* monotonic; until then the bank only says that it took it */
	enum bank_status status;
};

/* Each is used up by the next thing it applies to (README.md). */
struct faults {
	int64_t notify_duplicates; /* that many more deliveries of the next notification */
	int64_t notify_delay;      /* seconds, before the first delivery */
	bool notify_bad_signature;
	bool notify_wrong_amount;
	bool notify_foreign_app;
	bool notify_sha1;
	char alipay_error[65]; /* sub_code of the next answer */
	bool alipay_tampered;  /* the next answer is changed after it was signed */
	char sms_error[65];    /* Code of the next answer */
	int64_t mail_code;     /* the next answer to RCPT */
	char identity_next[17];
	char bank_bounce[33]; /* reason */
	bool bank_down;
};

struct keys {
	struct rsa2_key *alipay;      /* signs notifications and answers */
	struct uk_pubkey *merchant;   /* verifies requests */
	struct uk_secret *sms_secret; /* of both Aliyun services: */
	struct uk_secret *identity_secret;
	struct uk_secret *bank_key;
	char app_id[33];
	char seller_id[33];
	char sms_access_key[33];
	char identity_access_key[33];
	char sms_sign[65];
};

struct sandbox {
	struct sandbox_config cfg;
	struct httpd *httpd;
	struct http_client *http;
	struct outbox *outbox;
	struct postbox *postbox;
	char base[64];
	struct keys keys;

	pthread_mutex_t lock;
	struct trade *trades;
	struct message *messages;
	struct mail_kept *mails;
	struct transfer *transfers;
	struct faults faults;
	char nonces[256][33]; /* ACS3 nonces seen last */
	size_t n_nonces;
};

#endif
