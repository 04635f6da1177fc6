#include <stdio.h>
#include <string.h>

#include "api/papers.h"
#include "uk/clock.h"

/* How a member of ORDER reads on paper. */
enum how {
	AS_TEXT,
	AS_TIME,
	AS_MONEY,
	AS_WORD,   /* a stable name, by words[] */
	AS_MASKED, /* an identity number */
	AS_CODE
};

struct line {
	const char *path; /* "form.organisation" */
	const char *label;
	enum how how;
};

struct word {
	const char *name;
	const char *text;
};

static const struct word words[] = {
	{ "unit-new", "在线新办（单位证书）" },
	{ "person-new", "在线新办（个人证书）" },
	{ "unit-renewal", "证书更新（单位证书）" },
	{ "person-renewal", "证书更新（个人证书）" },
	{ "unit-unlock", "证书解锁（单位证书）" },
	{ "person-unlock", "证书解锁（个人证书）" },
	{ "unit-replacement", "证书补办（单位证书）" },
	{ "person-replacement", "证书补办（个人证书）" },
	{ "unit-change", "信息变更（单位证书）" },
	{ "person-change", "信息变更（个人证书）" },
	{ "identity", "待身份核验" },
	{ "identity-checking", "身份核验中" },
	{ "confirm", "待确认订单" },
	{ "documents", "待上传证件照片" },
	{ "signature", "待签名验证" },
	{ "payment", "待付款" },
	{ "review", "待审核" },
	{ "rejected", "审核未通过" },
	{ "delivering", "正在发送证书密码" },
	{ "delivery-failed", "证书密码发送失败，处理中" },
	{ "production", "待制证" },
	{ "producing", "制证中" },
	{ "issuing", "签发中" },
	{ "proving", "制证中" },
	{ "shipping", "待寄出" },
	{ "download", "待下载证书" },
	{ "installing", "待写入证书" },
	{ "code", "待输入验证码" },
	{ "unlocking", "待解锁" },
	{ "done", "已完成" },
	{ "cancelled", "已取消" },
	{ "expired", "已过期" },
	{ "refunding", "退款中" },
	{ "refunded", "已退款" },
	{ "refund-by-hand", "人工退款中" },
	{ "mobile", "手机实名认证" },
	{ "bank-card", "银行卡信息认证" },
	{ "account", "企业对公账户打款认证" },
	{ "sms-code", "短信验证码" },
	{ "none", "无" },
	{ "checking", "核验中" },
	{ "passed", "已通过" },
	{ "failed", "未通过" },
	{ "waiting", "待付款" },
	{ "paid", "已付款" },
	{ "approved", "通过" },
	{ "general", "增值税普通发票" },
	{ "special", "增值税专用发票" },
	{ "alipay", "支付宝" },
	{ "remittance", "银行汇款" },
	{ "business-licence", "营业执照" },
	{ "legal-person-front", "法人身份证人像面" },
	{ "legal-person-back", "法人身份证国徽面" },
	{ "agent-front", "经办人身份证人像面" },
	{ "agent-back", "经办人身份证国徽面" },
	{ "holder-front", "身份证人像面" },
	{ "holder-back", "身份证国徽面" },
	{ "payment-proof", "付款凭证" },
};

static const char *
word(const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].text;
	return name;
}

/* In the order of the page's form; what an order's form does not have is left out. */
static const struct line form_lines[] = {
	{ "form.organisation", "单位名称", AS_TEXT },
	{ "form.creditCode", "统一社会信用代码", AS_TEXT },
	{ "form.legalPersonName", "法人姓名", AS_TEXT },
	{ "form.legalPersonId", "法人身份证号", AS_MASKED },
	{ "form.agentName", "经办人姓名", AS_TEXT },
	{ "form.agentId", "经办人身份证号", AS_MASKED },
	{ "form.agentPhone", "经办人手机", AS_TEXT },
	{ "form.agentEmail", "经办人邮箱", AS_TEXT },
	{ "form.name", "姓名", AS_TEXT },
	{ "form.idNumber", "身份证号", AS_MASKED },
	{ "form.phone", "手机", AS_TEXT },
	{ "form.email", "邮箱", AS_TEXT },
	{ "form.recipient", "收件人", AS_TEXT },
	{ "form.recipientPhone", "收件人电话", AS_TEXT },
	{ "form.address", "邮寄地址", AS_TEXT },
	{ "form.postcode", "邮编", AS_TEXT },
	{ "form.invoiceType", "发票类型", AS_WORD },
};

