#include <stdlib.h>
#include <string.h>

#include "notify/aliyun.h"
#include "notify/sms_aliyun.h"
#include "notify/template.h"

#define VERSION     "2017-05-25"
#define PARAM_MAX   2048
#define DEADLINE_MS 5000

struct sms_aliyun {
	struct sms base;
	struct aliyun api;
	char *sign;
	char *codes[SMS_TEMPLATE__MAX];
};

static struct sms_aliyun *
aliyun(struct sms *s)
{
	return (struct sms_aliyun *)s;
}

static void
aliyun_close(struct sms *s)
{
	struct sms_aliyun *a = aliyun(s);

	aliyun_fini(&a->api);
	free(a->sign);
	for (size_t i = 0; i < SMS_TEMPLATE__MAX; i++)
		free(a->codes[i]);
	free(a);
}

static void
set_code(struct sms_aliyun *a, enum sms_template t, const char *code, size_t n)
{
	free(a->codes[t]);
	a->codes[t] = uk_xstrndup(code, n);
}

/* "code=SMS_1,password=SMS_2" */
static enum uk_rc
read_codes(struct sms_aliyun *a, const char *s)
{
	while (s != NULL && *s != '\0') {
		const size_t n = strcspn(s, ",");
		const char *eq = memchr(s, '=', n);
		unsigned t = 0;

		if (eq == NULL || eq + 1 == s + n)
			return UK_E_INPUT;
		while (t < SMS_TEMPLATE__MAX &&
		       !uk_span_eq(uk_span(s, (size_t)(eq - s)),
			   uk_span_str(sms_template_name((enum sms_template)t))))
			t++;
		if (t == SMS_TEMPLATE__MAX)
			return UK_E_INPUT;
		set_code(a, (enum sms_template)t, eq + 1, (size_t)(s + n - eq - 1));
		s += n + (s[n] == ',');
	}
	return UK_OK;
}

static enum uk_rc
aliyun_open(const struct sms_setup *s, struct sms **out, struct uk_err *err)
{
	struct sms_aliyun *a = uk_xalloc(sizeof(*a));
	enum uk_rc rc;

	a->base.ops = &sms_aliyun_ops;
	for (unsigned t = 0; t < SMS_TEMPLATE__MAX; t++) {
		const char *code = sms_template_row((enum sms_template)t)->code;

		set_code(a, (enum sms_template)t, code, strlen(code));
	}
	rc = aliyun_init(&a->api, s->url, s->access_key, s->secret, err);
	if (rc == UK_OK && (s->sign == NULL || *s->sign == '\0'))
		rc = uk_fail_field(err, "sign", "missing");
	if (rc == UK_OK && read_codes(a, s->templates) != UK_OK)
		rc = uk_fail_field(err, "templates", NULL);
	if (rc != UK_OK) {
		aliyun_close(&a->base);
		return rc;
	}
	a->sign = uk_xstrdup(s->sign);
	a->api.http = s->http;
	a->api.clock = s->clock;
	a->api.random = s->random;
	a->api.deadline_ms = s->deadline_ms > 0 ? s->deadline_ms : DEADLINE_MS;
	*out = &a->base;
	return UK_OK;
}

struct code_row {
	const char *code;
	enum sms_outcome outcome;
	const char *error;
};

static const struct code_row codes[] = {
	{ "OK", SMS_SENT, "" },
	{ "isv.BUSINESS_LIMIT_CONTROL", SMS_RETRY, "rate-limited" },
	{ "isv.DAY_LIMIT_CONTROL", SMS_RETRY, "rate-limited" },
	{ "Throttling.User", SMS_RETRY, "rate-limited" },
	{ "isp.SYSTEM_ERROR", SMS_RETRY, "unavailable" },
	{ "isp.RAM_PERMISSION_DENY", SMS_REFUSED, "credentials" },
	{ "isv.AMOUNT_NOT_ENOUGH", SMS_RETRY, "balance" },
	{ "isv.OUT_OF_SERVICE", SMS_RETRY, "balance" },
	{ "isv.MOBILE_NUMBER_ILLEGAL", SMS_REFUSED, "number" },
	{ "isv.MOBILE_COUNT_OVER_LIMIT", SMS_REFUSED, "number" },
	{ "isv.SMS_TEMPLATE_ILLEGAL", SMS_REFUSED, "template" },
	{ "isv.TEMPLATE_MISSING_PARAMETERS", SMS_REFUSED, "template" },
	{ "isv.SMS_SIGNATURE_ILLEGAL", SMS_REFUSED, "sender" },
	{ "isv.PARAM_LENGTH_LIMIT", SMS_REFUSED, "content" },
	{ "isv.PARAM_NOT_SUPPORT_URL", SMS_REFUSED, "content" },
	{ "isv.BLACK_KEY_CONTROL_LIMIT", SMS_REFUSED, "blocked" },
	{ "SignatureDoesNotMatch", SMS_REFUSED, "credentials" },
	{ "InvalidAccessKeyId.NotFound", SMS_REFUSED, "credentials" },
};

