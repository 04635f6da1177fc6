/* Policy files, grants, the journal, and text for windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/journal.h"
#include "policy/policy.h"
#include "policy/sites.h"
#include "policy/station.h"
#include "policy/text.h"
#include "uk/config.h"

struct env {
	char dir[64];
	char path[128];
	int64_t now;
	struct uk_clock clock;
};

static int64_t
now(void *ctx)
{
	return ((struct env *)ctx)->now;
}

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	strcpy(e->dir, "/tmp/uk-policy-XXXXXX");
	assert_non_null(mkdtemp(e->dir));
	e->now = 1800000000;
	e->clock = (struct uk_clock){ .now = now, .mono_ms = now, .ctx = e };
	*state = e;
	return 0;
}

static const char *
in_dir(struct env *e, const char *name)
{
	(void)snprintf(e->path, sizeof(e->path), "%s/%s", e->dir, name);
	return e->path;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "10.json", "20.json", "sites.json", "journal.jsonl",
		"journal.jsonl.1", "station.jwk", "sites.json.bad", "journal.jsonl.bad",
		"journal.jsonl.1.bad" };
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in_dir(e, names[i]));
	assert_int_equal(rmdir(e->dir), 0);
	free(e);
	return 0;
}

static void
put(struct env *e, const char *name, const char *text)
{
	assert_int_equal(uk_file_write(in_dir(e, name), 0600, uk_span_str(text), NULL), UK_OK);
}

static void
policy_files(void **state)
{
	struct env *e = *state;
	struct policy *p = NULL;
	struct uk_err err = { 0 };

	assert_int_equal(policy_load(e->dir, &p, &err), UK_OK);
	assert_false(p->development || p->production || p->session);
	assert_null(p->clock_file);
	assert_true(policy_extension(p, "ukey@ukey.example"));
	assert_false(policy_extension(p, "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}"));
	assert_int_equal(p->idle_lock, 900);
	policy_free(&p);
	put(e, "10.json",
	    "{\"development\":true,\"sites\":{\"allow\":[\"https://a.example\"]},"
	    "\"consent\":\"session\",\"idleLock\":60,\"modules\":[\"/usr/lib/x.so\",{\"path\":\"/"
	    "y.so\",\"kind\":\"skf\"}]}");
	put(e, "20.json",
	    "{\"development\":false,\"production\":true,\"sites\":{\"allow\":[\"https://"
	    "b.example\"],"
	    "\"block\":[\"https://a.example\"]},\"pinentry\":\"/usr/bin/pinentry-gnome3\","
	    "\"extensions\":[\"{ec8030f7-c20a-464f-9b0e-13a3a9e97384}\"]}");
	assert_int_equal(policy_load(e->dir, &p, &err), UK_OK);
	assert_false(p->development);
	assert_int_equal(p->idle_lock, 60);
	assert_true(p->production);
	assert_true(p->session);
	assert_false(policy_allows(p, "https://a.example"));
	assert_true(policy_blocks(p, "https://a.example"));
	assert_true(policy_allows(p, "https://b.example"));
	assert_false(policy_allows(p, NULL));
	assert_int_equal(p->n_modules, 2);
	assert_string_equal(p->modules[0].path, "/usr/lib/x.so");
	assert_string_equal(p->modules[0].kind, "pkcs11");
	assert_string_equal(p->modules[1].path, "/y.so");
	assert_string_equal(p->modules[1].kind, "skf");
	assert_true(policy_extension(p, "ukey@ukey.example"));
	assert_true(policy_extension(p, "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}"));
	assert_string_equal(p->pinentry, "/usr/bin/pinentry-gnome3");
	policy_free(&p);
	put(e, "20.json", "{\"clockFile\":\"/clock\"}");
	assert_int_equal(policy_load(e->dir, &p, &err), UK_OK);
	assert_string_equal(p->clock_file, "/clock");
	policy_free(&p);
	assert_int_equal(policy_load("/nonexistent", &p, &err), UK_OK);
	policy_free(&p);
}

/* Half understood is not understood. */
static void
policy_refused(void **state)
{
	static const char *const bad[] = { "{", "[]", "{\"developmnt\":true}",
		"{\"sites\":{\"alow\":[]}}", "{\"sites\":{\"allow\":[\"ca.example\"]}}",
		"{\"modules\":[\"relative.so\"]}", "{\"modules\":[{\"path\":\"/x.so\"}]}",
		"{\"modules\":[{\"path\":\"/x.so\",\"kind\":\"csp\"}]}", "{\"modules\":[1]}",
		"{\"modules\":[{\"path\":\"x.so\",\"kind\":\"skf\"}]}", "{\"consent\":\"never\"}",
		"{\"pinentry\":\"pinentry\"}", "{\"tickets\":{\"trusted\":[{\"kty\":\"EC\"}]}}",
		"{\"tickets\":{\"trusted\":[1]}}", "{\"production\":\"yes\"}", "{\"idleLock\":-1}",
		"{\"idleLock\":86401}", "{\"idleLock\":\"60\"}", "{\"extensions\":[\"a b\"]}",
		"{\"extensions\":[\"\"]}", "{\"extensions\":\"a\"}", "{\"clockFile\":\"/clock\"}",
		"{\"development\":true,\"clockFile\":\"clock\"}" };
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct policy *p = NULL;
		struct uk_err err = { 0 };

		put(e, "10.json", bad[i]);
		assert_int_not_equal(policy_load(e->dir, &p, &err), UK_OK);
		assert_null(p);
	}
}