static const struct line order_lines[] = {
	{ "kind", "业务", AS_WORD },
	{ "state", "状态", AS_WORD },
	{ "createdAt", "提交时间", AS_TIME },
	{ "updatedAt", "最近更新", AS_TIME },
};

static const struct line progress_lines[] = {
	{ "identity.method", "身份核验方式", AS_WORD },
	{ "identity.status", "身份核验结果", AS_WORD },
	{ "signature.signedAt", "签名时间", AS_TIME },
	{ "payment.amount", "应付金额", AS_MONEY },
	{ "payment.method", "付款方式", AS_WORD },
	{ "payment.status", "付款状态", AS_WORD },
	{ "payment.paidAt", "付款时间", AS_TIME },
	{ "payment.tradeNo", "支付宝交易号", AS_TEXT },
	{ "review.result", "审核结果", AS_WORD },
	{ "review.decidedAt", "审核时间", AS_TIME },
	{ "shipping.carrier", "承运公司", AS_TEXT },
	{ "shipping.tracking", "运单号", AS_TEXT },
	{ "shipping.postedAt", "寄出时间", AS_TIME },
};

static const struct line certificate_lines[] = {
	{ "certificate.subject", "主题", AS_TEXT },
	{ "certificate.serial", "序列号", AS_CODE },
	{ "certificate.notBefore", "有效期起", AS_TIME },
	{ "certificate.notAfter", "有效期止", AS_TIME },
};

static const struct line receipt_lines[] = {
	{ "form.organisation", "付款方（发票抬头）", AS_TEXT },
	{ "form.name", "付款方（发票抬头）", AS_TEXT },
	{ "form.creditCode", "纳税人识别号", AS_TEXT },
	{ "form.invoiceType", "发票类型", AS_WORD },
	{ "kind", "项目", AS_WORD },
	{ "payment.amount", "金额（含税）", AS_MONEY },
	{ "payment.method", "付款方式", AS_WORD },
	{ "payment.paidAt", "付款时间", AS_TIME },
	{ "payment.tradeNo", "支付宝交易号", AS_TEXT },
};

#define N(lines) (sizeof(lines) / sizeof((lines)[0]))

static const json_t *
at(const json_t *order, const char *path)
{
	const char *dot = strchr(path, '.');
	char head[32];

	if (dot == NULL)
		return json_object_get(order, path);
	(void)snprintf(head, sizeof(head), "%.*s", (int)(dot - path), path);
	return json_object_get(json_object_get(order, head), dot + 1);
}

/* "110101********1234" */
static void
mask(const char *s, char *out, size_t size)
{
	const size_t n = strlen(s);

	if (n < 11)
		(void)snprintf(out, size, "****");
	else
		(void)snprintf(out, size, "%.6s********%s", s, s + n - 4);
}

static void
put_line(struct paper *p, const json_t *order, const struct line *l)
{
	const json_t *v = at(order, l->path);
	const char *s = json_string_value(v);
	const int64_t n = json_integer_value(v);
	char text[UK_TIME_LEN + 64];

	if (v == NULL || json_is_null(v) || (s != NULL && *s == '\0'))
		return;
	switch (l->how) {
	case AS_TIME:
		uk_time_beijing(n, text);
		paper_row(p, l->label, text);
		return;
	case AS_MONEY:
		(void)snprintf(
		    text, sizeof(text), "¥%lld.%02lld", (long long)n / 100, (long long)n % 100);
		paper_row(p, l->label, text);
		return;
	case AS_MASKED:
		mask(s != NULL ? s : "", text, sizeof(text));
		paper_row(p, l->label, text);
		return;
	case AS_CODE:
		paper_code(p, l->label, s != NULL ? s : "");
		return;
	case AS_WORD:
		paper_row(p, l->label, s != NULL ? word(s) : "");
		return;
	case AS_TEXT:
		break;
	}
	paper_row(p, l->label, s != NULL ? s : "");
}

static void
put_section(
    struct paper *p, const char *heading, const json_t *value, const struct line *lines, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const json_t *v = at(value, lines[i].path);

		if (v == NULL)
			continue;
		if (!any)
			paper_heading(p, heading);
		any = true;
		put_line(p, value, &lines[i]);
	}
}

