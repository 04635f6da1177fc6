#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "policy/paths.h"
#include "protocol/rpc.h"
#include "token/hotplug.h"
#include "token/readers.h"
#include "transport/local.h"
#include "transport/lws.h"
#include "transport/service.h"
#include "transport/ws.h"
#include "uk/config.h"
#include "uk/opt.h"

#define HELPER  LIBEXEC_DIR "/ukey-token"
#define NATIVE  LIBEXEC_DIR "/ukey-native"
#define MODULES DATA_DIR "/modules.json"

struct options {
	const char *socket;
	const char *port;
	const char *policy;
	const char *helper;
	const char *modules;
	const char *native;
	const char *pinentry;
	const char *log_level;
	bool foreground;
	bool version;
};

static const struct uk_opt opts[] = {
	{ "foreground", NULL, offsetof(struct options, foreground),
	    "stay in the foreground (there is no other way)" },
	{ "socket", "PATH", offsetof(struct options, socket),
	    "unix socket; default: $XDG_RUNTIME_DIR/ukey/agent.sock" },
	{ "port", "N", offsetof(struct options, port),
	    "WebSocket port; 0: none; default: the first free of 21071 to 21075" },
	{ "policy", "DIR", offsetof(struct options, policy),
	    "policy folder; default: $UKEY_POLICY_DIR, else " POLICY_DIR },
	{ "helper", "PATH", offsetof(struct options, helper),
	    "ukey-token; default: beside ukeyd, else " HELPER },
	{ "modules", "FILE", offsetof(struct options, modules),
	    "list of known makers' modules; default: " MODULES },
	{ "native", "PATH", offsetof(struct options, native),
	    "ukey-native, whose word on a site counts; default: beside ukeyd, else " NATIVE },
	{ "pinentry", "PATH", offsetof(struct options, pinentry),
	    "program that asks for PINs; default: the policy's, else pinentry" },
	{ "log-level", "L", offsetof(struct options, log_level),
	    "error, warn, info (default) or debug" },
	{ "version", NULL, offsetof(struct options, version), "print the version" },
};
#define OPTS (sizeof(opts) / sizeof(opts[0]))

/* In the order of their making; unmade backwards. */
struct app {
	struct uk_log log;
	struct policy *policy;
	struct uk_clock clock;
	struct sites *sites;
	struct journal *journal;
	char *station; /* path of this machine's key */
	char *native;  /* path of the native messaging host */
	struct lws_loop *loop;
	struct gate *gate;
	struct prompts *prompts;
	struct token_client *tokens;
	struct hotplug *hotplug; /* NULL: there is no udev to ask */
	struct readers *readers; /* NULL: no module needs them */
	struct rpc *rpc;
	struct local *local;
	struct ws *ws;
	char *socket; /* ours to remove; NULL: handed over */
	char *port_file;
	int signals;
	struct loop_watch *signal_watch;
	bool stop;
};

static enum uk_rc
load_policy(struct app *a, const struct options *o, struct uk_err *err)
{
	const char *dir = o->policy != NULL ? o->policy : getenv("UKEY_POLICY_DIR");

	const enum uk_rc rc = policy_load(dir != NULL ? dir : POLICY_DIR, &a->policy, err);

	if (rc != UK_OK)
		return rc;
	uk_clock_offset_init(&a->clock, a->policy->clock_file);
	return policy_find_modules(
	    a->policy, o->modules != NULL ? o->modules : MODULES, &a->log, err);
}

static enum uk_rc
open_state(struct app *a, struct uk_err *err)
{
	char *sites = path_state("sites.json"), *journal = path_state("journal.jsonl");
	enum uk_rc rc;

	a->station = path_state("station.jwk");
	if (sites == NULL || journal == NULL || a->station == NULL)
		rc = uk_fail(err, UK_E_UNAVAILABLE, "no-home", "paths", 0);
	else if ((rc = path_make_folder(sites, err)) == UK_OK &&
		 (rc = sites_open(sites, &a->clock, &a->sites, err)) == UK_OK)
		rc = journal_open(journal, &a->clock, &a->journal, err);
	if (rc == UK_OK && sites_put_aside(a->sites))
		uk_log(&a->log, UK_LOG_ERROR, "sites.put-aside", UK_LS("file", sites));
	if (rc == UK_OK && journal_put_aside(a->journal))
		uk_log(&a->log, UK_LOG_ERROR, "journal.put-aside", UK_LS("file", journal));
	free(sites);
	free(journal);
	return rc;
}

/* Tokens report to the rpc, which is made after them. */
static void
token_changed(void *ctx, enum token_change what, const struct token_info *token)
{
	struct app *a = ctx;

	if (a->rpc != NULL)
		rpc_token_changed(a->rpc, what, token);
}

