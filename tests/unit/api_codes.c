/* Codes, sessions and counting, over a real SQLite file and a clock that the test sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/code.h"
#include "api/label.h"
#include "api/rate.h"
#include "api/session.h"

struct fixture {
	char dir[64];
	char path[96];
	struct store *store;
	struct crypt *crypt;
	struct uk_clock clock;
	int64_t now;
	struct api api;
};

static int64_t
test_now(void *ctx)
{
	return *(int64_t *)ctx;
}

static int64_t
test_mono(void *ctx)
{
	return *(int64_t *)ctx * 1000;
}

static int
setup(void **state)
{
	static const uint8_t key[CRYPT_KEY_LEN] = { 7 };
	struct fixture *f = uk_xalloc(sizeof(*f));
	struct uk_secret *master = uk_secret_new(uk_span(key, sizeof(key)));
	struct uk_err err = { 0 };

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/ukey-api-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	assert_int_equal(store_open(&(struct store_setup){ .driver = "sqlite", .where = f->path },
			     &f->store, &err),
	    UK_OK);
	assert_int_equal(crypt_new(master, &uk_random_system, &f->crypt, &err), UK_OK);
	uk_secret_free(&master);
	f->now = 1800000000;
	f->clock = (struct uk_clock){ test_now, test_mono, &f->now };
	f->api = (struct api){ .store = f->store,
		.crypt = f->crypt,
		.clock = &f->clock,
		.random = &uk_random_system,
		.staff_idle = 1800,
		.staff_session = 36000 };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char cmd[128];

	store_close(&f->store);
	crypt_free(&f->crypt);
	(void)snprintf(cmd, sizeof(cmd), "rm -r %s", f->dir);
	assert_int_equal(system(cmd), 0);
	free(f);
	return 0;
}

struct making {
	struct fixture *f;
	const char *subject;
	const char *address;
	const char *phone;
	bool silent;
	char code[CODE_LEN + 1];
	int64_t retry_after;
};

static enum uk_rc
make_fn(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct making *m = ctx;

	return code_make(&m->f->api, tx,
	    &(struct code_slot){ .purpose = "test",
		.subject = m->subject,
		.phone_index = m->phone != NULL ? m->phone : "",
		.silent = m->silent,
		.address = m->address },
	    m->code, &m->retry_after, err);
}

static enum uk_rc
make(struct fixture *f, const char *subject, char code[CODE_LEN + 1], struct uk_err *err)
{
	struct making m = { .f = f, .subject = subject, .address = "192.0.2.1" };
	const enum uk_rc rc = store_write_wait(f->store, make_fn, &m, err);

	if (rc == UK_OK)
		memcpy(code, m.code, sizeof(m.code));
	return rc;
}

struct trying {
	struct fixture *f;
	const char *subject;
	const char *code;
	enum code_verdict verdict;
	int64_t left;
};

static enum uk_rc
try_fn(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct trying *t = ctx;

	return code_try(&t->f->api, tx, "test", t->subject, t->code, &t->verdict, &t->left, err);
}

static enum code_verdict
try(struct fixture *f, const char *subject, const char *code, int64_t *left)
{
	struct trying t = { .f = f, .subject = subject, .code = code };
	struct uk_err err = { 0 };

	assert_int_equal(store_write_wait(f->store, try_fn, &t, &err), UK_OK);
	if (left != NULL)
		*left = t.left;
	return t.verdict;
}

static const char *
other(const char *code)
{
	return strcmp(code, "000000") == 0 ? "000001" : "000000";
}

/* [N6] */
static void
code_right_once(void **state)
{
	struct fixture *f = *state;
	struct uk_err err = { 0 };
	char code[CODE_LEN + 1];
	char again[CODE_LEN + 1];

	assert_int_equal(make(f, "a", code, &err), UK_OK);
	assert_true(code_plausible(code));
	assert_int_equal(make(f, "b", again, &err), UK_OK);
	if (strcmp(code, again) != 0)
		assert_int_equal(try(f, "b", code, NULL), CODE_WRONG);
	assert_int_equal(try(f, "a", code, NULL), CODE_RIGHT);
	assert_int_equal(try(f, "a", code, NULL), CODE_EXPIRED);
	assert_int_equal(code_verdict_rc(CODE_RIGHT, &err), UK_OK);
}

static void
code_wrong_and_exhausted(void **state)
{
	struct fixture *f = *state;
	struct uk_err err = { 0 };
	char code[CODE_LEN + 1];
	int64_t left = -1;

	assert_int_equal(make(f, "a", code, &err), UK_OK);
	for (int i = CODE_TRIES - 1; i > 0; i--) {
		assert_int_equal(try(f, "a", other(code), &left), CODE_WRONG);
		assert_int_equal(left, i);
	}
	assert_int_equal(try(f, "a", other(code), &left), CODE_EXHAUSTED);
	assert_int_equal(left, 0);
	assert_int_equal(try(f, "a", code, NULL), CODE_EXHAUSTED);
	assert_int_equal(code_verdict_rc(CODE_EXHAUSTED, &err), UK_E_INPUT);
	assert_string_equal(err.reason, "code-exhausted");
}

