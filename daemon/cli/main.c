#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"

static int
usage(FILE *to, int code)
{
	(void)fprintf(to, "Usage: ukey VERB [OPTION]...\n"
			  "USB keys from the command line, through the user's ukeyd.\n\n");
	for (size_t i = 0; i < n_verbs; i++)
		(void)fprintf(to, "  %-20s %s\n", verbs[i].name, verbs[i].help);
	(void)fprintf(to, "\nukey VERB --help tells of one.  Exit status: 0 done, 1 refused or\n"
			  "failed, 2 wrong use, 3 ukeyd is not running, 4 the user said no.\n");
	return code;
}

static int
verb_usage(const struct verb *v)
{
	(void)printf("Usage: ukey %s [OPTION]...%s%s\n%s\n\n", v->name,
	    v->rest[0] != '\0' ? " " : "", v->rest, v->help);
	uk_opts_help(v->opts, v->n_opts, stdout);
	return EXIT_DONE;
}

/* `ukey soft`: the verbs that begin with this word; false: none does. */
static bool
group_usage(const char *word, FILE *to)
{
	const size_t n = strlen(word);
	bool any = false;

	for (size_t i = 0; i < n_verbs; i++) {
		if (strncmp(verbs[i].name, word, n) != 0 || verbs[i].name[n] != ' ')
			continue;
		if (!any)
			(void)fprintf(to, "Usage: ukey %s VERB [OPTION]...\n\n", word);
		any = true;
		(void)fprintf(to, "  %-20s %s\n", verbs[i].name, verbs[i].help);
	}
	if (any)
		(void)fprintf(to, "\nukey %s VERB --help tells of one.\n", word);
	return any;
}

static bool
asks_for_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* How many of the words are the verb's name; 0: it is another one. */
static int
matches(const struct verb *v, int argc, char **argv)
{
	const size_t n = strcspn(v->name, " ");
	const char *second = v->name[n] != '\0' ? v->name + n + 1 : NULL;

	if (strlen(argv[1]) != n || strncmp(argv[1], v->name, n) != 0)
		return 0;
	if (second == NULL)
		return 1;
	return argc > 2 && strcmp(argv[2], second) == 0 ? 2 : 0;
}

static int
run(const struct verb *v, int argc, char **argv)
{
	struct args a = { 0 };
	struct uk_err err = { 0 };
	bool help;

	if (uk_opts_read(v->opts, v->n_opts, &argc, argv, &a, &help, &err) != UK_OK)
		return EXIT_USAGE;
	if (help)
		return verb_usage(v);
	a.n_rest = (size_t)argc - 1;
	if (a.n_rest > v->max_rest) {
		(void)fprintf(stderr, "%s: not expected (see --help)\n", argv[1]);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < a.n_rest; i++)
		a.rest[i] = argv[i + 1];
	return v->run(&a);
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, EXIT_USAGE);
	if (asks_for_help(argv[1]))
		return usage(stdout, EXIT_DONE);
	for (size_t i = 0; i < n_verbs; i++) {
		const int words = matches(&verbs[i], argc, argv);

		if (words > 0)
			return run(&verbs[i], argc - words, argv + words);
	}
	if (argc == 2 && group_usage(argv[1], stderr))
		return EXIT_USAGE;
	if (argc > 2 && asks_for_help(argv[2]) && group_usage(argv[1], stdout))
		return EXIT_DONE;
	(void)fprintf(stderr, "ukey: %s: no such verb (see --help)\n", argv[1]);
	return EXIT_USAGE;
}
