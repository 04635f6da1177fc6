#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "api/responder.h"
#include "api/sender.h"
#include "app/base.h"
#include "app/commands.h"
#include "app/connectors.h"
#include "app/keys.h"
#include "documents/photo.h"
#include "http/httpd.h"
#include "jobs/jobs.h"
#include "km/km.h"
#include "workflow/workflow.h"

#define JOB_THREADS      2
#define TIDY_EVERY       600 /* seconds */
#define RATES_KEPT       (2 * 86400)
#define CLOCK_FILE_TICKS 1
#define LARGE_BLOCK      (128 * 1024)

/* The helper's ports: see api/site.c. */
#define CONNECT_SRC                                                                                \
	"ws://127.0.0.1:21071 ws://127.0.0.1:21072 ws://127.0.0.1:21073 ws://127.0.0.1:21074 "     \
	"ws://127.0.0.1:21075"

/* Everything that runs; built from the bottom up, taken down from the top. */
struct app {
	struct base base;
	struct connectors connectors;
	struct uk_jwk *ticket;
	struct km *km;
	struct workflow workflow;
	char *bank_notify_url;
	struct jobs *jobs;
	struct sender *sender;
	struct responders *responders;
	struct photo_config photo;
	struct api api;
	struct httpd *httpd;
};

struct serve_options {
	const char *config;
};

static const struct uk_opt table[] = {
	{ "config", "FILE", offsetof(struct serve_options, config), "config.json" },
};

static enum uk_rc
open_jobs(struct app *app, struct uk_err *err)
{
	struct base *b = &app->base;

	app->workflow =
	    (struct workflow){ .clock = &b->clock, .random = &b->random, .crypt = b->crypt };
	app->bank_notify_url = keys_path(b->settings.origin, "notify/bank");
	return jobs_open(&(struct jobs_setup){ .store = b->store,
			     .workflow = &app->workflow,
			     .crypt = b->crypt,
			     .clock = &b->clock,
			     .random = &b->random,
			     .log = &b->log,
			     .pay = app->connectors.pay,
			     .bank = app->connectors.bank,
			     .sms = app->connectors.sms,
			     .mail = app->connectors.mail,
			     .ident = app->connectors.ident,
			     .authority = b->authority,
			     .origin = b->settings.origin,
			     .km = app->km,
			     .bank_notify_url = app->bank_notify_url,
			     .threads = JOB_THREADS },
	    &app->jobs, err);
}

static void
fill_api(struct app *app)
{
	struct base *b = &app->base;
	const struct settings *s = &b->settings;

	if (app->connectors.sms != NULL)
		app->sender = sender_new(app->connectors.sms, &b->log);
	app->responders = responders_new(&(struct responders_setup){ .store = b->store,
	    .crypt = b->crypt,
	    .authority = b->authority,
	    .random = &b->random,
	    .name = s->name });
	app->photo = (struct photo_config){ .program = app->connectors.photo_program };
	app->api = (struct api){ .store = b->store,
		.crypt = b->crypt,
		.workflow = &app->workflow,
		.jobs = app->jobs,
		.pay = app->connectors.pay,
		.bank = app->connectors.bank,
		.sms = app->connectors.sms,
		.sender = app->sender,
		.photo = &app->photo,
		.clock = &b->clock,
		.random = &b->random,
		.log = &b->log,
		.root = authority_root(b->authority),
		.issuer = authority_issuer(b->authority),
		.responders = app->responders,
		.ticket = app->ticket,
		.origin = s->origin,
		.device_auth = s->device_auth_secret,
		.name = s->name,
		.service_phone = s->service_phone,
		.development = s->development,
		.prices = { [KIND_UNIT_NEW] = s->price_unit_new,
		    [KIND_PERSON_NEW] = s->price_person_new,
		    [KIND_UNIT_RENEWAL] = s->price_unit_renewal,
		    [KIND_PERSON_RENEWAL] = s->price_person_renewal,
		    [KIND_UNIT_REPLACEMENT] = s->price_unit_replacement,
		    [KIND_PERSON_REPLACEMENT] = s->price_person_replacement },
		.remittance_account = s->remittance_account,
		.remittance_bank = s->remittance_bank,
		.remittance_name = *s->remittance_name != '\0' ? s->remittance_name : s->name,
		.staff_idle = s->staff_idle,
		.staff_session = s->staff_session };
}

