/* Windows: pinentry's protocol, one at a time, and the ways a person ends one. [H4] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/prompt.h"
#include "uk/clock.h"
#include "uk/config.h"

struct env;

struct answer {
	struct env *env;
	bool done;
	enum uk_rc rc;
	char reason[64];
	char pin[300];
	int order;
};

struct env {
	char dir[64];
	char path[96];
	char log[96];
	struct uk_log uk_log;
	struct loop *loop;
	struct prompts *prompts;
	struct answer a[12];
	int count;
};

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	strcpy(e->dir, "/tmp/uk-prompt-XXXXXX");
	assert_non_null(mkdtemp(e->dir));
	(void)snprintf(e->path, sizeof(e->path), "%s/answers", e->dir);
	(void)snprintf(e->log, sizeof(e->log), "%s/answers.log", e->dir);
	assert_int_equal(setenv("UKEY_FAKE_PINENTRY", e->path, 1), 0);
	uk_log_init(&e->uk_log, "test");
	e->loop = loop_poll_new();
	e->prompts = prompts_new(e->loop, &e->uk_log, PINENTRY);
	*state = e;
	return 0;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	prompts_free(&e->prompts);
	loop_poll_free(&e->loop);
	(void)unlink(e->path);
	(void)unlink(e->log);
	(void)rmdir(e->dir);
	free(e);
	return 0;
}

static void
answers(struct env *e, const char *text)
{
	assert_int_equal(uk_file_write(e->path, 0600, uk_span_str(text), NULL), UK_OK);
}

static void
done(void *ctx, const struct uk_err *err, struct uk_secret **pin)
{
	struct answer *a = ctx;
	const struct uk_span s = uk_secret_lend(*pin);

	assert_false(a->done);
	a->done = true;
	a->order = ++a->env->count;
	a->rc = err != NULL ? err->rc : UK_OK;
	if (err != NULL)
		(void)snprintf(a->reason, sizeof(a->reason), "%s", uk_err_reason(err));
	if (s.n > 0)
		memcpy(a->pin, s.p, s.n);
}

static struct prompt *
ask(struct env *e, enum prompt_kind kind, const char *text, struct answer *a)
{
	a->env = e;
	return prompt_ask(e->prompts, &(struct prompt_text){ .kind = kind, .text = text }, done, a);
}

static void
wait_for(struct env *e, const struct answer *a)
{
	assert_true(loop_poll_run(e->loop, &a->done, 10000));
}

static char *
log_text(struct env *e)
{
	struct uk_buf b;

	uk_buf_init(&b, 65536);
	assert_int_equal(uk_file_read(e->log, 60000, &b, NULL), UK_OK);
	return uk_buf_steal_str(&b);
}

static void
pin(void **state)
{
	struct env *e = *state;
	char *log;

	answers(e, "12%34 56\n");
	assert_non_null(ask(e, PROMPT_PIN, "网站：https://ca.example\n用途：100%", &e->a[0]));
	assert_false(e->a[0].done);
	wait_for(e, &e->a[0]);
	assert_int_equal(e->a[0].rc, UK_OK);
	assert_string_equal(e->a[0].pin, "12%34 56");
	log = log_text(e);
	assert_non_null(strstr(log, "SETDESC 网站：https://ca.example%0A用途：100%25\n"));
	assert_non_null(strstr(log, "OPTION lc-ctype=C.UTF-8"));
	assert_null(strstr(log, "external-password-cache"));
	assert_null(strstr(log, "12%34"));
	free(log);
}

static void
ends(struct env *e, const char *answer, enum prompt_kind kind, enum uk_rc rc, const char *reason)
{
	memset(&e->a[0], 0, sizeof(e->a[0]));
	answers(e, answer);
	assert_non_null(ask(e, kind, "x", &e->a[0]));
	wait_for(e, &e->a[0]);
	assert_int_equal(e->a[0].rc, rc);
	if (reason != NULL)
		assert_string_equal(e->a[0].reason, reason);
}

static void
said_no(void **state)
{
	ends(*state, "!cancel\n", PROMPT_PIN, UK_E_CANCELLED, "cancelled");
	ends(*state, "!cancel\n", PROMPT_CONFIRM, UK_E_CANCELLED, "cancelled");
	ends(*state, "!no\n", PROMPT_CONFIRM, UK_E_CANCELLED, "cancelled");
	ends(*state, "!timeout\n", PROMPT_PIN, UK_E_TIMEOUT, "timeout");
	ends(*state, "123456\n", PROMPT_CONFIRM, UK_OK, NULL);
	/* OK without a PIN is an empty one */
	ends(*state, "", PROMPT_PIN, UK_OK, NULL);
}

