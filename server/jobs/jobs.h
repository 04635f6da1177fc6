/*
 * What the server does in the outside world.  A job is a row that an order's event wrote in its own
 * transaction; a worker claims it for a while, runs it outside any transaction, and reports back as
 * an event.  A worker that dies loses its claim and the job runs again, so every job is safe to run
 * twice: what it hands to the outside carries a number that is ours and stays the same.
 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "store/crypt.h"
#include "store/store.h"
#include "uk/clock.h"
#include "uk/log.h"
#include "uk/random.h"
#include "workflow/workflow.h"

struct authority;
struct km;
struct pay;
struct bank;
struct bank_result;
struct sms;
struct mail_setup;
struct ident;
struct jobs;

/* All are lent for as long as the jobs run; a job whose connector is NULL fails until it is given
 * up. */
struct jobs_setup {
	struct store *store;
	const struct workflow *workflow;
	const struct crypt *crypt;
	const struct uk_clock *clock;
	const struct uk_random *random;
	const struct uk_log *log;
	struct pay *pay;
	struct bank *bank;
	struct sms *sms;
	const struct mail_setup *mail; /* NULL: no e-mail is sent */
	struct ident *ident;
	const struct authority *authority;
	const char *origin;          /* of the pages, for links in e-mails */
	const struct km *km;         /* for SM2 keys, which get an encryption certificate, too */
	const char *bank_notify_url; /* where the bank posts a transfer's result */
	int threads;                 /* 0: none, the caller runs them (tests) */
};

UK_CHECK enum uk_rc jobs_open(
    const struct jobs_setup *setup, struct jobs **out, struct uk_err *err);
/* Waits for the jobs that run. */
void jobs_close(struct jobs **j);

/* Something may be due: look now.  jobs_open() already hears of every commit of the store. */
void jobs_wake(struct jobs *j);

/* Runs what is due now, on the caller's thread, until nothing is; *ran may be NULL.  For tests. */
UK_CHECK enum uk_rc jobs_run_due(struct jobs *j, int *ran, struct uk_err *err);

/*
 * Asks the provider about one payment and sends the event that follows, on the caller's thread:
 * what a notification and the page's "check" do.  UK_OK also when nothing is paid yet.
 */
UK_CHECK enum uk_rc jobs_payment_check(struct jobs *j, const char *payment, struct uk_err *err);

/* The bank's word about a transfer (its number is ours), verified by the caller. */
UK_CHECK enum uk_rc jobs_transfer_result(
    struct jobs *j, const struct bank_result *result, struct uk_err *err);

/*
 * The user PIN of the order's current password row, unsealed, for the production ticket.
 * UK_E_NOT_FOUND when it was erased or never made.
 */
UK_CHECK enum uk_rc jobs_password_load(struct store_tx *tx, const struct crypt *crypt,
    const struct order *o, struct uk_secret **out, struct uk_err *err);

#endif
