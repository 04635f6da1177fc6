#include "app/commands.h"
#include "uk/rc.h"

int
command_options(
    const struct uk_opt *table, size_t n, int argc, char **argv, const char *usage, void *out)
{
	struct uk_err err = { 0 };
	bool help = false;

	if (uk_opts_read(table, n, &argc, argv, out, &help, &err) != UK_OK)
		return 2;
	if (help) {
		(void)printf("usage: %s\n\n", usage);
		uk_opts_help(table, n, stdout);
		return 0;
	}
	if (argc > 1) {
		(void)fprintf(stderr, "%s: unexpected (see --help)\n", argv[1]);
		return 2;
	}
	return -1;
}

int
command_failed(const char *what, const struct uk_err *err)
{
	(void)fprintf(stderr, "ukey-ca: %s: %s", what, uk_err_reason(err));
	if (err->field != NULL)
		(void)fprintf(stderr, " (%s)", err->field);
	if (err->where != NULL)
		(void)fprintf(stderr, " [%s %ld]", err->where, err->native);
	(void)fputc('\n', stderr);
	return 1;
}