struct answer {
	const char *code;
	const char *biz_id;
};

static const struct uk_field answer_fields[] = {
	{ "Code", UK_F_STR, UK_F_REQUIRED, 1, 128, offsetof(struct answer, code), NULL },
	{ "BizId", UK_F_STR, UK_F_NULLABLE, 0, 64, offsetof(struct answer, biz_id), NULL },
};

static void
judge(const json_t *tree, int status, struct sms_result *out)
{
	const struct code_row *row = NULL;
	struct answer a = { 0 };

	if (uk_fields_pick(answer_fields, 2, tree, &a, NULL) != UK_OK) {
		(void)uk_fail(&out->err, UK_E_UNAVAILABLE, "answer-malformed", "SendSms", status);
		return;
	}
	for (size_t i = 0; row == NULL && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].code, a.code) == 0)
			row = &codes[i];
	if (row != NULL) {
		out->outcome = row->outcome;
		out->error = row->error;
	} else if (status < 500) {
		out->outcome = SMS_REFUSED;
		out->error = "other";
	}
	if (out->outcome == SMS_SENT && a.biz_id != NULL)
		(void)snprintf(out->reference, sizeof(out->reference), "%s", a.biz_id);
	if (out->outcome != SMS_SENT)
		(void)uk_fail(&out->err, UK_E_UNAVAILABLE, out->error, "SendSms", status);
}

static void
put_params(struct uk_buf *out, const struct sms_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uk_buf_put_str(out, i == 0 ? "{" : ",");
		uk_json_put_str(out, uk_span_str(pairs[i].name));
		uk_buf_put_str(out, ":");
		uk_json_put_str(out, uk_span_str(pairs[i].value));
	}
	uk_buf_put_str(out, n == 0 ? "{}" : "}");
}

static enum uk_rc
aliyun_send(struct sms *s, const char *phone, enum sms_template t, const struct sms_pair *pairs,
    size_t n_pairs, const char *out_id, struct sms_result *out, struct uk_err *err)
{
	struct sms_aliyun *a = aliyun(s);
	struct net_pair v[5];
	struct uk_buf param;
	json_t *tree = NULL;
	size_t n = 0;
	int status = 0;
	enum uk_rc rc;

	uk_buf_init(&param, PARAM_MAX);
	put_params(&param, pairs, n_pairs);
	if (uk_buf_str(&param) == NULL) {
		uk_buf_fini(&param);
		return uk_fail_field(err, "pairs", "wrong-length");
	}
	v[n++] = (struct net_pair){ "PhoneNumbers", phone };
	v[n++] = (struct net_pair){ "SignName", a->sign };
	v[n++] = (struct net_pair){ "TemplateCode", a->codes[t] };
	v[n++] = (struct net_pair){ "TemplateParam", uk_buf_str(&param) };
	if (out_id != NULL)
		v[n++] = (struct net_pair){ "OutId", out_id };
	rc = aliyun_call(&a->api,
	    &(struct aliyun_call){
		.action = "SendSms", .version = VERSION, .params = v, .n_params = n },
	    &status, &tree, &out->err);
	uk_buf_fini(&param);
	if (rc == UK_OK)
		judge(tree, status, out);
	else if (rc == UK_E_TIMEOUT)
		out->error = "no-answer";
	json_decref(tree);
	return UK_OK;
}

const struct sms_ops sms_aliyun_ops = {
	.name = "aliyun",
	.open = aliyun_open,
	.close = aliyun_close,
	.send = aliyun_send,
};
