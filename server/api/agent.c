#include <openssl/crypto.h>
#include <stdio.h>

#include "api/agent.h"
#include "api/answer.h"
#include "api/code.h"
#include "api/numbers.h"

enum uk_rc
agent_phone(
    const struct order *o, const json_t *form, char out[AGENT_PHONE_LEN], struct uk_err *err)
{
	const char *s = json_string_value(json_object_get(form, order_kind_get(o->kind)->phone));

	if (s == NULL || !number_phone(s))
		return uk_fail(err, UK_E_INTEGRITY, NULL, "agent-phone", 0);
	(void)snprintf(out, AGENT_PHONE_LEN, "%s", s);
	return UK_OK;
}

static bool
holder_signs(const struct order *o)
{
	return (o->needs & NEED_MATCH) != 0 && (o->needs & NEED_REVIEW) == 0 &&
	       o->identity_status == IDENTITY_PASSED;
}

enum uk_rc
agent_signer(const struct api *a, struct store_tx *tx, const struct order *o, const json_t *form,
    char out[AGENT_PHONE_LEN], struct uk_err *err)
{
	json_t *proved = NULL;
	const char *s;
	enum uk_rc rc;

	if (!holder_signs(o))
		return agent_phone(o, form, out, err);
	rc = order_check_load(tx, a->crypt, o->id, o->identity_checks, &proved, err);
	if (rc != UK_OK)
		return rc;
	s = json_string_value(json_object_get(proved, "phone"));
	if (s != NULL && number_phone(s))
		(void)snprintf(out, AGENT_PHONE_LEN, "%s", s);
	else
		rc = uk_fail(err, UK_E_INTEGRITY, NULL, "proved-phone", 0);
	uk_json_wipe(proved);
	json_decref(proved);
	return rc;
}

struct asking {
	const struct api *a;
	const struct agent_code *what;
	struct event ev;
	const char *address;
	char phone[AGENT_PHONE_LEN];
	char code[CODE_LEN + 1];
	int64_t retry_after;
};

static bool
allowed(const struct asking *s, const struct order *o)
{
	return workflow_allows(o, s->what->on, s->ev.by, s->ev.actor, api_now(s->a)) &&
	       (s->what->allowed == NULL || s->what->allowed(o));
}

static enum uk_rc
make_code(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct asking *s = ctx;
	const struct api *a = s->a;
	char index[CRYPT_INDEX_LEN];
	json_t *form = NULL;
	struct order o;
	enum uk_rc rc;

	if ((rc = order_load(tx, s->ev.order, &o, err)) != UK_OK)
		return rc;
	if (!allowed(s, &o))
		return uk_fail(err, UK_E_CONFLICT, NULL, s->what->purpose, 0);
	if ((rc = order_form_load(tx, a->crypt, o.id, &form, err)) != UK_OK)
		return rc;
	rc = agent_signer(a, tx, &o, form, s->phone, err);
	json_decref(form);
	if (rc != UK_OK)
		return rc;
	crypt_index_str(a->crypt, CRYPT_INDEX_PHONE, s->phone, index);
	return code_make(a, tx,
	    &(struct code_slot){ .purpose = s->what->purpose,
		.subject = s->ev.order,
		.phone_index = index,
		.address = s->address },
	    s->code, &s->retry_after, err);
}

static enum uk_rc
drop_code(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct asking *s = ctx;

	return code_drop(tx, s->what->purpose, s->ev.order, err);
}

static enum uk_rc
send_code(struct asking *s, struct uk_err *err)
{
	const struct sms_pair pairs[] = { { "code", s->code }, { "minutes", "5" } };
	struct sms_result result = { 0 };
	enum uk_rc rc = UK_E_UNAVAILABLE;

	if (s->a->sms != NULL)
		rc = sms_send(s->a->sms, s->phone, s->what->template, pairs, 2, NULL, &result, err);
	if (rc == UK_OK && result.outcome == SMS_SENT)
		return UK_OK;
	uk_log(s->a->log, UK_LOG_WARN, "agent.code", UK_LS("order", s->ev.order),
	    UK_LS("error", result.error), UK_LS("rc", uk_rc_name(rc)));
	if ((rc = store_write_wait(s->a->store, drop_code, s, err)) != UK_OK)
		return rc;
	return uk_fail(err, UK_E_UNAVAILABLE, "sms-unavailable", s->what->purpose, 0);
}

enum uk_rc
agent_code_answer(
    const struct api *a, struct http_request *rq, const struct agent_code *what, struct uk_err *err)
{
	struct asking s = {
		.a = a, .what = what, .ev = { .on = what->on }, .address = http_remote(rq)
	};
	char masked[NUMBER_MASK_LEN];
	json_t *answer;
	enum uk_rc rc;

	event_from(rq, &s.ev);
	rc = store_write_wait(a->store, make_code, &s, err);
	if (rc == UK_E_RATE)
		http_retry_after(rq, (unsigned)s.retry_after);
	if (rc == UK_OK)
		rc = send_code(&s, err);
	if (rc == UK_OK) {
		number_phone_mask(s.phone, masked);
		answer = json_pack("{s:s, s:i, s:i}", "sentTo", masked, "expiresIn", CODE_LIFE,
		    "resendAfter", CODE_RESEND_AFTER);
		http_answer_json(rq, 200, answer);
		json_decref(answer);
	}
	OPENSSL_cleanse(s.code, sizeof(s.code));
	return rc;
}