static void
one_at_a_time(void **state)
{
	struct env *e = *state;

	answers(e, "first\nsecond\nthird\n");
	for (int i = 0; i < 3; i++)
		assert_non_null(ask(e, PROMPT_PIN, "x", &e->a[i]));
	wait_for(e, &e->a[2]);
	assert_string_equal(e->a[0].pin, "first");
	assert_string_equal(e->a[1].pin, "second");
	assert_string_equal(e->a[2].pin, "third");
	assert_int_equal(e->a[0].order, 1);
	assert_int_equal(e->a[2].order, 3);
}

/* A page that leaves takes its window along, shown or waiting, and the next one's turn comes. */
static void
asker_leaves(void **state)
{
	struct env *e = *state;
	struct prompt *shown, *waiting;
	const bool never = false;

	answers(e, "!hang\nmine\n");
	shown = ask(e, PROMPT_PIN, "x", &e->a[0]);
	waiting = ask(e, PROMPT_PIN, "x", &e->a[1]);
	assert_non_null(ask(e, PROMPT_PIN, "x", &e->a[2]));
	(void)loop_poll_run(e->loop, &never, 500);
	assert_false(e->a[0].done);
	prompt_drop(&waiting);
	prompt_drop(&shown);
	assert_null(shown);
	wait_for(e, &e->a[2]);
	assert_string_equal(e->a[2].pin, "mine");
	assert_false(e->a[0].done || e->a[1].done);
	/* the process that hung is gone, too: nothing is left to reap */
	(void)loop_poll_run(e->loop, &never, 200);
}

static void
queue_bounded(void **state)
{
	struct env *e = *state;

	answers(e, "!hang\n");
	for (int i = 0; i < PROMPT_QUEUE; i++)
		assert_non_null(ask(e, PROMPT_PIN, "x", &e->a[i]));
	assert_null(ask(e, PROMPT_PIN, "x", &e->a[8]));
}

/* Cut to a line of the protocol, between characters. */
static void
long_text(void **state)
{
	struct env *e = *state;
	char text[4000], *log, *desc;

	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "证", 4);
	answers(e, "1\n");
	assert_non_null(ask(e, PROMPT_PIN, text, &e->a[0]));
	wait_for(e, &e->a[0]);
	assert_int_equal(e->a[0].rc, UK_OK);
	log = log_text(e);
	desc = strstr(log, "SETDESC ");
	assert_in_range(strcspn(desc, "\n"), 900, 1000);
	assert_int_equal((strcspn(desc, "\n") - strlen("SETDESC ")) % 3, 0);
	free(log);
}

static void
not_there(void **state)
{
	struct env *e = *state;

	assert_true(prompts_usable(e->prompts));
	prompts_free(&e->prompts);
	e->prompts = prompts_new(e->loop, &e->uk_log, "/nonexistent/pinentry");
	assert_false(prompts_usable(e->prompts));
	ends(e, "", PROMPT_PIN, UK_E_UNAVAILABLE, "prompt-unavailable");
	prompts_free(&e->prompts);
	/* one that ends without a word */
	e->prompts = prompts_new(e->loop, &e->uk_log, "/bin/true");
	ends(e, "", PROMPT_PIN, UK_E_UNAVAILABLE, "prompt-unavailable");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pin, setup, teardown),
		cmocka_unit_test_setup_teardown(said_no, setup, teardown),
		cmocka_unit_test_setup_teardown(one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(asker_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(queue_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(long_text, setup, teardown),
		cmocka_unit_test_setup_teardown(not_there, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
