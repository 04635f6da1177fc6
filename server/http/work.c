#include "http/internal.h"
#include "http/work.h"

bool
http_work_is_upload(const struct http_request *rq)
{
	return rq->route->limit > HTTP_BODY_DEFAULT;
}

static enum uk_rc
gate(struct http_request *rq, struct uk_err *err)
{
	const struct httpd_config *cfg = rq->cfg;

	return cfg->gate != NULL ? cfg->gate(cfg->app, rq, rq->route->who, err) : UK_OK;
}

void
http_work_gate(void *arg)
{
	struct http_request *rq = arg;
	struct http_request *responder = rq;
	struct uk_err err = { 0 };
	enum uk_rc rc = gate(rq, &err);

	if (rc == UK_OK) {
		http_request_wake(rq);
		http_request_unref(&responder);
	} else {
		err.rc = rc;
		http_answer_err(rq, &err);
	}
	http_request_unref(&rq);
}

void
http_work_handle(void *arg)
{
	struct http_request *rq = arg;
	struct uk_err err = { 0 };
	enum uk_rc rc = UK_OK;

	if (atomic_load(&rq->answer) != NULL) /* too late before it began */
		rc = UK_E_TIMEOUT;
	if (rc == UK_OK && !http_work_is_upload(rq))
		rc = gate(rq, &err);
	if (rc == UK_OK)
		rc = http_request_read(rq, &err);
	if (rc == UK_OK)
		rc = rq->route->handler(rq->cfg->app, rq, &err);
	if (rc != UK_OK && rq->given) {
		uk_log(
		    rq->log, UK_LOG_ERROR, "http.answered-twice", UK_LS("path", rq->route->path));
	} else if (rc != UK_OK) {
		err.rc = rc;
		http_answer_err(rq, &err);
	}
	http_request_unref(&rq);
}
