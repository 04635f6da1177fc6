#include <ctype.h>
#include <string.h>

#include "pay/bank_wire.h"

#define R UK_F_REQUIRED

bool
bank_account_valid(const char *s)
{
	const size_t n = strlen(s);

	return n >= 6 && n <= 34 && strspn(s, "0123456789") == n;
}

bool
bank_id_valid(const char *s)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if (!isalnum((unsigned char)s[n]) && s[n] != '-' && s[n] != '_')
			return false;
	return n > 0 && n <= 64;
}

const struct uk_field bank_transfer_fields[] = {
	{ "id", UK_F_STR, R, 1, 64, offsetof(struct bank_transfer_body, id), bank_id_valid },
	{ "account", UK_F_STR, R, 6, 34, offsetof(struct bank_transfer_body, account),
	    bank_account_valid },
	{ "holder", UK_F_STR, R, 1, 256, offsetof(struct bank_transfer_body, holder), NULL },
	{ "bank", UK_F_STR, R, 0, 256, offsetof(struct bank_transfer_body, bank), NULL },
	{ "amount", UK_F_INT, R, 1, 100000000, offsetof(struct bank_transfer_body, amount), NULL },
	{ "remark", UK_F_STR, R, 1, 128, offsetof(struct bank_transfer_body, remark), NULL },
	{ "notifyUrl", UK_F_STR, R, 1, 512, offsetof(struct bank_transfer_body, notify_url), NULL },
};

const struct uk_field bank_query_fields[] = {
	{ "id", UK_F_STR, R, 1, 64, offsetof(struct bank_query_body, id), bank_id_valid },
};

const struct uk_field bank_owner_fields[] = {
	{ "account", UK_F_STR, R, 6, 34, offsetof(struct bank_owner_body, account),
	    bank_account_valid },
	{ "bank", UK_F_STR, R, 0, 256, offsetof(struct bank_owner_body, bank), NULL },
	{ "holder", UK_F_STR, R, 1, 256, offsetof(struct bank_owner_body, holder), NULL },
};

const struct uk_field bank_result_fields[] = {
	{ "id", UK_F_STR, R, 1, 64, offsetof(struct bank_result_body, id), bank_id_valid },
	{ "status", UK_F_STR, R, 1, 16, offsetof(struct bank_result_body, status), NULL },
	{ "reference", UK_F_STR, R, 1, 64, offsetof(struct bank_result_body, reference),
	    bank_id_valid },
	{ "reason", UK_F_STR, 0, 1, 32, offsetof(struct bank_result_body, reason), bank_id_valid },
	{ "at", UK_F_INT, R, 1, INT64_C(1) << 40, offsetof(struct bank_result_body, at), NULL },
};

const struct uk_field bank_answer_fields[] = {
	{ "owner", UK_F_STR, R, 1, 16, offsetof(struct bank_owner_answer, owner), NULL },
	{ "reference", UK_F_STR, R, 1, 64, offsetof(struct bank_owner_answer, reference),
	    bank_id_valid },
};
