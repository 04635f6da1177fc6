#include <string.h>

#include "pay/bank_wire.h"
#include "sandbox/control.h"
#include "sandbox/page.h"
#include "sandbox/state.h"

#define HOME_MAX (64u * 1024u)

static bool
fate_ok(const char *s)
{
	return strcmp(s, "match") == 0 || strcmp(s, "mismatch") == 0 ||
	       strcmp(s, "no-record") == 0 || strcmp(s, "unavailable") == 0;
}

#define AT(member) offsetof(struct control_body, member)

const struct uk_field control_fields[] = {
	{ "reset", UK_F_BOOL, 0, 0, 0, AT(reset), NULL },
	{ "notifyDuplicates", UK_F_INT, 0, 0, 100, AT(notify_duplicates), NULL },
	{ "notifyDelaySeconds", UK_F_INT, 0, 0, 86400, AT(notify_delay), NULL },
	{ "notifyBadSignature", UK_F_BOOL, 0, 0, 0, AT(notify_bad_signature), NULL },
	{ "notifyWrongAmount", UK_F_BOOL, 0, 0, 0, AT(notify_wrong_amount), NULL },
	{ "notifyForeignApp", UK_F_BOOL, 0, 0, 0, AT(notify_foreign_app), NULL },
	{ "notifySha1", UK_F_BOOL, 0, 0, 0, AT(notify_sha1), NULL },
	{ "alipayError", UK_F_STR, 0, 0, 64, AT(alipay_error), NULL },
	{ "alipayTampered", UK_F_BOOL, 0, 0, 0, AT(alipay_tampered), NULL },
	{ "smsError", UK_F_STR, 0, 0, 64, AT(sms_error), NULL },
	{ "mailCode", UK_F_INT, 0, 400, 599, AT(mail_code), NULL },
	{ "identityNext", UK_F_STR, 0, 0, 16, AT(identity_next), fate_ok },
	{ "bankBounce", UK_F_STR, 0, 0, 32, AT(bank_bounce), bank_id_valid },
	{ "bankDown", UK_F_BOOL, 0, 0, 0, AT(bank_down), NULL },
};

static json_t *
show(const struct faults *f)
{
	return json_pack("{s:I, s:I, s:b, s:b, s:b, s:b, s:s, s:b, s:s, s:I, s:s, s:s, s:b}",
	    "notifyDuplicates", (json_int_t)f->notify_duplicates, "notifyDelaySeconds",
	    (json_int_t)f->notify_delay, "notifyBadSignature", f->notify_bad_signature,
	    "notifyWrongAmount", f->notify_wrong_amount, "notifyForeignApp", f->notify_foreign_app,
	    "notifySha1", f->notify_sha1, "alipayError", f->alipay_error, "alipayTampered",
	    f->alipay_tampered, "smsError", f->sms_error, "mailCode", (json_int_t)f->mail_code,
	    "identityNext", f->identity_next, "bankBounce", f->bank_bounce, "bankDown",
	    f->bank_down);
}

static void
set_text(char *to, size_t size, const char *s)
{
	if (s != NULL)
		(void)snprintf(to, size, "%s", s);
}

/* What is given is set; what is not stays armed. */
static void
arm(struct faults *f, const struct control_body *b)
{
	if (b->reset)
		*f = (struct faults){ 0 };
	if (b->notify_duplicates != 0)
		f->notify_duplicates = b->notify_duplicates;
	if (b->notify_delay != 0)
		f->notify_delay = b->notify_delay;
	if (b->mail_code != 0)
		f->mail_code = b->mail_code;
	f->notify_bad_signature |= b->notify_bad_signature;
	f->notify_wrong_amount |= b->notify_wrong_amount;
	f->notify_foreign_app |= b->notify_foreign_app;
	f->notify_sha1 |= b->notify_sha1;
	f->alipay_tampered |= b->alipay_tampered;
	f->bank_down |= b->bank_down;
	set_text(f->alipay_error, sizeof(f->alipay_error), b->alipay_error);
	set_text(f->sms_error, sizeof(f->sms_error), b->sms_error);
	set_text(f->identity_next, sizeof(f->identity_next), b->identity_next);
	set_text(f->bank_bounce, sizeof(f->bank_bounce), b->bank_bounce);
}

enum uk_rc
control_set(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	json_t *o;

	(void)err;
	(void)pthread_mutex_lock(&s->lock);
	arm(&s->faults, http_fields(rq));
	o = show(&s->faults);
	(void)pthread_mutex_unlock(&s->lock);
	http_answer_json(rq, 200, o);
	json_decref(o);
	return UK_OK;
}

enum uk_rc
control_get(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	json_t *o;

	(void)err;
	(void)pthread_mutex_lock(&s->lock);
	o = show(&s->faults);
	(void)pthread_mutex_unlock(&s->lock);
	http_answer_json(rq, 200, o);
	json_decref(o);
	return UK_OK;
}

static const char home[] =
    "<p>这里模拟证书业务所依赖的外部服务。签名、报文和错误码与真实服务相同，每一次调用都验签。</p>"
    "<table><tr><th>服务</th><th>说明</th></tr>"
    "<tr><td><a href=\"/inbox\">短信收件箱</a></td><td>按手机号查看收到的短信</td></tr>"
    "<tr><td><a href=\"/mail\">邮件收件箱</a></td><td>查看收到的邮件</td></tr>"
    "<tr><td><a href=\"/bank/records\">银行交易明细</a></td><td>按对公账号查看到账记录和附言</td>"
    "</tr><tr><td>支付宝收银台</td><td>由订单的支付步骤打开；付款后异步通知商户</td></tr>"
    "<tr><td>实名与企业要素核验</td><td>手机三要素、银行卡四要素、企业四要素、对公账户</td></tr>"
    "<tr><td><a href=\"/control\">故障开关</a></td><td>"
    "<code>POST /control</code>，例如 <code>{\"notifyBadSignature\":true}</code></td></tr></table>"
    "<h2>特殊数据</h2><table><tr><th>结果</th><th>姓名或单位名称含</th>"
    "<th>手机号、卡号、账号末四位</th></tr>"
    "<tr><td>不一致</td><td>不一致</td><td>0002</td></tr>"
    "<tr><td>查无记录</td><td>查无</td><td>0003</td></tr>"
    "<tr><td>服务不可用</td><td>故障</td><td>0004</td></tr>"
    "<tr><td>汇款退回</td><td>—</td><td>账号 0009</td></tr>"
    "<tr><td>一致</td><td>其他</td><td>其他</td></tr></table>";

enum uk_rc
control_home(void *app, struct http_request *rq, struct uk_err *err)
{
	struct uk_buf b;

	(void)app;
	(void)err;
	uk_buf_init(&b, HOME_MAX);
	page_begin(&b, "外部服务沙箱", "ukey-sandbox");
	uk_buf_put_str(&b, home);
	page_answer(rq, 200, &b);
	return UK_OK;
}
