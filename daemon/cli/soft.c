#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/show.h"
#include "cli/soft.h"
#include "soft/fault.h"
#include "soft/make.h"
#include "soft/place.h"
#include "soft/sar.h"
#include "uk/config.h"
#include "uk/random.h"
#include "uk/secret.h"

#define LINE_MAX     256
#define SERIAL_BYTES 8
#define TRIES        10
#define AUTH_FILE    "auth-key"

static int
fail(const char *what, const char *why)
{
	(void)fprintf(stderr, "ukey: soft: %s: %s\n", what, why);
	return EXIT_FAILED;
}

static int
wrong_use(const char *what)
{
	(void)fprintf(stderr, "ukey: soft: %s (see --help)\n", what);
	return EXIT_USAGE;
}

static int
result(const char *name, ULONG rv)
{
	return rv == SAR_OK ? EXIT_DONE : fail(name, sar_name(rv));
}

/* The folder of all; *path is the caller's. */
static int
open_root(const struct args *a, char **path)
{
	int fd;

	*path = a->dir != NULL ? uk_xstrdup(a->dir) : place_root();
	fd = place_open(*path);
	if (fd < 0)
		(void)fail(*path != NULL ? *path : "HOME", "can't be opened");
	return fd;
}

/* --- create --- */

/* The file's first line; NULL: told. */
static struct uk_secret *
read_line(const char *path)
{
	struct uk_secret *s = NULL;
	struct uk_err err = { 0 };
	struct uk_buf text;
	size_t n = 0;

	uk_buf_init(&text, LINE_MAX + 8192);
	if (uk_file_read(path, LINE_MAX, &text, &err) == UK_OK) {
		while (n < text.n && text.p[n] != '\n' && text.p[n] != '\r')
			n++;
		s = uk_secret_new(uk_span(text.p, n));
	} else {
		(void)fail(path, uk_err_reason(&err));
	}
	uk_buf_fini(&text);
	return s;
}

