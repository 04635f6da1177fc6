#include <stdlib.h>
#include <string.h>

#include "notify/template.h"
#include "sandbox/aliyun_in.h"
#include "sandbox/inbox.h"
#include "sandbox/page.h"

#define PAGE_MAX  (1024u * 1024u)
#define PARAM_MAX 2048

/* ${name} replaced; false when a variable is missing. */
static bool
render(const struct sms_template_row *row, const json_t *vars, struct uk_buf *out)
{
	const char *s = row->text;

	while (*s != '\0') {
		const char *end = strncmp(s, "${", 2) == 0 ? strchr(s, '}') : NULL;
		const char *value;
		char name[32];

		if (end == NULL) {
			uk_buf_put_u8(out, (uint8_t)*s++);
			continue;
		}
		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - s - 2), s + 2);
		value = json_string_value(json_object_get(vars, name));
		if (value == NULL)
			return false;
		uk_buf_put_str(out, value);
		s = end + 1;
	}
	return true;
}

static bool
phone_ok(const char *s)
{
	return s != NULL && strlen(s) == 11 && strspn(s, "0123456789") == 11 && s[0] == '1';
}

static const char *
keep(struct sandbox *s, const char *phone, const char *sign, struct uk_buf *text)
{
	struct message *m;

	if (uk_buf_str(text) == NULL || text->n >= sizeof(m->text))
		return "isv.PARAM_LENGTH_LIMIT";
	m = uk_xalloc(sizeof(*m));
	(void)snprintf(m->phone, sizeof(m->phone), "%s", phone);
	(void)snprintf(m->sign, sizeof(m->sign), "%s", sign);
	(void)snprintf(m->text, sizeof(m->text), "%s", uk_buf_str(text));
	m->at = uk_now(s->cfg.clock);
	(void)pthread_mutex_lock(&s->lock);
	m->next = s->messages;
	s->messages = m;
	(void)pthread_mutex_unlock(&s->lock);
	return "OK";
}

/* The Code that Aliyun would answer. */
static const char *
deliver(struct sandbox *s, const struct net_pairs *p)
{
	const char *phone = net_pairs_get(p, "PhoneNumbers");
	const char *sign = net_pairs_get(p, "SignName");
	const char *code = net_pairs_get(p, "TemplateCode");
	const char *param = net_pairs_get(p, "TemplateParam");
	const struct sms_template_row *row;
	const char *answer = "isv.TEMPLATE_MISSING_PARAMETERS";
	json_t *vars = NULL;
	struct uk_buf text;

	row = code != NULL ? sms_template_by_code(code) : NULL;
	if (!phone_ok(phone))
		return "isv.MOBILE_NUMBER_ILLEGAL";
	if (sign == NULL || strcmp(sign, s->keys.sms_sign) != 0)
		return "isv.SMS_SIGNATURE_ILLEGAL";
	if (row == NULL)
		return "isv.SMS_TEMPLATE_ILLEGAL";
	if (param == NULL || uk_json_parse(uk_span_str(param), PARAM_MAX, &vars, NULL) != UK_OK)
		return "isv.INVALID_JSON_PARAM";
	uk_buf_init(&text, PARAM_MAX);
	if (render(row, vars, &text))
		answer = keep(s, phone, sign, &text);
	json_decref(vars);
	uk_buf_fini(&text);
	return answer;
}

static bool
take_fault(struct sandbox *s, char *out, size_t size)
{
	(void)pthread_mutex_lock(&s->lock);
	(void)snprintf(out, size, "%s", s->faults.sms_error);
	s->faults.sms_error[0] = '\0';
	(void)pthread_mutex_unlock(&s->lock);
	return out[0] != '\0';
}

enum uk_rc
inbox_send(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	struct aliyun_in in;
	const char *code;
	char fault[65], biz_id[40];
	json_t *more = NULL;

	(void)err;
	if (!aliyun_in_open(s, rq, s->keys.sms_access_key, s->keys.sms_secret, &in))
		return UK_OK;
	if (strcmp(in.action, "SendSms") != 0 || strcmp(in.version, "2017-05-25") != 0) {
		aliyun_in_answer(s, rq, 404, "InvalidAction.NotFound", "No such action.", NULL);
		return UK_OK;
	}
	code = take_fault(s, fault, sizeof(fault)) ? fault : deliver(s, in.params);
	if (strcmp(code, "OK") == 0) {
		(void)snprintf(biz_id, sizeof(biz_id), "%09u%09u^0",
		    uk_random_below(s->cfg.random, 1000000000),
		    uk_random_below(s->cfg.random, 1000000000));
		more = json_pack("{s:s}", "BizId", biz_id);
	}
	aliyun_in_answer(
	    s, rq, 200, code, strcmp(code, "OK") == 0 ? "OK" : "The message was refused.", more);
	return UK_OK;
}

static void
put_phones(struct sandbox *s, struct uk_buf *b)
{
	uk_buf_put_str(b, "<table><tr><th>手机号</th><th>最新短信</th></tr>");
	for (const struct message *m = s->messages; m != NULL; m = m->next) {
		const struct message *newer = s->messages;

		while (newer != m && strcmp(newer->phone, m->phone) != 0)
			newer = newer->next;
		if (newer != m)
			continue;
		uk_buf_printf(b,
		    "<tr data-testid=\"phone\"><td><a href=\"/inbox?phone=%s\">%s</a></td><td>",
		    m->phone, m->phone);
		page_text(b, m->text);
		uk_buf_put_str(b, "</td></tr>");
	}
	uk_buf_put_str(b, "</table>");
	if (s->messages == NULL)
		uk_buf_put_str(b, "<p class=\"note\" data-testid=\"empty\">还没有短信。</p>");
}

static void
put_messages(struct sandbox *s, const char *phone, struct uk_buf *b)
{
	bool any = false;

	uk_buf_put_str(b, "<table><tr><th>时间</th><th>内容</th></tr>");
	for (const struct message *m = s->messages; m != NULL; m = m->next) {
		char when[UK_TIME_LEN];

		if (strcmp(m->phone, phone) != 0)
			continue;
		any = true;
		uk_time_beijing(m->at, when);
		uk_buf_printf(b,
		    "<tr data-testid=\"message\"><td data-testid=\"time\">%s</td><td "
		    "data-testid=\"text\">【",
		    when);
		page_text(b, m->sign);
		uk_buf_put_str(b, "】");
		page_text(b, m->text);
		uk_buf_put_str(b, "</td></tr>");
	}
	uk_buf_put_str(b, "</table>");
	if (!any)
		uk_buf_put_str(b, "<p class=\"note\" data-testid=\"empty\">还没有短信。</p>");
	uk_buf_put_str(b, "<p><a href=\"/inbox\">所有手机</a></p>");
}

enum uk_rc
inbox_page(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	const char *phone = http_query(rq, "phone");
	struct uk_buf b, title;

	if (phone != NULL && !phone_ok(phone))
		return uk_fail_field(err, "phone", "phone-invalid");
	uk_buf_init(&b, PAGE_MAX);
	uk_buf_init(&title, 128);
	uk_buf_printf(&title, "收件箱 %s", phone != NULL ? phone : "");
	page_begin(&b, uk_buf_str(&title), "短信");
	(void)pthread_mutex_lock(&s->lock);
	if (phone != NULL)
		put_messages(s, phone, &b);
	else
		put_phones(s, &b);
	(void)pthread_mutex_unlock(&s->lock);
	uk_buf_fini(&title);
	page_answer(rq, 200, &b);
	return UK_OK;
}
