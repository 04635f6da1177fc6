#include "workflow/job.h"

static const char * or (const char *s, const char *other)
{
	return s != NULL ? s : other;
}

enum uk_rc
job_put(struct store_tx *tx, const struct job_new *job, int64_t now, struct uk_err *err)
{
	return store_run(tx, SQL_JOB_PUT,
	    STORE_ARGS(DB_T(job->key), DB_T(job->kind), DB_T(or (job->order, "")),
		DB_T(or (job->args, "{}")), DB_I(job->due != 0 ? job->due : now), DB_I(now)),
	    NULL, err);
}

enum uk_rc
task_put(struct store_tx *tx, const struct task_new *task, int64_t now, struct uk_err *err)
{
	return store_run(tx, SQL_TASK_PUT,
	    STORE_ARGS(DB_T(task->id), DB_T(task->kind), DB_T(task->role),
		DB_T(or (task->order, "")), DB_T(or (task->detail, "")), DB_I(now)),
	    NULL, err);
}
