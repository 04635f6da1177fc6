#include <stdio.h>
#include <string.h>

#include "jobs/kinds.h"
#include "notify/notify.h"

/* What a message may need to say. */
struct facts {
	struct jobs *j;
	const struct job *job;
	struct order order;
	char phone[32];
	char carrier[64];
	char tracking[64];
	char amount[32]; /* yuan */
};

struct words {
	const char *reason;
	const char *text;
};

static const struct words reasons[] = {
	{ "document-unclear", "证件照片不清晰" },
	{ "document-mismatch", "证件与填写的信息不一致" },
	{ "data-mismatch", "填写的信息有误" },
};

static const char *
reason_words(const struct facts *f)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].reason, f->order.review_reason) == 0)
			return reasons[i].text;
	return "详见订单查询";
}

static enum uk_rc
load_phone(struct store_tx *tx, struct facts *f, struct uk_err *err)
{
	const struct order_kind_row *kind = order_kind_get(f->order.kind);
	json_t *form = NULL;
	const char *phone;
	const enum uk_rc rc = order_form_load(tx, f->j->s.crypt, f->order.id, &form, err);

	if (rc != UK_OK)
		return rc;
	phone = json_string_value(json_object_get(form, kind->phone));
	(void)snprintf(f->phone, sizeof(f->phone), "%s", phone != NULL ? phone : "");
	uk_json_wipe(form);
	json_decref(form);
	return UK_OK;
}

static enum uk_rc
load_shipment(struct store_tx *tx, struct facts *f, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_SHIPMENT_GET, STORE_ARGS(DB_T(f->order.id)));

	if (store_next(rows)) {
		(void)snprintf(f->carrier, sizeof(f->carrier), "%s", store_text(rows, 0));
		(void)snprintf(f->tracking, sizeof(f->tracking), "%s", store_text(rows, 1));
	}
	return store_end(rows, err);
}

static enum uk_rc
load_amount(struct store_tx *tx, struct facts *f, struct uk_err *err)
{
	struct store_rows *rows =
	    store_query(tx, SQL_PAYMENT_GET, STORE_ARGS(DB_T(f->job->payment)));

	if (store_next(rows)) {
		const int64_t fen = store_int(rows, 6);

		(void)snprintf(f->amount, sizeof(f->amount), "%lld.%02lld", (long long)fen / 100,
		    (long long)fen % 100);
	}
	return store_end(rows, err);
}

static enum uk_rc
load_facts(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct facts *f = ctx;
	enum uk_rc rc = load_phone(tx, f, err);

	if (rc == UK_OK)
		rc = load_shipment(tx, f, err);
	if (rc == UK_OK)
		rc = load_amount(tx, f, err);
	return rc;
}

/* Which pairs a template has; the order's number is the first of them all. */
struct message {
	const char *name;
	enum sms_template template;
	const char *more[2];
};

static const struct message messages[] = {
	{ "approved", SMS_APPROVED, { NULL, NULL } },
	{ "rejected", SMS_REJECTED, { "reason", NULL } },
	{ "posted", SMS_POSTED, { "carrier", "tracking" } },
	{ "failed", SMS_FAILED, { NULL, NULL } },
	{ "refunded", SMS_REFUNDED, { "amount", NULL } },
	{ "account", SMS_ACCOUNT, { NULL, NULL } },
	{ "download", SMS_DOWNLOAD, { NULL, NULL } },
	{ "renewed", SMS_RENEWED, { NULL, NULL } },
	{ "changed", SMS_CHANGED, { NULL, NULL } },
	{ "replaced", SMS_REPLACED, { NULL, NULL } },
	{ "authorised", SMS_AUTHORISED, { NULL, NULL } },
	{ "unlocked", SMS_UNLOCKED, { NULL, NULL } },
	{ "suspended", SMS_SUSPENDED, { NULL, NULL } },
};

static const char *
value_of(const struct facts *f, const char *name)
{
	if (strcmp(name, "reason") == 0)
		return reason_words(f);
	if (strcmp(name, "carrier") == 0)
		return f->carrier;
	return strcmp(name, "tracking") == 0 ? f->tracking : f->amount;
}

static enum uk_rc
send(const struct facts *f, const struct message *m, struct sms_result *out, struct uk_err *err)
{
	struct sms_pair pairs[3] = { { "order", f->order.id } };
	size_t n = 1;

	if (f->j->s.sms == NULL)
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "sms-send", 0);
	for (size_t i = 0; i < 2 && m->more[i] != NULL; i++)
		pairs[n++] = (struct sms_pair){ m->more[i], value_of(f, m->more[i]) };
	return sms_send(f->j->s.sms, f->phone, m->template, pairs, n, f->order.id, out, err);
}

static const struct message *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (strcmp(messages[i].name, name) == 0)
			return &messages[i];
	return NULL;
}

void
run_sms_send(struct jobs *j, const struct job *job, struct job_report *r)
{
	const struct message *m = find(job->template);
	struct facts f = { .j = j, .job = job };
	struct sms_result result = { 0 };
	struct uk_err err = { 0 };
	enum uk_rc rc;

	if (m == NULL) {
		job_refuse(r, "template-unknown", NULL);
		return;
	}
	if (!job_order(j, job, &f.order, r))
		return;
	rc = store_read(j->s.store, load_facts, &f, &err);
	if (rc == UK_OK)
		rc = send(&f, m, &result, &err);
	explicit_bzero(f.phone, sizeof(f.phone));
	if (rc != UK_OK)
		job_failed(r, rc, &err);
	else if (result.outcome == SMS_RETRY)
		job_retry(r, result.error, &result.err);
	else if (result.outcome == SMS_REFUSED)
		job_refuse(r, result.error, &result.err);
}
