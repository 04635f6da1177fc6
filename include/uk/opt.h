/* Command-line options from a table, and the --help text made from it. */
#ifndef UK_OPT_H
#define UK_OPT_H

#include <stddef.h>
#include <stdio.h>

#include "uk/rc.h"

struct uk_opt {
	const char *name; /* "state": --state DIR */
	const char *arg;  /* "DIR"; NULL: a flag */
	size_t offset;    /* const char * for an argument, bool for a flag */
	const char *help;
};

/*
 * Read argv[1..] into out; what is no option is left in argv[0 .. *rest) in order.  "--" ends the
 * options.  --help is in every table by itself.  UK_E_INPUT with err->field = the option; a wrong
 * one is named on standard error.  *help is set when --help was given.
 */
UK_CHECK enum uk_rc uk_opts_read(const struct uk_opt *table, size_t n, int *argc, char **argv,
    void *out, bool *help, struct uk_err *err);

void uk_opts_help(const struct uk_opt *table, size_t n, FILE *to);

#endif