#define KNOWN(list) "{\"modules\":[" list "]}"
#define ENTRY(path) "{\"path\":\"" path "\",\"kind\":\"skf\"}"

/* Of the known ones, those that are here and safe, and none twice. */
static void
known_modules(void **state)
{
	static const char *const bad[] = { "{", "[]", "{}", KNOWN("1"), KNOWN("{\"path\":\"x\"}"),
		KNOWN("{\"path\":\"x.so\",\"kind\":\"skf\"}") };
	struct env *e = *state;
	struct policy *p = NULL;
	struct uk_err err = { 0 };
	struct uk_log log;
	char file[128], open[128], text[512];

	uk_log_init(&log, "test");
	log.level = UK_LOG_ERROR;
	put(e, "10.json", "{\"modules\":[\"/etc/group\"]}");
	put(e, "open.so", "");
	put(e, "known", "");
	(void)snprintf(open, sizeof(open), "%s/open.so", e->dir);
	(void)snprintf(file, sizeof(file), "%s/known", e->dir);
	assert_int_equal(chmod(open, 0666), 0);
	(void)snprintf(text, sizeof(text),
	    KNOWN(ENTRY("/nonexistent.so") "," ENTRY("/etc/passwd") "," ENTRY(
		"/etc/group") "," ENTRY("/etc") "," ENTRY("%s")),
	    open);
	put(e, "known", text);
	assert_int_equal(policy_load(e->dir, &p, &err), UK_OK);
	assert_int_equal(policy_find_modules(p, file, &log, &err), UK_OK);
	assert_int_equal(p->n_modules, 2);
	assert_string_equal(p->modules[0].path, "/etc/group");
	assert_string_equal(p->modules[0].kind, "pkcs11");
	assert_string_equal(p->modules[1].path, "/etc/passwd");
	assert_string_equal(p->modules[1].kind, "skf");
	assert_int_equal(policy_find_modules(p, "/nonexistent", &log, &err), UK_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(e, "known", bad[i]);
		assert_int_not_equal(policy_find_modules(p, file, &log, &err), UK_OK);
	}
	assert_int_equal(policy_find_modules(p, MODULES, &log, &err), UK_OK);
	policy_free(&p);
	put(e, "20.json", "{\"knownModules\":false,\"holdPin\":true}");
	assert_int_equal(policy_load(e->dir, &p, &err), UK_OK);
	assert_true(p->hold_pin);
	assert_int_equal(policy_find_modules(p, file, &log, &err), UK_OK);
	assert_int_equal(p->n_modules, 1);
	policy_free(&p);
	assert_int_equal(unlink(open), 0);
	assert_int_equal(unlink(file), 0);
}