static void
code_expires(void **state)
{
	struct fixture *f = *state;
	struct uk_err err = { 0 };
	char code[CODE_LEN + 1];

	assert_int_equal(make(f, "a", code, &err), UK_OK);
	f->now += CODE_LIFE - 1;
	assert_int_equal(try(f, "a", other(code), NULL), CODE_WRONG);
	f->now += 1;
	assert_int_equal(try(f, "a", code, NULL), CODE_EXPIRED);
	assert_int_equal(code_verdict_rc(CODE_EXPIRED, &err), UK_E_INPUT);
	assert_string_equal(err.reason, "code-expired");
}

static void
code_too_early_then_replaced(void **state)
{
	struct fixture *f = *state;
	struct uk_err err = { 0 };
	char first[CODE_LEN + 1];
	char second[CODE_LEN + 1];
	struct making m = { .f = f, .subject = "a", .address = "192.0.2.1" };

	assert_int_equal(make(f, "a", first, &err), UK_OK);
	f->now += 20;
	assert_int_equal(store_write_wait(f->store, make_fn, &m, &err), UK_E_RATE);
	assert_string_equal(err.reason, "code-too-early");
	assert_int_equal(m.retry_after, CODE_RESEND_AFTER - 20);
	f->now += CODE_RESEND_AFTER - 20;
	assert_int_equal(make(f, "a", second, &err), UK_OK);
	if (strcmp(first, second) != 0)
		assert_int_equal(try(f, "a", first, NULL), CODE_WRONG);
	assert_int_equal(try(f, "a", second, NULL), CODE_RIGHT);
}

static void
code_limits(void **state)
{
	struct fixture *f = *state;
	struct uk_err err = { 0 };
	char code[CODE_LEN + 1];
	char subject[16];
	int n = 0;

	while (make(f, "a", code, &err) == UK_OK) {
		n++;
		f->now += CODE_RESEND_AFTER;
	}
	assert_int_equal(n, 5);
	assert_int_equal(err.rc, UK_E_RATE);
	assert_string_equal(err.reason, "too-many-codes");
	f->now += 3600;
	assert_int_equal(make(f, "a", code, &err), UK_OK);

	/* one address that asks for many */
	f->now += 3600;
	for (n = 0; n < 100; n++) {
		(void)snprintf(subject, sizeof(subject), "s%d", n);
		if (make(f, subject, code, &err) != UK_OK)
			break;
	}
	assert_int_equal(n, 30);
	assert_string_equal(err.reason, "too-many-codes");
}

/* The code is in no column. */
static void
code_not_in_the_file(void **state)
{
	struct fixture *f = *state;
	struct uk_err err = { 0 };
	char code[CODE_LEN + 1];
	char cmd[256];

	assert_int_equal(make(f, "a", code, &err), UK_OK);
	store_close(&f->store);
	(void)snprintf(cmd, sizeof(cmd), "cat %s/db* | grep -a -q -w %s", f->dir, code);
	assert_int_not_equal(system(cmd), 0);
}

struct visiting {
	struct fixture *f;
	enum session_kind kind;
	const char *subject;
	char token[SESSION_TOKEN_LEN];
};

static enum uk_rc
visit_fn(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct visiting *v = ctx;

	return session_new(&v->f->api, tx, v->kind, v->subject, v->token, err);
}

static enum uk_rc
drop_fn(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct visiting *v = ctx;

	return session_drop(&v->f->api, tx, v->token, err);
}

static void
visit(struct fixture *f, enum session_kind kind, struct visiting *v)
{
	struct uk_err err = { 0 };

	*v = (struct visiting){ .f = f, .kind = kind, .subject = "somebody" };
	assert_int_equal(store_write_wait(f->store, visit_fn, v, &err), UK_OK);
	assert_int_equal(strlen(v->token), SESSION_TOKEN_LEN - 1);
}

static enum uk_rc
find(struct fixture *f, enum session_kind kind, const char *token)
{
	char subject[SESSION_SUBJECT_LEN] = "";
	struct uk_err err = { 0 };
	const enum uk_rc rc = session_find(&f->api, kind, token, subject, &err);

	if (rc == UK_OK)
		assert_string_equal(subject, "somebody");
	return rc;
}

