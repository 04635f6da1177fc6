/* Configuration, options, and the files behind them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "uk/config.h"
#include "uk/opt.h"

struct cfg {
	char *name;
	char *dir;
	int64_t port;
	bool loud;
};

static const struct uk_option options[] = {
	{ "name", UK_C_STR, NULL, 1, 8, offsetof(struct cfg, name), "who this is" },
	{ "dir", UK_C_PATH, "data", 1, 4096, offsetof(struct cfg, dir), "where it keeps things" },
	{ "port", UK_C_INT, "8600", 1, 65535, offsetof(struct cfg, port), "where it listens" },
	{ "loud", UK_C_BOOL, "false", 0, 0, offsetof(struct cfg, loud), "says more" },
};
#define N (sizeof(options) / sizeof(options[0]))

struct place {
	char dir[64];
	char file[96];
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/uk-settings-XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		return -1;
	(void)snprintf(p->file, sizeof(p->file), "%s/config.json", p->dir);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	(void)unlink(p->file);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static enum uk_rc
load(struct place *p, const char *text, struct cfg *cfg, struct uk_err *err)
{
	*cfg = (struct cfg){ 0 };
	*err = (struct uk_err){ 0 };
	assert_int_equal(uk_file_write(p->file, 0600, uk_span_str(text), NULL), UK_OK);
	return uk_config_load(options, N, p->file, cfg, err);
}

static void
config_reads(void **state)
{
	struct place *p = *state;
	char want[128];
	struct uk_err err;
	struct cfg cfg;

	assert_int_equal(load(p, "{\"name\":\"ca\",\"port\":1,\"loud\":true}", &cfg, &err), UK_OK);
	assert_string_equal(cfg.name, "ca");
	assert_int_equal(cfg.port, 1);
	assert_true(cfg.loud);
	(void)snprintf(want, sizeof(want), "%s/data", p->dir);
	assert_string_equal(cfg.dir, want);
	uk_config_fini(options, N, &cfg);
	assert_null(cfg.name);
	assert_int_equal(load(p, "{\"name\":\"ca\",\"dir\":\"/abs\"}", &cfg, &err), UK_OK);
	assert_string_equal(cfg.dir, "/abs");
	assert_int_equal(cfg.port, 8600);
	uk_config_fini(options, N, &cfg);
}

/* "dir" given relative to a file that is itself named relative to the working directory. */
static void
config_paths_are_absolute(void **state)
{
	struct place *p = *state;
	char want[128];
	char *before = getcwd(NULL, 0);
	struct uk_err err;
	struct cfg cfg;

	assert_non_null(before);
	assert_int_equal(chdir(p->dir), 0);
	assert_int_equal(
	    uk_file_write("config.json", 0600, uk_span_str("{\"name\":\"n\"}"), NULL), UK_OK);
	cfg = (struct cfg){ 0 };
	assert_int_equal(uk_config_load(options, N, "config.json", &cfg, &err), UK_OK);
	assert_int_equal(chdir(before), 0);
	free(before);
	(void)snprintf(want, sizeof(want), "%s/data", p->dir);
	assert_string_equal(cfg.dir, want);
	uk_config_fini(options, N, &cfg);
}

struct refusal {
	const char *text;
	const char *field;
	const char *reason;
};

static void
config_refuses(void **state)
{
	static const struct refusal rows[] = {
		{ "{}", "name", "missing" },
		{ "{\"name\":\"\"}", "name", "invalid-input" },
		{ "{\"name\":\"123456789\"}", "name", "invalid-input" },
		{ "{\"name\":1}", "name", "invalid-input" },
		{ "{\"name\":\"a\",\"port\":0}", "port", "invalid-input" },
		{ "{\"name\":\"a\",\"port\":65536}", "port", "invalid-input" },
		{ "{\"name\":\"a\",\"port\":\"1\"}", "port", "invalid-input" },
		{ "{\"name\":\"a\",\"loud\":1}", "loud", "invalid-input" },
		{ "{\"name\":\"a\",\"dir\":null}", "dir", "invalid-input" },
		{ "{\"name\":\"a\",\"Port\":1}", NULL, "unknown-member" },
		{ "[]", NULL, "json-not-an-object" },
		{ "{\"name\":\"a\",", NULL, "json-malformed" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct uk_err err;
		struct cfg cfg;

		assert_int_equal(load(p, rows[i].text, &cfg, &err), UK_E_INPUT);
		assert_string_equal(uk_err_reason(&err), rows[i].reason);
		if (rows[i].field != NULL)
			assert_string_equal(err.field, rows[i].field);
		assert_null(cfg.name);
		assert_null(cfg.dir);
	}
}

static void
config_without_a_file(void **state)
{
	struct cfg cfg = { 0 };
	struct uk_err err = { 0 };

	(void)state;
	assert_int_equal(uk_config_load(options, N, NULL, &cfg, &err), UK_E_INPUT);
	assert_string_equal(err.field, "name");
	assert_int_equal(uk_config_load(options + 1, N - 1, NULL, &cfg, &err), UK_OK);
	assert_string_equal(cfg.dir, "data");
	uk_config_fini(options + 1, N - 1, &cfg);
	assert_int_equal(
	    uk_config_load(options, N, "/nonexistent/x.json", &cfg, &err), UK_E_NOT_FOUND);
}

static void
config_prints_itself(void **state)
{
	struct cfg cfg = { (char *)(uintptr_t) "ca", NULL, 7, true };
	struct uk_buf b;

	(void)state;
	uk_buf_init(&b, 1024);
	uk_config_print(options, N, &cfg, &b);
	assert_string_equal(uk_buf_str(&b),
	    "# who this is\nname = \"ca\"\n# where it keeps things\ndir = \"\"\n"
	    "# where it listens\nport = 7\n# says more\nloud = true\n");
	uk_buf_fini(&b);
}

static void
file_written_whole_and_replaced(void **state)
{
	struct place *p = *state;
	struct stat st;
	struct uk_buf b;

	assert_int_equal(uk_file_write(p->file, 0600, uk_span_str("one"), NULL), UK_OK);
	assert_int_equal(uk_file_write(p->file, 0600, uk_span_str("second"), NULL), UK_OK);
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	uk_buf_init(&b, 6); /* no more than the file needs */
	assert_int_equal(uk_file_read(p->file, 6, &b, NULL), UK_OK);
	assert_string_equal(uk_buf_str(&b), "second");
	uk_buf_fini(&b);
	assert_int_equal(uk_file_read(p->file, 5, &b, NULL), UK_E_LIMIT);
	uk_buf_fini(&b);
	uk_buf_init(&b, 5);
	assert_int_equal(uk_file_read(p->file, 6, &b, NULL), UK_E_LIMIT);
	uk_buf_fini(&b);
	assert_int_equal(
	    uk_file_write("/nonexistent/x", 0600, uk_span_str("x"), NULL), UK_E_INTERNAL);
}

static void
file_larger_than_one_read(void **state)
{
	struct place *p = *state;
	struct uk_buf big, b;

	uk_buf_init(&big, 100000);
	for (unsigned i = 0; i < 100000; i++)
		uk_buf_put_u8(&big, (uint8_t)(i * 7));
	assert_int_equal(uk_file_write(p->file, 0600, uk_buf_span(&big), NULL), UK_OK);
	uk_buf_init(&b, 100000);
	assert_int_equal(uk_file_read(p->file, 100000, &b, NULL), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&b), uk_buf_span(&big)));
	uk_buf_fini(&b);
	uk_buf_fini(&big);
}

