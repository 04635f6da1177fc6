#include "api/handlers.h"
#include "jobs/jobs.h"
#include "pay/bank.h"
#include "pay/pay.h"

/*
 * A notification is a hint: what it says is asked of the gateway, and only the answer counts.
 * "success" once that is stored; anything else makes Alipay come again.
 */
static enum uk_rc
take_alipay(const struct api *a, struct uk_span body, struct uk_err *err)
{
	struct pay_event event;
	enum uk_rc rc;

	if (a->pay == NULL)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "notify-alipay", 0);
	if ((rc = pay_notify(a->pay, body, &event, err)) != UK_OK)
		return rc;
	return jobs_payment_check(a->jobs, event.out_trade_no, err);
}

enum uk_rc
notify_alipay(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const enum uk_rc rc = take_alipay(a, http_body(rq), err);

	if (rc != UK_OK)
		uk_log_err(a->log, UK_LOG_WARN, "notify.alipay", err);
	http_answer_text(rq, 200, "text/plain", rc == UK_OK ? "success" : "fail");
	return UK_OK;
}

enum uk_rc
notify_bank(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct bank_result result;
	json_t *answer;
	enum uk_rc rc;

	if (a->bank == NULL)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "notify-bank", 0);
	rc = bank_notify(
	    a->bank, http_header(rq, BANK_SIGNATURE_HEADER), http_body(rq), &result, err);
	if (rc == UK_E_INTEGRITY)
		return uk_fail(err, UK_E_UNAUTHORIZED, "signature-wrong", "notify-bank", 0);
	if (rc != UK_OK || (rc = jobs_transfer_result(a->jobs, &result, err)) != UK_OK)
		return rc;
	answer = json_object();
	http_answer_json(rq, 200, answer);
	json_decref(answer);
	return UK_OK;
}