static void
session_right_and_wrong(void **state)
{
	struct fixture *f = *state;
	struct visiting v, w;
	struct uk_err err = { 0 };
	char cmd[256];

	visit(f, SESSION_STAFF, &v);
	visit(f, SESSION_STAFF, &w);
	assert_string_not_equal(v.token, w.token);
	assert_int_equal(find(f, SESSION_STAFF, v.token), UK_OK);
	assert_int_equal(find(f, SESSION_ORDER, v.token), UK_E_UNAUTHORIZED);
	assert_int_equal(find(f, SESSION_STAFF, NULL), UK_E_UNAUTHORIZED);
	assert_int_equal(find(f, SESSION_STAFF, ""), UK_E_UNAUTHORIZED);
	assert_int_equal(find(f, SESSION_STAFF, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	    UK_E_UNAUTHORIZED);
	assert_int_equal(store_write_wait(f->store, drop_fn, &v, &err), UK_OK);
	assert_int_equal(find(f, SESSION_STAFF, v.token), UK_E_UNAUTHORIZED);
	assert_int_equal(find(f, SESSION_STAFF, w.token), UK_OK);
	(void)snprintf(cmd, sizeof(cmd), "cat %s/db* | grep -a -q -F -e '%s'", f->dir, w.token);
	assert_int_not_equal(system(cmd), 0);
}

static void
session_idle_and_absolute(void **state)
{
	struct fixture *f = *state;
	struct visiting v;
	int64_t begun;

	visit(f, SESSION_STAFF, &v);
	f->now += 1799;
	assert_int_equal(find(f, SESSION_STAFF, v.token), UK_OK);
	f->now += 1799;
	assert_int_equal(find(f, SESSION_STAFF, v.token), UK_OK);
	f->now += 1800;
	assert_int_equal(find(f, SESSION_STAFF, v.token), UK_E_UNAUTHORIZED);

	begun = f->now;
	visit(f, SESSION_STAFF, &v);
	while (f->now + 1700 < begun + 36000) {
		f->now += 1700;
		assert_int_equal(find(f, SESSION_STAFF, v.token), UK_OK);
	}
	f->now = begun + 36000;
	assert_int_equal(find(f, SESSION_STAFF, v.token), UK_E_UNAUTHORIZED);
}

static void
roles(void **state)
{
	unsigned who = 0;

	(void)state;
	assert_int_equal(api_roles_read("reviewer", &who), UK_OK);
	assert_int_equal(who, WHO_REVIEWER);
	assert_int_equal(api_roles_read("producer,auditor", &who), UK_OK);
	assert_int_equal(who, WHO_PRODUCER | WHO_AUDITOR);
	assert_int_equal(api_roles_read("", &who), UK_E_INPUT);
	assert_int_equal(api_roles_read("reviewer,", &who), UK_E_INPUT);
	assert_int_equal(api_roles_read("root", &who), UK_E_INPUT);
}

/* [A3] What an applicant typed is text on the label, whatever it looks like. */
static void
label_escapes(void **state)
{
	struct uk_buf out;

	(void)state;
	uk_buf_init(&out, 65536);
	label_put(&out, &(struct label){ .sender = "CA",
			    .order = "UK261122ABCDEFGH",
			    .recipient = "<script>alert('1')</script>",
			    .phone = "13800000001",
			    .address = "A & B \"C\"",
			    .postcode = NULL,
			    .token = "" });
	assert_non_null(strstr(uk_buf_str(&out), "&lt;script&gt;alert(&#39;1&#39;)"));
	assert_non_null(strstr(uk_buf_str(&out), "A &amp; B &quot;C&quot;"));
	assert_null(strstr(uk_buf_str(&out), "<script"));
	assert_null(strstr(uk_buf_str(&out), "邮编"));
	uk_buf_fini(&out);
}

/* Many subjects may lead to one phone: what becomes of its limit is not for everybody's ears. */
static void
code_limit_of_a_phone(void **state)
{
	struct fixture *f = *state;
	struct uk_err err = { 0 };
	char subject[16];

	for (int i = 0; i < 13; i++) {
		struct making m = {
			.f = f, .subject = subject, .phone = "p", .address = "192.0.2.1"
		};
		const bool over = i >= 10;

		(void)snprintf(subject, sizeof(subject), "order %d", i);
		m.silent = i == 11;
		assert_int_equal(store_write_wait(f->store, make_fn, &m, &err),
		    over && !m.silent ? UK_E_RATE : UK_OK);
		assert_int_equal(strlen(m.code), over ? 0 : CODE_LEN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(code_right_once, setup, teardown),
		cmocka_unit_test_setup_teardown(code_wrong_and_exhausted, setup, teardown),
		cmocka_unit_test_setup_teardown(code_expires, setup, teardown),
		cmocka_unit_test_setup_teardown(code_too_early_then_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(code_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(code_limit_of_a_phone, setup, teardown),
		cmocka_unit_test_setup_teardown(code_not_in_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(session_right_and_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(session_idle_and_absolute, setup, teardown),
		cmocka_unit_test(roles),
		cmocka_unit_test(label_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