#define FP "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct sites *
open_sites(struct env *e)
{
	struct sites *s = NULL;

	assert_int_equal(sites_open(in_dir(e, "sites.json"), &e->clock, &s, NULL), UK_OK);
	return s;
}

static void
grants(void **state)
{
	struct env *e = *state;
	struct sites *s = open_sites(e);
	const char *fp = FP;
	struct stat st;
	json_t *list;

	assert_int_equal(sites_grant(s, "https://a.example", &fp, 1, NULL), UK_OK);
	assert_int_equal(sites_grant(s, "ftp://a.example", &fp, 1, NULL), UK_E_INPUT);
	sites_close(&s);
	assert_int_equal(stat(in_dir(e, "sites.json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	s = open_sites(e);
	assert_true(sites_allowed(s, "https://a.example"));
	assert_true(sites_certificate(s, "https://a.example", FP));
	assert_false(sites_certificate(s, "https://b.example", FP));
	list = sites_list(s);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	e->now += SITES_LIFE - 1;
	assert_true(sites_certificate(s, "https://a.example", FP));
	e->now += 1;
	assert_false(sites_allowed(s, "https://a.example"));
	assert_int_equal(sites_revoke(s, "https://b.example", NULL), UK_E_NOT_FOUND);
	assert_int_equal(sites_revoke(s, "https://a.example", NULL), UK_OK);
	sites_close(&s);
	s = open_sites(e);
	assert_false(sites_allowed(s, "https://a.example"));
	sites_close(&s);
}

static void
grants_bounded(void **state)
{
	struct env *e = *state;
	struct sites *s = open_sites(e);
	char name[64], fp[65];
	const char *one = fp;
	json_t *list;

	/* one that was asked for again is young; one that has run out makes room first */
	assert_int_equal(sites_grant(s, "https://gone.example", NULL, 0, NULL), UK_OK);
	e->now += SITES_LIFE - 1;
	assert_int_equal(sites_grant(s, "https://again.example", NULL, 0, NULL), UK_OK);
	e->now += 1;
	for (int i = 0; i <= SITES_MAX; i++) {
		if (i == SITES_MAX - 1)
			assert_int_equal(
			    sites_grant(s, "https://again.example", NULL, 0, NULL), UK_OK);
		(void)snprintf(name, sizeof(name), "https://s%d.example", i);
		assert_int_equal(sites_grant(s, name, NULL, 0, NULL), UK_OK);
	}
	assert_true(sites_allowed(s, "https://again.example"));
	assert_true(sites_allowed(s, "https://s2.example"));
	list = sites_list(s);
	assert_int_equal(json_array_size(list), SITES_MAX);
	json_decref(list);
	assert_false(sites_allowed(s, "https://s0.example"));
	assert_true(sites_allowed(s, "https://s64.example"));
	for (int i = 0; i <= SITES_CERTIFICATES; i++) {
		(void)snprintf(fp, sizeof(fp), "%064d", i);
		assert_int_equal(sites_grant(s, "https://s64.example", &one, 1, NULL), UK_OK);
	}
	(void)snprintf(fp, sizeof(fp), "%064d", 0);
	assert_false(sites_certificate(s, "https://s64.example", fp));
	(void)snprintf(fp, sizeof(fp), "%064d", SITES_CERTIFICATES);
	assert_true(sites_certificate(s, "https://s64.example", fp));
	sites_close(&s);
	s = open_sites(e);
	assert_true(sites_certificate(s, "https://s64.example", fp));
	sites_close(&s);
}

static char *
read_text(struct env *e, const char *name)
{
	struct uk_buf b;

	uk_buf_init(&b, 65536);
	assert_int_equal(uk_file_read(in_dir(e, name), 60000, &b, NULL), UK_OK);
	return uk_buf_steal_str(&b);
}

/* Kept for whoever wants to know; nothing is granted, and the next grant is saved. */
static void
grants_malformed(void **state)
{
	static const char *const bad[] = { "{", "{}", "[1]", "[{\"origin\":\"https://a.example\"}]",
		"[{\"origin\":\"https://a.b\",\"granted\":1,\"expires\":2,\"certificates\":[]},1]",
		"[{\"origin\":\"x\",\"granted\":1,\"expires\":2,\"certificates\":[]}]" };
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sites *s = NULL;
		json_t *list;
		char *aside;

		put(e, "sites.json", bad[i]);
		s = open_sites(e);
		assert_true(sites_put_aside(s));
		list = sites_list(s);
		assert_int_equal(json_array_size(list), 0);
		json_decref(list);
		aside = read_text(e, "sites.json.bad");
		assert_string_equal(aside, bad[i]);
		free(aside);
		assert_int_equal(sites_grant(s, "https://b.example", NULL, 0, NULL), UK_OK);
		sites_close(&s);
		s = open_sites(e);
		assert_false(sites_put_aside(s));
		assert_true(sites_allowed(s, "https://b.example"));
		sites_close(&s);
	}
}

static void
write_journal(struct env *e, int lines)
{
	const struct journal_entry entry = { .method = "signature.create",
		.origin = "https://a.example",
		.digest = FP,
		.result = "ok" };
	struct journal *j = NULL;

	assert_int_equal(journal_open(in_dir(e, "journal.jsonl"), &e->clock, &j, NULL), UK_OK);
	for (int i = 0; i < lines; i++)
		assert_int_equal(journal_put(j, &entry, NULL), UK_OK);
	journal_close(&j);
}

static void
journal_chain(void **state)
{
	struct env *e = *state;
	struct uk_buf text;
	struct uk_err err;
	size_t n;
	char *at;

	write_journal(e, 3);
	write_journal(e, 2);
	assert_int_equal(journal_check(in_dir(e, "journal.jsonl"), &n, &err), UK_OK);
	assert_int_equal(n, 5);
	uk_buf_init(&text, 65536);
	assert_int_equal(uk_file_read(e->path, 32768, &text, &err), UK_OK);
	at = strstr(uk_buf_str(&text), "a.example");
	assert_non_null(at);
	*at = 'b';
	put(e, "journal.jsonl", uk_buf_str(&text));
	assert_int_equal(journal_check(e->path, &n, &err), UK_E_INTEGRITY);
	assert_int_equal(n, 1);
	*at = 'a';
	/* without its second line */
	at = strchr(uk_buf_str(&text), '\n') + 1;
	memmove(at, strchr(at, '\n') + 1, strlen(strchr(at, '\n') + 1) + 1);
	put(e, "journal.jsonl", (const char *)text.p);
	assert_int_equal(journal_check(e->path, &n, &err), UK_E_INTEGRITY);
	uk_buf_fini(&text);
}

/* A crash in the middle of a line costs that line only. */
static void
journal_torn(void **state)
{
	struct env *e = *state;
	FILE *f;
	size_t n;

	write_journal(e, 2);
	f = fopen(in_dir(e, "journal.jsonl"), "a");
	(void)fputs("{\"seq\":3,\"ti", f);
	(void)fclose(f);
	write_journal(e, 1);
	assert_int_equal(journal_check(in_dir(e, "journal.jsonl"), &n, NULL), UK_OK);
	assert_int_equal(n, 3);
}

static void
journal_moves(void **state)
{
	struct env *e = *state;
	struct uk_err err;
	struct stat st;
	size_t n;

	/* past its size; the chain goes on in the new file */
	write_journal(e, 2);
	assert_int_equal(truncate(in_dir(e, "journal.jsonl"), 0), 0);
	write_journal(e, 1);
	assert_int_equal(journal_check(in_dir(e, "journal.jsonl"), &n, &err), UK_OK);
	assert_int_equal(stat(e->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* The old file is kept, and the new one's first line tells of it. */
static void
journal_broken(void **state)
{
	static const char *const names[] = { "journal.jsonl", "journal.jsonl.1" };
	struct env *e = *state;
	size_t n;

	for (size_t i = 0; i < 2; i++) {
		char aside[64], *text;

		(void)unlink(in_dir(e, "journal.jsonl"));
		put(e, names[i], "no json\n");
		write_journal(e, 1);
		assert_int_equal(journal_check(in_dir(e, "journal.jsonl"), &n, NULL), UK_OK);
		assert_int_equal(n, 2);
		text = read_text(e, "journal.jsonl");
		assert_non_null(strstr(text, "\"seq\":1,"));
		*strchr(text, '\n') = '\0';
		assert_non_null(strstr(text, "\"result\":\"journal-broken\""));
		free(text);
		(void)snprintf(aside, sizeof(aside), "%s.bad", names[i]);
		text = read_text(e, aside);
		assert_string_equal(text, "no json\n");
		free(text);
	}
}

/* A disk that fills up in the middle of a line costs that line only. */
static void
journal_short_write(void **state)
{
	const struct journal_entry entry = { .method = "signature.create", .result = "ok" };
	struct env *e = *state;
	struct journal *j = NULL;
	struct rlimit before, limit;
	struct stat st;
	size_t n;

	write_journal(e, 1);
	assert_int_equal(journal_open(in_dir(e, "journal.jsonl"), &e->clock, &j, NULL), UK_OK);
	assert_int_equal(stat(e->path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)st.st_size + 10;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(journal_put(j, &entry, NULL), UK_E_UNAVAILABLE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(journal_put(j, &entry, NULL), UK_OK);
	journal_close(&j);
	assert_int_equal(journal_check(in_dir(e, "journal.jsonl"), &n, NULL), UK_OK);
	assert_int_equal(n, 2);
}

static void
station(void **state)
{
	struct env *e = *state;
	char a[UK_THUMB_LEN], b[UK_THUMB_LEN];
	struct uk_jwk *key = NULL;
	struct stat st;

	assert_int_equal(station_load(in_dir(e, "station.jwk"), &key, NULL), UK_E_NOT_FOUND);
	assert_int_equal(station_make(e->path, &key, NULL), UK_OK);
	uk_jwk_thumbprint(key, a);
	uk_jwk_free(&key);
	assert_int_equal(stat(e->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(station_make(e->path, &key, NULL), UK_OK);
	uk_jwk_thumbprint(key, b);
	uk_jwk_free(&key);
	assert_string_equal(a, b);
}

static void
shown(const char *in, size_t max, const char *out)
{
	struct uk_buf b;

	uk_buf_init(&b, 4096);
	text_put(&b, in, max);
	assert_string_equal(uk_buf_str(&b), out);
	uk_buf_fini(&b);
}

/* Nobody writes another line into the window, nor turns one around. */
static void
text(void **state)
{
	(void)state;
	shown("合同 第1号", 80, "合同 第1号");
	shown("a\nb\rc\x1b[2J", 80, "a b c [2J");
	shown("x\xe2\x80\xaey", 80, "x y");
	shown("x\xe2\x80\x8by", 80, "x y");
	shown("\xff\xfe", 80, "");
	shown("a\xc0\x80z", 80, "a z");
	shown("a\xe4\xb8", 80, "a");
	/* nor fills one up with blanks, nor ends the quotation */
	shown("a　　    \xc2\xa0\xe3\x85\xa4   b", 80, "a b");
	shown("合同」网站：「https://bank.example", 80, "合同 网站： https://bank.example");
	shown("z\u0336\u0336\u0336\u0336", 80, "z\u0336\u0336");
	/* a character of four bytes is room for less than two */
	shown("𠀀𠀀𠀀𠀀", 3, "𠀀𠀀…");
	shown("一二三四", 3, "一二三…");
	assert_int_equal(text_fit("一二三", 4), 3);
	assert_int_equal(text_fit("abc", 4), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(policy_files, setup, teardown),
		cmocka_unit_test_setup_teardown(policy_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(known_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(grants, setup, teardown),
		cmocka_unit_test_setup_teardown(grants_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(grants_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(journal_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(journal_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(journal_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(journal_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(journal_short_write, setup, teardown),
		cmocka_unit_test_setup_teardown(station, setup, teardown),
		cmocka_unit_test(text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