static void
readers_changed(void *ctx, const char *emptied)
{
	struct app *a = ctx;

	token_look(a->tokens, emptied);
}

/* Not before some module needs them: pcscd stays as long as somebody listens to it. */
static void
readers_wanted(void *ctx)
{
	struct app *a = ctx;
	struct uk_err err = { 0 };

	if (readers_new(lws_loop_base(a->loop), &a->log, readers_changed, a, &a->readers, &err) !=
	    UK_OK)
		uk_log_err(&a->log, UK_LOG_ERROR, "readers", &err);
}

/* The helpers answer by what they show; who is at a call is looked at after it. */
static void
plugged(void *ctx)
{
	struct app *a = ctx;

	token_look(a->tokens, NULL);
}

/* Of a program of ours: as given, or beside us, or where it is installed. */
static char *
program_path(const char *given, const char *name)
{
	char *exe = given == NULL ? realpath("/proc/self/exe", NULL) : NULL;
	struct uk_buf b;

	uk_buf_init(&b, PATH_MAX);
	if (given != NULL)
		uk_buf_put_str(&b, given);
	else if (exe != NULL)
		uk_buf_printf(&b, "%s/%s", dirname(exe), name);
	if (given == NULL && (uk_buf_str(&b) == NULL || access(uk_buf_str(&b), X_OK) != 0)) {
		uk_buf_reset(&b);
		uk_buf_printf(&b, "%s/%s", LIBEXEC_DIR, name);
	}
	free(exe);
	return uk_buf_steal_str(&b);
}

static enum uk_rc
start_tokens(struct app *a, const struct options *o, struct uk_err *err)
{
	const struct policy *p = a->policy;
	struct token_module *modules = uk_xalloc((p->n_modules + 1) * sizeof(*modules));
	char *helper = program_path(o->helper, "ukey-token");
	enum uk_rc rc;

	for (size_t i = 0; i < p->n_modules; i++)
		modules[i] = (struct token_module){ .path = p->modules[i].path,
			.kind = p->modules[i].kind,
			.hold_pin = p->hold_pin };
	rc = token_client_new(lws_loop_base(a->loop), &a->log, helper, modules, p->n_modules,
	    token_changed, a, &a->tokens, err);
	if (rc == UK_OK)
		token_on_readers(a->tokens, readers_wanted, a);
	free(helper);
	free(modules);
	if (rc == UK_OK &&
	    hotplug_new(lws_loop_base(a->loop), plugged, a, &a->hotplug, err) != UK_OK)
		uk_log_err(&a->log, UK_LOG_WARN, "hotplug", err);
	return rc;
}

static enum uk_rc
start_core(struct app *a, const struct options *o, struct uk_err *err)
{
	enum uk_rc rc;

	a->loop = lws_loop_new();
	if (a->loop == NULL)
		return uk_fail(err, UK_E_INTERNAL, NULL, "lws", 0);
	a->gate = gate_new(a->policy, a->sites, &a->clock, geteuid());
	a->prompts = prompts_new(lws_loop_base(a->loop), &a->log,
	    o->pinentry != NULL ? o->pinentry : a->policy->pinentry);
	rc = start_tokens(a, o, err);
	if (rc != UK_OK)
		return rc;
	a->rpc = rpc_new(&(struct rpc_env){ .loop = lws_loop_base(a->loop),
	    .log = &a->log,
	    .clock = &a->clock,
	    .random = &uk_random_system,
	    .policy = a->policy,
	    .sites = a->sites,
	    .gate = a->gate,
	    .journal = a->journal,
	    .prompts = a->prompts,
	    .tokens = a->tokens,
	    .station = a->station });
	return UK_OK;
}

static enum uk_rc
start_local(struct app *a, const struct options *o, struct uk_err *err)
{
	enum uk_rc rc;
	int fd;

	a->native = program_path(o->native, "ukey-native");
	rc = service_socket(&fd, err);
	if (rc == UK_OK && fd < 0) {
		a->socket = o->socket != NULL ? uk_xstrdup(o->socket) : path_runtime("agent.sock");
		rc = local_bind(a->socket, &fd, err);
		if (rc != UK_OK) {
			free(a->socket);
			a->socket = NULL;
		}
	}
	if (rc == UK_OK)
		a->local = local_listen(lws_loop_base(a->loop), a->rpc, &a->log, fd, a->native);
	return rc;
}

