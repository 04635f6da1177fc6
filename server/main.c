#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "uk/secret.h"

static const struct command {
	const char *noun;
	const char *verb; /* NULL: the noun alone */
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "init", NULL, command_init, "make a CA: keys, certificates, configuration, database" },
	{ "staff", "add", command_staff_add, "issue a certificate for a member of the staff" },
	{ "station", "add", command_station_add, "enrol a production station" },
	{ "serve", NULL, command_serve, "run the server" },
	{ "check-config", NULL, command_check_config, "check the configuration and print it" },
	{ "revoke", NULL, command_revoke, "revoke a certificate" },
	{ "km", "init", command_km_init,
	    "make the key of the key management, where it is missing" },
	{ "km", "ask", command_km_ask, "ask for the recovery of an encryption key" },
	{ "km", "recover", command_km_recover, "recover it, signed by two administrators" },
	{ "order", "dot", command_order_dot, "the order workflow as a Graphviz graph" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
usage(FILE *to, int status)
{
	(void)fprintf(to, "usage: ukey-ca COMMAND [options]\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "%s%s%s", commands[i].noun,
		    commands[i].verb != NULL ? " " : "",
		    commands[i].verb != NULL ? commands[i].verb : "");
		(void)fprintf(to, "  %-14s %s\n", name, commands[i].help);
	}
	(void)fprintf(to, "\n  ukey-ca COMMAND --help lists the options, --version the version.\n");
	return status;
}

int
main(int argc, char **argv)
{
	uk_secret_harden_process(); /* every command but --help reads keys */
	if (argc < 2)
		return usage(stderr, 2);
	if (strcmp(argv[1], "--help") == 0)
		return usage(stdout, 0);
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("ukey-ca %s\n", UK_VERSION);
		return 0;
	}
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];
		const int words = c->verb != NULL ? 2 : 1;

		if (strcmp(argv[1], c->noun) == 0 &&
		    (c->verb == NULL || (argc > 2 && strcmp(argv[2], c->verb) == 0)))
			return c->run(argc - words, argv + words);
	}
	(void)fprintf(stderr, "ukey-ca: no such command: %s\n", argv[1]);
	return usage(stderr, 2);
}
