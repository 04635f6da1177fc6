#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_env.h"
#include "uk/config.h"
#include "uk/x509.h"

static int64_t
mono_ms(void *ctx)
{
	return uk_mono_ms(&uk_clock_system) + ((struct env *)ctx)->later;
}

void
answers(struct env *e, const char *text)
{
	assert_int_equal(uk_file_write(e->answers, 0600, uk_span_str(text), NULL), UK_OK);
	(void)unlink(e->log);
}

int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	struct uk_cert *cert = NULL;

	strcpy(e->dir, "/tmp/uk-rpc-XXXXXX");
	assert_non_null(mkdtemp(e->dir));
	(void)snprintf(e->answers, sizeof(e->answers), "%s/answers", e->dir);
	(void)snprintf(e->log, sizeof(e->log), "%s/answers.log", e->dir);
	(void)snprintf(e->sites_path, sizeof(e->sites_path), "%s/sites.json", e->dir);
	(void)snprintf(e->journal_path, sizeof(e->journal_path), "%s/journal.jsonl", e->dir);
	assert_int_equal(setenv("UKEY_FAKE_PINENTRY", e->answers, 1), 0);
	uk_log_init(&e->uk_log, "test");
	e->uk_log.level = UK_LOG_ERROR;
	e->loop = loop_poll_new();
	assert_int_equal(sites_open(e->sites_path, &uk_clock_system, &e->sites, NULL), UK_OK);
	assert_int_equal(journal_open(e->journal_path, &uk_clock_system, &e->journal, NULL), UK_OK);
	e->gate = gate_new(&e->policy, e->sites, &uk_clock_system, geteuid());
	e->prompts = prompts_new(e->loop, &e->uk_log, PINENTRY);
	fake_token_init(&e->token, e->loop);
	assert_int_equal(uk_cert_parse(uk_buf_span(&e->token.cert), &cert, NULL), UK_OK);
	strcpy(e->cert, uk_cert_fingerprint(cert));
	uk_cert_free(&cert);
	e->clock = (struct uk_clock){ uk_clock_system.now, mono_ms, e };
	e->rpc = rpc_new(&(struct rpc_env){ .loop = e->loop,
	    .station = "/nonexistent/station.jwk",
	    .log = &e->uk_log,
	    .clock = &e->clock,
	    .random = &uk_random_system,
	    .policy = &e->policy,
	    .sites = e->sites,
	    .gate = e->gate,
	    .journal = e->journal,
	    .prompts = e->prompts,
	    .tokens = &e->token });
	fake_conn_init(&e->page, SITE);
	assert_int_equal(rpc_attach(e->rpc, &e->page.base, NULL), UK_OK);
	answers(e, "");
	*state = e;
	return 0;
}

int
teardown(void **state)
{
	struct env *e = *state;

	rpc_free(&e->rpc);
	fake_conn_fini(&e->page);
	fake_token_fini(&e->token);
	prompts_free(&e->prompts);
	gate_free(&e->gate);
	journal_close(&e->journal);
	sites_close(&e->sites);
	loop_poll_free(&e->loop);
	(void)unlink(e->answers);
	(void)unlink(e->log);
	(void)unlink(e->sites_path);
	(void)unlink(e->journal_path);
	assert_int_equal(rmdir(e->dir), 0);
	free(e);
	return 0;
}

void
granted(struct env *e)
{
	const char *fp = e->cert;

	assert_int_equal(sites_grant(e->sites, SITE, &fp, 1, NULL), UK_OK);
}

const json_t *
next(struct env *e)
{
	struct fake_conn *c = &e->page;

	c->got = c->read < c->n_sent;
	assert_true(loop_poll_run(e->loop, &c->got, 10000));
	return c->sent[c->read++];
}

const json_t *
say(struct env *e, const char *text)
{
	rpc_message(e->rpc, &e->page.base, uk_span_str(text));
	return next(e);
}

const json_t *
call(struct env *e, const char *method, json_t *params)
{
	json_t *m = json_pack("{s:s, s:i, s:s, s:o*}", "jsonrpc", "2.0", "id",
	    (int)e->page.n_sent + 1, "method", method, "params", params);
	char *text = json_dumps(m, JSON_COMPACT);
	const json_t *r;

	json_decref(m);
	r = say(e, text);
	free(text);
	return r;
}

const char *
reason(const json_t *m)
{
	const char *s = json_string_value(
	    json_object_get(json_object_get(json_object_get(m, "error"), "data"), "reason"));

	return s != NULL ? s : "";
}

int
code(const json_t *m)
{
	return (int)json_integer_value(json_object_get(json_object_get(m, "error"), "code"));
}

const json_t *
result(const json_t *m)
{
	if (json_object_get(m, "error") != NULL)
		fail_msg("refused: %s", reason(m));
	return json_object_get(m, "result");
}

void
shown(struct env *e, const char *text, bool yes)
{
	struct uk_buf b;

	uk_buf_init(&b, 65536);
	if (uk_file_read(e->log, 60000, &b, NULL) != UK_OK)
		uk_buf_put_str(&b, "");
	if ((strstr(uk_buf_str(&b), text) != NULL) != yes)
		fail_msg("%s is %sshown in: %s", text, yes ? "not " : "", uk_buf_str(&b));
	uk_buf_fini(&b);
}
