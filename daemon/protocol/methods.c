#include <string.h>

#include "protocol/methods.h"

#define SITE   NEEDS_SITE
#define PROMPT NEEDS_PROMPT
#define USE    (NEEDS_SITE | NEEDS_CONSENT | NEEDS_PIN)

/* What a site, or the user's own command line, can ask for; all of it. */
static const struct method methods[] = {
	/* name, params, needs, purpose, handler */
	{ "agent.hello", &params_none, 0, NULL, agent_hello },
	{ "agent.status", &params_none, 0, NULL, agent_status },
	{ "agent.channel", &params_channel, SITE, NULL, agent_channel },
	{ "site.request", &params_none, PROMPT, "允许该网站查看并使用UKEY", site_request },
	{ "site.list", &params_none, NEEDS_LOCAL, NULL, site_list },
	{ "site.revoke", &params_site, NEEDS_LOCAL, NULL, site_revoke },
	{ "token.list", &params_none, SITE, NULL, token_list },
	{ "token.watch", &params_none, SITE, NULL, token_watch },
	{ "token.login", &params_token, SITE | PROMPT | NEEDS_PIN, "登录UKEY", token_login },
	{ "token.logout", &params_token, SITE, NULL, token_logout },
	{ "token.prepare", &params_ticket, SITE | NEEDS_PRODUCTION, "制作UKEY", token_prepare },
	{ "certificate.list", &params_certificates, SITE, NULL, certificate_list },
	{ "certificate.install", &params_install, USE, "写入证书", certificate_install },
	{ "data.put", &params_data_put, SITE, NULL, data_put },
	{ "data.get", &params_data_get, SITE, NULL, data_get },
	{ "signature.create", &params_signature, USE, "签名", signature_create },
	{ "signature.batch", &params_batch, USE, "批量签名", signature_batch },
	{ "envelope.open", &params_envelope, USE, "解密", envelope_open },
	{ "login.create", &params_login, USE, "登录该网站", login_create },
	{ "key.generate", &params_key, USE, "生成密钥", key_generate },
	{ "request.create", &params_request, USE, "申请证书", request_create },
	{ "pin.change", &params_token, SITE | PROMPT | NEEDS_PIN, "修改证书密码", pin_change },
	{ "pin.unlock", &params_ticket, SITE | PROMPT, "解锁UKEY", pin_unlock },
};

const struct method *
method_find(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

struct code_row {
	const char *reason;
	int code;
};

/* JSON-RPC 2.0 section 5.1; all else is -32000 less the result code's number. */
static const struct code_row codes[] = {
	{ "json-malformed", -32700 },
	{ "json-too-deep", -32700 },
	{ "batch-refused", -32600 },
	{ "invalid-request", -32600 },
	{ "duplicate-id", -32600 },
	{ "unknown-method", -32601 },
};

static int
code_of(const struct uk_err *err)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(uk_err_reason(err), codes[i].reason) == 0)
			return codes[i].code;
	return err->rc == UK_E_INPUT ? -32602 : -32000 - (int)err->rc;
}

json_t *
rpc_error_json(const struct uk_err *err, int tries)
{
	json_t *data =
	    json_pack("{s:s, s:b}", "reason", uk_err_reason(err), "retry", uk_rc_retry(err->rc));

	if (err->field != NULL)
		json_object_set_new(data, "field", json_string(err->field));
	if (tries > 0)
		json_object_set_new(data, "triesLeft", json_integer(tries));
	else if (tries == TOKEN_TRIES_LOW)
		json_object_set_new(data, "triesLow", json_true());
	return json_pack(
	    "{s:i, s:s, s:o}", "code", code_of(err), "message", uk_rc_name(err->rc), "data", data);
}
