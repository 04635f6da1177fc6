/* ukey-token: one PKCS#11 or SKF module in a process of its own, which ukeyd can afford to lose. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/serve.h"
#include "uk/opt.h"
#include "uk/secret.h"

struct options {
	const char *kind;
	const char *module;
	const char *log_level;
	bool hold_pin;
	bool version;
};

static const struct uk_opt options[] = {
	{ "kind", "KIND", offsetof(struct options, kind), "of module: pkcs11 (default), skf" },
	{ "module", "PATH", offsetof(struct options, module), "the module, an absolute path" },
	{ "log-level", "LEVEL", offsetof(struct options, log_level), "error, warn, info, debug" },
	{ "hold-pin", NULL, offsetof(struct options, hold_pin),
	    "keep a PIN until log-out, for a token that wants it at each use (SKF)" },
	{ "version", NULL, offsetof(struct options, version), "print the version" },
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static bool
is_socket(int fd)
{
	int type;
	socklen_t n = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
}

static int
usage(FILE *to, int status)
{
	(void)fprintf(to, "usage: ukey-token --kind KIND --module PATH\n"
			  "Started by ukeyd, with a socket as standard input.\n");
	uk_opts_help(options, OPTIONS, to);
	return status;
}

static int
run(const struct options *o, struct uk_log *log)
{
	struct token_store *store = NULL;
	struct token_fault f = { 0 };
	struct uk_err err = { 0 };
	enum uk_rc rc;

	if (token_open(o->kind, o->module, log, &store, &f) != UK_OK) {
		uk_log(log, UK_LOG_ERROR, "module.open", UK_LS("module", o->module),
		    UK_LS("rc", uk_rc_name(f.rc)), UK_LS("where", f.where),
		    UK_LI("native", f.native));
		serve_refusal(STDIN_FILENO, f.reason);
		return 1;
	}
	store->hold_pin = o->hold_pin;
	rc = serve(store, STDIN_FILENO, log, &err);
	if (rc != UK_OK)
		uk_log_err(log, UK_LOG_ERROR, "serve.end", &err);
	token_close(&store);
	return rc == UK_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct options o = { .kind = "pkcs11", .log_level = "info" };
	struct uk_log log;
	bool help = false;

	/* A vendor's module may hang for good: it must not outlive ukeyd. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	uk_secret_harden_process();
	uk_log_init(&log, "ukey-token");
	if (uk_opts_read(options, OPTIONS, &argc, argv, &o, &help, NULL) != UK_OK || argc > 1)
		return usage(stderr, 2);
	if (help)
		return usage(stdout, 0);
	if (o.version) {
		(void)printf("ukey-token %s\n", UK_VERSION);
		return 0;
	}
	if (o.module == NULL || o.module[0] != '/' ||
	    uk_log_set_level(&log, o.log_level) != UK_OK || !is_socket(STDIN_FILENO))
		return usage(stderr, 2);
	return run(&o, &log);
}
