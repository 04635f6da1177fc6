#include <stdio.h>
#include <string.h>

#include "jobs/kinds.h"
#include "notify/mail.h"
#include "workflow/certificate.h"

/* What a message may need to say. */
struct facts {
	struct jobs *j;
	const struct job *job;
	struct order order;
	char phone[32];
	char email[256];
	char name[256];        /* the certificate's holder */
	char day[UK_TIME_LEN]; /* its last one, Beijing */
	char days[24];
	char site[512];
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

static void
copy_member(const json_t *form, const char *member, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(form, member));

	(void)snprintf(out, size, "%s", s != NULL ? s : "");
}

static enum uk_rc
load_form(struct store_tx *tx, struct facts *f, struct uk_err *err)
{
	const struct order_kind_row *kind = order_kind_get(f->order.kind);
	json_t *form = NULL;
	const enum uk_rc rc = order_form_load(tx, f->j->s.crypt, f->order.id, &form, err);

	if (rc != UK_OK)
		return rc;
	copy_member(form, kind->phone, f->phone, sizeof(f->phone));
	copy_member(form, kind->email, f->email, sizeof(f->email));
	copy_member(form, kind->holder, f->name, sizeof(f->name));
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
load_end(struct store_tx *tx, struct facts *f, struct uk_err *err)
{
	struct certificate_list list;
	const struct certificate *c;
	const enum uk_rc rc = certificates_of_order(tx, f->order.id, &list, err);

	if (rc != UK_OK)
		return rc;
	if ((c = certificate_current(&list)) != NULL) {
		uk_time_beijing(c->not_after, f->day);
		f->day[strlen("2026-11-22")] = '\0';
	}
	certificate_list_fini(&list);
	(void)snprintf(f->days, sizeof(f->days), "%lld", (long long)f->job->n);
	return UK_OK;
}

static enum uk_rc
load_facts(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct facts *f = ctx;
	enum uk_rc rc = load_form(tx, f, err);

	if (rc == UK_OK)
		rc = load_shipment(tx, f, err);
	if (rc == UK_OK)
		rc = load_amount(tx, f, err);
	if (rc == UK_OK)
		rc = load_end(tx, f, err);
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
	{ "expiring", SMS_EXPIRING, { "day", "days" } },
	{ "download", SMS_DOWNLOAD, { NULL, NULL } },
	{ "renewed", SMS_RENEWED, { NULL, NULL } },
	{ "changed", SMS_CHANGED, { NULL, NULL } },
	{ "replaced", SMS_REPLACED, { NULL, NULL } },
	{ "authorised", SMS_AUTHORISED, { NULL, NULL } },
	{ "unlocked", SMS_UNLOCKED, { NULL, NULL } },
	{ "suspended", SMS_SUSPENDED, { NULL, NULL } },
	{ "resumed", SMS_RESUMED, { NULL, NULL } },
};

static const char *
value_of(const struct facts *f, const char *name)
{
	const struct {
		const char *name;
		const char *value;
	} values[] = {
		{ "order", f->order.id },
		{ "reason", reason_words(f) },
		{ "carrier", f->carrier },
		{ "tracking", f->tracking },
		{ "amount", f->amount },
		{ "name", f->name },
		{ "day", f->day },
		{ "days", f->days },
		{ "site", f->site },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	return "";
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

static bool
open_facts(struct jobs *j, struct facts *f, struct job_report *r)
{
	struct uk_err err = { 0 };
	enum uk_rc rc;

	if (!job_order(j, f->job, &f->order, r))
		return false;
	rc = store_read(j->s.store, load_facts, f, &err);
	if (rc != UK_OK)
		job_failed(r, rc, &err);
	return rc == UK_OK;
}

static void
close_facts(struct facts *f)
{
	explicit_bzero(f->phone, sizeof(f->phone));
	explicit_bzero(f->email, sizeof(f->email));
	explicit_bzero(f->name, sizeof(f->name));
}

static void
report(
    struct job_report *r, enum uk_rc rc, const struct sms_result *result, const struct uk_err *err)
{
	if (rc != UK_OK)
		job_failed(r, rc, err);
	else if (result->outcome == SMS_RETRY)
		job_retry(r, result->error, &result->err);
	else if (result->outcome == SMS_REFUSED)
		job_refuse(r, result->error, &result->err);
}

void
run_sms_send(struct jobs *j, const struct job *job, struct job_report *r)
{
	const struct message *m = find(job->template);
	struct facts f = { .j = j, .job = job };
	struct sms_result result = { 0 };
	struct uk_err err = { 0 };

	if (m == NULL) {
		job_refuse(r, "template-unknown", NULL);
		return;
	}
	if (open_facts(j, &f, r))
		report(r, send(&f, m, &result, &err), &result, &err);
	close_facts(&f);
}

/* --- e-mail --- */

static enum mail_template
find_mail(const char *name)
{
	int t = 0;

	while (t < MAIL_TEMPLATE__MAX &&
	       strcmp(mail_template_row((enum mail_template)t)->name, name) != 0)
		t++;
	return (enum mail_template)t;
}

/* Where the reader goes on: what ends soon is renewed, all else is found by the order query. */
static void
set_site(struct facts *f, enum mail_template t)
{
	(void)snprintf(f->site, sizeof(f->site), "%s%s", f->j->s.origin,
	    t == MAIL_EXPIRING ? "/renewal" : "/query");
}

static enum uk_rc
send_mail(const struct facts *f, enum mail_template t, struct sms_result *out, struct uk_err *err)
{
	const struct mail_template_row *row = mail_template_row(t);
	struct sms_pair pairs[MAIL_VARS_MAX];
	char id[JOB_KEY_LEN];
	size_t n = 0;

	for (; row->vars[n] != NULL; n++)
		pairs[n] = (struct sms_pair){ row->vars[n], value_of(f, row->vars[n]) };
	(void)snprintf(id, sizeof(id), "%s", f->job->key);
	for (char *p = id; *p != '\0'; p++)
		if (*p == '/')
			*p = '.';
	return mail_send(f->j->s.mail, f->email, id, t, pairs, n, out, err);
}

/* Without a mail server, or an address, there is nothing to send: a message went to the phone. */
void
run_mail_send(struct jobs *j, const struct job *job, struct job_report *r)
{
	const enum mail_template t = find_mail(job->template);
	struct facts f = { .j = j, .job = job };
	struct sms_result result = { 0 };
	struct uk_err err = { 0 };

	if (t == MAIL_TEMPLATE__MAX) {
		job_refuse(r, "template-unknown", NULL);
		return;
	}
	if (j->s.mail == NULL || !open_facts(j, &f, r))
		return;
	set_site(&f, t);
	if (f.email[0] != '\0')
		report(r, send_mail(&f, t, &result, &err), &result, &err);
	close_facts(&f);
}