static struct paper *
begin(const char *title, const struct paper_facts *f)
{
	char number[64];
	char when[UK_TIME_LEN];
	char foot[256];

	uk_time_beijing(f->now, when);
	(void)snprintf(number, sizeof(number), "订单号 %s",
	    json_string_value(json_object_get(f->order, "id")));
	(void)snprintf(foot, sizeof(foot), "%s  %s", f->name, when);
	return paper_new(title, number, foot, f->now);
}

static enum uk_rc
make_details(const struct paper_facts *f, struct paper **out, struct uk_err *err)
{
	struct paper *p = begin("订单详情", f);

	(void)err;
	put_section(p, "订单", f->order, order_lines, N(order_lines));
	put_section(p, "申请信息", f->order, form_lines, N(form_lines));
	put_section(p, "办理情况", f->order, progress_lines, N(progress_lines));
	put_section(p, "证书", f->order, certificate_lines, N(certificate_lines));
	*out = p;
	return UK_OK;
}

static void
put_attachments(struct paper *p, const json_t *list)
{
	const json_t *v;
	size_t i;

	if (json_array_size(list) > 0)
		paper_heading(p, "附件（SHA-256）");
	json_array_foreach(list, i, v)
	{
		const char *type = json_string_value(json_object_get(v, "type"));
		const char *sum = json_string_value(json_object_get(v, "sha256"));

		if (type != NULL && sum != NULL)
			paper_code(p, word(type), sum);
	}
}

/* "138****0001" */
static void
put_signature(struct paper *p, const struct paper_facts *f)
{
	const char *phone = json_string_value(json_object_get(f->statement, "phone"));
	char masked[16];
	const struct line lines[] = { { "method", "签名方式", AS_WORD },
		{ "at", "签名时间", AS_TIME } };

	put_section(p, "电子签名", f->statement, lines, N(lines));
	if (phone != NULL && strlen(phone) == 11) {
		(void)snprintf(masked, sizeof(masked), "%.3s****%s", phone, phone + 7);
		paper_row(p, "签名人手机", masked);
	}
	paper_code(p, "申请摘要", f->digest);
}

/* [C7] What was signed, not what the order has become since. */
static enum uk_rc
make_application(const struct paper_facts *f, struct paper **out, struct uk_err *err)
{
	struct paper *p;

	if (f->statement == NULL)
		return uk_fail(err, UK_E_CONFLICT, "not-signed-yet", "papers", 0);
	p = begin("数字证书业务申请表", f);
	put_section(p, "业务", f->statement, order_lines, 1);
	put_section(p, "申请信息", f->statement, form_lines, N(form_lines));
	put_attachments(p, json_object_get(f->statement, "documents"));
	paper_text(p,
	    "申请人声明：以上信息及所附材料真实、准确、完整，已阅读并同意数字证书服务协议、"
	    "电子认证业务规则及个人信息处理规则。");
	put_signature(p, f);
	paper_text(
	    p, "申请摘要是申请全文（含附件摘要、时间和随机数）的SHA-256值，全文由本机构加密保存。");
	*out = p;
	return UK_OK;
}

/* [Q3] A tax invoice itself can only come from the tax authority's platform. */
static enum uk_rc
make_invoice(const struct paper_facts *f, struct paper **out, struct uk_err *err)
{
	const char *status = json_string_value(at(f->order, "payment.status"));
	struct paper *p;

	if (status == NULL || strcmp(status, "paid") != 0)
		return uk_fail(err, UK_E_CONFLICT, "not-paid-yet", "papers", 0);
	p = begin("收款凭据（开票信息）", f);
	put_section(p, "开票信息", f->order, receipt_lines, N(receipt_lines));
	paper_row(p, "收款方", f->name);
	paper_text(p, "发票抬头与证书名称一致，不能更改。本凭据证明款项已收到；税务发票由电子发票服"
		      "务平台开具，"
		      "发送至订单所填邮箱。");
	*out = p;
	return UK_OK;
}

static const struct {
	const char *name;
	enum uk_rc (*make)(const struct paper_facts *, struct paper **, struct uk_err *);
} papers[] = {
	{ "details.pdf", make_details },
	{ "application.pdf", make_application },
	{ "invoice.pdf", make_invoice },
};

enum uk_rc
papers_make(const char *name, const struct paper_facts *f, struct paper **out, struct uk_err *err)
{
	for (size_t i = 0; i < N(papers); i++)
		if (strcmp(papers[i].name, name) == 0)
			return papers[i].make(f, out, err);
	return uk_fail(err, UK_E_NOT_FOUND, NULL, "papers", 0);
}
