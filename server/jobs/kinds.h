/* The job table and what a job's function is given and gives back. */
#ifndef JOBS_KINDS_H
#define JOBS_KINDS_H

#include "jobs/jobs.h"
#include "uk/secret.h"
#include "workflow/certificate.h"

#define JOB_KEY_LEN  128
#define JOB_TEXT_LEN 65

struct jobs {
	struct jobs_setup s;
	struct jobs_pool *pool; /* worker.c's; NULL without threads */
};

/* A claimed row. */
struct job {
	char key[JOB_KEY_LEN];
	char order[ORDER_ID_LEN];
	char lease[JOB_TEXT_LEN];
	char payment[ORDER_REF_LEN];
	char template[JOB_TEXT_LEN];
	int64_t n;
	int64_t tries; /* this one included, since it last got on */
	int64_t runs;  /* this one included */
	const struct job_kind *kind;
};

enum job_end {
	JOB_DONE,
	JOB_LATER,   /* the world has not finished; not a failure */
	JOB_RETRY,   /* failed; again until the tries are used up */
	JOB_REFUSED, /* will never do */
};

/* What a run says; all strings are its own. */
struct job_report {
	enum job_end end;
	char reason[ORDER_REASON_LEN];
	int64_t after; /* JOB_LATER: seconds */
	struct uk_err err;

	/* the event to send, if any */
	bool has_event;
	enum order_event on;
	char event_id[JOB_TEXT_LEN];
	char payment[ORDER_REF_LEN];
	char trade[JOB_TEXT_LEN];
	int64_t amount;
	int64_t at;
	int64_t n;

	/* a row to write together with it, if any */
	enum uk_rc (*also)(struct jobs *, struct store_tx *, const struct job *,
	    const struct job_report *, struct uk_err *);
	char text[256]; /* for `also` */
	json_t *json;   /* for `also`; owned */
};

#define JOB_LEASE_MAX 300

struct job_kind {
	const char *name;
	/* On a worker, outside any transaction; may block. */
	void (*run)(struct jobs *, const struct job *, struct job_report *);
	/*
	 * Seconds until another worker takes it for dead: longer than any run.  Calls to the
	 * outside have deadlines of some seconds each; what is done inside takes a moment, and
	 * somebody waits for a certificate.
	 */
	int64_t lease;
	int tries;         /* 0: never given up; the staff are told all the same */
	int64_t delay;     /* seconds after the first failure; doubles */
	int64_t delay_max; /* up to this */
	/* What the order hears when it is given up; NULL: nothing, only a task for the staff. */
	void (*give_up)(const struct job *, struct job_report *);
};

/* NULL for an unknown name. */
const struct job_kind *job_kind_get(const char *name);

/* Seconds to wait after the n-th failure in a row. */
int64_t job_delay(const struct job_kind *k, int64_t n);

/* Runs one claimed job and stores what came of it. */
void job_run(struct jobs *j, const struct job *job);

/* Ways to fill a report. */
void job_event(struct job_report *r, enum order_event on, const char *id_format, ...)
    __attribute__((format(printf, 3, 4)));
void job_retry(struct job_report *r, const char *reason, const struct uk_err *err);
void job_refuse(struct job_report *r, const char *reason, const struct uk_err *err);
void job_later(struct job_report *r, const char *reason, int64_t after);
/* Retry or refuse, by what kind of failure it is. */
void job_failed(struct job_report *r, enum uk_rc rc, const struct uk_err *err);

/* The order as it is now; false (and the report filled in) when it can't be read. */
bool job_order(struct jobs *j, const struct job *job, struct order *out, struct job_report *r);

/* The payment's row. */
struct payment {
	char id[ORDER_REF_LEN];
	char order[ORDER_ID_LEN];
	char status[16];
	int64_t amount;
	int64_t expires_at;
	int64_t paid_amount;
	char refund_id[JOB_TEXT_LEN];
	char method[16];
};
UK_CHECK enum uk_rc payment_load(
    struct jobs *j, const char *id, struct payment *out, struct uk_err *err);

void run_identity_check(struct jobs *j, const struct job *job, struct job_report *r);
void give_up_identity_check(const struct job *job, struct job_report *r);
void run_sms_send(struct jobs *j, const struct job *job, struct job_report *r);
void run_mail_send(struct jobs *j, const struct job *job, struct job_report *r);
void run_reminders(struct jobs *j, const struct job *job, struct job_report *r);
void run_payment_query(struct jobs *j, const struct job *job, struct job_report *r);
void run_payment_close(struct jobs *j, const struct job *job, struct job_report *r);
void run_refund(struct jobs *j, const struct job *job, struct job_report *r);
void run_pin_deliver(struct jobs *j, const struct job *job, struct job_report *r);
void run_issue(struct jobs *j, const struct job *job, struct job_report *r);
void run_revoke(struct jobs *j, const struct job *job, struct job_report *r);
void run_revoke_old(struct jobs *j, const struct job *job, struct job_report *r);
void run_crl(struct jobs *j, const struct job *job, struct job_report *r);

/* What a job's certificate is known by: the same however often it runs.  `which` tells the
 * certificates of one request apart: "", "/e". */
void issue_intent(const struct job *job, const char *which, char intent[CERTIFICATE_INTENT_LEN]);

/* Six digits nobody guesses first. */
struct uk_secret *pin_make(const struct uk_random *random);

#endif
