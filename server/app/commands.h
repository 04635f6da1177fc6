/* The subcommands of ukey-ca.  Each reads its own options from argv[1..]; 0, 1 or 2 (usage). */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include <stddef.h>

#include "uk/opt.h"

int command_init(int argc, char **argv);
int command_staff_add(int argc, char **argv);
int command_station_add(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_check_config(int argc, char **argv);
int command_revoke(int argc, char **argv);
int command_km_init(int argc, char **argv);
int command_km_ask(int argc, char **argv);
int command_km_recover(int argc, char **argv);
int command_order_dot(int argc, char **argv);

/*
 * Options into `out`; -1: go on.  Otherwise the exit status: --help was given (the text is printed
 * with `usage` above), an option is wrong, or an argument is left over.
 */
int command_options(
    const struct uk_opt *table, size_t n, int argc, char **argv, const char *usage, void *out);

/* Says the failure on standard error; gives the exit status 1. */
int command_failed(const char *what, const struct uk_err *err);

#endif
