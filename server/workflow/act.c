#include <stdio.h>
#include <string.h>

#include "workflow/act.h"

const char *
act_text(const char *s)
{
	return s != NULL ? s : "";
}

void
act_set(char *to, size_t size, const char *s)
{
	(void)snprintf(to, size, "%s", act_text(s));
}

/* A statement that must change exactly one row. */
enum uk_rc
act_one(
    const struct act *a, enum sql_id id, const struct db_value *args, size_t n, struct uk_err *err)
{
	int64_t changed = 0;
	const enum uk_rc rc = a->sink->run(a->sink->ctx, id, args, n, &changed, err);

	if (rc == UK_OK && changed != 1)
		return uk_fail(err, UK_E_CONFLICT, "payment-state", "action", (long)id);
	return rc;
}

static enum uk_rc
job(const struct act *a, const char *kind, const char *key, const char *args, int64_t due,
    struct uk_err *err)
{
	return ACT_SEND(a, SQL_JOB_PUT, DB_T(key), DB_T(kind), DB_T(a->o->id), DB_T(args),
	    DB_I(due), DB_I(a->ev->now));
}

/* A job about the n-th of something of this order. */
enum uk_rc
act_job_n(const struct act *a, const char *kind, int64_t n, struct uk_err *err)
{
	char key[ACT_KEY_LEN];
	char args[ACT_KEY_LEN];

	(void)snprintf(key, sizeof(key), "%s/%s/%lld", kind, a->o->id, (long long)n);
	(void)snprintf(args, sizeof(args), "{\"n\":%lld}", (long long)n);
	return job(a, kind, key, args, a->ev->now, err);
}

/* A job about one payment. */
enum uk_rc
act_job_payment(
    const struct act *a, const char *kind, const char *payment, int64_t due, struct uk_err *err)
{
	char key[ACT_KEY_LEN];
	char args[ACT_KEY_LEN];

	(void)snprintf(key, sizeof(key), "%s/%s", kind, payment);
	(void)snprintf(args, sizeof(args), "{\"payment\":\"%s\"}", payment);
	return job(a, kind, key, args, due, err);
}

/* A message to the agent; what it says beside the order is looked up when it is sent. */
enum uk_rc
act_tell(const struct act *a, const char *template, struct uk_err *err)
{
	char key[ACT_KEY_LEN];
	char args[ACT_KEY_LEN];

	(void)snprintf(key, sizeof(key), "sms-send/%s/%s/%lld", template, a->o->id,
	    (long long)a->o->version + 1);
	(void)snprintf(args, sizeof(args), "{\"template\":\"%s\",\"payment\":\"%s\"}", template,
	    act_text(a->ev->payment));
	return job(a, "sms-send", key, args, a->ev->now, err);
}

/* [C9] The end of a replacement's review is told by e-mail, too. */
enum uk_rc
act_tell_result(const struct act *a, const char *template, struct uk_err *err)
{
	const enum uk_rc rc = act_tell(a, template, err);
	char key[ACT_KEY_LEN];
	char args[ACT_KEY_LEN];

	if (rc != UK_OK || order_kind_get(a->o->kind)->flow != FLOW_REPLACEMENT)
		return rc;
	(void)snprintf(key, sizeof(key), "mail-send/%s/%s/%lld", template, a->o->id,
	    (long long)a->o->version + 1);
	(void)snprintf(args, sizeof(args), "{\"template\":\"%s\"}", template);
	return job(a, "mail-send", key, args, a->ev->now, err);
}

enum uk_rc
act_task(const struct act *a, const char *kind, const char *about, const char *role,
    const char *detail, struct uk_err *err)
{
	char id[ACT_KEY_LEN];

	(void)snprintf(id, sizeof(id), "%s/%s", kind, about);
	return ACT_SEND(a, SQL_TASK_PUT, DB_T(id), DB_T(kind), DB_T(role), DB_T(a->o->id),
	    DB_T(act_text(detail)), DB_I(a->ev->now));
}
