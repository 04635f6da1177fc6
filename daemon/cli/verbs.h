/* What `ukey` can do: a table of verbs over the daemon's methods. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include <stdbool.h>
#include <stddef.h>

#include "uk/opt.h"

enum {
	EXIT_DONE,
	EXIT_FAILED,      /* ukeyd or the token refused; the reason is on standard error */
	EXIT_USAGE,       /* not understood */
	EXIT_UNAVAILABLE, /* ukeyd is not there */
	EXIT_CANCELLED,   /* the user said no */
};

/* Every option there is; a verb's table says which it takes. */
struct args {
	const char *socket;
	bool json;
	const char *token;
	const char *certificate;
	const char *key;
	const char *format;
	const char *arc;
	const char *signature_oid;
	bool attributes;
	const char *algorithm;
	const char *label;
	const char *title;
	const char *in;
	const char *out;
	const char *name;
	const char *organization;
	const char *country;
	const char *replaces;
	const char *chain;
	const char *encryption;
	const char *enveloped;
	const char *ticket;
	const char *dir; /* of virtual UKEYs, and what `ukey soft` says of them */
	const char *serial;
	const char *application;
	const char *admin_pin_file;
	const char *pin_file;
	const char *auth_key_file;
	const char *kdf_cost;
	const char *function;
	const char *nth;
	const char *error;
	const char *block;
	bool crash;
	bool clear;
	const char *rest[2]; /* what is no option, after the verb */
	size_t n_rest;
};

struct verb {
	const char *name; /* one word or two */
	const char *rest; /* what follows the options, for --help; "" */
	size_t max_rest;
	const struct uk_opt *opts;
	size_t n_opts;
	int (*run)(const struct args *a);
	const char *help;
};

extern const struct verb verbs[];
extern const size_t n_verbs;

#endif
