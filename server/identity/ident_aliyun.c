#include <stdlib.h>
#include <string.h>

#include "identity/ident_aliyun.h"
#include "notify/aliyun.h"
#include "pay/bank.h"

#define PERSON_VERSION "2019-03-07"
#define UNIT_VERSION   "2022-11-25"
#define DEADLINE_MS    10000
#define PARAMS_MAX     9

struct ident_aliyun {
	struct ident base;
	struct aliyun api;
	struct bank *bank;
};

static struct ident_aliyun *
aliyun(struct ident *i)
{
	return (struct ident_aliyun *)i;
}

static void
aliyun_close(struct ident *i)
{
	struct ident_aliyun *a = aliyun(i);

	aliyun_fini(&a->api);
	free(a);
}

static enum uk_rc
aliyun_open(const struct ident_setup *s, struct ident **out, struct uk_err *err)
{
	struct ident_aliyun *a = uk_xalloc(sizeof(*a));
	enum uk_rc rc;

	a->base.ops = &ident_aliyun_ops;
	a->bank = s->bank;
	rc = aliyun_init(&a->api, s->url, s->access_key, s->secret, err);
	if (rc != UK_OK) {
		aliyun_close(&a->base);
		return rc;
	}
	a->api.http = s->http;
	a->api.clock = s->clock;
	a->api.random = s->random;
	a->api.deadline_ms = s->deadline_ms > 0 ? s->deadline_ms : DEADLINE_MS;
	*out = &a->base;
	return UK_OK;
}

struct answer {
	const char *code;
	const char *request_id;
	json_t *result;        /* "ResultObject" (2019-03-07) */
	json_t *result_of_ent; /* "Result" (2022-11-25) */
};

static const struct uk_field answer_fields[] = {
	{ "Code", UK_F_STR, UK_F_REQUIRED, 1, 128, offsetof(struct answer, code), NULL },
	{ "RequestId", UK_F_STR, UK_F_NULLABLE, 0, 64, offsetof(struct answer, request_id), NULL },
	{ "ResultObject", UK_F_JSON, UK_F_NULLABLE, 0, 0, offsetof(struct answer, result), NULL },
	{ "Result", UK_F_JSON, UK_F_NULLABLE, 0, 0, offsetof(struct answer, result_of_ent), NULL },
};

struct verdict {
	const char *biz_code;
};

static const struct uk_field verdict_fields[] = {
	{ "BizCode", UK_F_STR, UK_F_REQUIRED, 1, 8, offsetof(struct verdict, biz_code), NULL },
};

static const struct {
	const char *biz_code;
	enum ident_outcome outcome;
} outcomes[] = {
	{ "1", IDENT_MATCH },
	{ "2", IDENT_MISMATCH },
	{ "3", IDENT_NO_RECORD },
};

static enum ident_outcome
judge(const json_t *tree, int status, const char *action, struct ident_result *out)
{
	struct verdict v = { 0 };
	struct answer a = { 0 };
	const json_t *result;

	if (uk_fields_pick(answer_fields, sizeof(answer_fields) / sizeof(answer_fields[0]), tree,
		&a, NULL) != UK_OK)
		goto malformed;
	(void)snprintf(out->evidence + strlen(out->evidence),
	    sizeof(out->evidence) - strlen(out->evidence), "%s%s=%s",
	    out->evidence[0] != '\0' ? ", " : "", action, a.request_id != NULL ? a.request_id : "");
	if (strcmp(a.code, "200") != 0 && strcmp(a.code, "Success") != 0) {
		(void)uk_fail(&out->err, UK_E_UNAVAILABLE, "provider-refused", action, status);
		return IDENT_UNAVAILABLE;
	}
	result = a.result != NULL ? a.result : a.result_of_ent;
	if (result == NULL || uk_fields_pick(verdict_fields, 1, result, &v, NULL) != UK_OK)
		goto malformed;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (strcmp(outcomes[i].biz_code, v.biz_code) == 0)
			return outcomes[i].outcome;
malformed:
	(void)uk_fail(&out->err, UK_E_UNAVAILABLE, "answer-malformed", action, status);
	return IDENT_UNAVAILABLE;
}

static enum ident_outcome
ask(struct ident_aliyun *a, const struct aliyun_call *call, struct ident_result *out)
{
	enum ident_outcome o = IDENT_UNAVAILABLE;
	json_t *tree = NULL;
	int status = 0;

	if (aliyun_call(&a->api, call, &status, &tree, &out->err) == UK_OK)
		o = judge(tree, status, call->action, out);
	json_decref(tree);
	return o;
}

