/* The rows by which the workflow asks for work: jobs for the workers, tasks for the staff. */
#ifndef WORKFLOW_JOB_H
#define WORKFLOW_JOB_H

#include "store/store.h"

struct job_new {
	const char *kind;
	const char *key;   /* the same work is the same key */
	const char *order; /* NULL: none */
	const char *args;  /* a JSON object, no secrets in it; NULL: {} */
	int64_t due;       /* 0: now */
};

/* In a write.  A key that is there already changes nothing, whatever became of the job. */
UK_CHECK enum uk_rc job_put(
    struct store_tx *tx, const struct job_new *job, int64_t now, struct uk_err *err);

struct task_new {
	const char *kind;
	const char *id;    /* the same trouble is the same task */
	const char *role;  /* whose desk */
	const char *order; /* NULL: none */
	const char *detail;
};

UK_CHECK enum uk_rc task_put(
    struct store_tx *tx, const struct task_new *task, int64_t now, struct uk_err *err);

#endif
