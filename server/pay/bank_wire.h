/* The members of the bank gateway's messages (PROTOCOL.md), read by both ends. */
#ifndef PAY_BANK_WIRE_H
#define PAY_BANK_WIRE_H

#include "uk/json.h"

struct bank_transfer_body {
	const char *id;
	const char *account;
	const char *holder;
	const char *bank;
	int64_t amount;
	const char *remark;
	const char *notify_url;
};

struct bank_query_body {
	const char *id;
};

struct bank_owner_body {
	const char *account;
	const char *bank;
	const char *holder;
};

struct bank_result_body {
	const char *id;
	const char *status;
	const char *reference;
	const char *reason;
	int64_t at;
};

struct bank_owner_answer {
	const char *owner;
	const char *reference;
};

#define BANK_TRANSFER_FIELDS 7
#define BANK_QUERY_FIELDS    1
#define BANK_OWNER_FIELDS    3
#define BANK_RESULT_FIELDS   5
#define BANK_ANSWER_FIELDS   2

extern const struct uk_field bank_transfer_fields[BANK_TRANSFER_FIELDS];
extern const struct uk_field bank_query_fields[BANK_QUERY_FIELDS];
extern const struct uk_field bank_owner_fields[BANK_OWNER_FIELDS];
extern const struct uk_field bank_result_fields[BANK_RESULT_FIELDS];
extern const struct uk_field bank_answer_fields[BANK_ANSWER_FIELDS];

/* 6 to 34 digits. */
bool bank_account_valid(const char *s);
/* 1 to 64 of letters, digits, - and _. */
bool bank_id_valid(const char *s);

#endif