/* Four elements: the unit's name and credit code, its legal person's name and id number. */
static enum ident_outcome
ask_unit(struct ident_aliyun *a, const struct ident_subject *s, struct ident_result *out)
{
	struct net_pair v[PARAMS_MAX];
	char biz_id[33];
	size_t n = 0;

	uk_random_hex(a->api.random, biz_id, 16);
	v[n++] = (struct net_pair){ "SceneCode", "ukey" };
	v[n++] = (struct net_pair){ "MerchantBizId", biz_id };
	v[n++] = (struct net_pair){ "MerchantUserId", s->credit_code };
	v[n++] = (struct net_pair){ "UserAuthorization", "1" };
	v[n++] = (struct net_pair){ "InfoVerifyType", "ENT_4META" };
	v[n++] = (struct net_pair){ "LicenseNo", s->credit_code };
	v[n++] = (struct net_pair){ "EntName", s->organisation };
	v[n++] = (struct net_pair){ "LegalPersonName", s->name };
	v[n++] = (struct net_pair){ "LegalPersonCertNo", s->id_number };
	return ask(a,
	    &(struct aliyun_call){ .action = "EntElementVerifyV2",
		.version = UNIT_VERSION,
		.params = v,
		.n_params = n },
	    out);
}

static enum ident_outcome
ask_mobile(struct ident_aliyun *a, const struct ident_subject *s, struct ident_result *out)
{
	const struct net_pair v[] = {
		{ "ParamType", "normal" },
		{ "UserName", s->name },
		{ "IdentifyNum", s->id_number },
		{ "Mobile", s->phone },
	};

	return ask(a,
	    &(struct aliyun_call){ .action = "Mobile3MetaDetailVerify",
		.version = PERSON_VERSION,
		.in_body = true,
		.params = v,
		.n_params = 4 },
	    out);
}

static enum ident_outcome
ask_bank_card(struct ident_aliyun *a, const struct ident_subject *s, struct ident_result *out)
{
	const struct net_pair v[] = {
		{ "ParamType", "normal" },
		{ "VerifyMode", "VERIFY_BANK_CARD" },
		{ "ProductType", "BANK_CARD_4_META" },
		{ "BankCard", s->card },
		{ "UserName", s->name },
		{ "IdentifyNum", s->id_number },
		{ "Mobile", s->phone },
	};

	return ask(a,
	    &(struct aliyun_call){
		.action = "BankMetaVerify", .version = PERSON_VERSION, .params = v, .n_params = 7 },
	    out);
}

static enum ident_outcome
ask_account(struct ident_aliyun *a, const struct ident_subject *s, struct ident_result *out)
{
	static const enum ident_outcome of_owner[] = {
		[BANK_OWNER_SAME] = IDENT_MATCH,
		[BANK_OWNER_OTHER] = IDENT_MISMATCH,
		[BANK_OWNER_NO_ACCOUNT] = IDENT_NO_RECORD,
	};
	char reference[BANK_REF_LEN];
	enum bank_owner owner;

	if (bank_owner(a->bank, s->account, s->bank, s->organisation, &owner, reference,
		&out->err) != UK_OK)
		return IDENT_UNAVAILABLE;
	(void)snprintf(out->evidence, sizeof(out->evidence), "bank=%s", reference);
	return of_owner[owner];
}

struct question {
	const char *part;
	bool units_only;
	enum ident_outcome (*ask)(
	    struct ident_aliyun *, const struct ident_subject *, struct ident_result *);
};

#define QUESTIONS_MAX 2

/* In this order; the first that is not a match decides. */
static const struct question questions[][QUESTIONS_MAX] = {
	[IDENT_MOBILE] = { { "unit", true, ask_unit }, { "person", false, ask_mobile } },
	[IDENT_BANK_CARD] = { { "unit", true, ask_unit }, { "person", false, ask_bank_card } },
	[IDENT_ACCOUNT] = { { "account", true, ask_account } },
};

static enum uk_rc
aliyun_check(struct ident *i, enum ident_method m, const struct ident_subject *s,
    struct ident_result *out, struct uk_err *err)
{
	struct ident_aliyun *a = aliyun(i);

	if (m == IDENT_ACCOUNT && a->bank == NULL)
		return uk_fail(err, UK_E_UNSUPPORTED, NULL, "identity", 0);
	for (size_t q = 0; q < QUESTIONS_MAX && questions[m][q].ask != NULL; q++) {
		if (questions[m][q].units_only && !s->unit)
			continue;
		out->part = questions[m][q].part;
		out->outcome = questions[m][q].ask(a, s, out);
		if (out->outcome != IDENT_MATCH)
			break;
	}
	return UK_OK;
}

const struct ident_ops ident_aliyun_ops = {
	.name = "aliyun",
	.open = aliyun_open,
	.close = aliyun_close,
	.check = aliyun_check,
};