/* For what runs beside us: a page tries the five ports by itself. */
static void
write_port(struct app *a)
{
	struct uk_err err = { 0 };
	struct uk_buf text;

	a->port_file = path_runtime("port");
	uk_buf_init(&text, 16);
	uk_buf_printf(&text, "%d\n", ws_port(a->ws));
	if (path_make_folder(a->port_file, &err) != UK_OK ||
	    uk_file_write(a->port_file, 0600, uk_buf_span(&text), &err) != UK_OK)
		uk_log_err(&a->log, UK_LOG_WARN, "port.file", &err);
	uk_buf_fini(&text);
}

static enum uk_rc
start_ws(struct app *a, const struct options *o, struct uk_err *err)
{
	char *end = NULL;
	const long port = o->port != NULL ? strtol(o->port, &end, 10) : -1;
	enum uk_rc rc;

	if (o->port != NULL && (*end != '\0' || *o->port == '\0' || port < 0 || port > 65535))
		return uk_fail_field(err, "port", NULL);
	if (port == 0)
		return UK_OK;
	rc = ws_listen(a->loop, a->rpc, &a->log, port > 0 ? (int)port : 0, &a->ws, err);
	if (rc == UK_OK) {
		write_port(a);
	} else if (port < 0) {
		/* Five others are here already: the command line and extensions still work. */
		uk_log_err(&a->log, UK_LOG_ERROR, "ws.listen", err);
		rc = UK_OK;
	}
	return rc;
}

static void
signalled(void *ctx, unsigned events)
{
	struct app *a = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(a->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		a->stop = true;
}

static void
catch_signals(struct app *a)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum uk_rc
start(struct app *a, const struct options *o, struct uk_err *err)
{
	enum uk_rc rc;

	catch_signals(a);
	if ((rc = load_policy(a, o, err)) != UK_OK || (rc = open_state(a, err)) != UK_OK ||
	    (rc = start_core(a, o, err)) != UK_OK || (rc = start_local(a, o, err)) != UK_OK ||
	    (rc = start_ws(a, o, err)) != UK_OK)
		return rc;
	a->signal_watch = loop_watch(lws_loop_base(a->loop), a->signals, LOOP_READ, signalled, a);
	return UK_OK;
}

static void
stop(struct app *a)
{
	if (a->port_file != NULL)
		(void)unlink(a->port_file);
	if (a->socket != NULL)
		(void)unlink(a->socket);
	ws_close(&a->ws);
	local_close(&a->local);
	rpc_free(&a->rpc);
	readers_free(&a->readers);
	hotplug_free(&a->hotplug);
	token_client_free(&a->tokens);
	prompts_free(&a->prompts);
	gate_free(&a->gate);
	if (a->loop != NULL)
		loop_unwatch(lws_loop_base(a->loop), &a->signal_watch);
	lws_loop_free(&a->loop);
	if (a->signals >= 0)
		close(a->signals);
	free(a->station);
	free(a->native);
	journal_close(&a->journal);
	sites_close(&a->sites);
	policy_free(&a->policy);
	free(a->socket);
	free(a->port_file);
}

static int
usage(void)
{
	(void)printf("Usage: ukeyd [OPTION]...\n"
		     "The user's key daemon: holds the sessions of USB keys, asks the user, and\n"
		     "serves web pages and the command line.\n\n");
	uk_opts_help(opts, OPTS, stdout);
	return 0;
}

static int
run(const struct options *o)
{
	struct app a = { .signals = -1 };
	struct uk_err err = { 0 };
	enum uk_rc rc;

	uk_log_init(&a.log, "ukeyd");
	if (o->log_level != NULL && uk_log_set_level(&a.log, o->log_level) != UK_OK) {
		(void)fprintf(stderr, "--log-level %s: no such level\n", o->log_level);
		return 2;
	}
	uk_secret_harden_process();
	rc = start(&a, o, &err);
	if (rc != UK_OK) {
		uk_log_err(&a.log, UK_LOG_ERROR, "start", &err);
	} else {
		uk_log(
		    &a.log, UK_LOG_INFO, "ready", UK_LI("port", a.ws != NULL ? ws_port(a.ws) : 0));
		service_ready(a.ws != NULL ? ws_port(a.ws) : 0);
		lws_loop_run(a.loop, &a.stop);
		service_stopping();
	}
	stop(&a);
	return rc == UK_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	struct uk_err err = { 0 };
	bool help;

	if (uk_opts_read(opts, OPTS, &argc, argv, &o, &help, &err) != UK_OK)
		return 2;
	if (argc > 1) {
		(void)fprintf(stderr, "%s: not expected (see --help)\n", argv[1]);
		return 2;
	}
	if (help)
		return usage();
	if (o.version) {
		(void)printf("ukeyd %s\n", UK_VERSION);
		return 0;
	}
	return run(&o);
}