static void
file_must_be_a_file(void **state)
{
	struct place *p = *state;
	struct uk_err err = { 0 };
	struct uk_buf b;

	uk_buf_init(&b, 64);
	assert_int_equal(uk_file_read(p->dir, 64, &b, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "not-a-file");
	assert_int_equal(mkfifo(p->file, 0600), 0);
	assert_int_equal(uk_file_read(p->file, 64, &b, &err), UK_E_INPUT);
	uk_buf_fini(&b);
	(void)unlink(p->file);
	assert_int_equal(uk_file_read(p->file, 64, &b, &err), UK_E_NOT_FOUND);
}

struct opts {
	const char *state;
	bool force;
};

static const struct uk_opt opt_table[] = {
	{ "state", "DIR", offsetof(struct opts, state), "where" },
	{ "force", NULL, offsetof(struct opts, force), "really" },
};

/* Words are copied: the reader reorders argv. */
static enum uk_rc
read_opts(const char *const *words, int n, char **argv, int *argc, struct opts *o, bool *help)
{
	argv[0] = (char *)(uintptr_t) "prog";
	for (int i = 0; i < n; i++)
		argv[i + 1] = (char *)(uintptr_t)words[i];
	*argc = n + 1;
	*o = (struct opts){ 0 };
	return uk_opts_read(opt_table, 2, argc, argv, o, help, NULL);
}

static void
opts_read(void **state)
{
	static const char *const words[] = { "list", "--state", "/x", "--force", "-", "--",
		"--force" };
	static const char *const eq[] = { "--state=/y=z", "--help" };
	char *argv[16];
	struct opts o;
	bool help;
	int argc;

	(void)state;
	assert_int_equal(read_opts(words, 7, argv, &argc, &o, &help), UK_OK);
	assert_string_equal(o.state, "/x");
	assert_true(o.force);
	assert_false(help);
	assert_int_equal(argc, 4);
	assert_string_equal(argv[1], "list");
	assert_string_equal(argv[2], "-");
	assert_string_equal(argv[3], "--force");
	assert_int_equal(read_opts(eq, 2, argv, &argc, &o, &help), UK_OK);
	assert_string_equal(o.state, "/y=z");
	assert_true(help);
	assert_int_equal(argc, 1);
}

static void
opts_refuse(void **state)
{
	static const char *const wrong[] = { "--stat", "--states=x", "--state", "--force=1", "-f" };
	FILE *old = stderr;
	char *argv[16];
	struct opts o;
	bool help;
	int argc;

	(void)state;
	stderr = fopen("/dev/null", "w");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(read_opts(&wrong[i], 1, argv, &argc, &o, &help), UK_E_INPUT);
	(void)fclose(stderr);
	stderr = old;
}

static void
opts_help(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	uk_opts_help(opt_table, 2, f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "  --state DIR             where\n"
				  "  --force                 really\n"
				  "  --help                  this text\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(config_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(config_paths_are_absolute, setup, teardown),
		cmocka_unit_test_setup_teardown(config_refuses, setup, teardown),
		cmocka_unit_test(config_without_a_file),
		cmocka_unit_test(config_prints_itself),
		cmocka_unit_test_setup_teardown(file_written_whole_and_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(file_larger_than_one_read, setup, teardown),
		cmocka_unit_test_setup_teardown(file_must_be_a_file, setup, teardown),
		cmocka_unit_test(opts_read),
		cmocka_unit_test(opts_refuse),
		cmocka_unit_test(opts_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