static enum uk_rc
open_httpd(struct app *app, struct uk_err *err)
{
	const struct base *b = &app->base;
	struct httpd_config cfg = { .listen = b->settings.listen,
		.origin = b->settings.origin,
		.proxied = b->settings.proxied,
		.gate = api_gate,
		.app = &app->api,
		.pages = *b->settings.portal != '\0' ? b->settings.portal : NULL,
		.connect_src = CONNECT_SRC,
		.workers = (unsigned)b->settings.workers,
		.log = &b->log,
		.clock = &b->clock,
		.random = &b->random };

	cfg.routes = api_routes(&cfg.n_routes);
	return httpd_open(&cfg, &app->httpd, err);
}

/* First the requests, then what they and the jobs use. */
static void
close_app(struct app *app)
{
	httpd_close(&app->httpd);
	jobs_close(&app->jobs);
	responders_free(&app->responders);
	sender_free(&app->sender);
	connectors_close(&app->connectors);
	uk_jwk_free(&app->ticket);
	km_close(&app->km);
	free(app->bank_notify_url);
	base_close(&app->base);
}

static enum uk_rc
open_app(struct app *app, const char *config, struct uk_err *err)
{
	enum uk_rc rc;

	if ((rc = base_open(&app->base, config, err)) != UK_OK)
		return rc;
	if ((rc = keys_ticket_read(app->base.settings.ca_dir, &app->ticket, err)) == UK_OK &&
	    (rc = km_open(app->base.settings.km_key, &app->base.random, &app->km, err)) == UK_OK &&
	    (rc = connectors_open(&app->connectors, &app->base, err)) == UK_OK &&
	    (rc = open_jobs(app, err)) == UK_OK) {
		fill_api(app);
		rc = open_httpd(app, err);
	}
	if (rc != UK_OK)
		close_app(app);
	return rc;
}

static enum uk_rc
tidy(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	static const enum sql_id expire[] = { SQL_SESSIONS_EXPIRE, SQL_CHALLENGES_EXPIRE,
		SQL_CODES_EXPIRE };
	const struct base *b = ctx;
	const int64_t now = uk_now(&b->clock);
	enum uk_rc rc = UK_OK;

	for (size_t i = 0; rc == UK_OK && i < sizeof(expire) / sizeof(expire[0]); i++)
		rc = store_run(tx, expire[i], STORE_ARGS(DB_I(now)), NULL, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_RATES_EXPIRE, STORE_ARGS(DB_I(now - RATES_KEPT)), NULL, err);
	return rc;
}

/* Until SIGTERM or SIGINT. */
static void
run(struct app *app, const sigset_t *signals)
{
	const bool clock_may_jump = *app->base.settings.clock_file != '\0';
	const struct timespec tick = { .tv_sec = clock_may_jump ? CLOCK_FILE_TICKS : TIDY_EVERY };
	int64_t tidied = uk_mono_ms(&uk_clock_system);
	struct uk_err err = { 0 };

	while (sigtimedwait(signals, NULL, &tick) < 0) {
		const int64_t now = uk_mono_ms(&uk_clock_system);

		if (clock_may_jump)
			jobs_wake(app->jobs);
		if (now - tidied < TIDY_EVERY * INT64_C(1000))
			continue;
		tidied = now;
		if (store_write_wait(app->base.store, tidy, &app->base, &err) != UK_OK)
			uk_log_err(&app->base.log, UK_LOG_ERROR, "serve.tidy", &err);
	}
}

/* The threads made from here on leave the signals to run(); a client that goes away is no
 * signal. */
static void
take_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

int
command_serve(int argc, char **argv)
{
	struct serve_options o = { 0 };
	struct app app = { 0 };
	struct uk_err err = { 0 };
	sigset_t signals;
	int status;

	status = command_options(
	    table, sizeof(table) / sizeof(table[0]), argc, argv, "ukey-ca serve --config FILE", &o);
	if (status >= 0)
		return status;
	if (o.config == NULL) {
		(void)fprintf(stderr, "ukey-ca serve: --config is needed\n");
		return 2;
	}
	/* Fixed: glibc would raise it to the largest photo freed, and keep the memory of hundreds.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	take_signals(&signals);
	if (open_app(&app, o.config, &err) != UK_OK)
		return command_failed("serve", &err);
	uk_log(&app.base.log, UK_LOG_INFO, "serve.ready", UK_LS("listen", app.base.settings.listen),
	    UK_LI("port", httpd_port(app.httpd)));
	(void)sd_notify(0, "READY=1");
	run(&app, &signals);
	(void)sd_notify(0, "STOPPING=1");
	uk_log_plain(&app.base.log, UK_LOG_INFO, "serve.stopping");
	close_app(&app);
	return 0;
}
