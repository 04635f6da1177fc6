#include <stdbool.h>
#include <string.h>

#include "uk/opt.h"

static const struct uk_opt *
find(const struct uk_opt *table, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(table[i].name) == len && strncmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

static enum uk_rc
wrong(struct uk_err *err, const char *arg, const char *why)
{
	(void)fprintf(stderr, "%s: %s (see --help)\n", arg, why);
	return uk_fail_field(err, "option", NULL);
}

/* One option at argv[*i]; moves *i over its argument. */
static enum uk_rc
read_one(const struct uk_opt *table, size_t n, int argc, char **argv, int *i, char *out,
    struct uk_err *err)
{
	const char *name = argv[*i] + 2;
	const char *eq = strchr(name, '=');
	const struct uk_opt *o =
	    find(table, n, name, eq != NULL ? (size_t)(eq - name) : strlen(name));
	const char *value;

	if (o == NULL)
		return wrong(err, argv[*i], "no such option");
	if (o->arg == NULL) {
		const bool yes = true;

		if (eq != NULL)
			return wrong(err, argv[*i], "takes no value");
		memcpy(out + o->offset, &yes, sizeof(yes));
		return UK_OK;
	}
	if (eq != NULL)
		value = eq + 1;
	else if (*i + 1 < argc)
		value = argv[++*i];
	else
		return wrong(err, argv[*i], "needs a value");
	memcpy(out + o->offset, &value, sizeof(value));
	return UK_OK;
}

enum uk_rc
uk_opts_read(const struct uk_opt *table, size_t n, int *argc, char **argv, void *out, bool *help,
    struct uk_err *err)
{
	int kept = 1;
	bool end = false;

	*help = false;
	for (int i = 1; i < *argc; i++) {
		enum uk_rc rc;

		if (end || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[kept++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			end = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			*help = true;
		} else if (argv[i][1] != '-') {
			return wrong(err, argv[i], "no such option");
		} else {
			rc = read_one(table, n, *argc, argv, &i, out, err);
			if (rc != UK_OK)
				return rc;
		}
	}
	*argc = kept;
	return UK_OK;
}

void
uk_opts_help(const struct uk_opt *table, size_t n, FILE *to)
{
	for (size_t i = 0; i < n; i++) {
		const int used = fprintf(to, "  --%s%s%s", table[i].name,
		    table[i].arg != NULL ? " " : "", table[i].arg != NULL ? table[i].arg : "");

		(void)fprintf(to, "%*s%s\n", used < 26 ? 26 - used : 1, "", table[i].help);
	}
	(void)fprintf(to, "  --help                  this text\n");
}
