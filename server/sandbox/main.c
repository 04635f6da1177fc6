#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sandbox/sandbox.h"
#include "uk/opt.h"

struct options {
	const char *dir;
	const char *listen;
	const char *speed;
	const char *level;
	bool version;
};

static const struct uk_opt options[] = {
	{ "dir", "DIR", offsetof(struct options, dir), "keys and sandbox.json (made if missing)" },
	{ "listen", "HOST:PORT", offsetof(struct options, listen), "loopback; 127.0.0.1:8700" },
	{ "speed", "N", offsetof(struct options, speed), "notification gaps are divided by N; 1" },
	{ "log-level", "LEVEL", offsetof(struct options, level), "error, warn, info or debug" },
	{ "version", NULL, offsetof(struct options, version), "print the version" },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static bool
read_speed(const char *s, int64_t *out)
{
	char *end;
	const long long v = strtoll(s, &end, 10);

	*out = v;
	return *end == '\0' && v >= 1 && v <= 1000000;
}

static int
serve(const struct sandbox_config *cfg, const sigset_t *stop)
{
	struct sandbox *s = NULL;
	struct uk_err err = { 0 };
	int sig;

	if (sandbox_open(cfg, &s, &err) != UK_OK) {
		uk_log_err(cfg->log, UK_LOG_ERROR, "sandbox.failed", &err);
		return 1;
	}
	uk_log(cfg->log, UK_LOG_INFO, "sandbox.ready", UK_LS("address", sandbox_base(s)));
	(void)sigwait(stop, &sig);
	sandbox_close(&s);
	return 0;
}

int
main(int argc, char **argv)
{
	struct options o = { .listen = "127.0.0.1:8700", .speed = "1", .level = "info" };
	struct sandbox_config cfg = { .clock = &uk_clock_system, .random = &uk_random_system };
	struct uk_log log;
	sigset_t stop;
	bool help;

	uk_log_init(&log, "ukey-sandbox");
	if (uk_opts_read(options, N_OPTIONS, &argc, argv, &o, &help, NULL) != UK_OK)
		return 2;
	if (help) {
		(void)printf("ukey-sandbox --dir DIR [--listen HOST:PORT] [--speed N]\n");
		uk_opts_help(options, N_OPTIONS, stdout);
		return 0;
	}
	if (o.version) {
		(void)printf("ukey-sandbox " UK_VERSION "\n");
		return 0;
	}
	if (o.dir == NULL || argc > 1 || !read_speed(o.speed, &cfg.speed) ||
	    uk_log_set_level(&log, o.level) != UK_OK) {
		(void)fprintf(stderr, "ukey-sandbox: --dir is needed (see --help)\n");
		return 2;
	}
	/* Before any thread is started, so that all of them leave the signals to sigwait(). */
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGINT);
	(void)sigaddset(&stop, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)mkdir(o.dir, 0700);
	cfg.dir = o.dir;
	cfg.listen = o.listen;
	cfg.log = &log;
	return serve(&cfg, &stop);
}
