#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "native/agent.h"
#include "native/relay.h"
#include "native/stamp.h"
#include "uk/log.h"

static enum uk_rc
serve(int argc, char **argv, struct uk_err *err)
{
	struct relay_ends ends = { .in = STDIN_FILENO, .out = STDOUT_FILENO, .agent = -1 };
	char extension[STAMP_EXTENSION_MAX + 1];
	struct uk_buf said, first;
	enum uk_rc rc;

	uk_buf_init(&said, STAMP_FIRST_MAX);
	uk_buf_init(&first, 2 * STAMP_FIRST_MAX);
	if ((rc = stamp_extension(argc, argv, extension, err)) != UK_OK ||
	    (rc = relay_first(ends.in, &said, err)) != UK_OK ||
	    (rc = stamp_first(uk_buf_span(&said), extension, &first, err)) != UK_OK ||
	    (rc = agent_connect(ends.in, &ends.agent, err)) != UK_OK) {
		if (rc != UK_E_CANCELLED)
			relay_refuse(ends.out, err);
	} else {
		rc = relay_run(&ends, uk_buf_span(&first), err);
		close(ends.agent);
	}
	uk_buf_fini(&said);
	uk_buf_fini(&first);
	return rc == UK_E_CANCELLED ? UK_OK : rc;
}

static void
usage(FILE *to)
{
	(void)fprintf(to,
	    "Usage: ukey-native [ORIGIN | MANIFEST EXTENSION]\n"
	    "The native messaging host: a browser starts it for its UKEY extension and talks to\n"
	    "ukeyd through it.  There is nothing to do with it by hand.\n\n"
	    "  --help                 show this text\n"
	    "  --version              print the version\n");
}

int
main(int argc, char **argv)
{
	struct uk_err err = { 0 };
	struct uk_log log;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("ukey-native %s\n", UK_VERSION);
		return 0;
	}
	if (isatty(STDIN_FILENO)) {
		usage(stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	uk_log_init(&log, "ukey-native");
	if (serve(argc, argv, &err) == UK_OK)
		return 0;
	uk_log_err(&log, UK_LOG_WARN, "end", &err);
	return 1;
}
