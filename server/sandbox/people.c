#include <string.h>

#include "sandbox/aliyun_in.h"
#include "sandbox/people.h"

#define NEEDED_MAX 6

enum fate {
	FATE_MATCH,
	FATE_MISMATCH,
	FATE_NO_RECORD,
	FATE_UNAVAILABLE,
	FATE__MAX
};

static const char *const fate_names[] = { "match", "mismatch", "no-record", "unavailable" };

/* A name with the word in it, or a number with the ending, has this fate. */
static const struct {
	const char *word;
	const char *ending;
	enum fate fate;
} population[] = {
	{ "不一致", "0002", FATE_MISMATCH },
	{ "查无", "0003", FATE_NO_RECORD },
	{ "故障", "0004", FATE_UNAVAILABLE },
};

struct question {
	const char *action;
	const char *version;
	const char *name;   /* the parameter that the word is looked for in */
	const char *number; /* and the one of the ending; NULL: none */
	const char *result; /* the answer's member */
	const char *code;
	const char *needed[NEEDED_MAX];
};

static const struct question questions[] = {
	{ "Mobile3MetaDetailVerify", "2019-03-07", "UserName", "Mobile", "ResultObject", "200",
	    { "ParamType", "IdentifyNum" } },
	{ "BankMetaVerify", "2019-03-07", "UserName", "BankCard", "ResultObject", "200",
	    { "ParamType", "VerifyMode", "ProductType", "IdentifyNum", "Mobile" } },
	{ "EntElementVerifyV2", "2022-11-25", "EntName", NULL, "Result", "Success",
	    { "SceneCode", "MerchantBizId", "LicenseNo", "LegalPersonName", "LegalPersonCertNo" } },
};

static bool
ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static enum fate
fate_of(const struct question *q, const struct net_pairs *p)
{
	const char *name = net_pairs_get(p, q->name);
	const char *number = q->number != NULL ? net_pairs_get(p, q->number) : "";

	for (size_t i = 0; i < sizeof(population) / sizeof(population[0]); i++)
		if (strstr(name, population[i].word) != NULL ||
		    ends_with(number, population[i].ending))
			return population[i].fate;
	return FATE_MATCH;
}

static bool
given(const struct net_pairs *p, const char *name)
{
	const char *s = net_pairs_get(p, name);

	return s != NULL && *s != '\0';
}

static bool
complete(const struct question *q, const struct net_pairs *p)
{
	if (!given(p, q->name) || (q->number != NULL && !given(p, q->number)))
		return false;
	for (size_t i = 0; i < NEEDED_MAX && q->needed[i] != NULL; i++)
		if (!given(p, q->needed[i]))
			return false;
	return true;
}

static bool
take_fault(struct sandbox *s, enum fate *out)
{
	unsigned i = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (i < FATE__MAX && strcmp(fate_names[i], s->faults.identity_next) != 0)
		i++;
	s->faults.identity_next[0] = '\0';
	(void)pthread_mutex_unlock(&s->lock);
	if (i < FATE__MAX)
		*out = (enum fate)i;
	return i < FATE__MAX;
}

static void
answer(struct sandbox *s, struct http_request *rq, const struct question *q, enum fate fate)
{
	static const char *const biz[] = { "1", "2", "3" };
	static const char *const sub[] = { "101", "201", "301" };
	json_t *more;

	if (fate == FATE_UNAVAILABLE) {
		aliyun_in_answer(
		    s, rq, 503, "ServiceUnavailable", "The service is not available.", NULL);
		return;
	}
	more = json_pack("{s:{s:s, s:s}}", q->result, "BizCode", biz[fate], "SubCode", sub[fate]);
	if (fate == FATE_MISMATCH && strcmp(q->result, "Result") == 0)
		(void)json_object_set_new(json_object_get(more, q->result), "ReasonDetail",
		    json_string("LegalPersonNameFlag"));
	aliyun_in_answer(s, rq, 200, q->code, "success", more);
}

enum uk_rc
people_check(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	const struct question *q = NULL;
	struct aliyun_in in;
	enum fate fate;

	(void)err;
	if (!aliyun_in_open(s, rq, s->keys.identity_access_key, s->keys.identity_secret, &in))
		return UK_OK;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (strcmp(questions[i].action, in.action) == 0 &&
		    strcmp(questions[i].version, in.version) == 0)
			q = &questions[i];
	if (q == NULL)
		aliyun_in_answer(s, rq, 404, "InvalidAction.NotFound", "No such action.", NULL);
	else if (!complete(q, in.params))
		aliyun_in_answer(s, rq, 400, "MissingParameter", "A parameter is missing.", NULL);
	else
		answer(s, rq, q, take_fault(s, &fate) ? fate : fate_of(q, in.params));
	return UK_OK;
}
