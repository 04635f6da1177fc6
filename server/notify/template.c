#include <assert.h>
#include <string.h>

#include "notify/template.h"

static const struct sms_template_row rows[] = {
	[SMS_CODE] = { "code", "SMS_900001", { "code", "minutes" },
	    "您的签名验证码为${code}，${minutes}分钟内有效。请勿将验证码告诉他人。" },
	[SMS_PASSWORD] = { "password", "SMS_900002", { "password" },
	    "您的证书密码为${password}，首次使用时须修改。请妥善保管，切勿告诉他人。" },
	[SMS_APPROVED] = { "approved", "SMS_900003", { "order" },
	    "您的订单${order}已审核通过，证书Key制作完成后将寄出。" },
	[SMS_REJECTED] = { "rejected", "SMS_900004", { "order", "reason" },
	    "您的订单${order}未通过审核，原因：${reason}"
	    "。请在订单查询中修改后重新提交或申请退款。" },
	[SMS_POSTED] = { "posted", "SMS_900005", { "order", "carrier", "tracking" },
	    "您的订单${order}的证书Key已由${carrier}寄出，运单号${tracking}。" },
	[SMS_FAILED] = { "failed", "SMS_900006", { "order" },
	    "您的订单${order}需要您处理，请登录订单查询页面查看。" },
	[SMS_REFUNDED] = { "refunded", "SMS_900007", { "order", "amount" },
	    "您的订单${order}已退款${amount}元，将原路退回。" },
	[SMS_QUERY] = { "query", "SMS_900008", { "code", "minutes" },
	    "您的订单查询验证码为${code}，${minutes}分钟内有效。请勿将验证码告诉他人。" },
	[SMS_ACCOUNT] = { "account", "SMS_900009", { "order" },
	    "您的订单${order}已审核通过，证书密码见我方汇入贵单位对公账户0.01元的附言。" },
	[SMS_DOWNLOAD] = { "download", "SMS_900010", { "order" },
	    "您的订单${order}已审核通过，请插入证书Key，在订单查询中下载证书。" },
	[SMS_RENEWED] = { "renewed", "SMS_900011", { "order" },
	    "您的订单${order}已完成，更新后的证书已写入证书Key。" },
	[SMS_CHANGED] = { "changed", "SMS_900012", { "order" },
	    "您的订单${order}已完成，变更后的证书已写入证书Key，原证书已注销。" },
	[SMS_REPLACED] = { "replaced", "SMS_900013", { "order" },
	    "您的补办订单${order}已审核通过，原证书已注销，新的证书Key制作完成后将寄出。" },
	[SMS_UNLOCK] = { "unlock", "SMS_900014", { "code", "minutes" },
	    "您的证书解锁码为${code}，${minutes}分钟内有效。请勿将解锁码告诉他人。" },
	[SMS_AUTHORISATION] = { "authorisation", "SMS_900015", { "code" },
	    "您的解锁授权码为${code}，7天内有效。请勿将授权码告诉他人。" },
	[SMS_AUTHORISED] = { "authorised", "SMS_900016", { "order" },
	    "您的订单${order}身份验证已通过，解锁授权码见我方汇入贵单位对公账户0.01元的附言。" },
	[SMS_UNLOCKED] = { "unlocked", "SMS_900017", { "order" },
	    "您的证书Key已解锁（订单${order}）。如非本人操作，请立即挂失证书。" },
	[SMS_SUSPENDED] = { "suspended", "SMS_900018", { "order" },
	    "您的证书（订单${order}）已挂失。如非本人操作，请联系我们。" },
	[SMS_RESUMED] = { "resumed", "SMS_900020", { "order" },
	    "您的证书（订单${order}）已解除挂失，可以使用。如非本人操作，请立即联系我们。" },
	[SMS_EXPIRING] = { "expiring", "SMS_900019", { "order", "day", "days" },
	    "您的数字证书（订单${order}）将于${day}到期，剩余不足${days}天，"
	    "请插入证书Key在线办理证书更新。" },
};
static_assert(sizeof(rows) / sizeof(rows[0]) == SMS_TEMPLATE__MAX, "one row per template");

const struct sms_template_row *
sms_template_row(enum sms_template t)
{
	return (unsigned)t < SMS_TEMPLATE__MAX ? &rows[t] : NULL;
}

const struct sms_template_row *
sms_template_by_code(const char *code)
{
	for (size_t i = 0; i < SMS_TEMPLATE__MAX; i++)
		if (strcmp(rows[i].code, code) == 0)
			return &rows[i];
	return NULL;
}

const char *
sms_template_name(enum sms_template t)
{
	const struct sms_template_row *row = sms_template_row(t);

	return row != NULL ? row->name : "";
}