static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 16 bytes as they are, or 32 hex digits. */
static bool
auth_key_from(struct uk_span s, uint8_t key[AUTH_KEY_LEN])
{
	if (s.n == AUTH_KEY_LEN) {
		memcpy(key, s.p, AUTH_KEY_LEN);
		return true;
	}
	for (size_t i = 0; s.n == (size_t)2 * AUTH_KEY_LEN && i < AUTH_KEY_LEN; i++) {
		const int high = digit(s.p[2 * i]), low = digit(s.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return s.n == (size_t)2 * AUTH_KEY_LEN;
}

static bool
auth_key(const struct args *a, uint8_t key[AUTH_KEY_LEN])
{
	struct uk_secret *s;
	bool ok;

	if (a->auth_key_file == NULL) {
		uk_random_system.bytes(uk_random_system.ctx, key, AUTH_KEY_LEN);
		return true;
	}
	s = read_line(a->auth_key_file);
	ok = s != NULL && auth_key_from(uk_secret_lend(s), key);
	if (s != NULL && !ok)
		(void)fail(a->auth_key_file, "16 bytes or 32 hex digits are expected");
	uk_secret_free(&s);
	return ok;
}

/* A key that nobody gave: in the UKEY's folder, for whoever makes its applications. */
static int
keep_auth_key(const char *root, const char *name, const uint8_t key[AUTH_KEY_LEN])
{
	struct uk_err err = { 0 };
	struct uk_buf path, text;
	int code = EXIT_DONE;

	uk_buf_init(&path, 4096);
	uk_buf_init(&text, 64);
	uk_buf_printf(&path, "%s/%s/%s", root, name, AUTH_FILE);
	for (size_t i = 0; i < AUTH_KEY_LEN; i++)
		uk_buf_printf(&text, "%02x", key[i]);
	uk_buf_put_str(&text, "\n");
	if (uk_file_write(uk_buf_str(&path), 0600, uk_buf_span(&text), &err) != UK_OK)
		code = fail(uk_buf_str(&path), uk_err_reason(&err));
	else
		(void)printf("device authentication key: %s\n", uk_buf_str(&path));
	uk_buf_fini(&path);
	uk_buf_fini(&text);
	return code;
}

/* 0: by default; false: none that the module takes. */
static bool
kdf_cost(const struct args *a, uint32_t *out)
{
	char *end;
	unsigned long n;

	*out = 0;
	if (a->kdf_cost == NULL)
		return true;
	n = strtoul(a->kdf_cost, &end, 10);
	*out = (uint32_t)n;
	return *end == '\0' && n >= SCRYPT_LOG_N_MIN && n <= SCRYPT_LOG_N_MAX;
}

static int
add_application(const struct args *a, int root, const char *name)
{
	struct uk_secret *admin = read_line(a->admin_pin_file), *user = NULL;
	struct app_wanted w = { .name = a->application,
		.tries = { TRIES, TRIES },
		.file_rights = SECURE_USER_ACCOUNT };
	int code = EXIT_FAILED;

	(void)kdf_cost(a, &w.log_n);
	if (admin != NULL)
		user = read_line(a->pin_file);
	if (user != NULL) {
		w.pins[ADMIN_TYPE] = (const char *)uk_secret_lend(admin).p;
		w.pins[USER_TYPE] = (const char *)uk_secret_lend(user).p;
		code = result(a->application, make_app_in(root, name, &w));
	}
	uk_secret_free(&admin);
	uk_secret_free(&user);
	return code;
}

static int
create(const struct args *a, int root, const char *path)
{
	const char *name = a->rest[0];
	char random[2 * SERIAL_BYTES + 1];
	uint8_t key[AUTH_KEY_LEN];
	int code;

	if (!auth_key(a, key))
		return EXIT_FAILED;
	uk_random_hex(&uk_random_system, random, SERIAL_BYTES);
	code = result(name, make_ukey(root, name, a->label != NULL ? a->label : "SOFTWARE TOKEN",
				a->serial != NULL ? a->serial : random, key));
	if (code == EXIT_DONE && a->auth_key_file == NULL)
		code = keep_auth_key(path, name, key);
	explicit_bzero(key, sizeof(key));
	if (code == EXIT_DONE && a->application != NULL)
		code = add_application(a, root, name);
	return code;
}

int
soft_create(const struct args *a)
{
	char *path = NULL;
	int root, code = EXIT_FAILED;
	uint32_t cost;

	if (a->n_rest != 1 || !place_name_ok(a->rest[0]))
		return wrong_use("a name is needed: letters, digits, '.', '_' and '-'");
	if ((a->application != NULL) != (a->pin_file != NULL) ||
	    (a->application != NULL) != (a->admin_pin_file != NULL))
		return wrong_use("--application, --admin-pin-file and --pin-file go together");
	if (!kdf_cost(a, &cost) || (a->kdf_cost != NULL && a->application == NULL))
		return wrong_use("--kdf-cost is 10 to 17, of an --application");
	root = open_root(a, &path);
	if (root >= 0) {
		code = create(a, root, path);
		(void)close(root);
	}
	free(path);
	return code;
}

/* --- insert and remove --- */

static int
plug(const struct args *a, ULONG (*move)(int root, const char *name))
{
	char *path = NULL;
	int root, code = EXIT_FAILED;

	if (a->n_rest != 1)
		return wrong_use("a name is needed");
	root = open_root(a, &path);
	if (root >= 0) {
		const ULONG rv = move(root, a->rest[0]);

		code = rv == SAR_OBJERR ? fail(a->rest[0], "no such UKEY") : result(a->rest[0], rv);
		(void)close(root);
	}
	free(path);
	return code;
}

int
soft_insert(const struct args *a)
{
	return plug(a, place_insert);
}

int
soft_remove(const struct args *a)
{
	return plug(a, place_remove);
}

/* --- list --- */

static json_t *
describe(int root, const char *name)
{
	json_t *o = json_pack(
		   "{s:s, s:b}", "name", name, "inserted", place_presence(root, name).in ? 1 : 0),
	       *apps = json_array();
	struct state *s = NULL;
	struct disk d;
	ULONG rv = disk_open(root, name, &d);

	if (rv == SAR_OK)
		rv = disk_load(&d, &s);
	if (rv == SAR_OK) {
		json_object_set_new(o, "serial", json_string(s->serial));
		json_object_set_new(o, "label", json_string(s->label));
		for (size_t i = 0; i < s->n_apps; i++)
			json_array_append_new(apps, json_string(s->apps[i]->name));
	} else {
		json_object_set_new(o, "error", json_string(sar_name(rv)));
	}
	json_object_set_new(o, "applications", apps);
	state_free(&s);
	disk_close(&d);
	return o;
}

static void
show_ukeys(const json_t *answer)
{
	const json_t *one, *app;
	size_t i, k;

	json_array_foreach(json_object_get(answer, "ukeys"), i, one)
	{
		const char *error = json_string_value(json_object_get(one, "error"));
		const char *serial = json_string_value(json_object_get(one, "serial"));
		const char *label = json_string_value(json_object_get(one, "label"));

		(void)printf("%-20s %-3s  %s  %s", json_string_value(json_object_get(one, "name")),
		    json_is_true(json_object_get(one, "inserted")) ? "in" : "out",
		    serial != NULL ? serial : "?", error != NULL ? error : label);
		json_array_foreach(json_object_get(one, "applications"), k, app)
		{
			(void)printf("%s%s", k == 0 ? "  " : ", ", json_string_value(app));
		}
		(void)putchar('\n');
	}
}

int
soft_list(const struct args *a)
{
	json_t *all = json_array(), *answer = json_pack("{s:o}", "ukeys", all);
	struct uk_buf names;
	char *path = NULL;
	const int root = open_root(a, &path);
	int code = EXIT_FAILED;

	uk_buf_init(&names, 64u * 1024u);
	if (root >= 0) {
		code = result(path, place_list(root, false, &names));
		for (size_t at = 0; code == EXIT_DONE && at < names.n;
		     at += strlen((char *)names.p + at) + 1)
			json_array_append_new(all, describe(root, (char *)names.p + at));
		(void)close(root);
	}
	if (code == EXIT_DONE)
		(a->json ? show_json : show_ukeys)(answer);
	uk_buf_fini(&names);
	json_decref(answer);
	free(path);
	return code;
}

/* --- faults --- */

/* The line as the module reads it. */
static bool
fault_line(const struct args *a, struct uk_buf *line)
{
	ULONG error = 0;
	struct fault f;

	uk_buf_printf(line, "%s %s ", a->function, a->nth != NULL ? a->nth : "1");
	if (a->error != NULL && !sar_from_text(a->error, &error))
		return false;
	if (a->error != NULL)
		uk_buf_printf(line, "error 0x%08X", error);
	else if (a->block != NULL)
		uk_buf_printf(line, "block %s", a->block);
	else
		uk_buf_put_str(line, "crash");
	return !uk_buf_failed(line) && fault_read(uk_buf_span(line), &f);
}

static int
add_line(const char *path, struct uk_span line)
{
	struct uk_err err = { 0 };
	struct uk_buf all;
	enum uk_rc rc;

	uk_buf_init(&all, FAULT_FILE_MAX + 8192);
	rc = uk_file_read(path, FAULT_FILE_MAX, &all, &err);
	if (rc == UK_OK || rc == UK_E_NOT_FOUND) {
		uk_buf_put(&all, line);
		uk_buf_put_str(&all, "\n");
		rc = all.n > FAULT_FILE_MAX ? uk_fail(&err, UK_E_LIMIT, NULL, "faults", 0)
					    : uk_file_write(path, 0600, uk_buf_span(&all), &err);
	}
	uk_buf_fini(&all);
	return rc == UK_OK ? EXIT_DONE : fail(path, uk_err_reason(&err));
}

static int
set_fault(const struct args *a, const char *root)
{
	struct uk_buf path, line;
	int code = EXIT_DONE;

	uk_buf_init(&path, 4096);
	uk_buf_init(&line, LINE_MAX);
	uk_buf_printf(&path, "%s/%s/%s", root, a->rest[0], FAULT_FILE);
	if (a->clear && unlink(uk_buf_str(&path)) != 0 && access(uk_buf_str(&path), F_OK) == 0)
		code = fail(uk_buf_str(&path), "can't be removed");
	else if (!a->clear && !fault_line(a, &line))
		code = wrong_use("no such fault");
	else if (!a->clear)
		code = add_line(uk_buf_str(&path), uk_buf_span(&line));
	uk_buf_fini(&path);
	uk_buf_fini(&line);
	return code;
}

int
soft_set_fault(const struct args *a)
{
	const int kinds = (a->error != NULL) + (a->block != NULL) + a->crash;
	char *path = NULL;
	int root, code = EXIT_FAILED;

	if (a->n_rest != 1)
		return wrong_use("a name is needed");
	if (a->clear ? a->function != NULL || kinds != 0 : a->function == NULL || kinds != 1)
		return wrong_use("--function and one of --error, --block and --crash, or --clear");
	root = open_root(a, &path);
	if (root >= 0) {
		code = place_exists(root, a->rest[0]) ? set_fault(a, path)
						      : fail(a->rest[0], "no such UKEY");
		(void)close(root);
	}
	free(path);
	return code;
}
